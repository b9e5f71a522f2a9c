"""Recordings of any model: the analysis knows tensors by name alone, and leaves out what was not there."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from measured import by_run
from recordings import ADAM, SGD, noise, record_cnn, record_digits, write_recording

from report import files
from report.analysis import columns, updates
from report.analysis.report import analyse
from report.analysis.table import SCALARS
from report.errors import ReportError
from report.recording.reader import Recording
from report.recording.study import Study
from report.workspace import Workspace

SHAPES = {"0.weight": (6, 8), "0.bias": (6,), "conv": (3, 2, 2, 2), "2.weight": (4, 6), "scale": ()}
Results = dict[str, Any]
Tables = dict[str, dict[str, np.ndarray]]


def analysed(folder: Path, recordings: Sequence[Path]) -> tuple[Results, Tables]:
    """Analyse recordings in `folder`; return results and tables."""
    place = Workspace(ROOT, folder / "build", folder / "site")
    analyse(place, Study.load(recordings), [])
    return by_run(place), {path.stem: columns.read(path) for path in sorted(place.tables.iterdir())}


def numbers(results: Results, run: str, name: str) -> dict[str, Any]:
    """Return all measures of one tensor in one training run, over all its steps."""
    return {quantity: results[quantity][run][name]["all"] for quantity in SCALARS if name in results[quantity][run]}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Return recordings of two models, two labels and two seeds of each, made by the real recorder."""
    folder = tmp_path_factory.mktemp("recorded")
    sides = [(label, momentum, seed) for label, momentum in (("B", 0.9), ("A", 0.0)) for seed in (0, 1)]
    return {
        "cnn": [record_cnn(folder / f"cnn-{a}{c}", label=a, momentum=b, seed=c) for a, b, c in sides],
        "digits": [record_digits(folder / f"digits-{a}{c}", label=a, beta=b, seed=c) for a, b, c in sides],
    }


@pytest.mark.slow
def test_a_convolutional_network(tmp_path: Path, recorded: dict[str, list[Path]]) -> None:
    """Every tensor is measured, the dense head is drawn, a frozen bias is in no number."""
    results, tables = analysed(tmp_path, recorded["cnn"][:1])
    assert results["drawn"] == ["6.weight", "8.weight"]
    assert results["network"]["edges_drawn"] == 54 * 16 + 16 * 5
    assert results["network"]["nodes_drawn"] == [54, 16, 5]
    frozen = {"3.bias"}
    assert set(results["tensors"]) == set(results["threshold"]["cnn-B0"]) == set(results["persistence"]["cnn-B0"])
    assert not frozen & set(results["tensors"])
    assert results["network"]["layers"]["3.weight"]["shape"] == [6, 36]
    assert results["network"]["layers"]["0.weight"]["kind"] == "Conv2d"
    assert set(tables["persistence"]["layer"].tolist()) == set(results["tensors"])
    assert "digits" not in tables
    assert "loss" not in tables
    assert results["loss"] == {"cnn-B0": None}


def test_a_schedule_leaves_no_size_over_the_learning_rate(tmp_path: Path, recorded: dict[str, list[Path]]) -> None:
    """There is no one rate to divide by; the momentum coefficient is known all the same."""
    results, _ = analysed(tmp_path, recorded["cnn"][:1])
    assert results["study"]["optimizers"][0]["learning_rate"] is None
    assert set(results["update_rms"]["cnn-B0"]["8.weight"]["all"].values()) == {None}
    assert "8.weight" not in results["first_step"]["cnn-B0"]
    assert results["curves"]["startup"] == {}
    assert results["theory"]["b"]["memory"] == 0.9


@pytest.mark.slow
@pytest.mark.parametrize("model", ["cnn", "digits"])
def test_two_seeds_and_two_labels(tmp_path: Path, recorded: dict[str, list[Path]], model: str) -> None:
    """Means over seeds, side by side; the weight that is shown is the same one under both."""
    results, tables = analysed(tmp_path / "two", recorded[model][:2])
    assert results["study"]["seeds_of"] == {"b": [0, 1]}
    results, tables = analysed(tmp_path / "four", recorded[model])
    assert [each["label"] for each in results["study"]["optimizers"]] == ["B", "A"]
    found = results["summary"]["persistence"]["a"][results["tensors"][0]]["all"]["mean_run"]
    assert found.n == 2
    assert found.low < found.mean < found.high
    shown = tables["one_weight"]
    starts = shown["weight"][shown["batch"] == 0]
    assert len(starts) == 2
    assert starts[0] == starts[1]


