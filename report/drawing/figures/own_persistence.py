"""How long weights of each tensor keep their direction, against the tensor's own chance.

A dot for what was recorded; the mark of the sign toss, which knows the tensor's own gradients; and the formula of its
momentum. A dot far from its mark is a direction that the gradients keep, or take back. A streak longer than the steps
was not seen: it is drawn as long as they are.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from report.analysis.table import Table
from report.drawing.figures.comparison import bars, key, lines_key, raised
from report.drawing.figures.marks import dots
from report.drawing.figures.own_axis import high, rows_of
from report.drawing.figures.sources import Facts, Labels, Tables, reach, rows
from report.drawing.figures.style import Ink, briefs

TABLES = ("own_tensors",)
ABOVE, BELOW = 30, 44  # CSS pixels around the rows
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
LABELS = 3  # side by side
SPREAD = 0.5  # of a row, over which labels lie
BESIDE = 0  # CSS pixels of room for their key beside what the lines mean: it goes above that


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return tensors and labels; None where no tensor ever had a gradient."""
    del table
    labels = [each["label"] for each in results["study"]["optimizers"]]
    names = results["tensors"]
    return {"names": names, "labels": labels[:LABELS], "left_out": max(len(labels) - LABELS, 0)} if names else None


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw a row a tensor: dots, their intervals, the marks of tosses and formula."""
    names, shown = facts["names"], facts["labels"]
    inside = high(len(names), 17 if len(shown) == 1 else 24)
    colours = {label: ink.layer(place) for place, label in enumerate(shown)}
    entries = list(zip(briefs(shown), colours.values(), strict=True)) if len(shown) > 1 else []
    above = ABOVE + (raised(entries, BESIDE) if entries else 0)
    figure, panel = rows_of(names, inside, above, BELOW, ink)
    panel.set_xscale("log")
    row_high = inside / len(names)
    size = min(max(row_high * 0.5, 2.2), 5.5)
    largest = 2.0
    for place, label in enumerate(shown):
        found = _seen(rows(tables["own_tensors"], label=label))
        y = np.array([names.index(each) for each in found["tensor"]], float)
        y += SPREAD * ((place + 0.5) / len(shown) - 0.5)
        for column, colour, width, order in (("formula_run", ink.muted, 0.9, 2.0), ("toss", ink.ink, 1.8, 4.0)):
            half = 0.45 if column == "formula_run" else 0.45 / len(shown)
            across = np.repeat(found[column], 3)
            up = np.stack([y - half, y + half, np.full(len(y), np.nan)], axis=1).reshape(-1)
            panel.plot(across, up, color=colour, linewidth=width, solid_capstyle="butt", zorder=order)
        bars(panel, y, found["mean_run_low"], found["mean_run_high"], colours[label], upright=False)
        dots(panel, found["mean_run"], y, colours[label], size, zorder=5)
        known = np.concatenate([found[each] for each in ("formula_run", "toss", "mean_run")])
        largest = max(largest, float(np.nanmax(known, initial=2.0)))
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.set_xlim(1, 1.25 * largest)
    panel.grid(visible=True, axis="x")
    panel.set_xticks([tick for tick in TICKS if tick <= 1.25 * largest])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.set_xlabel(labels["run"], loc="right")
    every = tables["own_tensors"]
    marks = [(labels["sign_toss"], ink.ink, 1.8)] if np.isfinite(every["toss"]).any() else []
    if np.isfinite(every["formula_run"]).any():
        marks.append((labels["formula"], ink.muted, 0.9))
    lines_key(panel, marks, inside, ink)
    if entries:
        key(panel, entries, ink, BESIDE)
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the runs of the first label, their tosses and formula, and how many are longer or shorter than tossed."""
    table = _seen(rows(tables["own_tensors"], label=facts["labels"][0]))
    known = np.isfinite(table["over"])
    return {
        **{"tensors": len(facts["names"]), "labels": len(facts["labels"]), "left_out": facts["left_out"]},
        "label": facts["labels"][0] if len(facts["labels"]) > 1 else None,
        "has_intervals": bool(np.isfinite(tables["own_tensors"]["mean_run_low"]).any()),
        "run": reach(table["mean_run"]),
        "is_cut": bool((table["mean_run"] >= table["steps"]).any()),
        "toss": reach(table["toss"]),
        "formula": reach(table["formula_run"]),
        "over": reach(table["over"]),
        "compared": int(known.sum()),
        "longer": int((table["over"][known] > 1).sum()),
    }


def _seen(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns with no streak longer than the steps in which it was looked for."""
    lengths = ("mean_run", "mean_run_low", "mean_run_high", "toss")
    return {**table, **{name: np.minimum(table[name], table["steps"]) for name in lengths}}
