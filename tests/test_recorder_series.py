"""What a loop logs, and when: every value stands at its step, or a note says where it went."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from by_hand import backward, pair, train

import report
from report.errors import ReportError
from report.recording import writer

SGD = torch.optim.SGD
NOTHING = np.nan


def record(folder: Path, script: str, log: Callable[[report.Recorder, float], None]) -> report.Recording:
    """Record a loop: in `script`, a dot is a step, and a digit is logged; "!" ends it with an exception."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    try:
        with report.record(model, optimizer, folder) as recorder:
            if script.startswith("9"):  # an evaluation of the initial weights has a line of its own
                recorder.log(loss=9)
                script = script[1:]
            for each in script:
                if each == "!":
                    raise KeyboardInterrupt
                if each == ".":
                    train(model, optimizer, 1)
                else:
                    log(recorder, int(each))
    except KeyboardInterrupt:
        pass
    assert not list(folder.glob("before-*"))
    return report.Recording.open(folder)


def plain(recorder: report.Recorder, value: float) -> None:
    """Log a number."""
    recorder.log(loss=value)


def tensor(recorder: report.Recorder, value: float) -> None:
    """Log a tensor."""
    recorder.log(loss=torch.tensor(value))


@pytest.mark.parametrize("log", [plain, tensor])
@pytest.mark.parametrize(
    ("script", "wanted", "notes"),
    [
        (".1.2.3.4", [1, 2, 3, 4], []),
        ("1.2.3.4.", [1, 2, 3, 4], []),
        ("9.1.2.3.4", [1, 2, 3, 4], ["loss was 9 before"]),
        ("0.1.2.3.4", [1, 2, 3, 4], ["loss was 0 before"]),  # logged by one function: the same line
        ("0...3...6", [NOTHING, NOTHING, 3, NOTHING, NOTHING, 6], ["loss was 0 before"]),
        ("0...3...6..", [NOTHING, NOTHING, 3, NOTHING, NOTHING, 6, NOTHING, NOTHING], ["loss was 0 before"]),
        ("0...", [NOTHING] * 3, ["loss was 0 before"]),
        ("1.", [1], []),
        ("9.1", [1], ["loss was 9 before"]),
        ("789.123.45", [9, 3], ["never came", "several times"]),  # small batches
        ("111.1222.2333.3", [1, 2, 3], ["never came", "several times"]),  # likewise, logged after the steps
        ("9.12.34.56", [1, 3, 5], ["loss was 9 before", "several times"]),
        (".12.3", [1, 3], ["several times"]),
        ("1.2.3.!", [1, 2, 3], []),
        ("1.2.3.4!", [1, 2, 3], ["never came"]),
        ("9.1.2.3!", [1, 2, 3], ["loss was 9 before"]),
        ("9.1.2.3.!", [1, 2, 3, NOTHING], ["loss was 9 before"]),
    ],
)
def test_every_value_stands_at_its_step(
    tmp_path: Path,
    script: str,
    wanted: list[float],
    notes: list[str],
    log: Callable[[report.Recorder, float], None],
) -> None:
    """Loops that log after each step, before each step, now and then, or several times a step."""
    recording = record(tmp_path / "run", script, log)
    assert np.array_equal(recording.series["loss"], wanted, equal_nan=True)
    assert [note.kind for note in recording.notes] == ["series"] * len(notes)
    for note, words in zip(recording.notes, notes, strict=True):
        assert words in note.text


