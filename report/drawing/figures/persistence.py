"""How many batches a weight keeps its direction, under each optimizer.

A reader learns whether persistence comes and goes with momentum, whether it grows with it as theory says, and how far
the layers lie from what chance alone predicts.
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
    when,
)
from report.drawing.figures.sources import Facts, Tables, Words, others, rows, selection
from report.drawing.figures.style import PIXELS_PER_INCH, WIDTH, Ink, dots
from report.wording import fixed, series

TABLES = ("persistence",)
ROW = 22  # CSS pixels of an optimizer's name
LAYER = 9  # CSS pixels of each layer below it
TOP, BELOW, SIDE = 34, 46, 12  # CSS pixels around
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
        "predicted": by_chance(results, every, "mean_run"),
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw a row an optimizer, and in it a mark a layer; upright lines where theory puts them."""
    layers = facts["layers"]
    step = ROW + LAYER * len(layers) + 10
    entries = [(layer, ink.layer(row["place"])) for layer, row in layers.items()]
    above = TOP + raised(entries)
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
            dots(panel, row["mean"], y, colour, 5.5)
            largest = max([largest, *(value for value in (*row["mean"], *row["high"]) if value == value)])
        predicted = facts["predicted"][each["slug"]]
        if predicted:
            panel.plot(
                [predicted] * 2,
                [top + ROW + 1, top + step - 5],
                color=ink.ink,
                linewidth=1.6,
                solid_capstyle="butt",
                zorder=2,
            )
            largest = max(largest, predicted)
        panel.text(0.008, top + 17, each["label"], transform=panel.get_yaxis_transform(), weight="bold")
    panel.set_xlim(1, 1.25 * largest)
    panel.set_xticks([tick for tick in TICKS if tick <= 1.25 * largest])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.set_xlabel("mean same-sign run, batches", loc="right")
    if any(facts["predicted"].values()):
        panel.text(0, 1 + 9 / inside, "│ chance alone", transform=panel.transAxes, color=ink.muted)
    key(panel, entries, ink)
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    period = when(facts["window"], facts["batches"])
    found = "; ".join(
        f"{each['label']}: "
        + series(f"{fixed(facts['mean_run'][each['slug']][layer], 1)} in {layer}" for layer in facts["layers"])
        + (f", predicted {fixed(facts['predicted'][each['slug']], 1)}" if facts["predicted"][each["slug"]] else "")
        for each in facts["optimizers"]
    )
    kin = facts["optimizers"][: facts["family"]]
    sorted_by = f", {kin[0]['name']} by rising momentum, then the others" if len(kin) > 1 else ""
    known = any(facts["predicted"].values())
    lines = " Upright lines: what chance alone predicts for that momentum." if known else ""
    return Words(
        title="How long a weight keeps its direction, and momentum",
        caption=(
            f"Mean number of consecutive batches in which a weight's updates keep their sign, {period}, under each "
            f"optimizer{sorted_by}. Dots: measured, one a layer; {seeds(facts['seeds'])}.{lines} The axis is "
            f"logarithmic.{left_out(facts['optimizers_left_out'])}{others(facts)}"
        ),
        alt=f"Dot chart of the mean same-sign run in batches, {period}. {found}.",
    )
