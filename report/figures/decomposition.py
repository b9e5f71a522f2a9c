"""Where persistence comes from: the mean same-sign run of each layer as a sum of its causes.

A reader learns how much of it chance alone would give under this optimizer's momentum, and which of unevenness,
coasting, drift and start-up accounts for the rest.
"""

from collections.abc import Mapping
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from report.config import Experiment
from report.figures.comparison import bars, seeds, signed, when
from report.figures.sources import Facts, Tables, Words, rows
from report.figures.style import PIXELS_PER_INCH, WIDTH, Ink
from report.wording import fixed, series, shape

TABLES = ("decomposition",)
PARTS: Final = {
    "measured": "measured",
    "chance": "chance",
    "uneven": "uneven",
    "coasting": "coasting",
    "drift": "drift",
    "startup": "start-up",
}
WINDOW: Final = "all"  # the only one in which start-up is told apart
ROW, TOP, NAMES, GAP = 62, 56, 96, 8  # CSS pixels: of a layer, above, for the layers' names, between columns
THICK = 14  # CSS pixels of a bar


def facts(results: Mapping[str, Any], experiment: Experiment) -> Facts | None:
    """Return the parts for each layer; None where no theory says what chance gives."""
    study = results["study"]
    found = results["summary"]["decomposition"][study["main"]]
    layers = {}
    for layer in experiment.layers:
        parts = {part: found[layer].get(WINDOW, {}).get(part, {}).get("mean") for part in PARTS}
        if any(value is None for value in parts.values()):
            continue
        layers[layer] = {"shape": list(experiment.shape(layer)), "parts": parts}
    if not layers:
        return None
    return {
        "layers": layers,
        "main": study["main"],
        "label": experiment.optimizer.label,
        "batches": study["batches"],
        "seeds": len(study["runs"][study["main"]]),
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw a table of bars: a row a layer, a column a part, all to one scale."""
    layers = facts["layers"]
    height = TOP + ROW * len(layers) + 6
    figure = Figure(figsize=(WIDTH / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
    figure.set_layout_engine("none")
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set_xlim(0, WIDTH)
    panel.set_ylim(height, 0)
    panel.set_axis_off()
    table = rows(tables["decomposition"], optimizer=facts["main"], window=WINDOW)
    values = [value for row in layers.values() for value in row["parts"].values()]
    ends = [value for name in ("low", "high") for value in table[name][_of_parts(table)] if value == value]
    below, above = max(0.0, -min(values + ends)), max(values + ends)
    column = (WIDTH - NAMES) / len(PARTS)
    # Room for bars to the left of zero only in the columns of causes: the first two are never negative.
    scale = (column - GAP) / (above + below)
    zeros = [NAMES + place * column + below * scale for place in range(len(PARTS))]
    panel.text(0, 18, "Mean same-sign run, batches", weight="bold")
    for place, (part, name) in enumerate(PARTS.items()):
        sign = ("", "=", "+", "+", "+", "+")[place]
        panel.text(zeros[place], TOP - 8, f"{sign} {name}".strip(), color=ink.muted)
        panel.plot([zeros[place]] * 2, [TOP, height - 6], color=ink.grid, linewidth=0.9, zorder=1)
        for line, (layer, row) in enumerate(layers.items()):
            y = TOP + ROW * line
            value = row["parts"][part]
            colour = ink.muted if part == "chance" else ink.layer(layer)
            panel.add_patch(
                Rectangle((zeros[place], y + 30), value * scale, THICK, color=colour, alpha=1 if place == 0 else 0.75)
            )
            found = rows(table, layer=layer, name=part)
            spread = [zeros[place] + scale * found[end] for end in ("low", "high")]
            if part != "chance":
                bars(panel, [y + 30 + THICK / 2], spread[0], spread[1], ink.ink, upright=False)
            text = fixed(value, 1) if place < 2 else signed(value)
            panel.text(zeros[place], y + 24, text, weight="bold" if place == 0 else "normal")
    for line, (layer, row) in enumerate(layers.items()):
        y = TOP + ROW * line
        panel.text(0, y + 26, layer, weight="bold", color=ink.layer(layer))
        panel.text(0, y + 43, shape(row["shape"]), color=ink.muted, size="small")
        panel.plot([0, WIDTH], [y + 2] * 2, color=ink.grid, linewidth=0.7, zorder=0)
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    layers = facts["layers"]
    sums = "; ".join(
        f"{layer}: {fixed(row['parts']['measured'], 1)}, of which "
        + series(f"{name} {fixed(row['parts'][part], 1)}" for part, name in PARTS.items() if part != "measured")
        for layer, row in layers.items()
    )
    period = when(WINDOW, facts["batches"])
    return Words(
        title="Where persistence comes from",
        caption=(
            f"The mean same-sign run of {facts['label']} in {period}, as the sum of what chance alone gives with this "
            f"momentum, of gradients of uneven size, of coasting where the gradient is exactly zero, of drift of the "
            f"gradients themselves, and of the start of training; {seeds(facts['seeds'])} (thin lines). All bars have "
            f"one scale; those to the left of zero shorten runs."
        ),
        alt=f"Table of bars, one row a layer, of the mean same-sign run in batches and its parts. {sums}.",
    )


def _of_parts(table: Mapping[str, Any]) -> list[bool]:
    return [name in PARTS for name in table["name"]]
