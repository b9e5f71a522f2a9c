"""The examples: each runs as it stands, and its recording equals one that is kept by hand beside it, to the bit."""

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import ByHand
from conftest import ROOT

import report

pytestmark = pytest.mark.slow

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))
STEPS = 150


def load(name: str) -> ModuleType:
    """Return an example as a module."""
    specification = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(params=EXAMPLES)
def run(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[str, report.Recording, str]:
    """Run an example, keeping a record by hand; return its name, its recording, and what it printed."""
    example = load(request.param)
    original, hands = report.record, []

    def record(model: torch.nn.Module, optimizer: torch.optim.Optimizer, folder: str, **arguments: Any) -> Any:
        held = {id(each) for group in optimizer.param_groups for each in group["params"]}
        hand = ByHand({name: each for name, each in model.named_parameters() if id(each) in held})
        step = optimizer.step
        hands.append(hand)

        @functools.wraps(step)
        def watched() -> None:
            hand.before()
            step()
            hand.after()

        monkeypatch.setattr(optimizer, "step", watched)
        return original(model, optimizer, folder, **arguments)

    monkeypatch.setattr(report, "record", record)
    monkeypatch.setattr(sys, "argv", ["example", str(tmp_path / "run"), "--steps", str(STEPS)])
    example.main()
    return request.param, hands[0].check(tmp_path / "run"), capsys.readouterr().out


def test_every_update_is_recorded(run: tuple[str, report.Recording, str], tmp_path: Path) -> None:
    """Weights and gradients of all steps, and what is the matter with the network is there to be seen."""
    name, recording, output = run
    assert recording.is_complete
    assert recording.steps == STEPS
    loss = recording.series["loss"]
    assert np.isfinite(loss).all()
    assert f"step {STEPS}: loss" in output
    assert str(tmp_path / "run") in output.splitlines()[-1]
    CHECKS[name](recording, loss[-20:].mean() / loss[:20].mean())
    assert [note.kind for note in recording.notes] == (["unheld"] if name == "forgotten_parameter" else [])


def check_cnn(recording: report.Recording, fall: float) -> None:
    """It learns; weight decay is for matrices alone."""
    assert fall < 0.8
    assert recording.rule("body.0.weight").weight_decay > 0
    assert recording.rule("body.1.weight").weight_decay == 0
    assert recording.series["validation_accuracy"][-1] > 0.8


def check_transformer(recording: report.Recording, fall: float) -> None:
    """It learns; letters are read and written with one matrix, and the learning rate rises."""
    assert fall < 0.8
    assert recording.tensors["letters.weight"].names == ("letters.weight", "head.weight")
    assert recording.tensors["blocks.0.project.weight"].kept == "whole"
    assert recording.settings[0]["lr"][0] < recording.settings[0]["lr"][-1]


def check_mlp_bf16(recording: report.Recording, fall: float) -> None:
    """It hardly learns: most weights have a gradient and stay where they are."""
    assert fall > 0.95
    assert {tensor.dtype for tensor in recording.tensors.values()} == {"bfloat16"}
    for name in ("0.weight", "2.weight", "4.weight"):
        assert (recording.gradients(name) != 0).mean() > 0.9
        assert (np.diff(recording.weights(name), axis=0) != 0).mean() < 0.25


def check_dead_units(recording: report.Recording, fall: float) -> None:
    """Many units have no gradient in the last third of the steps, though they had some before."""
    for name in ("0.weight", "2.weight"):
        zero = (recording.gradients(name) == 0).reshape(STEPS, *recording.tensors[name].matrix).all(axis=2)
        assert zero[-STEPS // 3 :].all(axis=0).mean() > 0.25
        assert zero.all(axis=0).mean() < 0.1


def check_forgotten_parameter(recording: report.Recording, fall: float) -> None:
    """It learns, though nobody moves the weights of its norms."""
    assert fall < 0.5
    assert recording.notes[0].tensors == ("1.weight", "4.weight")
    assert not set(recording.notes[0].tensors) & set(recording.tensors)


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_they_are_short(name: str) -> None:
    """A person can read one at one sitting, and the lines that record are marked and few."""
    lines = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 120
    assert sum("← recording" in line for line in lines) == 3
