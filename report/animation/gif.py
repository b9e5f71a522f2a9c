"""Make frames into GIFs: one for light paper, one for dark, and a still poster of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.animation.palette import TRANSPARENT, Palette

Bytes = NDArray[np.uint8]

# A GIF starts with 13 bytes (signature, size, flags), then come the colours.
PALETTE_AT = slice(13, 13 + 768)


@dataclass(frozen=True)
class Movie:
    """Hold all that a GIF is made from.

    Attributes:
        palette: what the indices mean.
        frames: (height, width) uint8 colour indices, one picture after the other.
        poster: which frame, from 0, the poster shows.
        facts: numbers that captions state; JSON-able.
    """

    palette: Palette
    frames: Iterable[Bytes]
    poster: int
    facts: dict[str, Any]


@dataclass(frozen=True)
class Pictures:
    """Hold the finished files of a movie, and its size."""

    gif: dict[str, bytes]
    poster: dict[str, bytes]
    width: int
    height: int
    frames: int


def encode(movie: Movie, milliseconds: int) -> Pictures:
    """Return the movie as endlessly repeating GIFs, `light` and `dark`, with their posters.

    Every frame after the first holds the smallest rectangle that changed, transparent where nothing did. The two
    schemes share every index, so the dark GIF is the light one with other colours in its only palette.

    Raises:
        ValueError: when there is no frame.
    """
    from PIL import GifImagePlugin

    stream: list[bytes] = []
    poster: Bytes | None = None
    before: Bytes | None = None
    options = {"duration": milliseconds, "interlace": 0, "transparency": TRANSPARENT, "disposal": 1}
    count = 0
    for count, frame in enumerate(movie.frames, 1):
        if count - 1 == movie.poster:
            poster = frame
        if before is None:
            first = BytesIO()
            _image(frame, movie.palette.light).save(first, "GIF", optimize=False, loop=0, **options)
            stream.append(first.getvalue()[:-1])  # without the end mark
        else:
            part, offset = _changed(before, frame)
            stream += GifImagePlugin.getdata(_image(part, movie.palette.light), offset, **options)
        before = frame
    if before is None or poster is None:
        raise ValueError(f"{count} frames and a poster at {movie.poster}; at least one frame, and the poster's, wanted")
    light = b"".join([*stream, b";"])
    if light[PALETTE_AT] != movie.palette.light:
        raise ValueError("the GIF's palette is not where it was expected; was another Pillow installed?")
    dark = light[: PALETTE_AT.start] + movie.palette.dark + light[PALETTE_AT.stop :]
    stills = {scheme: _png(poster, getattr(movie.palette, scheme)) for scheme in ("light", "dark")}
    height, width = before.shape
    return Pictures({"light": light, "dark": dark}, stills, width, height, count)


def _changed(before: Bytes, after: Bytes) -> tuple[Bytes, tuple[int, int]]:
    """Return the smallest rectangle with all changes, transparent between them, and its left top corner (x, y)."""
    same = before == after
    rows = np.flatnonzero(~same.all(axis=1))
    if not len(rows):
        return np.full((1, 1), TRANSPARENT, np.uint8), (0, 0)
    columns = np.flatnonzero(~same.all(axis=0))
    area = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.where(same[area], np.uint8(TRANSPARENT), after[area]), (int(columns[0]), int(rows[0]))


def _image(indices: Bytes, colours: bytes) -> Any:
    """Return a Pillow image of (height, width) `indices` into 256 `colours`."""
    from PIL import Image

    image = Image.fromarray(indices)
    image.putpalette(colours)
    return image


def _png(indices: Bytes, colours: bytes) -> bytes:
    """Return a still picture as PNG."""
    file = BytesIO()
    _image(indices, colours).save(file, "PNG", optimize=True)
    return file.getvalue()
