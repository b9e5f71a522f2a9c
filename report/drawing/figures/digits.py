"""The digits that the network looks at.

A reader learns what an input is: 28 × 28 grey values, and how differently people write the same ten digits.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from report.config import Experiment
from report.drawing.figures.sources import Columns, Facts, Tables, Words
from report.drawing.figures.style import PIXELS_PER_INCH, WIDTH, Ink
from report.wording import thousands

TABLES = ("digits",)
SIDE = 28  # pixels of a digit
FIRST = 196  # CSS pixels of the first image: seven a pixel of the digit
GAP = 6  # CSS pixels between neighbours
HEADING = 30  # CSS pixels above each row
BELOW = 26  # CSS pixels for the labels under the row
PER_ROW = 5


def facts(results: Mapping[str, Any], experiment: Experiment) -> Facts | None:
    """Return how many images of which data set there are."""
    return {key: results["data"][key] for key in ("title", "train", "validation")}


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw the first training image large, as the first article shows it, and one example of each class."""
    table = tables["digits"]
    small = (WIDTH - FIRST - 40 - (PER_ROW - 1) * GAP) // PER_ROW
    height = HEADING + FIRST + BELOW
    figure = Figure(figsize=(WIDTH / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
    figure.set_layout_engine("none")

    def place(left: float, top: float, side: float) -> Axes:
        return figure.add_axes((left / WIDTH, 1 - (top + side) / height, side / WIDTH, side / height))

    first = place(0, HEADING, FIRST)
    _show(first, table, 0)
    _write(figure, 0, HEADING - 10, height, "First training image", weight="bold")
    _write(figure, 0, height - 6, height, f"label {table['label'][0]}", color=ink.muted)
    left = WIDTH - PER_ROW * small - (PER_ROW - 1) * GAP
    _write(figure, left, HEADING - 10, height, "One of each class", weight="bold")
    for position in range(1, len(table["label"])):
        row, column = divmod(position - 1, PER_ROW)
        x = left + column * (small + GAP)
        top = HEADING + row * (FIRST - small)
        _show(place(x, top, small), table, position)
        below = top + small + 20
        _write(figure, x + small / 2, below, height, str(table["label"][position]), color=ink.muted, ha="center")
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    labels = tables["digits"]["label"]
    images = thousands(facts["train"])
    return Words(
        title="The digits",
        caption=(
            f"The first image of the training set, a {labels[0]}, as the first article shows it, and the first example "
            f"of each class. The network sees {SIDE} × {SIDE} grey values from 0 to 1 and is trained on {images} such "
            f"images; {thousands(facts['validation'])} others are held out for validation. Data: {facts['title']}."
        ),
        alt=(
            f"Handwritten digits, white on black, {SIDE} by {SIDE} pixels each: large, the first training image, a "
            f"{labels[0]}; beside it one example of each of the {len(labels) - 1} classes."
        ),
    )


def _show(panel: Axes, table: Columns, position: int) -> None:
    """Show one digit, white on black, every pixel a square."""
    pixels = [[table[f"pixel_{row * SIDE + column}"][position] for column in range(SIDE)] for row in range(SIDE)]
    panel.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="none")
    panel.set_axis_off()


def _write(figure: Figure, x: float, y: float, height: float, words: str, **how: Any) -> None:
    """Write on the sheet, CSS pixels from the top left corner to the start of the baseline."""
    figure.text(x / WIDTH, 1 - y / height, words, **{"va": "baseline", "ha": "left", **how})
