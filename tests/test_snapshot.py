"""A snapshot of recordings stands still while they grow."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from recordings import noise, write_recording

from report.recording import snapshot
from report.recording.reader import Recording


def grow(folder: Path, steps: int) -> None:
    """Say that so many of the steps are recorded, and that the training goes on."""
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps({**run, "ended": "recording"}), encoding="utf-8")
    progress = {"steps": steps, "taken": steps, "skipped": 0}
    (folder / "progress.json").write_text(json.dumps(progress), encoding="utf-8")


def test_a_snapshot_reads_as_the_recording_did(tmp_path: Path) -> None:
    """Steps that are added after it are not in it, and are in the next one."""
    folder = write_recording(tmp_path / "run", *noise({"w": (3, 4)}, 20))
    grow(folder, 8)
    (place,) = snapshot.take([folder], tmp_path / "taken")
    grow(folder, 15)
    assert Recording.open(place).steps == 8
    assert np.array_equal(Recording.open(place).weights("w"), Recording.open(folder).weights("w")[:9])
    snapshot.take([folder], tmp_path / "taken")
    assert Recording.open(place).steps == 15


def test_folders_that_are_called_alike_get_names_of_their_own(tmp_path: Path) -> None:
    """Results name recordings by their folders."""
    folders = [tmp_path / name / "run" for name in ("a", "b")]
    for seed, folder in enumerate(folders):
        write_recording(folder, *noise({"w": (2, 2)}, 5), seed=seed)
    taken = snapshot.take(folders, tmp_path / "taken")
    assert [place.name for place in taken] == ["run", "run-2"]
    assert [Recording.open(place).seed for place in taken] == [0, 1]
    assert list(taken.values()) == folders


def test_what_belongs_to_no_recording_any_more_is_gone(tmp_path: Path) -> None:
    """A recording that is not named again, and a file that the recording has lost; the recordings themselves stay."""
    folders = [write_recording(tmp_path / name, *noise({"w": (2, 2)}, 5)) for name in ("one", "two")]
    snapshot.take(folders, tmp_path / "taken")
    (folders[0] / "attached.npz").write_bytes(b"x")
    snapshot.take(folders[:1], tmp_path / "taken")
    (folders[0] / "attached.npz").unlink()
    (place,) = snapshot.take(folders[:1], tmp_path / "taken")
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["one"]
    assert {path.name for path in place.iterdir()} == {path.name for path in folders[0].iterdir()}
    assert (folders[1] / "weights-0.npy").is_file()


def test_arrays_that_were_replaced_are_noticed(tmp_path: Path) -> None:
    """Also when all counts are as they were: a recording was made again in the same folder."""
    folder = write_recording(tmp_path / "run", *noise({"w": (3, 4)}, 20))
    before = snapshot.signature(snapshot.take([folder], tmp_path / "taken"))
    assert snapshot.signature(snapshot.take([folder], tmp_path / "taken")) == before
    rows = np.load(folder / "weights-0.npy")
    np.save(folder / "weights-0.npy", rows + 1)
    assert snapshot.signature(snapshot.take([folder], tmp_path / "taken")) != before


def refuse(*_: Any) -> NoReturn:
    """Do as Windows does with whoever may make no symbolic link, and disks that have no other."""
    raise OSError(1314, "A required privilege is not held by the client")


WAYS = {"hard": (), "symbolic": ("link",), "copied": ("link", "symlink")}  # by what the system refuses


@pytest.mark.parametrize("way", WAYS)
def test_no_kind_of_link_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Whatever the system refuses: arrays are the same, and steps that come are in the next snapshot."""
    for name in WAYS[way]:
        monkeypatch.setattr(os, name, refuse)
    folder = write_recording(tmp_path / "run", *noise({"w": (3, 4)}, 20))
    whole = {path.name: np.load(path) for path in folder.glob("*-0.npy")}
    for steps in (8, 15, 20):
        for name, rows in whole.items():  # as the recorder does: in place, and what is counted is there
            with (folder / name).open("r+b") as file:
                np.save(file, rows[: steps + (name == "weights-0.npy")])
        grow(folder, steps)
        (place,) = taken = snapshot.take([folder], tmp_path / "taken")
        before = snapshot.signature(taken)
        assert Recording.open(place).steps == steps
        assert np.array_equal(Recording.open(place).weights("w"), whole["weights-0.npy"][: steps + 1].reshape(-1, 12))
        assert snapshot.signature(snapshot.take([folder], tmp_path / "taken")) == before
        array = place / "weights-0.npy"
        assert array.is_symlink() == (way == "symbolic")
        assert array.samefile(folder / "weights-0.npy") == (way != "copied")


@pytest.mark.parametrize("way", ["hard", "copied"])
def test_what_takes_the_place_of_an_array_is_not_in_the_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A recording is made again in its folder while the report is made: the report is on the old one."""
    for name in WAYS[way]:
        monkeypatch.setattr(os, name, refuse)
    folder = write_recording(tmp_path / "run", *noise({"w": (3, 4)}, 20))
    (place,) = snapshot.take([folder], tmp_path / "taken")
    old = np.array(Recording.open(place).weights("w"))
    shutil.rmtree(folder)
    write_recording(folder, *noise({"w": (3, 4)}, 20, seed=5))
    assert np.array_equal(Recording.open(place).weights("w"), old)
    snapshot.take([folder], tmp_path / "taken")
    assert np.array_equal(Recording.open(place).weights("w"), Recording.open(folder).weights("w"))
    assert not np.array_equal(Recording.open(place).weights("w"), old)


def test_arrays_that_are_links_themselves(tmp_path: Path) -> None:
    """As version control for large files has them, relative to the recording's folder."""
    folder = write_recording(tmp_path / "run", *noise({"w": (3, 4)}, 20))
    (tmp_path / "store").mkdir()
    (folder / "weights-0.npy").rename(tmp_path / "store" / "abc")
    try:
        (folder / "weights-0.npy").symlink_to(Path("..", "store", "abc"))
    except OSError:
        pytest.skip("symbolic links are not allowed here")
    (place,) = snapshot.take([folder], tmp_path / "elsewhere" / "taken")
    assert np.array_equal(Recording.open(place).weights("w"), Recording.open(folder).weights("w"))


def test_folders_that_differ_in_case_get_names_that_do_not(tmp_path: Path) -> None:
    """Windows and macOS take `Run` and `run` for one folder, and a composed letter for one that is not."""
    names = ["Run", "run", "r\u00e9", "re\u0301"]
    folders = [tmp_path / str(place) / name for place, name in enumerate(names)]
    for seed, folder in enumerate(folders):
        write_recording(folder, *noise({"w": (2, 2)}, 5), seed=seed)
    for _ in range(2):
        taken = snapshot.take(folders, tmp_path / "taken")
        assert [place.name for place in taken] == ["Run", "run-2", "r\u00e9", "re\u0301-2"]
        assert [Recording.open(place).seed for place in taken] == [0, 1, 2, 3]
    (tmp_path / "taken" / "run-2").rename(tmp_path / "taken" / "RUN-2")  # what such a disk may show us
    snapshot.take(folders, tmp_path / "taken")
    assert (tmp_path / "taken" / "RUN-2").is_dir()