def test_tensors_whose_names_are_digits(tmp_path: Path, recorded: dict[str, list[Path]]) -> None:
    """They are text in every table, and a chain as any other."""
    results, tables = analysed(tmp_path, recorded["digits"][:1])
    assert results["drawn"] == results["tensors"] == ["0", "1", "2", "3"]
    for name, table in tables.items():
        if "layer" in table and name not in ("findings", "one_weight"):
            assert set(table["layer"].tolist()) == {"0", "1", "2", "3"}, name
    assert set(tables["one_weight"]["layer"].tolist()) == {"0"}
    assert results["loss"]["digits-B0"]["first"] == pytest.approx(math.log(3), abs=0.2)
    assert results["loss"]["digits-B0"]["final_validation_loss"] is None


NAMES = ("10", "2", "1e5", "nan", "inf", "a,b", 'say "hi"', "two\nlines", "重み/一", "l3", "~^", "..")


@pytest.mark.slow
def test_a_tensor_may_have_any_name(tmp_path: Path) -> None:
    """The order of the recording is kept, from the results to the tables."""
    made = noise(dict.fromkeys(NAMES, (3, 3)), 12)
    results, tables = analysed(tmp_path, [write_recording(tmp_path / "names", *made)])
    assert results["tensors"] == results["drawn"] == list(NAMES)
    assert list(dict.fromkeys(tables["size"]["layer"].tolist())) == list(NAMES)
    assert list(dict.fromkeys(tables["persistence_runs"]["layer"].tolist())) == list(NAMES)


@pytest.mark.slow
def test_the_same_bytes_when_measures_are_read(tmp_path: Path) -> None:
    """JSON sorts names; what comes back from the disk is in the recording's order all the same."""
    path = write_recording(tmp_path / "names", *noise(dict.fromkeys(NAMES, (3, 3)), 12))
    place = Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    seen = []
    for _ in range(2):
        analyse(place, Study.load(path), [])
        written = [*sorted(place.tables.iterdir()), *sorted(place.numbers.iterdir())]
        seen.append([place.results.read_bytes(), *(each.read_bytes() for each in written)])
    assert seen[0] == seen[1]


def absent(gradients: Mapping[str, np.ndarray], name: str, steps: Sequence[int]) -> None:
    """Take the gradient of a tensor away in some steps, counted from 1."""
    for step in steps:
        gradients[name][step - 1] = np.nan


@pytest.mark.slow
def test_steps_without_a_gradient_are_left_out(tmp_path: Path) -> None:
    """Every measure of a tensor is that of a recording which has its other steps alone."""
    weights, gradients = noise(SHAPES, 60)
    gaps = [7, 8, 20, 45]
    held = [step for step in range(1, 61) if step not in gaps]
    shorter = {name: rows[[0, *held]] for name, rows in weights.items()}
    only = {name: rows[[step - 1 for step in held]] for name, rows in gradients.items()}
    # The longer recording stands still where there was no gradient.
    states = {name: rows[np.searchsorted(held, np.arange(61), side="right")] for name, rows in shorter.items()}
    with_gaps = {name: np.full((60, *rows.shape[1:]), np.nan, np.float32) for name, rows in only.items()}
    for name, rows in only.items():
        with_gaps[name][[step - 1 for step in held]] = rows
    events = [
        {"row": step - 1, "tensor": number, "present": step in held}
        for number in range(len(SHAPES))
        for step in range(1, 61)
    ]
    events.sort(key=lambda event: event["row"])
    # With one seed both toss the same coins.
    long = write_recording(tmp_path / "long", states, with_gaps, events=events, seed=4)
    short = write_recording(tmp_path / "short", shorter, only, seed=4)
    first, tables = analysed(tmp_path / "a", [long])
    second, _ = analysed(tmp_path / "b", [short])
    for name in SHAPES:
        assert numbers(first, "long", name) == numbers(second, "short", name)
        assert first["transplants"]["long"][name] == second["transplants"]["short"][name]
        assert first["size"]["long"][name]["all"] == second["size"]["short"][name]["all"]
        assert first["threshold"]["long"][name] == second["threshold"]["short"][name]
        assert first["histogram"]["long"][name] == second["histogram"]["short"][name]
    rows = tables["update_size"]["layer"] == "conv"
    assert tables["update_size"]["batch"][rows].tolist() == held
    assert set(first["agreement"]["long"]["conv"]) == {"1-100", "all"}


