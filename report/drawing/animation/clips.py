"""Which animations a study has, and the updates that each of them shows."""

import hashlib
import math
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import threshold
from report.drawing.animation import colour
from report.drawing.choice import chosen
from report.recording.reader import Recording
from report.recording.study import Study

Floats = NDArray[np.float64]

SIZES = 1_000_000  # changes that a matrix's scale is found from: enough for a quantile, whatever the layer's size
FULL_SHARE = 0.005  # of the updates that have the full colour, where two optimizers stand side by side
LEFT_OUT = 0.1  # opacity below which two optimizers' lines are not drawn: the haze would hide what stays and what goes
MOST_EDGES = 4096  # a layer with more weights is shown as a matrix: so many lines are a blot
MOST_CELLS = 1200  # of a side of a matrix: more do not fit on a screen
SETTING = re.compile(r"\S+ = \S+$")  # of an optimizer, at the end of a label
MOST_FILMS = 24  # of single layers: each is megabytes that a site has to carry


@dataclass(frozen=True)
class Pace:
    """Say which steps the animations show, and for how long.

    Attributes:
        frames: steps from the first on, one a frame, of a short film.
        milliseconds: how long a frame stays.
        long_batches: steps that the long film of the network spans.
        long_step: steps from one of its frames to the next.
    """

    frames: int
    milliseconds: int
    long_batches: int
    long_step: int


@dataclass(frozen=True)
class Clip:
    """Name one animation: what it shows, of which layers, in which batches.

    Attributes:
        name: of its files.
        kind: "network", "network-long", "graph" (one layer), "pixels", "matrix" or "pair"; words are chosen by it.
        layers: neighbouring layers, or one.
        batches: one a frame.
        labels: of the recordings that it shows, the main one first; all have its seed.
    """

    name: str
    kind: str
    layers: tuple[str, ...]
    batches: range
    labels: tuple[str, ...]

    def recordings(self, study: Study) -> list[Recording]:
        """Return the recordings that it shows."""
        found = [study.find(label, study.main.seed) for label in self.labels]
        return [recording for recording in found if recording is not None]


