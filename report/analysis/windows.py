"""The stretches of a training run for which every number is given: start-up, what follows it, and all of it."""

import numpy as np
from numpy.typing import NDArray

# Steps, counted from 1, both ends included. Statistics of the first 100 steps are mostly start-up, so no figure over
# all steps stands without the two parts.
WINDOWS: dict[str, tuple[int, int | None]] = {"1-100": (1, 100), "101-1000": (101, 1000), "all": (1, None)}
EARLY, LATE, ALL = "1-100", "101-1000", "all"
LATE_STEPS = 100  # at least so many make a window: fewer say more about themselves than about training
# Of a recording that has more steps than are compared: the windows of all its steps, where they are others.
WHOLE = "whole "
PARTS = 100  # that are summed at once: of few rows, telling windows apart takes longer than summing

Spans = dict[str, slice]


def spans(numbers: NDArray[np.int64]) -> Spans:
    """Return which rows of an array with one row a step belong to each window; one without any row is absent.

    Args:
        numbers: (rows,) int64, the step of each row, counted from 1, rising.
    """
    found = {}
    for name, (first, last) in WINDOWS.items():
        start = int(np.searchsorted(numbers, first))
        stop = len(numbers) if last is None else int(np.searchsorted(numbers, last, side="right"))
        if start < stop:
            found[name] = slice(start, stop)
    return found


def rows(steps: int) -> Spans:
    """Return the same of an array that has a row for every step: row t - 1 is step t."""
    return spans(np.arange(1, steps + 1))


def beyond(numbers: NDArray[np.int64], steps: int) -> Spans:
    """Return the windows of all rows that are not those of the first `steps` steps, as "whole …"."""
    compared = spans(numbers[numbers <= steps])
    return {WHOLE + name: rows for name, rows in spans(numbers).items() if compared.get(name) != rows}


def rank(name: str) -> tuple[int, str]:
    """Return what windows are sorted by: those that are compared first."""
    plain = name.removeprefix(WHOLE)
    return (list(WINDOWS).index(plain) if plain in WINDOWS else len(WINDOWS)) + 10 * (plain != name), name


def late(found: Spans) -> str:
    """Return the window that is free of start-up: that after step 100, or all where that one is too short."""
    rows = found.get(LATE, slice(0, 0))
    return LATE if rows.stop - rows.start >= LATE_STEPS else ALL


def cut(rows: slice, first: int, count: int) -> slice:
    """Return which rows of a chunk, `count` rows from row `first` on, belong to a window."""
    start = min(max(rows.start - first, 0), count)
    return slice(start, max(start, min(rows.stop - first, count)))


class Totals:
    """Sum what is known of each row, by window."""

    def __init__(self, spans: Spans, shape: tuple[int, ...] = ()) -> None:
        """Begin with nothing.

        Args:
            spans: which rows belong to each window.
            shape: of what is known of one row.
        """
        self.spans = spans
        self._sums = {name: np.zeros(shape, np.int64) for name in spans}
        self._first, self._lapse = 0, 0
        self._parts: list[NDArray[np.integer]] = []  # that follow one another, and are in no sum yet

    def __getitem__(self, window: str) -> NDArray[np.int64]:
        """Return the sum over the rows of a window so far, of the shape of one row."""
        self._settle()
        return self._sums[window]

    def add(self, first: int, rows: NDArray[np.integer], pairs: bool = False) -> None:
        """Take in (rows, …), of which the first is row `first` of all; they follow those before.

        With `pairs` each row says something of the next one too: both have to lie in the window.
        """
        if not self._parts:
            self._first, self._lapse = first, int(pairs)
        self._parts.append(rows)
        if len(self._parts) == PARTS:
            self._settle()

    def _settle(self) -> None:
        if self._parts:
            rows, self._parts = np.concatenate(self._parts), []
            for name, span in self.spans.items():
                inside = cut(slice(span.start, span.stop - self._lapse), self._first, len(rows))
                self._sums[name] += rows[inside].sum(axis=0)
