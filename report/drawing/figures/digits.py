"""The images that the network looks at.

A reader learns what an input is: a grid of grey values, and how different images of one class are.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from report.analysis.table import Table
from report.drawing.figures.sources import Columns, Facts, Labels, Tables
from report.drawing.figures.style import WIDTH, Ink, blank, embolden

TABLES = ("digits",)
FIRST = 168  # CSS pixels of the first image: six a pixel of a digit of MNIST
GAP = 6  # CSS pixels between neighbours
HEADING = 30  # CSS pixels above each row
BELOW = 26  # CSS pixels for the labels under the row
ROWS = 2  # of examples
DATA = {"source", "title", "train", "validation", "shape"}  # what is told of the data


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return how many images of which size and data set there are; None where no image was attached."""
    data = results["data"]
    if not data.keys() >= DATA or len(data["shape"]) != 2:
        return None
    return {key: data[key] for key in sorted(DATA)}


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw the first training image large, as the first article shows it, and one example of each class."""
    table = tables["digits"]
    across = math.ceil((len(table["label"]) - 1) / ROWS)
    small = (WIDTH - FIRST - 24 - (across - 1) * GAP) // across
    height = HEADING + FIRST + BELOW
    figure = blank(height)

    def place(left: float, top: float, side: float) -> Axes:
        return figure.add_axes((left / WIDTH, 1 - (top + side) / height, side / WIDTH, side / height))

    first = place(0, HEADING, FIRST)
    _show(first, table, 0, facts["shape"])
    embolden(_write(figure, 0, HEADING - 10, height, labels["first"]))
    _write(figure, 0, height - 6, height, labels["label"].format(label=table["label"][0]), color=ink.muted)
    left = WIDTH - across * small - (across - 1) * GAP
    embolden(_write(figure, left, HEADING - 10, height, labels["each"]))
    for position in range(1, len(table["label"])):
        row, column = divmod(position - 1, across)
        x = left + column * (small + GAP)
        top = HEADING + row * (FIRST - small)
        _show(place(x, top, small), table, position, facts["shape"])
        below = top + small + 20
        _write(figure, x + small / 2, below, height, str(table["label"][position]), color=ink.muted, ha="center")
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the size and the number of the images, and what the first one shows."""
    labels = tables["digits"]["label"]
    rows, columns = facts["shape"]
    return {
        **{key: facts[key] for key in ("source", "title", "train", "validation")},
        "rows": rows,
        "columns": columns,
        "label": str(labels[0]),
        "classes": len(labels) - 1,
    }


def _show(panel: Axes, table: Columns, position: int, shape: tuple[int, int]) -> None:
    """Show one image, white on black, every pixel a square."""
    pixels = np.array([table[f"pixel_{place}"][position] for place in range(math.prod(shape))])
    panel.imshow(pixels.reshape(shape), cmap="gray", vmin=0, vmax=255, interpolation="none")
    panel.set_axis_off()


def _write(figure: Figure, x: float, y: float, height: float, words: str, **how: Any) -> Text:
    """Write on the sheet, CSS pixels from the top left corner to the start of the baseline."""
    return figure.text(x / WIDTH, 1 - y / height, words, **{"va": "baseline", "ha": "left", **how})
