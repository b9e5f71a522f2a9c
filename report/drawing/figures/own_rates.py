"""The learning rate of every parameter group over the steps: what scales all updates, whatever the gradients are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from report.analysis.table import Table
from report.drawing.figures.comparison import key, raised
from report.drawing.figures.marks import dots
from report.drawing.figures.own_axis import logarithmic, recording_of
from report.drawing.figures.sources import Facts, Labels, Tables, reach, rows
from report.drawing.figures.style import Ink, batches_below, few_values, heading, scaled, sheet

TABLES = ("own_rates",)
GROUPS = 6  # lines at most
WIDE = 30.0  # from which ratio on the axis is logarithmic


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the first label with learning rates, whose groups are shown, and its recording's name, if one of several.

    None where no optimizer has any.
    """
    del table
    rated = results["rated"]
    return rated and {"label": rated["label"], "of": recording_of(results) and rated["run"]}


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw a line a group; groups whose rates are the same share one."""
    lines = _lines(tables, facts)
    entries = [
        (labels["group"].format(groups=", ".join(map(str, groups))), ink.layer(place))
        for place, (groups, _, _) in enumerate(lines)
    ]
    shown = entries if len(entries) > 1 else []
    figure, (panel,) = sheet([170 + (raised(shown) if shown else 0)])
    values = np.concatenate([rate for _, _, rate in lines])
    above = values[values > 0]
    if len(above) and above.max() > WIDE * above.min():
        logarithmic(panel, 5)
        panel.set_ylim(max(above.min(), above.max() / 1e6) / 1.5, above.max() * 1.5)
    else:
        panel.set_ylim(0, 1.1 * max(float(values.max()), 1e-12))
        few_values(panel)
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: scaled(value)))
    for place, (_, step, rate) in enumerate(lines):
        panel.plot(step, rate, color=ink.layer(place), linewidth=1.8)
        if len(step) == 1:
            dots(panel, step, rate, ink.layer(place), 5)
    heading(panel, labels["learning_rate"])
    batches_below(panel, labels["step"])
    if shown:
        key(panel, shown, ink)
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the ends of the first rate that varies, and how many groups are shown and how many are not."""
    lines = _lines(tables, facts)
    groups = sum(len(groups) for groups, _, _ in lines)
    numbers, _, rate = next((line for line in lines if line[2].min() < line[2].max()), lines[0])
    ends = float(rate[0]), float(rate[-1])
    return {
        "of": facts["of"],
        "groups": groups,
        "left_out": len(set(rows(tables["own_rates"], label=facts["label"])["group"].tolist())) - groups,
        "is_several": len(lines) > 1,
        "group": numbers[0],
        "is_level": all(rate.min() == rate.max() for _, _, rate in lines),
        "is_constant": len({float(each) for _, _, rate in lines for each in rate}) == 1,
        "rate": reach(np.concatenate([rate for _, _, rate in lines])),
        "first": ends[0],
        "last": ends[1],
        "trough": float(rate.min()) if rate.min() < min(ends) else None,
        "peak": float(rate.max()) if rate.max() > max(ends) else None,
    }


def _lines(tables: Tables, facts: Facts) -> list[tuple[list[int], Any, Any]]:
    """Return the numbers of the groups, steps and rates of each line."""
    table = rows(tables["own_rates"], label=facts["label"])
    found: list[tuple[list[int], Any, Any]] = []
    for group in dict.fromkeys(table["group"].tolist()):
        each = rows(table, group=group)
        same = next(
            (line for line in found if np.array_equal(line[1], each["step"]) and np.array_equal(line[2], each["rate"])),
            None,
        )
        if same:
            same[0].append(group)
        elif len(found) < GROUPS:
            found.append(([group], each["step"], each["rate"]))
    return found
