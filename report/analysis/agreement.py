"""How often an update goes down the gradient of its own step, and how often it goes elsewhere."""

import numpy as np
from numpy.typing import NDArray

from report.analysis import windows
from report.analysis.windows import Spans

BIN = 10  # steps to a point of the curve: single steps of a 100-weight layer scatter by several per cent


class Agreement:
    """Count, by window and over the training run, how many weights have both an update and a gradient, and agree."""

    def __init__(self, spans: Spans, steps: int) -> None:
        """Begin with no row.

        Args:
            spans: which rows belong to each window.
            steps: of the training run; a bin without a row has no share.
        """
        self.spans = spans
        self.steps = steps
        self.pairs = dict.fromkeys(spans, 0)
        self.agreeing = dict.fromkeys(spans, 0)
        self._bins = np.zeros((2, len(range(0, steps, BIN))))

    def add(self, first: int, numbers: NDArray[np.int64], sign: NDArray[np.int8], slope: NDArray[np.int8]) -> None:
        """Count; an update agrees where it has the opposite sign.

        Args:
            first: number of the first row, from 0.
            numbers: (rows,), the step of each row, counted from 1.
            sign: (rows, n) int8, of the updates.
            slope: (rows, n) int8, of the gradients.
        """
        product = sign * slope
        pairs, agreeing = np.count_nonzero(product, axis=1), np.count_nonzero(product < 0, axis=1)
        for name, span in self.spans.items():
            inside = windows.cut(span, first, len(numbers))
            self.pairs[name] += int(pairs[inside].sum())
            self.agreeing[name] += int(agreeing[inside].sum())
        bins = (numbers - 1) // BIN
        for total, counts in zip(self._bins, (pairs, agreeing), strict=True):
            total += np.bincount(bins, counts, len(total))

    def found(self) -> dict[str, dict[str, float | None]]:
        """Return, by window, `share` of the pairs that agree (None without a pair) and `pairs`."""
        return {
            name: {"pairs": total, "share": self.agreeing[name] / total if total else None}
            for name, total in self.pairs.items()
        }

    def curve(self) -> list[float | None]:
        """Return the share in bins of `BIN` steps."""
        return [hit / total if total else None for total, hit in self._bins.T.tolist()]


def centres(steps: int) -> list[float]:
    """Return the centres of the bins, in steps."""
    starts = np.arange(0, steps, BIN)
    centres: list[float] = ((starts + 1 + np.minimum(starts + BIN, steps)) / 2).tolist()
    return centres
