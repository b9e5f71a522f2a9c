"""Causes of persistence, each made on purpose and alone: the decomposition must name it."""

import measured
import numpy as np
import pytest

from report.analysis import decomposition, persistence, theory, windows

BATCHES, WEIGHTS, BETA = 600, 2500, 0.9


def describe(sign: np.ndarray, gradients: np.ndarray, beta: float | None) -> dict[str, dict[str, float] | None]:
    """Return the parts in every window."""
    made = None if beta is None else measured.twins(sign, gradients, beta)
    spans = windows.rows(len(sign))
    return decomposition.describe(measured.flips(sign), made, measured.correlated(gradients), spans)


def parts(gradients: np.ndarray, beta: float = BETA) -> dict[str, float]:
    """Return the parts of the late window, of updates that momentum makes of these gradients."""
    sign = -persistence.signs(decomposition.momentum(gradients.astype(np.float32), beta))
    found = describe(sign, gradients.astype(np.float32), beta)["101-1000"]
    assert found is not None
    return found


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """Return independent gradients, (batches, weights)."""
    return np.random.default_rng(1).standard_normal((BATCHES, WEIGHTS))


def test_noise_is_chance_alone(noise: np.ndarray) -> None:
    """Independent Gaussian gradients: every part but chance is about nothing."""
    found = parts(noise)
    assert found["measured"] == pytest.approx(theory.mean_run(BETA), rel=0.01)
    for part in ("uneven", "coasting", "drift", "startup"):
        assert found[part] == pytest.approx(0, abs=0.15)


def test_a_direction_of_the_gradients_is_drift(noise: np.ndarray) -> None:
    """Gradients with a mean of their own lengthen the runs by drift and by nothing else."""
    pull = 0.3 * np.random.default_rng(2).choice([-1, 1], WEIGHTS)
    found = parts(noise + pull)
    assert found["drift"] > 3
    assert abs(found["coasting"]) < 0.15
    assert abs(found["uneven"]) < 0.3
    assert found["gradient_prediction"] > theory.mean_run(BETA) + 2


def test_silent_batches_are_coasting(noise: np.ndarray) -> None:
    """Gradients that are exactly zero in two of three batches lengthen the runs by coasting."""
    silent = np.random.default_rng(3).random(noise.shape) < 2 / 3
    found = parts(np.where(silent, 0, noise))
    assert found["coasting"] > 3
    assert found["drift"] == pytest.approx(0, abs=0.3)
    assert found["uneven"] == pytest.approx(0, abs=0.3)


def test_rare_large_gradients_are_uneven(noise: np.ndarray) -> None:
    """Gradients of very different size lengthen the runs without direction and without a zero."""
    found = parts(noise**5)
    assert found["uneven"] > 0.5
    assert found["drift"] == pytest.approx(0, abs=0.3)
    assert found["coasting"] == pytest.approx(0, abs=0.3)


def test_drift_at_the_start_alone_is_start_up(noise: np.ndarray) -> None:
    """A pull that ends with batch 100 lengthens the runs of all batches by start-up only."""
    gradients = noise.copy()
    gradients[:100] += 1.0
    sign = -persistence.signs(decomposition.momentum(gradients.astype(np.float32), BETA))
    found = describe(sign, gradients.astype(np.float32), BETA)["all"]
    assert found is not None
    assert found["startup"] > 0.5
    assert found["drift"] == pytest.approx(0, abs=0.3)


def test_the_parts_add_up(noise: np.ndarray) -> None:
    """Chance, uneven, coasting, drift and start-up make the measured mean run, in every window."""
    gradients = (np.where(noise > 1, 0, noise) ** 3 + 0.2).astype(np.float32)
    sign = -persistence.signs(decomposition.momentum(gradients, BETA))
    run = measured.persisting(sign)
    for window, found in describe(sign, gradients, BETA).items():
        assert found is not None
        total = sum(found[part] for part in ("chance", "uneven", "coasting", "drift", "startup"))
        assert total == pytest.approx(found["measured"])
        assert found["measured"] == pytest.approx(run[window]["mean_run"])


def test_momentum_by_hand() -> None:
    """The sum decays and adds; held, it waits while the gradient is zero."""
    gradients = np.array([[1.0, 0.0, 0.0, 2.0]], np.float32).T
    assert decomposition.momentum(gradients, 0.5)[:, 0].tolist() == [1.0, 0.5, 0.25, 2.125]
    assert decomposition.momentum(gradients, 0.5, held=True)[:, 0].tolist() == [1.0, 1.0, 1.0, 2.5]


def test_predicted_correlation_of_an_ar1_gradient() -> None:
    """The correlation of filtered updates, from the gradients' own, is that of a simulation."""
    rho = 0.4
    gradient = np.empty((4000, 500))
    gradient[0] = np.random.default_rng(4).standard_normal(500)
    draws = np.random.default_rng(5).standard_normal(gradient.shape)
    for t in range(1, len(gradient)):
        gradient[t] = rho * gradient[t - 1] + np.sqrt(1 - rho**2) * draws[t]
    total = decomposition.momentum(gradient.astype(np.float32), 0.9)[200:].astype(np.float64)
    seen = (total[1:] * total[:-1]).sum() / np.sqrt((total[1:] ** 2).sum() * (total[:-1] ** 2).sum())
    lags = [rho**lag for lag in range(1, 31)]
    assert decomposition.predicted_correlation(lags, 0.9) == pytest.approx(seen, abs=0.002)


def test_no_theory_no_parts() -> None:
    """An optimizer that no AR(1) law describes gets none."""
    sign = np.ones((120, 3), np.int8)
    assert describe(sign, sign.astype(np.float32), None) == dict.fromkeys(("1-100", "101-1000", "all"))


def test_a_short_study_has_no_late_window() -> None:
    """Fewer than 100 batches after the start make no window of their own."""
    assert windows.late(windows.rows(150)) == windows.late(windows.rows(1)) == "all"
    assert windows.late(windows.rows(200)) == "101-1000"
