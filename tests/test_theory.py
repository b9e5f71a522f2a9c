"""What chance predicts: closed forms against simulated noise, and the measuring code against both."""

import measured
import numpy as np
import pytest

from report.analysis import persistence, theory, threshold
from report.analysis.startup import Startup

BETAS = (0.0, 0.5, 0.9, 0.99)
# β1: sign changes, mean same-sign run, agreement with the own batch's gradient, RMS update over the learning rate.
TABLE = {
    0.0: (0.500, 2.00, 1.000, 1.000),
    0.5: (0.333, 3.00, 0.833, 0.577),
    0.9: (0.144, 6.97, 0.644, 0.229),
    0.99: (0.045, 22.2, 0.545, 0.071),
}
BATCHES, WEIGHTS, WARM = 9000, 1000, 3000  # at β1 = 0.99 runs are long: 1 % needs many


def adam(
    gradients: np.ndarray, beta1: float, beta2: float = 0.999, rate: float = 1e-3, epsilon: float = 1e-8
) -> np.ndarray:
    """Return the updates of Adam as its paper writes it, (batches, n)."""
    m, v = np.zeros(gradients.shape[1]), np.zeros(gradients.shape[1])
    updates = np.empty_like(gradients)
    for t, g in enumerate(gradients, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        updates[t - 1] = -rate * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return updates


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    """Return gradients that are independent noise, (batches, weights), of sizes that differ between weights."""
    generator = np.random.default_rng(7)
    return generator.standard_normal((BATCHES, WEIGHTS), np.float32) * generator.lognormal(0, 2, WEIGHTS).astype("f4")


@pytest.fixture(scope="module", params=BETAS)
def simulated(request: pytest.FixtureRequest, noise: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return β1, the gradients and Adam's updates, both from where the moments have settled."""
    updates = adam(noise, request.param)[WARM:]
    return request.param, noise[WARM:], updates


@pytest.mark.parametrize("beta", BETAS)
def test_closed_forms_give_the_published_table(beta: float) -> None:
    """The four closed forms round to the table's numbers."""
    found = theory.flip_rate(beta), theory.mean_run(beta), theory.agreement(beta), theory.update_rms(beta)
    assert found == pytest.approx(TABLE[beta], rel=0.01)


@pytest.mark.slow
def test_measured_on_adam_with_noise_gives_the_table(simulated: tuple[float, np.ndarray, np.ndarray]) -> None:
    """The code that measures recordings finds the theory's numbers on simulated noise, to 1 %."""
    beta, gradients, updates = simulated
    run = measured.persisting(updates)["all"]
    share = measured.agreeing(persistence.signs(updates), persistence.signs(gradients)).found()["all"]["share"]
    weights = np.concatenate([np.zeros((1, updates.shape[1])), np.cumsum(updates, axis=0, dtype=np.float64)])
    rms = measured.sizes(weights).over_learning_rate(1e-3)["all"]["rms"]
    assert run["flip_rate"] == pytest.approx(theory.flip_rate(beta), rel=0.01)
    assert run["mean_run"] == pytest.approx(theory.mean_run(beta), rel=0.01)
    assert share == pytest.approx(theory.agreement(beta), rel=0.01)
    assert rms == pytest.approx(theory.update_rms(beta), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("beta", BETAS)
def test_measured_on_an_ar1_series_gives_the_table(beta: float) -> None:
    """A Gaussian AR(1) series, made without any optimizer, has the autocorrelation β^k and the table's runs."""
    generator = np.random.default_rng(11)
    series = np.empty((20_000, 150))
    series[0] = generator.standard_normal(150)
    for t in range(1, len(series)):
        series[t] = beta * series[t - 1] + np.sqrt(1 - beta**2) * generator.standard_normal(150)
    series = series.astype(np.float32)
    run = measured.persisting(series)["all"]
    assert run["mean_run"] == pytest.approx(theory.mean_run(beta), rel=0.01)
    found = measured.correlated(series)["all"]
    assert found == pytest.approx(theory.autocorrelation(beta), abs=0.01)
    seen = [probability or 0 for probability in measured.lengths(series)["all"]]  # None: no run was ever that long
    assert seen == pytest.approx(theory.run_lengths(beta), abs=0.003)
    law = threshold.law(series, series.size)
    dwells = measured.dwelling(series, law, beta)["all"]
    for suffix, found_dwell in dwells.items():
        if suffix.startswith("spell_") and suffix != "spell_q1":  # of q = 1 there are too few
            expected = dwells[suffix.replace("spell", "chance")]
            assert found_dwell == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("beta", BETAS)
def test_run_lengths_have_the_mean_of_the_closed_form(beta: float) -> None:
    """The lengths that are summed numerically add up to 1 and to a mean of π/arccos(β)."""
    lengths = theory.run_lengths(beta, 3000)
    assert lengths.sum() == pytest.approx(1, abs=1e-6)
    assert (lengths * np.arange(1, 3001)).sum() == pytest.approx(theory.mean_run(beta), rel=1e-6)


def test_dwell_at_level_zero_is_the_mean_run() -> None:
    """Staying beyond a level of 0 is keeping the sign."""
    assert theory.dwell(0.9, 1.0, 1.0) == pytest.approx(theory.mean_run(0.9))


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.0, 0.999), (0.99, 0.99)])
def test_start_up_curve_is_that_of_adam_on_noise(beta1: float, beta2: float) -> None:
    """Mean and RMS of simulated updates, batch by batch, follow the exact integrals; batch 1 is the learning rate."""
    gradients = np.random.default_rng(3).standard_normal((100, 40_000))
    updates = adam(gradients, beta1, beta2) / 1e-3
    curve = theory.start_up_curve("Adam", {"betas": (beta1, beta2)})
    assert curve is not None
    assert curve["mean_absolute"][0] == pytest.approx(1, rel=1e-6)
    assert curve["rms"][0] == pytest.approx(1, rel=1e-6)
    assert curve["mean_absolute"] == pytest.approx(np.abs(updates).mean(axis=1), rel=0.02)
    assert curve["rms"] == pytest.approx(np.sqrt((updates**2).mean(axis=1)), rel=0.02)