def test_names_are_told_apart(tmp_path: Path) -> None:
    """One series is logged before each step, and another after it."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        recorder.log(after=0, now_and_then=0)
        for step in range(1, 301):
            recorder.log(before=step)
            train(model, optimizer, 1)
            recorder.log(after=step)
            if step % 100 == 0:
                recorder.log(now_and_then=step)
    recording = report.Recording.open(tmp_path / "run")
    assert recording.series["before"].tolist() == recording.series["after"].tolist() == list(range(1, 301))
    found = recording.series["now_and_then"]
    assert (np.flatnonzero(np.isfinite(found)) + 1).tolist() == found[np.isfinite(found)].tolist() == [100, 200, 300]


def test_skipped_steps(tmp_path: Path) -> None:
    """A value that was logged before a step that was skipped is replaced by that of the step that came."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1, fused=True)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for step in range(1, 7):
            recorder.log(loss=step)
            backward(model)
            optimizer.found_inf = torch.tensor(float(step in (1, 4)))
            optimizer.step()
    recording = report.Recording.open(tmp_path / "run")
    assert recording.skipped == 2
    assert recording.series["loss"].tolist() == [2, 3, 5, 6]


def test_a_reader_of_a_growing_recording_is_warned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the end nobody can tell which step a value belongs to: a note says so, and it goes at the end."""
    monkeypatch.setattr(writer, "FLUSH_SECONDS", 0.01)
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for step in range(1, 301):
            recorder.log(loss=step)
            train(model, optimizer, 1)
            recorder.log(after=step)
        end = time.monotonic() + 20
        while (growing := report.Recording.open(tmp_path / "run")).taken < 300:
            assert time.monotonic() < end, growing.taken
            time.sleep(0.02)
        assert [note.kind for note in growing.notes] == ["series"]
        assert "loss was logged before the first step. Until the recording is closed" in growing.notes[0].text
        assert growing.series["loss"].tolist()[:299] == list(range(2, 301))
        assert np.load(tmp_path / "run" / "before-0.npy").tolist() == list(range(1, 301))
        assert growing.series["after"].tolist() == list(range(1, 301))
    recording = report.Recording.open(tmp_path / "run")
    assert recording.notes == ()
    assert recording.series["loss"].tolist() == list(range(1, 301))
    with report.record(model, optimizer, tmp_path / "run", overwrite=True):
        train(model, optimizer, 1)


def test_a_series_that_cannot_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a file that somebody reads can be written to, and not be replaced: the recording ends as it should."""
    replace = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if path.suffix == ".npy":
            raise PermissionError(5, "Access is denied", str(path))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    recording = record(tmp_path / "run", "1.2.3.4.", plain)
    assert recording.series["loss"].tolist() == [1, 2, 3, 4]
    assert recording.is_complete


def test_values_that_no_step_follows(tmp_path: Path) -> None:
    """They are noted, and a recording without a step is not complete."""
    model = pair()
    with report.record(model, SGD(model.parameters(), lr=0.1), tmp_path / "run") as recorder:
        recorder.log(loss=1)
    recording = report.Recording.open(tmp_path / "run")
    assert not recording.is_complete
    assert recording.series == {}
    notes = {note.kind: note.text for note in recording.notes}
    assert set(notes) == {"no step", "series"}
    assert notes["series"] == "loss was logged, and no step followed: it is left out."


def test_values_without_a_name(tmp_path: Path) -> None:
    """A mapping instead of keywords is refused where it is given; an empty name is noted, and training goes on."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        train(model, optimizer, 1)
        with pytest.raises(ReportError, match=r"^log: found dict; wanted: numbers by name, such as log\(loss=loss\)"):
            recorder.log({"loss": 1})
        recorder.log(**{"": 1, "loss": 2})
    recording = report.Recording.open(tmp_path / "run")
    assert list(recording.series) == ["loss"]
    assert [note.text for note in recording.notes] == ["A series without a name was logged; it is left out."]


@pytest.mark.parametrize("is_first", [False, True])
def test_values_that_are_not_finite_are_counted(tmp_path: Path, is_first: bool) -> None:
    """NaN stands for "nothing logged" as well: how many were logged is noted."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    values = [1.0, 2.0, np.inf, np.nan, 3.0, np.nan]
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for value in values:
            if is_first:
                recorder.log(loss=value)
            train(model, optimizer, 1)
            if not is_first:
                recorder.log(loss=torch.tensor(value))
    (note,) = report.Recording.open(tmp_path / "run").notes
    assert (note.kind, note.text) == ("series", "Infinite or NaN values of loss: 3, the first in step 3.")
