"""How large a layer's updates are, batch by batch.

A reader learns that the first batches move the weights most, that sizes settle within a few dozen batches, and how
far the layers differ: before any statistic is taken over "the first 100 batches", this is what is in them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from report.analysis import cuts
from report.analysis.table import Table
from report.analysis.update_size import LOWER, UPPER
from report.drawing.figures.sources import Facts, Labels, Tables, main_label, main_place, reach, rows, selection
from report.drawing.figures.style import Ink, brief, heading, label, sheet
from report.wording import SUPERSCRIPTS, shape, thousands

TABLES = ("update_size",)
MOST = 3  # layers in one picture
START, LATE = "1-100", "101-1000"  # windows that the words compare
POINTS = 260  # drawn batches: as many as the eye can part on a logarithmic axis
DECADES = 3  # that the y axis shows at most, below the largest value


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the layers, the learning rate, and the sizes that the caption states."""
    shown = selection(results)
    size = {layer: cuts.sizes(table, *main_place(results, layer)) for layer in shown["layers"]}
    return {
        "layers": {
            layer: {**row, "mean": {window: found["mean_absolute_update"] for window, found in size[layer].items()}}
            for layer, row in shown["layers"].items()
        },
        "left_out": shown["left_out"],
        "learning_rate": results["study"]["optimizers"][0]["learning_rate"],
        "optimizer": main_label(results),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw one panel a layer: the mean, and the band of the middle four fifths."""
    layers = facts["layers"]
    table = tables["update_size"]
    figure, panels = sheet([140] * (len(layers) - 1) + [164])
    top = 1.6 * max(float(table["upper"].max()), 1e-12)
    floor = top / 10**DECADES
    rate = facts["learning_rate"] if floor < (facts["learning_rate"] or 0) < top else None
    curves = {layer: rows(table, layer=layer) for layer in layers}
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        panel.set_xscale("log")
        panel.set_yscale("log")
        curve = curves[layer]
        shown = spread(len(curve["batch"]))
        batch, colour = curve["batch"][shown], ink.layer(row["place"])
        lower, upper = (above(curve[name][shown], floor) for name in ("lower", "upper"))
        panel.fill_between(batch, lower, upper, color=colour, alpha=0.25, linewidth=0)
        panel.plot(batch, above(curve["mean_absolute"][shown], floor), color=colour, linewidth=1.8)
        if rate:
            panel.axhline(rate, color=ink.muted, linewidth=0.9, linestyle=(0, (4, 3)))
        panel.set_ylim(floor, top)
        panel.yaxis.set_major_locator(LogLocator(numticks=5))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _power_of_ten(value)))
        panel.yaxis.set_minor_locator(NullLocator())
        heading(panel, brief(layer), shape(row["shape"]))
    if rate:
        label(panels[0], batch[-1], rate, labels["learning_rate"], ink, offset=(0, 8), ha="right")
    panels[-1].set_xlabel(labels["batch"], loc="right")
    panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: thousands(value)))
    panels[-1].xaxis.set_minor_locator(NullLocator())
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the mean sizes of the first hundred batches and of those after them, and whether they fall everywhere."""
    means = [row["mean"] for row in facts["layers"].values()]
    both = [mean for mean in means if START in mean and LATE in mean]
    return {
        **{name: facts[name] for name in ("optimizer", "left_out", "learning_rate")},
        "batches": int(tables["update_size"]["batch"].max()),
        "count": len(means),
        "band": UPPER - LOWER,
        "has_learning_rate": bool(facts["learning_rate"]),
        "start": reach(mean.get(START) for mean in means),
        "late": reach(mean.get(LATE) for mean in means),
        "is_falling": bool(both) and all(mean[START] > mean[LATE] for mean in both),
        "has_late": bool(both),
    }


def spread(batches: int) -> NDArray[np.int64]:
    """Return the rows of up to `POINTS` batches, evenly spaced on a logarithmic axis."""
    chosen = np.unique(np.rint(np.geomspace(1, batches, POINTS)).astype(np.int64))
    return chosen - 1


def above(values: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """Return values with those below the axis, zeros too, put at its lower edge."""
    return np.maximum(values, floor)


def _power_of_ten(value: float) -> str:
    """Write 0.1 and 0.01 as they are and smaller powers of ten as 10ⁿ."""
    places = round(np.log10(value))
    return f"{value:g}" if -2 <= places <= 3 else f"10{str(places).translate(SUPERSCRIPTS)}"
