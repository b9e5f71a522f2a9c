"""The one table of numbers: its schema, how it is written and read, and how a number in it is asked for.

A row is one number: a statistic of a quantity, under one label, in one tensor and window, at one place of a series (a
lag, a length, a step) or at none. It holds the mean over the label's recordings with its interval, one value a
recording, what chance alone predicts, and the unit. On disk each quantity is a file, `<quantity>.csv`; rows stand in
the order of the schema, of the labels, tensors and windows of the study, and of `at`, however they came about.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from report import files
from report.analysis.intervals import Estimate
from report.analysis.windows import rank
from report.errors import ReportError, command


@dataclass(frozen=True)
class Statistic:
    """Say what a column of numbers means.

    Attributes:
        unit: of the number.
        at: what a series of it runs over; empty for a single number.
        theory: which number of `theory.describe` predicts it; empty where none does.
    """

    unit: str
    at: str = ""
    theory: str = ""


def _same(unit: str, *names: str) -> dict[str, Statistic]:
    return dict.fromkeys(names, Statistic(unit))


STEPS, WEIGHTS, SHARE, RATE = "steps", "weights", "fraction", "learning rates"
SCHEMA: Mapping[str, Mapping[str, Statistic]] = {
    "persistence": {
        "flip_rate": Statistic("per step", theory="flip_rate"),
        **_same("", "flips"),
        "mean_run": Statistic(STEPS, theory="mean_run"),
        **_same(WEIGHTS, "never_moved"),
        **_same("", "pairs"),
        **_same(WEIGHTS, "weights"),
    },
    "dwell": {
        **_same(STEPS, "chance_q025", "chance_q05", "chance_q1", "mean_q025", "mean_q05", "mean_q1"),
        **_same(STEPS, "spell_q025", "spell_q05", "spell_q1"),
        **_same("", "spells_q025", "spells_q05", "spells_q1"),
        **_same("weight", "threshold"),
    },
    "agreement": {**_same("", "pairs"), "share": Statistic(SHARE, theory="agreement")},
    "coasting": {
        **_same(SHARE, "coasting_share"),
        **_same(WEIGHTS, "dead_weights", "weights"),
        **_same(SHARE, "zero_gradient_share"),
    },
    "update_rms": {
        **dict.fromkeys(("mean_absolute", "mean_absolute_live"), Statistic(RATE, theory="mean_absolute")),
        **dict.fromkeys(("rms", "rms_live"), Statistic(RATE, theory="update_rms")),
    },
    "units": {
        **_same("weight", "absolute", "absolute_live"),
        **_same(SHARE, "live_share"),
        **_same("opacity", "opacity", "opacity_live"),
        **_same("norm", "relative", "relative_live"),
    },
    "decomposition": _same(STEPS, "chance", "coasting", "gradient_prediction", "lean", "measured", "uneven"),
    "transplants": _same(STEPS, "lean", "mean_run", "toss"),
    "togetherness": _same(SHARE, "input", "input_toss", "output", "output_toss"),
    "resolution": {**_same(SHARE, "equal_share", "lost_share"), **_same(STEPS, "mean_run_float64")},
    "autocorrelation": {
        "gradients": Statistic("correlation", "lag"),
        "updates": Statistic("correlation", "lag", "autocorrelation"),
    },
    "run_lengths": {"probability": Statistic(SHARE, "length", "run_lengths")},
    "startup": {"mean_absolute": Statistic(RATE, "step", "startup")},
    "agreement_batches": {"share": Statistic(SHARE, "step", "agreement")},
    "first_step": {
        **_same(WEIGHTS, "exact"),
        **_same(RATE, "largest"),
        **_same(WEIGHTS, "live"),
        **_same(RATE, "smallest"),
    },
    "threshold": {
        **_same("", "deviations", "full_colour"),
        **_same("weight", "mean"),
        **_same("", "rank", "smallest"),
        **_same("weight", "threshold"),
    },
    "windows": _same(STEPS, "steps"),
    "sizes": {
        **_same("weight", "rms"),
        **_same("log10", "ratio_log10", "ratio_last_log10"),
        **_same("log2", "over_log2"),
        **_same(WEIGHTS, "never_moved", "dead"),
        **_same("rows", "dead_rows"),
        **_same("columns", "dead_columns"),
    },
}
# Quantities that are single numbers of each window, compared between labels.
SCALARS = (
    *("persistence", "dwell", "agreement", "coasting", "update_rms", "units", "decomposition", "togetherness"),
    "resolution",
)
COLUMNS = (
    *("statistic", "label", "tensor", "window", "applied", "at"),
    *("mean", "low", "high", "n", "predicted", "unit", "values"),
)


class Key(NamedTuple):
    """Name one number: `label` is a slug, `window` is empty where there is none.

    `applied` is the slug of the optimizer that the label's gradients were sent through, empty for its own.
    """

    quantity: str
    statistic: str
    label: str
    tensor: str
    window: str
    at: float | None = None
    applied: str = ""


NOTHING = Estimate()
Rows = dict[Key, Estimate]


@dataclass
class Table:
    """Hold the rows of some quantities, or find them in a folder when they are asked for.

    Attributes:
        labels: slugs, in the order of the study.
        tensors: in the order of the recording.
        rows: by key.
        folder: where quantities that are not among the rows are read from.
    """

    labels: Sequence[str]
    tensors: Sequence[str]
    rows: Rows = field(default_factory=dict)
    folder: Path | None = None
    _by_quantity: dict[str, Rows] = field(default_factory=dict, init=False)
    _series: dict[Key, list[Key]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Check and sort the rows.

        Raises:
            ReportError: for a row that the schema does not allow.
        """
        given, self.rows = self.rows, {}
        by_quantity: dict[str, Rows] = {}
        for key, row in given.items():
            by_quantity.setdefault(key.quantity, {})[key] = row
        for quantity, rows in by_quantity.items():
            self._take(quantity, rows)

    def quantity(self, name: str) -> Rows:
        """Return all rows of a quantity, in order.

        Raises:
            ReportError: when there is no such quantity, or its file is damaged.
        """
        if name not in SCHEMA:
            raise ReportError(f"There is no quantity {name!r} in the table; there are {', '.join(SCHEMA)}.")
        if name not in self._by_quantity:
            self._take(name, {} if self.folder is None else _read(self.folder / f"{name}.csv", name))
        return self._by_quantity[name]

    def __getitem__(self, key: Key) -> Estimate:
        """Return a row.

        Raises:
            ReportError: when there is none; it says which one.
        """
        found = self.quantity(key.quantity).get(key)
        if found is None:
            raise ReportError(f'The table has no row {_said(key)}. Delete build/numbers and run "{command()}" again.')
        return found

    def get(
        self,
        quantity: str,
        statistic: str,
        label: str,
        tensor: str,
        window: str = "",
        at: float | None = None,
        applied: str = "",
    ) -> Estimate:
        """Return a row, or an estimate without a number where an idle tensor, or a label, has none.

        Raises:
            ReportError: when quantity, statistic, label or tensor are none of the table's.
        """
        key = Key(quantity, statistic, label, tensor, window, at, applied)
        found = self.quantity(quantity).get(key)
        if found is None:
            labels = {label, applied} - {""}
            is_known = statistic in SCHEMA[quantity] and tensor in self.tensors and labels <= set(self.labels)
            return NOTHING if is_known else self[key]
        return found

    def series(self, quantity: str, statistic: str, label: str, tensor: str, window: str = "") -> Rows:
        """Return the rows of a series in order, none where an idle tensor has none."""
        self.get(quantity, statistic, label, tensor, window)
        keys = self._series.get(Key(quantity, statistic, label, tensor, window), [])
        return {key: self._by_quantity[quantity][key] for key in keys}

    def write(self, folder: Path) -> None:
        """Write a file for each quantity, and remove what an earlier analysis left."""
        for quantity in SCHEMA:
            files.write_text(folder / f"{quantity}.csv", _text(self.quantity(quantity)))
        for path in folder.glob("*.csv"):
            if path.stem not in SCHEMA:
                path.unlink()

    def _take(self, quantity: str, rows: Rows) -> None:
        """Check the rows of a quantity and put them in their order."""
        statistics = {name: place for place, name in enumerate(SCHEMA.get(quantity, {}))}
        labels = {name: place for place, name in enumerate(self.labels)}
        tensors = {name: place for place, name in enumerate(self.tensors)}
        for key, row in rows.items():
            _check(key, row, self.labels, self.tensors)

        def place(key: Key) -> tuple[int, int, tuple[int, str], int, int, float]:
            return (
                *(labels[key.label], tensors[key.tensor], rank(key.window), labels.get(key.applied, -1)),
                *(statistics[key.statistic], -math.inf if key.at is None else key.at),
            )

        found = {key: rows[key] for key in sorted(rows, key=place)}
        self._by_quantity[quantity] = found
        self.rows.update(found)
        for key in found:
            if key.at is not None:
                self._series.setdefault(key._replace(at=None), []).append(key)


