"""Tables as CSV, column by column: what a reader downloads and what a figure is drawn from are the same file."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from report import files
from report.errors import ReportError, command

Column = NDArray[np.generic]
Columns = Mapping[str, Column]
Cell = str | float | None

# What the columns of every table hold; all others hold numbers. A CSV does not tell: a tensor called "0", "1e5" or
# "nan" would be read as a number.
TEXT = {
    *("label", "layer", "name", "optimizer", "run", "series", "which", "window"),
    *("finding", "verdict", "test", "evidence", "against", "unit", "where"),
    *("kept", "applied", "gradients", "panel", "tensor"),
}
WHOLE = {
    *("batch", "batches", "count", "inputs", "lag", "length", "n", "outputs"),
    *("step", "first_step", "last_step", "row", "column", "group"),
}
OTHERWISE = {("digits", "label"): "whole", ("agreement_batches", "batch"): "number", ("findings", "n"): "number"}
BLOCK = 8192  # lines that are text at a time


def kind(table: str, column: str) -> str:
    """Return what a column of a table holds: "text", "whole" numbers, or any "number", empty where there is none."""
    plain = "text" if column in TEXT else "whole" if column in WHOLE else "number"
    return OTHERWISE.get((table, column), plain)


def columns(rows: Iterable[Mapping[str, Cell]]) -> dict[str, Column]:
    """Turn rows into columns, those of the first row; None becomes NaN, an empty cell of the CSV."""
    every = list(rows)
    return {name: np.array([np.nan if row[name] is None else row[name] for row in every]) for name in every[0]}


def same(value: ArrayLike, count: int) -> Column:
    """Return a column of `count` times the same."""
    found: Column = np.full(count, value)
    return found


def write(path: Path, parts: Iterable[Columns]) -> None:
    """Write a table that comes in parts; see `Writer`."""
    with files.growing(path) as put:
        writer = Writer(path.stem, put)
        for part in parts:
            writer.add(part)


class Writer:
    """Write tables with the same columns below one another; numbers in their shortest exact form, NaN as nothing."""

    def __init__(self, table: str, put: Callable[[str], object]) -> None:
        """Begin with nothing; `put` takes text."""
        self.table = table
        self._put = put
        self._header: list[str] = []

    def add(self, part: Columns) -> None:
        """Write columns of equal length.

        Raises:
            ValueError: for a column that does not hold what its name says.
        """
        if not self._header:
            self._header = list(part)
            self._put(_text([self._header]))
        if list(part) != self._header:
            raise ValueError(f"{self.table}: {', '.join(part)} below {', '.join(self._header)}")
        arrays = [np.asarray(column) for column in part.values()]
        for name, array in zip(part, arrays, strict=True):
            wanted, found = kind(self.table, name), array.dtype.kind
            if (wanted == "text") != (found == "U") or (wanted == "whole" and found not in "iu"):
                raise ValueError(f"{self.table}: {name} is to hold {wanted} (report.analysis.columns), and does not")
        for start in range(0, max(map(len, arrays)), BLOCK):
            cells = [_cells(array[start : start + BLOCK]) for array in arrays]
            self._put(_text(zip(*cells, strict=True)))


def _text(lines: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    # Line by line: only a line that would end in \r\n has a \r within a cell quoted by every Python.
    writer = csv.writer(SimpleNamespace(write=lambda line: text.write(line[:-2] + "\n")))
    writer.writerows(lines)
    return text.getvalue()


def read(path: Path) -> dict[str, Column]:
    """Read a table: text as such, whole numbers as int64, others as float64 with NaN for an empty cell.

    Raises:
        ReportError: when there is no such table, or it is damaged.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        every = zip(*rows, strict=True) if rows else [()] * len(header)
        named = dict(zip(header, every, strict=True))
        return {name: _column(kind(path.stem, name), cells) for name, cells in named.items()}
    except FileNotFoundError:
        raise ReportError(f'There is no {path}. Run "{command()}" first.') from None
    except ValueError as error:
        raise ReportError(f'{path} is damaged ({error}). Delete it and run "{command()}" again.') from error


def _column(kind: str, cells: Sequence[str]) -> Column:
    if kind == "text":
        return np.array(cells, str)
    if kind == "whole":
        return np.array([int(cell) for cell in cells], np.int64)
    return np.array([cell or "nan" for cell in cells], np.float64)


def _cells(array: Column) -> list[str]:
    if array.dtype.kind == "f":
        return ["" if each != each else repr(each) for each in array.tolist()]
    return list(map(str, array.tolist()))
