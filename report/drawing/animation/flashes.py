"""How often pictures flash, and over how much of the eye's field: WCAG 2.3.1, general and red flashes, computed.

A flash is a pair of opposing changes. General: the relative luminance of a pixel rises and falls by a tenth of the
largest possible or more, while the darker of the two is below 0.80. Red: a pixel turns into a saturated red and out of
it again. Nothing may flash more than three times in any one second over a quarter or more of any ten degrees of the
field of vision, for which the guideline gives 341 × 256 pixels of a screen at its usual distance.

Where the guideline leaves room, the count here is the higher one: fields are taken a little larger than they are, a
change that creeps over many frames counts as much as a sudden one, and any step into or out of a saturated red counts,
however near the colours are. A picture that loops is followed past its end.

Source: Web Content Accessibility Guidelines 2.2, success criterion 2.3.1 and the definition of the thresholds.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

CHANGE = 0.1  # of relative luminance, from which on a change counts
DARKER_BELOW = 0.8  # relative luminance; changes between colours that are both brighter do not count
SATURATED = 0.8  # red's share of linear red, green and blue, from which on a red is saturated
FIELD = (341, 256)  # pixels across and down of ten degrees of vision
SHARE = 0.25  # of the field
MOST = 3  # flashes in a second
BLOCK = 8  # pixels; fields are moved by so much, and are whole blocks that hold the true field wherever it lies
NOWHERE = np.zeros((1, 1), np.bool_)  # no field, of however many
SLOW = 170  # milliseconds a frame: six changes a second are three flashes, whatever the pictures show


def linear(colours: Bytes) -> Floats:
    """Return (n, 3) linear red, green and blue, 0 to 1, of (n, 3) sRGB colours."""
    values = colours / 255.0
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colours: Bytes) -> Floats:
    """Return (n,) relative luminance, 0 (black) to 1 (white), of (n, 3) sRGB colours."""
    return np.asarray(linear(colours) @ np.array([0.2126, 0.7152, 0.0722]))


def saturated_red(colours: Bytes) -> Mask:
    """Return (n,) whether each of (n, 3) sRGB colours is a saturated red."""
    parts = linear(colours)
    total = parts.sum(axis=1)
    return np.asarray((total > 0) & (parts[:, 0] >= SATURATED * total))


class Meter:
    """Follow pictures one by one and count what flashes."""

    def __init__(self, colours: Bytes, milliseconds: float) -> None:
        """Expect pictures of indices into `colours`, (256, 3) uint8 sRGB, each of which stays so many milliseconds."""
        self._luminance = luminance(colours).astype(np.float32)
        self._red = saturated_red(colours)
        self.per_second = math.ceil(1000 / milliseconds)  # changes of picture in one second
        self._before: Bytes | None = None
        self._general = _Count(self.per_second)
        self._reds = _Count(self.per_second)

    def add(self, picture: Bytes) -> None:
        """Take the next (height, width) uint8 picture."""
        if self._before is None:
            self._before = picture.copy()
            first = self._luminance[picture].reshape(-1)
            # Brightest and darkest since the last change that counted; its direction, 0 before the first.
            self._high, self._low = first.copy(), first
            self._direction = np.zeros(picture.size, np.int8)
            return
        flat = picture.reshape(-1)
        places = np.flatnonzero(flat != self._before.reshape(-1))
        new, old = flat[places], self._before.reshape(-1)[places]
        self._general.add(picture.shape, *self._swings(places, self._luminance[new]))
        red, was = self._red[new], self._red[old]
        self._reds.add(picture.shape, places[red & ~was], places[was & ~red])
        self._before.reshape(-1)[places] = new

    def result(self) -> dict[str, Any]:
        """Return what flashes: `general` and `red`, each `per_second` and `area`, and whether that is `safe`.

        `area` is the largest share of a ten-degree field that changes at once; flashes of less than a quarter of it do
        not count, so `per_second` is 0 wherever `area` stays below.
        """
        counts = {"general": self._general.result(), "red": self._reds.result()}
        return {**counts, "safe": all(count["per_second"] <= MOST for count in counts.values())}

    def _swings(self, places: NDArray[np.int64], now: NDArray[np.float32]) -> tuple[NDArray[np.int64], ...]:
        """Return which of the pixels at `places`, with luminance `now`, have just risen, and which fallen."""
        high, low = np.maximum(self._high[places], now), np.minimum(self._low[places], now)
        direction = self._direction[places]
        fallen = (direction >= 0) & (high - now >= CHANGE) & (now < DARKER_BELOW)
        risen = (direction <= 0) & (now - low >= CHANGE) & (low < DARKER_BELOW) & ~fallen
        changed = fallen | risen
        self._high[places], self._low[places] = np.where(changed, now, high), np.where(changed, now, low)
        self._direction[places] = np.where(fallen, -1, np.where(risen, 1, direction))
        return places[risen], places[fallen]


class _Count:
    """Count flashes of pixels that change in two directions, in every field and every second."""

    def __init__(self, per_second: int) -> None:
        self._area = FIELD[0] * FIELD[1]
        self._blocks = tuple(math.ceil(side / BLOCK) + 1 for side in FIELD)  # across, down
        self._recent: deque[tuple[Mask, Mask]] = deque(maxlen=per_second)
        self._most = 0
        self._share = 0.0

    def add(self, shape: tuple[int, ...], up: NDArray[np.int64], down: NDArray[np.int64]) -> None:
        """Take the flat positions of the pixels of a picture of `shape` that changed in either direction."""
        if max(len(up), len(down)) <= min(self._share, SHARE / 2) * self._area:
            # Were all in one field, that would be no news. Most pictures are of this kind, and to count takes a while.
            self._recent.append((NOWHERE, NOWHERE))
            return
        shares = [self._shares(shape, places) for places in (up, down)]
        self._share = max(self._share, *(float(share.max()) for share in shares))
        self._recent.append((shares[0] >= SHARE, shares[1] >= SHARE))
        if shares[0].max() >= SHARE or shares[1].max() >= SHARE:
            # A flash needs one change of either direction.
            ups, downs = (sum(pair[side].astype(np.int64) for pair in self._recent) for side in (0, 1))
            self._most = max(self._most, int(np.minimum(ups, downs).max()))

    def result(self) -> dict[str, Any]:
        return {"per_second": self._most, "area": round(self._share, 4)}

    def _shares(self, shape: tuple[int, ...], places: NDArray[np.int64]) -> Floats:
        """Return, for every position of the field on a grid, which share of it the pixels at `places` take."""
        rows, columns = (-(-side // BLOCK) for side in shape)
        y, x = np.divmod(places, shape[1])
        block = (y // BLOCK) * columns + x // BLOCK
        amounts = np.bincount(block, minlength=rows * columns).reshape(rows, columns)
        total = np.zeros((rows + 1, columns + 1))
        total[1:, 1:] = amounts.cumsum(axis=0).cumsum(axis=1)
        across, down = min(self._blocks[0], columns), min(self._blocks[1], rows)
        sums = total[down:, across:] - total[:-down, across:] - total[down:, :-across] + total[:-down, :-across]
        return np.minimum(sums / self._area, 1.0)


def watcher(
    schemes: dict[str, Bytes], milliseconds: float
) -> tuple[Callable[[Bytes], None], Callable[[], dict[str, dict[str, Any]]]]:
    """Return a function to be told each picture, and one that then tells of each scheme what flashes (`Meter.result`).

    After the last picture comes the first again, as in a GIF that loops.

    Args:
        schemes: (256, 3) uint8 sRGB of each index, by scheme.
        milliseconds: how long a picture stays.
    """
    meters = {scheme: Meter(colours, milliseconds) for scheme, colours in schemes.items()}
    first: list[Bytes] = []

    def watch(picture: Bytes) -> None:
        for meter in meters.values():
            meter.add(picture)
        if len(first) <= next(iter(meters.values())).per_second:
            first.append(picture.copy())

    def results() -> dict[str, dict[str, Any]]:
        for picture in first:
            for meter in meters.values():
                meter.add(picture)
        return {scheme: meter.result() for scheme, meter in meters.items()}

    return watch, results
