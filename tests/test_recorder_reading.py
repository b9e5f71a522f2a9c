"""What somebody who records a network of their own asks of a recording: names, and what it is at a glance."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import pair, train
from torch import nn

import report
from report.errors import ReportError

SGD = torch.optim.SGD


@pytest.fixture
def tied(tmp_path: Path) -> report.Recording:
    """Return a recording of a model with a tied weight that is sampled, and a frozen layer."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"embed": nn.Embedding(9, 6), "head": nn.Linear(6, 9), "old": nn.Linear(2, 2)})
    model["head"].weight = model["embed"].weight
    model["old"].requires_grad_(False)
    held = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.Adam(held)
    with report.record(model, optimizer, tmp_path / "run", label="tied", seed=3, sample=10, first=2):
        for _ in range(4):
            optimizer.zero_grad()
            model["head"](model["embed"](torch.randint(9, (5,)))).logsumexp(1).mean().backward()
            optimizer.step()
    return report.Recording.open(tmp_path / "run")


ASKED = ["weights", "gradients", "indices", "present", "whole_weights", "whole_steps", "rule"]


@pytest.mark.parametrize("method", ASKED)
def test_names(tied: report.Recording, method: str) -> None:
    """Any name of a tied weight finds it; another one is refused in one line, with what was meant or why it is none."""

    def ask(name: str) -> Any:
        return getattr(tied, method)(name)

    np.testing.assert_equal(ask("head.weight"), ask("embed.weight"))
    with pytest.raises(ReportError, match=r"^No tensor 'head\.wieght' in .*run: did you mean head\.weight") as caught:
        ask("head.wieght")
    assert "\n" not in str(caught.value)
    with pytest.raises(
        ReportError, match=r"^No tensor '7' in .*run: it has embed\.weight, head\.weight, head\.bias\.$"
    ):
        ask("7")
    with pytest.raises(ReportError, match=r"^old\.weight is not recorded in .*run: No optimizer holds .*: frozen"):
        ask("old.weight")


def test_a_name_that_was_another_tensors_second(tmp_path: Path) -> None:
    """A weight that is untied gets its own name back."""
    model = nn.ModuleDict({"embed": nn.Linear(3, 3, bias=False), "head": nn.Linear(3, 3, bias=False)})
    model["head"].weight = model["embed"].weight
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run"):
        for turn in range(2):
            if turn == 1:
                model["head"].weight = nn.Parameter(torch.zeros(3, 3))
                optimizer.add_param_group({"params": [model["head"].weight]})
            model["head"](model["embed"](torch.ones(1, 3))).sum().backward()
            optimizer.step()
    recording = report.Recording.open(tmp_path / "run")
    assert list(recording.tensors) == ["embed.weight", "head.weight"]
    assert np.isnan(recording.weights("head.weight")[0]).all()
    assert np.isfinite(recording.weights("embed.weight")).all()


def test_at_a_glance(tied: report.Recording, tmp_path: Path) -> None:
    """The representations say what there is, and how it ended."""
    assert repr(tied) == "<Recording run: label 'tied', seed 3, 4 steps, 2 tensors, complete>"
    study = report.Study([tied])
    assert repr(study) == "<Study of 1: labels 'tied', seeds 3, 4 steps, 2 tensors>"
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "mine", seed=1) as recorder:
        train(model, optimizer, 3)
        assert repr(recorder) == "<Recorder mine: label 'mine', seed 1, 3 steps, 4 tensors, recording>"
    assert repr(recorder) == "<Recorder mine: label 'mine', seed 1, 3 steps, 4 tensors, complete>"


def test_a_process_that_records_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several, the first one records; the others' recorders say so."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    model = pair()
    recorder = report.record(model, SGD(model.parameters(), lr=0.1), tmp_path / "run")
    assert repr(recorder) == "<Recorder run: records nothing>"


