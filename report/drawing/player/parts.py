"""Which views of a study the player has, and how much of each is packed: a site must not weigh a gigabyte.

A view is the network's graph, or one tensor. Of a tensor with few entries all of them are packed, of one with many a
fixed sample; of a long recording the beginning. What is left out is said in the index, and the player shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.recording.reader import Recording
from report.recording.schema import Tensor, sample_seed
from report.recording.study import Study

MOST_EDGE_VALUES = 50_000_000  # edges × steps of the graph in a recording: about 80 MB
MOST_TENSOR_VALUES = 6_500_000  # entries × steps of all tensors in all recordings: 16 MB, as scripts 24 MB
MOST_CELLS = 2**16  # entries of a tensor that are shown; of more, a screen has not enough pixels
SAMPLE = 4096  # entries that stand for a tensor with more
LEAST_STEPS = 50  # of a tensor that is packed whole; else a sample, through more steps, says more
MOST_RUNS = 12  # recordings that are offered
MOST_PAIRS = 480  # of a tensor and a recording: where there are many tensors, fewer recordings are offered


@dataclass(frozen=True)
class View:
    """Say what is packed of one view in every recording that has it.

    Attributes:
        slug: "t12" of the twelfth tensor of the main recording; "" of the graph.
        layers: names of its tensors: neighbouring ones of the graph, or one.
        entries: how many of the kept entries are packed; of the graph all.
        steps: how many of a recording are packed at most.
    """

    slug: str
    layers: tuple[str, ...]
    entries: int
    steps: int

    def columns(self, recording: Recording) -> NDArray[np.int64]:
        """Return (entries,) which of the kept entries of its one tensor are packed, the same in every recording."""
        tensor = recording.tensors[self.layers[0]]
        if self.entries == tensor.count:
            return np.arange(tensor.count)
        generator = np.random.default_rng(sample_seed(tensor.name, tensor.shape))
        return np.sort(generator.choice(tensor.count, self.entries, replace=False))

    def is_whole(self, tensor: Tensor) -> bool:
        """Tell whether every entry of its one tensor is packed."""
        return tensor.kept == "whole" and self.entries == tensor.count


def plan(study: Study, layers: Sequence[str], tensors: Sequence[str]) -> dict[View, list[Recording]]:
    """Return what is packed, and of which recordings, the main one first.

    Args:
        study: all recordings.
        layers: those of the graph; none where none can be drawn.
        tensors: those of the main recording that are offered one by one.
    """
    offered = _offered(study, tensors)
    found: dict[View, list[Recording]] = {}
    if study.main not in offered:
        return found
    sound = [run for run in offered if layers and _is_sound(run, layers)]
    if study.main in sound:
        edges = sum(study.main.tensors[layer].size for layer in layers)
        found[View("", tuple(layers), edges, MOST_EDGE_VALUES // edges)] = sound
    numbers = {name: number for number, name in enumerate(study.main.tensors, 1)}
    kept = {name: [run for run in offered if _is_alike(run, study.main, name)] for name in tensors}
    wanted = [_wanted(study.main.tensors[name], runs) for name, runs in kept.items()]
    for (name, runs), share in zip(kept.items(), _shares(wanted), strict=True):
        if not runs:
            continue
        entries, steps = _fit(study.main.tensors[name].count, _longest(runs), share // len(runs))
        found[View(f"t{numbers[name]}", (name,), entries, steps)] = runs
    return found


def _offered(study: Study, tensors: Sequence[str]) -> list[Recording]:
    """Return the recordings that can be chosen, the main one first.

    Where only the graph is shown, one of each label, of the main recording's seed; else of all labels and seeds, those
    of the main recording's seed before the others.
    """
    same = [run for label in study.labels if (run := study.find(label, study.main.seed)) is not None]
    others = [run for run in study.recordings if run not in same] if tensors else []
    most = min(MOST_RUNS, max(MOST_PAIRS // len(tensors), 2)) if tensors else MOST_RUNS
    return [run for run in [*same, *others] if run.steps][:most]


def _is_sound(run: Recording, layers: Sequence[str]) -> bool:
    """Tell whether all weights of the layers are known and finite, from the first step to the last."""
    whole = all(run.tensors[layer].kept == "whole" for layer in layers)
    return whole and all(bool(np.isfinite(run.weights(layer)[[0, -1]]).all()) for layer in layers)


def _is_alike(run: Recording, main: Recording, name: str) -> bool:
    """Tell whether the same entries of a tensor are kept in a recording as in the main one."""
    one, other = run.tensors[name], main.tensors[name]
    return (one.kept, one.count) == (other.kept, other.count) and np.array_equal(run.indices(name), main.indices(name))


def _longest(runs: Sequence[Recording]) -> int:
    return max((run.steps for run in runs), default=0)


def _wanted(tensor: Tensor, runs: Sequence[Recording]) -> int:
    """Return how many values a tensor has in recordings, if it is packed as finely as it can be."""
    return (tensor.count if tensor.count <= MOST_CELLS else SAMPLE) * _longest(runs) * len(runs)


def _shares(wanted: Sequence[int]) -> list[int]:
    """Return how many values each of some tensors may have: what one does not need is for the others."""
    found, left = [0] * len(wanted), MOST_TENSOR_VALUES
    for done, place in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        found[place] = min(wanted[place], left // (len(wanted) - done))
        left -= found[place]
    return found


def _fit(count: int, steps: int, share: int) -> tuple[int, int]:
    """Return how many of `count` entries, and of how many of the first `steps` steps, make at most `share` values."""
    least = min(steps, LEAST_STEPS)
    whole = count <= MOST_CELLS and count * least <= share
    entries = count if whole else min(count, SAMPLE, max(share // least, 1))
    return entries, min(steps, max(share // entries, 1))
