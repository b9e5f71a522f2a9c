"""Where the nodes and edges of the network lie: plain numbers, which the browser's player can draw from too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 500, 1000  # pixels of the first article's picture, 5 × 10 inches at 100 dots an inch
MARGINS = (44, 92, 44, 104)  # pixels left, top, right, bottom: room for the batch above and the layers below
PAIR_SIZE = (500, 780)  # pixels of two networks side by side, as wide as one: words as large on a phone
PAIR_MARGINS = (26, 138, 42, 104)  # pixels around each of them: a line more above, for its name
LINE_WIDTH = 100 / 72  # pixels: the one point of the first article, at 100 dots an inch
SMALLEST_NODE, LARGEST_NODE = 1.0, 5.5  # pixels of radius


@dataclass(frozen=True)
class Geometry:
    """Place the nodes of neighbouring layers in columns; pixels from the top left corner.

    Attributes:
        width: of the picture, or of this network's part of it, pixels.
        height: of the picture, pixels.
        columns: x of each column of nodes, pixels.
        nodes: for each column the y of its nodes, pixels; node 0 is the lowest, as in the first article.
        radii: for each column the radius of its nodes, pixels.
    """

    width: int
    height: int
    columns: tuple[float, ...]
    nodes: tuple[tuple[float, ...], ...]
    radii: tuple[float, ...]

    @property
    def base(self) -> float:
        """Return the y of the lowest node, pixels."""
        return max(y for column in self.nodes for y in column)

    def segments(self) -> NDArray[np.float64]:
        """Return (edges, 2, 2): both ends, x and y, of every edge, centre to centre, in drawing order.

        Layer after layer; within a layer row-major over (outputs, inputs), the order of a flattened weight matrix.
        """
        parts = []
        for column in range(len(self.columns) - 1):
            inputs, outputs = np.array(self.nodes[column]), np.array(self.nodes[column + 1])
            part = np.empty((len(outputs), len(inputs), 2, 2))
            part[..., 0, 0] = self.columns[column + 1]
            part[..., 0, 1] = outputs[:, None]
            part[..., 1, 0] = self.columns[column]
            part[..., 1, 1] = inputs[None, :]
            parts.append(part.reshape(-1, 2, 2))
        return np.concatenate(parts)

    def as_json(self) -> dict[str, Any]:
        """Return the geometry as lists and numbers: edge (o, i) of layer c joins nodes[c][i] and nodes[c + 1][o]."""
        return {
            "width": self.width,
            "height": self.height,
            "line_width": LINE_WIDTH,
            "columns": [round(x, 3) for x in self.columns],
            "nodes": [[round(y, 3) for y in column] for column in self.nodes],
            "radii": [round(radius, 3) for radius in self.radii],
        }


def network(
    sizes: Sequence[int],
    width: int = WIDTH,
    height: int = HEIGHT,
    margins: tuple[int, int, int, int] = MARGINS,
    start: int = 0,
) -> Geometry:
    """Return the columns of layers with `sizes` nodes: evenly spaced, each as high as the widest layer's.

    Node i of n stands at i / (n - 1) of the height; a lone node in the middle.

    Args:
        sizes: number of nodes of each column.
        width: of the picture, or of the part of it that this network has; pixels.
        height: of the picture, pixels.
        margins: left, top, right, bottom, pixels.
        start: pixels from the left, where that part begins.

    Source: `positions` of the first article, scaled to the picture.
    """
    left, top, right, bottom = margins
    lowest, highest = height - bottom, top
    gap = (width - left - right) / max(len(sizes) - 1, 1)
    columns, nodes, radii = [], [], []
    for index, size in enumerate(sizes):
        columns.append(start + left + index * gap)
        places = [0.5] if size == 1 else [node / (size - 1) for node in range(size)]
        nodes.append(tuple(lowest + (highest - lowest) * place for place in places))
        pitch = min((lowest - highest) / max(size - 1, 1), gap / 2)
        radii.append(min(max(0.38 * pitch, SMALLEST_NODE), LARGEST_NODE))
    return Geometry(width, height, tuple(columns), tuple(nodes), tuple(radii))


def pair(sizes: Sequence[int]) -> list[Geometry]:
    """Return two networks with `sizes` nodes in a column, side by side in a picture of `PAIR_SIZE`."""
    width, height = PAIR_SIZE[0] // 2, PAIR_SIZE[1]
    return [network(sizes, width, height, PAIR_MARGINS, start) for start in (0, width)]
