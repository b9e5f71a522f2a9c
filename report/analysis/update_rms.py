"""The size of updates in units of the learning rate: what Adam's own scaling makes of any gradient."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis.windows import Spans

Doubles = NDArray[np.float64]


def sums(updates: NDArray[np.float32]) -> tuple[Doubles, Doubles]:
    """Return Σ|Δ| and Σ Δ² over the weights of each step, (steps,) float64 each.

    Args:
        updates: (steps, n) float32.
    """
    x = np.asarray(updates, np.float64)
    return np.abs(x).sum(axis=1), np.einsum("tn,tn->t", x, x)


def describe(updates: NDArray[np.float32], learning_rate: float | None, spans: Spans) -> dict[str, dict[str, Any]]:
    """Return, by window, root mean square and mean absolute update over the learning rate.

    Args:
        updates: (steps, n) float32.
        learning_rate: None where it is not one number.
        spans: which rows belong to each window.

    Returns:
        By window: `rms` and `mean_absolute` over all kept weights, `rms_live` and `mean_absolute_live` over those
        that move at all in the window; None where undefined.
    """
    absolute, square = sums(updates)
    found: dict[str, dict[str, Any]] = {}
    for name, rows in spans.items():
        live = int(np.count_nonzero(updates[rows].any(axis=0)))
        row: dict[str, float | None] = {}
        for suffix, weights in (("", updates.shape[1]), ("_live", live)):
            is_known = learning_rate is not None and weights > 0
            scale = learning_rate or 1.0
            count = max(weights, 1) * (rows.stop - rows.start)
            row[f"rms{suffix}"] = math.sqrt(square[rows].sum() / count) / scale if is_known else None
            row[f"mean_absolute{suffix}"] = float(absolute[rows].sum()) / count / scale if is_known else None
        found[name] = row
    return found
