"""A layer with too many weights for lines, as its matrix: one cell a weight, coloured as the edges are.

A reader learns that an update is not a heap of independent numbers: whole rows and columns move together.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from report.drawing.animation import colour
from report.drawing.animation.gif import Movie
from report.drawing.animation.overlay import LABEL, SMALL, SOFT, BatchLabel, Overlay, sized
from report.drawing.animation.palette import Palette, two_hues

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Signed = Callable[[], Iterator[Floats]]

ACROSS, DOWN = 448, 1000  # pixels that the matrix may take, unless it has more cells than that
LEVELS = 8  # of colour, so that the file stays small; no eye tells more apart in so small a cell
LEFT, TOP, BELOW = 26, 70, 72  # pixels beside, above and below it


def movie(signed: Signed, batches: Sequence[int], layer: str, shape: tuple[int, int], coarse: int = 1) -> Movie:
    """Return the animation of a weight matrix; a column an output, a row an input.

    Args:
        signed: starts anew, at each call, to give the (outputs, inputs) signed opacities of each frame.
        batches: (frames,) the batch that each frame shows.
        layer: its name.
        shape: (outputs, inputs).
        coarse: by how many fewer levels of colour there are, for a smaller file.
    """
    movement = np.zeros(shape)
    pull = np.zeros((shape[0], len(batches)))
    strong, total = np.zeros(len(batches), np.int64), np.zeros(len(batches))
    for frame, values in enumerate(signed()):
        strength = np.abs(values)
        movement += strength
        pull[:, frame] = values.sum(axis=1)
        strong[frame], total[frame] = (strength >= colour.STRONG).sum(), strength.sum()
    poster = colour.most_telling(strong, total)
    facts = {"weights": shape[0] * shape[1], "strong": int(strong[poster])}
    rows = np.argsort(-movement.sum(axis=0), kind="stable")
    columns = similar_together(pull)
    levels = max(2, LEVELS // coarse)
    # A cell that changes by one level keeps the one it has.
    palette = two_hues(1.01 / levels)
    return Movie(palette, _frames(signed, rows, columns, batches, layer, levels, palette), poster, facts)


def similar_together(profiles: Floats) -> NDArray[np.int64]:
    """Return an order of `profiles` (items, values) in which those of the same direction stand side by side.

    Average linkage of the unit vectors, leaves in the order that makes neighbours most alike. Items without any
    direction come last.
    """
    length = np.linalg.norm(profiles, axis=1)
    moving, still = np.flatnonzero(length > 0), np.flatnonzero(length == 0)
    if len(moving) > 2:
        from scipy.cluster.hierarchy import leaves_list, linkage  # here, because only a new film needs it

        tree = linkage(profiles[moving] / length[moving, None], "average", optimal_ordering=len(moving) <= 200)
        moving = moving[leaves_list(tree)]
    return np.concatenate([moving, still])


def _frames(
    signed: Signed,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    batches: Sequence[int],
    layer: str,
    levels: int,
    palette: Palette,
) -> Iterator[Bytes]:
    """Draw one picture a matrix of signed opacities."""
    across, down = max(1, ACROSS // len(columns)), max(1, min(DOWN // len(rows), ACROSS // len(columns)))
    inner = across * len(columns), down * len(rows)
    # A narrow matrix still needs room for the line above it.
    left = max(LEFT, (ACROSS + 2 * LEFT - inner[0]) // 2)
    width, height = inner[0] + 2 * left, inner[1] + TOP + BELOW
    overlay = Overlay(width, height, palette)
    overlay.signs(width - LEFT)
    overlay.frame(left, TOP, *inner)
    base = TOP + inner[1]
    name = f"{len(rows):,} → {len(columns):,}"
    end = overlay.sheet.text(width - LEFT, base + 34, name, sized(SMALL, height), muted=SOFT, at="right")
    large = sized(LABEL, height)
    overlay.sheet.text_within(end - 10, base + 34, layer, large, end - 10 - LEFT, bold=True, at="right")
    positions, values = overlay.finish()
    label = BatchLabel(LEFT, batches[-1], palette, large)
    for matrix, batch in zip(signed(), batches, strict=True):
        ordered = matrix[np.ix_(columns, rows)].T
        drawn = np.rint(np.rint(np.abs(ordered) * levels) / levels * 255).astype(int)
        cells = palette.hues[np.where(ordered > 0, drawn, 0), np.where(ordered < 0, drawn, 0)]
        picture = np.zeros((height, width), np.uint8)
        picture[TOP:base, left : left + inner[0]] = cells.repeat(down, axis=0).repeat(across, axis=1)
        picture.reshape(-1)[positions] = values
        label.stamp(picture, batch)
        yield picture
