"""Which animations an experiment has, and the updates that each of them shows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.animation import colour
from report.config import PIXELS, Experiment
from report.recording import Recording

Floats = NDArray[np.float64]

MOST_EDGES = 4096  # a layer with more weights is shown as a matrix: so many lines are a blot


@dataclass(frozen=True)
class Clip:
    """Name one animation: what it shows, of which layers, in which batches.

    Attributes:
        name: of its files.
        kind: "graph", "pixels" or "matrix".
        layers: neighbouring layers, one if not a graph.
        batches: one a frame.
    """

    name: str
    kind: str
    layers: tuple[str, ...]
    batches: range


def plan(experiment: Experiment) -> list[Clip]:
    """Return the animations of an experiment in the order in which the site shows them."""
    batches = experiment.training.batches
    short = range(1, min(experiment.animation.frames, batches) + 1)
    step = experiment.animation.long_step
    long = range(step, min(experiment.animation.long_batches, batches) + 1, step)
    whole = experiment.recording.whole
    clips = [Clip("network", "graph", whole, short)]
    for number, layer in enumerate(experiment.layers, 1):
        outputs, inputs = experiment.shape(layer)
        kind = "pixels" if inputs == PIXELS else "graph" if outputs * inputs <= MOST_EDGES else "matrix"
        clips.append(Clip(f"layer-{number}", kind, (layer,), short))
    clips.append(Clip(f"network-{experiment.animation.long_batches}", "graph", whole, long))
    return clips


def updates(recording: Recording, layer: str, batches: range) -> Iterator[NDArray[np.float32]]:
    """Give the (outputs, inputs) update of each batch; a layer that is not kept whole has its first batches only."""
    weights = recording.weights(layer) if layer in recording.whole else recording.clip_weights(layer)
    for batch in batches:
        yield weights[batch] - weights[batch - 1]


def amounts(recording: Recording, layer: str, batches: range) -> Floats:
    """Return (frames, inputs): the mean |Δ| over the weights that leave one input."""
    return np.array([np.abs(update).mean(axis=0, dtype=np.float64) for update in updates(recording, layer, batches)])


def matrices(recording: Recording, layer: str, batches: range, law: dict[str, Any]) -> Iterator[Floats]:
    """Give the (outputs, inputs) signed opacities of each batch; `law` holds the layer's `mean` and `threshold`."""
    for update in updates(recording, layer, batches):
        yield colour.signed_opacity(update, law["mean"], law["threshold"])


def edges(recording: Recording, layers: tuple[str, ...], batches: range, laws: dict[str, Any]) -> Floats:
    """Return (frames, edges) signed opacities, layer after layer, each row-major over (outputs, inputs)."""
    parts = [
        np.array([matrix.ravel() for matrix in matrices(recording, layer, batches, laws[layer])]) for layer in layers
    ]
    return np.concatenate(parts, axis=1)
