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
from report.drawing.figures.sources import Facts, Tables, Words, main_label, main_place, others, rows, selection
from report.drawing.figures.style import Ink, brief, exponent, heading, label, scaled, sheet, unit
from report.wording import SUPERSCRIPTS, digits, percent, plural, series, shape, thousands

TABLES = ("histogram", "thresholds")
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


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
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
    figure, panels = sheet([124 if share else 140] * (len(layers) - 1) + [146], share_x=share)
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
        heading(panel, brief(layer), shape(row["shape"]) + ("" if share or not here else f", in {unit(here)}"))
    panels[-1].set_xlabel(f"change in one batch{f', in {unit(power)}' if share and power else ''}", loc="right")
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    layers = facts["layers"]
    laws = series(
        f"{digits(row['threshold'])} in {layer} ({thousands(row['full_colour'])} of {thousands(row['count'])} updates)"
        for layer, row in layers.items()
    )
    zeros = series(f"{percent(row['zero_share'])} in {layer}" for layer, row in layers.items())
    bins = len(rows(tables["histogram"], layer=next(iter(layers)))["count"])
    return Words(
        title="How often a weight changes by how much",
        caption=(
            f"All recorded updates of each layer in {bins} bins; the count is logarithmic. Dashed: the threshold τ "
            "of the first article, on both sides of the layer's mean. Updates at or beyond it are drawn in full "
            f"colour in the animations: τ is {laws}. Exactly zero are {zeros}. Optimizer: {facts['optimizer']}."
            f"{others(facts)}"
        ),
        alt=(
            f"{plural(len(layers), 'histogram')}, one a layer, of the change of a weight in one batch: a high peak "
            f"around zero and tails that fall over several powers of ten. The threshold is {laws}."
        ),
    )


def _power_of_ten(value: float) -> str:
    """Write 1, 10, 100 as they are and larger powers of ten as 10ⁿ."""
    if value < 1:
        return ""
    return thousands(value) if value < 1000 else f"10{str(round(np.log10(value))).translate(SUPERSCRIPTS)}"
