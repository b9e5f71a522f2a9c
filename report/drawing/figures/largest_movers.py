"""The weight of each layer that went furthest.

A reader learns how far single weights travel in the training run, whether in one go or bit by bit, and whether the
layers differ.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.sources import Facts, Tables, Words, main_label, others, rows, selection
from report.drawing.figures.style import Ink, batches_below, brief, few_values, heading, sheet
from report.wording import digits, plural, series, thousands

TABLES = ("weight_history",)


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return which weights they are, and where they began and ended."""
    known, history, shown = results["network"]["layers"], results["history"][results["main"]], selection(results)
    sampled = [layer for layer in shown["layers"] if known[layer]["kept"] == "sample"]
    return {
        "layers": {layer: {**row, **history[layer]["largest_mover"]} for layer, row in shown["layers"].items()},
        "left_out": shown["left_out"],
        "sampled": sampled,
        "sample": max((known[layer]["count"] for layer in sampled), default=0),
        "optimizer": main_label(results),
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw one panel a layer, all of the same height in weight units, so that distances compare."""
    layers = facts["layers"]
    figure, panels = sheet([118] * (len(layers) - 1) + [142])
    span = max(row["maximum"] - row["minimum"] for row in layers.values()) or 1.0
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        weight = rows(tables["weight_history"], layer=layer, which="largest_mover")
        panel.axhline(row["start"], color=ink.muted, linewidth=0.8, linestyle=(0, (4, 3)))
        panel.plot(weight["batch"], weight["weight"], color=ink.layer(row["place"]), linewidth=2)
        middle = (row["minimum"] + row["maximum"]) / 2
        panel.set_ylim(middle - 0.62 * span, middle + 0.62 * span)
        name = f"[{row['index'][0]}, {row['index'][1]}]"
        heading(panel, brief(layer) + name, f"from {digits(row['start'], 2)} to {digits(row['end'], 2)}")
        few_values(panel, 3)
    batches_below(panels[-1])
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    layers = facts["layers"]
    count = int(tables["weight_history"]["batch"].max())
    ways = series(f"{digits(row['start'], 2)} to {digits(row['end'], 2)} in {layer}" for layer, row in layers.items())
    sampled = (
        f" In {series(facts['sampled'])} it is the furthest of the {thousands(facts['sample'])} weights that are kept "
        "of each batch."
        if facts["sampled"]
        else ""
    )
    return Words(
        title="The weight of each layer that went furthest",
        caption=(
            "Of each layer the weight that ends furthest from its start (dashed), over "
            f"{plural(count, 'batch', 'batches')}. All panels span the same range of weights, so that distances can "
            f"be compared.{sampled} Optimizer: {facts['optimizer']}.{others(facts)}"
        ),
        alt=f"{plural(len(layers), 'line chart')}, one a layer, over {thousands(count)} batches: {ways}.",
    )
