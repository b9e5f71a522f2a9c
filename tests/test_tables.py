"""Tables are read as they were written, whatever tensors are called."""

from pathlib import Path

import numpy as np
import pytest

from report.analysis.columns import TEXT, WHOLE, read, write
from report.errors import ReportError

NAMES = [
    "0",
    "2",
    "10",
    "1e5",
    "nan",
    "inf",
    "-1",
    "0x10",
    "",
    " x ",
    "a,b",
    'say "hi"',
    "two\nlines",
    "cr\rlf",
    "重み",
]


def test_names_come_back_as_they_were(tmp_path: Path) -> None:
    """Digits, numbers in disguise, separators, quotes, line ends, Japanese."""
    write(tmp_path / "t.csv", [{"layer": np.array(NAMES), "value": np.arange(len(NAMES)) / 4}])
    found = read(tmp_path / "t.csv")
    assert found["layer"].tolist() == NAMES
    assert found["value"].tolist() == [n / 4 for n in range(len(NAMES))]


@pytest.mark.parametrize("name", sorted(TEXT))
def test_a_column_of_text_stays_text(tmp_path: Path, name: str) -> None:
    """Also where every cell looks like a number."""
    write(tmp_path / "t.csv", [{name: np.array(["0", "1"])}])
    assert read(tmp_path / "t.csv")[name].tolist() == ["0", "1"]


@pytest.mark.parametrize(
    ("column", "values"), [("surname", ["0"]), ("layer", [1]), ("batch", [0.5]), ("batch", [np.nan]), ("count", ["1"])]
)
def test_what_would_not_be_read_as_it_was_is_not_written(tmp_path: Path, column: str, values: list[object]) -> None:
    """A new column of text must be named; a column of whole numbers holds nothing else."""
    with pytest.raises(ValueError, match=r"report\.analysis\.columns"):
        write(tmp_path / "t.csv", [{column: np.array(values)}])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["batch\n0.5\n", "value\nmany\n", "batch,value\n1\n", "batch\n\n"])
def test_a_damaged_table_is_refused(tmp_path: Path, text: str) -> None:
    """In one line that names the file."""
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match=r"t\.csv is damaged"):
        read(tmp_path / "t.csv")


def test_numbers_come_back_to_the_last_digit(tmp_path: Path) -> None:
    """Whole ones as such, others as float64, a missing one as NaN; also a seed beyond 64 bits."""
    columns = {"count": np.array([1, 2]), "value": np.array([0.1, np.nan]), "seed": np.array([2**64, 5], object)}
    write(tmp_path / "t.csv", [columns, {**columns, "value": np.array([1 / 3, 1e300])}])
    found = read(tmp_path / "t.csv")
    assert "count" in WHOLE
    assert (found["count"].dtype.kind, found["count"].tolist()) == ("i", [1, 2, 1, 2])
    assert found["value"].tolist()[::2] == [0.1, 1 / 3]
    assert np.isnan(found["value"][1])
    assert found["seed"].tolist() == [2.0**64, 5.0] * 2


def test_parts_have_the_same_columns(tmp_path: Path) -> None:
    """In the same order, or the table is not written."""
    with pytest.raises(ValueError, match="below"):
        write(tmp_path / "t.csv", [{"a": np.arange(2), "b": np.arange(2)}, {"b": np.arange(2), "a": np.arange(2)}])
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says what to do."""
    with pytest.raises(ReportError, match=r"There is no .*t\.csv"):
        read(tmp_path / "t.csv")
