"""Numbers that a loop logs: to which step each of them belongs."""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from report.recording.rows import Rows
from report.recording.schema import Note

Entry = tuple[int, str, bool, Any]  # step, series, whether the value was logged before that step, value


@dataclass(slots=True)
class Rhythm:
    """Know when a loop logs one series.

    A loop may log after each step or before it, and both may begin with a value before the first step: an evaluation
    of the initial weights looks like the first value of a loop that logs before each step. The end tells them apart.

    Attributes:
        line: of the program, that logged the first value.
        newest: step after which the newest value came; 0 before the first.
        is_dense: a value came before every step so far.
        early: the newest value from before the first step.
        count: values since the newest step.
        fewest: values between any two steps.
        is_line_again: the line of the first value logged after a step, too.
        is_often: several values came between two steps.
    """

    line: Any
    newest: int
    is_dense: bool
    early: Any = None
    count: int = 0
    fewest: int = 0
    is_line_again: bool = False
    is_often: bool = False

    def reach(self, step: int) -> None:
        """Go on to a step, which may have been taken long ago."""
        if step > self.newest:
            self.fewest = self.count if self.newest <= 1 else min(self.fewest, self.count)
            self.is_dense &= step == self.newest + 1
            self.newest, self.count = step, 0

    def leads(self, step: int, *, is_cut: bool) -> bool:
        """Tell whether each value belongs to the step that follows.

        Such a loop logs before every step, and less after the last one than between two. One that was cut off may have
        logged for a step that never came: there counts whether the first value came from the line of later ones.

        Args:
            step: the last one.
            is_cut: the loop did not come to its end.
        """
        self.reach(step)
        return self.is_dense and (self.is_line_again if is_cut else self.count < self.fewest)