def read(folder: Path, labels: Sequence[str], tensors: Sequence[str]) -> Table:
    """Return the table in a folder; a quantity is read when it is asked for."""
    return Table(labels, tensors, folder=folder)


def _said(key: Key) -> str:
    parts = [f"{name}={value!r}" for name, value in key._asdict().items() if value not in ("", None)]
    return ", ".join(parts)


def _check(key: Key, row: Estimate, labels: Iterable[str], tensors: Iterable[str]) -> None:
    """Refuse a row that does not follow the schema.

    Raises:
        ReportError: one line that names the row.
    """
    known = SCHEMA.get(key.quantity, {}).get(key.statistic)
    numbers = [each for each in (row.mean, row.low, row.high, row.predicted, *row.values) if each is not None]
    there = len([each for each in row.values if each is not None])
    wrong = (
        "the schema has no such statistic"
        if known is None
        else "its label or tensor is not one of the study"
        if key.label not in labels or key.tensor not in tensors or key.applied not in (*labels, "")
        else "a series needs a place, and a single number has none"
        if (key.at is None) == bool(known.at)
        else "it holds what is no finite number"
        if not all(map(math.isfinite, numbers))
        else "it has an interval without a mean, or with one end"
        if (row.low is None) != (row.high is None) or (row.mean is None and row.low is not None)
        else "its mean and its values do not go together"
        if (row.mean is None) != (there == 0) or not there <= row.n <= len(row.values)
        else ""
    )
    if wrong:
        raise ReportError(f"The table cannot hold the row {_said(key)}: {wrong}.")


