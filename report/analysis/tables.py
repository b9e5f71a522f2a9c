"""Tables as CSV: what a reader downloads and what a figure is drawn from are the same file."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.errors import ReportError

Columns = Mapping[str, NDArray[Any]]

# Columns of text. A CSV does not tell: a tensor called "0", "1e5" or "nan" would be read as a number.
TEXT = {
    *("label", "layer", "name", "optimizer", "run", "series", "which", "window"),
    *("kept", "id", "verdict", "test", "unit", "where"),
}


def stack(tables: Sequence[Columns]) -> dict[str, NDArray[Any]]:
    """Put tables with the same columns below one another."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> dict[str, NDArray[Any]]:
    """Turn rows into columns, those named or all of the first row's; None becomes NaN, an empty cell of the CSV."""
    every = names or list(rows[0]) if rows else names
    return {name: np.array([np.nan if row[name] is None else row[name] for row in rows]) for name in every}


def from_records(rows: Mapping[Any, Mapping[str, Any]], *names: str) -> dict[str, NDArray[Any]]:
    """Turn {key: {column: value}} into columns; the parts of the key come first, under `names`."""
    keys = [key if isinstance(key, tuple) else (key,) for key in rows]
    heads = [dict(zip(names, key, strict=True)) for key in keys]
    return columns([{**head, **row} for head, row in zip(heads, rows.values(), strict=True)])


def write_tables(folder: Path, tables: Mapping[str, Columns]) -> None:
    """Write tables by their names, and remove those that an earlier analysis left."""
    for name, table in tables.items():
        write_table(folder / f"{name}.csv", table)
    for path in folder.glob("*.csv"):
        if path.stem not in tables:
            path.unlink()


def write_table(path: Path, table: Columns) -> None:
    """Write columns of equal length with a header; numbers in their shortest exact form, NaN as nothing.

    Raises:
        ValueError: for text in a column that would not be read as text.
    """
    for name, column in table.items():
        if np.asarray(column).dtype.kind == "U" and not _is_text(path, name):
            raise ValueError(f"{path.name}: {name} holds text, and report.analysis.tables.TEXT does not name it")
    lists = [[_cell(value) for value in np.asarray(column).tolist()] for column in table.values()]
    text = io.StringIO()
    # Line by line: only a line that would end in \r\n has a \r within a cell quoted by every Python.
    writer = csv.writer(SimpleNamespace(write=lambda line: text.write(line[:-2] + "\n")))
    writer.writerow(table)
    writer.writerows(zip(*lists, strict=True))
    files.write_text(path, text.getvalue())


def read_table(path: Path) -> dict[str, NDArray[Any]]:
    """Read a table: columns of text as such, others as int64, or as float64 with NaN for an empty cell.

    Raises:
        ReportError: when there is no such table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
    except FileNotFoundError:
        raise ReportError(f'There is no {path}. Run "make report" first.') from None
    every = {name: [row[place] for row in rows] for place, name in enumerate(header)}
    return {name: np.array(cells) if _is_text(path, name) else _numbers(cells) for name, cells in every.items()}


def _is_text(path: Path, column: str) -> bool:
    return column in TEXT and (path.stem, column) != ("digits", "label")  # that of an image is a number


def _cell(value: Any) -> str:
    return "" if isinstance(value, float) and value != value else str(value)


def _numbers(cells: list[str]) -> NDArray[Any]:
    try:
        return np.array(cells, dtype=np.int64)
    except (ValueError, OverflowError):
        return np.array([cell or "nan" for cell in cells], dtype=np.float64)
