"""What the overview figures of a report on one's own network share: a row a tensor, named where there is room."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from report.drawing.figures.style import PIXELS_PER_INCH, WIDTH, Ink, brief

LETTERS: Final = 19  # of a tensor's name
NAMES: Final = 168  # CSS pixels that they take
RIGHT: Final = 14  # CSS pixels
ROOM: Final = 400  # CSS pixels for all rows
ROW: Final = 17  # CSS pixels of a row that has a name
LEAST: Final = 60  # CSS pixels for all rows


def high(count: int, row: float = ROW) -> float:
    """Return how high `count` rows are, CSS pixels."""
    return float(max(min(count * row, ROOM), LEAST))


def rows_of(names: Sequence[str], inside: float, above: float, below: float, ink: Ink) -> tuple[Figure, Axes]:
    """Return a figure with a panel of a row a tensor, from the top down, and the panel; y is the place of the tensor.

    Args:
        names: of the tensors.
        inside: CSS pixels of all rows.
        above: CSS pixels above them.
        below: CSS pixels below them.
        ink: the colours.
    """
    height = inside + above + below
    figure = Figure(figsize=(WIDTH / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
    figure.set_layout_engine("none")
    box = (NAMES / WIDTH, below / height, 1 - (NAMES + RIGHT) / WIDTH, inside / height)
    panel = figure.add_axes(box)
    panel.grid(visible=False)
    panel.set_ylim(len(names) - 0.5, -0.5)
    places = labelled(names, inside)
    panel.set_yticks(places, [brief(names[place], LETTERS) for place in places])
    panel.tick_params(axis="y", labelcolor=ink.ink, pad=6)
    return figure, panel


def labelled(names: Sequence[str], inside: float) -> list[int]:
    """Return the places of the tensors whose names are written: all, or the first ones of modules as room allows."""
    least = (ROW - 1) / (inside / max(len(names), 1))  # rows from one name to the next
    if least <= 1:
        return list(range(len(names)))
    for depth in (3, 2, 1):
        heads = [".".join(name.split(".")[:depth]) for name in names]
        starts = [place for place in range(len(names)) if not place or heads[place] != heads[place - 1]]
        if len(starts) < 2 or min(np.diff(starts)) >= least:
            return starts
    found = [0]
    for place in starts:
        if place - found[-1] >= least:
            found.append(place)
    return found


def shortened(table: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the rows of a table that has a column `tensor`, by tensor, for those that are shown."""
    found: dict[str, Any] = {}
    for name in names:
        chosen = table["tensor"] == name
        found[name] = {key: values[chosen] for key, values in table.items()}
    return found
