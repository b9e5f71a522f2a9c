"""Transplants and sign tosses, against slow literal loops, closed forms and cases worked out by hand."""

import dataclasses
from pathlib import Path
from typing import Any

import measured
import numpy as np
import pytest
from recordings import ADAM, Rule, descend, momentum, noise, record_digits, write_recording

from report.analysis import estimates, measures, replay, rules, theory, transplants, updates
from report.analysis.measures import Name
from report.analysis.replay import Arithmetic
from report.analysis.transplants import TOSSES, Applied
from report.recording.reader import Recording
from report.recording.study import Study

LATE = "101-1000"
STEPS, WEIGHTS = 1000, 1500


def sgd(beta: float, steps: int = STEPS) -> dict[str, Arithmetic]:
    """Return the arithmetic of SGD with so much momentum, of tensor "w"."""
    return {"w": Arithmetic(beta, False, None, 0.0, 0.0, (0.001,) * steps)}


def adam(beta: float, steps: int = STEPS, weight_decay: float = 0.0) -> dict[str, Arithmetic]:
    """Return that of Adam."""
    return {"w": Arithmetic(beta, True, 0.999, 1e-8, weight_decay, (0.001,) * steps)}


def made(folder: Path, gradients: np.ndarray, beta: float = 0.9, **more: int) -> Path:
    """Write a recording of SGD that met these gradients."""
    slopes = gradients.astype(np.float32)
    weights = descend(slopes, np.zeros(slopes.shape[1]), beta)
    return write_recording(folder, {"w": weights}, {"w": slopes}, rules=[momentum(beta)], seed=more.get("seed", 1))


def mean_run(change: np.ndarray) -> float:
    """Return pairs over flips of updates, (steps, n), counted at once and in the plainest way."""
    product = np.sign(change[1:]) * np.sign(change[:-1])
    return float(np.count_nonzero(product) / np.count_nonzero(product < 0))


