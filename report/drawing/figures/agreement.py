"""Whether an update goes the way that its own batch's gradient asks for.

A reader learns the price of momentum: how many updates go against today's gradient, under more or less of it, and
whether that share is what chance alone predicts.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.comparison import by_chance, few, heights, is_rising, key, room_beside, scope, short, told
from report.drawing.figures.sources import Facts, Labels, Tables, reach, rows, selection
from report.drawing.figures.style import Ink, batches_below, brief, heading, sheet
from report.wording import shape

TABLES = ("agreement_batches", "agreement")
MOST = 3  # layers in one picture


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the family of the main optimizer, and the shares that the caption states."""
    study = results["study"]
    found, shown = few(results), selection(results)
    return {
        "optimizers": found,
        **shown,
        **scope(results, found),
        "share": {
            each["slug"]: {
                layer: table.get("agreement", "share", each["slug"], layer, study["late"]).mean
                for layer in shown["layers"]
            }
            for each in found
        },
        "predicted": by_chance(results, found, "agreement"),
        "main": study["main"],
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw one panel a layer: a line an optimizer, its prediction dashed."""
    layers = facts["layers"]
    table = tables["agreement_batches"]
    entries = [(short(each["label"]), ink.optimizer(each)) for each in facts["optimizers"]]
    figure, panels = sheet(heights(152, 128, 154, layers, entries))
    lowest = min(0.5, float(np.nanmin(table["mean"], initial=1)))
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        panel.axhline(50, color=ink.muted, linewidth=0.7)
        for each in facts["optimizers"]:
            found = rows(table, optimizer=each["slug"], layer=layer)
            colour = ink.optimizer(each)
            predicted = facts["predicted"][each["slug"]]
            if predicted is not None:
                panel.axhline(100 * predicted, color=colour, linewidth=1.1, linestyle=(0, (4, 3)))
            if each["slug"] == facts["main"]:
                panel.fill_between(
                    found["batch"], 100 * found["low"], 100 * found["high"], color=colour, alpha=0.22, linewidth=0
                )
            panel.plot(found["batch"], 100 * found["mean"], color=colour, linewidth=1.5)
        panel.set_ylim(100 * max(0, lowest - 0.04), 103)
        panel.set_yticks([50, 75, 100])
        panel.yaxis.set_major_formatter("{x:.0f}%")
        heading(panel, brief(layer), shape(row["shape"]))
    key(panels[0], entries, ink, room_beside(layers))
    batches_below(panels[-1], labels["batch"])
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the shares by optimizer and what chance predicts, and whether they fall as momentum rises."""
    predicted, share = facts["predicted"], facts["share"]
    every = [
        {
            "label": each["label"],
            "share": reach(share[each["slug"]].values()),
            "predicted": predicted[each["slug"]],
        }
        for each in facts["optimizers"]
    ]
    down = [[share[each["slug"]][layer] for each in reversed(facts["optimizers"])] for layer in facts["layers"]]
    return {
        **told(facts),
        "optimizers": every,
        "main": next(
            row for row, each in zip(every, facts["optimizers"], strict=True) if each["slug"] == facts["main"]
        ),
        "has_theory": any(value is not None for value in predicted.values()),
        "is_falling": is_rising(down),
    }
