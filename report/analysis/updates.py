"""Updates: what each batch changed in each weight."""

import numpy as np
from numpy.typing import NDArray

from report.recording import Recording


def of(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the updates of recorded weights.

    Args:
        weights: (batches + 1, …) float32; row t is the state after t batches.

    Returns:
        (batches, …) float32; row t - 1 is the change that batch t made. A change smaller than half the spacing
        of float32 numbers around the weight was never made: the weight itself is stored in float32.
    """
    return np.asarray(np.diff(weights, axis=0), np.float32)


def kept(recording: Recording, layer: str) -> NDArray[np.float32]:
    """Return (batches, n) float32: the updates of all weights of `layer`, or of the recorded sample of them."""
    return of(recording.kept_weights(layer))
