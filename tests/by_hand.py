"""A record of weights and gradients that a test keeps itself, beside the recorder's, in the plainest way there is."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import report

torch.set_num_threads(1)  # of operations as small as the tests', several threads only wait for each other


class ByHand:
    """Hold clones of parameters: the initial ones, and after every step; and of the gradients that steps used."""

    def __init__(self, model: nn.Module | Mapping[str, nn.Parameter]) -> None:
        """Clone the initial weights."""
        self.parameters = dict(model.named_parameters() if isinstance(model, nn.Module) else model)
        self.weights = [self._weights()]
        self.gradients: list[dict[str, torch.Tensor | None]] = []

    def before(self) -> None:
        """Clone the gradients; the loop is about to step."""
        self.gradients.append(
            {name: None if each.grad is None else each.grad.clone() for name, each in self.parameters.items()}
        )

    def after(self) -> None:
        """Clone the weights; the loop has stepped."""
        self.weights.append(self._weights())

    def forget(self) -> None:
        """Forget the gradients of a step that was skipped."""
        self.gradients.pop()

    def check(self, folder: Path, *, every: int = 1) -> report.Recording:
        """Compare a recording with this one, to the bit, and return it."""
        recording = report.Recording.open(folder)
        assert list(recording.tensors) == list(self.parameters)
        assert recording.steps == len(self.gradients) // every
        assert len(self.weights) == len(self.gradients) + 1
        for name in self.parameters:
            indices = recording.indices(name)
            kept = [rows(state[name])[indices] for state in self.weights[::every]]
            same(recording.weights(name), np.stack(kept), name)
            gradients = [each[name] for each in self.gradients[every - 1 :: every]]
            absent = np.full(len(indices), np.nan, np.float32)
            wanted = [absent if each is None else rows(each)[indices] for each in gradients]
            same(recording.gradients(name), np.array(wanted, np.float32).reshape(-1, len(indices)), name)
            assert recording.present(name).tolist() == [each is not None for each in gradients], name
        return recording

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: each.detach().clone() for name, each in self.parameters.items()}


def rows(values: torch.Tensor) -> NDArray[np.float32]:
    """Return every entry of a tensor, in the order of its indices, as float32."""
    return values.detach().to_dense().float().contiguous().view(-1).cpu().numpy()


def same(found: NDArray[np.float32], wanted: NDArray[np.float32], where: object) -> None:
    """Compare float32 values bit by bit: NaN equals itself, and 0 is not −0."""
    assert found.shape == wanted.shape, where
    assert np.array_equal(np.ascontiguousarray(found).view(np.uint32), wanted.view(np.uint32)), where


def pair(seed: int = 0) -> nn.Sequential:
    """Return a model of two layers."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))


def backward(model: nn.Module, width: int = 6) -> None:
    """Compute the gradients of a random batch."""
    model(torch.randn(4, width)).square().mean().backward()


def step(optimizer: torch.optim.Optimizer, hand: ByHand) -> None:
    """Step, keeping a record by hand."""
    hand.before()
    optimizer.step()
    hand.after()


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 2, hand: ByHand | None = None) -> None:
    """Take plain steps, keeping a record by hand."""
    for _ in range(steps):
        optimizer.zero_grad()
        backward(model)
        if hand:
            step(optimizer, hand)
        else:
            optimizer.step()
