"""The history of single weights: the first one, as in the first article, and each tensor's largest mover."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import updates
from report.recording.reader import Recording

Columns = dict[str, NDArray[Any]]


def chosen(recording: Recording, name: str, numbers: NDArray[np.int64]) -> dict[str, int]:
    """Return the positions, among the kept entries of a tensor, of the first and of the largest mover.

    The largest mover has the largest |end - start|; of equals, the first.

    Args:
        recording: that has the tensor.
        name: of the tensor.
        numbers: (rows,), the steps that moved it, counted from 1.
    """
    start, end = recording.weights(name)[[numbers[0] - 1, numbers[-1]]].astype(np.float64)
    return {"first": 0, "largest_mover": int(np.argmax(np.abs(end - start)))}


def index_of(recording: Recording, name: str, position: int) -> tuple[int, int]:
    """Return (row, column), counted from 0, of a kept entry in the tensor's matrix: (output, input) of a Linear."""
    row, column = np.unravel_index(recording.indices(name)[position], recording.tensors[name].matrix)
    return int(row), int(column)


def columns(recording: Recording, name: str, position: int, numbers: NDArray[np.int64]) -> Columns:
    """Return one row a step of a kept entry's history, from the state before the first step that moved its tensor on.

    Args:
        recording: that has the tensor.
        name: of the tensor.
        position: of the entry among those that are kept.
        numbers: (rows,), the steps that moved the tensor, counted from 1.

    Returns:
        `layer`, `out`, `in` (in the tensor's matrix), `batch` (the step); `weight`, the state after it; `update`, what
        it changed, and `gradient`, that it used; both NaN where there is none, as in the first row.
    """
    start, stop = int(numbers[0]) - 1, int(numbers[-1])
    weight = np.asarray(recording.weights(name)[start : stop + 1, position])
    gradient = recording.gradients(name)[start:stop, position].astype(np.float64)
    row, column = index_of(recording, name, position)
    count = len(weight)
    return {
        "layer": np.full(count, name),
        "out": np.full(count, row),
        "in": np.full(count, column),
        "batch": np.arange(start, stop + 1),
        "weight": weight.astype(np.float64),
        "update": np.concatenate([[np.nan], updates.of(weight).astype(np.float64)]),
        "gradient": np.concatenate([[np.nan], gradient]),
    }


def describe(rows: Columns) -> dict[str, Any]:
    """Return where a weight began, went and ended (weight units).

    Args:
        rows: see `columns`.
    """
    weight, update = rows["weight"], rows["update"]
    largest = int(np.nanargmax(np.abs(update)))
    return {
        "index": [int(rows["out"][0]), int(rows["in"][0])],
        "start": float(weight[0]),
        "end": float(weight[-1]),
        "minimum": float(weight.min()),
        "maximum": float(weight.max()),
        "largest_update": float(update[largest]),
        "largest_update_batch": int(rows["batch"][largest]),
    }