def test_here(tied: report.Recording, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder in which one is has a name; where there is no recording, the message has the whole path."""
    monkeypatch.chdir(tied.path)
    assert report.Recording.open(".").name == "run"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert report.Recording.open("~/run").steps == 4
    assert report.Study.load("~/run").main.steps == 4
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    for read in (report.Recording.open, report.Study.load):
        with pytest.raises(ReportError, match=rf"^No recording in {empty}\. Name"):
            read(".")


def test_models_that_differ(tmp_path: Path) -> None:
    """The message has the first tensor that differs, and how."""
    models: dict[str, nn.Module | dict[str, nn.Parameter]] = {
        **{"a": nn.Linear(3, 2), "b": nn.Linear(4, 2), "c": nn.Linear(3, 2, bias=False)},
        **{"d": {"x": nn.Parameter(torch.ones(()))}, "e": {"x": nn.Parameter(torch.ones(1))}},
    }
    for name, model in models.items():
        values = list(model.values() if isinstance(model, dict) else model.parameters())
        optimizer = SGD(values, lr=0.1)
        with report.record(model, optimizer, tmp_path / name, label="one", seed=ord(name)):
            sum(each.sum() for each in values).backward()
            optimizer.step()
    says = {
        "ab": "the tensor 'weight' is 2 × 3 in the first, and 2 × 4 in the second",
        "ac": "only the first has a tensor 'bias'",
        "ca": "only the second has a tensor 'bias'",
        "de": "the tensor 'x' is a single number in the first, and 1 in the second",
    }
    for names, words in says.items():
        first, second = (tmp_path / name for name in names)
        line = f"{first} and {second} are recordings of different models: {words}. A report shows recordings of one"
        with pytest.raises(ReportError, match=f"^{re.escape(line)}"):
            report.Study.load([first, second])


@pytest.mark.parametrize("is_kept", [False, True])
def test_nan_in_what_is_not_kept_is_seen_at_the_end(tmp_path: Path, is_kept: bool) -> None:
    """Of an entry that is kept, the step is known; of another one, that it happened."""
    model = torch.nn.Embedding(200, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run", sample=9, whole="weight" if is_kept else ()):
        for step in range(5):
            optimizer.zero_grad()
            model(torch.arange(200)).square().sum().backward()
            kept = report.Recording.open(tmp_path / "run").indices("weight")
            other = next(each for each in range(800) if is_kept or each not in kept)
            if step == 2:
                model.weight.grad.view(-1)[other] = float("nan")
            optimizer.step()
    (note,) = report.Recording.open(tmp_path / "run").notes
    assert (note.kind, note.tensors, note.step) == ("non-finite", ("weight",), 3 if is_kept else None)


@pytest.mark.parametrize("more", [{"steps": 3}, {"every": 4}])
def test_nan_after_the_last_recorded_step_is_none_of_it(tmp_path: Path, more: dict[str, int]) -> None:
    """What is kept has become NaN, too, and nothing that is recorded: there is nothing to be said of it."""
    model = torch.nn.Linear(20, 30)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run", sample=9, **more):
        for step in range(6):
            optimizer.zero_grad()
            model(torch.randn(4, 20)).square().sum().backward()
            if step == 5:
                model.weight.grad.fill_(float("nan"))
            optimizer.step()
    recording = report.Recording.open(tmp_path / "run")
    assert (recording.steps, [each.kind for each in recording.notes]) == (3 if "steps" in more else 1, [])


def test_a_tensor_that_has_another_shape_and_nan_ends_nobodys_training(tmp_path: Path) -> None:
    """Where the kept entries were, there are others now: nothing can be told of them when the recording ends."""
    model = torch.nn.Linear(20, 30)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run", sample=9) as recorder:
        for step in range(4):
            optimizer.zero_grad()
            model(torch.randn(4, 20)).square().sum().backward()
            if step == 2:
                model.weight = torch.nn.Parameter(model.weight.detach())
                optimizer.param_groups[0]["params"][0].data = torch.full((3, 3), float("nan"))
                optimizer.param_groups[0]["params"][0].grad = torch.zeros(3, 3)
            optimizer.step()
    assert recorder.failure is not None
    assert report.Recording.open(tmp_path / "run").steps == 2