def test_a_tensor_that_joins_late_is_measured_from_then_on(tmp_path: Path) -> None:
    """As with layers that are unfrozen: its windows are those of the training, its start-up is its own."""
    weights, gradients = noise({"head": (3, 4), "body": (5, 4)}, 150, beta=0.0, rate=0.001)
    late = write_recording(
        tmp_path / "late",
        {**weights, "body": np.concatenate([np.repeat(weights["body"][:1], 120, axis=0), weights["body"][:31]])},
        {**gradients, "body": np.concatenate([np.full((120, 5, 4), np.nan), gradients["body"][:30]])},
        events=[{"row": 0, "tensor": 1, "present": False}, {"row": 120, "tensor": 1, "present": True}],
    )
    results, tables = analysed(tmp_path / "a", [late])
    alone = write_recording(tmp_path / "alone", {"body": weights["body"][:31]}, {"body": gradients["body"][:30]})
    expected, _ = analysed(tmp_path / "b", [alone])
    assert set(results["persistence"]["late"]["body"]) == {"101-1000", "all"}
    assert results["persistence"]["late"]["body"]["all"] == expected["persistence"]["alone"]["body"]["all"]
    assert results["first_step"]["late"]["body"] == expected["first_step"]["alone"]["body"]
    history = tables["weight_history"]["layer"] == "body"
    assert tables["weight_history"]["batch"][history].tolist()[:2] == [120, 121]
    assert results["curves"]["agreement"]["made"]["body"]["mean"][:12] == [None] * 12


def test_a_tensor_without_any_gradient_is_in_no_number(tmp_path: Path) -> None:
    """It is described, and nothing else; a recording of such tensors alone comes to no table of them."""
    weights, gradients = noise({"live": (3, 4), "frozen": (3, 3)}, 20)
    gradients["frozen"][:] = np.nan
    weights["frozen"][:] = weights["frozen"][:1]
    path = write_recording(tmp_path / "run", weights, gradients, events=[{"row": 0, "tensor": 1, "present": False}])
    results, tables = analysed(tmp_path / "a", [path])
    assert results["tensors"] == ["live"]
    assert list(results["network"]["layers"]) == ["frozen", "live"]
    assert set(tables["persistence"]["layer"].tolist()) == {"live"}
    events = [{"row": 0, "tensor": 0, "present": False}, {"row": 0, "tensor": 1, "present": False}]
    gradients["live"][:] = np.nan
    still = write_recording(tmp_path / "still", weights, gradients, events=events)
    results, tables = analysed(tmp_path / "b", [still])
    assert results["tensors"] == []
    assert results["one_weight"] is None
    assert set(tables) == {"accuracy", "coin", "findings", "layers"}


@pytest.mark.slow
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("what", ["weights", "gradients"])
def test_what_comes_after_a_number_that_is_none_is_left_out(tmp_path: Path, what: str, value: float) -> None:
    """A training run that diverged in step 41 is analysed as one of 40 steps, the tensors that went on as of 60."""
    weights, gradients = noise({"a": (3, 4), "b": (2, 3)}, 60)
    whole = write_recording(tmp_path / "whole", weights, gradients)
    short = write_recording(
        tmp_path / "short",
        {name: rows[:41] for name, rows in weights.items()},
        {name: rows[:40] for name, rows in gradients.items()},
    )
    if what == "weights":
        weights["a"][41:, 1] = value
    else:
        gradients["a"][40:, 2] = value
        weights["a"][41:] = np.nan
    broken = write_recording(tmp_path / "broken", weights, gradients)
    results, tables = analysed(tmp_path / "a", [broken])
    expected, _ = analysed(tmp_path / "b", [whole])
    cut, _ = analysed(tmp_path / "c", [short])
    for name, other, run in (("a", cut, "short"), ("b", expected, "whole")):
        assert results["persistence"]["broken"][name] == other["persistence"][run][name]
        assert results["size"]["broken"][name] == other["size"][run][name]
        assert results["history"]["broken"][name] == other["history"][run][name]
    assert int(np.isinf(tables["weight_history"]["weight"]).sum()) == 0


def test_a_loss_that_is_no_number(tmp_path: Path) -> None:
    """Not logged in most steps, infinite in one: what there is is stated."""
    losses = np.full(30, np.nan)
    losses[[0, 9, 19]] = [3.0, 2.0, np.inf]
    made = noise({"a": (3, 4)}, 30)
    series = {"train_loss": losses, "validation_loss": np.full(30, np.nan)}
    results, tables = analysed(tmp_path, [write_recording(tmp_path / "run", *made, series=series)])
    found = results["loss"]["run"]
    assert (found["first"], found["first_ten_mean"], found["last_hundred_median"]) == (3.0, 2.5, 2.5)
    assert (found["last_hundred_accuracy"], found["validation"]) == (None, [])
    assert tables["loss"]["batch"].tolist() == [1, 10]
    assert np.isnan(tables["loss"]["train_accuracy_median"]).all()
    assert "validation" not in tables


