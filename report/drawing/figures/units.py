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
from report.analysis.windows import WINDOWS
from report.drawing.figures.comparison import LETTER
from report.drawing.figures.marks import dots
from report.drawing.figures.sources import Facts, Labels, Tables, main_label, rows, selection
from report.drawing.figures.style import HIGHEST, WIDTH, Ink, brief, heading, sheet
from report.wording import SUPERSCRIPTS, thousands

TABLES = ("units_runs", "units")
UNITS: Final = ("opacity", "absolute", "relative")


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


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw one row a unit, one column a window: each seed a line from layer to layer, the mean a bar."""
    layers, windows = facts["layers"], facts["windows"]
    names = [brief(layer) for layer in layers]
    # Names that would run into each other stand upright.
    upright = LETTER * len("".join(names)) > WIDTH / len(windows) - 60
    figure, panels = sheet([146, 146, HIGHEST - 292], share_x=True, columns=len(windows))
    table = rows(tables["units_runs"], optimizer=facts["main"])
    places, runs = np.arange(len(layers)), dict.fromkeys(table["run"])
    for row, unit in enumerate(UNITS):
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
        heading(line[0], labels[unit])
    for panel, window in zip(panels[-len(windows) :], windows, strict=True):
        first, last = _span(window, facts["batches"])
        panel.set_xlabel(labels["window"].format(first=thousands(first), last=thousands(last)))
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the means by unit and window, and the layer that is updated least in each unit after the start."""
    late, mean = facts["windows"][-1], facts["mean"]
    least = [min(_known(mean[unit][late]), key=_known(mean[unit][late]).__getitem__, default=None) for unit in UNITS]
    means = []
    for unit in UNITS:
        for window in facts["windows"]:
            first, last = _span(window, facts["batches"])
            means.append({"unit": unit, "first": first, "last": last, "by_layer": _known(mean[unit][window])})
    return {
        **{name: facts[name] for name in ("label", "seeds", "left_out")},
        "has_seeds": facts["seeds"] > 1,
        "has_start": len(facts["windows"]) > 1,
        "layers": list(facts["layers"]),
        "means": means,
        "least": dict(zip(UNITS, least, strict=True)),
        "is_one_least": len(set(least)) == 1 and least[0] is not None,
    }


def _known(means: Mapping[str, float | None]) -> dict[str, float]:
    return {layer: value for layer, value in means.items() if value is not None}


def _span(window: str, batches: int) -> tuple[int, int]:
    """Return the first and the last batch of a window."""
    first, last = WINDOWS[window]
    return first, batches if last is None else min(last, batches)


def _tick(value: float) -> str:
    """Write 0.01, 0.02 as they are and smaller ones as 2·10⁻⁴."""
    power = int(np.floor(np.log10(value) + 1e-9))
    if power >= -2:
        return f"{value:g}"
    digits = f"{value / 10.0**power:.2g}"
    return f"{'' if digits == '1' else f'{digits}·'}10{str(power).translate(SUPERSCRIPTS)}"
