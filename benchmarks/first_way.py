"""The first article's way of doing the main job, written anew: `python -m benchmarks.first_way`.

A DataLoader over single images, a clone of every layer's weights for every batch in a list, histories as lists in
lists with one entry a weight, colours as lists, FuncAnimation with a LineCollection that is replaced in every frame.
"""

import fnmatch
import itertools
from pathlib import Path
from typing import Any

import click
import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.animation import FuncAnimation
from matplotlib.collections import LineCollection
from matplotlib.patches import Ellipse
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.measure import ROOT
from benchmarks.vision import torchvision
from report.config import Experiment
from report.training import data
from report.training.images import Images
from report.workspace import Workspace

SHARE = 0.0001
PAUSE = 100  # milliseconds a frame


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Do for each image what torchvision's MNIST with the transform ToTensor does."""

    def __init__(self, images: Any, labels: Any) -> None:
        """Keep (n, 28, 28) uint8 `images` and (n,) `labels`."""
        self.images = torch.from_numpy(images.copy())
        self.labels = torch.from_numpy(labels.copy())
        self.transform = torchvision("transforms").ToTensor()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int]:
        """Return one image, (1, 28, 28) in [0, 1], and its class."""
        image = Image.fromarray(self.images[position].numpy())
        return self.transform(image), int(self.labels[position])


def network(sizes: list[int], dropout: float) -> nn.Sequential:
    """Return Linear layers with ReLU between them, dropout after the first."""
    steps: list[nn.Module] = [nn.Flatten()]
    for place, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        steps.append(nn.Linear(inputs, outputs))
        if place < len(sizes) - 2:
            steps.append(nn.ReLU())
        if place == 0:
            steps.append(nn.Dropout(dropout))
    return nn.Sequential(*steps)


def train(experiment: Experiment, digits: Images) -> tuple[list[list[torch.Tensor]], list[float]]:
    """Train one run; return for each layer the weights before every batch and after the last, and the losses."""
    settings = experiment.training
    pictures = Pictures(digits.train_images, digits.train_labels)
    held_out = round(len(pictures) * experiment.data.validation_fraction)
    training, validation = torch.utils.data.random_split(pictures, [len(pictures) - held_out, held_out])
    loader = DataLoader(training, settings.batch_size, shuffle=True, drop_last=True)
    model = network([784, *experiment.network.hidden, 10], experiment.network.dropout)
    linears = [step for step in model if isinstance(step, nn.Linear)]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    criterion = nn.CrossEntropyLoss()
    kept: list[list[torch.Tensor]] = [[] for _ in linears]
    losses: list[float] = []
    while len(losses) < settings.batches:
        for inputs, labels in loader:
            for history, linear in zip(kept, linears, strict=True):
                history.append(linear.weight.detach().clone())
            # As it did then. Today's default lets gradients go between two clones: holes, and up to twice the memory.
            optimizer.zero_grad(set_to_none=False)
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == settings.batches:
                break
    for history, linear in zip(kept, linears, strict=True):
        history.append(linear.weight.detach().clone())
    model.eval()
    right = 0
    with torch.no_grad():
        for inputs, labels in DataLoader(validation, settings.batch_size, shuffle=True):
            right += int((model(inputs).argmax(1) == labels).sum())
    click.echo(f"validation accuracy {right / held_out:.4f}")
    return kept, losses


def histories(snapshots: list[torch.Tensor]) -> tuple[Any, Any]:
    """Return the weights, (outputs, inputs, batches + 1), and their updates, through lists of single numbers."""
    outputs, inputs = snapshots[0].shape
    course: list[list[list[Any]]] = [[[] for _ in range(inputs)] for _ in range(outputs)]
    for snapshot in snapshots:
        for row, weights in enumerate(snapshot.numpy()):
            for column, weight in enumerate(weights):
                course[row][column].append(np.array(weight))
    array = np.array(course)
    changes: list[list[list[Any]]] = []
    for line in array:
        changes.append([])
        for weights in line:
            changes[-1].append([weights[k] - weights[k - 1] for k in range(1, len(weights))])
    return array, np.array(changes)


