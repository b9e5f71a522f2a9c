"""The first batches: how large updates are while the running means fill up.

A reader learns that the first batch moves every weight that has a gradient by the learning rate itself, that sizes
fall as theory says, and why statistics of the first hundred batches are statistics of the start.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from report.analysis.startup import EXACT
from report.analysis.table import Table
from report.drawing.figures.comparison import key, optimizers, spare, told
from report.drawing.figures.sources import Facts, Labels, Tables, main_place, reach, rows, selection
from report.drawing.figures.style import Ink, heading, label, sheet

TABLES = ("startup",)
WINDOW = "1-100"  # of batches


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
        "window": WINDOW,
        "batches": results["study"]["batches"],
        "seeds": len(results["study"]["runs"][main["slug"]]),
        "expected": bool(main["theory"] and results["theory"][main["slug"]]["startup"]),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
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
        label(panel, batches, found["theory"][-1], labels["chance"], ink, offset=(0, -13), ha="right")
    panel.set_xscale("log")
    panel.set_ylim(0, 1.06 * top)
    heading(panel, labels["size"])
    key(panel, entries, ink)
    panel.set_xlabel(labels["batch"], loc="right")
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xticks([tick for tick in (1, 2, 5, 10, 20, 50, 100) if tick <= batches])
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return how many weights the first batch moves by the learning rate itself, and where sizes begin and end."""
    table, first = rows(tables["startup"], optimizer=facts["main"]), facts["first"].values()
    found = [rows(table, layer=layer)["mean"] for layer in facts["layers"]]
    live, exact = (sum(row[name] or 0 for row in first) for name in ("live", "exact"))
    begin, end = (reach(mean[place] for mean in found) for place in (0, -1))
    return {
        **told(facts),
        "label": facts["label"],
        "has_theory": facts["expected"],
        "exact_share": exact / live if live else None,
        "within": EXACT,
        "begin": begin,
        "end": end,
        "is_falling": bool(begin and end and end["high"] < begin["low"]),
    }


def _first(results: Mapping[str, Any], table: Table, layer: str) -> dict[str, float | None]:
    """Return how many weights of the main recording had a gradient in the first step, and moved by the rate itself."""
    slug, _, place = main_place(results, layer)
    return {name: table.get("first_step", name, slug, layer).values[place] for name in ("live", "exact")}
