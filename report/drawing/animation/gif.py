"""Make frames into GIFs: one for light paper, one for dark, and a still poster of each."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.drawing.animation.palette import TRANSPARENT, Palette

Bytes = NDArray[np.uint8]

# A GIF starts with 13 bytes (signature, size, flags), then come the colours.
SHORTEST = 20  # milliseconds; browsers slow down what is shorter
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
    """Hold the finished files of a movie, its size in pixels, and how long a frame stays."""

    gif: dict[str, bytes]
    poster: dict[str, bytes]
    width: int
    height: int
    frames: int
    milliseconds: int


def encode(movie: Movie, milliseconds: int, watch: Callable[[Bytes], None] | None = None) -> Pictures:
    """Return the movie as endlessly repeating GIFs, `light` and `dark`, with their posters.

    Every frame after the first holds the smallest rectangle that changed visibly, transparent where nothing did. The
    two schemes share every index, so the dark GIF is the light one with other colours in its only palette.

    Args:
        movie: what is shown.
        milliseconds: how long a frame stays; GIFs count in hundredths of a second.
        watch: told every picture as it is shown, (height, width) uint8 colour indices, which it must not keep.

    Raises:
        ValueError: when there is no frame.
    """
    from PIL import GifImagePlugin

    milliseconds = max(SHORTEST, milliseconds // 10 * 10)
    stream: list[bytes] = []
    poster: Bytes | None = None
    shown: Bytes | None = None
    options = {"duration": milliseconds, "interlace": 0, "transparency": TRANSPARENT, "disposal": 1}
    count = 0
    for count, frame in enumerate(movie.frames, 1):
        if shown is None:
            shown = frame.copy()
            first = BytesIO()
            _image(shown, movie.palette.light).save(first, "GIF", optimize=False, loop=0, **options)
            stream.append(first.getvalue()[:-1])  # without the end mark
        else:
            part, offset = _update(shown, frame, movie.palette)
            stream += GifImagePlugin.getdata(_image(part, movie.palette.light), offset, **options)
        if watch is not None:
            watch(shown)
        if count - 1 == movie.poster:
            poster = shown.copy()
    if shown is None or poster is None:
        raise ValueError(f"{count} frames and a poster at {movie.poster}; at least one frame, and the poster's, wanted")
    light = b"".join([*stream, b";"])
    if light[PALETTE_AT] != movie.palette.light:
        raise ValueError("the GIF's palette is not where it was expected; was another Pillow installed?")
    dark = light[: PALETTE_AT.start] + movie.palette.dark + light[PALETTE_AT.stop :]
    height, width = shown.shape
    stills = _stills(poster, movie.palette)
    return Pictures({"light": light, "dark": dark}, stills, width, height, count, milliseconds)


def _update(shown: Bytes, wanted: Bytes, palette: Palette) -> tuple[Bytes, tuple[int, int]]:
    """Bring `shown` up to what is `wanted`, both (height, width), where anybody would see the difference.

    Returns:
        The smallest rectangle with all changes, transparent between them, and its left top corner (x, y).
    """
    places = np.flatnonzero(shown != wanted)
    old, new = shown.reshape(-1)[places], wanted.reshape(-1)[places]
    visible = ~palette.alike[old, new]
    places, new = places[visible], new[visible]
    if not len(places):
        return np.full((1, 1), TRANSPARENT, np.uint8), (0, 0)
    shown.reshape(-1)[places] = new
    rows, columns = np.divmod(places, shown.shape[1])
    top, left = int(rows[0]), int(columns.min())
    part = np.full((int(rows[-1]) + 1 - top, int(columns.max()) + 1 - left), TRANSPARENT, np.uint8)
    part[rows - top, columns - left] = new
    return part, (left, top)


def _image(indices: Bytes, colours: bytes) -> Any:
    """Return a Pillow image of (height, width) `indices` into 256 `colours`."""
    from PIL import Image

    image = Image.fromarray(indices)
    image.putpalette(colours)
    return image


def _stills(indices: Bytes, palette: Palette) -> dict[str, bytes]:
    """Return a still picture as PNG in both schemes, which differ in the chunk that holds the colours."""
    file = BytesIO()
    _image(indices, palette.light).save(file, "PNG", optimize=True)
    light = file.getvalue()
    chunks = [b"PLTE" + colours for colours in (palette.light, palette.dark)]
    old, new = (chunk + zlib.crc32(chunk).to_bytes(4, "big") for chunk in chunks)
    if light.count(old) != 1:
        raise ValueError("the PNG's palette is not where it was expected; was another Pillow installed?")
    return {"light": light, "dark": light.replace(old, new)}