def colours(changes: list[Any], thresholds: list[float], means: list[float], batch: int) -> list[list[float]]:
    """Return red, green, blue and opacity of every edge in one batch."""
    found = []
    for change, threshold, mean in zip(changes, thresholds, means, strict=True):
        for row in change:
            for course in row:
                deviation = course[batch] - mean
                strength = min((deviation / threshold) ** 2, 1) if threshold else float(deviation != 0)
                found.append([1, 0, 0, strength] if deviation > 0 else [0, 0, 1, strength])
    return found


def animate(sizes: list[int], palette: list[list[list[float]]], batches: range, target: Path) -> None:
    """Write the graph of neighbouring layers as a GIF, 500 × 1000 pixels."""
    highest = max(sizes)
    places = [[(x, y / (size - 1) * highest) for y in range(size)] for x, size in enumerate(sizes)]
    lines = [[end, start] for left, right in itertools.pairwise(places) for end in right for start in left]
    figure = plt.figure(figsize=(5, 10))
    axes = figure.add_subplot(111)
    axes.set_xlim(-0.05, len(sizes) - 0.95)
    axes.set_ylim(-0.01 * highest, 1.01 * highest)
    for column in places:
        for place in column:
            axes.add_artist(Ellipse(place, width=0.02 * len(sizes), height=1, fill=False))

    def update(frame: int) -> tuple[()]:
        for old in list(axes.collections):
            old.remove()
        axes.add_collection(LineCollection(lines, colors=palette[frame], linewidth=1))
        axes.set_title(f"batch: {batches[frame]}")
        return ()

    FuncAnimation(figure, update, frames=len(batches), interval=PAUSE, init_func=lambda: ()).save(
        target, writer="pillow"
    )
    plt.close(figure)


def plot(losses: list[float], course: Any, change: Any, first: Any, folder: Path) -> None:
    """Draw the article's four still figures."""
    plt.imshow(first, cmap="gray")
    plt.savefig(folder / "digit.png")
    plt.figure()
    plt.plot(losses)
    plt.savefig(folder / "loss.png")
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 5))
    left.plot(course[0][0])
    right.plot(change[0][0])
    figure.savefig(folder / "weight.png")
    plt.figure()
    plt.hist(change.flatten(), bins=100)
    plt.savefig(folder / "histogram.png")
    plt.close("all")


@click.command()
@click.option("--experiment", "file", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--build", type=click.Path(path_type=Path), required=True, help="Where data/ is.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where pictures go.")
def main(file: Path, build: Path, out: Path) -> None:
    """Do the first article's job its own way."""
    out.mkdir(parents=True, exist_ok=True)
    experiment = Experiment.load(file)
    place = Workspace(ROOT, build, build / "site")
    digits = data.read(place, data.settle(place, experiment, click.echo))
    kept, losses = train(experiment, digits)
    whole = {layer for pattern in experiment.recording.whole for layer in fnmatch.filter(experiment.layers, pattern)}
    drawn = [place for place, layer in enumerate(experiment.layers) if layer in whole]
    pairs = [histories(kept[place]) for place in drawn]
    changes = [change for _, change in pairs]
    plot(losses, pairs[0][0], changes[0], digits.train_images[0], out)
    means = [float(np.average(change)) for change in changes]
    ranked = [np.sort(np.abs(change.flatten() - mean))[::-1] for change, mean in zip(changes, means, strict=True)]
    smallest = min(len(values) for values in ranked)
    thresholds = [float(v[int(smallest * SHARE * (len(v) / smallest) ** 0.5)]) for v in ranked]
    settings = experiment.animation
    palette = [colours(changes, thresholds, means, batch) for batch in range(settings.long_batches)]
    sizes = [change.shape[1] for change in changes] + [changes[-1].shape[0]]
    animate(sizes, palette, range(1, settings.frames + 1), out / "network.gif")


if __name__ == "__main__":
    main()
