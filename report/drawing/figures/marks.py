"""What figures are drawn with: lines from zero, dots, cells; each in few elements, so that files stay small."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from report.drawing.figures.style import Ink

INVISIBLE: Final = 0.002  # share of the largest update below which a line from zero is too short to see


def stems(panel: Axes, batches: NDArray[Any], updates: NDArray[Any], ink: Ink, room: float = 410) -> None:
    """Draw each update as a line from zero, in the colour of its sign.

    Args:
        panel: where.
        batches: (n,) the batch of each.
        updates: (n,) in the panel's unit.
        ink: the colours.
        room: CSS pixels that the x axis takes; decides how wide the lines are.
    """
    width = min(max(0.55 * room / max(len(batches), 1), 0.45), 3.0)
    seen = np.abs(updates) > INVISIBLE * np.abs(updates).max(initial=0)
    for signed, colour in ((seen & (updates > 0), ink.increase), (seen & (updates < 0), ink.decrease)):
        count = int(signed.sum())
        x = np.repeat(batches[signed].astype(float), 3)
        y = np.zeros(3 * count)
        y[1::3] = updates[signed]
        y[2::3] = np.nan  # lifts the pen: one path, not one element a line
        panel.plot(x, y, color=colour, linewidth=width, solid_capstyle="butt")
    panel.axhline(0, color=ink.muted, linewidth=0.7)


class Dots(Line2D):
    """Draw a dot at each point, all in one path: lines as good as without length, with round ends.

    Markers would be an element each and make a vector file several times as large. Where an image is made instead,
    they are the only ones that show: `as_markers`.
    """

    def as_markers(self) -> None:
        """Become dots for a renderer that draws nothing where a line has no length."""
        self.set(linestyle="none", marker="o", markersize=self.get_linewidth(), markeredgewidth=0)


def dots(panel: Axes, x: ArrayLike, y: ArrayLike, colour: str, size: float = 4.0, zorder: float = 3) -> None:
    """Draw a dot of `size` points at each (x, y); none where a value is missing."""
    across, up = np.repeat(np.asarray(x, float), 3), np.repeat(np.asarray(y, float), 3)
    up[2::3] = np.nan  # lifts the pen
    across[1::3] *= 1 + 1e-9
    panel.add_line(Dots(across, up, color=colour, linewidth=size, solid_capstyle="round", zorder=zorder))
    panel.autoscale_view()


class Cells(AxesImage):
    """Draw one pixel a cell, which whatever shows it enlarges without smoothing; in any ink.

    Attributes:
        paint: returns the colours, (height, width, 3) uint8, in an ink.
    """

    def __init__(self, panel: Axes, paint: Callable[[Ink], NDArray[np.uint8]], **how: Any) -> None:
        """Keep how it is painted."""
        super().__init__(panel, interpolation="none", **how)
        self.paint = paint


def cells(
    panel: Axes,
    paint: Callable[[Ink], NDArray[np.uint8]],
    ink: Ink,
    extent: tuple[float, float, float, float],
) -> None:
    """Fill a panel with cells, from left to right and from bottom to top of `extent`, in data units."""
    image = Cells(panel, paint, extent=extent)
    image.set_data(paint(ink))
    image.set_clip_path(panel.patch)
    image.set_extent(extent)  # the panel's limits follow
    panel.set_aspect("auto")
    panel.add_image(image)
    panel.grid(visible=False)
    panel.spines["bottom"].set_visible(False)
