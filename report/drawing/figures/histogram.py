"""How large the changes are, and how seldom the large ones.

A reader learns that most updates are tiny, what the threshold τ of the first article picks out, and that the axis of
counts must be logarithmic to show it at all.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from report.analysis import cuts
from report.analysis.table import Table
from report.drawing.figures.sources import Facts, Labels, Tables, main_label, main_place, reach, rows, selection
from report.drawing.figures.style import Ink, brief, exponent, heading, label, scaled, sheet, unit
from report.wording import SUPERSCRIPTS, digits, shape, thousands

TABLES = ("histogram", "thresholds")
MOST = 3  # layers in one picture
ALIKE = 8  # layers whose widest and narrowest range differ by less share one x axis


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the law of each layer, and how many updates were counted."""
    shown, counted = selection(results), results["histogram"][results["main"]]
    layers = {}
    for layer, row in shown["layers"].items():
        law = cuts.law(table, *main_place(results, layer))
        assert law is not None  # the layers that are shown are those that moved
        known = {name: law[name] for name in ("mean", "threshold", "full_colour")}
        layers[layer] = {**row, **known, **{name: counted[layer][name] for name in ("count", "zero_share")}}
    return {
        "layers": layers,
        "left_out": shown["left_out"],
        "optimizer": main_label(results),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw one panel a layer: counts as filled steps, τ on either side of the mean."""
    layers = facts["layers"]
    table = tables["histogram"]
    reach = {
        layer: max(float(np.abs([bins["left"].min(), bins["right"].max()]).max()), 1e-12)
        for layer in layers
        if (bins := rows(table, layer=layer))
    }
    share = max(reach.values()) < ALIKE * min(reach.values())
    power = exponent(max(reach.values()))
    figure, panels = sheet([134 if share else 144] * (len(layers) - 1) + [158], share_x=share)
    top = 6.0 * max(1, int(table["count"].max()))
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        bins = rows(table, layer=layer)
        here = power if share else exponent(reach[layer])
        edges = np.append(bins["left"], bins["right"][-1:]) / 10.0**here
        colour = ink.layer(row["place"])
        panel.stairs(np.maximum(bins["count"], 0.5), edges, baseline=0.5, fill=True, color=colour, alpha=0.85)
        panel.set_yscale("log")
        panel.set_ylim(0.5, top)
        panel.yaxis.set_major_locator(LogLocator(numticks=4))
        panel.yaxis.set_minor_locator(NullLocator())
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _power_of_ten(value)))
        for side in (-1, 1):
            x = (row["mean"] + side * row["threshold"]) / 10.0**here
            panel.axvline(x, color=ink.ink, linewidth=1, linestyle=(0, (4, 3)))
        label(panel, x, top / 4, f"τ = {digits(row['threshold'])}", ink, offset=(-5, 0), ha="right")
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: scaled(round(value, 6))))
        heading(panel, brief(layer), shape(row["shape"]) + ("" if share or not here else f", {unit(here)}"))
    panels[-1].set_xlabel(labels["change"] + (f", {unit(power)}" if share and power else ""), loc="right")
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the thresholds by layer, and what share of updates reach them or are exactly zero."""
    layers = facts["layers"]
    return {
        "optimizer": facts["optimizer"],
        "left_out": facts["left_out"],
        "bins": len(rows(tables["histogram"], layer=next(iter(layers)))["count"]),
        "layers": [
            {"layer": layer, **{name: row[name] for name in ("threshold", "full_colour", "count", "zero_share")}}
            for layer, row in layers.items()
        ],
        "is_reached": any(row["full_colour"] for row in layers.values()),
        "one_in": reach(row["count"] / row["full_colour"] for row in layers.values() if row["full_colour"]),
        "zero": reach(row["zero_share"] for row in layers.values()),
    }


def _power_of_ten(value: float) -> str:
    """Write 1, 10, 100 as they are and larger powers of ten as 10ⁿ."""
    if value < 1:
        return ""
    return thousands(value) if value < 1000 else f"10{str(round(np.log10(value))).translate(SUPERSCRIPTS)}"
