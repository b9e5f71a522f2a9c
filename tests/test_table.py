"""The table refuses what its schema does not allow, keeps every digit, and names what it lacks."""

import dataclasses
from pathlib import Path

import pytest

from report.analysis.table import SCHEMA, Estimate, Key, Table, read
from report.errors import ReportError

LABELS, TENSORS = ("b", "a"), ("z", "1e5", 'x,"y"')
KEY = Key("persistence", "mean_run", "a", "1e5", "all")
ROW = Estimate(0.1 + 0.2, 1e-300, 3.0, 2, (0.1, None, 2), 7)


def rows() -> dict[Key, Estimate]:
    """Return rows of a number and of a series, in no order."""
    series = {Key("autocorrelation", "updates", "b", "z", "1-100", lag): ROW for lag in (10, 2, 1)}
    moved = {Key("transplants", "toss", "a", "z", "all", None, applied): ROW for applied in ("a", "b")}
    return {KEY: ROW, **series, **moved, KEY._replace(label="b", tensor='x,"y"'): ROW, KEY._replace(label="b"): ROW}


def test_rows_come_back_to_the_last_digit_in_one_order(tmp_path: Path) -> None:
    """Whatever order they were made in; the files are the same bytes."""
    Table(LABELS, TENSORS, rows()).write(tmp_path / "one")
    Table(LABELS, TENSORS, dict(reversed(rows().items()))).write(tmp_path / "two")
    for quantity in SCHEMA:
        assert (tmp_path / "one" / f"{quantity}.csv").read_bytes() == (
            tmp_path / "two" / f"{quantity}.csv"
        ).read_bytes()
    found = read(tmp_path / "one", LABELS, TENSORS)
    assert found.quantity("persistence") == {key: row for key, row in rows().items() if key.quantity == "persistence"}
    assert [key.label for key in found.quantity("persistence")] == ["b", "b", "a"]
    assert [key.applied for key in found.quantity("transplants")] == ["b", "a"]
    assert [key.at for key in found.series("autocorrelation", "updates", "b", "z", "1-100")] == [1, 2, 10]


def test_an_applied_optimizer_tells_rows_apart(tmp_path: Path) -> None:
    """What one label's gradients come to under another's optimizer is another number, also when it is read."""
    other = Estimate(5.0, None, None, 1, (5.0,))
    key = Key("transplants", "lean", "a", "z", "all", None, "b")
    Table(LABELS, TENSORS, {key: other, key._replace(applied="a"): ROW}).write(tmp_path)
    found = read(tmp_path, LABELS, TENSORS)
    assert found.get("transplants", "lean", "a", "z", "all", applied="b") == found[key] == other
    assert found.get("transplants", "lean", "a", "z", "all", applied="a") == ROW
    assert found.get("transplants", "lean", "b", "z", "all", applied="b").mean is None
    with pytest.raises(ReportError, match="applied='c'"):
        found.get("transplants", "lean", "a", "z", "all", applied="c")


def test_a_missing_row_is_named() -> None:
    """An idle tensor has no number; a name that nothing has is a mistake."""
    table = Table(LABELS, TENSORS, rows())
    assert table[KEY] == table.get(*KEY) == ROW
    assert table.get("persistence", "mean_run", "a", "z", "all").mean is None
    with pytest.raises(
        ReportError, match=r"no row quantity='persistence', statistic='mean_run', label='a', tensor='z'"
    ):
        table[KEY._replace(tensor="z")]
    for wrong in ({"statistic": "median_run"}, {"label": "c"}, {"tensor": "l9"}):
        with pytest.raises(ReportError, match=next(iter(wrong.values()))):
            table.get(*KEY._replace(**wrong))
    with pytest.raises(ReportError, match="no quantity 'speed'"):
        table.get("speed", "mean", "a", "z", "all")


WRONG = (
    (KEY._replace(statistic="median"), ROW),
    (KEY._replace(label="c"), ROW),
    (KEY._replace(at=3), ROW),
    (KEY._replace(applied="c"), ROW),
    (KEY, dataclasses.replace(ROW, mean=float("nan"))),
    (KEY, dataclasses.replace(ROW, low=None)),
    (KEY, dataclasses.replace(ROW, mean=None, low=None, high=None)),
    (KEY, dataclasses.replace(ROW, n=7)),
)


@pytest.mark.parametrize(("key", "row"), WRONG)
def test_what_the_schema_does_not_allow_is_refused(key: Key, row: Estimate) -> None:
    """When it is made, hence before it is written."""
    with pytest.raises(ReportError, match="cannot hold the row"):
        Table(LABELS, TENSORS, {key: row})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mean_run", "median_run"),
        ("steps", "metres"),
        ("statistic,", "statistics,"),
        ("1e-300", "low"),
        ("1e-300", "nan"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, before: str, after: str) -> None:
    """Another name, unit or column, or what is no number."""
    Table(LABELS, TENSORS, rows()).write(tmp_path)
    path = tmp_path / "persistence.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(ReportError, match=r"damaged|cannot hold"):
        read(tmp_path, LABELS, TENSORS).quantity("persistence")
    path.unlink()
    with pytest.raises(ReportError, match="There is no"):
        read(tmp_path, LABELS, TENSORS).quantity("persistence")
