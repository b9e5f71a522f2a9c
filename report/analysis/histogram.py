"""The histogram of all updates of a tensor: 100 bins from the smallest to the largest, as in the first article."""

import numpy as np
from numpy.typing import NDArray

from report.analysis.columns import Column, same

BINS = 100


class Histogram:
    """Count updates by size, and those that are exactly zero."""

    def __init__(self, low: float, high: float) -> None:
        """Begin with none; `low` and `high` are the smallest and the largest that will come (weight units)."""
        self.ends = (low, high)
        self.counts = np.zeros(BINS, np.int64)
        self.zeros = 0

    def add(self, updates: NDArray[np.float32]) -> None:
        """Count updates, of any shape."""
        # In double precision: float32 edges of a very narrow tensor could coincide.
        counts, self.edges = np.histogram(updates.astype(np.float64), bins=BINS, range=self.ends)
        self.counts += counts
        self.zeros += int(np.count_nonzero(updates == 0))

    def found(self) -> dict[str, float]:
        """Return how many there are, and how many of them are zero."""
        count = int(self.counts.sum())
        return {"count": count, "zeros": self.zeros, "zero_share": self.zeros / count}

    def table(self, name: str) -> dict[str, Column]:
        """Return one row a bin, of the tensor `name`."""
        return {
            "layer": same(name, BINS),
            "left": self.edges[:-1],
            "right": self.edges[1:],
            "count": self.counts,
        }
