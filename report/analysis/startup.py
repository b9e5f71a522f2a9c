"""The first steps: Adam's corrected moments start every weight at the full learning rate and then calm down."""

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory

EXACT = 0.01  # relative: how near the learning rate counts as "exactly"; ε = 1e-8 shifts a gradient of 1e-6 by so much


class Startup:
    """Measure the size of updates over the learning rate, of the weights that have a gradient, in steps 1–100."""

    def __init__(self, learning_rate: float) -> None:
        """Begin with no row."""
        self.learning_rate = learning_rate
        self.mean_absolute: list[float | None] = []  # one a step; None in a step without any gradient
        self.first: dict[str, float | None] = {}

    def add(self, first: int, updates: NDArray[np.float32], gradients: NDArray[np.float32]) -> None:
        """Take in (rows, n) float32 each, of which the first is row `first` of all.

        `first` then has `live`, the weights with a gradient in the first step; `exact`, how many of them moved by the
        learning rate within 1 %; `smallest` and `largest` |Δ| over the learning rate (None without any).
        """
        rows = max(theory.START_UP - first, 0)
        if not rows:
            return
        live = gradients[:rows] != 0
        size = np.abs(np.asarray(updates[:rows], np.float64)) / self.learning_rate
        totals, counts = (size * live).sum(axis=1).tolist(), np.count_nonzero(live, axis=1).tolist()
        self.mean_absolute += [total / count if count else None for total, count in zip(totals, counts, strict=True)]
        if first == 0:
            known = size[0][live[0]]
            self.first = {
                "exact": int(np.count_nonzero(np.abs(known - 1) <= EXACT)),
                "largest": float(known.max()) if len(known) else None,
                "live": len(known),
                "smallest": float(known.min()) if len(known) else None,
            }
