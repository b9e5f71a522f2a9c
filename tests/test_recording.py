"""Reading recordings: what they say of themselves, how damage is told, and how they are grouped."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import report
from report.errors import ReportError
from report.recording import schema


def record(folder: Path, *, width: int = 5, steps: int = 4, **arguments: Any) -> Path:
    """Record a few steps of a small model, two groups of which have schedules of their own; return the folder."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, 2))
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.5, "weight_decay": 0.1}]
    optimizer = torch.optim.Adam(groups, lr=0.1, betas=(0.8, 0.99))
    with report.record(model, optimizer, folder, sample=10, **arguments) as recorder:
        for step in range(1, steps + 1):
            optimizer.zero_grad()
            model(torch.randn(4, 6)).square().mean().backward()
            optimizer.param_groups[1]["lr"] = 1 / step
            optimizer.step()
            recorder.log(loss=1 / step)
            recorder.attach(images=np.arange(step))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a recording."""
    return record(tmp_path / "run", label="Adam, β1 = 0.8", seed=3, about={"data": "noise"})


def test_what_a_recording_knows(folder: Path) -> None:
    """Names, shapes, rules, settings, series: nothing has to be asked for elsewhere."""
    recording = report.Recording.open(folder)
    assert (recording.name, recording.label, recording.seed) == ("run", "Adam, β1 = 0.8", 3)
    assert (recording.steps, recording.taken, recording.skipped) == (4, 4, 0)
    assert recording.about == {"data": "noise"}
    assert recording.is_complete
    assert list(recording.tensors) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    tensor = recording.tensors["0.weight"]
    assert (tensor.kind, tensor.shape, tensor.matrix, tensor.size) == ("Linear", (5, 6), (5, 6), 30)
    assert (tensor.kept, tensor.count, tensor.dtype) == ("sample", 10, "float32")
    assert recording.tensors["0.bias"].matrix == (1, 5)
    assert recording.indices("0.bias").tolist() == [0, 1, 2, 3, 4]
    assert recording.series["loss"].tolist() == [1, 1 / 2, 1 / 3, 1 / 4]
    assert recording.attached["images"].tolist() == [0, 1, 2, 3]
    first, second = recording.rule("0.weight"), recording.rule("2.weight")
    assert (first.name, first.learning_rate, first.momentum, first.weight_decay) == ("Adam", 0.1, 0.8, 0.0)
    assert (second.learning_rate, second.varying, second.weight_decay) == (None, ("lr",), 0.1)
    assert first.settings["betas"] == (0.8, 0.99)
    assert recording.settings[1]["lr"].tolist() == [1, 1 / 2, 1 / 3, 1 / 4]
    assert recording.settings[0]["betas"].tolist() == [[0.8, 0.99]] * 4
    assert recording.description.groups[recording.tensors["2.bias"].group] == schema.Group("Adam", 0, 1)


def test_arrays_are_mapped(folder: Path) -> None:
    """Nothing is loaded before it is looked at, and nothing can be changed by accident."""
    recording = report.Recording.open(folder)
    for found in (recording.weights("0.weight"), recording.gradients("2.bias"), recording.series["loss"]):
        assert isinstance(found, np.memmap)
        assert not found.flags.writeable
    with pytest.raises(TypeError):
        recording.tensors["new"] = recording.tensors["0.weight"]  # type: ignore[index]


def test_numpy_alone_reads_the_files(folder: Path) -> None:
    """The format is NumPy's and JSON, and the names of the files do not depend on those of the tensors."""
    description = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert description["tensors"][2]["name"] == "2.weight"
    assert np.load(folder / "weights-2.npy").shape == (5, 10)
    assert np.load(folder / "gradients-2.npy").shape == (4, 10)
    assert np.load(folder / "indices-0.npy").shape == (10,)
    assert np.load(folder / "series-0.npy").tolist() == [1, 1 / 2, 1 / 3, 1 / 4]


def test_equal_trainings_have_equal_files(tmp_path: Path) -> None:
    """There is no time stamp and no path in a recording."""
    one, other = record(tmp_path / "a" / "run"), record(tmp_path / "b" / "run")
    assert {path.name for path in one.iterdir()} == {path.name for path in other.iterdir()}
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name


