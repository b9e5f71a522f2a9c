"""How much a layer is updated, in three units that need not agree: opacity, weight units, and the layer's own norm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import threshold, windows
from report.analysis import updates as change

UNITS = ("opacity", "absolute", "relative")


def describe(weights: NDArray[np.float32], law: threshold.Law) -> dict[str, dict[str, Any]]:
    """Return, by window, the size of one layer's updates in three units.

    Args:
        weights: (batches + 1, n) float32.
        law: mean and τ of these updates.

    Returns:
        By window: `opacity`, the mean of min((v/τ)², 1); `absolute`, mean |Δ| (weight units); `relative`, the mean
        over batches of ‖Δ(t)‖/‖w(t - 1)‖; each also over the weights alone that move at all in the window
        (`…_live`, None where none does); `live_share`, of the weights.
    """
    updates = change.of(weights)
    opacity = threshold.opacity(threshold.deviation(updates, law.mean), law.threshold)
    step = np.asarray(updates, np.float64)
    before = np.asarray(weights[:-1], np.float64)
    found: dict[str, dict[str, Any]] = {}
    for name, rows in windows.rows(len(updates)).items():
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
