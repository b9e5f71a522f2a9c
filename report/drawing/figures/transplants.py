"""What each optimizer makes of the gradients of each training run: mean same-sign runs, crosswise.

A reader sees two things apart: the optimizer decides how long a streak is (numbers change from row to row), and the
training loop decides whether its gradients help or hinder it (colours change from column to column).
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from report.analysis.table import Key, Table
from report.drawing.choice import chosen
from report.drawing.figures.comparison import Side, family, left_out, ordered, scope
from report.drawing.figures.sources import Facts, Tables, Words, others, rows, selection
from report.drawing.figures.style import PIXELS_PER_INCH, WIDTH, Ink, brief
from report.wording import MINUS, NO_BREAK_SPACE, fixed, percent, plural, shape, window

TABLES = ("transplants",)
MOST, MOST_LAYERS = 5, 3  # optimizers along a side, and tables: what a phone shows without scrolling sideways
FULL: Final = 0.5  # lean over toss at which a colour is full: streaks half as long again, or half as long
STRONGEST: Final = 0.8  # opacity of a full colour, so that the number on it is read
SIDE, ROW, LETTER = 118, 34, 9.6  # CSS pixels: names at the left, a row, a letter of a name
HEAD, HEADING, BETWEEN, BELOW = 22, 30, 12, 52  # CSS pixels: axis title, a layer's name, below a table, the colours
LINE: Final = 17  # CSS pixels of a line of a name
SWATCHES: Final = (-FULL, -FULL / 2, 0.0, FULL / 2, FULL)
NUMBERS: Final = ("mean_run", "toss", "lean")


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the numbers of each pair of optimizers in each layer; None with fewer than two that can be replayed.

    Shown are the main optimizer, the ends of its family, and the ends of other families, as far as there is room.
    """
    study, shown = results["study"], selection(results)
    main, late = study["main"], study["late"]
    replayed = table.quantity("transplants")

    def own(slug: str, layer: str) -> bool:
        row = replayed.get(Key("transplants", "lean", slug, layer, late, None, slug))
        return row is not None and row.mean is not None

    drawn = [name for name in shown["layers"] if name in results["drawn"] and own(main, name)]
    layers = [name for name in drawn if name in chosen([drawn], MOST_LAYERS)]
    known = [each for each in ordered(results) if layers and all(own(each["slug"], layer) for layer in layers)]
    if len(known) < 2:
        return None
    picked = chosen([[main], *_ends(results, known), [each["slug"] for each in known]], MOST)
    every = [each for each in known if each["slug"] in picked]
    slugs = [each["slug"] for each in every]
    return {
        "layers": {name: shown["layers"][name] for name in layers},
        "left_out": shown["left_out"] + len(shown["layers"]) - len(layers),
        "optimizers": every,
        "optimizers_left_out": len(ordered(results)) - len(every),
        **scope(results, every),
        "cells": {
            layer: {
                applied: {
                    gradients: {
                        name: table[Key("transplants", name, gradients, layer, late, None, applied)].mean
                        for name in NUMBERS
                    }
                    for gradients in slugs
                }
                for applied in slugs
            }
            for layer in layers
        },
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw a table a layer: a row an optimizer, a column a training run, framed where it is the optimizer's own."""
    every, layers = facts["optimizers"], facts["layers"]
    wide = (WIDTH - SIDE - 2) / len(every)
    heads = [_broken(each["label"], wide, 3) for each in every]
    above = HEAD + LINE * max(len(lines) for lines in heads) + 4
    step = HEADING + ROW * len(every) + BETWEEN
    height = above + step * len(layers) + BELOW - BETWEEN
    figure = Figure(figsize=(WIDTH / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
    figure.set_layout_engine("none")
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set_xlim(0, WIDTH)
    panel.set_ylim(height, 0)
    panel.set_axis_off()
    panel.text(0, 16, "optimizer", color=ink.muted)
    panel.text(SIDE, 16, "gradients of the training run with", color=ink.muted)
    for place, lines in enumerate(heads):
        for line, text in enumerate(lines):
            panel.text(SIDE + wide * (place + 0.5), HEAD + LINE * (line + 1) - 3, text, ha="center")
    table = rows(tables["transplants"], window=facts["window"])
    for line, (layer, row) in enumerate(layers.items()):
        top = above + step * line
        name = panel.text(0, top + 21, brief(layer), weight="bold")
        panel.annotate(f"  {shape(row['shape'])}", (1, 0), xycoords=name, va="bottom", color=ink.muted)
        for down, applied in enumerate(every):
            upper = top + HEADING + ROW * down
            lines = _broken(applied["label"], SIDE, 2)
            for place, text in enumerate(lines):
                middle = upper + ROW / 2 + LINE * (place - (len(lines) - 1) / 2)
                panel.text(0, middle, text, va="center_baseline")
            for across, gradients in enumerate(every):
                found = rows(table, tensor=layer, applied=applied["slug"], gradients=gradients["slug"])
                (run,), (toss,), (lean,) = found["mean_run"], found["toss"], found["lean"]
                _cell(panel, (SIDE + wide * across, upper, wide), lean / toss, ink)
                words = fixed(run, 1) if run == run else "–"
                panel.text(SIDE + wide * (across + 0.5), upper + ROW / 2, words, ha="center", va="center_baseline")
        for place in range(len(every)):
            box = (SIDE + wide * place, top + HEADING + ROW * place)
            panel.add_patch(Rectangle(box, wide, ROW, fill=False, edgecolor=ink.ink, linewidth=1.6, zorder=3))
    _key(panel, height - BELOW + 20, ink)
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    period = window(facts["window"], facts["batches"])
    over = f", mean of {plural(facts['seeds'], 'seed')}" if facts["seeds"] > 1 else ""
    found = "; ".join(
        f"{layer}, {each['label']}: {_span(row, each['slug'])}"
        for layer, cells in facts["cells"].items()
        for each in facts["optimizers"]
        for row in [{gradients: cell["mean_run"] for gradients, cell in cells[each["slug"]].items()}]
    )
    return Words(
        title="Each optimizer on the gradients of every training run",
        caption=(
            f"For how many batches a weight keeps its direction: the mean same-sign run in {period}{over}. A row is an "
            f"optimizer; a column is the training run whose recorded gradients it is given. Framed: an optimizer on "
            f"the gradients of its own run. The colour shows the lean: the run minus that of the same gradients with "
            f"tossed signs, in percent of the latter, in full from ±{percent(FULL, 0)} on. Where the run is longer, "
            f"gradients keep a direction; where it is shorter, each takes back some of what the last one gave."
            f"{left_out(facts['optimizers_left_out'])}{others(facts)}"
        ),
        alt=(
            f"Tables, one a layer, of the mean same-sign run in {period}, optimizers down and training runs "
            f"along. {found}."
        ),
    )


def _ends(results: Mapping[str, Any], known: Sequence[Side]) -> list[list[str]]:
    """Return the slugs at the ends of each family, with least and with most momentum, the main one's family first."""
    kin = [each["slug"] for each in family(results)]
    by_name: dict[str, list[Side]] = {}
    for each in known:
        by_name.setdefault("" if each["slug"] in kin else each["name"], []).append(each)
    groups = [sorted(each, key=lambda one: float(one["momentum"])) for each in by_name.values()]
    pairs = [(each[0], each[-1]) for each in groups if each[0]["momentum"] < each[-1]["momentum"]]
    return [[first["slug"], last["slug"]] for first, last in pairs]


def _span(runs: Mapping[str, float | None], own: str) -> str:
    """Say how long an optimizer's runs are on its own gradients, and from where to where they are on the others."""
    known = [run for slug, run in runs.items() if slug != own and run is not None]
    found = f"{fixed(runs[own], 1)} on its own gradients"
    return f"{found}, {fixed(min(known), 1)} to {fixed(max(known), 1)} on the others" if known else found


def _broken(label: str, room: float, most: int) -> list[str]:
    """Break a name into at most `most` lines that fit into `room` CSS pixels; of a longer one the end tells more."""
    whole = label.replace(" = ", f"{NO_BREAK_SPACE}={NO_BREAK_SPACE}")
    lines = textwrap.wrap(whole, max(int(room / LETTER), 3), break_on_hyphens=False)
    return lines if len(lines) <= most else [f"…{lines[-most]}", *lines[1 - most :]]


def _cell(panel: Axes, place: tuple[float, float, float], share: float, ink: Ink, high: float = ROW) -> None:
    """Draw the ground of a cell at (left, top, width): how much longer than tossed a run is, as a share of that."""
    left, top, wide = place
    opacity = 0.0 if share != share else min(abs(share) / FULL, 1) * STRONGEST
    colour = ink.longer if share > 0 else ink.shorter
    panel.add_patch(Rectangle((left, top), wide, high, facecolor=colour, alpha=opacity, zorder=1))
    panel.add_patch(Rectangle((left, top), wide, high, fill=False, edgecolor=ink.grid, linewidth=0.7, zorder=2))


def _key(panel: Axes, top: float, ink: Ink) -> None:
    """Draw what the colours mean, in a line."""
    wide = (WIDTH - SIDE - 2) / len(SWATCHES)
    panel.text(0, top + 12, "lean / toss", va="center_baseline", color=ink.muted)
    for place, share in enumerate(SWATCHES):
        _cell(panel, (SIDE + wide * place, top, wide), share, ink, 24)
        sign = "" if not share else MINUS if share < 0 else "+"
        text = f"{sign}{percent(abs(share), 0)}"
        panel.text(SIDE + wide * (place + 0.5), top + 12, text, ha="center", va="center_baseline", color=ink.ink)
