"""The size of a tensor's updates step by step: median, and the band that holds the middle four fifths."""

import numpy as np

from report.analysis.columns import Column, same
from report.analysis.units import relative_update
from report.analysis.updates import Chunk

LOWER, UPPER = 0.1, 0.9  # ends of the band, quantiles


def table(name: str, seen: Chunk) -> dict[str, Column]:
    """Return one row a step in which the tensor `name` had a gradient: quantiles and mean of |Δ|, and ‖Δ‖ / ‖w‖."""
    change = np.abs(seen.updates).astype(np.float64)
    lower, median, upper = np.quantile(change, (LOWER, 0.5, UPPER), axis=1)
    return {
        "batch": seen.numbers,
        "layer": same(name, len(change)),
        "median": median,
        "lower": lower,
        "upper": upper,
        "mean_absolute": change.mean(axis=1),
        "relative": relative_update(np.asarray(seen.weights, np.float64), np.asarray(seen.updates, np.float64)),
    }
