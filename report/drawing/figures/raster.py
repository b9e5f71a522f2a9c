"""Every weight of one layer, batch by batch, in colour: what streaks, and what comes in blocks.

A reader sees with the eye alone what momentum makes and what the network makes. Streaks run along a row, blocks span
the rows of an output unit; a coin that draws every sign leaves the one and takes the other, and so does, the other way
round, an optimizer without momentum.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from report.analysis.raster import PANELS
from report.analysis.table import Key, Table
from report.drawing.figures.comparison import optimizers, plain, scope
from report.drawing.figures.sources import Columns, Facts, Tables, Words, main_label, rows
from report.drawing.figures.style import PIXELS_PER_INCH, WIDTH, Ink, batches_below, brief, heading
from report.wording import MINUS, fixed, percent, plural, shape, thousands, window

TABLES = ("raster",)
FULL: Final = 2.0  # root mean squares of a row at which a colour is full
LEVELS: Final = 12  # of each colour: steps that no eye tells apart, and a file a quarter as large
LEFT, ROOM = 44, 456  # CSS pixels beside the cells, and of their width
HIGH: Final = 200  # CSS pixels of a panel's height; a cell has at least one
LARGEST_CELL: Final = 9  # CSS pixels of its height
ABOVE, BETWEEN, BELOW = 30, 10, 46  # CSS pixels: a heading, below a panel, the axis of the last one
LINE: Final = 16  # CSS pixels from one label of a unit to the next
HAIR: Final = 0.6  # points of a line between units
BAR: Final = (510, 12)  # CSS pixels: left edge and width of the colour scale


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


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw a panel each for what was recorded, what a coin makes of it, and the control: a cell a weight and batch."""
    table = rows(tables["raster"], layer=facts["layer"])
    first = rows(table, panel=PANELS[0])
    weights, batches = len(_units(first)), len(np.unique(first["batch"]))
    width = max(ROOM // batches, 1) * batches
    high = min(max(HIGH // weights, 1), LARGEST_CELL) * weights
    height = len(PANELS) * (ABOVE + high + BETWEEN) + BELOW - BETWEEN
    figure = Figure(figsize=(WIDTH / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
    figure.set_layout_engine("none")
    headings = (
        ("Recorded", facts["main"]),
        ("Signs tossed by a coin", "same gradients and optimizer"),
        ("Recorded without momentum", facts["control"]),
    )
    panels = []
    for line, (name, (words, note)) in enumerate(zip(PANELS, headings, strict=True)):
        top = ABOVE + line * (ABOVE + high + BETWEEN)
        panel = _axes(figure, (LEFT, top, width, high))
        found = rows(table, panel=name)
        start = int(found["batch"].min())
        _cells(panel, _matrix(found), ink, (start - 0.5, start + batches - 0.5))
        _label_units(panel, _units(found), high / weights, ink)
        panel.set_xticks([])
        heading(panel, words, note if line == 1 else brief(note))
        panels.append(panel)
    batches_below(panels[-1])
    _scale(_axes(figure, (BAR[0], ABOVE, BAR[1], high)), ink)
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    table = rows(tables["raster"], layer=facts["layer"], panel=PANELS[0])
    weights = len(_units(table))
    outputs, inputs = facts["shape"]
    which = "Every weight" if weights == outputs * inputs else f"{thousands(weights)} weights"
    layer = f"{facts['layer']} ({shape(facts['shape'])})"
    shown = f"batches {thousands(table['batch'].min())}–{thousands(table['batch'].max())}"
    seed = "" if facts["seed"] is None else f", seed {facts['seed']}"
    period = window(facts["window"], facts["batches"])
    over = f" (mean of {plural(facts['seeds'], 'seed')})" if facts["seeds"] > 1 else ""
    seen = [facts["shown"][name] for name in PANELS]
    here = ["–" if each["mean_run"] is None else fixed(each["mean_run"], 1) for each in seen]
    run = [f"{fixed(facts['mean_run'][name], 1)}" for name in PANELS]
    share = ["–" if each["together"] is None else percent(each["together"], 0) for each in seen]
    whole = [percent(facts["together"][name], 0) for name in PANELS]
    numbers = (
        f"In the batches shown, a weight keeps its direction for {here[0]} batches; with tossed signs for {here[1]}, "
        f"without momentum for {here[2]}. Two weights into one output unit that both move do so the same way in "
        f"{share[0]} of cases; with tossed signs in {share[1]}, without momentum in {share[2]}. In {period}{over} it "
        f"is {run[0]}, {run[1]} and {run[2]} batches, and {whole[0]}, {whole[1]} and {whole[2]} of cases."
    )
    return Words(
        title=f"{which} of {facts['layer']}, batch by batch",
        caption=(
            f"{which} of {layer} in {shown}{seed}: one row a weight, in matrix order, with a thin line between output "
            f"units; one column a batch. Red: up, blue: down, in full colour from {FULL:g} times the row’s own root "
            f"mean square. Top: {facts['main']}, as recorded. Middle: the same gradients through the same optimizer, "
            f"but a coin draws the sign of each. Bottom: {facts['control']}, as recorded. A row that keeps its colour "
            f"is a streak; a unit whose rows have one colour is a block. {numbers}"
        ),
        alt=(
            f"Three rasters of the updates of {thousands(weights)} weights of {layer} in {shown}, red up and blue "
            f"down: {facts['main']}; the same with tossed signs; {facts['control']}. {numbers}"
        ),
    )


def _units(table: Columns) -> NDArray[np.int64]:
    """Return the output unit of each row of a panel, (weights,)."""
    first = table["batch"] == table["batch"].min()
    units: NDArray[np.int64] = np.sort(table["out"][first]).astype(np.int64)
    return units


def _matrix(table: Columns) -> NDArray[np.float64]:
    """Return a panel's updates, (weights, batches), in root mean squares of their row."""
    order = np.lexsort((table["batch"], table["in"], table["out"]))
    matrix: NDArray[np.float64] = table["update"][order].reshape(len(_units(table)), -1)
    return matrix


def pixels(updates: NDArray[np.float64], ink: Ink) -> NDArray[np.uint8]:
    """Return the colour of each update, (…, 3): the sign's ink on paper, full from `FULL` on.

    The square root keeps small updates visible: what is to be seen is where a sign stays, not how large an update is.
    """
    strength = np.rint(np.sqrt(np.clip(np.abs(updates) / FULL, 0, 1)) * LEVELS)[..., None] / LEVELS
    paper, up, down = (np.array(to_rgb(colour)) for colour in (ink.paper, ink.increase, ink.decrease))
    signed = np.where(updates[..., None] > 0, up, down)
    found: NDArray[np.uint8] = np.rint(255 * (paper + strength * (signed - paper))).astype(np.uint8)
    return found


def _axes(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    """Add a panel at (left, top, width, height), CSS pixels, so that cells begin and end where pixels do."""
    left, top, width, height = box
    across, down = figure.get_size_inches() * PIXELS_PER_INCH
    panel = figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))
    panel.grid(visible=False)
    return panel


def _cells(panel: Axes, updates: NDArray[np.float64], ink: Ink, span: tuple[float, float]) -> None:
    """Fill a panel with one pixel a cell, which whatever shows it enlarges without smoothing."""
    panel.imshow(pixels(updates, ink), interpolation="none", aspect="auto", extent=(*span, len(updates), 0))
    panel.spines["bottom"].set_visible(False)


def _label_units(panel: Axes, units: NDArray[np.int64], high: float, ink: Ink) -> None:
    """Part the output units by thin lines, and write their numbers; `high` is a cell's height in CSS pixels."""
    starts = np.flatnonzero(np.diff(units, prepend=-1))
    middles = (starts + np.append(starts[1:], len(units))) / 2
    if len(units) * high >= LINE / 2 * len(starts):
        for start in starts[1:]:
            panel.axhline(start, color=ink.ink, linewidth=HAIR)
    every = max(int(np.ceil(LINE * len(starts) / (len(units) * high))), 1)
    panel.set_yticks(middles[::every], [str(unit) for unit in units[starts][::every]])
    panel.set_ylabel("output unit", labelpad=2)


def _scale(panel: Axes, ink: Ink) -> None:
    """Draw what the colours mean."""
    steps = np.arange(LEVELS, -LEVELS - 1, -1)[:, None] * FULL / LEVELS
    panel.imshow(pixels(steps, ink), interpolation="none", aspect="auto", extent=(0, 1, -FULL, FULL))
    panel.spines["bottom"].set_visible(False)
    panel.set_xticks([])
    panel.yaxis.tick_right()
    panel.set_yticks([-FULL, 0, FULL], [f"{MINUS}{FULL:g}", "0", f"+{FULL:g}"])
    heading(panel, "", "RMS")
