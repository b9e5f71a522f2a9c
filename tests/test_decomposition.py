"""Causes of persistence, each made on purpose and alone: the decomposition must name it."""

from pathlib import Path

import measured
import numpy as np
import pytest
from recordings import ADAM, Rule, descend, momentum, write_recording

from report.analysis import decomposition, replay, theory, updates, windows
from report.analysis.transplants import Applied

STEPS, WEIGHTS, BETA = 600, 1500, 0.9
Parts = dict[str, dict[str, float | None]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where a recording may be written."""
    return tmp_path / "run"


def describe(folder: Path, gradients: np.ndarray, rule: Rule | None = None, beta: float | None = BETA) -> Parts:
    """Return the parts in every window, of updates that momentum makes of these gradients."""
    made = gradients.astype(np.float32)
    weights = descend(made, np.zeros(made.shape[1]))
    write_recording(folder, {"w": weights}, {"w": made}, rules=[rule or momentum(BETA)])
    spans, flips = windows.rows(len(made)), measured.flips(updates.of(weights))
    return decomposition.describe(flips, measured.replayed(folder).parts, beta, measured.correlated(made), spans)


def parts(folder: Path, gradients: np.ndarray) -> dict[str, float]:
    """Return the parts of the late window."""
    found = describe(folder, gradients)["101-1000"]
    return {name: value for name, value in found.items() if value is not None}


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """Return independent gradients, (steps, weights)."""
    return np.random.default_rng(1).standard_normal((STEPS, WEIGHTS))


def test_noise_is_chance_alone(folder: Path, noise: np.ndarray) -> None:
    """Independent Gaussian gradients: every part but chance is about nothing."""
    found = parts(folder, noise)
    assert found["measured"] == pytest.approx(theory.mean_run(BETA), rel=0.01)
    for part in ("uneven", "coasting", "lean"):
        assert found[part] == pytest.approx(0, abs=0.15)


def test_a_direction_of_the_gradients_is_lean(folder: Path, noise: np.ndarray) -> None:
    """Gradients with a mean of their own lengthen the runs by lean and by nothing else."""
    found = parts(folder, noise + 0.3 * np.random.default_rng(2).choice([-1, 1], WEIGHTS))
    assert found["lean"] > 3
    assert abs(found["coasting"]) < 0.15
    assert abs(found["uneven"]) < 0.3
    assert found["gradient_prediction"] > theory.mean_run(BETA) + 2


def test_gradients_that_take_each_other_back_lean_the_other_way(folder: Path, noise: np.ndarray) -> None:
    """Each gradient takes back half of the one before: lean is negative, and the other parts are about nothing."""
    back = noise[1:] - 0.5 * noise[:-1]
    found = parts(folder, back)
    assert found["lean"] < -1
    assert abs(found["coasting"]) < 0.15
    assert abs(found["uneven"]) < 0.3
    assert found["gradient_prediction"] < theory.mean_run(BETA) - 1


def test_silent_steps_are_coasting(folder: Path, noise: np.ndarray) -> None:
    """Gradients that are exactly zero in two of three steps lengthen the runs by coasting."""
    silent = np.random.default_rng(3).random(noise.shape) < 2 / 3
    found = parts(folder, np.where(silent, 0, noise))
    assert found["coasting"] > 3
    assert found["lean"] == pytest.approx(0, abs=0.3)
    assert found["uneven"] == pytest.approx(0, abs=0.3)


def test_rare_large_gradients_are_uneven(folder: Path, noise: np.ndarray) -> None:
    """Gradients of very different size lengthen the runs without direction and without a zero."""
    found = parts(folder, noise**5)
    assert found["uneven"] > 0.5
    assert found["lean"] == pytest.approx(0, abs=0.3)
    assert found["coasting"] == pytest.approx(0, abs=0.3)


def test_the_parts_add_up(folder: Path, noise: np.ndarray) -> None:
    """Chance, uneven, coasting and lean make the measured mean run, in every window."""
    gradients = (np.where(noise > 1, 0, noise) ** 3 + 0.2).astype(np.float32)
    found = describe(folder, gradients)
    assert set(found) == {"1-100", "101-1000", "all"}
    run = measured.persisting(updates.of(descend(gradients, np.zeros(WEIGHTS))))
    for window, row in found.items():
        total = sum(row[part] or 0 for part in ("chance", "uneven", "coasting", "lean"))
        assert total == pytest.approx(row["measured"])
        assert row["measured"] == pytest.approx(run[window]["mean_run"])


def test_momentum_by_hand() -> None:
    """The sum decays and adds; held, it waits while the gradient is zero; it goes on where it was left."""
    gradients = np.array([[1.0, 0.0, 0.0, 2.0]], np.float32).T
    assert replay.Sum(0.5).add(gradients)[:, 0].tolist() == [1.0, 0.5, 0.25, 2.125]
    assert replay.Sum(0.5, held=True).add(gradients)[:, 0].tolist() == [1.0, 1.0, 1.0, 2.5]
    pieces = replay.Sum(0.5, held=True)
    assert [pieces.add(gradients[step : step + 1])[0, 0] for step in range(4)] == [1.0, 1.0, 1.0, 2.5]


def test_predicted_correlation_of_an_ar1_gradient() -> None:
    """The correlation of filtered updates, from the gradients' own, is that of a simulation."""
    rho = 0.4
    gradient = np.empty((4000, 500))
    gradient[0] = np.random.default_rng(4).standard_normal(500)
    draws = np.random.default_rng(5).standard_normal(gradient.shape)
    for t in range(1, len(gradient)):
        gradient[t] = rho * gradient[t - 1] + np.sqrt(1 - rho**2) * draws[t]
    total = replay.Sum(0.9).add(gradient)[200:]
    seen = (total[1:] * total[:-1]).sum() / np.sqrt((total[1:] ** 2).sum() * (total[:-1] ** 2).sum())
    lags = [rho**lag for lag in range(1, 31)]
    assert decomposition.predicted_correlation(lags, 0.9) == pytest.approx(seen, abs=0.002)


def test_no_theory_no_parts(folder: Path) -> None:
    """An optimizer that no AR(1) law describes gets none, and neither does one that is not replayed."""
    gradients = np.random.default_rng(6).standard_normal((130, 5))
    assert describe(folder, gradients, beta=None) == {}
    decayed = ("Adam", {**ADAM[1], "weight_decay": 0.1})
    assert describe(folder.with_name("other"), gradients, decayed) == {}


def test_nothing_that_flips_has_no_parts(folder: Path) -> None:
    """A weight that always goes one way has no mean run to take apart; tossed, it would have one."""
    assert describe(folder, np.ones((130, 2))) == {}
    run = measured.replayed(folder)
    assert run.found()["own"]["all"]["mean_run"] is None
    assert run.parts("all")[0] is not None
    assert measured.replayed(folder, applied=Applied("own")).parts("all") == (None, None)


def test_a_short_study_has_no_late_window() -> None:
    """Fewer than 100 batches after the start make no window of their own."""
    assert windows.late(windows.rows(150)) == windows.late(windows.rows(1)) == "all"
    assert windows.late(windows.rows(200)) == "101-1000"
