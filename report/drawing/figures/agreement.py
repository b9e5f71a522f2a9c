"""Whether an update goes the way that its own batch's gradient asks for.

A reader learns the price of momentum: how many updates go against today's gradient, under more or less of it, and
whether that share is what chance alone predicts.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.comparison import by_chance, few, heights, key, room_beside, scope, seeds, short, when
from report.drawing.figures.sources import Facts, Tables, Words, others, rows, selection
from report.drawing.figures.style import Ink, batches_below, brief, heading, sheet
from report.wording import percent, series, shape

TABLES = ("agreement_batches", "agreement")


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


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw one panel a layer: a line an optimizer, its prediction dashed."""
    layers = facts["layers"]
    table = tables["agreement_batches"]
    entries = [(short(each["label"]), ink.optimizer(each["place"])) for each in facts["optimizers"]]
    figure, panels = sheet(heights(152, 128, 154, layers, entries))
    lowest = min(0.5, float(np.nanmin(table["mean"], initial=1)))
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        panel.axhline(50, color=ink.muted, linewidth=0.7)
        for each in facts["optimizers"]:
            found = rows(table, optimizer=each["slug"], layer=layer)
            colour = ink.optimizer(each["place"])
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
    batches_below(panels[-1])
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    period = when(facts["window"], facts["batches"])
    shares = "; ".join(
        f"{each['label']}: "
        + series(f"{percent(facts['share'][each['slug']][layer], 0)} in {layer}" for layer in facts["layers"])
        + _predicted(facts, each["slug"])
        for each in facts["optimizers"]
    )
    band = " The band is the interval of the main optimizer." if facts["seeds"] > 1 else ""
    known = any(value is not None for value in facts["predicted"].values())
    dashed = " Dashed: what chance alone predicts." if known else ""
    return Words(
        title="Updates against today's gradient",
        caption=(
            f"Share of the updates that go down the gradient of their own batch, of those where neither is zero, in "
            f"steps of ten batches; {seeds(facts['seeds'])}.{dashed}{band} Over {period}, "
            f"it is: {shares}.{others(facts)}"
        ),
        alt=f"Line charts, one a layer, of the share of updates that agree with their batch's gradient. {shares}.",
    )


def _predicted(facts: Facts, slug: str) -> str:
    predicted = facts["predicted"][slug]
    return "" if predicted is None else f", predicted {percent(predicted, 0)}"
