"""A sheet of pixels that matplotlib's Agg draws on, without a figure and its axes around it.

Agg draws amounts, not colours: the red channel of a black sheet ends as the share of a pixel that the first hue
covers, the blue channel as that of the second. The same straight-alpha rule as a browser's canvas applies.
"""

from typing import Literal

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import LineCollection
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle
from matplotlib.transforms import IdentityTransform
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Alignment = Literal["left", "centre", "right"]

DOTS = 72  # dots an inch: a point is a pixel
BLACK = np.frombuffer(b"\0\0\0\xff", np.uint32)[0]  # opaque, whatever the byte order


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
        self.pixels.view(np.uint32)[...] = BLACK

    def lines(self, segments: NDArray[np.float64], colours: NDArray[np.float64], width: float) -> None:
        """Draw straight lines, one over the other in the order given.

        Args:
            segments: (n, 2, 2) both ends, x and y, pixels from the top left corner.
            colours: (n, 4) red, green, blue, alpha, 0 to 1.
            width: pixels.
        """
        if not len(segments):
            return
        flipped = segments.copy()
        flipped[..., 1] = self._height - flipped[..., 1]
        collection = LineCollection(
            list(flipped), colors=colours, linewidths=width, transform=IdentityTransform(), antialiaseds=True
        )
        # Snapping would move level lines to whole pixels, which a browser's canvas does not.
        collection.set_snap(False)
        collection.draw(self._renderer)

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
        font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
        width, _, _ = self._renderer.get_text_width_height_descent(words, font, False)
        start = x - {"left": 0.0, "centre": width / 2, "right": width}[at]
        context = self._renderer.new_gc()
        context.set_foreground((muted, 0.0, 0.0))
        self._renderer.draw_text(context, round(start), round(y), words, font, 0)
        context.restore()
        return round(start)
