"""One weight under every optimizer, on the main seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.analysis import history
from report.analysis.columns import Columns, same
from report.analysis.updates import Track
from report.recording.reader import Recording
from report.recording.study import Study


@dataclass(frozen=True)
class Shown:
    """Say which weight is shown, and for which optimizers it can be.

    Attributes:
        layer: its tensor.
        position: among the kept entries.
        index: in the tensor's matrix.
        seed: of the recordings.
        optimizers: slugs.
    """

    layer: str
    position: int
    index: list[int]
    seed: int | None
    optimizers: list[str]


def choose(study: Study, drawn: Sequence[str]) -> Shown | None:
    """Return the weight; None where no tensor has a gradient.

    It is the one of the first drawn tensor (of the first, if none is drawn) that is seldomest without a gradient under
    whichever optimizer leaves it without one most often: chosen to be alive under all of them, not by the direction of
    any update.
    """
    every = [found for label in study.labels if (found := study.find(label, study.main.seed)) is not None]
    for name in [*drawn, *study.main.tensors]:
        # A recording that keeps other entries of the tensor cannot be compared.
        alike = [each for each in every if np.array_equal(each.indices(name), study.main.indices(name))]
        active = {each.label: one for each in alike if (one := _active(each, name, study.steps)) is not None}
        if study.main.label in active:
            place = int(np.argmax(np.min(list(active.values()), axis=0)))
            position = int(Track(study.main, name).entries[place])
            index = history.index_of(study.main, name, position)
            return Shown(name, position, index, study.main.seed, [study.slug(label) for label in active])
    return None


def tables(study: Study, shown: Shown) -> Iterator[Columns]:
    """Yield the history of the weight under one optimizer after the other; row 0 of each is the initial state."""
    for label in study.labels:
        recording = study.find(label, shown.seed)
        if recording is None or study.slug(label) not in shown.optimizers:
            continue
        parts = [chunk.until(study.steps).numbers for chunk in Track(recording, shown.layer).chunks()]
        numbers = np.concatenate(parts)
        start = int(numbers[0]) - 1
        found = history.of(recording, shown.layer, shown.position, start, int(numbers[-1]))
        rows = history.table(found, shown.layer, shown.index, start)
        count = len(rows["batch"])
        yield {"optimizer": same(study.slug(label), count), "label": same(label, count), **rows}


def _active(recording: Recording, name: str, steps: int) -> NDArray[np.int64] | None:
    """Return in how many steps each weight has a gradient, (n,); None where the tensor has none at all."""
    counts = [
        np.count_nonzero(part.gradients, axis=0)
        for chunk in Track(recording, name).chunks()
        if len((part := chunk.until(steps)).numbers)
    ]
    return np.sum(counts, axis=0) if counts else None
