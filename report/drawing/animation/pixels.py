"""The first layer as the picture that it looks at: how much the weights of each pixel move.

A reader learns which part of the image a batch has something to say about, and which pixels hardly ever move.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from report.drawing.animation import colour
from report.drawing.animation.gif import Movie
from report.drawing.animation.overlay import BASELINE, LABEL, LABEL_WIDTH, SMALL, SOFT, BatchLabel, Overlay
from report.drawing.animation.palette import HELD, Palette, one_hue
from report.wording import digits

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

ACROSS = 448  # pixels of the GIF that the larger side of the picture takes
STRENGTHS = 16  # levels of colour that an eye tells apart
LEFT, TOP, BELOW = 26, 70, 104  # pixels beside, above and below the picture


def movie(
    amounts: Floats,
    batches: Sequence[int],
    layer: str,
    shape: tuple[int, int],
    picture: tuple[int, ...],
    coarse: int = 1,
) -> Movie:
    """Return the animation of the amounts by which pixels' weights moved.

    Args:
        amounts: (frames, pixels) mean |Δ| over the weights that leave one pixel, in one batch.
        batches: (frames,) the batch that each frame shows.
        layer: its name.
        shape: (outputs, pixels).
        picture: rows and columns of pixels.
        coarse: by how much longer colours are held, for a smaller file.
    """
    top = colour.end_of_scale(amounts)
    poster = int(np.argmax([variety(row, top) for row in amounts]))
    facts = {
        "outputs": shape[0],
        "rows": picture[0],
        "columns": picture[1],
        "pixels": shape[1],
        "still": int((~amounts.any(axis=0)).sum()),
        "top": top,
        "beyond": float((amounts > top).mean()),
    }
    palette = one_hue(coarse * HELD)
    return Movie(palette, _frames(amounts, top, batches, layer, shape, picture, palette), poster, facts)


def variety(amounts: Floats, top: float) -> float:
    """Return the entropy of a frame's strengths of colour, (pixels,) `amounts`, in bits: most where most is seen."""
    if top <= 0:
        return 0.0
    share = np.histogram(np.minimum(amounts / top, 1), bins=STRENGTHS, range=(0, 1))[0] / amounts.size
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def _frames(
    amounts: Floats,
    top: float,
    batches: Sequence[int],
    layer: str,
    shape: tuple[int, int],
    picture: tuple[int, ...],
    palette: Palette,
) -> Iterator[Bytes]:
    """Draw one picture a row of `amounts`."""
    cell = max(1, ACROSS // max(picture))
    down, across = cell * picture[0], cell * picture[1]
    # A narrow picture still needs room for the words around it.
    width, height = max(across, ACROSS) + 2 * LEFT, down + TOP + BELOW
    left, right, base = (width - across) // 2, width - LEFT, TOP + down
    overlay = Overlay(width, height, palette)
    sheet = overlay.sheet
    name = sheet.text(right, BASELINE, f"{shape[1]:,} → {shape[0]:,}", SMALL, muted=SOFT, at="right")
    sheet.text_within(name - 10, BASELINE, layer, LABEL, name - LEFT - LABEL_WIDTH, bold=True, at="right")
    overlay.frame(left, TOP, across, down)
    ramp = palette.hues[np.linspace(0, 255, right - LEFT).round().astype(int), 0]
    overlay.block(LEFT, base + 22, np.tile(ramp, (12, 1)))
    overlay.frame(LEFT, base + 22, right - LEFT, 12)
    sheet.text(LEFT, base + 56, "0", SMALL, muted=SOFT)
    sheet.text(right, base + 56, f"≥ {digits(top, 2)}" if top else "0", SMALL, muted=SOFT, at="right")
    sheet.text(width / 2, base + 84, "|Δ|", SMALL, muted=SOFT, at="centre")
    positions, values = overlay.finish()
    label = BatchLabel(LEFT, batches[-1], palette)
    for row, batch in zip(amounts, batches, strict=True):
        share = np.minimum(row / top, 1) if top > 0 else np.zeros_like(row)
        cells = palette.hues[np.rint(share * 255).astype(int), 0].reshape(picture)
        frame = np.zeros((height, width), np.uint8)
        frame[TOP:base, left : left + across] = cells.repeat(cell, axis=0).repeat(cell, axis=1)
        frame.reshape(-1)[positions] = values
        label.stamp(frame, batch)
        yield frame
