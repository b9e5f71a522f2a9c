"""How much a tensor is updated, in three units that need not agree: opacity, weight units, and its own norm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import threshold
from report.analysis.windows import Spans

UNITS = ("opacity", "absolute", "relative")


def describe(
    weights: NDArray[np.float32], updates: NDArray[np.float32], law: threshold.Law, spans: Spans
) -> dict[str, dict[str, Any]]:
    """Return, by window, the size of one tensor's updates in three units.

    Args:
        weights: (steps, n) float32, before each step.
        updates: (steps, n) float32.
        law: mean and τ of these updates.
        spans: which rows belong to each window.

    Returns:
        By window: `opacity`, the mean of min((v/τ)², 1); `absolute`, mean |Δ| (weight units); `relative`, the mean
        over steps of ‖Δ(t)‖/‖w(t - 1)‖; each also over the weights alone that move at all in the window
        (`…_live`, None where none does); `live_share`, of the weights.
    """
    opacity = threshold.opacity(threshold.deviation(updates, law.mean), law.threshold)
    step = np.asarray(updates, np.float64)
    before = np.asarray(weights, np.float64)
    found: dict[str, dict[str, Any]] = {}
    for name, rows in spans.items():
        live = updates[rows].any(axis=0)
        row: dict[str, float | None] = {}
        for suffix, kept in (("", np.ones_like(live)), ("_live", live)):
            if not kept.any():
                row.update({f"{unit}{suffix}": None for unit in UNITS})
                continue
            chosen: Any = slice(None) if kept.all() else kept
            moved, stood = step[rows, chosen], before[rows, chosen]
            norms = np.sqrt(np.einsum("tn,tn->t", stood, stood))
            steps = np.sqrt(np.einsum("tn,tn->t", moved, moved))
            row[f"opacity{suffix}"] = float(opacity[rows, chosen].mean())
            row[f"absolute{suffix}"] = float(np.abs(moved).mean())
            row[f"relative{suffix}"] = float(np.divide(steps, norms, out=np.zeros_like(steps), where=norms > 0).mean())
        found[name] = {**row, "live_share": float(live.mean())}
    return found
