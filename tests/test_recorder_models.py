"""Models that nobody here wrote: torchvision's ResNet and PyTorch's own LSTM, recorded as any other."""

import html
from pathlib import Path

import numpy as np
import pytest
import torch
from by_hand import ByHand, rows, same, step
from conftest import run_report
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import report
from benchmarks.vision import torchvision


def check_shown(recording: report.Recording) -> None:
    """Show a recording; each of its tensors has a section."""
    done = run_report("show", str(recording.path), OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stdout + done.stderr
    page = recording.path.with_name(f"{recording.name}-report") / "tensors.html"
    text = html.unescape(page.read_text(encoding="utf-8"))
    for number, name in enumerate(recording.tensors, 1):
        assert f'id="t{number}"' in text, name
        assert name in text


@pytest.mark.slow
def test_resnet18(tmp_path: Path) -> None:
    """Sixty-two tensors, of which a sample of 20 steps is kept: convolutions, norms without momentum, a Linear."""
    torch.manual_seed(0)
    model = torchvision("models").resnet18(weights=None, num_classes=10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    parameters = dict(model.named_parameters())
    with report.record(model, optimizer, tmp_path / "run", sample=100) as recorder:
        kept = {name: report.Recording.open(tmp_path / "run").indices(name) for name in parameters}

        def taken(values: dict[str, Tensor]) -> dict[str, np.ndarray]:
            return {name: rows(each)[kept[name]].copy() for name, each in values.items()}

        weights, gradients = [taken(parameters)], []
        for _ in range(20):
            optimizer.zero_grad()
            loss = cross_entropy(model(torch.randn(4, 3, 32, 32)), torch.randint(10, (4,)))
            loss.backward()
            gradients.append(taken({name: each.grad for name, each in parameters.items()}))
            optimizer.step()
            weights.append(taken(parameters))
            recorder.log(loss=loss)
    recording = report.Recording.open(tmp_path / "run")
    assert recording.is_complete
    assert recording.notes == ()
    assert list(recording.tensors) == list(parameters)
    for name in parameters:
        same(recording.weights(name), np.stack([each[name] for each in weights]), name)
        same(recording.gradients(name), np.stack([each[name] for each in gradients]), name)
    first = recording.tensors["conv1.weight"]
    assert (first.kind, first.shape, first.matrix, first.kept) == ("Conv2d", (64, 3, 7, 7), (64, 147), "sample")
    assert recording.tensors["layer4.1.bn2.bias"].kind == "BatchNorm2d"
    check_shown(recording)


class Reader(nn.Module):
    """Read letters with two layers of LSTM, and guess the next one."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        self.letters, self.lstm = nn.Embedding(12, 6), nn.LSTM(6, 8, num_layers=2, batch_first=True)
        self.head = nn.Linear(8, 12)

    def forward(self, letters: Tensor) -> Tensor:
        """Return scores, (batch, length, 12)."""
        scores: Tensor = self.head(self.lstm(self.letters(letters))[0])
        return scores


@pytest.mark.slow
def test_lstm(tmp_path: Path) -> None:
    """The weights of four gates are one tensor, and its layers' names say which."""
    torch.manual_seed(0)
    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=50) as recorder:
        for _ in range(20):
            text = torch.randint(12, (4, 9))
            optimizer.zero_grad()
            loss = cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
            loss.backward()
            step(optimizer, hand)
            recorder.log(loss=loss)
    recording = hand.check(tmp_path / "run")
    assert [name for name in recording.tensors if "l1" in name] == [
        "lstm.weight_ih_l1",
        "lstm.weight_hh_l1",
        "lstm.bias_ih_l1",
        "lstm.bias_hh_l1",
    ]
    assert recording.tensors["lstm.weight_ih_l0"].matrix == (32, 6)
    assert recording.tensors["lstm.weight_hh_l1"].kind == "LSTM"
    check_shown(recording)
