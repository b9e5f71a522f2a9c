"""Intervals over seeds, against scipy.stats, against a table, and against counting how often they cover."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from report.analysis import intervals


@pytest.mark.parametrize("count", [2, 3, 5, 7, 12])
def test_bounds_agree_with_scipy(count: int) -> None:
    """The ends are those of Student's t as scipy.stats has it."""
    values = np.random.default_rng(count).standard_normal(count) * 3 + 7
    low, high = intervals.bounds(values)
    expected = stats.t.interval(0.95, count - 1, loc=values.mean(), scale=stats.sem(values))
    assert (float(low), float(high)) == pytest.approx(expected, rel=1e-12)


def test_bounds_of_three_values_are_those_of_the_printed_table() -> None:
    """1, 2 and 9 have mean 4 and s = √19; the table of Student's t has 4.303 for two degrees of freedom."""
    reach = 4.303 * math.sqrt(19) / math.sqrt(3)
    assert [float(end) for end in intervals.bounds(np.array([1.0, 2.0, 9.0]))] == pytest.approx(
        [4 - reach, 4 + reach], abs=0.001
    )


def test_an_interval_over_five_seeds_covers_95_percent() -> None:
    """Of 40,000 made-up studies with five seeds, 95 % have the true mean in their interval."""
    low, high = intervals.bounds(np.random.default_rng(3).standard_normal((5, 40_000)) + 2)
    assert np.mean((low < 2) & (high > 2)) == pytest.approx(0.95, abs=0.004)


def test_bounds_of_many_quantities_are_those_of_each() -> None:
    """Vectorised over quantities, each gets the interval that it has alone."""
    table = np.random.default_rng(1).standard_normal((5, 4, 3))
    low, high = intervals.bounds(table)
    alone = intervals.bounds(table[:, 2, 1])
    assert (low[2, 1], high[2, 1]) == pytest.approx((float(alone[0]), float(alone[1])), rel=1e-12)


def test_an_estimate_leaves_out_what_does_not_exist() -> None:
    """A training run without the number is not counted, and fewer than two leave no interval."""
    low, high = (float(end) for end in intervals.bounds(np.array([1.0, 3.0])))
    assert intervals.estimate([1.0, None, 3.0]) == intervals.Estimate(2.0, low, high, 2, (1.0, None, 3.0))
    assert low < 1.0 < 3.0 < high
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


def test_equal_values_have_an_interval_of_no_width() -> None:
    """Seeds that agree to the last digit leave nothing open."""
    assert dataclasses.astuple(intervals.estimate([2.5] * 4))[:4] == (2.5, 2.5, 2.5, 4)
