"""How much a tensor is updated: in weight units, against its own norm, and how often a gradient is exactly zero."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis.updates import Trajectory


def relative_update(weights: NDArray[np.float32], updates: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return ‖Δ(t)‖ / ‖w(t - 1)‖ of each step, (steps,): the step against the weights it started from.

    Args:
        weights: (steps, n) float32, before each step.
        updates: (steps, n) float32.
    """
    before = np.linalg.norm(np.asarray(weights, np.float64), axis=1)
    step = np.linalg.norm(updates.astype(np.float64), axis=1)
    relative: NDArray[np.float64] = np.divide(step, before, out=np.zeros_like(step), where=before > 0)
    return relative


def describe(seen: Trajectory) -> dict[str, dict[str, Any]]:
    """Return, for each window of steps, the sizes of one tensor's updates.

    Returns:
        By window: `mean_absolute_update` over weights and steps; the same over the weights that move at all in
        the window, `mean_absolute_update_moving` (None where none does); `relative_update`, the mean over steps;
        `zero_gradient_share`; `moving_weights`; `weights`; `batches`.
    """
    change = np.abs(seen.updates).astype(np.float64)
    relative = relative_update(seen.weights, seen.updates)
    found = {}
    for name, rows in seen.spans.items():
        moving = change[rows].any(axis=0)
        found[name] = {
            "mean_absolute_update": float(change[rows].mean()),
            "mean_absolute_update_moving": float(change[rows][:, moving].mean()) if moving.any() else None,
            "relative_update": float(relative[rows].mean()),
            "zero_gradient_share": float(np.mean(seen.gradients[rows] == 0)),
            "moving_weights": int(moving.sum()),
            "weights": int(moving.size),
            "batches": rows.stop - rows.start,
        }
    return found
