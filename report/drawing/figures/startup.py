"""The first batches: how large updates are while the running means fill up.

A reader learns that the first batch moves every weight that has a gradient by the learning rate itself, that sizes
fall as theory says, and why statistics of the first hundred batches are statistics of the start.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from report.analysis.table import Table
from report.drawing.figures.comparison import key, optimizers, spare
from report.drawing.figures.sources import Facts, Tables, Words, main_place, others, rows, selection
from report.drawing.figures.style import Ink, heading, label, sheet
from report.wording import digits, fixed, plural, series, thousands

TABLES = ("startup",)


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return what the caption states; None where the main optimizer has no learning rate to measure by."""
    main, shown = optimizers(results)[0], selection(results)
    layers = {
        layer: row
        for layer, row in shown["layers"].items()
        if any(each.mean is not None for each in table.series("startup", "mean_absolute", main["slug"], layer).values())
    }
    if not layers:
        return None
    return {
        "main": main["slug"],
        "label": main["label"],
        "layers": layers,
        "left_out": shown["left_out"],
        "first": {layer: _first(results, table, layer) for layer in layers},
        "seeds": len(results["study"]["runs"][main["slug"]]),
        "expected": bool(main["theory"] and results["theory"][main["slug"]]["startup"]),
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw a line a layer, theory dashed, the batches on a logarithmic axis."""
    layers = facts["layers"]
    table = rows(tables["startup"], optimizer=facts["main"])
    entries = [(layer, ink.layer(row["place"])) for layer, row in layers.items()]
    figure, (panel,) = sheet([320 + spare(entries)])
    top = 1.0
    for layer, row in layers.items():
        found = rows(table, layer=layer)
        colour = ink.layer(row["place"])
        panel.fill_between(found["batch"], found["low"], found["high"], color=colour, alpha=0.16, linewidth=0)
        panel.plot(found["batch"], found["mean"], color=colour, linewidth=1.8)
        top = max(top, float(np.nanmax(found["mean"], initial=0)))
    batches = int(table["batch"].max())
    if facts["expected"]:
        found = rows(table, layer=next(iter(layers)))
        panel.plot(found["batch"], found["theory"], color=ink.ink, linewidth=1.8, linestyle=(0, (4, 2.5)), zorder=4)
        label(panel, batches, found["theory"][-1], "chance alone", ink, offset=(0, -13), ha="right")
    panel.set_xscale("log")
    panel.set_ylim(0, 1.06 * top)
    heading(panel, "Mean |Δ| / learning rate")
    key(panel, entries, ink)
    panel.set_xlabel("batch", loc="right")
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xticks([tick for tick in (1, 2, 5, 10, 20, 50, 100) if tick <= batches])
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    batches = int(tables["startup"]["batch"].max())
    first = series(
        f"{thousands(row['exact'])} of {thousands(row['live'])} in {layer}" for layer, row in facts["first"].items()
    )
    ends = []
    for layer in facts["layers"]:
        found = rows(tables["startup"], optimizer=facts["main"], layer=layer)
        ends.append(f"{digits(float(found['mean'][0]))} to {fixed(_number(found['mean'][-1]), 2)} in {layer}")
    theory = ", dashed what chance alone predicts" if facts["expected"] else ""
    over = f", mean of {plural(facts['seeds'], 'seed')} and 95 % interval" if facts["seeds"] > 1 else ""
    opening = (
        " In the first batch of the main training run, weights that moved by the learning rate itself, to 1 %: "
        f"{first}."
        if facts["expected"]
        else ""
    )
    return Words(
        title=f"The first {plural(batches, 'batch', 'batches')}",
        caption=(
            f"{facts['label']}: mean size of the updates of the weights that have a gradient, in units of the learning "
            f"rate, over the first {plural(batches, 'batch', 'batches')}{over}{theory}.{opening}{others(facts)}"
        ),
        alt=(
            f"Line charts of the mean update in units of the learning rate over the first {batches} batches "
            f"under {facts['label']}. It goes from {series(ends)}."
        ),
    )


def _first(results: Mapping[str, Any], table: Table, layer: str) -> dict[str, float | None]:
    """Return how many weights of the main recording had a gradient in the first step, and moved by the rate itself."""
    slug, _, place = main_place(results, layer)
    return {name: table.get("first_step", name, slug, layer).values[place] for name in ("live", "exact")}


def _number(value: Any) -> float | None:
    return float(value) if value == value else None
