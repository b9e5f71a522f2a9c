"""One training run: the loop, with a recording beside it.

A training run is described by an Experiment alone. A control is another Experiment that differs in its optimizer;
because split, initial weights, batch order and dropout masks come from generators of their own, all seeded by
`training.seed`, it meets the very same images with the very same network.
"""

import itertools
import math
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from report import files
from report.config import Experiment
from report.errors import ConfigError, ReportError, TrainingDivergedError
from report.recording import seal
from report.recording.reader import Recording
from report.recording.recorder import Recorder, record
from report.recording.schema import Role
from report.training import devices, model, optimizers
from report.training.images import Images, split

Progress = Callable[[int, int], None]
TOLD = ("name", "source", "title", "licence", "credit", "reason", "sha256")  # of the data, in the recording
MEASURED = 20  # steps by which "auto" chooses a device, after WARMING that start libraries up
WARMING = 5
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


def fastest(experiment: Experiment, images: Images) -> torch.device:
    """Return the device that takes a step in the shortest time, of those that may be trained on.

    A small network can be faster on the processor: a GPU is as long about starting a computation as about doing it.
    """
    there = devices.allowed(experiment)
    if len(there) == 1:
        return there[0]
    with devices.threads(experiment.training.threads):
        return min(there, key=lambda device: Trainer(experiment, images, device).pace())


