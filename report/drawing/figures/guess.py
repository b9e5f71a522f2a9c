"""A piece of the raster twice, as recorded and with tossed signs: which is which?

A reader who has to choose finds out what tells a network from noise: not the streaks, which both have, but the blocks.
In the article the labels, at the lower end, are in sight once the reader has chosen (site_src/assets/hand).
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures import raster
from report.drawing.figures.sources import Facts, Labels, Tables, rows
from report.drawing.figures.style import WIDTH, Ink, axes_at, blank

TABLES = raster.TABLES
ORDER: Final = ("tossed", "recorded")  # from left to right: A and B
SHOWN: Final = 75  # batches, the last of the raster
CELL: Final = (3, 2)  # CSS pixels, width and height, as long as there is room
ROOM: Final = (225, 108)  # CSS pixels of a panel, width and height
LABEL: Final = 30  # CSS pixels below the panels, for their labels: as in site_src/assets/hand/hand.css


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return what the raster uses; None where there is none."""
    return raster.facts(results, table)


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw both panels side by side, whole output units of one layer, a cell a weight and batch."""
    table = rows(tables["raster"], layer=facts["layer"])
    count = _weights(rows(table, panel=ORDER[0]))
    batches = min(SHOWN, len(np.unique(table["batch"][table["panel"] == ORDER[0]])))
    wide = max(min(ROOM[0] // batches, 4 * CELL[0]), 1) * batches
    high = min(max(ROOM[1] // count, 1), 4 * CELL[1]) * count
    figure = blank(high + LABEL)
    for place, name in enumerate(ORDER):
        found = rows(table, panel=name)
        left = WIDTH * (1 + 2 * place) / 4 - wide / 2
        panel = axes_at(figure, (left, 0, wide, high))
        raster.fill(panel, raster.matrix(found)[:count, -batches:], ink, (0, batches))
        raster.part_units(panel, raster.units(found)[:count], ink)
        panel.set(xticks=[], yticks=[])
        label = panel.text(0.5, -LABEL / 2 / high, labels[name], ha="center", va="center", weight="bold")
        label.set_transform(panel.transAxes)
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return whose weights are shown, and how many batches."""
    table = rows(tables["raster"], layer=facts["layer"], panel=ORDER[0])
    return {
        "layer": facts["layer"],
        "weights": _weights(table),
        "batches": min(SHOWN, len(np.unique(table["batch"]))),
    }


def _weights(table: Mapping[str, Any]) -> int:
    """Return how many rows of a panel are shown: as many whole output units as have room, and at least one."""
    ends = np.append(np.flatnonzero(np.diff(raster.units(table))) + 1, len(raster.units(table)))
    return int(ends[ends * CELL[1] <= ROOM[1]].max(initial=ends[0]))
