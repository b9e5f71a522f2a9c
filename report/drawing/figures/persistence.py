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
    family,
    key,
    left_out,
    ordered,
    raised,
    scope,
    seeds,
)
from report.drawing.figures.sources import Facts, Tables, Words, others, rows, selection
from report.drawing.figures.style import PIXELS_PER_INCH, WIDTH, Ink, dots
from report.wording import fixed, series, window

TABLES = ("persistence",)
ROW = 22  # CSS pixels of an optimizer's name
LAYER = 9  # CSS pixels of each layer below it
TOP, BELOW, SIDE = 34, 46, 12  # CSS pixels around
ROOM = 310  # CSS pixels beside what the marks mean
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the optimizers by rising momentum, the main one's family first; None where the main one is alone."""
    found = ordered(results)
    if len(found) < 2:
        return None
    study = results["study"]
    every = at_most(found, study["main"])
    kin, shown = family(results), selection(results)
    return {
        "optimizers": every,
        "optimizers_left_out": len(found) - len(every),
        "family": len([each for each in every if each in kin]),
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


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw a row an optimizer, and in it a dot and the mark of its sign toss a layer; a pale line for the formula."""
    layers = facts["layers"]
    step = ROW + LAYER * len(layers) + 10
    entries = [(layer, ink.layer(row["place"])) for layer, row in layers.items()]
    above = TOP + raised(entries, ROOM)
    height = above + step * len(facts["optimizers"]) + BELOW
    figure = Figure(figsize=(WIDTH / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
    figure.set_layout_engine("none")
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
            y = [top + ROW + LAYER * (line + 0.5) + 2] * len(row["mean"])
            colour = ink.layer(shown["place"])
            bars(panel, y, row["low"], row["high"], colour, upright=False)
            toss = facts["toss"][each["slug"]][layer]
            if toss is not None:
                across, up = [toss] * 2, [y[0] - LAYER / 2 + 0.5, y[0] + LAYER / 2 - 0.5]
                panel.plot(across, up, color=ink.ink, linewidth=1.8, solid_capstyle="butt", zorder=4)
                largest = max(largest, toss)
            dots(panel, row["mean"], y, colour, 5.5)
            largest = max([largest, *(value for value in (*row["mean"], *row["high"]) if value == value)])
        predicted = facts["predicted"][each["slug"]]
        if predicted:
            panel.plot(
                [predicted] * 2,
                [top + ROW + 1, top + step - 5],
                color=ink.muted,
                linewidth=0.9,
                zorder=2,
            )
            largest = max(largest, predicted)
        panel.text(0.008, top + 17, each["label"], transform=panel.get_yaxis_transform(), weight="bold")
    panel.set_xlim(1, 1.25 * largest)
    panel.set_xticks([tick for tick in TICKS if tick <= 1.25 * largest])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.set_xlabel("mean same-sign run, batches", loc="right")
    marks = [("sign toss", ink.ink, 1.8)] if _tosses(facts) else []
    if any(facts["predicted"].values()):
        marks.append(("formula", ink.muted, 0.9))
    x = 0.0
    for name, colour, width in marks:
        foot, head = 1 + 8 / inside, 1 + 20 / inside
        panel.plot(
            [x + 0.004] * 2, [foot, head], color=colour, linewidth=width, transform=panel.transAxes, clip_on=False
        )
        panel.text(x + 0.018, 1 + 9 / inside, name, transform=panel.transAxes, color=ink.muted)
        x += 0.2
    key(panel, entries, ink, ROOM)
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    period = window(facts["window"], facts["batches"])
    found = "; ".join(
        f"{each['label']}: "
        + series(
            f"{fixed(facts['mean_run'][each['slug']][layer], 1)} in {layer}"
            + (
                ""
                if facts["toss"][each["slug"]][layer] is None
                else f" (tossed {fixed(facts['toss'][each['slug']][layer], 1)})"
            )
            for layer in facts["layers"]
        )
        + (f", formula {fixed(facts['predicted'][each['slug']], 1)}" if facts["predicted"][each["slug"]] else "")
        for each in facts["optimizers"]
    )
    kin = facts["optimizers"][: facts["family"]]
    sorted_by = f", {kin[0]['name']} by rising momentum, then the others" if len(kin) > 1 else ""
    toss = " Thick marks: the sign toss, the same gradients through the same optimizer with signs drawn by a coin."
    formula = " Thin lines: the formula for Gaussian noise, π/arccos of the momentum."
    lines = (toss if _tosses(facts) else "") + (formula if any(facts["predicted"].values()) else "")
    return Words(
        title="How long a weight keeps its direction, and momentum",
        caption=(
            f"Mean number of consecutive batches in which a weight's updates keep their sign in {period}, under each "
            f"optimizer{sorted_by}. Dots: measured, one a layer; {seeds(facts['seeds'])}.{lines} The axis is "
            f"logarithmic.{left_out(facts['optimizers_left_out'])}{others(facts)}"
        ),
        alt=f"Dot chart of the mean same-sign run in {period}. {found}.",
    )


def _tosses(facts: Facts) -> bool:
    """Return whether there is a sign toss of any optimizer."""
    return any(run is not None for by_layer in facts["toss"].values() for run in by_layer.values())
