"""The first article's colour law: mean, threshold τ and opacity of a tensor's updates."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from report.analysis import updates
from report.recording.reader import Recording

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


def smallest(recording: Recording, drawn: Iterable[str], steps: int | None = None) -> int | None:
    """Return N_min among the drawn tensors, of a recording's first `steps`; None where none of them has an update."""
    sizes = [updates.trajectory(recording, name, steps).updates.size for name in drawn]
    return min((size for size in sizes if size), default=None)


def law(change: NDArray[np.float32], smallest: int | None) -> Law:
    """Find mean and threshold of a tensor.

    Args:
        change: (steps, …) float32, all recorded updates of the tensor: of all its weights, or the sample of them.
        smallest: N_min, the number of recorded updates of the smallest drawn tensor; None: this one stands alone.
    """
    mean = float(change.mean(dtype=np.float64))
    sizes = np.abs(deviation(change, mean)).reshape(-1)  # (N,)
    smallest = sizes.size if smallest is None else smallest
    index = rank(sizes.size, smallest)
    # Only the one place of the sorted array is needed.
    place = sizes.size - 1 - index
    return Law(mean, float(np.partition(sizes, place)[place]), index, sizes.size, smallest)


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


def describe(law: Law, change: NDArray[np.float32]) -> dict[str, Any]:
    """Return the law and how many recorded updates are drawn in full colour: |v| ≥ τ.

    Args:
        law: of the tensor.
        change: (steps, n) float32, its updates.
    """
    full = int(np.count_nonzero(opacity(deviation(change, law.mean), law.threshold) >= 1))
    return {**asdict(law), "full_colour": full, "full_colour_share": full / change.size}
