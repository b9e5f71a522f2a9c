"""Intervals over seeds: the percentile bootstrap, exact where that can be counted out.

Seeds are the only independent repetitions there are; batches of one training run are not.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
EXACT_UP_TO = 7  # values: 1,716 different resamples; beyond, they are drawn
RESAMPLES = 9999
SEED = 0

Doubles = NDArray[np.float64]


@functools.cache
def _resamples(count: int) -> tuple[Doubles, Doubles]:
    """Return every resample of `count` values (or many of them) as weights of a mean, and its probability.

    Returns:
        (resamples, count) weights with rows that sum to 1; (resamples,) probabilities.
    """
    if count > EXACT_UP_TO:
        counts = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), RESAMPLES)
        return counts / count, np.full(RESAMPLES, 1 / RESAMPLES)
    drawn = list(itertools.combinations_with_replacement(range(count), count))
    counts = np.array([np.bincount(each, minlength=count) for each in drawn])
    ways = [math.factorial(count) / math.prod(math.factorial(n) for n in row) for row in counts.tolist()]
    return counts / count, np.array(ways) / count**count


def bounds(values: Doubles) -> tuple[Doubles, Doubles]:
    """Return the ends of the bootstrap interval for the mean over the first axis.

    With up to `EXACT_UP_TO` seeds the bootstrap distribution is counted out in full: the limit of drawing for ever,
    and no random number in it. An end is the smallest mean at which at least 2.5 % (97.5 %) of the distribution is
    reached. With few seeds a bootstrap interval is rather too narrow than too wide (five values: about 85 % instead
    of 95 %); that is why every page gives n beside it.

    Args:
        values: (n, …) float64, n ≥ 2 seeds.

    Returns:
        low, high: each (…).
    """
    weights, probability = _resamples(len(values))
    flat = values.reshape(len(values), -1)  # (n, quantities)
    means = weights @ flat  # (resamples, quantities)
    order = np.argsort(means, axis=0, kind="stable")
    reached = np.cumsum(probability[order], axis=0)
    ends = []
    for share in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        # A hair below, so that a sum of probabilities that ought to be equal does not decide by its last bit.
        place = np.argmax(reached >= share - 1e-12, axis=0)
        ends.append(means[order[place, np.arange(flat.shape[1])], np.arange(flat.shape[1])].reshape(values.shape[1:]))
    return ends[0], ends[1]


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
    found = []
    for place, cells in enumerate(zip(*(each or [None] * table.shape[1] for each in values), strict=True)):
        one = replace(estimate([]), values=cells)
        if complete[place]:
            one = replace(one, mean=float(np.ascontiguousarray(table[:, place]).mean()))
            if place in ends:
                one = replace(one, low=ends[place][0], high=ends[place][1])
        else:
            one = estimate(cells)
        found.append(replace(one, n=len(table)))
    return found
