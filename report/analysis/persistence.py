"""How long updates keep their direction: flip rate and mean same-sign run, and how the lengths are distributed.

Both are counted over pairs of consecutive steps in which a weight moved both times; an update of exactly zero has
no sign and ends a run without a flip.
"""

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory, windows
from report.analysis.windows import Spans

Signs = NDArray[np.int8]
Bits = NDArray[np.uint8]
Where = NDArray[np.bool_]


def signs(updates: NDArray[np.floating]) -> Signs:
    """Return -1, 0 or 1 for each update, of any shape, int8: an eighth of the memory traffic of the sums below."""
    return (updates > 0).view(np.int8) - (updates < 0).view(np.int8)


class Flips:
    """Count, by window, pairs of steps in which a weight moved both times, and those in which it changed direction."""

    def __init__(self, spans: Spans, series: tuple[int, ...] = ()) -> None:
        """Begin with no row; `series` is the shape of what is counted side by side for the same weights."""
        self.spans = spans
        self._counts = windows.Totals(spans, (*series, 2))
        self._last: tuple[Bits, Bits] | None = None

    def add(self, first: int, up: Where, down: Where, active: Where | None = None) -> None:
        """Count the pairs that end in these rows.

        Args:
            first: number of the first row, from 0.
            up: (rows, …, n), where a weight moves up.
            down: likewise.
            active: likewise, where a pair may end; None: everywhere.
        """
        # A bit for each weight: eight of them are compared and counted at once.
        rise, fall = np.packbits(up, axis=-1), np.packbits(down, axis=-1)
        if self._last is not None:
            rise, fall = np.concatenate([self._last[0], rise]), np.concatenate([self._last[1], fall])
            first -= 1
        moved = rise | fall
        pairs = moved[1:] & moved[:-1]
        flips = (rise[1:] & fall[:-1]) | (fall[1:] & rise[:-1])
        if active is not None:
            ends = np.packbits(active, axis=-1)[-len(pairs) :] if len(pairs) else pairs
            pairs, flips = pairs & ends, flips & ends
        counts = [np.bitwise_count(each).sum(axis=-1, dtype=np.int64) for each in (pairs, flips)]
        self._counts.add(first, np.stack(counts, axis=-1), pairs=True)
        self._last = rise[-1:].copy(), fall[-1:].copy()

    def count(self, window: str, *series: int) -> tuple[int, int]:
        """Return the pairs in a window, and how many of them are flips."""
        pairs, flips = self._counts[window][series].tolist()
        return pairs, flips

    def mean_run(self, window: str, *series: int) -> float | None:
        """Return the mean same-sign run (steps); None where nothing flips."""
        pairs, flips = self.count(window, *series)
        return pairs / flips if flips else None

    def found(self, live: dict[str, NDArray[np.bool_]]) -> dict[str, dict[str, float | None]]:
        """Return, by window: `pairs`, `flips`, `flip_rate`, `mean_run` (steps), `never_moved`, `weights`.

        Args:
            live: by window, (n,), the weights that move at all in it.
        """
        found: dict[str, dict[str, float | None]] = {}
        for name in self.spans:
            pairs, flips = self.count(name)
            found[name] = {
                "flip_rate": flips / pairs if pairs else None,
                "flips": flips,
                "mean_run": self.mean_run(name),
                "never_moved": int(live[name].size - live[name].sum()),
                "pairs": pairs,
                "weights": live[name].size,
            }
        return found


class Lengths:
    """Estimate, by window, the distribution of the lengths of same-sign runs.

    Counting finished runs would miss the long ones, which the end of the recording or of a window cuts. So the
    product-limit estimate is taken: of all runs that have lasted a steps, the share that flips next; a run that
    is cut counts for as long as it was seen. A run that began before the window brings its age along.
    """

    def __init__(self, spans: Spans) -> None:
        """Begin with no row."""
        self.spans = spans
        self.longest = theory.LONGEST
        self.counts = {name: np.zeros((self.longest + 2, 2), np.int64) for name in spans}
        self._last: tuple[Signs, NDArray[np.int32]] | None = None

    def add(self, first: int, sign: Signs) -> None:
        """Count what follows runs of each age.

        Args:
            first: number of the first row, from 0.
            sign: (rows, n) int8, see `signs`.
        """
        begin = first
        if self._last is not None:
            begin -= 1
            sign = np.concatenate([self._last[0], sign])
        age = ages(sign, None if self._last is None else self._last[1])
        self._last = sign[-1:].copy(), age[-1:].copy()
        product = sign[:-1] * sign[1:]
        # One number a pair of steps: the age, and whether a flip follows. Age 0 collects pairs that do not count.
        code = np.minimum(age[:-1], self.longest + 1) * (product != 0) * 2 + (product < 0)
        for name, span in self.spans.items():
            inside = code[windows.cut(slice(span.start, span.stop - 1), begin, len(code))]
            self.counts[name] += np.bincount(inside.reshape(-1), minlength=2 * (self.longest + 2)).reshape(-1, 2)

    def found(self) -> dict[str, list[float | None]]:
        """Return, by window, P(length = 1 … LONGEST); None from where on no run was seen that long."""
        found: dict[str, list[float | None]] = {}
        for name, counts in self.counts.items():
            alive: float | None = 1.0
            probability: list[float | None] = []
            for lasting, ended in counts[1 : self.longest + 1].tolist():
                at_risk = lasting + ended
                probability.append(alive * ended / at_risk if at_risk and alive is not None else None)
                alive = alive * lasting / at_risk if at_risk and alive is not None else None
            found[name] = probability
        return found


def ages(sign: Signs, first: NDArray[np.int32] | None = None) -> NDArray[np.int32]:
    """Return for how many steps each weight has moved in its present direction, this step included; 0: not moved.

    Args:
        sign: (steps, n) int8.
        first: (1, n), the ages of row 0 where they are known; None: a beginning.

    Returns:
        (steps, n) int32.
    """
    age = np.empty(sign.shape, np.int32)
    moved = sign != 0
    age[0] = moved[0] if first is None else first[0]
    for step in range(1, len(sign)):
        # 1 where the weight moves, plus the age so far where it moves the same way.
        np.multiply(age[step - 1], sign[step] == sign[step - 1], out=age[step])
        age[step] += 1
        age[step] *= moved[step]
    return age
