"""Tables are read as they were written, whatever tensors are called."""

from pathlib import Path

import numpy as np
import pytest

from report.analysis.tables import TEXT, read_table, write_table, write_tables
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
    write_table(tmp_path / "t.csv", {"layer": np.array(NAMES), "value": np.arange(len(NAMES)) / 4})
    found = read_table(tmp_path / "t.csv")
    assert found["layer"].tolist() == NAMES
    assert found["value"].tolist() == [n / 4 for n in range(len(NAMES))]


@pytest.mark.parametrize("name", sorted(TEXT))
def test_a_column_of_text_stays_text(tmp_path: Path, name: str) -> None:
    """Also where every cell looks like a number."""
    write_table(tmp_path / "t.csv", {name: np.array(["0", "1"])})
    assert read_table(tmp_path / "t.csv")[name].tolist() == ["0", "1"]


def test_text_that_would_not_be_read_as_text_is_not_written(tmp_path: Path) -> None:
    """A new column of text must be named."""
    with pytest.raises(ValueError, match="TEXT"):
        write_table(tmp_path / "t.csv", {"surname": np.array(["0"])})


def test_numbers_come_back_to_the_last_digit(tmp_path: Path) -> None:
    """Whole ones as such, others as float64, a missing one as NaN; also a seed beyond 64 bits."""
    columns = {"count": np.array([1, 2]), "value": np.array([0.1, np.nan]), "seed": np.array([2**64, 5], object)}
    write_table(tmp_path / "t.csv", columns)
    found = read_table(tmp_path / "t.csv")
    assert (found["count"].dtype.kind, found["count"].tolist()) == ("i", [1, 2])
    assert found["value"][0] == 0.1
    assert np.isnan(found["value"][1])
    assert found["seed"].tolist() == [2.0**64, 5.0]


def test_tables_of_an_earlier_analysis_are_removed(tmp_path: Path) -> None:
    """They would be offered beside results that they do not belong to."""
    write_tables(tmp_path, {"old": {"value": np.arange(2)}, "both": {"value": np.arange(2)}})
    write_tables(tmp_path, {"both": {"value": np.arange(2)}, "new": {"value": np.arange(2)}})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["both.csv", "new.csv"]


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says what to do."""
    with pytest.raises(ReportError, match=r"There is no .*t\.csv"):
        read_table(tmp_path / "t.csv")
