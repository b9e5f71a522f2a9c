"""How alike updates are that lie some batches apart, measured and as momentum alone would have it.

A reader learns that the correlation dies away as β^lag says where gradients are noise, and sees where it does not:
what lies above a curve is not momentum's doing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.comparison import bars, few, heights, key, names, room_beside, scope, seeds, short
from report.drawing.figures.sources import Facts, Tables, Words, others, rows, selection
from report.drawing.figures.style import Ink, brief, dots, heading, sheet
from report.wording import fixed, series, shape, window

TABLES = ("autocorrelation",)


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the family of the main optimizer, and the correlations one batch apart that the caption states."""
    study = results["study"]
    found, shown = few(results), selection(results)
    return {
        "optimizers": found,
        **shown,
        **scope(results, found),
        "first_lag": {
            each["slug"]: {
                layer: table.get("autocorrelation", "updates", each["slug"], layer, study["late"], 1).mean
                for layer in shown["layers"]
            }
            for each in found
        },
        "main": study["main"],
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw one panel a layer: measured points with intervals over theory's curves, a colour an optimizer."""
    layers = facts["layers"]
    table = rows(tables["autocorrelation"], series="updates", window=facts["window"])
    entries = [(short(each["label"]), ink.optimizer(each["place"])) for each in facts["optimizers"]]
    figure, panels = sheet(heights(166, 144, 170, layers, entries))
    shown = np.isin(table["optimizer"], [each["slug"] for each in facts["optimizers"]])
    lowest = float(np.nanmin(np.append(table["low"][shown], table["mean"][shown]), initial=0))
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        panel.axhline(0, color=ink.muted, linewidth=0.7)
        for each in facts["optimizers"]:
            found = rows(table, optimizer=each["slug"], layer=layer)
            colour = ink.optimizer(each["place"])
            if each["theory"]:
                panel.plot(found["lag"], found["theory"], color=colour, linewidth=1.2, alpha=0.75)
            bars(panel, found["lag"], found["low"], found["high"], colour)
            dots(panel, found["lag"], found["mean"], colour, 3.8)
        heading(panel, brief(layer), shape(row["shape"]))
        panel.set_ylim(max(lowest, -1) - 0.06, 1.05)
        panel.set_yticks([0, 0.5, 1])
        panel.set_xticks([1, 5, 10, 15, 20, 25, 30])
    key(panels[0], entries, ink, room_beside(layers))
    panels[-1].set_xlabel("lag, batches", loc="right")
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    near = "; ".join(
        f"{each['label']}: "
        + series(f"{_number(facts['first_lag'][each['slug']][layer])} in {layer}" for layer in facts["layers"])
        for each in facts["optimizers"]
    )
    period = window(facts["window"], facts["batches"])
    curves = [each for each in facts["optimizers"] if each["theory"]]
    theory = (
        " Lines: what noise would give, momentum to the power of the lag. A point above its line needs another "
        "cause than momentum."
        if curves
        else ""
    )
    return Words(
        title="Correlation of updates, against the batches between them",
        caption=(
            f"Points: the correlation of a weight's updates so many batches apart, over all kept weights of a layer, "
            f"in {period}; {seeds(facts['seeds'])}.{theory}{others(facts)}"
        ),
        alt=(
            f"Charts, one a layer, of the correlation of updates against the lag, in {period}, for "
            f"{names(facts['optimizers'])}. One batch apart it is, {near}."
        ),
    )


def _number(value: float | None) -> str:
    return fixed(value, 2)