def batches(order: torch.Generator, images: int, batch_size: int) -> Iterator[Tensor]:
    """Yield the positions of each batch's images, (batch_size,) int64, without end.

    Each time round all images are shuffled anew, and the last, incomplete batch is left out: every update comes
    from the same number of images.
    """
    while True:
        yield from torch.randperm(images, generator=order)[: images // batch_size * batch_size].view(-1, batch_size)


def scale(images: Tensor) -> Tensor:
    """Return images, (n, …), as float32: bytes in [0, 1], other numbers as they are."""
    return images.to(torch.float32).div_(255) if images.dtype == torch.uint8 else images


def run(
    experiment: Experiment,
    images: Images,
    folder: Path,
    key: str,
    *,
    role: Role = "main",
    first: int = 0,
    recorded: int | None = None,
    progress: Progress = lambda done, total: None,
) -> None:
    """Train once and record it into `folder`.

    Args:
        experiment: describes this one training run.
        images: before the split.
        folder: `build/runs/<run>`; appears when the run is complete.
        key: of the inputs, kept in `run.json`.
        role: of the run in its study.
        first: for how many batches every layer is kept whole, for the animations; examples of the images, where
            they are pictures, are kept with them.
        recorded: for how many batches weights and gradients are kept; None for all.
        progress: told (batches done, batches in all).

    Raises:
        ConfigError: when the data, the device or torch do not allow what the experiment wants.
        TrainingDivergedError: when the loss or a weight becomes NaN or infinite.
        ReportError: when the disk refuses.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    with devices.threads(experiment.training.threads):
        trainer = Trainer(experiment, images)
        shutil.rmtree(partial, ignore_errors=True)
        try:
            with record(
                model.recorded(trainer.network),
                trainer.optimizer,
                partial,
                label=experiment.optimizer.label,
                seed=experiment.training.seed,
                whole=experiment.recording.whole,
                sample=experiment.recording.sample,
                first=first,
                steps=recorded,
                role=role,
                about={"key": key, **trainer.about()},
            ) as recorder:
                trainer.train(recorder, progress)
                if first and (examples := images.examples()):
                    recorder.attach(**examples)
            _check_failure(recorder)
            _check_weights(Recording.open(partial))
            seconds = {name: round(value, 3) for name, value in trainer.seconds.items()}
            files.write_json(partial / "timings.json", {"seconds": seconds})
            seal.write(partial)
            _rename(partial, folder)
        except TrainingDivergedError:
            _rename(partial, folder.with_name(f"{folder.name}.diverged"))
            raise
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _check_failure(recorder: Recorder) -> None:
    """End the training when its recorder had to stop: a run without a recording is of no use here.

    Raises:
        ReportError: with the recorder's reason.
    """
    if recorder.failure:
        raise ReportError(files.REFUSED.format(recorder.folder, recorder.failure))


def _check_weights(recording: Recording) -> None:
    """Make sure that all recorded weights are finite, which the loss alone need not show.

    Raises:
        TrainingDivergedError: with the first batch after which one was not.
    """
    noted = [name for note in recording.notes if note.kind == "non-finite" for name in note.tensors]
    # A note may speak of a gradient, which a weight can survive.
    bad = [np.flatnonzero(~np.isfinite(recording.weights(name)).all(axis=1)) for name in noted]
    if first := [rows[0] for rows in bad if len(rows)]:
        raise TrainingDivergedError(f"diverged: a weight became infinite or NaN in batch {min(first)}.")


def _rename(partial: Path, folder: Path) -> None:
    with files.person_readable(folder):
        shutil.rmtree(folder, ignore_errors=True)
        files.patiently(lambda: partial.rename(folder))


class Trainer:
    """Hold the network, its optimizer and the images of one training run."""

    def __init__(self, experiment: Experiment, images: Images, device: torch.device | None = None) -> None:
        """Split the images, draw the initial weights and make the optimizer.

        Args:
            experiment: describes the training run.
            images: before the split.
            device: to train on; None for the first that may be trained on.

        Raises:
            ConfigError: when there are fewer training images than a batch holds, or torch refuses the optimizer, or the
                network does not fit the images.
        """
        self.experiment = experiment
        self.images = images
        self.device = device or devices.allowed(experiment)[0]
        seeds = Seeds.of(experiment.training.seed)
        training, validation = split(len(images.train_labels), experiment.data.validation_fraction, seeds.split)
        batch_size = experiment.training.batch_size
        if len(training) < batch_size:
            raise ConfigError(
                f"training.batch_size: found {batch_size}; allowed: at most {len(training)}, the training images."
            )
        if not len(validation):
            raise ConfigError(
                f"data.validation_fraction: found {experiment.data.validation_fraction}; allowed: a share of "
                f"{len(training)} images that holds out at least one."
            )
        self.training = self._tensors(images.train_images[training], images.train_labels[training])
        self.validation = self._tensors(images.train_images[validation], images.train_labels[validation])
        self.test = self._tensors(images.test_images.copy(), images.test_labels.copy())
        self.order = torch.Generator().manual_seed(seeds.order)  # on the CPU: a seed means the same on every device
        chance = (seeds.weights, seeds.dropout)
        self.network = model.build(experiment, images.shape, images.classes, chance, self.device)
        self.optimizer = optimizers.build(experiment.optimizer, self.network.parameters())
        self.seconds = {"training": 0.0, "validation": 0.0}

    def train(self, recorder: Recorder | None, progress: Progress = lambda done, total: None) -> None:
        """Take every step; log losses (nats) and accuracies (fractions).

        Args:
            recorder: listens to the optimizer; None trains without a recording, to measure what recording costs.
            progress: told (batches done, batches in all).

        Raises:
            TrainingDivergedError: when the loss becomes NaN or infinite.
            ReportError: when the recorder had to stop.
        """
        settings = self.experiment.training
        checkpoints = {round(settings.batches * (n + 1) / settings.validations) for n in range(settings.validations)}
        log = recorder.log if recorder else lambda *_, **__: None
        picked = batches(self.order, len(self.training[1]), settings.batch_size)
        self.network.train()
        started = time.perf_counter()
        for batch in range(1, settings.batches + 1):
            nats, hits = self.step(next(picked))
            if not math.isfinite(nats):
                raise TrainingDivergedError(f"diverged: the loss became {nats} in batch {batch}.")
            log(train_loss=nats, train_accuracy=hits / settings.batch_size)
            if batch in checkpoints:
                paused = time.perf_counter()
                self.seconds["training"] += paused - started
                held_out_loss, held_out_accuracy = self.evaluate(*self.validation)
                log(validation_loss=held_out_loss, validation_accuracy=held_out_accuracy)
                started = time.perf_counter()
                self.seconds["validation"] += started - paused
            if batch % 20 == 0 or batch == settings.batches:
                progress(batch, settings.batches)
                if recorder:
                    _check_failure(recorder)
        test_loss, test_accuracy = self.evaluate(*self.test)  # once, after training: nothing was chosen by it
        log(test_loss=test_loss, test_accuracy=test_accuracy)
        self.seconds["test"] = time.perf_counter() - started

    def step(self, positions: Tensor) -> tuple[float, int]:
        """Take one step on the training images at `positions`, (batch_size,) int64.

        Returns:
            The loss (nats) before the step, and how many of the images were recognised.
        """
        images, labels = self.training
        positions = positions.to(self.device)
        inputs, targets = scale(images[positions]), labels[positions]  # (batch_size, …), (batch_size,)
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.network(inputs)  # (batch_size, classes)
        loss = cross_entropy(logits, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.item(), int((logits.argmax(1) == targets).sum().item())

    def pace(self) -> float:
        """Return the seconds that a step takes, the median of some; the weights move meanwhile."""
        self.network.train()
        picked = batches(torch.Generator(), len(self.training[1]), self.experiment.training.batch_size)
        seconds = []
        for positions in itertools.islice(picked, WARMING + MEASURED):
            started = time.perf_counter()
            self.step(positions)  # the loss is read: nothing of it is still under way
            seconds.append(time.perf_counter() - started)
        return statistics.median(seconds[WARMING:])

    @torch.no_grad()
    def evaluate(self, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """Return mean loss (nats) and accuracy (fraction) over `images`, (n, …), without dropout."""
        self.network.eval()
        loss, hits = 0.0, 0
        for start in range(0, len(labels), EVALUATION_BATCH):
            targets = labels[start : start + EVALUATION_BATCH]
            logits = self.network(scale(images[start : start + EVALUATION_BATCH]))
            loss += cross_entropy(logits, targets, reduction="sum").item()
            hits += int((logits.argmax(1) == targets).sum().item())
        self.network.train()
        return loss / len(labels), hits / len(labels)

    def about(self) -> dict[str, Any]:
        """Return what a reader of the recording should know of this training run, without when or where it was made."""
        experiment, images = self.experiment, self.images
        parameters = sum(each.numel() for each in self.network.parameters())
        return {
            "data": {
                **{key: getattr(images, key) for key in TOLD},
                "train": len(self.training[1]),
                "validation": len(self.validation[1]),
                "test": len(self.test[1]),
                "validation_fraction": experiment.data.validation_fraction,
                "shape": list(images.shape),
                "classes": images.classes,
                "examples": bool(images.examples()),
                "type": str(images.train_images.dtype),
            },
            "network": {**experiment.network.settings, "parameters": parameters},
            "training": {**experiment.training.model_dump(mode="json"), "device": str(self.device)},
        }

    def _tensors(self, images: NDArray[Any], labels: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return images as one tensor, (n, …), and labels, (n,) int64, on the device; the arrays are nobody else's.

        Bytes, as which most are kept, take a quarter of the memory, of which every process of a study needs its own.
        """
        return torch.from_numpy(images).to(self.device), torch.from_numpy(labels).to(self.device)
