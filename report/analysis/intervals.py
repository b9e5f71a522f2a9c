"""Intervals over seeds: Student's t (Student 1908, Biometrika 6), for the mean of few values.

Seeds are the only independent repetitions there are; batches of one training run are not. A percentile bootstrap over
five values would cover about 85 % where it says 95.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95

Doubles = NDArray[np.float64]


def bounds(values: Doubles) -> tuple[Doubles, Doubles]:
    """Return the ends of the 95 % interval for the mean over the first axis: mean ± t · s / √n.

    Args:
        values: (n, …) float64, n ≥ 2 seeds.

    Returns:
        low, high: each (…).
    """
    from scipy.special import stdtrit  # scipy.stats has the same, and takes a second longer to import

    count = len(values)
    mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
    reach = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * spread / math.sqrt(count)
    return mean - reach, mean + reach


@dataclass(frozen=True)
class Estimate:
    """Hold a mean over recordings, its interval, how many they are, each one's value, and what chance predicts.

    Attributes:
        mean: None without any value.
        low: the lower end of the interval; None with fewer than two values.
        high: the upper end.
        n: recordings that it is taken over.
        values: one a recording, None where one has none.
        predicted: by chance alone; None where no theory says.
    """

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    values: tuple[float | None, ...] = ()
    predicted: float | None = None


def estimate(values: Sequence[float | None]) -> Estimate:
    """Return mean, interval and number of the values that exist."""
    known = np.array([value for value in values if value is not None], np.float64)
    low = high = None
    if len(known) > 1:
        low, high = (float(end) for end in bounds(known))
    return Estimate(float(known.mean()) if len(known) else None, low, high, len(known), tuple(values))


def estimates(values: Sequence[Sequence[float | None] | None]) -> list[Estimate]:
    """Return the same at each place of series of equal length.

    Args:
        values: a series a recording, None where a recording has none; n counts those that there are, also at a place
            where one of them has no number.
    """
    series = [each for each in values if each is not None]
    table = np.array([[math.nan if value is None else value for value in each] for each in series], np.float64)
    if not table.size:
        return []
    complete: NDArray[np.bool_] = ~np.asarray(np.isnan(table).any(axis=0))
    ends: dict[int, tuple[float, float]] = {}
    if len(table) > 1 and complete.any():
        low, high = bounds(table[:, complete])
        ends = dict(zip(np.flatnonzero(complete).tolist(), zip(low.tolist(), high.tolist(), strict=True), strict=True))
    means = np.ascontiguousarray(table.T).mean(axis=1).tolist()  # added up as one alone would be
    found = []
    for place, cells in enumerate(zip(*(each or [None] * table.shape[1] for each in values), strict=True)):
        if complete[place]:
            low_end, high_end = ends.get(place, (None, None))
            found.append(Estimate(means[place], low_end, high_end, len(table), cells))
        else:
            found.append(replace(estimate(cells), n=len(table)))
    return found
