"""One training run: the loop, with a recording beside it.

A training run is described by an Experiment alone. A control is another Experiment that differs in its optimizer;
because split, initial weights, batch order and dropout masks come from generators of their own, all seeded by
`training.seed`, it meets the very same images with the very same network.
"""

import contextlib
import math
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from report.config import Experiment
from report.errors import ConfigError, TrainingDivergedError
from report.recording import FORMAT, Writer
from report.training import data, optimizers
from report.training.model import Network

Progress = Callable[[int, int], None]
# The settings of an experiment that decide the bits of one training run, and what is kept of it.
DECIDING: dict[str, Any] = {
    "data": {"validation_fraction"},
    "network": True,
    "training": True,
    "optimizer": True,
    "recording": True,
}
EVALUATION_BATCH = 2000  # images at once: bounds the memory of the widest layer's activations


@dataclass(frozen=True)
class Seeds:
    """Give each source of chance its own seed, all derived from one."""

    split: int
    weights: int
    order: int
    dropout: int

    @classmethod
    def of(cls, seed: int) -> "Seeds":
        """Derive four unrelated seeds (NumPy's SeedSequence)."""
        return cls(*(int(word) for word in np.random.SeedSequence(seed).generate_state(4)))


def device_of(experiment: Experiment) -> torch.device:
    """Return the device to train on: the best there is for "auto".

    Raises:
        ConfigError: when a device is insisted on that this machine does not have.
    """
    wanted = experiment.training.device
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, available in there.items() if available))
    if not there[wanted]:
        allowed = ", ".join(["auto", *(name for name, available in there.items() if available)])
        raise ConfigError(f'training.device: found "{wanted}", which this machine does not have; allowed: {allowed}.')
    return torch.device(wanted)


