"""What each optimizer makes of the gradients of each training run: mean same-sign runs, crosswise.

A reader sees two things apart: the optimizer decides how long a streak is (numbers change from row to row), and the
training loop decides whether its gradients help or hinder it (bars change sides from column to column).
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from report.analysis.table import Key, Table
from report.drawing.choice import chosen
from report.drawing.figures.comparison import Side, family, is_rising, ordered, scope, short, told
from report.drawing.figures.sources import Facts, Labels, Tables, reach, rows, selection
from report.drawing.figures.style import WIDTH, Ink, blank, brief
from report.wording import MINUS, NO_BREAK_SPACE, fixed, percent, shape

TABLES = ("transplants",)
MOST, MOST_SIDES, MOST_LAYERS = 1, 5, 3  # layers in one picture; optimizers along a side; pictures
FULL: Final = 0.5  # lean over toss at which a bar fills half of its cell: streaks half as long again, or half as long
THICK, ABOVE = 5, 6  # CSS pixels: of a bar, and below it
SIDE, ROW, LETTER = 128, 40, 9.4  # CSS pixels: names at the left, a row, a letter of a name
HEAD, HEADING, BETWEEN, BELOW = 22, 28, 12, 86  # CSS pixels: axis title, a layer's name, below a table, the scale
LINE: Final = 17  # CSS pixels of a line of a name
NAMED: Final = 3  # optimizers that a caption names
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
    picked = chosen([[main], *_ends(results, known), [each["slug"] for each in known]], MOST_SIDES)
    every = [each for each in known if each["slug"] in picked]
    slugs = [each["slug"] for each in every]
    return {
        "layers": {name: shown["layers"][name] for name in layers},
        "left_out": shown["left_out"] + len(shown["layers"]) - len(layers),
        "optimizers": every,
        "optimizers_left_out": [each["label"] for each in ordered(results) if each not in every],
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


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw a table a layer: a row an optimizer, a column a training run, framed where it is the optimizer's own."""
    every, layers = facts["optimizers"], facts["layers"]
    wide = (WIDTH - SIDE - 2) / len(every)
    heads = [_broken(_brief(each), wide, 3) for each in every]
    above = HEAD + LINE * max(len(lines) for lines in heads) + 4
    step = HEADING + ROW * len(every) + BETWEEN
    height = above + step * len(layers) + BELOW - BETWEEN
    figure = blank(height)
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set_xlim(0, WIDTH)
    panel.set_ylim(height, 0)
    panel.set_axis_off()
    panel.text(0, 16, labels["optimizer"], color=ink.muted)
    panel.text(SIDE, 16, labels["gradients"], color=ink.muted)
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
                text = fixed(run, 1) if run == run else "–"
                _number(panel, SIDE + wide * (across + 0.5), upper, text)
        for place in range(len(every)):
            box = (SIDE + wide * place, top + HEADING + ROW * place)
            panel.add_patch(Rectangle(box, wide, ROW, fill=False, edgecolor=ink.ink, linewidth=1.6, zorder=3))
    _key(panel, height - BELOW + 40, labels["lean"], ink)
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the runs of each optimizer, on its own gradients and on the others', layer by layer.

    `named`: the optimizers that are left out, where they are few.
    `is_rising`: whether, on the gradients of every training run, runs grow with the main one's momentum; `has_longer`
    and `has_shorter`: whether some last longer and others shorter than their sign toss.
    """
    every, cells, rest = facts["optimizers"], facts["cells"], facts["optimizers_left_out"]
    family = [each["slug"] for each in every if each["in_family"]]
    leans = [
        cell["lean"] for by_rule in cells.values() for row in by_rule.values() for cell in row.values() if cell["lean"]
    ]
    return {
        **told(facts),
        "optimizers_left_out": len(rest),
        "named": rest if len(rest) <= NAMED else [],
        "full": FULL,
        "layers": [
            {
                "layer": layer,
                "label": each["label"],
                "own": by_rule[each["slug"]][each["slug"]]["mean_run"],
                "others": reach(
                    cell["mean_run"] for slug, cell in by_rule[each["slug"]].items() if slug != each["slug"]
                ),
            }
            for layer, by_rule in cells.items()
            for each in every
        ],
        "is_rising": is_rising(
            [by_rule[slug][each["slug"]]["mean_run"] for slug in family] for by_rule in cells.values() for each in every
        ),
        "has_longer": any(lean > 0 for lean in leans),
        "has_shorter": any(lean < 0 for lean in leans),
    }


def _ends(results: Mapping[str, Any], known: Sequence[Side]) -> list[list[str]]:
    """Return the slugs at the ends of each family, with least and with most momentum, the main one's family first."""
    kin = [each["slug"] for each in family(results)]
    by_name: dict[str, list[Side]] = {}
    for each in known:
        by_name.setdefault("" if each["slug"] in kin else each["name"], []).append(each)
    groups = [sorted(each, key=lambda one: float(one["momentum"])) for each in by_name.values()]
    pairs = [(each[0], each[-1]) for each in groups if each[0]["momentum"] < each[-1]["momentum"]]
    return [[first["slug"], last["slug"]] for first, last in pairs]


