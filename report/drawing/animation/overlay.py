"""What lies over the moving part of every frame: names, signs, the number of the batch.

No words: one animation serves every language.
"""

import numpy as np
from numpy.typing import NDArray

from report.drawing.animation.palette import Palette
from report.drawing.animation.sheet import SMALLEST, Sheet

Bytes = NDArray[np.uint8]

LABEL = 21  # pixels an em of the batch number; 15 on a phone, which shows 500 pixels on about 358
SMALL = 17  # of what else is written; 12 on a phone
TINY = 15  # of the numbers of nodes
SHOWN = 760  # pixels of height up to which these are enough: a page shows a higher picture smaller
SOFT = 0.8  # ink of what is secondary
LABEL_WIDTH = 190  # pixels kept for the batch number
BASELINE = 46  # pixels from the top, of the line above the picture
HIDES = "#00ff00"  # green marks what covers the edges; red is the ink on it


def sized(size: int, height: int) -> int:
    """Return a size of type, one of those above, for a picture of `height` pixels."""
    return round(size * max(1.0, height / SHOWN))


class Overlay:
    """Gather what every frame has in common, then lay it over each."""

    def __init__(self, width: int, height: int, palette: Palette) -> None:
        """Start with nothing on a picture of `width` × `height` pixels."""
        self.sheet = Sheet(width, height)
        self._small = sized(SMALL, height)
        self._palette = palette
        self._blocks: list[tuple[tuple[slice, slice], Bytes]] = []

    def block(self, left: int, top: int, indices: Bytes) -> None:
        """Put a rectangle of (height, width) colour indices with its corner at `left`, `top`."""
        height, width = indices.shape
        self._blocks.append((np.s_[top : top + height, left : left + width], indices))

    def frame(self, left: int, top: int, width: int, height: int) -> None:
        """Draw a hairline around a rectangle whose empty cells are as white, or as black, as the paper."""
        line = np.full((1, 1), self._palette.inks[round(255 * 0.3)], np.uint8)
        for y in (top - 1, top + height):
            self.block(left - 1, y, line.repeat(width + 2, axis=1))
        for x in (left - 1, left + width):
            self.block(x, top - 1, line.repeat(height + 2, axis=0))

    def signs(self, right: int) -> None:
        """Show which way red and blue go on the line above the picture, ending at x = `right`."""
        for arrow, hue in (("↓", (0, 255)), ("↑", (255, 0))):
            start = self.sheet.text(right, BASELINE, arrow, self._small, muted=SOFT, at="right")
            self.block(start - 24, BASELINE - 8, np.full((4, 18), self._palette.hues[hue], np.uint8))
            right = start - 42

    def finish(self) -> tuple[NDArray[np.int64], Bytes]:
        """Return the flat positions of the pixels that the overlay covers, and their indices."""
        red, green = self.sheet.pixels[..., 0], self.sheet.pixels[..., 1]
        picture = self._palette.inks[red]
        covered = (green > 127) | (red > 0)
        for area, indices in self._blocks:
            picture[area] = indices
            covered[area] = True
        positions = np.flatnonzero(covered)
        return positions, picture.reshape(-1)[positions]


class BatchLabel:
    """Write the number of the batch, and that of the last one, on the line above the picture."""

    def __init__(self, left: int, last: int, palette: Palette, size: int = LABEL) -> None:
        """Take the place from x = `left` on, where nothing else is drawn; no batch comes after `last`."""
        top, bottom, width = BASELINE - 24, BASELINE + 12, LABEL_WIDTH
        self._area = np.s_[top:bottom, left : left + width]
        self._sheet = Sheet(width, bottom - top)
        self._baseline = BASELINE - top
        self._palette = palette
        self._last = f"{last:,}"
        self._size = size
        while self._size > SMALLEST and self._sheet.width(self._text(last), self._size, bold=True) > width:
            self._size -= 1

    def stamp(self, picture: Bytes, batch: int) -> None:
        """Write `batch` into (height, width) `picture`."""
        self._sheet.clear()
        self._sheet.text(0, self._baseline, self._text(batch), self._size, bold=True)
        picture[self._area] = self._palette.inks[self._sheet.pixels[..., 0]]

    def _text(self, batch: int) -> str:
        return f"{batch:,} / {self._last}"
