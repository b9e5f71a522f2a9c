"""Numbers that a loop logs: to which step each of them belongs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from report.recording.rows import Rows


class Log:
    """Hold what was logged until the steps that it belongs to are written.

    A value belongs to the step that was just taken. A loop may also log first and step then: a series whose first value
    comes before any step belongs, value by value, to the step that follows.
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self._waiting: dict[tuple[int, str], Any] = {}
        self._leads: dict[str, bool] = {}
        self._newest: dict[str, int] = {}  # by series: the step of its newest value
        self._written: dict[str, int] = {}  # likewise, of those that were taken

    def add(self, name: str, value: Any, step: int) -> None:
        """Keep a value.

        Args:
            name: of the series.
            value: a number, or what becomes one later.
            step: the newest one, counted from 1; 0 before the first.
        """
        leads = self._leads.setdefault(name, step == 0)
        step += leads
        # Of several values for one step counts the last one before it (earlier ones are of smaller batches that
        # accumulate, or of a step that was skipped), or the first one after it (later ones are of skipped steps).
        if leads or self._newest.get(name, 0) < step:
            self._waiting[step, name] = _number(value)
            self._newest[name] = step

    def take(self, step: int, *, is_last: bool = False) -> list[tuple[int, str, Any]]:
        """Return (step, name, value) of all that belongs to steps up to `step`, and forget it.

        Args:
            step: the newest one that is finished.
            is_last: no step follows. What waits for one goes to `step`, if that has no value of the series: a
                validation before the first step must not cost the one after the last.
        """
        due = {(at, name): value for (at, name), value in self._waiting.items() if at <= step}
        late = {(at, name): value for (at, name), value in self._waiting.items() if at > step}
        self._waiting = late
        for at, name in due:
            self._written[name] = at
        if is_last:
            due |= {(step, name): value for (_, name), value in late.items() if self._written.get(name, 0) < step}
        return [(at, name, value) for (at, name), value in due.items()]


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


class Series:
    """The files of the series: one value a step, NaN where nothing was logged."""

    def __init__(self, folder: Path) -> None:
        """Have no series yet."""
        self._folder = folder
        self._rows: dict[str, Rows] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all series, in the order of their files."""
        return tuple(self._rows)

    def write(
        self, logged: Sequence[tuple[int, str, Any]], row_of: Mapping[int, int], count: int
    ) -> list[tuple[str, int]]:
        """Write what was logged, and make every series `count` rows long; return name and row of what is no number.

        Args:
            logged: step, name and value; a step without a row came to nothing.
            row_of: of each step.
            count: of the rows.
        """
        found: dict[str, dict[int, float]] = {}
        refused = []
        for step, name, value in logged:
            if (row := row_of.get(step)) is not None:
                try:
                    found.setdefault(name, {})[row] = float(value)
                except Exception:
                    refused.append((name, row))
        for name, values in found.items():
            if name not in self._rows and values:
                self._rows[name] = Rows(self._folder / f"series-{len(self._rows)}.npy", "<f8", ())
        for name, rows in self._rows.items():
            values, start = found.get(name, {}), rows.count
            rows.append(np.array([values.get(row, np.nan) for row in range(start, count)]))
            for row, value in values.items():
                if row < start:
                    rows.write(row, np.array([value]))
        return refused
