"""What marks a tensor of one's own network: a step unlike those around it, where it stopped, which rows are dead."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from report.analysis.sweep import Sweep
from report.recording.reader import Recording
from report.recording.schema import Tensor

LATELY = 20  # steps at least, of which "in the last tenth" says something
SEEN = 8  # entries of a row or column that must be recorded before it is called dead
AROUND = 2 * LATELY  # steps that a step is compared with, half of them before it and half after
ORDINARY = 0.9  # of these, those that say how far a step moves a tensor: the others may be as unusual
BLOCK = 1 << 14  # steps that are compared at once

Lines = tuple[list[int], list[int], int, int]
Doubles = NDArray[np.float64]


def jump(seen: Sweep, rates: Doubles | None) -> dict[str, float] | None:
    """Return which step is most unlike those around it, and by how much, see `own_tensor`."""
    known = np.ones(len(seen.size)) if rates is None else rates
    sizes = np.divide(seen.size, known, out=np.zeros_like(seen.size), where=known > 0)
    rows = np.flatnonzero(sizes > 0)
    if len(rows) <= AROUND:
        return None
    factors = sizes[rows] / _around(sizes[rows])
    place = LATELY + int(np.argmax(factors[LATELY:]))
    return {"step": int(seen.numbers[rows[place]]), "factor": float(factors[place])}


def _around(sizes: Doubles) -> Doubles:
    """Return what `ORDINARY` of the `AROUND` sizes around each do not exceed, if it is larger than they; (n,) each."""
    windows = sliding_window_view(sizes, AROUND + 1)
    place = round(ORDINARY * AROUND) - 1
    parts = (windows[at : at + BLOCK] for at in range(0, len(windows), BLOCK))
    found = np.concatenate([np.partition(each, place, axis=1)[:, place] for each in parts])
    middle = np.arange(len(sizes)) - LATELY  # the first and the last have the same neighbours as those beside them
    return np.asarray(found[np.clip(middle, 0, len(found) - 1)], np.float64)


def stopped(seen: Sweep, rates: Doubles | None) -> dict[str, int | bool] | None:
    """Return after which row nothing moved any more, see `own_tensor`."""
    moved = np.flatnonzero(seen.moving)
    if not len(moved) or moved[-1] == len(seen.numbers) - 1:
        return None
    rows = int(moved[-1]) + 1
    is_zero = rates is not None and not bool((rates[rows:] != 0).any())
    return {"row": rows, "step": int(seen.numbers[rows - 1]), "rate_is_zero": is_zero}


def since(recording: Recording, tensor: Tensor, seen: Sweep, dead: NDArray[np.bool_], rows: list[int]) -> int:
    """Return the last step in which one of the dead rows, or else of the dead entries, had a gradient; 0: in none."""
    if rows:
        dead = dead & np.isin(np.unravel_index(recording.indices(tensor.name), tensor.matrix)[0], rows)
    last = int(seen.last_gradient[dead].max(initial=-1))
    return 0 if last < 0 else int(seen.numbers[last])


def lines(recording: Recording, tensor: Tensor, dead: NDArray[np.bool_]) -> Lines | None:
    """Return the rows and the columns of a matrix whose recorded entries are all dead; None of a vector.

    Of a row that was hardly recorded nothing is said: how many rows and columns are judged comes after them.
    """
    if len(tensor.shape) < 2 or (tensor.matrix[0] < 2 and not tensor.name.endswith("weight")):
        return None  # such as positions, (1, length, width), which are no map from inputs to an output
    places = np.unravel_index(recording.indices(tensor.name), tensor.matrix)
    found, judged = [], []
    for place, count, across in zip(places, tensor.matrix, reversed(tensor.matrix), strict=True):
        seen, gone = np.bincount(place, minlength=count), np.bincount(place, dead, minlength=count)
        is_judged = seen >= min(SEEN, across)
        found.append(np.flatnonzero((gone == seen) & is_judged).tolist())
        judged.append(int(is_judged.sum()))
    return found[0], found[1], judged[0], judged[1]
