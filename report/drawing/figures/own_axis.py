"""What the overview figures of a report on one's own network share: a row a tensor, named where there is room."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from report.drawing.figures.style import WIDTH, Ink, blank, briefs
from report.wording import SUPERSCRIPTS, thousands

LETTERS: Final = 17  # of a tensor's name
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
    figure = blank(height)
    box = (NAMES / WIDTH, below / height, 1 - (NAMES + RIGHT) / WIDTH, inside / height)
    panel = figure.add_axes(box)
    panel.grid(visible=False)
    panel.set_ylim(len(names) - 0.5, -0.5)
    places = labelled(names, inside)
    panel.set_yticks(list(places), briefs(list(places.values()), LETTERS))
    panel.tick_params(axis="y", labelcolor=ink.ink, pad=6)
    return figure, panel


def labelled(names: Sequence[str], inside: float) -> dict[int, str]:
    """Return which rows have a name, and which: all tensors, or where there is no room the beginnings of modules.

    Outer modules come first, and inner ones where there is room left.
    """
    least = (ROW - 1) / (inside / max(len(names), 1))  # rows from one name to the next
    if least <= 1:
        return dict(enumerate(names))
    found: dict[int, str] = {}
    for depth in (1, 2, 3):
        heads = [".".join(name.split(".")[:depth]) for name in names]
        for place, name in enumerate(names):
            is_start = not place or heads[place] != heads[place - 1]
            if is_start and all(abs(place - other) >= least for other in found):
                found[place] = ".".join(name.split(".")[: max(depth, 2)])
    return found


def shortened(table: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the rows of a table that has a column `tensor`, by tensor, for those that are shown."""
    found: dict[str, Any] = {}
    for name in names:
        chosen = table["tensor"] == name
        found[name] = {key: values[chosen] for key, values in table.items()}
    return found


def logarithmic(panel: Axes, ticks: int = 4) -> None:
    """Make the y axis logarithmic, with few ticks: 0.1 to 100 as they are, other powers of ten as 10ⁿ."""
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(numticks=ticks))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))


def power_of_ten(value: float) -> str:
    """Write a power of ten; nothing for what is none."""
    if value <= 0:
        return ""
    places = round(float(np.log10(value)))
    plain = thousands(value) if value >= 1 else f"{value:g}"
    return plain if -1 <= places <= 2 else f"10{str(places).translate(SUPERSCRIPTS)}"


def recording_of(results: Mapping[str, Any]) -> str | None:
    """Return the name of the recording that a picture is of; None where there is no other."""
    runs = sum(len(each) for each in results["study"]["runs"].values())
    return str(results["main"]) if runs > 1 else None
