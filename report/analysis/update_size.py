"""The size of a layer's updates batch by batch: median, and the band that holds the middle four fifths."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import updates
from report.analysis.size import relative_update

LOWER, UPPER = 0.1, 0.9  # ends of the band, quantiles


def table(layer: str, weights: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Return one row a batch: quantiles and mean of |Δ| over the kept weights, and ‖Δ‖ / ‖w‖.

    Args:
        layer: its name, repeated in a column.
        weights: (batches + 1, n) float32.
    """
    change = np.abs(updates.of(weights)).astype(np.float64)
    lower, median, upper = np.quantile(change, (LOWER, 0.5, UPPER), axis=1)
    return {
        "batch": np.arange(1, len(change) + 1),
        "layer": np.full(len(change), layer),
        "median": median,
        "lower": lower,
        "upper": upper,
        "mean_absolute": change.mean(axis=1),
        "relative": relative_update(weights),
    }
