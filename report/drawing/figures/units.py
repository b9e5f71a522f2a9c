"""How much each drawn layer is updated, in three units, for every seed.

A reader learns whether one layer is quiet, whether that depends on the unit, and what a single seed, as in the first
article, would have told.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from report.analysis.table import Table
from report.drawing.figures.comparison import LETTER, when
from report.drawing.figures.sources import Facts, Tables, Words, main_label, others, rows, selection
from report.drawing.figures.style import WIDTH, Ink, brief, dots, heading, sheet
from report.wording import SUPERSCRIPTS, digits, plural, series, shape

TABLES = ("units_runs", "units")
UNITS: Final = {
    "opacity": "opacity, as in the first article",
    "absolute": "mean absolute update",
    "relative": "update relative to the weights' norm",
}


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the layers that are drawn, and the means that the caption states; None where there is one layer."""
    layers = {name: row for name, row in selection(results)["layers"].items() if name in results["drawn"]}
    if len(layers) < 2:
        return None
    study = results["study"]

    def of(name: str, layer: str, window: str) -> float | None:
        return table.get("windows" if name == "steps" else "units", name, study["main"], layer, window).mean

    first, late = "1-100", study["late"]
    windows = [each for each in dict.fromkeys((first, late)) if any(of("steps", layer, each) for layer in layers)]
    if late == "all" and first in windows:
        windows = [first]  # a study that short has nothing after its start
    if not windows:
        return None
    return {
        "layers": layers,
        "left_out": len(results["drawn"]) - len(layers),
        "windows": windows,
        "main": study["main"],
        "label": main_label(results),
        "batches": study["batches"],
        "seeds": len(study["runs"][study["main"]]),
        "mean": {
            unit: {window: {layer: of(unit, layer, window) for layer in layers} for window in windows} for unit in UNITS
        },
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw one row a unit, one column a window: each seed a line from layer to layer, the mean a bar."""
    layers, windows = facts["layers"], facts["windows"]
    names = [brief(layer) for layer in layers]
    # Names that would run into each other stand upright.
    upright = LETTER * len("".join(names)) > WIDTH / len(windows) - 60
    below = LETTER * max(map(len, names)) if upright else 0
    figure, panels = sheet([196, 180, 200 + below], share_x=True, columns=len(windows))
    table = rows(tables["units_runs"], optimizer=facts["main"])
    places, runs = np.arange(len(layers)), dict.fromkeys(table["run"])
    for row, (unit, name) in enumerate(UNITS.items()):
        line = panels[row * len(windows) : (row + 1) * len(windows)]
        cells = dict(zip(zip(table["window"], table["layer"], table["run"], strict=True), table[unit], strict=True))
        values = np.array(
            [[[cells.get((window, layer, run), np.nan) for run in runs] for layer in layers] for window in windows]
        )  # (windows, layers, seeds)
        positive = values[np.isfinite(values) & (values > 0)]
        for panel, window, found in zip(line, windows, values, strict=True):
            panel.plot(places, found, color=ink.muted, linewidth=0.9, alpha=0.6, zorder=1)
            for place, (layer, shown), seed_values in zip(places, layers.items(), found, strict=True):
                colour = ink.layer(shown["place"])
                dots(panel, np.full(len(seed_values), place), seed_values, colour, 6.5, zorder=2)
                mean = facts["mean"][unit][window][layer]
                if mean is not None:
                    panel.plot([place - 0.22, place + 0.22], [mean] * 2, color=ink.ink, linewidth=2.2, zorder=3)
            if positive.size:
                panel.set_yscale("log")
                panel.set_ylim(positive.min() / 1.5, positive.max() * 1.5)
                panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
                panel.yaxis.set_minor_locator(NullLocator())
                panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
            panel.set_xlim(-0.5, len(layers) - 0.5)
            panel.set_xticks(places, names, rotation="vertical" if upright else None)
            panel.grid(visible=False, axis="x")
        for panel in line[1:]:
            panel.yaxis.set_major_formatter(NullFormatter())
        heading(line[0], f"{name[0].upper()}{name[1:]}")
    for panel, window in zip(panels[-len(windows) :], windows, strict=True):
        panel.set_xlabel(when(window, facts["batches"]))
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    periods = series(when(window, facts["batches"]) for window in facts["windows"])
    means = "; ".join(
        f"{name}, {when(window, facts['batches'])}: "
        + series(f"{digits(facts['mean'][unit][window][layer], 2)} in {layer}" for layer in facts["layers"])
        for unit, name in UNITS.items()
        for window in facts["windows"]
    )
    shapes = series(f"{layer} ({shape(row['shape'])})" for layer, row in facts["layers"].items())
    count = plural(facts["seeds"], "seed")
    return Words(
        title="How much the drawn layers are updated, in three units",
        caption=(
            f"{shapes} under {facts['label']}, {count}, {periods}. Each dot is one training run, its dots joined by "
            "a line; the bar is the mean. Logarithmic axes. A reader of one training run would have seen one of "
            f"these lines.{others(facts)}"
        ),
        alt=f"Dot charts of the size of updates of {series(facts['layers'])} for {count}. Means: {means}.",
    )


def _tick(value: float) -> str:
    """Write 0.01, 0.02 as they are and smaller ones as 2·10⁻⁴."""
    power = int(np.floor(np.log10(value) + 1e-9))
    if power >= -2:
        return f"{value:g}"
    digit = round(value / 10.0**power)
    return f"{'' if digit == 1 else f'{digit}·'}10{str(power).translate(SUPERSCRIPTS)}"
