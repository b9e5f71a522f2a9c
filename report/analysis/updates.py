"""Updates: what each step changed in each weight, and in which steps a tensor had any."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.analysis.windows import Spans, spans
from report.recording.reader import Recording

Floats = NDArray[np.float32]

MOST_ENTRIES = 16_384  # of a tensor that are measured: more need memory, and say no more of it


def of(weights: Floats) -> Floats:
    """Return the updates of recorded weights.

    Args:
        weights: (steps + 1, …) float32; row t is the state after t steps.

    Returns:
        (steps, …) float32; row t - 1 is the change that step t made. A change smaller than half the spacing
        of float32 numbers around the weight was never made: the weight itself is stored in float32.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a weight that became infinite
        return np.asarray(np.diff(weights, axis=0), np.float32)


@dataclass(frozen=True)
class Trajectory:
    """Hold what a recording has of one tensor: a row for each step that used a gradient of it.

    A step without a gradient left the tensor alone, and so does every later measure with it. All numbers are finite:
    what comes after the first one that is not is left out.

    Attributes:
        numbers: (rows,) int64, the steps, counted from 1.
        weights: (rows, n) float32, the weights that each step started from.
        updates: (rows, n) float32.
        gradients: (rows, n) float32.
        entries: (n,) int64, which of the kept entries these are: all, or `MOST_ENTRIES` evenly spread ones.
        spans: which rows belong to each window.
    """

    numbers: NDArray[np.int64]
    weights: Floats
    updates: Floats
    gradients: Floats
    entries: NDArray[np.int64]
    spans: Spans


def trajectory(recording: Recording, name: str, steps: int | None = None) -> Trajectory:
    """Return the trajectory of a tensor.

    Args:
        recording: that has it.
        name: of the tensor.
        steps: the first so many are looked at; None for all.
    """
    steps = recording.steps if steps is None else min(steps, recording.steps)
    weights, gradients = recording.weights(name)[: steps + 1], recording.gradients(name)[:steps]
    entries = np.arange(weights.shape[1])
    if len(entries) > MOST_ENTRIES:
        entries = np.linspace(0, len(entries) - 1, MOST_ENTRIES).astype(np.int64)
        weights, gradients = weights[:, entries], gradients[:, entries]
    change = of(weights)
    used = recording.present(name)[:steps] & (weights.shape[1] > 0)
    broken = used & ~(np.isfinite(change).all(axis=1) & np.isfinite(gradients).all(axis=1))
    if broken.any():
        used[np.argmax(broken) :] = False
    numbers = np.flatnonzero(used) + 1
    before = weights[:-1]
    if not used.all():
        before, change, gradients = before[used], change[used], gradients[used]
    return Trajectory(numbers, np.asarray(before), change, np.asarray(gradients), entries, spans(numbers))
