"""How often two weights that share a unit move the same way, layer by layer, with momentum, tossed, and without.

A reader learns that the blocks are the network's: weights into one output unit move together under an optimizer with
momentum and under one without, and a coin that draws the sign of every gradient ends it.
"""

from collections.abc import Mapping
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from report.analysis.table import Table
from report.drawing.figures.comparison import bars, key, lines_key, optimizers, plain, raised, scope, told
from report.drawing.figures.marks import dots
from report.drawing.figures.sources import Facts, Labels, Tables, reach, rows, selection
from report.drawing.figures.style import WIDTH, Ink, blank, brief
from report.wording import shape

TABLES = ("togetherness",)
MOST = 3  # layers in one picture
PAIRS: Final = ("output", "input")  # units that two weights may share
NAMES, SIDE = 152, 12  # CSS pixels: of the names of pairs, beside the panel
HEADING, ROW = 30, 34  # CSS pixels: of a layer's name, of each kind of pairs below it
TOP, BELOW = 30, 46  # CSS pixels around
APART = 9  # CSS pixels between the optimizers of a row
ROOM = 380  # CSS pixels beside what the marks mean


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the main optimizer, its control without momentum, and the shares of the words; None without matrices."""
    study, shown, control = results["study"], selection(results), plain(results)
    every = [optimizers(results)[0], *([control] if control else [])]

    def share(name: str, slug: str, layer: str) -> float | None:
        return table.get("togetherness", name, slug, layer, study["late"]).mean

    layers = {layer: row for layer, row in shown["layers"].items() if share("output", study["main"], layer) is not None}
    if not layers:
        return None
    return {
        "optimizers": every,
        "layers": layers,
        "left_out": shown["left_out"],
        **scope(results, every),
        "share": {
            layer: {
                each["slug"]: {
                    name: share(name, each["slug"], layer) for pair in PAIRS for name in (pair, f"{pair}_toss")
                }
                for each in every
            }
            for layer in layers
        },
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw two rows a layer, one a kind of pairs, and in each a dot and the mark of the sign toss an optimizer."""
    layers, every = facts["layers"], facts["optimizers"]
    entries = [(each["label"], ink.optimizer(each)) for each in every]
    above, step = TOP + raised(entries, ROOM), HEADING + ROW * len(PAIRS)
    inside = step * len(layers)
    height = above + inside + BELOW
    figure = blank(height)
    across = WIDTH - NAMES - SIDE
    panel = figure.add_axes((NAMES / WIDTH, BELOW / height, across / WIDTH, inside / height))
    panel.set_ylim(inside, 0)
    panel.set_yticks([])
    table = rows(tables["togetherness"], window=facts["window"])
    ends = [50.0]
    for line, (layer, row) in enumerate(layers.items()):
        top = line * step
        if line:
            panel.plot(
                [-NAMES / across, 1],
                [top] * 2,
                color=ink.grid,
                linewidth=0.7,
                clip_on=False,
                transform=panel.get_yaxis_transform(),
            )
        name = panel.annotate(
            brief(layer),
            (-NAMES / across, top + 20),
            xycoords=panel.get_yaxis_transform(),
            weight="bold",
            annotation_clip=False,
        )
        panel.annotate(
            f"  {shape(row['shape'])}", (1, 0), xycoords=name, va="bottom", color=ink.muted, annotation_clip=False
        )
        for down, pair in enumerate(PAIRS):
            middle = top + HEADING + ROW * (down + 0.5) - 4
            panel.text(
                -NAMES / across,
                middle,
                labels[pair],
                transform=panel.get_yaxis_transform(),
                va="center_baseline",
                color=ink.muted,
            )
            for place, each in enumerate(every):
                y = middle + APART * (place - (len(every) - 1) / 2)
                found = rows(table, optimizer=each["slug"], layer=layer, name=pair)
                mean, low, high = (100 * found[name] for name in ("mean", "low", "high"))
                bars(panel, [y] * len(mean), low, high, ink.optimizer(each), upright=False)
                dots(panel, mean, [y] * len(mean), ink.optimizer(each), 6)
                ends += [value for value in (*mean, *low, *high) if value == value]
                toss = facts["share"][layer][each["slug"]][f"{pair}_toss"]
                if toss is not None:
                    panel.plot([100 * toss] * 2, [y - 4, y + 4], color=ink.ink, linewidth=1.8, zorder=4)
                    ends.append(100 * toss)
    panel.axvline(50, color=ink.muted, linewidth=0.9, zorder=2)
    panel.set_xlim(min(40, min(ends) - 2), max(60, max(ends) + 2))
    panel.xaxis.set_major_locator(MultipleLocator(10))
    panel.xaxis.set_major_formatter("{x:.0f}%")
    panel.set_xlabel(labels["share"], loc="right")
    if any(toss is not None for toss in _tosses(facts)):
        lines_key(panel, [(labels["sign_toss"], ink.ink, 1.8)], inside, ink, -NAMES / across)
    key(panel, entries, ink, ROOM)
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the shares of pairs that share an output unit, with momentum, tossed and without, over drawn layers."""
    drawn = [share for layer, share in facts["share"].items() if facts["layers"][layer]["drawn"]]
    main, *control = (each["slug"] for each in facts["optimizers"])

    def over(slug: str, name: str) -> dict[str, float] | None:
        return reach(share[slug][name] for share in drawn or facts["share"].values())

    return {
        **told(facts),
        "main": facts["optimizers"][0]["label"],
        "control": facts["optimizers"][-1]["label"],
        "has_control": bool(control),
        "layers": list(facts["layers"]),
        "output": over(main, "output"),
        "output_toss": over(main, "output_toss"),
        "input": over(main, "input"),
        "output_control": over(control[0], "output") if control else None,
    }


def _tosses(facts: Facts) -> list[float | None]:
    every = [share for by_label in facts["share"].values() for share in by_label.values()]
    return [share[f"{pair}_toss"] for share in every for pair in PAIRS]
