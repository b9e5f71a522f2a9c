"""How long a large update stays large, in the same direction: "several steps" means little without a threshold."""

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory
from report.analysis.threshold import Law
from report.analysis.windows import Spans

# q·τ: opacity 1, 1/4 and 1/16. The suffix is the name in results and tables.
SHARES = {"q1": 1.0, "q05": 0.5, "q025": 0.25}

Ints = NDArray[np.int64]


def signs_above(deviations: NDArray[np.float64], bound: float) -> NDArray[np.int8]:
    """Return the sign of each deviation v where |v| ≥ bound, and 0 elsewhere; one of exactly 0 has none."""
    large = (np.abs(deviations) >= bound) & (deviations != 0)
    signs: NDArray[np.int8] = large * np.sign(deviations).astype(np.int8)
    return signs


class Spells:
    """Follow spells: consecutive steps in which a weight's updates are large and have one sign."""

    def __init__(self, spans: Spans, weights: int) -> None:
        """Begin with no row, for so many weights."""
        self.spans = spans
        # By window: large updates, how long they last from there, spells that begin, how long those last.
        self._sums = {name: np.zeros(4, np.int64) for name in spans}
        self._sign, self._age = np.zeros(weights, np.int8), np.zeros(weights, np.int64)

    def add(self, first: int, large: NDArray[np.int8]) -> None:
        """Take in (rows, n) int8, see `signs_above`, of which the first is row `first` of all."""
        step, begin = self._follow(first, large)
        for name, span in self.spans.items():
            # One step of a spell lengthens by 1 what follows each of the spell's steps so far: those in the window.
            seen = np.minimum(step + 1, span.stop) - np.maximum(begin, span.start)
            begun = (span.start <= begin) & (begin < span.stop)
            inside = (span.start <= step) & (step < span.stop)
            starts = np.count_nonzero(begun & (begin == step))
            self._sums[name] += [np.count_nonzero(inside), np.maximum(seen, 0).sum(), starts, np.count_nonzero(begun)]

    def means(self, window: str) -> tuple[float | None, float | None, int]:
        """Return how long a large update lasts on average, the same from the first step of a spell, and the spells."""
        large, lasting, spells, lengths = self._sums[window].tolist()
        return lasting / large if large else None, lengths / spells if spells else None, spells

    def _follow(self, first: int, large: NDArray[np.int8]) -> tuple[Ints, Ints]:
        """Return, of every large update, its row, and that in which its spell began; both of all rows."""
        rows, weights = large.shape
        # Series of single weights, one after the other, with a 0 between them, so that none runs into the next.
        series = np.zeros((weights, rows + 1), np.int8)
        series[:, :-1] = large.T
        flat = series.reshape(-1)
        place = np.flatnonzero(flat)
        sign = flat[place]
        is_first = np.ones(len(place), bool)
        is_first[1:] = (np.diff(place) != 1) | (sign[1:] != sign[:-1])
        step, weight = place % (rows + 1) + first, place // (rows + 1)
        starts = np.flatnonzero(is_first)
        begin = step[starts]
        # What goes on from the chunk before began there.
        carried = (begin == first) & (sign[starts] == self._sign[weight[starts]])
        begin = np.where(carried, first - self._age[weight[starts]], begin)[np.cumsum(is_first) - 1]
        last = step == first + rows - 1
        self._sign, self._age = large[-1].copy(), np.zeros(weights, np.int64)
        self._age[weight[last]] = first + rows - begin[last]
        return step, begin


class Dwell:
    """Measure how long updates stay above each threshold.

    A spell belongs to the window in which it is seen and is followed beyond its end; only the end of the recording
    cuts it.
    """

    def __init__(self, spans: Spans, weights: int, law: Law) -> None:
        """Begin with no row, for so many weights; `law` has mean and τ of their updates."""
        self.spans = spans
        self.law = law
        self._spells = {suffix: Spells(spans, weights) for suffix in SHARES}

    def add(self, first: int, deviations: NDArray[np.float64]) -> None:
        """Take in (rows, n) deviations, of which the first is row `first` of all."""
        for suffix, share in SHARES.items():
            self._spells[suffix].add(first, signs_above(deviations, share * self.law.threshold))

    def found(self, beta: float | None) -> dict[str, dict[str, float | None]]:
        """Return, by window, the mean dwell (steps) at each threshold.

        Args:
            beta: the optimizer's memory; None where no theory describes it.

        Returns:
            By window: `threshold` τ (weight units); for each q `mean_…`, from any step above; `spell_…`, from the
            first step of each spell, which does not count a long spell many times; `spells_…`, how many began;
            `chance_…`, the `spell_…` of Gaussian noise in which as many updates reach τ (None without theory).
        """
        tail = (self.law.rank + 1) / self.law.deviations
        found: dict[str, dict[str, float | None]] = {name: {"threshold": self.law.threshold} for name in self.spans}
        for suffix, share in SHARES.items():
            for name, row in found.items():
                row[f"mean_{suffix}"], row[f"spell_{suffix}"], row[f"spells_{suffix}"] = self._spells[suffix].means(
                    name
                )
                row[f"chance_{suffix}"] = None if beta is None else theory.dwell(beta, tail, share)
        return found
