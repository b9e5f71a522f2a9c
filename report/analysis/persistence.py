"""How long updates keep their direction: flip rate and mean same-sign run, and how the lengths are distributed.

Both are counted over pairs of consecutive steps in which a weight moved both times; an update of exactly zero has
no sign and ends a run without a flip.
"""

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory, windows
from report.analysis.windows import Spans

Signs = NDArray[np.int8]


def signs(updates: NDArray[np.floating]) -> Signs:
    """Return -1, 0 or 1 for each update, of any shape, int8: an eighth of the memory traffic of the sums below."""
    return (updates > 0).view(np.int8) - (updates < 0).view(np.int8)


class Flips:
    """Count, by window, pairs of steps in which a weight moved both times, and those in which it changed direction."""

    def __init__(self, spans: Spans) -> None:
        """Begin with no row."""
        self.spans = spans
        self.pairs = dict.fromkeys(spans, 0)
        self.flips = dict.fromkeys(spans, 0)
        self._last: Signs | None = None

    def add(self, first: int, sign: Signs, active: NDArray[np.bool_] | None = None) -> None:
        """Count the pairs that end in these rows.

        Args:
            first: number of the first row, from 0.
            sign: (rows, n) int8, see `signs`.
            active: (rows, n), where a pair may end; None: everywhere.
        """
        rows = sign if self._last is None else np.concatenate([self._last, sign])
        product = rows[:-1] * rows[1:]
        if active is not None:
            product *= active[len(active) - len(product) :]
        begin = first - (self._last is not None)
        pairs, flips = np.count_nonzero(product, axis=1), np.count_nonzero(product < 0, axis=1)
        for name, span in self.spans.items():
            # Both steps of a pair lie in the window.
            inside = windows.cut(slice(span.start, span.stop - 1), begin, len(product))
            self.pairs[name] += int(pairs[inside].sum())
            self.flips[name] += int(flips[inside].sum())
        self._last = sign[-1:].copy()

    def mean_run(self, window: str) -> float | None:
        """Return the mean same-sign run (steps); None where nothing flips."""
        return self.pairs[window] / self.flips[window] if self.flips[window] else None

    def found(self, live: dict[str, NDArray[np.bool_]]) -> dict[str, dict[str, float | None]]:
        """Return, by window: `pairs`, `flips`, `flip_rate`, `mean_run` (steps), `never_moved`, `weights`.

        Args:
            live: by window, (n,), the weights that move at all in it.
        """
        return {
            name: {
                "flip_rate": self.flips[name] / self.pairs[name] if self.pairs[name] else None,
                "flips": self.flips[name],
                "mean_run": self.mean_run(name),
                "never_moved": int(live[name].size - live[name].sum()),
                "pairs": self.pairs[name],
                "weights": live[name].size,
            }
            for name in self.spans
        }


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
