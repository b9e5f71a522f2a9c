"""How often a direction is kept for how many batches, with momentum and without.

A reader learns that the mean hides a long tail, and that the tail is what momentum adds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from report.analysis.table import Table
from report.drawing.figures.comparison import heights, key, names, optimizers, room_beside, scope
from report.drawing.figures.sources import Facts, Tables, Words, others, rows, selection
from report.drawing.figures.style import Ink, brief, dots, heading, sheet
from report.wording import percent, plural, series, shape, window

TABLES = ("run_lengths",)
SHOWN = 40  # batches: longest length on the axis
RAREST = 1e-4  # share at the lower edge


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the main optimizer and the one to compare: with the least momentum, of its own kind if there is one."""
    every = optimizers(results)
    main = every[0]
    less = [each for each in every[1:] if each["momentum"] < main["momentum"]]
    less.sort(key=lambda each: (each["name"] != main["name"], each["momentum"], each["place"]))
    study = results["study"]
    if not less:
        return None
    chosen, shown = [main, less[0]], selection(results)
    return {
        "optimizers": chosen,
        **shown,
        **scope(results, chosen),
        "single": {
            each["slug"]: {
                layer: table.get("run_lengths", "probability", each["slug"], layer, study["late"], 1).mean
                for layer in shown["layers"]
            }
            for each in chosen
        },
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw one panel a layer: dots for what was measured, lines for theory, logarithmic shares."""
    layers = facts["layers"]
    table = rows(tables["run_lengths"], window=facts["window"])
    entries = [(each["label"], ink.optimizer(each["place"])) for each in facts["optimizers"]]
    figure, panels = sheet(heights(148, 126, 152, layers, entries))
    for panel, (layer, row) in zip(panels, layers.items(), strict=True):
        for each in facts["optimizers"]:
            found = rows(table, optimizer=each["slug"], layer=layer)
            shown = found["length"] <= SHOWN
            colour = ink.optimizer(each["place"])
            if each["theory"]:
                panel.plot(found["length"][shown], found["theory"][shown], color=colour, linewidth=1.2, alpha=0.75)
            seen = shown & (np.nan_to_num(found["mean"]) > 0)
            dots(panel, found["length"][seen], found["mean"][seen], colour)
        panel.set_yscale("log")
        panel.set_ylim(RAREST, 1.3)
        panel.yaxis.set_major_locator(LogLocator(numticks=5))
        panel.yaxis.set_minor_locator(NullLocator())
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _share(value)))
        panel.set_xticks([1, 5, 10, 15, 20, 25, 30, 35, 40])
        panel.set_xlim(0.4, SHOWN + 0.6)
        heading(panel, brief(layer), shape(row["shape"]))
    key(panels[0], entries, ink, room_beside(layers))
    panels[-1].set_xlabel("length of the run, batches", loc="right")
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    period = window(facts["window"], facts["batches"])
    single = "; ".join(
        f"{each['label']}: "
        + series(f"{percent(facts['single'][each['slug']][layer], 0)} in {layer}" for layer in facts["layers"])
        for each in facts["optimizers"]
    )
    over = f", mean of {plural(facts['seeds'], 'seed')}" if facts["seeds"] > 1 else ""
    return Words(
        title="How often a direction lasts how long",
        caption=(
            f"Share of all same-sign runs that last so many batches, in {period}{over}, on a logarithmic axis: "
            f"{names(facts['optimizers'])}. Dots: measured; lines: what Gaussian noise "
            f"would give with the same momentum.{others(facts)}"
        ),
        alt=(
            f"Charts, one a layer, of the share of same-sign runs against their length, 1 to {SHOWN} batches, "
            f"in {period}. A single batch lasts, of all runs: {single}."
        ),
    )


def _share(value: float) -> str:
    """Write a power of ten as a percentage."""
    return f"{100 * value:g}%"
