"""The history of single weights: the first one, as in the first article, the largest mover, and the most telling."""

import numpy as np
from numpy.typing import NDArray

from report.analysis import updates
from report.analysis.columns import Column, same
from report.analysis.persistence import ages
from report.analysis.updates import Track
from report.recording.reader import Recording

History = dict[str, NDArray[np.float64]]


def chosen(recording: Recording, name: str, start: int, stop: int) -> dict[str, int]:
    """Return the positions, among the kept entries of a tensor, of the first and of the largest mover.

    The largest mover has the largest |end - start|; of equals, the first.

    Args:
        recording: that has the tensor.
        name: of the tensor.
        start: steps before the first that moved it.
        stop: the last step that moved it, counted from 1.
    """
    before, after = recording.weights(name)[[start, stop]].astype(np.float64)
    return {"first": 0, "largest_mover": int(np.argmax(np.abs(after - before)))}


def waking(track: Track) -> tuple[int, int, int] | None:
    """Return the weight that lay still for longest before it moved, and from which step to which; the first of equals.

    Returns:
        Its position among the kept entries, the first and the last step of its silence, counted from 1; None where no
        weight ever moved after a step in which it did not.
    """
    best: tuple[int, int, int, int] | None = None
    still: NDArray[np.int32] | None = None
    before: NDArray[np.bool_] | None = None
    for chunk in track.chunks():
        rest = chunk.updates == 0
        rows = rest if before is None else np.concatenate([before, rest])
        age = ages(rows.view(np.int8), still)
        # Of a weight that moves: for how many steps it had not, as it began to.
        silence = np.where(rows[1:], 0, age[:-1])
        longest = int(silence.max(initial=0))
        if longest and (best is None or longest > best[0]):
            step, place = np.unravel_index(int(silence.argmax()), silence.shape)
            end = int(chunk.numbers[int(step) + (before is None)]) - 1
            best = (longest, int(track.entries[place]), end - longest + 1, end)
        before, still = rows[-1:].copy(), age[-1:].copy()
    return None if best is None else best[1:]


def steadiest(track: Track) -> tuple[int, int]:
    """Return the weight that has a gradient in most steps, and in how many; the first of equals."""
    counts = np.sum([np.count_nonzero(chunk.gradients, axis=0) for chunk in track.chunks()], axis=0)
    return int(track.entries[int(counts.argmax())]), int(counts.max())


def story(history: History, start: int, silence: tuple[int, int], rate: float | None) -> dict[str, float | None]:
    """Return what a weight did when it woke.

    Args:
        history: of the weight, see `of`.
        start: step of its first row.
        silence: its first and last step.
        rate: the learning rate; None where it changes.

    Returns:
        `from`, `to`: the silence; `gradients`, in how many of its steps there was one all the same; `update`, of the
        step after it (weight units), and `rates`, the same in learning rates; `coasting`: for how many steps after that
        one it moved on without a gradient, before one came or it stood.
    """
    woke = silence[1] + 1 - start
    update, gradient = history["update"], history["gradient"]
    on = (update[woke + 1 :] != 0) & (gradient[woke + 1 :] == 0)
    size = abs(float(update[woke]))
    return {
        "from": silence[0],
        "to": silence[1],
        "gradients": int(np.count_nonzero(gradient[silence[0] - start : woke])),
        "update": float(update[woke]),
        "rates": None if rate is None else size / rate,
        "coasting": len(on) if on.all() else int(np.argmin(on)),
    }


def index_of(recording: Recording, name: str, position: int) -> list[int]:
    """Return [row, column], counted from 0, of a kept entry in the tensor's matrix: [output, input] of a Linear."""
    row, column = np.unravel_index(recording.indices(name)[position], recording.tensors[name].matrix)
    return [int(row), int(column)]


def of(recording: Recording, name: str, position: int, start: int, stop: int) -> History:
    """Return one row a step of a kept entry's history, from the state before the first step that moved its tensor on.

    Args:
        recording: that has the tensor.
        name: of the tensor.
        position: of the entry among those that are kept.
        start: steps before the first that moved the tensor.
        stop: the last step that moved it, counted from 1.

    Returns:
        `weight`, the state after the step; `update`, what it changed, and `gradient`, that it used; both NaN where
        there is none, as in the first row.
    """
    weight, gradient = updates.column(recording, name, position, start, stop)
    return {
        "weight": weight.astype(np.float64),
        "update": np.concatenate([[np.nan], updates.of(weight).astype(np.float64)]),
        "gradient": np.concatenate([[np.nan], gradient.astype(np.float64)]),
    }


def table(history: History, name: str, index: list[int], start: int) -> dict[str, Column]:
    """Return a history as columns: the tensor's name, the entry's place in its matrix and the steps beside it."""
    count = len(history["weight"])
    place = {"layer": same(name, count), "out": same(index[0], count), "in": same(index[1], count)}
    return {**place, "batch": np.arange(start, start + count), **history}


def describe(history: History, index: list[int], start: int) -> dict[str, float | list[int]]:
    """Return where a weight began, went and ended (weight units)."""
    weight, update = history["weight"], history["update"]
    largest = int(np.nanargmax(np.abs(update)))
    return {
        "index": index,
        "start": float(weight[0]),
        "end": float(weight[-1]),
        "minimum": float(weight.min()),
        "maximum": float(weight.max()),
        "largest_update": float(update[largest]),
        "largest_update_batch": start + largest,
    }
