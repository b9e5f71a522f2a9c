"""The weight of each layer that went furthest.

A reader learns how far single weights travel in the training run, whether in one go or bit by bit, and whether the
layers differ.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from report.config import Experiment
from report.drawing.figures.sources import Facts, Tables, Words, rows
from report.drawing.figures.style import Ink, batches_below, few_values, heading, sheet
from report.wording import digits, plural, series, thousands

TABLES = ("weight_history",)


def facts(results: Mapping[str, Any], experiment: Experiment) -> Facts | None:
    """Return which weights they are, and where they began and ended."""
    movers = {layer: row["largest_mover"] for layer, row in results["history"][results["main"]].items()}
    return {
        "layers": {layer: movers[layer] for layer in experiment.layers},
        "sampled": [layer for layer in experiment.layers if layer not in experiment.recording.whole],
        "sample": experiment.recording.sample,
        "optimizer": experiment.optimizer.label,
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw one panel a layer, all of the same height in weight units, so that distances compare."""
    layers = facts["layers"]
    figure, panels = sheet([118] * (len(layers) - 1) + [142])
    span = max(row["maximum"] - row["minimum"] for row in layers.values()) or 1.0
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        weight = rows(tables["weight_history"], layer=layer, which="largest_mover")
        panel.axhline(row["start"], color=ink.muted, linewidth=0.8, linestyle=(0, (4, 3)))
        panel.plot(weight["batch"], weight["weight"], color=ink.layer(layer), linewidth=2)
        middle = (row["minimum"] + row["maximum"]) / 2
        panel.set_ylim(middle - 0.62 * span, middle + 0.62 * span)
        name = f"{layer}[{row['index'][0]}, {row['index'][1]}]"
        heading(panel, name, f"from {digits(row['start'], 2)} to {digits(row['end'], 2)}")
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
            f"be compared.{sampled} Optimizer: {facts['optimizer']}."
        ),
        alt=f"{plural(len(layers), 'line chart')}, one a layer, over {thousands(count)} batches: {ways}.",
    )
