"""Every weight of one layer, batch by batch, in colour: what streaks, and what comes in blocks.

A reader sees with the eye alone what momentum makes and what the network makes. Streaks run along a row, blocks span
the rows of an output unit; a coin that draws every sign leaves the one and takes the other, and so does, the other way
round, an optimizer without momentum.
"""

import functools
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from report.analysis.raster import PANELS
from report.analysis.table import Key, Table
from report.drawing.figures.comparison import optimizers, plain, scope, told
from report.drawing.figures.marks import cells
from report.drawing.figures.sources import Columns, Facts, Labels, Tables, main_label, rows
from report.drawing.figures.style import WIDTH, Ink, axes_at, batches_below, blank, brief, heading
from report.wording import MINUS, shape

TABLES = ("raster",)
FULL: Final = 2.0  # root mean squares of a row at which a colour is full
LEVELS: Final = 12  # of each colour: steps that no eye tells apart, and a file a quarter as large
LEFT, ROOM = 29, 450  # CSS pixels beside the cells, and of their width
HIGH: Final = 108  # CSS pixels of a panel's height; a cell has at least one
LARGEST_CELL: Final = 9  # CSS pixels of its height
ABOVE, BETWEEN, BELOW = 28, 10, 44  # CSS pixels: a heading, below a panel, the axis of the last one
LINE: Final = 16  # CSS pixels from one label of a unit to the next
EDGE: Final = 0.03  # share of the batches at whose end a number would reach over the edge
HAIR: Final = 0.6  # points of a line between units
BAR: Final = (72, 11)  # CSS pixels: width and height of the colour scale


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return which layer is shown, and the runs and the togetherness of each panel; None without a control."""
    control, drawn = plain(results), results["drawn"]
    if control is None or not drawn or results["raster"] is None:
        return None
    study = results["study"]
    main, layer, late = study["main"], drawn[-1], study["late"]

    def mean(quantity: str, statistic: str, slug: str, applied: str = "") -> float | None:
        return table[Key(quantity, statistic, slug, layer, late, None, applied)].mean

    runs = (
        mean("transplants", "mean_run", main, main),
        mean("transplants", "toss", main, main),
        mean("persistence", "mean_run", control["slug"]),
    )
    together = (
        mean("togetherness", "output", main),
        mean("togetherness", "output_toss", main),
        mean("togetherness", "output", control["slug"]),
    )
    place = study["runs"][main].index(results["main"])
    return {
        "layer": layer,
        "shape": results["network"]["layers"][layer]["shape"],
        "main": main_label(results),
        "control": control["label"],
        "seed": study["seeds_of"][main][place],
        "mean_run": dict(zip(PANELS, runs, strict=True)),
        "together": dict(zip(PANELS, together, strict=True)),
        "shown": results["raster"],
        **scope(results, [each for each in optimizers(results) if each["slug"] == main]),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw a panel each for what was recorded, what a coin makes of it, and the control: a cell a weight and batch."""
    table = rows(tables["raster"], layer=facts["layer"])
    first = rows(table, panel=PANELS[0])
    weights, batches = len(units(first)), len(np.unique(first["batch"]))
    width = max(ROOM // batches, 1) * batches
    high = min(max(HIGH // weights, 1), LARGEST_CELL) * weights
    height = len(PANELS) * (ABOVE + high + BETWEEN) + BELOW - BETWEEN
    figure = blank(height)
    notes = (facts["main"], "", facts["control"])
    panels = []
    for line, (name, note) in enumerate(zip(PANELS, notes, strict=True)):
        top = ABOVE + line * (ABOVE + high + BETWEEN)
        panel = axes_at(figure, (LEFT, top, width, high))
        found = rows(table, panel=name)
        start = int(found["batch"].min())
        fill(panel, matrix(found), ink, (start - 0.5, start + batches - 0.5))
        _label_units(panel, units(found), high / weights, ink)
        panel.set_xticks([])
        heading(panel, labels[name], brief(note))
        panels.append(panel)
    batches_below(panels[-1], labels["batch"])
    span = panels[-1].get_xlim()
    panels[-1].set_xticks([tick for tick in panels[-1].get_xticks() if span[0] < tick < span[1] - EDGE * np.ptp(span)])
    panels[-1].text(0, -36 / high, f"↑ {labels['unit']}", transform=panels[-1].transAxes, color=ink.muted)
    _scale(axes_at(figure, (WIDTH - BAR[0] - 16, 10, *BAR)), ink)
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return which weights and batches are shown, and runs and togetherness of each panel, here and in the window."""
    table = rows(tables["raster"], layer=facts["layer"], panel=PANELS[0])
    weights, (outputs, inputs) = len(units(table)), facts["shape"]
    return {
        **told({**facts, "left_out": 0}),
        **{name: facts[name] for name in ("layer", "main", "control", "seed")},
        "shape": shape(facts["shape"]),
        "weights": weights,
        "is_whole": weights == outputs * inputs,
        "is_seeded": facts["seed"] is not None,
        "shown_first": int(table["batch"].min()),
        "shown_last": int(table["batch"].max()),
        "full": FULL,
        "panels": {
            name: {
                "run": facts["mean_run"][name],
                "together": facts["together"][name],
                "shown_run": facts["shown"][name]["mean_run"],
                "shown_together": facts["shown"][name]["together"],
            }
            for name in PANELS
        },
    }


def units(table: Columns) -> NDArray[np.int64]:
    """Return the output unit of each row of a panel, (weights,)."""
    first = table["batch"] == table["batch"].min()
    found: NDArray[np.int64] = np.sort(table["out"][first]).astype(np.int64)
    return found


def matrix(table: Columns) -> NDArray[np.float64]:
    """Return a panel's updates, (weights, batches), in root mean squares of their row."""
    order = np.lexsort((table["batch"], table["in"], table["out"]))
    found: NDArray[np.float64] = table["update"][order].reshape(len(units(table)), -1)
    return found


def pixels(updates: NDArray[np.float64], ink: Ink) -> NDArray[np.uint8]:
    """Return the colour of each update, (…, 3): the sign's ink on paper, full from `FULL` on.

    The square root keeps small updates visible: what is to be seen is where a sign stays, not how large an update is.
    """
    strength = np.rint(np.sqrt(np.clip(np.abs(updates) / FULL, 0, 1)) * LEVELS)[..., None] / LEVELS
    paper, up, down = (np.array(to_rgb(colour)) for colour in (ink.paper, ink.increase, ink.decrease))
    signed = np.where(updates[..., None] > 0, up, down)
    found: NDArray[np.uint8] = np.rint(255 * (paper + strength * (signed - paper))).astype(np.uint8)
    return found


def fill(panel: Axes, updates: NDArray[np.float64], ink: Ink, span: tuple[float, float]) -> None:
    """Fill a panel with a cell for each update, (weights, steps); `span` has the first and last step's outer edges."""
    cells(panel, functools.partial(pixels, updates), ink, (*span, len(updates), 0))


def part_units(panel: Axes, outputs: NDArray[np.int64], ink: Ink) -> None:
    """Part the output units by thin lines; `outputs` has that of each row, (weights,)."""
    for start in (np.flatnonzero(np.diff(outputs)) + 1).tolist():
        panel.axhline(start, color=ink.ink, linewidth=HAIR)


def _label_units(panel: Axes, outputs: NDArray[np.int64], high: float, ink: Ink) -> None:
    """Part the output units where there is room, and write their numbers; `high` is a cell's height in CSS pixels."""
    starts = np.flatnonzero(np.diff(outputs, prepend=-1))
    middles = (starts + np.append(starts[1:], len(outputs))) / 2
    if len(outputs) * high >= LINE / 2 * len(starts):
        part_units(panel, outputs, ink)
    every = max(int(np.ceil(LINE * len(starts) / (len(outputs) * high))), 1)
    panel.set_yticks(middles[::every], [str(unit) for unit in outputs[starts][::every]])


def _scale(panel: Axes, ink: Ink) -> None:
    """Draw what the colours mean, in root mean squares, beside the first heading."""
    steps = np.arange(-LEVELS, LEVELS + 1)[None, :] * FULL / LEVELS
    cells(panel, functools.partial(pixels, steps), ink, (-FULL, FULL, 0, 1))
    panel.set_xticks([])
    panel.set_yticks([])
    for x, sign, side in ((0, MINUS, "right"), (1, "+", "left")):
        panel.annotate(
            sign, (x, 0.5), (3 - 6 * (not x), 0), "axes fraction", "offset points", ha=side, va="center_baseline"
        )
