"""How alike updates are that lie some batches apart, measured and as momentum alone would have it.

A reader learns that the correlation dies away as β^lag says where gradients are noise, and sees where it does not:
what lies above a curve is not momentum's doing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.comparison import bars, few, heights, is_rising, key, room_beside, scope, short, told
from report.drawing.figures.marks import dots
from report.drawing.figures.sources import Facts, Labels, Tables, reach, rows, selection
from report.drawing.figures.style import Ink, brief, heading, sheet
from report.wording import shape

TABLES = ("autocorrelation",)
MOST = 3  # layers in one picture
FAR = 10  # batches apart at which the words compare with theory


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


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw one panel a layer: measured points with intervals over theory's curves, a colour an optimizer."""
    layers = facts["layers"]
    table = rows(tables["autocorrelation"], series="updates", window=facts["window"])
    entries = [(short(each["label"]), ink.optimizer(each)) for each in facts["optimizers"]]
    figure, panels = sheet(heights(160, 138, 164, layers, entries))
    shown = np.isin(table["optimizer"], [each["slug"] for each in facts["optimizers"]])
    lowest = float(np.nanmin(np.append(table["low"][shown], table["mean"][shown]), initial=0))
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        panel.axhline(0, color=ink.muted, linewidth=0.7)
        for each in facts["optimizers"]:
            found = rows(table, optimizer=each["slug"], layer=layer)
            colour = ink.optimizer(each)
            if each["theory"]:
                panel.plot(found["lag"], found["theory"], color=colour, linewidth=1.2, alpha=0.75)
            bars(panel, found["lag"], found["low"], found["high"], colour)
            dots(panel, found["lag"], found["mean"], colour, 3.8)
        heading(panel, brief(layer), shape(row["shape"]))
        panel.set_ylim(max(lowest, -1) - 0.06, 1.05)
        panel.set_yticks([0, 0.5, 1])
        panel.set_xticks([1, 5, 10, 15, 20, 25, 30])
    key(panels[0], entries, ink, room_beside(layers))
    panels[-1].set_xlabel(labels["lag"], loc="right")
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the correlations one batch apart, and the main optimizer's further apart beside what theory gives there.

    `is_rising`: in every layer with momentum; `is_below`: the whole intervals of most drawn layers lie below theory.
    """
    near = facts["first_lag"]
    every = [{"label": each["label"], "near": reach(near[each["slug"]].values())} for each in facts["optimizers"]]
    table = rows(tables["autocorrelation"], series="updates", window=facts["window"], optimizer=facts["main"], lag=FAR)
    shown = np.isin(table["layer"], [layer for layer, row in facts["layers"].items() if row["drawn"]])
    far, high, theory = (table[name][shown] for name in ("mean", "high", "theory"))
    is_known = bool(len(far)) and bool(np.isfinite(theory).all())
    return {
        **told(facts),
        "optimizers": every,
        "has_theory": any(each["theory"] for each in facts["optimizers"]),
        "is_rising": is_rising(
            [near[each["slug"]][layer] for each in facts["optimizers"]] for layer in facts["layers"]
        ),
        "is_below": is_known and 2 * int((high < theory).sum()) > len(theory),
        "lag": FAR,
        "far": reach(far),
        "far_theory": float(theory[0]) if is_known else None,
    }
