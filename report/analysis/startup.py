"""The first steps: Adam's corrected moments start every weight at the full learning rate and then calm down."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory

EXACT = 0.01  # relative: how near the learning rate counts as "exactly"; ε = 1e-8 shifts a gradient of 1e-6 by so much


def describe(
    updates: NDArray[np.float32], gradients: NDArray[np.float32], learning_rate: float | None
) -> dict[str, Any] | None:
    """Return mean |Δ| over the learning rate, of the weights that have a gradient in the step, for steps 1–100.

    Args:
        updates: (steps, n) float32.
        gradients: (steps, n) float32.
        learning_rate: None where it is not one number.

    Returns:
        None without a learning rate; else `mean_absolute`, a list (None in a step without any gradient); `live`,
        how many weights that is; `first_batch`: `live`, `exact` (how many moved by the learning rate within 1 %),
        `share` of them, `smallest` and `largest` |Δ| over the learning rate (None without any).
    """
    if learning_rate is None:
        return None
    live = gradients[: theory.START_UP] != 0
    size = np.abs(np.asarray(updates[: theory.START_UP], np.float64)) / learning_rate
    counts = np.count_nonzero(live, axis=1)
    totals = (size * live).sum(axis=1)
    means = [total / count if count else None for total, count in zip(totals.tolist(), counts.tolist(), strict=True)]
    first = size[0][live[0]]
    exact = int(np.count_nonzero(np.abs(first - 1) <= EXACT))
    return {
        "mean_absolute": means,
        "live": counts.tolist(),
        "first_batch": {
            "live": len(first),
            "exact": exact,
            "share": exact / len(first) if len(first) else None,
            "smallest": float(first.min()) if len(first) else None,
            "largest": float(first.max()) if len(first) else None,
        },
    }
