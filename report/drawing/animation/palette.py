"""The colours of a GIF: two hues, or one, over the paper, and ink for what is written on it.

A picture is drawn once, as amounts: how much red, how much blue, how much ink covers the paper of each pixel. A
palette turns amounts into indices; the light and the dark scheme differ in the colours of these indices alone.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

SCHEMES: Final = {
    "light": {"paper": "#ffffff", "ink": "#1b1f24", "increase": "#c8102e", "decrease": "#1d4ed8", "amount": "#5b1a8b"},
    "dark": {"paper": "#14171c", "ink": "#e8eaed", "increase": "#ff6b6b", "decrease": "#6ea8fe", "amount": "#e3b5ff"},
}
TRANSPARENT: Final = 255  # the index that means "as in the frame before"; never a colour
MUTED: Final = 0.62  # ink at this strength for what is secondary
INKS = 12  # levels of ink: enough for the rims of letters
PURE = 64  # levels of a hue alone on the paper; most pixels are one of these
MIXED = 15  # levels of either hue where both cross
HELD = 0.032  # share of full cover by which a pixel may differ from what is wanted before it is sent anew
AMOUNTS = 64  # levels of the one-hue palette


@dataclass(frozen=True)
class Palette:
    """Map amounts to colour indices, and indices to the colours of both schemes.

    Attributes:
        hues: (256, 256) uint8, the index of [first hue, second hue] in 255ths of full cover.
        inks: (256,) uint8, the index of ink in 255ths of full cover.
        alike: (256, 256) bool, whether a pixel may keep its [old, new] index when the new one is wanted: a difference
            of one step of a hue, which nobody sees come, and which nobody sees stay.
        light: 768 bytes, red, green and blue of each index on light paper.
        dark: 768 bytes, the same for dark paper.
    """

    hues: Bytes
    inks: Bytes
    alike: NDArray[np.bool_]
    light: bytes
    dark: bytes

    def colours(self, scheme: str) -> Bytes:
        """Return (256, 3) uint8: red, green, blue of each index in the scheme `light` or `dark`."""
        return np.frombuffer(self.light if scheme == "light" else self.dark, np.uint8).reshape(256, 3)


def rgb(colour: str) -> Floats:
    """Return (3,) red, green and blue, 0 to 255, of `#rrggbb`."""
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], np.float64)


def two_hues(held: float = HELD) -> Palette:
    """Return the palette of increases and decreases: fine steps of each alone, coarse ones where they cross.

    Args:
        held: share of full cover by which a pixel may differ from what is wanted before it is sent anew.
    """
    pure = np.arange(1, PURE + 1) / PURE
    zero = np.zeros(PURE)
    mixed = [(i / MIXED, j / MIXED) for i in range(1, MIXED) for j in range(1, MIXED - i + 1)]
    points = np.concatenate([[(0.0, 0.0)], np.c_[pure, zero], np.c_[zero, pure], mixed])
    return _palette(points, ("increase", "decrease"), held)


def one_hue(held: float = HELD) -> Palette:
    """Return the palette of an amount that has no sign: even steps from paper to the full hue."""
    levels = np.arange(AMOUNTS + 1) / AMOUNTS
    return _palette(np.c_[levels, np.zeros(AMOUNTS + 1)], ("amount", "amount"), held)


def _palette(points: Floats, names: tuple[str, str], held: float) -> Palette:
    """Build a palette from the (n, 2) amounts of two hues that it can show."""
    inks = np.arange(1, INKS + 1) / INKS
    first_ink = len(points)
    if first_ink + INKS > TRANSPARENT:
        raise ValueError(f"{first_ink + INKS} colours; a GIF has room for {TRANSPARENT} beside the transparent one")
    tables = {}
    for scheme, colours in SCHEMES.items():
        paper, ink = rgb(colours["paper"]), rgb(colours["ink"])
        hues = np.stack([rgb(colours[name]) - paper for name in names])
        table = np.zeros((256, 3))
        table[:] = paper
        table[:first_ink] = paper + points @ hues
        table[first_ink : first_ink + INKS] = paper + inks[:, None] * (ink - paper)
        tables[scheme] = np.rint(table).astype(np.uint8).tobytes()
    ink_index = np.rint(np.arange(256) / 255 * INKS).astype(int)
    return Palette(
        hues=_nearest(points),
        inks=np.where(ink_index > 0, first_ink + ink_index - 1, 0).astype(np.uint8),
        alike=_alike(points, held),
        light=tables["light"],
        dark=tables["dark"],
    )


def _alike(points: Floats, held: float) -> NDArray[np.bool_]:
    """Return (256, 256) bool: which indices of the (n, 2) `points` lie so close that [old] may stand for [new]."""
    alike = np.eye(256, dtype=bool)
    distance = np.abs(points[:, None] - points[None, :]).max(axis=2)
    alike[: len(points), : len(points)] = distance <= held
    # What has faded away must be gone: traces would gather on the paper.
    alike[1:, 0] = False
    return alike


def _nearest(points: Floats) -> Bytes:
    """Return (256, 256) uint8: for every pair of amounts in 255ths the index of the nearest of (n, 2) `points`."""
    levels = np.arange(256) / 255
    nearest = np.zeros((256, 256), np.uint8)
    smallest = np.full((256, 256), np.inf)
    for index, (first, second) in enumerate(points):
        distance = (levels[:, None] - first) ** 2 + (levels[None, :] - second) ** 2
        closer = distance < smallest
        nearest[closer] = index
        smallest[closer] = distance[closer]
    return nearest
