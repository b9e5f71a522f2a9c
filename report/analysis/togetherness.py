"""How often two weights of one unit move the same way in the same step.

The gradient of a weight is the error of its output unit times the value of its input unit. Behind a ReLU inputs are
never negative: all weights into one output unit then have gradients of one sign, that of the unit's error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.analysis.updates import Track
from report.analysis.windows import Spans, Totals

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """Sort the measured entries of a matrix by one of the units that they join.

    Attributes:
        order: the entries of units that have several, unit by unit.
        starts: (units,), where each unit begins in it.
    """

    order: Ints
    starts: Ints

    @classmethod
    def of(cls, units: Ints) -> "Units":
        """Sort entries whose units are given, (n,)."""
        order = np.argsort(units, kind="stable")
        order = order[np.bincount(units)[units[order]] > 1]  # one alone makes no pair
        return cls(order, np.flatnonzero(np.diff(units[order], prepend=-1)))

    def pairs(self, sign: NDArray[np.int8]) -> Ints:
        """Return, of each row of (rows, n) signs, the pairs of one unit that both move and those that agree, (rows, 2).

        p weights that go up and m that go down make (p + m)(p + m - 1)/2 pairs, of which p(p - 1)/2 + m(m - 1)/2 agree.
        """
        ordered = sign[:, self.order]
        up, down = (np.add.reduceat(each, self.starts, axis=1, dtype=np.int64) for each in (ordered > 0, ordered < 0))
        both, same = up + down, up * (up - 1) + down * (down - 1)
        return np.stack([(both * (both - 1)).sum(axis=1) // 2, same.sum(axis=1) // 2], axis=1)


class Togetherness:
    """Count, by window, pairs of weights that share an output unit, or an input unit, and move the same way."""

    def __init__(self, spans: Spans, entries: Ints, matrix: tuple[int, int]) -> None:
        """Begin with no row.

        Args:
            spans: which rows belong to each window.
            entries: (n,), flat positions of the measured entries in the matrix.
            matrix: (outputs, inputs).
        """
        outputs, inputs = np.unravel_index(entries, matrix)
        self._units = {"output": Units.of(outputs), "input": Units.of(inputs)}
        self._pairs = {name: Totals(spans, (2,)) for name in self._units}
        self.spans = spans

    @classmethod
    def of(cls, track: Track, spans: Spans) -> "Togetherness":
        """Begin with the entries of a tensor that are measured."""
        recording, name = track.recording, track.name
        return cls(spans, recording.indices(name)[track.entries], recording.tensors[name].matrix)

    def add(self, first: int, sign: NDArray[np.int8]) -> None:
        """Take in (rows, n) signs of updates, of which the first is row `first` of all."""
        for name, units in self._units.items():
            self._pairs[name].add(first, units.pairs(sign))

    def found(self) -> dict[str, dict[str, float | None]]:
        """Return, by window, the shares that agree: `output`, `input`; None without a pair."""
        found: dict[str, dict[str, float | None]] = {}
        for window in self.spans:
            counts = {name: self._pairs[name][window].tolist() for name in self._units}
            found[window] = {name: same / pairs if pairs else None for name, (pairs, same) in counts.items()}
        return found