def test_what_a_kill_leaves_unfinished(folder: Path) -> None:
    """Rows and events beyond the count are not there, nor is half a line; the reader takes what is counted."""
    whole = report.Recording.open(folder)
    weights, rates = np.array(whole.weights("0.weight")), whole.settings[1]["lr"].tolist()
    for kind in ("progress", "run"):
        content = json.loads((folder / f"{kind}.json").read_text())
        content |= {"steps": 2, "taken": 2} if kind == "progress" else {"ended": "recording"}
        (folder / f"{kind}.json").write_text(json.dumps(content))
    text = (folder / "events.jsonl").read_text()
    for cut in range(1, 30):
        (folder / "events.jsonl").write_text(text[:-cut])
        recording = report.Recording.open(folder)
        assert recording.steps == 2
        assert not recording.is_complete
        assert np.array_equal(recording.weights("0.weight"), weights[:3])
        assert recording.settings[1]["lr"].tolist() == rates[:2]
        assert recording.series["loss"].tolist() == [1, 1 / 2]
        assert recording.present("0.weight").tolist() == [True, True]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", b""),
        ("run.json", b"[]"),
        ("run.json", b'{"format": "weights-in-motion/recording", "version": 3, "label": 5}'),
        ("run.json", None),
        ("progress.json", b"{}"),
        ("progress.json", b'{"steps": -1, "taken": 0, "skipped": 0}'),
        ("progress.json", None),
        ("events.jsonl", b"{]\n"),
        ("events.jsonl", b'{"row": 0}\n'),
        ("events.jsonl", None),
        ("weights-0.npy", b"\x93NUMPY\x01\x00"),
        ("weights-0.npy", None),
        ("gradients-0.npy", b""),
        ("indices-0.npy", b"hello"),
        ("series-0.npy", b"hello"),
        ("series-0.npy", None),
        ("attached.npz", b"hello"),
        ("attached.npz", b"PK\x03\x04"),
    ],
)
def test_damage_is_one_line(folder: Path, name: str, content: bytes | None) -> None:
    """Whatever file is missing or damaged, the message names it or the folder, and says what to do."""
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(ReportError) as caught:  # noqa: PT012 - which of them finds it depends on the file
        recording = report.Recording.open(folder)
        recording.weights("0.weight")
        recording.gradients("0.weight")
        recording.indices("0.weight")
        recording.settings  # noqa: B018
        recording.attached  # noqa: B018
        recording.series["loss"]
    message = str(caught.value)
    assert str(folder) in message
    assert "\n" not in message
    assert message.rstrip(".").split()[-1] in ("again", "recording", "given", "first")


def test_a_file_with_fewer_rows_than_are_counted(folder: Path) -> None:
    """A file that was cut, or is another recording's, is told."""
    np.save(folder / "weights-0.npy", np.zeros((3, 10), np.float32))
    with pytest.raises(ReportError, match=r"weights-0\.npy is missing or damaged"):
        report.Recording.open(folder).weights("0.weight")
    np.save(folder / "weights-0.npy", np.zeros((5, 11), np.float32))
    with pytest.raises(ReportError, match=r"weights-0\.npy is missing or damaged"):
        report.Recording.open(folder).weights("0.weight")


def test_another_version(folder: Path) -> None:
    """The message names both versions."""
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(content | {"version": 99}))
    with pytest.raises(ReportError, match="version 99 of the format, and this program reads version 3"):
        report.Recording.open(folder)


def test_study(tmp_path: Path) -> None:
    """Labels in the order in which they were given, that of the main recording first; seeds rising."""
    for label, seed, role in [("B", 10, "control"), ("B", 2, "control"), ("A", 2, "own"), ("A", None, "main")]:
        record(tmp_path / f"{label}-{seed}", label=label, seed=seed, role=role, steps=3 + (seed == 10))
    record(tmp_path / ".hidden", label="C")
    record(tmp_path / "A-3.diverged", label="A", seed=3)
    (tmp_path / "no recording").mkdir()
    study = report.Study.load(tmp_path)
    assert study.main.name == "A-None"
    assert study.labels == ("A", "B")
    assert [each.name for each in study.recordings] == ["A-None", "A-2", "B-2", "B-10"]
    assert study.steps == 3
    assert study.seeds == (None, 2, 10)
    assert [each.name for each in study.of("B")] == ["B-2", "B-10"]
    found = study.find("B", 10)
    assert found is not None
    assert found.name == "B-10"
    assert study.find("B", None) is None
    assert [each.name for each in report.Study.load([tmp_path / "B-10", tmp_path / "A-2"]).recordings] == [
        "B-10",
        "A-2",
    ]
    assert report.Study.load(str(tmp_path / "B-2")).main.name == "B-2"
    again = report.Study.load([tmp_path / "B-2", tmp_path, tmp_path / "." / "B-2"])  # the same one thrice is one
    assert len(again.recordings) == 4


def test_slugs(tmp_path: Path) -> None:
    """Labels that look alike in an address have different ones."""
    for number, label in enumerate(("Adam β1", "adam b1", "重み", "Adam  B1")):
        record(tmp_path / str(number), label=label)
    study = report.Study.load(tmp_path)
    slugs = [study.slug(label) for label in study.labels]
    assert slugs[0] == "adam-b1"
    assert slugs[2].startswith("label-")
    assert len(set(slugs)) == 4
    assert all(slug.isascii() and "/" not in slug for slug in slugs)


def test_studies_that_make_no_sense(tmp_path: Path) -> None:
    """No recording; different models; one label and seed twice; different distances between rows."""
    with pytest.raises(ReportError, match="No recording in"):
        report.Study.load(tmp_path)
    with pytest.raises(ReportError, match="No recording was given"):
        report.Study.load([])
    record(tmp_path / "one", label="A", seed=1)
    record(tmp_path / "wide", width=7)
    with pytest.raises(ReportError, match="recordings of different models"):
        report.Study.load(tmp_path)
    shutil.rmtree(tmp_path / "wide")
    record(tmp_path / "two", label="A", seed=1)
    with pytest.raises(ReportError, match="the same label, 'A', and the same seed, 1"):
        report.Study.load(tmp_path)
    shutil.rmtree(tmp_path / "two")
    record(tmp_path / "sparse", every=2)
    with pytest.raises(ReportError, match="differ in every="):
        report.Study.load(tmp_path)