def by_paper(gradients: np.ndarray, beta: float) -> np.ndarray:
    """Return the updates of Adam as its paper writes it, in 64 bits."""
    m, v = np.zeros(gradients.shape[1]), np.zeros(gradients.shape[1])
    found = np.empty(gradients.shape)
    for t, g in enumerate(gradients.astype(np.float64), 1):
        m = beta * m + (1 - beta) * g
        v = 0.999 * v + 0.001 * g**2
        found[t - 1] = -0.001 * (m / (1 - beta**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return found


@pytest.mark.parametrize("beta", [0.0, 0.9])
def test_on_the_diagonal_is_the_recorded_run(tmp_path: Path, beta: float) -> None:
    """An optimizer that is sent its own gradients does what it did, in every tensor and window."""
    recording = Recording.open(record_digits(tmp_path / "run", steps=150, beta=beta))
    applied = Applied("own", {"own": replay.by_tensor(recording, 150)})
    found = measures.of(recording, (), 150, applied)
    for name in recording.tensors:
        for window in ("1-100", LATE, "all"):
            (recorded,) = found[Name("persistence", "mean_run", name, window)]
            assert found[Name("transplants", "mean_run", name, window, "own")] == [pytest.approx(recorded, rel=2e-3)]
            (share,) = found[Name("resolution", "equal_share", name, window)]
            assert share is not None
            assert share >= 0.999


def test_a_transplant_is_the_other_optimizer_on_these_gradients(tmp_path: Path) -> None:
    """Adam as its paper writes it, on gradients that SGD met, as they are and tossed by the same coins."""
    gradients = np.random.default_rng(1).standard_normal((300, 400)) + 0.1
    path = made(tmp_path / "run", gradients)
    found = measured.replayed(path, applied=Applied("own", {"adam": adam(0.9)})).found()["adam"]["all"]
    assert found["mean_run"] == pytest.approx(mean_run(by_paper(gradients, 0.9)), rel=1e-3)
    recording = Recording.open(path)
    signs = [transplants.coins(recording, "w", toss).toss(*gradients.shape) for toss in range(TOSSES)]
    tosses = [mean_run(by_paper(gradients * each, 0.9)) for each in signs]
    assert found["toss"] == pytest.approx(np.mean(tosses), rel=1e-3)
    assert found["lean"] == (found["mean_run"] or 0) - (found["toss"] or 0)


def test_noise_of_one_size_runs_as_the_formula_says(tmp_path: Path) -> None:
    """Run and toss are π/arccos(β), whatever the momentum, and with Adam as with SGD; nothing leans."""
    path = made(tmp_path / "run", np.random.default_rng(2).standard_normal((STEPS, WEIGHTS)))
    betas = {"0": 0.0, "0.5": 0.5, "0.9": 0.9, "0.99": 0.99}
    every = {name: sgd(beta) for name, beta in betas.items()} | {"adam": adam(0.9)}
    found = measured.replayed(path, applied=Applied("own", every)).found()
    for name, beta in {**betas, "adam": 0.9}.items():
        row = found[name][LATE]
        assert row["mean_run"] == pytest.approx(theory.mean_run(beta), rel=0.02), name
        assert row["toss"] == pytest.approx(theory.mean_run(beta), rel=0.02), name
        assert row["lean"] == pytest.approx(0, abs=0.03 * theory.mean_run(beta)), name


def lean(folder: Path, gradients: np.ndarray) -> dict[str, float | None]:
    """Return run, toss and lean of momentum 0.9 on gradients."""
    return measured.replayed(made(folder, gradients)).found()["own"][LATE]


def test_lean_has_the_sign_of_what_gradients_do_to_one_another(tmp_path: Path) -> None:
    """Above 0 where they keep a direction, below where each takes back the last one; the toss knows neither."""
    steady = np.random.default_rng(3).standard_normal((STEPS, 400))
    kept = lean(tmp_path / "kept", steady[1:] + 0.5 * steady[:-1])
    back = lean(tmp_path / "back", steady[1:] - 0.5 * steady[:-1])
    assert (kept["lean"] or 0) > 1
    assert (back["lean"] or 0) < -1
    for each in (kept, back):
        assert each["toss"] == pytest.approx(theory.mean_run(0.9), rel=0.03)


def test_silence_makes_the_toss_longer_than_the_formula(tmp_path: Path) -> None:
    """Where two of three gradients are exactly zero momentum carries on; the coin has nothing to toss there."""
    gradients = np.random.default_rng(4).standard_normal((STEPS, 400))
    gradients[np.random.default_rng(5).random(gradients.shape) < 2 / 3] = 0
    found = lean(tmp_path / "run", gradients)
    assert (found["toss"] or 0) > 1.4 * theory.mean_run(0.9)
    assert found["lean"] == pytest.approx(0, abs=0.4)


COAST = np.zeros((12, 2), np.float32)
COAST[[0, 3], 0] = 1.3e-6, -2.6e-6  # of the second weight there is never a gradient


def test_what_the_number_format_takes_away_by_hand(tmp_path: Path) -> None:
    """A weight of 1.5 moves by multiples of u = 2^-23 or not at all.

    At β = 0.5 it is asked to move by 10.9, 5.5 and 2.7 u down, then by 20.4, 10.2, 5.1, 2.6, 1.3 and 0.6 u up, which it
    does; then by 0.3, 0.2 and 0.1 u, which it does not. In 64 bits it does all twelve.
    """
    weights = descend(COAST, np.array([1.5, 1.5]), 0.5, 1.0)
    path = write_recording(tmp_path / "run", {"w": weights}, {"w": COAST}, rules=[momentum(0.5, 1.0)])
    found = measured.replayed(path)
    assert found.own is not None
    assert found.own.resolution()["all"] == {"equal_share": 1.0, "lost_share": 3 / 12, "mean_run_float64": 11.0}
    assert found.found()["own"]["all"]["mean_run"] == 8.0


def test_nothing_asked_for_is_nothing_lost(tmp_path: Path) -> None:
    """Without any gradient no share is lost, and weight decay alone asks for nothing."""
    still = np.zeros((5, 3), np.float32)
    rule: Rule = ("AdamW", {**ADAM[1], "weight_decay": 0.1})
    path = write_recording(tmp_path / "run", {"w": np.ones((6, 3), np.float32)}, {"w": still}, rules=[rule])
    found = measured.replayed(path)
    assert found.own is not None
    assert found.own.resolution()["all"]["lost_share"] is None
    assert found.own.resolution()["all"]["equal_share"] == 0  # the recording stands still, and decay would not


@pytest.mark.parametrize(("beta", "size"), [(0.9, 1e-2), (0.95, 1e-2)])
def test_a_weight_that_coasts_runs_longer_in_64_bits(tmp_path: Path, beta: float, size: float) -> None:
    """In the long silences of a unit that dies and comes back float32 weights rest, and exact ones go on."""
    gradients = np.random.default_rng(6).standard_normal((STEPS, 50)).astype(np.float32) * np.float32(size)
    gradients[np.arange(STEPS) % 450 >= 50] = 0
    weights = descend(gradients, np.ones(50), beta)
    path = write_recording(tmp_path / "run", {"w": weights}, {"w": gradients}, rules=[momentum(beta)])
    found = measured.replayed(path)
    assert found.own is not None
    lost = found.own.resolution()[LATE]
    assert (lost["mean_run_float64"] or 0) > 1.3 * (found.found()["own"][LATE]["mean_run"] or np.inf)
    assert 0.2 < (lost["lost_share"] or 0) < 1


EVERY = {"own": sgd(0.9, 250), "adam": adam(0.9, 250), "decayed": adam(0.5, 250, 0.1), "plain": sgd(0.0, 250)}


def numbers(path: Path, applied: Applied) -> dict[str, object]:
    """Return everything that the replays of a tensor tell."""
    found = measured.replayed(path, applied=applied)
    assert found.own is not None
    own = {"resolution": found.own.resolution(), "together": found.own.together.found()}
    return {**found.found(), **own, "parts": [found.parts(window) for window in ("1-100", "all")]}


@pytest.mark.parametrize(("chunk", "block"), [(1 << 22, 1), (1 << 22, 700), (70, 1 << 17), (190, 700), (1, 1)])
def test_chunks_and_blocks_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int, block: int
) -> None:
    """To the last digit, wherever a piece of the history ends."""
    gradients = np.random.default_rng(8).standard_normal((250, 13))
    gradients[gradients > 1] = 0
    path, applied = made(tmp_path / "run", gradients), Applied("own", EVERY)
    whole = numbers(path, applied)
    monkeypatch.setattr(updates, "CHUNK", chunk)
    monkeypatch.setattr(transplants, "BLOCK", block)
    assert numbers(path, applied) == whole


def test_other_labels_and_tensors_change_nothing(tmp_path: Path) -> None:
    """One optimizer beside others, or alone; one tensor beside others, or alone."""
    weights, gradients = noise({"v": (5, 2), "w": (3, 4)}, 250)
    rules = [momentum(0.9)]
    both = write_recording(tmp_path / "both", weights, gradients, rules=rules, seed=1)
    one = write_recording(tmp_path / "one", {"w": weights["w"]}, {"w": gradients["w"]}, rules=rules, seed=1)
    every = numbers(both, Applied("own", EVERY))
    assert numbers(one, Applied("own", EVERY)) == every
    alone = numbers(one, Applied("own", {"own": EVERY["own"]}))
    assert alone == {name: every[name] for name in ("own", "resolution", "together", "parts")}
    other = write_recording(
        tmp_path / "other", {"w": weights["w"]}, {"w": gradients["w"]}, rules=rules, seed=2, label="another"
    )
    found = numbers(other, Applied("own", EVERY))
    for window in ("1-100", "all"):
        first, second = (each["own"][window] for each in (found, every))  # type: ignore[index]
        assert first["mean_run"] == second["mean_run"]
        assert first["toss"] != second["toss"]


def test_each_recording_is_sent_through_its_own_optimizer(tmp_path: Path) -> None:
    """Two recordings of one label may differ, as under a schedule that watches the loss: each gives back its own."""
    paths = []
    for seed, beta in ((1, 0.9), (2, 0.3)):
        made_of = noise({"w": (5, 8)}, 130, seed, beta)
        paths.append(write_recording(tmp_path / f"{seed}", *made_of, rules=[momentum(beta)], label="x", seed=seed))
    found = estimates.measure(Study.load(paths), tmp_path / "measures", (), lambda: None)
    for run in found.values():
        (recorded,) = run[Name("persistence", "mean_run", "w", "all")]
        assert run[Name("transplants", "mean_run", "w", "all", "x")] == [pytest.approx(recorded, rel=2e-3)]
        assert run[Name("resolution", "equal_share", "w", "all")] == [pytest.approx(1, abs=1e-3)]


def test_every_label_meets_the_gradients_of_every_label(tmp_path: Path) -> None:
    """The table has each pair, averaged over seeds; on its diagonal stand the runs of the recordings themselves."""
    paths = []
    for seed in (1, 2):
        for label, beta in (("x", 0.9), ("y", 0.0)):
            made_of = noise({"w": (5, 8)}, 130, seed, beta)
            paths.append(
                write_recording(tmp_path / f"{label}{seed}", *made_of, rules=[momentum(beta)], label=label, seed=seed)
            )
    study = Study.load(paths)
    table = estimates.table(
        study, estimates.measure(study, tmp_path / "measures", (), lambda: None), rules.predicted(study)
    )
    for own in ("x", "y"):
        run = table.get("transplants", "mean_run", own, "w", "all", applied=own)
        assert run.values == pytest.approx(table.get("persistence", "mean_run", own, "w", "all").values, rel=2e-3)
        assert (run.n, run.low is None) == (2, False)
    # The seeds' noise is the same under both labels, so that either makes of it what the other would.
    for applied in ("x", "y"):
        first, second = (
            table.get("transplants", "mean_run", gradients, "w", "all", applied=applied).values
            for gradients in ("x", "y")
        )
        assert first == pytest.approx(second, rel=1e-3)


def test_an_optimizer_that_treats_another_tensor_is_left_out(tmp_path: Path) -> None:
    """A label whose tensor is not replayed has no transplant of it; without its own there is no closer look."""
    path = made(tmp_path / "run", np.random.default_rng(9).standard_normal((30, 4)))
    found = measured.replayed(path, applied=Applied("own", {"own": {}, "other": sgd(0.5)}))
    assert set(found.found()) == {"other"}
    assert (found.own, found.parts("all")) == (None, (None, None))
    assert measured.replayed(path, applied=Applied("own", {"own": {}})).found() == {}


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_gradients_of_any_size_are_replayed_in_silence(tmp_path: Path, size: float) -> None:
    """Squares that overflow or vanish do so in the optimizer as well, and warn nobody."""
    gradients = np.random.default_rng(10).standard_normal((120, 5)) * size
    path = write_recording(tmp_path / "run", {"w": np.zeros((121, 5))}, {"w": gradients}, rules=[ADAM], seed=1)
    every = {"own": adam(0.9), "bare": {"w": dataclasses.replace(adam(0.9)["w"], epsilon=0.0)}, "sgd": sgd(0.9)}
    found = measured.replayed(path, applied=Applied("own", every)).found()
    assert found["sgd"]["all"]["mean_run"] is not None


def test_optimizers_are_told_apart() -> None:
    """The key of what is kept changes with whose gradients they are, with a label, and with each of its settings."""
    one = adam(0.9)["w"]
    changed: dict[str, Any] = {"momentum": 0.8, "decay": 0.99, "epsilon": 0.1, "weight_decay": 0.1, "rates": (1.0,)}
    others = [dataclasses.replace(one, **{name: value}) for name, value in changed.items()]
    every = [Applied("own", {"own": {"w": each}}) for each in (one, *others)]
    every += [Applied("other", {"own": {"w": one}}), Applied("own", {"own": {"v": one}}), Applied("own")]
    assert len({each.key for each in every}) == len(every)
    reordered = Applied("own", {"b": {"w": one}, "a": {"w": one}})
    assert reordered.key == Applied("own", {"a": {"w": one}, "b": {"w": one}}).key
