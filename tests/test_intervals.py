"""Intervals over seeds, against SciPy's bootstrap and against counting by hand."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from report.analysis import intervals


@pytest.mark.parametrize("count", [2, 3, 5, 7, 12])
def test_bounds_agree_with_scipy(count: int) -> None:
    """The ends are those of SciPy's percentile bootstrap, but for its random draws."""
    values = np.random.default_rng(count).standard_normal(count)
    low, high = intervals.bounds(values)
    drawn = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=60_000, rng=np.random.default_rng(0))
    spread = np.ptp(values) * 0.02
    assert float(low) == pytest.approx(drawn.confidence_interval.low, abs=spread)
    assert float(high) == pytest.approx(drawn.confidence_interval.high, abs=spread)


def test_bounds_of_three_values_are_counted_out() -> None:
    """All 27 ordered resamples of three values, listed one by one, give the same ends."""
    values = np.array([1.0, 2.0, 10.0])
    means = sorted(np.mean(each) for each in itertools.product(values, repeat=3))
    # 2.5 % of 27 is 0.675: reached with the first mean; 97.5 % is 26.3: reached with the last.
    assert [float(end) for end in intervals.bounds(values)] == pytest.approx([means[0], means[26]])


def test_bounds_of_many_quantities_are_those_of_each() -> None:
    """Vectorised over quantities, each gets the interval that it has alone."""
    table = np.random.default_rng(1).standard_normal((5, 4, 3))
    low, high = intervals.bounds(table)
    alone = intervals.bounds(table[:, 2, 1])
    assert (low[2, 1], high[2, 1]) == (float(alone[0]), float(alone[1]))


def test_an_estimate_leaves_out_what_does_not_exist() -> None:
    """A training run without the number is not counted, and fewer than two leave no interval."""
    assert intervals.estimate([1.0, None, 3.0]) == intervals.Estimate(2.0, 1.0, 3.0, 2, (1.0, None, 3.0))
    assert intervals.estimate([None, 4.0]) == intervals.Estimate(4.0, None, None, 1, (None, 4.0))
    assert intervals.estimate([]).mean is None


def test_series_are_estimated_place_by_place() -> None:
    """Each place of a series has the estimate of its numbers; n counts the series that there are."""
    series = [[1.0, 5.0, None], [3.0, None, None], None, [5.0, 7.0, None]]
    found = intervals.estimates(series)
    for place in range(3):
        expected = intervals.estimate([None if each is None else each[place] for each in series])
        assert found[place] == dataclasses.replace(expected, n=3)
    assert intervals.estimates([None, None]) == intervals.estimates([]) == []


def test_twice_the_same() -> None:
    """Beyond the seeds that can be counted out, the draws are fixed."""
    values = np.random.default_rng(2).standard_normal(20)
    first = [float(end) for end in intervals.bounds(values)]
    intervals._resamples.cache_clear()
    assert [float(end) for end in intervals.bounds(values)] == first
