"""Gradients that are exactly zero, and weights that move all the same because momentum carries them on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis.windows import Spans


def describe(sign: NDArray[np.int8], gradients: NDArray[np.float32], spans: Spans) -> dict[str, dict[str, Any]]:
    """Return shares of zero gradients and of coasting updates, by window.

    Args:
        sign: (steps, n) int8, of the updates.
        gradients: (steps, n) float32.
        spans: which rows belong to each window.

    Returns:
        By window: `zero_gradient_share` of all gradients; `coasting_share`, of the updates that are not zero those
        whose own gradient is exactly zero (None where nothing moves); `dead_weights`, without any gradient in the
        window; `weights`.
    """
    has_gradient = gradients != 0
    moving = sign != 0
    moved = np.count_nonzero(moving, axis=1)
    driven = np.count_nonzero(moving & has_gradient, axis=1)
    active = np.count_nonzero(has_gradient, axis=1)
    found: dict[str, dict[str, Any]] = {}
    for name, rows in spans.items():
        updates = int(moved[rows].sum())
        alive = has_gradient[rows].any(axis=0)
        found[name] = {
            "zero_gradient_share": 1 - int(active[rows].sum()) / has_gradient[rows].size,
            "coasting_share": 1 - int(driven[rows].sum()) / updates if updates else None,
            "dead_weights": int(alive.size - alive.sum()),
            "weights": int(alive.size),
        }
    return found
