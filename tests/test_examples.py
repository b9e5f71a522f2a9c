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

STEPS = 150


def load(name: str) -> ModuleType:
    """Return an example as a module."""
    specification = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(params=["cnn", "transformer"])
def run(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[str, report.Recording, str]:
    """Run an example, keeping a record by hand; return its name, its recording, and what it printed."""
    example = load(request.param)
    original, hands = report.record, []

    def record(model: torch.nn.Module, optimizer: torch.optim.Optimizer, folder: str, **arguments: Any) -> Any:
        hand, step = ByHand(dict(model.named_parameters())), optimizer.step
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
    """Weights and gradients of all steps; the loss falls; the last line says where the recording lies."""
    name, recording, output = run
    assert recording.is_complete
    assert recording.notes == ()
    assert recording.steps == STEPS
    loss = recording.series["loss"]
    assert np.isfinite(loss).all()
    assert loss[-20:].mean() < 0.8 * loss[:20].mean()
    assert f"step {STEPS}: loss" in output
    assert str(tmp_path / "run") in output.splitlines()[-1]
    if name == "cnn":
        assert recording.rule("body.0.weight").weight_decay > 0
        assert recording.rule("body.1.weight").weight_decay == 0
        assert recording.series["validation_accuracy"][-1] > 0.8
    else:
        assert recording.tensors["letters.weight"].names == ("letters.weight", "head.weight")
        assert recording.tensors["blocks.0.project.weight"].kept == "whole"
        assert recording.settings[0]["lr"][0] < recording.settings[0]["lr"][-1]


@pytest.mark.parametrize("name", ["cnn", "transformer"])
def test_they_are_short(name: str) -> None:
    """A person can read one at one sitting, and the lines that record are marked and few."""
    lines = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 120
    assert sum("← recording" in line for line in lines) == 3
