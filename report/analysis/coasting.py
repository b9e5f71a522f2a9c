"""Gradients that are exactly zero, and weights that move all the same because momentum carries them on."""

import numpy as np
from numpy.typing import NDArray

from report.analysis import windows
from report.analysis.windows import Spans


class Coasting:
    """Count, by window, gradients that are zero and updates that have none of their own."""

    def __init__(self, spans: Spans, weights: int) -> None:
        """Begin with no row, for so many weights."""
        self.spans = spans
        self.weights = weights
        self._counts = {name: np.zeros(3, np.int64) for name in spans}  # updates, those with a gradient, gradients
        self._alive = {name: np.zeros(weights, bool) for name in spans}

    def add(self, first: int, sign: NDArray[np.int8], gradients: NDArray[np.float32]) -> None:
        """Count (rows, n) signs of updates, and gradients, of which the first is row `first` of all."""
        has_gradient = gradients != 0
        moving = sign != 0
        counts = [np.count_nonzero(each, axis=1) for each in (moving, moving & has_gradient, has_gradient)]
        for name, span in self.spans.items():
            inside = windows.cut(span, first, len(sign))
            self._counts[name] += [each[inside].sum() for each in counts]
            self._alive[name] |= has_gradient[inside].any(axis=0)

    def found(self) -> dict[str, dict[str, float | None]]:
        """Return shares of zero gradients and of coasting updates, by window.

        Returns:
            By window: `zero_gradient_share` of all gradients; `coasting_share`, of the updates that are not zero those
            whose own gradient is exactly zero (None where nothing moves); `dead_weights`, without any gradient in the
            window; `weights`.
        """
        found: dict[str, dict[str, float | None]] = {}
        for name, rows in self.spans.items():
            updates, driven, active = self._counts[name].tolist()
            found[name] = {
                "coasting_share": 1 - driven / updates if updates else None,
                "dead_weights": int(self.weights - self._alive[name].sum()),
                "weights": self.weights,
                "zero_gradient_share": 1 - active / (self.weights * (rows.stop - rows.start)),
            }
        return found
