"""The history of single weights: the first one, as in the first article, and each tensor's largest mover."""

import numpy as np
from numpy.typing import NDArray

from report.analysis import updates
from report.analysis.columns import Column, same
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
