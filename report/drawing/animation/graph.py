"""The network as a graph: one edge a weight, coloured by what the batch did to it.

A reader learns where in the network a batch changes something, in which direction, and for how long that goes on.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.drawing.animation import colour, geometry
from report.drawing.animation.gif import Movie
from report.drawing.animation.overlay import HIDES, LABEL, SMALL, SOFT, TINY, BatchLabel, Overlay, sized
from report.drawing.animation.palette import HELD, MUTED, Palette, two_hues
from report.drawing.animation.sheet import Alignment, Lines, Sheet

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

SIZE = (geometry.WIDTH, geometry.HEIGHT)  # pixels
PAIR_HELD = 0.06  # of full cover: twice as many lines, each twice as restless, would make twice as large a file
NAME_LINE = 92  # pixels from the top, of the names of networks that stand side by side


def movie(
    signed: Floats,
    layers: Sequence[str],
    shapes: Sequence[tuple[int, int]],
    batches: Sequence[int],
    size: tuple[int, int] = SIZE,
    coarse: int = 1,
) -> Movie:
    """Return the animation of the edges of neighbouring layers.

    Args:
        signed: (frames, edges) signed opacities, layer after layer, each row-major over (outputs, inputs).
        layers: names, in the direction in which the data goes.
        shapes: (outputs, inputs) of each layer.
        batches: (frames,) the batch that each frame shows.
        size: width and height, pixels.
        coarse: by how much longer colours are held, for a smaller file.
    """
    strength = np.abs(signed)
    strong = (strength >= colour.STRONG).sum(axis=1)
    poster = colour.most_telling(strong, strength.sum(axis=1))
    facts = {"weights": int(signed.shape[1]), "strong": int(strong[poster]), "stays": colour.stays(signed)}
    places = geometry.network([shapes[0][1], *(outputs for outputs, _ in shapes)], *size)
    palette = two_hues(coarse * HELD)
    frames = _frames([signed], [places], [""], layers, batches, size, palette)
    return Movie(palette, frames, poster, facts)


def pair(
    signed: Sequence[Floats],
    names: Sequence[str],
    layers: Sequence[str],
    shapes: Sequence[tuple[int, int]],
    batches: Sequence[int],
    coarse: int = 1,
) -> Movie:
    """Return the animation of the same edges in two training runs, side by side, in step.

    Args:
        signed: of each training run (frames, edges) signed opacities.
        names: of each, the symbols that are written above it.
        layers: names, in the direction in which the data goes.
        shapes: (outputs, inputs) of each layer.
        batches: (frames,) the batch that each frame shows.
        coarse: by how much longer colours are held, for a smaller file.
    """
    strength = np.abs(np.concatenate(signed, axis=1))
    strong = [(np.abs(each) >= colour.STRONG).sum(axis=1) for each in signed]
    poster = colour.most_telling(np.sum(strong, axis=0), strength.sum(axis=1))
    facts: dict[str, Any] = {"weights": int(signed[0].shape[1])}
    for side, each, count in zip(("left", "right"), signed, strong, strict=True):
        facts |= {f"{side}_strong": int(count[poster]), f"{side}_stays": colour.stays(each)}
    places = geometry.pair([shapes[0][1], *(outputs for outputs, _ in shapes)])
    palette = two_hues(coarse * PAIR_HELD)
    frames = _frames(signed, places, names, layers, batches, geometry.PAIR_SIZE, palette)
    return Movie(palette, frames, poster, facts)


def _frames(
    signed: Sequence[Floats],
    places: Sequence[geometry.Geometry],
    names: Sequence[str],
    layers: Sequence[str],
    batches: Sequence[int],
    size: tuple[int, int],
    palette: Palette,
) -> Iterator[Bytes]:
    """Draw one picture a batch; in it, beside each other, one network for each of `signed`, `places` and `names`."""
    width, height = size
    overlay = Overlay(width, height, palette)
    for network, name in zip(places, names, strict=True):
        _draw_nodes(overlay, network)
        _write_names(overlay, network, layers)
        overlay.sheet.text_within(network.columns[0] - 8, NAME_LINE, name, LABEL, network.width - 24, bold=True)
    overlay.signs(width - geometry.MARGINS[2] + 8)
    positions, values = overlay.finish()
    label = BatchLabel(round(places[0].columns[0]) - 8, batches[-1], palette, sized(LABEL, height))
    edges = Lines(np.concatenate([network.segments() for network in places]), geometry.LINE_WIDTH, height)
    sheet = Sheet(width, height)
    for frame, batch in enumerate(batches):
        row = np.concatenate([each[frame] for each in signed])
        sheet.clear()
        drawn = np.flatnonzero(colour.visible(row))
        colours = np.zeros((len(drawn), 4))
        colours[:, 0] = row[drawn] > 0
        colours[:, 2] = row[drawn] < 0
        colours[:, 3] = np.abs(row[drawn])
        sheet.lines(edges, drawn, colours)
        picture = sheet.indices(palette.hues)
        picture.reshape(-1)[positions] = values
        label.stamp(picture, batch)
        yield picture


def _draw_nodes(overlay: Overlay, places: geometry.Geometry) -> None:
    """Draw each node as a disc of paper with a rim, and a thin ring of paper that keeps the edges off it."""
    rim = f"#{round(255 * MUTED):02x}ff00"
    for x, column, radius in zip(places.columns, places.nodes, places.radii, strict=True):
        for y in column:
            overlay.sheet.circle(x, y, radius + 1, HIDES)
            overlay.sheet.circle(x, y, radius, HIDES, rim)


def _write_names(overlay: Overlay, places: geometry.Geometry, layers: Sequence[str]) -> None:
    """Write the layers' names and shapes below their edges, and the nodes' numbers, where there is room for them."""
    sheet, base = overlay.sheet, places.base
    large, small, tiny = (sized(each, places.height) for each in (LABEL, SMALL, TINY))
    grey = np.array([[MUTED, MUTED, 0.0, 1.0]] * 3)
    shapes = [
        f"{len(inputs):,} → {len(outputs):,}" for inputs, outputs in zip(places.nodes, places.nodes[1:], strict=False)
    ]
    gap = places.columns[1] - places.columns[0]
    fits = [
        max(sheet.width(words, size) for words in texts) < gap - 4 for texts, size in ((layers, large), (shapes, small))
    ]
    for index, layer in enumerate(layers):
        # A bracket from column to column: the name belongs to the edges, not to the nodes.
        inset = min(8, gap / 8)
        left, right = round(places.columns[index] + inset) + 0.5, round(places.columns[index + 1] - inset) + 0.5
        level = base + 28.5
        ends = [(left, level), (right, level)]
        bracket = [ends, *([(x, level - 6), (x, level + 0.5)] for x, _ in ends)]
        lines = Lines(np.array(bracket, np.float64), 1, sheet.pixels.shape[0])
        sheet.lines(lines, np.arange(len(bracket)), grey)
        middle = (left + right) / 2
        if fits[0]:
            sheet.text(middle, base + 54, layer, large, bold=True, at="centre")
        elif index in (0, len(layers) - 1):
            side: Alignment = "left" if index == 0 else "right"
            room = (places.columns[-1] - places.columns[0]) / min(len(layers), 2) - 10
            sheet.text_within(left if index == 0 else right, base + 54, layer, large, room, bold=True, at=side)
        if fits[1]:
            sheet.text(middle, base + 79, shapes[index], small, muted=SOFT, at="centre")
    for column, side_of in ((0, -1), (len(places.columns) - 1, 1)):
        nodes = places.nodes[column]
        if (nodes[0] - nodes[-1]) / max(len(nodes) - 1, 1) < small:
            continue
        for number, y in enumerate(nodes):
            x = places.columns[column] + side_of * (places.radii[column] + 8)
            sheet.text(x, y + tiny / 3, str(number), tiny, muted=SOFT, at="left" if side_of > 0 else "right")
