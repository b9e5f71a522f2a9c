"""Noise and what momentum makes of it: in Python and in a browser the same, and as theory has it."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from conftest import run_in_node
from scipy.signal import lfilter

from report import files
from report.analysis import coin, theory


def mulberry(seed: int) -> Iterator[float]:
    """Yield the generator's numbers as it is published, word by word."""
    word = 0xFFFFFFFF
    while True:
        seed = (seed + 0x6D2B79F5) & word
        mixed = ((seed ^ (seed >> 15)) * (1 | seed)) & word
        mixed ^= (mixed + (((mixed ^ (mixed >> 7)) * (61 | mixed)) & word)) & word
        yield ((mixed ^ (mixed >> 14)) & word) / 2**32


def runs(updates: np.ndarray) -> list[int]:
    """Return the length of every streak that ends within the series, one after the other."""
    return [len(list(members)) for _, members in itertools.groupby(updates > 0)][1:-1]


@pytest.mark.parametrize("seed", [0, 1, coin.SEED, 0xFFFFFFFF])
def test_the_generator_is_the_published_one(seed: int) -> None:
    """Bit for bit."""
    assert coin.uniform(seed, 500).tolist() == list(itertools.islice(mulberry(seed), 500))


def test_gradients_are_independent_and_normal() -> None:
    """By Box and Muller, number by number; and by their moments."""
    found, uniform = coin.gradients(), coin.uniform(coin.SEED, 10)
    for place in range(0, 10, 2):
        radius, angle = math.sqrt(-2 * math.log(1 - uniform[place])), 2 * math.pi * uniform[place + 1]
        assert found[place : place + 2].tolist() == pytest.approx([radius * math.cos(angle), radius * math.sin(angle)])
    error = 1 / math.sqrt(len(found))
    assert abs(found.mean()) < 4 * error
    assert abs((found**2).mean() - 1) < 4 * math.sqrt(2) * error
    assert abs((found**4).mean() - 3) < 4 * math.sqrt(96) * error
    assert all(abs((found[lag:] * found[:-lag]).mean()) < 4 * error for lag in (1, 2, 3, 10))
    assert len(coin.gradients(1, 7)) == 7


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
def test_momentum_is_a_linear_filter_and_its_streaks_are_those_of_theory(beta: float) -> None:
    """SciPy's, with one pole; and streaks, counted one by one, as long as π/arccos β, within three per cent."""
    slope = coin.gradients()
    updates = coin.updates(slope, beta)
    np.testing.assert_allclose(updates, -lfilter([1 - beta], [1, -beta], slope), rtol=1e-12, atol=1e-14)
    assert np.mean(runs(updates[coin.START :])) == pytest.approx(theory.mean_run(beta), rel=0.03)


def test_what_is_shown_is_typical() -> None:
    """Of the whole toss: so the figure does not show an exception."""
    for part, mean_run in zip(coin.tables(), coin.mean_runs(), strict=True):
        beta, update = float(part["beta"][0]), np.asarray(part["update"], float)
        assert len(update) == coin.SHOWN
        flips = np.count_nonzero(np.diff(update > 0))
        assert (coin.SHOWN - 1) / flips == pytest.approx(theory.mean_run(beta), rel=0.1)
        assert mean_run == pytest.approx(np.mean(runs(coin.updates(coin.gradients(), beta)[coin.START :])), rel=0.01)
        if not beta:
            np.testing.assert_array_equal(update, -np.asarray(part["gradient"]))


def test_the_browser_makes_the_same_toss(tmp_path) -> None:
    """The tests in tests/hand, in Node: against SciPy and theory."""
    slope = coin.gradients(count=300)
    made = {str(beta): (-lfilter([1 - beta], [1, -beta], slope)).tolist() for beta in (0, 0.3, 0.9, 0.99)}
    constants = [coin.SEED, coin.BATCHES, coin.START, coin.SHOWN]
    files.write_json(tmp_path / "toss.json", {"gradients": slope.tolist(), "updates": made, "constants": constants})
    run_in_node("hand", HAND_FIXTURES=tmp_path)
