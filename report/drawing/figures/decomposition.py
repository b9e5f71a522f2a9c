"""Where persistence comes from: the mean same-sign run of each layer as a sum of its causes.

A reader learns how much of it chance alone would give under this optimizer's momentum, and which of unevenness,
coasting, drift and start-up accounts for the rest.
"""

from collections.abc import Mapping
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from report.analysis.table import Table
from report.drawing.figures.comparison import bars, seeds, signed, when
from report.drawing.figures.sources import Columns, Facts, Tables, Words, main_label, others, rows, selection
from report.drawing.figures.style import PIXELS_PER_INCH, WIDTH, Ink, brief
from report.wording import fixed, series, shape

TABLES = ("decomposition",)
PARTS: Final = {
    "measured": 88,
    "chance": 70,
    "uneven": 66,
    "coasting": 78,
    "drift": 66,
    "startup": 72,
}  # widths of names
NAMES: Final = {"startup": "start-up"}
WINDOW: Final = "all"  # the only one in which start-up is told apart
ROW, TOP, GAP = 72, 50, 10  # CSS pixels: of a layer, above, between columns
THICK = 14  # CSS pixels of a bar


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the parts for each layer; None where no theory says what chance gives."""
    study = results["study"]
    shown, layers = selection(results), {}
    for layer, row in shown["layers"].items():
        parts = {part: table.get("decomposition", part, study["main"], layer, WINDOW).mean for part in PARTS}
        if any(value is None for value in parts.values()):
            continue
        layers[layer] = {**row, "parts": parts}
    if not layers:
        return None
    return {
        "layers": layers,
        "left_out": shown["left_out"],
        "main": study["main"],
        "label": main_label(results),
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
    starts, zeros, scale = _columns(layers, table)
    panel.text(0, 16, "Mean same-sign run, batches", weight="bold")
    for part in PARTS:
        panel.text(starts[part], 40, NAMES.get(part, part), color=ink.muted)
        panel.plot([zeros[part]] * 2, [TOP + 24, height], color=ink.grid, linewidth=0.9, zorder=1)
    for line, (layer, row) in enumerate(layers.items()):
        top = TOP + ROW * line
        panel.plot([0, WIDTH], [top] * 2, color=ink.grid, linewidth=0.7, zorder=0)
        name = panel.text(0, top + 18, brief(layer), weight="bold")
        panel.annotate(f"  {shape(row['shape'])}", (1, 0), xycoords=name, va="bottom", color=ink.muted)
        for part in PARTS:
            value = row["parts"][part]
            colour = ink.muted if part == "chance" else ink.layer(row["place"])
            bar = Rectangle((zeros[part], top + 46), value * scale, THICK, color=colour)
            panel.add_patch(bar)
            found = rows(table, layer=layer, name=part)
            if part != "chance":
                low, high = (zeros[part] + scale * found[end] for end in ("low", "high"))
                bars(panel, [top + 46 + THICK / 2], low, high, ink.ink, upright=False)
            text = fixed(value, 1) if part in ("measured", "chance") else signed(value)
            panel.text(starts[part], top + 40, text, weight="bold" if part == "measured" else "normal")
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    layers = facts["layers"]
    sums = "; ".join(
        f"{layer}: {fixed(row['parts']['measured'], 1)}, of which "
        + series(f"{NAMES.get(part, part)} {fixed(row['parts'][part], 1)}" for part in PARTS if part != "measured")
        for layer, row in layers.items()
    )
    period = when(WINDOW, facts["batches"])
    thin = " (thin lines)" if facts["seeds"] > 1 else ""
    return Words(
        title="Where persistence comes from",
        caption=(
            f"The mean same-sign run of {facts['label']} in {period}, as the sum of what chance alone gives with this "
            f"momentum, of gradients of uneven size, of coasting where the gradient is exactly zero, of drift of the "
            f"gradients themselves, and of the start of training; {seeds(facts['seeds'])}{thin}. All bars have "
            f"one scale; those to the left of zero shorten runs.{others(facts)}"
        ),
        alt=f"Table of bars, one row a layer, of the mean same-sign run in batches and its parts. {sums}.",
    )


def _columns(layers: Facts, table: Columns) -> tuple[dict[str, float], dict[str, float], float]:
    """Return where each column starts and has its zero, and how many CSS pixels a batch of all bars is long.

    A column is as wide as its name or its longest bar needs; the scale is the largest with which all fit.
    """
    reach = {}
    for part in PARTS:
        found = rows(table, name=part)
        ends = [value for name in ("mean", "low", "high") for value in found[name] if value == value]
        reach[part] = (max(0.0, -min(ends, default=0.0)), max(0.0, max(ends, default=1.0)))
    low, high = 0.0, float(WIDTH)
    for _ in range(40):
        scale = (low + high) / 2
        widths = {part: max(least, sum(reach[part]) * scale + GAP) for part, least in PARTS.items()}
        low, high = (scale, high) if sum(widths.values()) <= WIDTH else (low, scale)
    spare = (WIDTH - sum(widths.values())) / len(PARTS)
    starts, zeros, x = {}, {}, 0.0
    for part, width in widths.items():
        starts[part], zeros[part] = x, x + reach[part][0] * low
        x += width + spare
    return starts, zeros, low
