"""The first article's colour law: mean, threshold τ and opacity of a tensor's updates."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

SHARE = 0.0001  # the first article: "the top 0.01 % of the changes"


@dataclass(frozen=True)
class Law:
    """Hold what turns the updates of one tensor into colours."""

    mean: float  # a, the mean update, in units of the weight
    threshold: float  # τ, in units of the weight
    rank: int  # index of τ in the descending sort of |v|, from 0
    deviations: int  # N, recorded updates of the tensor
    smallest: int  # N_min, the smallest N among the tensors that are drawn; N where none is


def rank(deviations: int, smallest: int) -> int:
    """Return the index of τ in the descending sort, in the first article's order of operations.

    Args:
        deviations: N of the tensor.
        smallest: N_min among the drawn tensors.
    """
    return min(int(smallest * SHARE * (deviations / smallest) ** (1 / 2)), deviations - 1)


def find(chunks: Callable[[], Iterable[NDArray[np.float32]]], mean: float, count: int, smallest: int | None) -> Law:
    """Find τ of a tensor: of all |v|, only as many of the largest are kept as stand before it.

    Args:
        chunks: gives the tensor's updates, (rows, n) float32 at a time.
        mean: of all of them.
        count: how many they are.
        smallest: N_min, the number of recorded updates of the smallest drawn tensor; None: this one stands alone.
    """
    smallest = count if smallest is None else smallest
    index = rank(count, smallest)
    largest = np.empty(0)
    for change in chunks():
        largest = np.concatenate([largest, np.abs(deviation(change, mean)).reshape(-1)])
        place = len(largest) - 1 - index
        if place > 0:
            largest = np.partition(largest, place)[place:]
    return Law(mean, float(largest.min()), index, count, smallest)


def law(change: NDArray[np.float32], smallest: int | None) -> Law:
    """Find mean and threshold of updates, (steps, …), that are all in memory. See `find`."""
    return find(lambda: [change], float(change.mean(dtype=np.float64)), change.size, smallest)


def deviation(updates: ArrayLike, mean: float) -> NDArray[np.float64]:
    """Return v = Δ − a, how far each update lies from the mean update of its tensor; any shape."""
    return np.asarray(updates, np.float64) - mean


def opacity(deviations: ArrayLike, threshold: float) -> NDArray[np.float64]:
    """Return min((v/τ)², 1) of each deviation; any shape, from 0 (not drawn) to 1.

    Where τ is 0 (a tensor of which next to nothing moves), every deviation but 0 itself lies above it: opacity 1.
    """
    sizes = np.abs(np.asarray(deviations, np.float64))
    if threshold <= 0:
        return np.asarray(sizes > 0, np.float64)
    # Clipped first, so that neither the ratio nor its square can overflow.
    return np.asarray((np.minimum(sizes, threshold) / threshold) ** 2, np.float64)


def full_colour(change: NDArray[np.float32], law: Law) -> int:
    """Return how many updates are drawn in full colour: |v| ≥ τ."""
    return int(np.count_nonzero(opacity(deviation(change, law.mean), law.threshold) >= 1))
