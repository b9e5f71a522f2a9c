"""Which animations an experiment has, and the updates that each of them shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import threshold
from report.config import PIXELS, Experiment, Optimizer
from report.drawing.animation import colour
from report.recording import Recording

Floats = NDArray[np.float64]

SIZES = 1_000_000  # changes that a matrix's scale is found from: enough for a quantile, whatever the layer's size
FULL_SHARE = 0.005  # of the updates that have the full colour, where two optimizers stand side by side
LEFT_OUT = 0.1  # opacity below which two optimizers' lines are not drawn: the haze would hide what stays and what goes
MOST_EDGES = 4096  # a layer with more weights is shown as a matrix: so many lines are a blot


@dataclass(frozen=True)
class Clip:
    """Name one animation: what it shows, of which layers, in which batches.

    Attributes:
        name: of its files.
        kind: "graph", "pixels", "matrix" or "pair".
        layers: neighbouring layers, one if not a graph.
        batches: one a frame.
        optimizers: whose training runs it shows, the main one first.
    """

    name: str
    kind: str
    layers: tuple[str, ...]
    batches: range
    optimizers: tuple[Optimizer, ...]

    def runs(self, experiment: Experiment) -> tuple[str, ...]:
        """Return the names of the training runs that it shows, all of the main seed."""
        return tuple(experiment.run_name(optimizer, experiment.training.seed) for optimizer in self.optimizers)


def plan(experiment: Experiment, control: Optimizer | None) -> list[Clip]:
    """Return the animations of an experiment in the order in which the site shows them.

    Args:
        experiment: says which layers and batches.
        control: the optimizer that is shown beside the main one, if any.
    """
    batches = experiment.training.batches
    short = range(1, min(experiment.animation.frames, batches) + 1)
    step = experiment.animation.long_step
    long = range(step, min(experiment.animation.long_batches, batches) + 1, step)
    whole, main = experiment.recording.whole, (experiment.optimizer,)
    clips = [Clip("network", "graph", whole, short, main)]
    for number, layer in enumerate(experiment.layers, 1):
        outputs, inputs = experiment.shape(layer)
        kind = "pixels" if inputs == PIXELS else "graph" if outputs * inputs <= MOST_EDGES else "matrix"
        clips.append(Clip(f"layer-{number}", kind, (layer,), short, main))
    clips.append(Clip(f"network-{experiment.animation.long_batches}", "graph", whole, long, main))
    if control is not None:
        # The second half: in the first batches start-up moves every weight, with momentum or without.
        last = min(short[-1], experiment.study.batches)
        both = range(last // 2 + 1, last + 1)
        clips.append(Clip("compare", "pair", whole, both, (experiment.optimizer, control)))
    return clips


def beside(experiment: Experiment, runs: Mapping[str, Sequence[str]]) -> Optimizer | None:
    """Return the optimizer to be shown beside the main one: the same kind if there is one, with the least momentum.

    Args:
        experiment: lists the optimizers; the first listed wins between equals.
        runs: by optimizer the names of the training runs that are on disk.

    Returns:
        None when the study has no such optimizer with less momentum than the main one, trained on the main seed.
    """
    main = experiment.optimizer
    found = [
        optimizer
        for optimizer in experiment.optimizers
        if optimizer.momentum < main.momentum
        and experiment.run_name(optimizer, experiment.training.seed) in runs[optimizer.slug]
    ]
    return min(found, key=lambda optimizer: (optimizer.name != main.name, optimizer.momentum), default=None)


def equal_laws(recording: Recording, layers: tuple[str, ...], batches: range) -> dict[str, dict[str, float]]:
    """Return laws by which in every layer the same share of the updates in `batches` has the full colour.

    Sizes of updates mean different things under different optimizers. The article's threshold, which one update in
    ten thousand reaches, leaves next to nothing to see of an optimizer whose largest updates are far from its usual
    ones; with an equal share in full colour, what differs to the eye is which updates these are.
    """
    found = {}
    for layer in layers:
        changes = np.array(list(updates(recording, layer, batches)))
        mean = float(changes.mean(dtype=np.float64))
        sizes = np.abs(threshold.deviation(changes, mean))
        found[layer] = {"mean": mean, "threshold": float(np.quantile(sizes, 1 - FULL_SHARE))}
    return found


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


def visible_law(recording: Recording, layer: str, batches: range, law: dict[str, Any]) -> dict[str, Any]:
    """Return `law` with a threshold that colours a matrix: one that some of the changes in these batches reach.

    The article's threshold is reached so rarely that of a hundred thousand cells hardly one would be seen.
    """
    sizes = []
    for update in updates(recording, layer, batches):
        every = max(1, update.size * len(batches) // SIZES)
        sizes.append(np.abs(threshold.deviation(update.ravel()[::every], law["mean"])))
    return {**law, "threshold": colour.end_of_scale(np.concatenate(sizes))}


def edges(recording: Recording, layers: tuple[str, ...], batches: range, laws: Mapping[str, Any]) -> Floats:
    """Return (frames, edges) signed opacities, layer after layer, each row-major over (outputs, inputs)."""
    parts = [
        np.array([matrix.ravel() for matrix in matrices(recording, layer, batches, laws[layer])]) for layer in layers
    ]
    return np.concatenate(parts, axis=1)