class Log:
    """Hold what was logged until the steps that it belongs to are written.

    A value belongs to the step that was just taken. Of a series that has a value before the first step, each belongs to
    the step before it or to the one after: both are kept until the end.
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self._waiting: dict[tuple[int, str, bool], Any] = {}
        self._rhythms: dict[str, Rhythm] = {}
        self._new: list[tuple[Mapping[str, Any], int, Any]] = []

    def add(self, values: Mapping[str, Any], step: int, line: Any) -> None:
        """Keep values; they are looked at when many have come: between two steps of a training, everything is slow.

        Args:
            values: numbers, or what becomes one later, by the names of their series.
            step: the newest one, counted from 1; 0 before the first.
            line: of the program, that logs them.
        """
        self._new.append(({name: x if type(x) is float else _number(x) for name, x in values.items()}, step, line))

    def _sort(self) -> None:
        """Say of each new value which step it may belong to."""
        for name, number, step, line in [(*each, *rest) for values, *rest in self._new for each in values.items()]:
            if (rhythm := self._rhythms.get(name)) is None:
                rhythm = self._rhythms[name] = Rhythm(line, step, is_dense=not step)
            rhythm.reach(step)
            rhythm.count += 1
            if not step:
                rhythm.early = number
            else:
                rhythm.is_often |= rhythm.count > 1
                rhythm.is_line_again |= line == rhythm.line
                if rhythm.count == 1:  # later ones are of skipped steps, or of small batches of the step that follows
                    self._waiting[step, name, False] = number
            if rhythm.is_dense:  # here the last one counts: earlier ones are of skipped steps, or of small batches
                self._waiting[step + 1, name, True] = number
        self._new = []

    def take(self, step: int) -> list[Entry]:
        """Return all that belongs to steps up to `step`, the newest that is finished, and forget it."""
        self._sort()
        due = [(*key, value) for key, value in self._waiting.items() if key[0] <= step]
        self._waiting = {key: value for key, value in self._waiting.items() if key[0] > step}
        return due

    def settle(self, step: int, *, is_cut: bool) -> tuple[set[str], list[Note]]:
        """Return the series whose values belong to the steps after them, and what is to be said of all series.

        Args:
            step: the last one.
            is_cut: the loop did not come to its end.
        """
        self._sort()
        leading, texts = set(), []
        for name, rhythm in self._rhythms.items():
            if not step:
                texts.append(f"{name} was logged, and no step followed: it is left out.")
            elif rhythm.leads(step, is_cut=is_cut):
                leading.add(name)
                if rhythm.count:
                    texts.append(f"The newest value of {name} was logged for a step that never came: it is left out.")
            elif rhythm.early is not None:
                early = _shown(rhythm.early)
                texts.append(f"{name} was {early} before the first step: this belongs to no step, and is left out.")
            if rhythm.is_often:
                which = "last one before it" if name in leading else "first one after it"
                texts.append(f"{name} was logged several times for one step: the {which} is kept.")
        return leading, [Note("series", text) for text in texts]


def _number(value: Any) -> Any:
    """Return a number; None for what is none; a copy of a tensor on a device, which is read only later."""
    try:
        if hasattr(value, "detach"):
            value = value.detach()
            if not value.is_cpu:
                return value.clone() if value.numel() == 1 else None
        return float(value.item() if hasattr(value, "item") else value)
    except Exception:
        return None


def _shown(value: Any) -> str:
    try:
        return f"{float(value):g}"
    except Exception:  # of a device that failed: nothing more can be read from it
        return "logged"


class Series:
    """The files of the series: one value a step, NaN where nothing was logged."""

    def __init__(self, folder: Path) -> None:
        """Have no series yet."""
        self._folder = folder
        self._rows: dict[str, Rows] = {}
        self._before: dict[str, Rows] = {}  # of some series: the same values, each at the step that follows it
        # By series and by whether they belong to the step that follows: rows of values that are infinite or NaN.
        self._unusual: dict[tuple[str, bool], set[int]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all series, in the order of their files."""
        return tuple(self._rows)

    @property
    def notes(self) -> list[Note]:
        """Return what is to be said of a recording that still grows."""
        text = (
            "{} was logged before the first step. Until the recording is closed, its values are given for the steps "
            "before them; they may belong to the steps after them, as {} has them."
        )
        return [Note("series", text.format(name, rows.path.name)) for name, rows in self._before.items()]

    def write(self, logged: Sequence[Entry], row_of: Mapping[int, int], count: int) -> list[tuple[str, int]]:
        """Write what was logged, and make every series `count` rows long; return name and row of what is no number.

        Args:
            logged: a step without a row came to nothing.
            row_of: of each step.
            count: of the rows.
        """
        found: dict[tuple[str, bool], dict[int, float]] = {}
        refused = []
        for step, name, is_before, value in logged:
            if (row := row_of.get(step)) is not None:
                try:
                    number = found.setdefault((name, is_before), {})[row] = float(value)
                except Exception:
                    refused.append((name, row))
                else:
                    if not math.isfinite(number):
                        self._unusual.setdefault((name, is_before), set()).add(row)
        for (name, is_before), values in found.items():
            if values and name not in self._rows:
                self._rows[name] = Rows(self._folder / f"series-{len(self._rows)}.npy", "<f8", ())
            if values and is_before and name not in self._before:
                number = self.names.index(name)
                self._before[name] = Rows(self._folder / f"before-{number}.npy", "<f8", ())
        for is_before, files in ((False, self._rows), (True, self._before)):
            for name, rows in files.items():
                values, start = found.get((name, is_before), {}), rows.count
                rows.append(np.array([values.get(row, np.nan) for row in range(start, count)]))
                for row, value in values.items():
                    if row < start:
                        rows.write(row, np.array([value]))
        return refused

    def unusual(self, leading: Container[str]) -> list[Note]:
        """Return a note on each series of which values are infinite or NaN."""
        return [
            Note("series", f"Infinite or NaN values of {name}: {len(rows)}, the first in step {min(rows) + 1}.")
            for (name, is_before), rows in self._unusual.items()
            if is_before == (name in leading)
        ]

    def settle(self, leading: Container[str]) -> None:
        """Leave one file of each series: some have their values at the steps after them."""
        for name, rows in self._before.items():
            if name in leading:
                try:
                    rows.path.replace(self._rows[name].path)
                except PermissionError:  # on Windows somebody reads it: it can be written to, and not be replaced
                    self._rows[name].write(0, np.load(rows.path))
                    rows.path.unlink()
            else:
                rows.path.unlink()
        self._before = {}
