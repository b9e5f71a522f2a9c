"""A sheet of pixels that matplotlib's Agg draws on, without a figure and its axes around it.

Agg draws amounts, not colours: the red channel of a black sheet ends as the share of a pixel that the first hue
covers, the blue channel as that of the second. The same straight-alpha rule as a browser's canvas applies.
"""

import functools
from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import LineCollection
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Alignment = Literal["left", "centre", "right"]

SMALLEST = 11  # pixels an em, below which words are not shrunk
DOTS = 72  # dots an inch: a point is a pixel
LITTLE = "<u4"  # a pixel as one number: red in its lowest byte, whatever the machine's own order
BLACK = 0xFF000000  # opaque


class Lines(LineCollection):
    """Prepare straight lines for a sheet: to make Agg's paths takes longer than to draw them."""

    def __init__(self, segments: NDArray[np.float64], width: float, height: int) -> None:
        """Take (n, 2, 2) `segments`, both ends, x and y in pixels from the top left corner of a sheet `height` high."""
        super().__init__([], linewidths=width, transform=IdentityTransform(), antialiaseds=True)
        flipped = segments.copy()
        flipped[..., 1] = height - flipped[..., 1]
        self._every = [Path(ends) for ends in flipped]
        self._chosen = self._every
        # Snapping would move level lines to whole pixels, which a browser's canvas does not.
        self.set_snap(False)

    def choose(self, places: NDArray[np.int64], colours: NDArray[np.float64]) -> None:
        """Let only the (n,) lines at `places` be drawn, in this order, with (n, 4) red, green, blue, alpha, 0 to 1."""
        self._chosen = [self._every[place] for place in places]
        self.set_color(cast(Any, colours))  # arrays are taken, whatever the annotation says

    def get_paths(self) -> Sequence[Path]:
        """Return the chosen lines; matplotlib asks for them when it draws."""
        return self._chosen


class Sheet:
    """Draw lines, circles and words as amounts of ink and hue."""

    def __init__(self, width: int, height: int) -> None:
        """Make an empty sheet of `width` × `height` pixels."""
        self._renderer = RendererAgg(width, height, DOTS)
        self._height = height
        self.pixels: Bytes = np.asarray(self._renderer.buffer_rgba())
        self.clear()

    def clear(self) -> None:
        """Remove everything that was drawn."""
        self.pixels.view(LITTLE)[...] = BLACK

    def lines(self, lines: Lines, chosen: NDArray[np.int64], colours: NDArray[np.float64]) -> None:
        """Draw some of the prepared lines, one over the other in the order given.

        Args:
            lines: prepared once, for any number of pictures.
            chosen: (n,) which of them.
            colours: (n, 4) red, green, blue, alpha, 0 to 1.
        """
        if len(chosen):
            lines.choose(chosen, colours)
            lines.draw(self._renderer)

    def indices(self, hues: Bytes) -> Bytes:
        """Return (height, width) uint8: `hues`, (256, 256), of the amounts of red and blue in each pixel."""
        picture = np.full(self.pixels.shape[:2], hues[0, 0], np.uint8)
        # Most of a sheet is empty; to look up every pixel would take as long as to draw.
        every = self.pixels.view(LITTLE).reshape(-1)
        places = np.flatnonzero(every != BLACK)
        amounts = every[places]
        picture.reshape(-1)[places] = hues.reshape(-1)[(amounts & 255) << 8 | amounts >> 16 & 255]
        return picture

    def circle(self, x: float, y: float, radius: float, fill: str, rim: str | None = None) -> None:
        """Draw a filled circle, and its rim one pixel wide if that has a colour."""
        circle = Circle(
            (x, self._height - y), radius, facecolor=fill, edgecolor=rim or "none", linewidth=1 if rim else 0
        )
        circle.set_transform(IdentityTransform())
        circle.set_snap(False)
        circle.draw(self._renderer)

    def text(
        self, x: float, y: float, words: str, size: int, *, bold: bool = False, muted: float = 1, at: Alignment = "left"
    ) -> int:
        """Write `words` with the baseline at `y`, as an amount of red; return the x at which they start.

        Args:
            x: pixels from the left, of the start, the middle or the end of the words, as `at` says.
            y: pixels from the top.
            words: one line.
            size: pixels an em.
            bold: whether in bold type.
            muted: strength of the ink, 0 to 1.
            at: what of the words stands at x.
        """
        if not words:
            return round(x)
        font = _font(size, bold)
        # To measure takes as long as to draw.
        start = x if at == "left" else x - self.width(words, size, bold=bold) / (2 if at == "centre" else 1)
        context = self._renderer.new_gc()
        context.set_foreground((muted, 0.0, 0.0))
        self._renderer.draw_text(context, round(start), round(y), words, font, 0)
        context.restore()
        return round(start)

    def text_within(
        self, x: float, y: float, words: str, size: int, most: float, *, bold: bool = False, at: Alignment = "left"
    ) -> None:
        """Write `words` smaller, and in the end without their beginning, where they would take more than `most`."""
        while size > SMALLEST and self.width(words, size, bold=bold) > most:
            size -= 1
        whole = words
        while len(whole) > 1 and self.width(words, size, bold=bold) > most:
            whole = whole[1:]
            words = f"…{whole}"
        self.text(x, y, words, size, bold=bold, at=at)

    def width(self, words: str, size: int, *, bold: bool = False) -> float:
        """Return how many pixels `words` take."""
        if not words:
            return 0.0
        return float(self._renderer.get_text_width_height_descent(words, _font(size, bold), False)[0])


@functools.cache
def _font(size: int, bold: bool) -> FontProperties:
    """Return the one family that comes with matplotlib, so that every machine draws the same pixels."""
    return FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
