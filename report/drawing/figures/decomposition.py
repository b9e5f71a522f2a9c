"""Where persistence comes from: the mean same-sign run of each layer as a sum of its causes.

A reader learns how much of it a toss of every sign leaves, what that consists of (chance under this momentum, uneven
gradients, coasting), and how little or how much the direction of the gradients adds.
"""

from collections.abc import Mapping
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from report.analysis.table import Table
from report.drawing.figures.comparison import bars, signed, told
from report.drawing.figures.sources import Columns, Facts, Labels, Tables, main_label, reach, rows, selection
from report.drawing.figures.style import WIDTH, Ink, blank, brief, embolden
from report.wording import fixed, shape

TABLES = ("decomposition",)
MOST = 3  # layers in one picture
TOSS: Final = ("chance", "uneven", "coasting")  # what add up to the run of tossed signs
PARTS: Final = ("measured", *TOSS, "lean")
ROW, TOP, GAP = 92, 50, 10  # CSS pixels: of a layer, above, between columns
BRACKET, NUMBER, BAR = 37, 63, 69  # CSS pixels from the top of a row
THICK = 14  # CSS pixels of a bar


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the parts for each layer; None where no theory says what chance gives."""
    study = results["study"]
    shown, layers = selection(results), {}
    for layer, row in shown["layers"].items():
        parts = {part: table.get("decomposition", part, study["main"], layer, study["late"]).mean for part in PARTS}
        if any(value is None for value in parts.values()):
            continue
        layers[layer] = {**row, "parts": parts, "toss": sum(parts[part] for part in TOSS)}
    if not layers:
        return None
    return {
        "layers": layers,
        "left_out": shown["left_out"],
        "main": study["main"],
        "label": main_label(results),
        "window": study["late"],
        "batches": study["batches"],
        "seeds": len(study["runs"][study["main"]]),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw a table of bars: a row a layer, a column a part, all to one scale."""
    layers = facts["layers"]
    height = TOP + ROW * len(layers) + 6
    figure = blank(height)
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set_xlim(0, WIDTH)
    panel.set_ylim(height, 0)
    panel.set_axis_off()
    table = rows(tables["decomposition"], optimizer=facts["main"], window=facts["window"])
    title = panel.text(0, 16, labels["run"])
    embolden(title)
    panel.annotate(f"   │ {labels['sign_toss']}", (1, 0), xycoords=title, va="bottom", color=ink.muted)
    signs = dict(zip(PARTS, ("", "= ", "+ ", "+ ", "+ "), strict=True))
    names = {part: panel.text(0, 40, f"{signs[part]}{labels[part]}", color=ink.muted) for part in PARTS}
    starts, zeros, scale = _columns(table, {part: name.get_window_extent().width for part, name in names.items()})
    for part in PARTS:
        names[part].set_x(starts[part])
        panel.plot([zeros[part]] * 2, [TOP + BRACKET + 6, height], color=ink.grid, linewidth=0.9, zorder=1)
    for line, (layer, row) in enumerate(layers.items()):
        top = TOP + ROW * line
        panel.plot([0, WIDTH], [top] * 2, color=ink.grid, linewidth=0.7, zorder=0)
        heading = panel.text(0, top + 18, brief(layer), weight="bold")
        panel.annotate(f"  {shape(row['shape'])}", (1, 0), xycoords=heading, va="bottom", color=ink.muted)
        _bracket(
            panel,
            (starts["chance"], starts["lean"] - GAP),
            top + BRACKET,
            labels["toss"].format(run=fixed(row["toss"], 1)),
            ink,
        )
        for part in PARTS:
            value = row["parts"][part]
            colour = ink.muted if part == "chance" else ink.layer(row["place"])
            bar = Rectangle((zeros[part], top + BAR), value * scale, THICK, color=colour)
            panel.add_patch(bar)
            found = rows(table, layer=layer, name=part)
            if part != "chance":
                low, high = (zeros[part] + scale * found[end] for end in ("low", "high"))
                bars(panel, [top + BAR + THICK / 2], low, high, ink.ink, upright=False)
            text = fixed(value, 1) if part in ("measured", "chance") else signed(value)
            panel.text(starts[part], top + NUMBER, text, weight="bold" if part == "measured" else "normal")
        mark = zeros["measured"] + row["toss"] * scale
        panel.plot([mark] * 2, [top + BAR - 4, top + BAR + THICK + 4], color=ink.ink, linewidth=1.6, zorder=4)
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the parts by layer, and what share of each drawn layer's run the sign toss makes."""
    drawn = [row for row in facts["layers"].values() if row["drawn"]] or list(facts["layers"].values())
    shares = [row["toss"] / row["parts"]["measured"] for row in drawn]
    return {
        **told(facts),
        "label": facts["label"],
        "layers": [{"layer": layer, "toss": row["toss"], **row["parts"]} for layer, row in facts["layers"].items()],
        "share": reach(shares),
        "is_mostly_toss": min(shares) > 0.5,
    }


def _bracket(panel: Axes, span: tuple[float, float], y: float, words: str, ink: Ink) -> None:
    """Draw a bracket over columns from one x to another, and write in its middle what they add up to."""
    left, right = span
    panel.plot([left, left, right, right], [y + 5, y, y, y + 5], color=ink.muted, linewidth=1)
    box = {"facecolor": ink.paper, "edgecolor": "none", "pad": 2}
    panel.text((left + right) / 2, y, words, ha="center", va="center_baseline", bbox=box, zorder=3)


def _columns(table: Columns, names: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float], float]:
    """Return where each column starts and has its zero, and how many CSS pixels a batch of all bars is long.

    A column is as wide as its name, of a width given, or its longest bar needs; the scale is the largest with which
    all fit.
    """
    bounds = {}
    for part in PARTS:
        found = rows(table, name=part)
        ends = [value for name in ("mean", "low", "high") for value in found[name] if value == value]
        bounds[part] = (max(0.0, -min(ends, default=0.0)), max(0.0, max(ends, default=1.0)))
    low, high = 0.0, float(WIDTH)
    for _ in range(40):
        scale = (low + high) / 2
        widths = {part: max(name, sum(bounds[part]) * scale) + GAP for part, name in names.items()}
        low, high = (scale, high) if sum(widths.values()) <= WIDTH else (low, scale)
    spare = (WIDTH - sum(widths.values())) / len(PARTS)
    starts, zeros, x = {}, {}, 0.0
    for part, width in widths.items():
        starts[part], zeros[part] = x, x + bounds[part][0] * low
        x += width + spare
    return starts, zeros, low