def _text(rows: Rows) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(COLUMNS)
    writer.writerows(_lines(rows))
    return text.getvalue()


def _lines(rows: Rows) -> Iterator[list[str]]:
    for key, row in rows.items():
        ends = [_cell(value) for value in (key.at, row.mean, row.low, row.high)]
        unit = SCHEMA[key.quantity][key.statistic].unit
        values = ";".join(map(_cell, row.values))
        yield [*key[1:5], key.applied, *ends, str(row.n), _cell(row.predicted), unit, values]


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)


def _read(path: Path, quantity: str) -> Rows:
    """Read the rows of a quantity.

    Raises:
        ReportError: when the file is missing or is not one that `Table.write` wrote.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *lines = csv.reader(file)
        if tuple(header) != COLUMNS:
            raise ValueError(f"its columns are {', '.join(header)}")
        rows: Rows = {}
        for statistic, label, tensor, window, applied, at, mean, low, high, n, predicted, unit, values in lines:
            key = Key(quantity, statistic, label, tensor, window, _number(at), applied)
            if key in rows:
                raise ValueError(f"it has two rows {_said(key)}")
            if statistic not in SCHEMA[quantity] or unit != SCHEMA[quantity][statistic].unit:
                raise ValueError(f"the schema has no {statistic} in {unit or 'a plain number'}")
            each = tuple(_number(value) for value in values.split(";"))
            rows[key] = Estimate(_number(mean), _number(low), _number(high), int(n), each, _number(predicted))
    except FileNotFoundError:
        raise ReportError(f'There is no {path}. Run "{command()}" first.') from None
    except ValueError as error:
        raise ReportError(f'{path} is damaged ({error}). Delete it and run "{command()}" again.') from error
    return rows


def _number(cell: str) -> float | None:
    """Return a cell as it was written: a whole number stays one."""
    if not cell:
        return None
    return int(cell) if cell.lstrip("-").isdigit() else float(cell)
