"""How many batches a weight keeps its direction, under each optimizer.

A reader learns whether persistence comes and goes with momentum, and how far each layer lies from its sign toss: what
the same optimizer makes of the same gradients when a coin draws their signs. The formula for noise stands beside it.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from report.analysis.table import Table
from report.drawing.figures.comparison import (
    at_most,
    bars,
    by_chance,
    is_rising,
    key,
    lines_key,
    ordered,
    raised,
    scope,
    told,
)
from report.drawing.figures.marks import dots
from report.drawing.figures.sources import Facts, Labels, Tables, reach, rows, selection
from report.drawing.figures.style import HIGHEST, WIDTH, Ink, blank, brief

TABLES = ("persistence",)
MOST = 3  # layers in one picture
LETTERS = 40  # of an optimizer's name
ROW = 22  # CSS pixels of an optimizer's name
LAYER = 9  # CSS pixels of each layer below it, where there is room
APART = 6  # CSS pixels between optimizers
TOP, BELOW, SIDE = 30, 46, 12  # CSS pixels around
ROOM = 240  # CSS pixels beside what the marks mean
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the optimizers by rising momentum, the main one's family first; None where the main one is alone."""
    found = ordered(results)
    if len(found) < 2:
        return None
    study = results["study"]
    every = at_most(found, study["main"])
    shown = selection(results)
    return {
        "optimizers": every,
        "optimizers_left_out": len(found) - len(every),
        **shown,
        **scope(results, every),
        "mean_run": {
            each["slug"]: {
                layer: table.get("persistence", "mean_run", each["slug"], layer, study["late"]).mean
                for layer in shown["layers"]
            }
            for each in every
        },
        "toss": {
            each["slug"]: {
                layer: table.get("transplants", "toss", each["slug"], layer, study["late"], applied=each["slug"]).mean
                for layer in shown["layers"]
            }
            for each in every
        },
        "predicted": by_chance(results, every, "mean_run"),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw a row an optimizer, and in it a dot and the mark of its sign toss a layer; a pale line for the formula."""
    layers = facts["layers"]
    entries = [(layer, ink.layer(row["place"])) for layer, row in layers.items()]
    above, count = TOP + raised(entries, ROOM), len(facts["optimizers"])
    step = min(ROW + LAYER * len(layers) + APART, (HIGHEST - above - BELOW) // count)
    layer_high = (step - ROW - APART) / len(layers)
    height = above + step * count + BELOW
    figure = blank(height)
    inside = height - above - BELOW
    panel = figure.add_axes((SIDE / WIDTH, BELOW / height, 1 - 2 * SIDE / WIDTH, inside / height))
    panel.set_xscale("log")
    panel.set_ylim(inside, 0)
    panel.set_yticks([])
    table = rows(tables["persistence"], window=facts["window"], name="mean_run")
    largest = 2.0
    for position, each in enumerate(facts["optimizers"]):
        top = position * step
        found = rows(table, optimizer=each["slug"])
        if position:
            panel.axhline(top, color=ink.grid, linewidth=0.7)
        for line, (layer, shown) in enumerate(layers.items()):
            row = rows(found, layer=layer)
            y = [top + ROW + layer_high * (line + 0.5) + 1] * len(row["mean"])
            colour = ink.layer(shown["place"])
            bars(panel, y, row["low"], row["high"], colour, upright=False)
            toss = facts["toss"][each["slug"]][layer]
            if toss is not None:
                across, up = [toss] * 2, [y[0] - layer_high / 2 + 0.5, y[0] + layer_high / 2 - 0.5]
                panel.plot(across, up, color=ink.ink, linewidth=1.8, solid_capstyle="butt", zorder=4)
                largest = max(largest, toss)
            dots(panel, row["mean"], y, colour, 5.5)
            largest = max([largest, *(value for value in (*row["mean"], *row["high"]) if value == value)])
        predicted = facts["predicted"][each["slug"]]
        if predicted:
            panel.plot(
                [predicted] * 2,
                [top + ROW, top + step - 4],
                color=ink.muted,
                linewidth=0.9,
                zorder=2,
            )
            largest = max(largest, predicted)
        panel.text(0.008, top + 17, brief(each["label"], LETTERS), transform=panel.get_yaxis_transform(), weight="bold")
    panel.set_xlim(1, 1.25 * largest)
    panel.set_xticks([tick for tick in TICKS if tick <= 1.25 * largest])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.set_xlabel(labels["run"], loc="right")
    marks = [(labels["sign_toss"], ink.ink, 1.8)] if _tosses(facts) else []
    if any(facts["predicted"].values()):
        marks.append((labels["formula"], ink.muted, 0.9))
    lines_key(panel, marks, inside, ink)
    key(panel, entries, ink, ROOM)
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return runs and tosses by optimizer, and whether runs grow with the main one's momentum in every layer."""
    run, toss, predicted = facts["mean_run"], facts["toss"], facts["predicted"]
    family = [each["slug"] for each in facts["optimizers"] if each["in_family"]]
    return {
        **told(facts),
        "optimizers": [
            {
                "label": each["label"],
                "run": reach(run[each["slug"]].values()),
                "toss": reach(toss[each["slug"]].values()),
                "formula": predicted[each["slug"]],
            }
            for each in facts["optimizers"]
        ],
        "optimizers_left_out": facts["optimizers_left_out"],
        "is_sorted": len(family) > 1,
        "has_toss": _tosses(facts),
        "has_formula": any(predicted.values()),
        "is_rising": is_rising([[run[slug][layer] for slug in family] for layer in facts["layers"]]),
    }


def _tosses(facts: Facts) -> bool:
    """Return whether there is a sign toss of any optimizer."""
    return any(run is not None for by_layer in facts["toss"].values() for run in by_layer.values())
