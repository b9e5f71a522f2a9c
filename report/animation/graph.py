"""The network as a graph: one edge a weight, coloured by what the batch did to it.

A reader learns where in the network a batch changes something, in which direction, and for how long that goes on.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from report.animation import colour, geometry
from report.animation.gif import Movie
from report.animation.overlay import HIDES, LABEL, SMALL, SOFT, TINY, BatchLabel, Overlay
from report.animation.palette import MUTED, Palette, two_hues
from report.animation.sheet import Sheet

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


def movie(
    signed: Floats,
    layers: Sequence[str],
    shapes: Sequence[tuple[int, int]],
    batches: Sequence[int],
    size: tuple[int, int] = (geometry.WIDTH, geometry.HEIGHT),
) -> Movie:
    """Return the animation of the edges of neighbouring layers.

    Args:
        signed: (frames, edges) signed opacities, layer after layer, each row-major over (outputs, inputs).
        layers: names, in the direction in which the data goes.
        shapes: (outputs, inputs) of each layer.
        batches: (frames,) the batch that each frame shows.
        size: width and height, pixels.
    """
    strength = np.abs(signed)
    strong = (strength >= colour.STRONG).sum(axis=1)
    poster = colour.most_telling(strong, strength.sum(axis=1))
    facts = {"weights": int(signed.shape[1]), "strong": int(strong[poster])}
    palette = two_hues()
    places = geometry.network([shapes[0][1], *(outputs for outputs, _ in shapes)], *size)
    return Movie(palette, _frames(signed, batches, places, layers, palette), poster, facts)


def _frames(
    signed: Floats, batches: Sequence[int], places: geometry.Geometry, layers: Sequence[str], palette: Palette
) -> Iterator[Bytes]:
    """Draw one picture a row of `signed`."""
    overlay = Overlay(places.width, places.height, palette)
    _draw_nodes(overlay, places)
    _write_names(overlay, places, layers)
    overlay.signs(places.width - geometry.MARGINS[2] + 8)
    positions, values = overlay.finish()
    label = BatchLabel(geometry.MARGINS[0] - 8, palette)
    segments = places.segments()
    sheet = Sheet(places.width, places.height)
    for row, batch in zip(signed, batches, strict=True):
        sheet.clear()
        drawn = np.flatnonzero(colour.visible(row))
        colours = np.zeros((len(drawn), 4))
        colours[:, 0] = row[drawn] > 0
        colours[:, 2] = row[drawn] < 0
        colours[:, 3] = np.abs(row[drawn])
        sheet.lines(segments[drawn], colours, geometry.LINE_WIDTH)
        picture = palette.hues[sheet.pixels[..., 0], sheet.pixels[..., 2]]
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
    """Write the layers' names and shapes below their edges, and the nodes' numbers where there is room for them."""
    sheet = overlay.sheet
    base = places.height - geometry.MARGINS[3]
    grey = np.array([[MUTED, MUTED, 0.0, 1.0]] * 3)
    for index, layer in enumerate(layers):
        # A bracket from column to column: the name belongs to the edges, not to the nodes.
        left, right = round(places.columns[index]) + 8.5, round(places.columns[index + 1]) - 7.5
        level = base + 28.5
        ends = [(left, level), (right, level)]
        bracket = [ends, *([(x, level - 6), (x, level + 0.5)] for x, _ in ends)]
        sheet.lines(np.array(bracket, np.float64), grey, 1)
        middle = (left + right) / 2
        sheet.text(middle, base + 54, layer, LABEL, bold=True, at="centre")
        inputs, outputs = len(places.nodes[index]), len(places.nodes[index + 1])
        sheet.text(middle, base + 79, f"{inputs:,} → {outputs:,}", SMALL, muted=SOFT, at="centre")
    for column, side in ((0, -1), (len(places.columns) - 1, 1)):
        nodes = places.nodes[column]
        if (nodes[0] - nodes[-1]) / max(len(nodes) - 1, 1) < SMALL:
            continue
        for number, y in enumerate(nodes):
            x = places.columns[column] + side * (places.radii[column] + 8)
            sheet.text(x, y + 5, str(number), TINY, muted=SOFT, at="left" if side > 0 else "right")