def test_groups_may_have_rules_of_their_own(tmp_path: Path) -> None:
    """Each tensor is held against its own optimizer, with its own learning rate."""
    made = noise({"a": (3, 4), "b": (2, 3)}, 30)
    rules = (ADAM, ("SGD", {**SGD[1], "momentum": 0.5}))
    path = write_recording(tmp_path / "run", *made, rules=rules, group_of={"b": 1})
    results, tables = analysed(tmp_path / "a", [path])
    assert results["theory"] == {"made": None}  # not one for all
    table = tables["persistence"]
    rows = (table["name"] == "mean_run") & (table["window"] == "all")
    expected = [math.pi / math.acos(0.9), math.pi / math.acos(0.5)]
    assert table["theory"][rows].tolist() == pytest.approx(expected)
    rates = results["update_rms"]["run"]
    size = results["size"]["run"]
    for name, rate in (("a", 0.001), ("b", 0.1)):
        expected_size = size[name]["all"]["mean_absolute_update"] / rate
        assert rates[name]["all"]["mean_absolute"] == pytest.approx(expected_size)


@pytest.mark.parametrize(
    ("rule", "memory"),
    [
        (("SGD", {"lr": 0.1, "momentum": 1.0}), None),
        (("SGD", {"lr": 0.0, "momentum": 0.5}), 0.5),
        (("Lion", {"lr": 0.1, "betas": [0.9, 0.99]}), None),
        (("RMSprop", {"lr": 0.1, "alpha": 1.0, "momentum": 0}), 0.0),
        (("Adam", {}), 0.9),
    ],
)
def test_any_optimizer(tmp_path: Path, rule: tuple[str, dict[str, Any]], memory: float | None) -> None:
    """Without a theory, or without a learning rate, some numbers are absent, and nothing else is."""
    path = write_recording(tmp_path / "run", *noise({"a": (3, 4), "b": (2, 3)}, 30), rules=[rule])
    results, _ = analysed(tmp_path / "a", [path])
    theory = results["theory"]["made"]
    assert (theory and theory["memory"]) == memory
    assert results["persistence"]["run"]["a"]["all"]["mean_run"] > 1


def test_a_momentum_that_is_scheduled_has_no_theory(tmp_path: Path) -> None:
    """As under OneCycleLR: no one coefficient describes the updates."""
    events = [{"row": 5, "group": 0, "set": {"betas": [0.8, 0.999]}}]
    path = write_recording(tmp_path / "run", *noise({"a": (3, 4)}, 30), events=events)
    results, _ = analysed(tmp_path / "a", [path])
    assert results["theory"] == {"made": None}
    assert results["decomposition"]["run"] == {}
    assert results["study"]["optimizers"][0]["learning_rate"] == 0.001


def test_rows_that_are_several_steps_apart_have_no_theory(tmp_path: Path) -> None:
    """The change of a row is then that of all of them."""
    path = write_recording(tmp_path / "run", *noise({"a": (3, 4)}, 30))
    described = files.read_json(path / "run.json")
    files.write_json(path / "run.json", {**described, "every": 10})
    results, _ = analysed(tmp_path / "a", [path])
    assert results["theory"] == {"made": None}
    assert results["update_rms"]["run"]["a"]["all"]["rms"] is None


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_recording_of_very_few_steps(tmp_path: Path, steps: int) -> None:
    """Fewer steps than lags, windows or bins."""
    results, tables = analysed(tmp_path, [write_recording(tmp_path / "run", *noise(SHAPES, steps))])
    assert results["steps"] == results["study"]["batches"] == steps
    assert len(tables["weight_history"]["batch"]) == 2 * len(SHAPES) * (steps + 1)


def test_a_recording_without_a_step_is_refused(tmp_path: Path) -> None:
    """In one line."""
    path = write_recording(tmp_path / "run", *noise({"a": (3, 4)}, 0))
    with pytest.raises(ReportError, match="holds no step"):
        analysed(tmp_path, [path])


def test_two_recordings_of_one_name_are_refused(tmp_path: Path) -> None:
    """Results go by the names of the folders."""
    paths = [write_recording(tmp_path / f"{n}" / "run", *noise({"a": (3, 4)}, 5), seed=n) for n in (0, 1)]
    with pytest.raises(ReportError, match="one name"):
        analysed(tmp_path, paths)


