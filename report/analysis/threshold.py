"""The first article's colour law: mean, threshold τ and opacity of a layer's updates."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHARE = 0.0001  # the first article: "the top 0.01 % of the changes"


@dataclass(frozen=True)
class Law:
    """Hold what turns the updates of one layer into colours."""

    mean: float  # a, the mean update, in units of the weight
    threshold: float  # τ, in units of the weight
    rank: int  # index of τ in the descending sort of |v|, from 0
    deviations: int  # N, recorded updates of the layer
    smallest: int  # N_min, the smallest N among the layers that are drawn


def rank(deviations: int, smallest: int) -> int:
    """Return the index of τ in the descending sort, in the first article's order of operations.

    Args:
        deviations: N of the layer.
        smallest: N_min among the drawn layers.
    """
    return int(smallest * SHARE * (deviations / smallest) ** (1 / 2))


def law(updates: NDArray[np.float32], smallest: int) -> Law:
    """Find mean and threshold of a layer.

    Args:
        updates: (batches, …) float32, all recorded updates of the layer: all its weights, or the sample of them.
        smallest: N_min, the number of recorded updates of the smallest drawn layer.
    """
    mean = float(updates.mean(dtype=np.float64))
    sizes = np.abs(deviation(updates, mean)).reshape(-1)  # (N,)
    index = rank(sizes.size, smallest)
    # Only the one place of the sorted array is needed.
    place = sizes.size - 1 - index
    return Law(mean, float(np.partition(sizes, place)[place]), index, sizes.size, smallest)


def laws(updates: Mapping[str, NDArray[np.float32]], drawn: tuple[str, ...]) -> dict[str, Law]:
    """Find mean and threshold of every layer of one training run.

    Args:
        updates: by layer (batches, n) float32.
        drawn: the layers of the network graph, whose smallest sets N_min.
    """
    smallest = min(updates[layer].size for layer in drawn)
    return {layer: law(array, smallest) for layer, array in updates.items()}


def deviation(updates: ArrayLike, mean: float) -> NDArray[np.float64]:
    """Return v = Δ − a, how far each update lies from the mean update of its layer; any shape."""
    return np.asarray(updates, np.float64) - mean


def opacity(deviations: ArrayLike, threshold: float) -> NDArray[np.float64]:
    """Return min((v/τ)², 1) of each deviation; any shape, from 0 (not drawn) to 1.

    Where τ is 0 (a layer of which next to nothing moves), every deviation but 0 itself lies above it: opacity 1.
    """
    sizes = np.abs(np.asarray(deviations, np.float64))
    if threshold <= 0:
        return np.asarray(sizes > 0, np.float64)
    # Clipped first, so that neither the ratio nor its square can overflow.
    return np.asarray((np.minimum(sizes, threshold) / threshold) ** 2, np.float64)


def describe(law: Law, updates: NDArray[np.float32]) -> dict[str, Any]:
    """Return the law and how many recorded updates are drawn in full colour: |v| ≥ τ.

    Args:
        law: of the layer.
        updates: (batches, n) float32.
    """
    full = int(np.count_nonzero(opacity(deviation(updates, law.mean), law.threshold) >= 1))
    return {**asdict(law), "full_colour": full, "full_colour_share": full / updates.size}