def _brief(side: Side) -> str:
    """Return what tells an optimizer from the others in a narrow column, whose row has its whole name."""
    name = short(side["label"]) if side["in_family"] else str(side["label"]).replace(" with momentum ", " ")
    return name.replace(" = ", "=")


def _broken(label: str, room: float, most: int) -> list[str]:
    """Break a name into at most `most` lines that fit into `room` CSS pixels; of a longer one the end tells more."""
    whole = label.replace(" = ", f"{NO_BREAK_SPACE}={NO_BREAK_SPACE}")
    lines = textwrap.wrap(whole, max(int(room / LETTER), 3), break_on_hyphens=False)
    return lines if len(lines) <= most else [f"…{lines[-most]}", *lines[1 - most :]]


def _cell(panel: Axes, place: tuple[float, float, float], share: float, ink: Ink) -> None:
    """Draw a cell at (left, top, width): below its number a bar, to the right by how much longer than tossed a run is.

    `share` is that as a share of the tossed run; a run that is shorter has its bar on the left.
    """
    left, top, wide = place
    middle, lower = left + wide / 2, top + ROW - ABOVE - THICK
    panel.add_patch(Rectangle((left, top), wide, ROW, fill=False, edgecolor=ink.grid, linewidth=0.7, zorder=2))
    if share != share:
        return
    long = max(-1.0, min(share / FULL, 1.0)) * wide / 2
    panel.add_patch(Rectangle((min(middle, middle + long), lower), abs(long), THICK, facecolor=ink.muted, zorder=1))
    panel.plot([middle] * 2, [lower - 1, lower + THICK + 1], color=ink.ink, linewidth=1, zorder=2)


def _number(panel: Axes, middle: float, top: float, text: str) -> None:
    panel.text(middle, top + (ROW - ABOVE - THICK) / 2 + 1, text, ha="center", va="center_baseline")


def _key(panel: Axes, top: float, name: str, ink: Ink) -> None:
    """Draw what the bars mean, in a line below their name."""
    wide = (WIDTH - SIDE - 2) / len(SWATCHES)
    panel.text(SIDE, top - 8, name, color=ink.muted)
    for place, share in enumerate(SWATCHES):
        _cell(panel, (SIDE + wide * place, top, wide), share, ink)
        sign = "" if not share else MINUS if share < 0 else "+"
        beyond = "" if abs(share) < FULL else "≤" if share < 0 else "≥"  # a longer bar would leave its cell
        _number(panel, SIDE + wide * (place + 0.5), top, f"{beyond}{sign}{percent(abs(share), 0)}")
