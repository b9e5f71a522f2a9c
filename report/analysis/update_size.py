"""The size of a tensor's updates step by step: median, and the band that holds the middle four fifths."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis.size import relative_update
from report.analysis.updates import Trajectory

LOWER, UPPER = 0.1, 0.9  # ends of the band, quantiles


def table(name: str, seen: Trajectory) -> dict[str, NDArray[Any]]:
    """Return one row a step in which the tensor `name` had a gradient: quantiles and mean of |Δ|, and ‖Δ‖ / ‖w‖."""
    change = np.abs(seen.updates).astype(np.float64)
    lower, median, upper = np.quantile(change, (LOWER, 0.5, UPPER), axis=1)
    return {
        "batch": seen.numbers,
        "layer": np.full(len(change), name),
        "median": median,
        "lower": lower,
        "upper": upper,
        "mean_absolute": change.mean(axis=1),
        "relative": relative_update(seen.weights, seen.updates),
    }
