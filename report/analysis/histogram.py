"""The histogram of all updates of a tensor: 100 bins from the smallest to the largest, as in the first article."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 100


def describe(updates: NDArray[np.float32]) -> dict[str, Any]:
    """Return bin edges (weight units), counts, and how many updates are exactly zero.

    Args:
        updates: (steps, n) float32.
    """
    # In double precision: float32 edges of a very narrow tensor could coincide.
    counts, edges = np.histogram(updates.astype(np.float64), bins=BINS)
    zeros = int(np.count_nonzero(updates == 0))
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "zeros": zeros,
        "zero_share": zeros / updates.size,
        "count": int(updates.size),
    }


def table(name: str, histogram: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Return one row a bin of what `describe` found for the tensor `name`."""
    return {
        "layer": np.full(len(histogram["counts"]), name),
        "left": np.array(histogram["edges"][:-1]),
        "right": np.array(histogram["edges"][1:]),
        "count": np.array(histogram["counts"]),
    }
