"""How often a direction is kept for how many batches, with momentum and without.

A reader learns that the mean hides a long tail, and that the tail is what momentum adds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from report.analysis.table import Table
from report.drawing.figures.comparison import heights, key, optimizers, room_beside, scope, told
from report.drawing.figures.marks import dots
from report.drawing.figures.sources import Facts, Labels, Tables, reach, rows, selection
from report.drawing.figures.style import Ink, brief, heading, sheet
from report.wording import shape

TABLES = ("run_lengths",)
MOST = 3  # layers in one picture
LONG = 10  # batches: the words count the runs that last longer
SHOWN = 40  # batches: longest length on the axis
RAREST = 1e-4  # share at the lower edge


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the main optimizer and the one to compare: with the least momentum, of its own kind if there is one."""
    every = optimizers(results)
    main = every[0]
    less = [each for each in every[1:] if each["momentum"] < main["momentum"]]
    less.sort(key=lambda each: (each["name"] != main["name"], each["momentum"]))
    if not less:
        return None
    chosen, shown = [main, less[0]], selection(results)
    return {
        "optimizers": chosen,
        **shown,
        **scope(results, chosen),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw one panel a layer: dots for what was measured, lines for theory, logarithmic shares."""
    layers = facts["layers"]
    table = rows(tables["run_lengths"], window=facts["window"])
    entries = [(each["label"], ink.optimizer(each)) for each in facts["optimizers"]]
    figure, panels = sheet(heights(148, 126, 152, layers, entries))
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        for each in facts["optimizers"]:
            found = rows(table, optimizer=each["slug"], layer=layer)
            shown = found["length"] <= SHOWN
            colour = ink.optimizer(each)
            if each["theory"]:
                panel.plot(found["length"][shown], found["theory"][shown], color=colour, linewidth=1.2, alpha=0.75)
            seen = shown & (np.nan_to_num(found["mean"]) > 0)
            dots(panel, found["length"][seen], found["mean"][seen], colour)
        panel.set_yscale("log")
        panel.set_ylim(RAREST, 1.3)
        panel.yaxis.set_major_locator(LogLocator(numticks=5))
        panel.yaxis.set_minor_locator(NullLocator())
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _share(value)))
        panel.set_xticks([1, 5, 10, 15, 20, 25, 30, 35, 40])
        panel.set_xlim(0.4, SHOWN + 0.6)
        heading(panel, brief(layer), shape(row["shape"]))
    key(panels[0], entries, ink, room_beside(layers))
    panels[-1].set_xlabel(labels["length"], loc="right")
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return what share of runs lasts a single batch, and what share longer than `LONG`, over the drawn layers."""
    table = rows(tables["run_lengths"], window=facts["window"])
    drawn = [layer for layer, row in facts["layers"].items() if row["drawn"]] or list(facts["layers"])
    every = []
    for each in facts["optimizers"]:
        found = [rows(table, optimizer=each["slug"], layer=layer) for layer in drawn]
        shares = [np.nan_to_num(row["mean"]) for row in found]
        short = [row["length"] <= LONG for row in found]
        every.append(
            {
                "label": each["label"],
                "single": reach(share[row["length"] == 1].sum() for share, row in zip(shares, found, strict=True)),
                "long": reach(max(0.0, 1 - share[few].sum()) for share, few in zip(shares, short, strict=True)),
            }
        )
    main, other = every
    return {
        **told(facts),
        "long": LONG,
        "longest": SHOWN,
        "main": main,
        "other": other,
        "has_theory": any(each["theory"] for each in facts["optimizers"]),
        "is_longer": main["long"]["low"] > other["long"]["high"],
    }


def _share(value: float) -> str:
    """Write a power of ten as a percentage."""
    return f"{100 * value:g}%"