def test_start_up_curve_of_rmsprop_starts_ten_times_as_large() -> None:
    """RMSprop corrects no moment: its first update is 1/√(1 - α) learning rates, and the rest follows a simulation."""
    gradients = np.random.default_rng(4).standard_normal((100, 40_000))
    square, updates = np.zeros(40_000), np.empty_like(gradients)
    for t, g in enumerate(gradients):
        square = 0.99 * square + 0.01 * g**2
        updates[t] = g / np.sqrt(square)
    curve = theory.start_up_curve("RMSprop", {})
    assert curve is not None
    assert curve["mean_absolute"][0] == pytest.approx(10, rel=1e-6)
    assert curve["mean_absolute"] == pytest.approx(np.abs(updates).mean(axis=1), rel=0.02)


def test_the_measured_start_up_of_adam_on_noise_is_the_curve() -> None:
    """The code that measures a recording reproduces the curve, and finds that batch 1 moves by the learning rate."""
    gradients = np.random.default_rng(5).standard_normal((100, 20_000))
    found = Startup(1e-3)
    found.add(0, adam(gradients, 0.9).astype(np.float32), gradients.astype(np.float32))
    curve = theory.start_up_curve("Adam", {"betas": (0.9, 0.999)})
    assert curve is not None
    assert found.mean_absolute == pytest.approx(curve["mean_absolute"], rel=0.03)
    assert found.first["exact"] == found.first["live"] == 20_000


def test_early_flips_of_a_filling_memory() -> None:
    """The first batches of simulated momentum flip as often as the growing correlation says."""
    noise = np.random.default_rng(6).standard_normal((40, 60_000))
    total = np.zeros_like(noise)
    total[0] = noise[0]
    for t in range(1, 40):
        total[t] = 0.9 * total[t - 1] + noise[t]
    flips = (total[1:] * total[:-1] < 0).mean()
    assert theory.early_flip_rate(0.9, slice(0, 40)) == pytest.approx(flips, rel=0.01)
    assert theory.early_flip_rate(0.9, slice(500, 900)) == pytest.approx(theory.flip_rate(0.9), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "arguments", "memory"),
    [
        ("Adam", {}, 0.9),
        ("AdamW", {"betas": [0.5, 0.9]}, 0.5),
        ("RMSprop", {}, 0.0),
        ("RMSprop", {"momentum": 0.7}, 0.7),
        ("SGD", {"lr": 0.1}, 0.0),
        ("SGD", {"momentum": 0.9}, 0.9),
        ("SGD", {"momentum": 0.9, "nesterov": True}, None),
        ("SGD", {"momentum": 1.0}, None),
        ("SGD", {"momentum": 1.5}, None),
        ("Adam", {"maximize": True}, None),
        ("NAdam", {}, None),
        ("Unheard", {}, None),
    ],
)
def test_memory_is_known_or_none(name: str, arguments: dict, memory: float | None) -> None:
    """An optimizer without a theory gets none, instead of a wrong one."""
    assert theory.memory(name, arguments) == memory
    assert (theory.describe(name, arguments) is None) == (memory is None)


def test_sizes_are_predicted_only_where_the_learning_rate_sets_them() -> None:
    """SGD's updates scale with the gradient: no RMS over learning rate, no start-up curve."""
    described = theory.describe("SGD", {"momentum": 0.9})
    assert described is not None
    assert described.update_rms is None
    assert described.startup is None
    assert described.mean_run == pytest.approx(6.965, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("SGD", {"momentum": 1.0}),
        ("SGD", {"momentum": 0.9999999999999999}),
        ("SGD", {"momentum": 1e300}),
        ("SGD", {"momentum": -0.5}),
        ("Adam", {"betas": (0.9999999999999999, 0.9999999999999999)}),
        ("Adam", {"betas": (0.9, 0.9, 0.9)}),
        ("Adam", {"betas": ()}),
        ("Adam", {"betas": (0.9, 1.0)}),
        ("Adamax", {"betas": (0.9, 0.999, 0.9)}),
        ("RMSprop", {"alpha": 0.9, "momentum": 0.99999999}),
    ],
)
def test_numbers_that_theory_cannot_take_have_no_prediction(name: str, arguments: dict) -> None:
    """Never an exception after all the training."""
    assert theory.describe(name, arguments) is None


@pytest.mark.parametrize("alpha", [-2.0, 1.0, 1.5])
def test_a_decay_that_is_none_has_no_start_up_curve(alpha: float) -> None:
    """What needs no decay is predicted all the same."""
    found = theory.describe("RMSprop", {"alpha": alpha})
    assert found is not None
    assert (found.startup, found.mean_run) == (None, 2)


def test_run_lengths_are_exact_up_to_the_longest_memory() -> None:
    """Finer sums change nothing."""
    beta = theory.LONGEST_MEMORY
    np.testing.assert_allclose(theory.run_lengths(beta), theory.run_lengths(beta, nodes=1000), atol=1e-10)