def check(where: str, experiment: Experiment) -> None:
    """Make sure that this machine has the device and that torch takes the optimizer's values.

    Args:
        where: the file and table of the optimizer, such as `experiment.toml: optimizer`.
        experiment: describes one training run.

    Raises:
        ConfigError: one line; nothing has been written then.
    """
    device_of(experiment)
    # A matrix and a vector: some optimizers take only the one kind, and a network has both.
    optimizers.build(
        experiment.optimizer, [torch.nn.Parameter(torch.zeros(2, 2)), torch.nn.Parameter(torch.zeros(2))], where
    )


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads: the order of additions, and so the result's bits, depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def batches(order: torch.Generator, images: int, batch_size: int) -> Iterator[Tensor]:
    """Yield the positions of each batch's images, (batch_size,) int64, without end.

    Each time round all images are shuffled anew, and the last, incomplete batch is left out: every update comes
    from the same number of images.
    """
    while True:
        yield from torch.randperm(images, generator=order)[: images // batch_size * batch_size].view(-1, batch_size)


def scale(images: Tensor) -> Tensor:
    """Return grey levels, (n, 784) uint8, as float32 in [0, 1]."""
    return images.to(torch.float32).div_(255)


def run(
    experiment: Experiment,
    digits: data.Digits,
    folder: Path,
    key: str,
    *,
    clip_batches: int = 0,
    recorded: int | None = None,
    progress: Progress = lambda done, total: None,
) -> None:
    """Train once and record it into `folder`.

    Args:
        experiment: describes this one training run.
        digits: the images, before the split.
        folder: `build/runs/<run>`; appears when the run is complete.
        key: of the inputs, kept in `run.json`.
        clip_batches: for how many batches sampled layers are kept whole, for the animations; pictures of digits,
            which the article shows, are kept with them.
        recorded: for how many batches weights and gradients are kept; None for all.
        progress: told (batches done, batches in all).

    Raises:
        ConfigError: when the data, the device or torch do not allow what the experiment wants.
        TrainingDivergedError: when the loss or a weight becomes NaN or infinite.
        ReportError: when the disk refuses.
    """
    with threads(experiment.training.threads):
        trainer = Trainer(experiment, digits)
        with Writer(folder, experiment, clip_batches, recorded) as writer:
            series = trainer.train(writer, progress)
            writer.finish(
                series,
                trainer.describe(folder.name, key, writer.recorded),
                trainer.seconds,
                digits.examples() if clip_batches else None,
            )


class Trainer:
    """Hold the network, its optimizer and the images of one training run."""

    def __init__(self, experiment: Experiment, digits: data.Digits) -> None:
        """Split the images, draw the initial weights and make the optimizer.

        Raises:
            ConfigError: when there are fewer training images than a batch holds, or torch refuses the optimizer.
        """
        self.experiment = experiment
        self.digits = digits
        self.device = device_of(experiment)
        seeds = Seeds.of(experiment.training.seed)
        training, validation = data.split(len(digits.train_labels), experiment.data.validation_fraction, seeds.split)
        batch_size = experiment.training.batch_size
        if len(training) < batch_size:
            raise ConfigError(
                f"training.batch_size: found {batch_size}; allowed: at most {len(training)}, the training images."
            )
        self.training = self._tensors(digits.train_images[training], digits.train_labels[training])
        self.validation = self._tensors(digits.train_images[validation], digits.train_labels[validation])
        self.test = self._tensors(digits.test_images, digits.test_labels)
        # Drawn on the CPU, so that a seed means the same initial weights and order on every device.
        weights, self.order = (torch.Generator().manual_seed(seed) for seed in (seeds.weights, seeds.order))
        dropout = torch.Generator(self.device).manual_seed(seeds.dropout)
        self.network = Network(experiment, weights, dropout).to(self.device)
        self.optimizer = optimizers.build(experiment.optimizer, self.network.parameters())
        self.seconds = {"training": 0.0, "validation": 0.0}

    def train(self, writer: Writer | None, progress: Progress = lambda done, total: None) -> dict[str, Any]:
        """Take every step, recording it; return the series (see `Recording.series`).

        Args:
            writer: records the run; None trains without a recording, to measure what recording costs.
            progress: told (batches done, batches in all).

        Raises:
            TrainingDivergedError: when the loss or a weight becomes NaN or infinite.
        """
        settings = self.experiment.training
        checkpoints = {round(settings.batches * (n + 1) / settings.validations) for n in range(settings.validations)}
        losses = np.empty(settings.batches)
        hits = np.empty(settings.batches)
        validations = []
        recorder = _Recorder(self.network, writer, self.device) if writer else None
        images, labels = self.training
        picked = batches(self.order, len(labels), settings.batch_size)
        self.network.train()
        if recorder:
            recorder.weights(0)
        started = time.perf_counter()
        for batch in range(1, settings.batches + 1):
            positions = next(picked).to(self.device)
            inputs, targets = scale(images[positions]), labels[positions]  # (batch_size, 784), (batch_size,)
            self.optimizer.zero_grad(set_to_none=True)
            logits = self.network(inputs)  # (batch_size, 10)
            loss = cross_entropy(logits, targets)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            losses[batch - 1] = loss.item()
            hits[batch - 1] = (logits.argmax(1) == targets).sum().item()
            if not math.isfinite(losses[batch - 1]):
                raise TrainingDivergedError(f"diverged: the loss became {losses[batch - 1]} in batch {batch}.")
            if recorder and batch <= recorder.batches:
                recorder.gradients(batch)
                recorder.weights(batch)
            if batch in checkpoints:
                paused = time.perf_counter()
                self.seconds["training"] += paused - started
                validations.append((batch, *self.evaluate(*self.validation)))
                started = time.perf_counter()
                self.seconds["validation"] += started - paused
            if batch % 20 == 0 or batch == settings.batches:
                progress(batch, settings.batches)
        test_loss, test_accuracy = self.evaluate(*self.test)  # once, after training: nothing was chosen by it
        self.seconds["test"] = time.perf_counter() - started
        when, loss_then, accuracy_then = (np.array(column) for column in zip(*validations, strict=True))
        return {
            "train_loss": losses,
            "train_accuracy": hits / settings.batch_size,
            "validation_batch": when,
            "validation_loss": loss_then,
            "validation_accuracy": accuracy_then,
            "test_loss": np.array(test_loss),
            "test_accuracy": np.array(test_accuracy),
        }

    @torch.no_grad()
    def evaluate(self, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """Return mean loss (nats) and accuracy (fraction) over `images`, (n, 784) uint8, without dropout."""
        self.network.eval()
        loss, hits = 0.0, 0
        for start in range(0, len(labels), EVALUATION_BATCH):
            targets = labels[start : start + EVALUATION_BATCH]
            logits = self.network(scale(images[start : start + EVALUATION_BATCH]))
            loss += cross_entropy(logits, targets, reduction="sum").item()
            hits += int((logits.argmax(1) == targets).sum().item())
        self.network.train()
        return loss / len(labels), hits / len(labels)

    def describe(self, name: str, key: str, recorded: int) -> dict[str, Any]:
        """Return `run.json`: what this training run was, without a word on when or where on the disk.

        Of the experiment it holds what decides this run and no more: another control in the study, or another pace
        of the animations, is no reason for another `run.json`.
        """
        experiment = self.experiment
        kept = {
            layer: {
                "shape": list(experiment.shape(layer)),
                "kept": "whole" if layer in experiment.recording.whole else "sample",
                "count": math.prod(experiment.shape(layer))
                if layer in experiment.recording.whole
                else min(experiment.recording.sample, math.prod(experiment.shape(layer))),
            }
            for layer in experiment.layers
        }
        return {
            "name": name,
            "key": key,
            "format": FORMAT,
            "recorded": recorded,
            "experiment": experiment.model_dump(mode="json", include=DECIDING),
            "data": {
                "source": self.digits.source,
                "title": self.digits.title,
                "reason": self.digits.reason,
                "sha256": self.digits.sha256,
                "train": len(self.training[1]),
                "validation": len(self.validation[1]),
                "test": len(self.test[1]),
            },
            "layers": kept,
            "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": version("numpy")},
            "platform": {
                "system": platform.system(),
                "machine": platform.machine(),
                "device": str(self.device),
                "threads": torch.get_num_threads(),
            },
        }

    def _tensors(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return images as one uint8 tensor, (n, 784), and labels, (n,) int64, on the device.

        As bytes they take a quarter of the memory, of which every process of a study needs its own.
        """
        return torch.from_numpy(np.array(images)).to(self.device), torch.from_numpy(np.array(labels)).to(self.device)


class _Recorder:
    """Copy the kept weights and gradients out of the network; every snapshot is a copy, on every device."""

    def __init__(self, network: Network, writer: Writer, device: torch.device) -> None:
        self._writer = writer
        self.batches = writer.recorded
        self._parameters = {name: network.weight(name) for name in network.names}
        self._indices = {
            name: torch.from_numpy(indices).to(device)
            for name, indices in writer.indices.items()
            if len(indices) < self._parameters[name].numel()
        }

    def weights(self, batch: int) -> None:
        """Record the state after `batch` batches."""
        self._record("weights", {name: weight.detach() for name, weight in self._parameters.items()})
        if batch <= self._writer.clip_batches:
            for name in self._writer.clip_layers:
                self._writer.clip("weights", name, self._parameters[name].detach().cpu().numpy().copy())

    def gradients(self, batch: int) -> None:
        """Record the gradients that the step of `batch` used."""
        gradients = {}
        for name, weight in self._parameters.items():
            assert weight.grad is not None
            gradients[name] = weight.grad
        self._record("gradients", gradients)
        if batch <= self._writer.clip_batches:
            for name in self._writer.clip_layers:
                # zero_grad(set_to_none=True) lets go of the tensor: on a CPU this is the only holder left.
                self._writer.clip("gradients", name, gradients[name].cpu().numpy())

    def _record(self, kind: str, tensors: dict[str, Tensor]) -> None:
        pieces = [
            tensor.reshape(-1) if name not in self._indices else tensor.reshape(-1).index_select(0, self._indices[name])
            for name, tensor in tensors.items()
        ]
        torch.from_numpy(self._writer.row(kind)).copy_(torch.cat(pieces))
