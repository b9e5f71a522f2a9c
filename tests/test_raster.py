"""The updates of a small tensor, as recorded, tossed and without momentum, against the recordings themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recordings import ADAM, Rule, descend, momentum, noise, write_recording

from report.analysis import raster, transplants, updates
from report.analysis.report import analyse
from report.recording.study import Study
from report.workspace import Workspace

SHAPES = {"a": (6, 5), "b": (4, 6)}
Panels = dict[str, Mapping[str, np.ndarray]]


def study(folder: Path, steps: int = 300, rule: Rule | None = None, **more: Any) -> Study:
    """Record momentum 0.9 and a control without, on other noise."""
    main = write_recording(
        folder / "main", *noise(SHAPES, steps), rules=[rule or momentum(0.9)], label="main", seed=1, role="main", **more
    )
    control = write_recording(
        folder / "plain", *noise(SHAPES, steps, 2, beta=0.0), rules=[momentum(0.0)], label="plain", seed=1, **more
    )
    return Study.load([main, control])


def panels(made: Study, name: str = "b") -> Panels:
    """Return what is drawn, by panel."""
    control = made.find("plain", 1)
    assert control is not None
    return {str(each["panel"][0]): each for each in raster.tables(made, name, control)}


def scaled(change: np.ndarray) -> np.ndarray:
    """Return updates by their own root mean square, (steps, n), weight by weight, to three decimals."""
    change = change.astype(np.float64)
    columns = [each / np.sqrt(np.mean(each**2)) if each.any() else each for each in change.T]
    return np.stack(columns, axis=1).round(3)


def test_each_panel_shows_its_updates(tmp_path: Path) -> None:
    """Steps 101 to 250 of every weight: recorded, tossed by the first coins of the transplants, and the control's."""
    made = study(tmp_path)
    found = panels(made)
    assert list(found) == list(raster.PANELS)
    main, control = made.main, made.find("plain", 1)
    assert control is not None
    gradients = main.gradients("b")
    coins = transplants.coins(main, "b", 0).toss(*gradients.shape)
    tossed = descend(gradients * coins, main.weights("b")[0])
    for panel, weights in zip(raster.PANELS, (main.weights("b"), tossed, control.weights("b")), strict=True):
        table = found[panel]
        expected = scaled(updates.of(np.asarray(weights))[100:250])
        seen = table["update"].reshape(150, 24)
        assert np.mean(np.abs(seen - expected) < 0.003) > 0.99, panel
        assert table["batch"].reshape(150, 24)[:, 0].tolist() == list(range(101, 251))
        assert table["out"].reshape(150, 24)[7].tolist() == [number // 6 for number in range(24)]
        assert table["in"].reshape(150, 24)[7].tolist() == [number % 6 for number in range(24)]
        assert set(table["layer"].tolist()) == {"b"}


@pytest.mark.parametrize("chunk", [1, 100, 24 * 40])
def test_chunks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """Wherever a piece of the history ends."""
    made = study(tmp_path)
    whole = panels(made)
    monkeypatch.setattr(updates, "CHUNK", chunk)
    for panel, table in panels(made).items():
        for name, column in table.items():
            np.testing.assert_array_equal(column, whole[panel][name])


def test_of_many_weights_some_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly spread, the first and the last among them, under their own places in the matrix."""
    monkeypatch.setattr(raster, "WEIGHTS", 4)
    made = study(tmp_path)
    every = updates.of(made.main.weights("b"))[100:250]
    table = panels(made)["recorded"]
    assert [(int(a), int(b)) for a, b in zip(table["out"][:4], table["in"][:4], strict=True)] == [
        (0, 0),
        (1, 1),
        (2, 3),
        (3, 5),
    ]
    np.testing.assert_array_equal(table["update"].reshape(150, 4), scaled(every)[:, [0, 7, 15, 23]])


def test_a_short_study_is_shown_from_its_start(tmp_path: Path) -> None:
    """Where hardly anything follows the first hundred steps."""
    table = panels(study(tmp_path, 120))["tossed"]
    assert sorted(set(table["batch"].tolist())) == list(range(1, 121))


def test_an_optimizer_that_is_not_replayed_has_no_raster(tmp_path: Path) -> None:
    """Two panels of three would show nothing of what is to be compared."""
    assert panels(study(tmp_path, rule=("Adam", {**ADAM[1], "weight_decay": 0.1}))) == {}


def analysed(folder: Path, made: Study) -> set[str]:
    """Analyse; return the names of the tables."""
    place = Workspace(folder, folder / "build", folder / "site")
    analyse(place, made, [])
    return {path.stem for path in place.tables.iterdir()}


def test_a_study_with_a_control_has_a_raster(tmp_path: Path) -> None:
    """And one without has none."""
    made = study(tmp_path)
    assert "raster" in analysed(tmp_path / "both", made)
    assert "raster" not in analysed(tmp_path / "one", Study([made.main]))


def test_a_last_tensor_without_a_gradient_has_no_raster(tmp_path: Path) -> None:
    """As where the last layer is frozen: there is nothing to show, and nothing stops."""
    weights, gradients = noise(SHAPES, 300)
    gradients["b"][:] = np.nan
    weights["b"][:] = weights["b"][:1]
    frozen: dict[str, Any] = {"events": [{"row": 0, "tensor": 1, "present": False}]}
    paths = [
        write_recording(tmp_path / name, weights, gradients, rules=[momentum(beta)], label=name, seed=1, **frozen)
        for name, beta in (("main", 0.9), ("plain", 0.0))
    ]
    assert "raster" not in analysed(tmp_path / "made", Study.load(paths))


def test_a_tensor_that_joins_after_the_raster_has_none(tmp_path: Path) -> None:
    """Its first gradient comes when the shown steps are over."""
    weights, gradients = noise(SHAPES, 300)
    weights["b"][:261], gradients["b"][:260] = weights["b"][:1], np.nan
    events = [{"row": 0, "tensor": 1, "present": False}, {"row": 260, "tensor": 1, "present": True}]
    paths = [
        write_recording(tmp_path / name, weights, gradients, rules=[momentum(beta)], label=name, seed=1, events=events)
        for name, beta in (("main", 0.9), ("plain", 0.0))
    ]
    assert "raster" not in analysed(tmp_path / "made", Study.load(paths))


def test_a_control_that_keeps_other_entries_has_no_raster(tmp_path: Path) -> None:
    """Its rows would stand under the names of other weights."""
    weights, gradients = noise({"b": (20, 20)}, 200)
    weights["a"], gradients["a"] = weights["b"], gradients["b"]
    paths = []
    for name, beta, kept in (("main", 0.9, np.arange(0, 400, 4)), ("plain", 0.0, np.arange(1, 400, 8))):
        rows = {each: weights[each].reshape(201, 400)[:, kept] for each in ("a", "b")}
        slopes = {each: gradients[each].reshape(200, 400)[:, kept] for each in ("a", "b")}
        some: dict[str, Any] = {"shapes": dict.fromkeys("ab", (20, 20)), "indices": dict.fromkeys("ab", kept)}
        rules = [momentum(beta)]
        paths.append(write_recording(tmp_path / name, rows, slopes, rules=rules, label=name, seed=1, **some))
    assert panels(Study.load(paths)) == {}


def test_the_steps_shown_are_the_most_typical(tmp_path: Path) -> None:
    """Of the stretches after the start: the one whose mean same-sign run is nearest to that of all of them."""
    made = study(tmp_path, steps=1000)
    change = np.diff(np.asarray(made.main.weights("a"), np.float64), axis=0)

    def mean_run(first: int, last: int) -> float:
        sign = np.sign(change[first:last])
        pairs = sign[1:] * sign[:-1]
        return float(np.count_nonzero(pairs) / np.count_nonzero(pairs < 0))

    whole = mean_run(100, 1000)
    distances = [abs(np.log(mean_run(start, start + 150) / whole)) for start in range(100, 1000, 150)]
    typical = 100 + 150 * int(np.argmin(distances))
    assert typical > 100, "the first stretch would be taken by any rule"
    batches = panels(made, "a")["recorded"]["batch"]
    assert (batches.min(), batches.max()) == (typical + 1, typical + 150)
