"""Updates: what each step changed in each weight, gone through in chunks of steps that fit into memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.recording.reader import Recording

Floats = NDArray[np.float32]

MOST_ENTRIES = 16_384  # of a tensor that are measured: more need time, and say no more of it
CHUNK = 1 << 19  # updates that are measured at once: 2 MB as float32, and some fifty while they are measured
KEPT = 1 << 20  # updates of a tensor that are read once, and kept in memory while it is measured


def of(weights: Floats) -> Floats:
    """Return the updates of recorded weights.

    Args:
        weights: (steps + 1, …) float32; row t is the state after t steps.

    Returns:
        (steps, …) float32; row t - 1 is the change that step t made. A change smaller than half the spacing
        of float32 numbers around the weight was never made: the weight itself is stored in float32.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a weight that became infinite
        return np.asarray(np.diff(weights, axis=0), np.float32)


@dataclass(frozen=True)
class Chunk:
    """Hold some consecutive rows of a tensor's history: a row for each step that used a gradient of it.

    A step without a gradient left the tensor alone, and so does every later measure with it. All numbers are finite:
    what comes after the first one that is not is left out.

    Attributes:
        first: how many rows came before these.
        numbers: (rows,) int64, the steps, counted from 1.
        weights: (rows, n) float32, the weights that each step started from.
        updates: (rows, n) float32.
        gradients: (rows, n) float32.
    """

    first: int
    numbers: NDArray[np.int64]
    weights: Floats
    updates: Floats
    gradients: Floats

    def until(self, steps: int) -> "Chunk":
        """Return the rows of the first `steps` steps."""
        rows = int(np.searchsorted(self.numbers, steps, side="right"))
        return self if rows == len(self.numbers) else self.rows(0, rows)

    def rows(self, start: int, stop: int) -> "Chunk":
        """Return some of the rows, counted from the first of these."""
        some = slice(start, stop)
        return Chunk(
            self.first + start, self.numbers[some], self.weights[some], self.updates[some], self.gradients[some]
        )


class Track:
    """Go through the history of one tensor, as often as is needed; one that is not long is read once."""

    def __init__(self, recording: Recording, name: str) -> None:
        """Keep which tensor it is; nothing is read yet.

        Args:
            recording: that has it.
            name: of the tensor.
        """
        self.recording = recording
        self.name = name
        count = recording.tensors[name].count
        # Which of the kept entries are measured, (n,): all, or evenly spread ones.
        self._is_all = count <= MOST_ENTRIES
        spread = np.arange(count) if self._is_all else np.linspace(0, count - 1, MOST_ENTRIES)
        self.entries = spread.astype(np.int64)
        self._known: list[Chunk] | None = None

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows in order, none twice and none empty."""
        if self._known is not None:
            yield from self._known
            return
        steps, width = self.recording.steps, len(self.entries)
        known: list[Chunk] = []
        size = max(CHUNK // max(width, 1), 1)
        present = self.recording.present(self.name)
        first = 0
        for start in range(0, steps if width else 0, size):
            stop = min(start + size, steps)
            chunk, is_broken = self._chunk(first, start, present[start:stop])
            if len(chunk.numbers):
                first += len(chunk.numbers)
                if steps * width <= KEPT:
                    known.append(chunk)
                yield chunk
            if is_broken:
                break
        if steps * width <= KEPT:
            self._known = known

    def _chunk(self, first: int, start: int, used: NDArray[np.bool_]) -> tuple[Chunk, bool]:
        """Return the used rows of the steps from `start` on (counted from 0), and whether a number in them is broken.

        The files are mapped anew each time: pages that were read do not stay in this process's memory.
        """
        stop = start + len(used)
        weights = self._kept(self.recording.weights(self.name)[start : stop + 1])
        gradients = self._kept(self.recording.gradients(self.name)[start:stop])
        change, before = of(weights), weights[:-1]
        broken = used & ~(np.isfinite(change).all(axis=1) & np.isfinite(gradients).all(axis=1))
        if broken.any():
            used = used & (np.arange(len(used)) < np.argmax(broken))
        numbers = np.flatnonzero(used) + 1 + start
        if not used.all():
            before, change, gradients = before[used], change[used], gradients[used]
        return Chunk(first, numbers, before, change, gradients), bool(broken.any())

    def _kept(self, rows: Floats) -> Floats:
        return np.array(rows) if self._is_all else rows[:, self.entries]


def column(recording: Recording, name: str, position: int, start: int, stop: int) -> tuple[Floats, Floats]:
    """Return the history of one kept entry: (stop - start + 1,) weights and (stop - start,) gradients of its steps.

    Args:
        recording: that has the tensor.
        name: of the tensor.
        position: of the entry among those that are kept.
        start: steps before the first of these.
        stop: the last step, counted from 1.
    """
    size = max(CHUNK // recording.tensors[name].count, 1)
    places = range(start, stop, size)
    weights = [recording.weights(name)[at : min(at + size, stop), position].copy() for at in places]
    weights.append(recording.weights(name)[stop : stop + 1, position].copy())
    gradients = [recording.gradients(name)[at : min(at + size, stop), position].copy() for at in places]
    return np.concatenate(weights), np.concatenate(gradients)
