"""Intervals over seeds: the percentile bootstrap, exact where that can be counted out.

Seeds are the only independent repetitions there are; batches of one training run are not.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

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


def summarise(values: Sequence[float | None]) -> dict[str, Any]:
    """Return mean, interval and number of the values that exist, and all of them.

    Returns:
        `mean` (None without any value), `low` and `high` (None with fewer than two), `n`, `values`.
    """
    known = np.array([value for value in values if value is not None], np.float64)
    low = high = None
    if len(known) > 1:
        low, high = (float(end) for end in bounds(known))
    mean = float(known.mean()) if len(known) else None
    return {"mean": mean, "low": low, "high": high, "n": len(known), "values": list(values)}


def summarise_series(values: Sequence[Sequence[float | None]]) -> dict[str, Any]:
    """Return the same of series of equal length: `mean`, `low`, `high` as lists; `n`, without the values.

    A place where a series has no number is None in all three unless another series has one.
    """
    table = np.array([[math.nan if value is None else value for value in series] for series in values], np.float64)
    if not table.size:
        return {"mean": [], "low": [], "high": [], "n": len(table)}
    complete: NDArray[np.bool_] = ~np.asarray(np.isnan(table).any(axis=0))
    mean, low, high = ([None] * table.shape[1] for _ in range(3))  # type: list[Any], list[Any], list[Any]
    if len(table) > 1 and complete.any():
        ends = bounds(table[:, complete])
        for place, first, last in zip(np.flatnonzero(complete).tolist(), *(end.tolist() for end in ends), strict=True):
            low[place], high[place] = first, last
    for place in range(table.shape[1]):
        known = table[~np.isnan(table[:, place]), place]
        if complete[place]:
            mean[place] = float(known.mean())
        elif len(known):
            rest = summarise(known.tolist())
            mean[place], low[place], high[place] = rest["mean"], rest["low"], rest["high"]
    return {"mean": mean, "low": low, "high": high, "n": len(table)}
