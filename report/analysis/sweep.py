"""Go through a tensor's history once: sizes step by step, which entries have gradients and move, some entries whole.

All kept entries are looked at for what is summed; what follows single entries through time (streaks, correlations) is
measured on evenly spread ones, so many that `MEASURED` updates are in memory.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.analysis import threshold, updates
from report.analysis.threshold import Law
from report.analysis.updates import CHUNK, Floats
from report.recording.reader import Recording

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

MEASURED = 1 << 21  # updates of a tensor that are followed entry by entry: more need time, and say no more of it
FEWEST = 64  # entries that are followed, however many steps there are


@dataclass(frozen=True)
class Sweep:
    """Hold what one pass over a tensor's history tells; a row is a step that used a gradient of it.

    All numbers are finite: what comes after the first one that is not is left out.

    Attributes:
        numbers: (rows,) the steps, counted from 1.
        size: (rows,) root mean square of the updates.
        weight: (rows,) that of the weights before each step.
        gradient: (rows,) that of the gradients.
        zeros: (rows,) how many gradients are exactly zero.
        moving: (rows,) how many entries move.
        coasting: (rows,) how many of these without a gradient of their own.
        last_gradient: (n,) the last row in which an entry had a gradient; -1: in none.
        moved: (n,) bool, whether an entry ever moved.
        law: mean and τ of the updates.
        full: how many updates reach τ.
        entries: (m,) which of the kept entries are followed.
        weights: (rows, m) float32, theirs before each step; `updates` and `gradients` likewise.
    """

    numbers: Ints
    size: Doubles
    weight: Doubles
    gradient: Doubles
    zeros: Ints
    moving: Ints
    coasting: Ints
    last_gradient: Ints
    moved: NDArray[np.bool_]
    law: Law
    full: int
    entries: Ints
    weights: Floats
    updates: Floats
    gradients: Floats

    @property
    def ratio(self) -> Doubles:
        """Return RMS(Δ)/RMS(w) of each row, (rows,); NaN where all weights are zero."""
        return np.divide(self.size, self.weight, out=np.full_like(self.size, np.nan), where=self.weight > 0)


class Tails:
    """Keep the updates that may lie furthest from their mean, which is known only at the end."""

    def __init__(self, most: int) -> None:
        """Keep as many as `most` at either end."""
        self._most = most
        self._low, self._high = np.empty(0, np.float32), np.empty(0, np.float32)

    def add(self, change: Floats) -> None:
        """Take in updates, of any shape."""
        flat, is_full = change.reshape(-1), len(self._high) == self._most
        high = np.concatenate([self._high, flat[flat > self._high.min()] if is_full else flat])
        low = np.concatenate([self._low, flat[flat < self._low.max()] if is_full else flat])
        self._high = np.partition(high, len(high) - self._most)[-self._most :] if len(high) > self._most else high
        self._low = np.partition(low, self._most - 1)[: self._most] if len(low) > self._most else low

    def largest(self, mean: float, count: int) -> Doubles:
        """Return the `count` largest distances from the mean, falling; there are at least twice as many updates."""
        both = np.concatenate([self._low, self._high])
        return np.sort(np.abs(threshold.deviation(both, mean)))[::-1][:count]


def sweep(recording: Recording, name: str, smallest: int | None) -> Sweep | None:
    """Go through the history of a tensor; None where no step used a gradient of it, or only broken ones.

    Args:
        recording: that has it.
        name: of the tensor.
        smallest: number of updates of the smallest tensor that is drawn, for τ; None where none is.
    """
    present = recording.present(name)
    steps, width = len(present), recording.tensors[name].count
    most = int(present.sum())
    if not most or not width:
        return None
    count = min(width, max(MEASURED // most, FEWEST))
    entries = np.unique(np.linspace(0, width - 1, count).astype(np.int64))
    total = most * width
    # What a broken number cuts off only makes fewer of them count.
    tails = Tails(min(threshold.rank(total, smallest or total) + 1, total))
    last, moved = np.full(width, -1, np.int64), np.zeros(width, bool)
    sums: list[Doubles] = []
    followed: list[tuple[Floats, Floats, Floats]] = []
    used: list[Ints] = []
    mean, first = 0.0, 0
    size = max(CHUNK // width, 1)
    for start in range(0, steps, size):
        stop = min(start + size, steps)
        rows = present[start:stop]
        if not rows.any():
            continue
        states = np.array(recording.weights(name)[start : stop + 1])
        change, gradients, before = updates.of(states), np.array(recording.gradients(name)[start:stop]), states[:-1]
        if not rows.all():
            change, gradients, before = change[rows], gradients[rows], before[rows]
        squares = np.stack([_squares(each) for each in (change, before, gradients)])
        broken: NDArray[np.bool_] = np.logical_not(np.isfinite(squares).all(axis=0))
        sound = int(np.argmax(broken)) if broken.any() else len(broken)
        if sound:
            change, gradients, before = change[:sound], gradients[:sound], before[:sound]
            has, moves = gradients != 0, change != 0
            counts = [np.count_nonzero(each, axis=1) for each in (~has, moves, moves & ~has)]
            sums.append(np.concatenate([squares[:, :sound], np.array(counts, np.float64)]))
            any_gradient = has.any(axis=0)
            ends = first + sound - 1 - np.argmax(has[::-1], axis=0)
            last[any_gradient] = ends[any_gradient]
            moved |= moves.any(axis=0)
            mean += float(change.sum(dtype=np.float64))
            tails.add(change)
            followed.append((before[:, entries], change[:, entries], gradients[:, entries]))
            used.append(np.flatnonzero(rows)[:sound] + start + 1)
            first += sound
        if sound < len(broken):
            break
    if not first:
        return None
    numbers, found = np.concatenate(used), np.concatenate(sums, axis=1)
    rms = np.sqrt(found[:3] / width)
    zeros, moving, coasting = found[3:].astype(np.int64)
    whole = first * width
    mean /= whole
    rank = threshold.rank(whole, smallest or whole)
    far = tails.largest(mean, rank + 1)
    law = Law(mean, float(far[-1]), rank, whole, smallest or whole)
    weights, change, gradients = (np.concatenate(each) for each in zip(*followed, strict=True))
    full = int(np.count_nonzero(far >= law.threshold)) if law.threshold > 0 else int(moving.sum())
    return Sweep(
        *(numbers, rms[0], rms[1], rms[2], zeros, moving, coasting, last, moved, law, full, entries),
        *(weights, change, gradients),
    )


def _squares(rows: Floats) -> Doubles:
    """Return the sum of squares of each row, (rows,): finite only where every number of it is."""
    wide = rows.astype(np.float64)
    found: Doubles = np.einsum("tn,tn->t", wide, wide)
    return found