def plan(study: Study, pace: Pace, drawn: Sequence[str], scaled: Container[str]) -> list[Clip]:
    """Return the animations of a study in the order in which the site shows them.

    Args:
        study: whose main recording they show.
        pace: which steps.
        drawn: the layers of the network's graph; may be none.
        scaled: the layers that have a colour scale.
    """
    recording, graph, main = study.main, tuple(drawn), (study.main.label,)
    short = range(1, min(pace.frames, recording.steps) + 1)
    long = range(pace.long_step, min(pace.long_batches, recording.steps) + 1, pace.long_step)
    clips = [Clip("network", "network", graph, short, main)] if graph else []
    kinds = {name: _kind(recording, name) for name in recording.tensors}
    filmed = [name for name, kind in kinds.items() if kind and name in scaled]
    films = chosen([[name for name in graph if name in filmed], filmed], MOST_FILMS)
    for number, name in enumerate(recording.tensors, 1):
        if name in films:
            clips.append(Clip(f"layer-{number}", kinds[name], (name,), short[: recording.whole_steps(name)], main))
    if graph:
        clips.append(Clip(f"network-{pace.long_batches}", "network-long", graph, long, main))
        control = beside(study, graph)
        if control is not None:
            # The second half: in the first batches start-up moves every weight, with momentum or without.
            last = min(len(short), control.steps)
            clips.append(Clip("compare", "pair", graph, range(last // 2 + 1, last + 1), (*main, control.label)))
    return [clip for clip in clips if clip.batches]


def _kind(recording: Recording, name: str) -> str:
    """Return as what a layer is shown by itself: "pixels", "graph" or "matrix"; "" where it is not."""
    tensor = recording.tensors[name]
    if len(tensor.shape) < 2 or not tensor.size or not recording.whole_steps(name):
        return ""
    if name == next(iter(recording.tensors)) and math.prod(picture(recording)) == tensor.matrix[1]:
        return "pixels"
    if tensor.size <= MOST_EDGES:
        return "graph"
    return "matrix" if max(tensor.matrix) <= MOST_CELLS else ""


def picture(recording: Recording) -> tuple[int, ...]:
    """Return (rows, columns) of the pictures that the network looks at; (0,) where it does not look at any."""
    shape = tuple(recording.about.get("data", {}).get("shape", ()))
    return shape if len(shape) == 2 else (0,)


def beside(study: Study, layers: Sequence[str]) -> Recording | None:
    """Return the recording to be shown beside the main one: the same kind if there is one, with the least momentum.

    Args:
        study: the label listed first wins between equals.
        layers: that are shown.

    Returns:
        None when the study has none with less momentum than the main one, of the same seed.
    """
    main = study.main.rule(layers[0])
    found = []
    for label in study.labels[1:]:
        # Of another seed it would not have seen the same batches.
        recording = study.find(label, study.main.seed)
        if recording is not None and all(recording.tensors[name].kept == "whole" for name in layers):
            rule = recording.rule(layers[0])
            if rule.momentum < main.momentum:
                found.append((rule.name != main.name, rule.momentum, recording))
    return min(found, key=lambda each: each[:2], default=(False, 0.0, None))[2]


def settings(labels: Sequence[str]) -> list[str]:
    """Return what tells each label from the others in symbols, `β1 = 0.9`; nothing unless all have that, and differ."""
    found = [match[0] for label in labels if (match := SETTING.search(label))]
    return found if len(set(found)) == len(labels) else [""] * len(labels)


def identity(recording: Recording, layers: Sequence[str], step: int) -> str:
    """Return a digest that tells a recording from every other: what it says of itself, and weights after `step`.

    Weights after a step depend on all steps before it.
    """
    total = hashlib.sha256((recording.path / "run.json").read_bytes())
    for name in layers:
        total.update(np.ascontiguousarray(recording.whole_weights(name)[step]).data)
    return total.hexdigest()


def equal_laws(recording: Recording, layers: tuple[str, ...], batches: range) -> dict[str, dict[str, float]]:
    """Return laws by which in every layer the same share of the updates in `batches` has the full colour.

    Sizes of updates mean different things under different optimizers. The article's threshold, which one update in
    ten thousand reaches, leaves next to nothing to see of an optimizer whose largest updates are far from its usual
    ones; with an equal share in full colour, what differs to the eye is which updates these are.
    """
    found = {}
    for layer in layers:
        changes = np.array(list(_finite(recording, layer, batches)))
        mean = float(changes.mean(dtype=np.float64))
        sizes = np.abs(threshold.deviation(changes, mean))
        found[layer] = {"mean": mean, "threshold": float(np.quantile(sizes, 1 - FULL_SHARE))}
    return found


def updates(recording: Recording, layer: str, batches: range) -> Iterator[NDArray[np.float32]]:
    """Give the (rows, columns) update of each batch, of every weight; NaN where it is not known."""
    weights, shape = recording.whole_weights(layer), recording.tensors[layer].matrix
    for batch in batches:
        with np.errstate(over="ignore", invalid="ignore"):  # a weight that became infinite
            yield np.asarray(weights[batch] - weights[batch - 1]).reshape(shape)


def _finite(recording: Recording, layer: str, batches: range) -> Iterator[NDArray[np.float32]]:
    """Give the same, with 0 for what is not known or not finite."""
    for update in updates(recording, layer, batches):
        yield np.nan_to_num(update, posinf=0, neginf=0)


def amounts(recording: Recording, layer: str, batches: range) -> Floats:
    """Return (frames, inputs): the mean |Δ| over the weights that leave one input."""
    return np.array([np.abs(update).mean(axis=0, dtype=np.float64) for update in _finite(recording, layer, batches)])


def matrices(recording: Recording, layer: str, batches: range, law: Mapping[str, Any]) -> Iterator[Floats]:
    """Give the (rows, columns) signed opacities of each batch; `law` holds the layer's `mean` and `threshold`."""
    for update in updates(recording, layer, batches):
        # What is not known is not drawn.
        yield np.nan_to_num(colour.signed_opacity(update, law["mean"], law["threshold"]), copy=False)


def visible_law(recording: Recording, layer: str, batches: range, law: Mapping[str, Any]) -> dict[str, Any]:
    """Return `law` with a threshold that colours a matrix: one that some of the changes in these batches reach.

    The article's threshold is reached so rarely that of a hundred thousand cells hardly one would be seen.
    """
    sizes = []
    for update in _finite(recording, layer, batches):
        every = max(1, update.size * len(batches) // SIZES)
        sizes.append(np.abs(threshold.deviation(update.ravel()[::every], law["mean"])))
    return {**law, "threshold": colour.end_of_scale(np.concatenate(sizes))}


def edges(recording: Recording, layers: tuple[str, ...], batches: range, laws: Mapping[str, Any]) -> Floats:
    """Return (frames, edges) signed opacities, layer after layer, each row-major over (outputs, inputs)."""
    parts = [
        np.array([matrix.ravel() for matrix in matrices(recording, layer, batches, laws[layer])]) for layer in layers
    ]
    return np.concatenate(parts, axis=1)
