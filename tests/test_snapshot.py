"""A snapshot of recordings stands still while they grow."""

import json
from pathlib import Path

import numpy as np
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
