"""Tables as CSV: what a reader downloads and what a figure is drawn from are the same file."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.errors import ReportError

Columns = Mapping[str, NDArray[Any]]


def stack(tables: Sequence[Columns]) -> dict[str, NDArray[Any]]:
    """Put tables with the same columns below one another."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def from_records(rows: Mapping[Any, Mapping[str, Any]], *names: str) -> dict[str, NDArray[Any]]:
    """Turn {key: {column: value}} into columns; the parts of the key come first, under `names`; None becomes NaN."""
    keys = [key if isinstance(key, tuple) else (key,) for key in rows]
    columns = {name: np.array([key[place] for key in keys]) for place, name in enumerate(names)}
    for column in next(iter(rows.values())):
        values = [row[column] for row in rows.values()]
        columns[column] = np.array([np.nan if value is None else value for value in values])
    return columns


def write_table(path: Path, columns: Columns) -> None:
    """Write columns of equal length with a header; numbers in their shortest exact form, NaN as nothing."""
    lists = [[_cell(value) for value in np.asarray(column).tolist()] for column in columns.values()]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*lists, strict=True))
    files.write_text(path, text.getvalue())


def read_table(path: Path) -> dict[str, NDArray[Any]]:
    """Read a table: a column of numbers as int64 or float64 (an empty cell is NaN), any other as text.

    Raises:
        ReportError: when there is no such table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
    except FileNotFoundError:
        raise ReportError(f'There is no {path}. Run "make report" first.') from None
    return {name: _column([row[place] for row in rows]) for place, name in enumerate(header)}


def _cell(value: Any) -> str:
    return "" if isinstance(value, float) and value != value else str(value)


def _column(cells: list[str]) -> NDArray[Any]:
    for kind in (np.int64, np.float64):
        try:
            return np.array([cell or "nan" for cell in cells] if kind is np.float64 else cells, dtype=kind)
        except ValueError:
            continue
    return np.array(cells)
