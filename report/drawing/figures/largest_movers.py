"""The weight of each layer that went furthest.

A reader learns how far single weights travel in the training run, whether in one go or bit by bit, and whether the
layers differ.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.sources import Facts, Labels, Tables, main_label, rows, selection
from report.drawing.figures.style import Ink, batches_below, brief, few_values, heading, sheet
from report.wording import digits

TABLES = ("weight_history",)
MOST = 3  # layers in one picture


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return which weights they are, and where they began and ended."""
    known, history, shown = results["network"]["layers"], results["history"][results["main"]], selection(results)
    sampled = [layer for layer in shown["layers"] if known[layer]["kept"] == "sample"]
    layers = {layer: {**row, **history[layer]["largest_mover"]} for layer, row in shown["layers"].items()}
    return {
        "layers": layers,
        "span": max(row["maximum"] - row["minimum"] for row in layers.values()) or 1.0,
        "left_out": shown["left_out"],
        "sampled": sampled,
        "sample": max((known[layer]["count"] for layer in sampled), default=0),
        "optimizer": main_label(results),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw one panel a layer, all of the same height in weight units, so that distances compare."""
    layers = facts["layers"]
    figure, panels = sheet([134] * (len(layers) - 1) + [158])
    span = facts["span"]
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        weight = rows(tables["weight_history"], layer=layer, which="largest_mover")
        panel.axhline(row["start"], color=ink.muted, linewidth=0.8, linestyle=(0, (4, 3)))
        panel.plot(weight["batch"], weight["weight"], color=ink.layer(row["place"]), linewidth=2)
        middle = (row["minimum"] + row["maximum"]) / 2
        panel.set_ylim(middle - 0.62 * span, middle + 0.62 * span)
        name = f"[{row['index'][0]}, {row['index'][1]}]"
        heading(panel, brief(layer) + name, f"{digits(row['start'], 2)} → {digits(row['end'], 2)}")
        few_values(panel, 3)
    batches_below(panels[-1], labels["batch"])
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return where each weight begins and ends, and which of them goes furthest."""
    every = [{"layer": layer, "start": row["start"], "end": row["end"]} for layer, row in facts["layers"].items()]
    return {
        **{name: facts[name] for name in ("optimizer", "left_out", "sampled", "sample")},
        "is_sampled": bool(facts["sampled"]),
        "batches": int(tables["weight_history"]["batch"].max()),
        "layers": every,
        "furthest": max(every, key=lambda row: abs(row["end"] - row["start"])),
    }