def test_recordings_without_a_seed(tmp_path: Path) -> None:
    """Two labels, one recording each; and one label with and without a seed."""
    made = [noise({"a": (3, 4), "b": (2, 3)}, 30, seed) for seed in range(3)]
    paths = [write_recording(tmp_path / name, *each, label=name) for name, each in zip("xy", made, strict=False)]
    results, tables = analysed(tmp_path / "a", paths)
    assert results["study"]["seeds"] == [None]
    assert np.isnan(tables["persistence_runs"]["seed"]).all()
    assert results["one_weight"]["optimizers"] == ["x", "y"]
    paths.append(write_recording(tmp_path / "z", *made[2], label="x", seed=4))
    results, _ = analysed(tmp_path / "b", paths)
    assert results["study"]["seeds_of"]["x"] == [None, 4]


def test_recordings_that_keep_other_entries(tmp_path: Path) -> None:
    """One weight is shown only where it was recorded; the rest is compared."""
    weights, gradients = noise({"a": (40, 50)}, 20)
    paths = []
    for label, kept in (("x", np.arange(0, 2000, 50)), ("y", np.arange(1, 2000, 40)), ("z", np.arange(0, 2000, 50))):
        rows, slopes = weights["a"].reshape(21, -1)[:, kept], gradients["a"].reshape(20, -1)[:, kept]
        some = {"shapes": {"a": (40, 50)}, "indices": {"a": kept}, "label": label, "seed": 1}
        paths.append(write_recording(tmp_path / label, {"a": rows}, {"a": slopes}, **some))
    results, tables = analysed(tmp_path / "build", paths)
    assert results["one_weight"]["optimizers"] == ["x", "z"]
    row, column = results["one_weight"]["index"]
    shown = tables["one_weight"]
    assert shown["weight"][:21].tolist() == weights["a"][:, row, column].astype(float).tolist()
    assert set(results["summary"]["persistence"]) == {"x", "y", "z"}


def test_of_a_huge_tensor_some_entries_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly spread over what is kept; the graph is never one of them."""
    monkeypatch.setattr(updates, "MOST_ENTRIES", 12)
    weights, gradients = noise({"a": (10, 10)}, 20)
    recording = Recording.open(write_recording(tmp_path / "run", weights, gradients))
    track = updates.Track(recording, "a")
    (seen,) = track.chunks()
    assert track.entries.tolist() == [0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99]
    np.testing.assert_array_equal(seen.weights, weights["a"].reshape(21, 100)[:-1, track.entries])
    np.testing.assert_array_equal(seen.gradients, gradients["a"].reshape(20, 100)[:, track.entries])
    results, _ = analysed(tmp_path / "a", [recording.path])
    position = results["one_weight"]["position"]
    assert results["one_weight"]["index"] == [position // 10, position % 10]
    assert results["persistence"]["run"]["a"]["all"]["weights"] == 12


def test_settings_come_from_the_recording(tmp_path: Path) -> None:
    """Whatever an experiment file may say by now: the learning rate is the one that was recorded."""
    rules = [("Adam", {**ADAM[1], "lr": 0.25, "weight_decay": 0.01})]
    about = {"key": "secret", "training": {"batch_size": 4}, "data": {"title": "birds", "train": 40, "classes": 5}}
    made = noise({"a": (3, 4)}, 30)
    results, _ = analysed(tmp_path, [write_recording(tmp_path / "run", *made, rules=rules, about=about)])
    optimizer = results["study"]["optimizers"][0]
    assert (optimizer["learning_rate"], optimizer["weight_decay"], optimizer["beta1"]) == (0.25, 0.01, 0.9)
    assert results["data"] == {"title": "birds", "train": 40, "classes": 5, "epochs": 3.0}
    assert results["about"] == {name: about[name] for name in ("data", "training")}
    assert results["reference"]["ln_classes"] == pytest.approx(math.log(5))
    assert results["main"] == "run"


@pytest.mark.slow
def test_pictures_of_any_shape(tmp_path: Path) -> None:
    """Colour images of another size are a table too; arrays of another name are none."""
    images = np.arange(3 * 2 * 5 * 4, dtype=np.uint8).reshape(2, 3, 5, 4)
    attached = {"first": images[1], "first_label": np.array(7), "examples": images, "example_labels": np.array([7, 8])}
    made = noise({"a": (3, 4)}, 5)
    _, tables = analysed(tmp_path / "a", [write_recording(tmp_path / "with", *made, attached=attached)])
    assert tables["digits"]["label"].tolist() == [7, 7, 8]
    assert [int(tables["digits"][f"pixel_{n}"][0]) for n in range(60)] == images[1].ravel().tolist()
    path = write_recording(tmp_path / "other", *made, attached={"vocabulary": np.arange(3)})
    assert "digits" not in analysed(tmp_path / "b", [path])[1]
