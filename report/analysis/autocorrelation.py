"""How alike updates, or gradients, are k steps apart."""

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory, windows
from report.analysis.windows import Spans


class Autocorrelation:
    """Correlate a series with itself 1 … LAGS steps later, by window, the mean not removed.

    Σ x(t)·x(t + k) / √(Σ x(t)² · Σ x(t + k)²) over all weights and over the pairs of steps that both lie in the window.
    """

    def __init__(self, spans: Spans, lags: int = theory.LAGS) -> None:
        """Begin with no row."""
        self.spans = spans
        self.lags = lags
        self._sums = {name: np.zeros((lags + 1, 3)) for name in spans}  # product, earlier and later power, by lag
        self._last: NDArray[np.float64] | None = None

    def add(self, first: int, series: NDArray[np.float32]) -> None:
        """Take in (rows, n) float32, of which the first is row `first` of all."""
        x = np.asarray(series, np.float64)
        before = 0 if self._last is None else len(self._last)
        power = np.einsum("tn,tn->t", x, x)
        if self._last is not None:
            x = np.concatenate([self._last, x])
        for lag in range(1, self.lags + 1):
            begin = max(before - lag, 0)  # of the rows in x whose partner is new
            product = np.einsum("tn,tn->t", x[begin : max(len(x) - lag, begin)], x[begin + lag :])
            for name, span in self.spans.items():
                if span.stop - lag <= span.start:
                    continue
                sums, (earlier, later) = self._sums[name][lag], _pairs(span, lag)
                sums[0] += product[windows.cut(earlier, first - before + begin, len(product))].sum()
                sums[1] += power[windows.cut(earlier, first, len(power))].sum()
                sums[2] += power[windows.cut(later, first, len(power))].sum()
        self._last = x[-self.lags :].copy()

    def found(self) -> dict[str, list[float | None]]:
        """Return, by window, the correlation at each lag; None where nothing moved or the window is too short."""
        return {name: [_ratio(*sums) for sums in found[1:].tolist()] for name, found in self._sums.items()}


def _pairs(span: slice, lag: int) -> tuple[slice, slice]:
    """Return the rows of a window that have a partner `lag` later in it, and those partners."""
    return slice(span.start, span.stop - lag), slice(span.start + lag, span.stop)


def _ratio(product: float, earlier: float, later: float) -> float | None:
    scale = earlier * later
    return float(product / np.sqrt(scale)) if scale > 0 else None
