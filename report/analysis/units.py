"""How much a tensor is updated, in units that need not agree: opacity, weight, its own norm, the learning rate."""

import math

import numpy as np
from numpy.typing import NDArray

from report.analysis import windows
from report.analysis.windows import Spans

UNITS = ("opacity", "absolute", "relative")
LIVE = "_live"

Doubles = NDArray[np.float64]


def norms(x: Doubles) -> Doubles:
    """Return the norm of each row of (rows, n), (rows,)."""
    found: Doubles = np.sqrt(np.einsum("tn,tn->t", x, x))
    return found


def relative_update(before: Doubles, step: Doubles) -> Doubles:
    """Return ‖Δ(t)‖ / ‖w(t - 1)‖ of each step, (rows,): the step against the weights it started from.

    Args:
        before: (rows, n), the weights before each step.
        step: (rows, n), its updates.
    """
    size, start = norms(step), norms(before)
    return np.divide(size, start, out=np.zeros_like(size), where=start > 0)


class Sizes:
    """Sum, by window, the sizes of one tensor's updates, over all weights and over those that move at all in it."""

    def __init__(self, spans: Spans, live: dict[str, NDArray[np.bool_]]) -> None:
        """Begin with no row; `live`, by window (n,), tells which weights move at all."""
        self.spans = spans
        self.live = live
        self._sums = {(name, kind): np.zeros(4) for name in spans for kind in ("", LIVE)}

    def add(self, first: int, weights: NDArray[np.float32], updates: NDArray[np.float32], opacity: Doubles) -> None:
        """Take in some rows.

        Args:
            first: number of the first row, from 0.
            weights: (rows, n) float32, before each step.
            updates: (rows, n) float32.
            opacity: (rows, n) of the updates.
        """
        step, before = np.asarray(updates, np.float64), np.asarray(weights, np.float64)
        for name, span in self.spans.items():
            rows, live = windows.cut(span, first, len(updates)), self.live[name]
            for kind, kept in (("", slice(None)), (LIVE, slice(None) if live.all() else live)):
                moved = step[rows, kept]
                if not moved.size:
                    continue
                square = np.einsum("tn,tn->t", moved, moved).sum() if not kind else 0.0
                relative = relative_update(before[rows, kept], moved).sum()
                self._sums[name, kind] += [opacity[rows, kept].sum(), np.abs(moved).sum(), relative, square]

    def found(self) -> dict[str, dict[str, float | None]]:
        """Return, by window, the size of the updates in three units.

        Returns:
            By window: `opacity`, the mean of min((v/τ)², 1); `absolute`, mean |Δ| (weight units); `relative`, the mean
            over steps of ‖Δ(t)‖/‖w(t - 1)‖; each also over the weights alone that move at all in the window
            (`…_live`, None where none does); `live_share`, of the weights.
        """
        found: dict[str, dict[str, float | None]] = {}
        for name, span in self.spans.items():
            steps = span.stop - span.start
            row: dict[str, float | None] = {"live_share": float(self.live[name].mean())}
            for kind, count in (("", self.live[name].size), (LIVE, int(self.live[name].sum()))):
                opacity, absolute, relative, _ = self._sums[name, kind].tolist()
                row[f"opacity{kind}"] = opacity / (steps * count) if count else None
                row[f"absolute{kind}"] = absolute / (steps * count) if count else None
                row[f"relative{kind}"] = relative / steps if count else None
            found[name] = row
        return found

    def over_learning_rate(self, learning_rate: float | None) -> dict[str, dict[str, float | None]]:
        """Return, by window, root mean square and mean absolute update over the learning rate: Adam's own measure.

        Args:
            learning_rate: None where it is not one number.

        Returns:
            By window: `rms` and `mean_absolute` over all kept weights, `rms_live` and `mean_absolute_live` over those
            that move at all in the window; None where undefined.
        """
        found: dict[str, dict[str, float | None]] = {}
        sizes = self.found()
        for name, span in self.spans.items():
            square = self._sums[name, ""][3]
            found[name] = {}
            for kind, count in (("", self.live[name].size), (LIVE, int(self.live[name].sum()))):
                absolute = sizes[name][f"absolute{kind}"]
                if learning_rate is None or absolute is None:
                    found[name] |= {f"mean_absolute{kind}": None, f"rms{kind}": None}
                    continue
                rms = math.sqrt(square / (count * (span.stop - span.start)))
                found[name] |= {f"mean_absolute{kind}": absolute / learning_rate, f"rms{kind}": rms / learning_rate}
        return found
