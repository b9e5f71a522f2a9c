"""A report on anyone's own network: the numbers of recordings, whatever was trained.

Like `report.analysis.report`, which does the same for the article, it writes the table of numbers, `results.json` and
tables. `results.json` has `main` (name), `steps`, `tensors` (in the order of the recording, those that ever had a
usable gradient), `drawn` (those that are drawn as a network), `network`, `versions`, `platform`, `study`, as there; and

- `seen`: by name of the recording and tensor, see `own_tensor._info`; absent of a tensor without a gradient;
- `standout`: what stands out, worst first, see `report.analysis.standout`; `checked`: rules that found nothing;
- `pictured`: names of the tensors that get pictures.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from report import files
from report.analysis import chain, columns, estimates, overview, own_tables, side_by_side, sightings
from report.analysis.columns import Cell, Columns, same
from report.analysis.own_tensor import SETTLED, Info, Job, Measured
from report.analysis.table import Key, Table
from report.analysis.windows import ALL
from report.recording.reader import Recording
from report.recording.schema import Tensor
from report.recording.study import Study
from report.workspace import Workspace

PICTURED = 40  # tensors that get pictures; of more those that stand out, and the ends of the network
PLOTTED = 2000  # values of a logged series that a table has

# Of a tensor's row in the table of all tensors: the column, and which number it is of a settled window.
NUMBERS = {
    "run": ("persistence", "mean_run"),
    "toss": ("transplants", "toss"),
    "over": ("sizes", "over_log2"),
    "lag_1": ("autocorrelation", "updates"),
    "lag_10": ("autocorrelation", "updates"),
    "gradients_lag_1": ("autocorrelation", "gradients"),
    "agreement": ("agreement", "share"),
    "rms": ("sizes", "rms"),
    "ratio": ("sizes", "ratio_log10"),
    "ratio_last": ("sizes", "ratio_last_log10"),
    "zero_gradients": ("coasting", "zero_gradient_share"),
    "coasting": ("coasting", "coasting_share"),
    "lost": ("resolution", "lost_share"),
    "never_moved": ("sizes", "never_moved"),
    "dead": ("sizes", "dead"),
    "dead_rows": ("sizes", "dead_rows"),
    "dead_columns": ("sizes", "dead_columns"),
}
BASES = {"over": 2.0, "ratio": 10.0, "ratio_last": 10.0}  # of those that are averaged as logarithms
COUNTS = ("never_moved", "dead", "dead_rows", "dead_columns")  # of entries, at most as many as are recorded
WHOLE = ("ratio", "ratio_last", "rms", *COUNTS)  # of all steps
STREAKS = ("run", "toss")  # mean lengths, in steps
# Between which bounds any value lies: an interval by Student's t, of two seeds above all, knows nothing of them.
BOUNDS: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(STREAKS, (1, math.inf)),
    **dict.fromkeys(("lag_1", "lag_10", "gradients_lag_1"), (-1, 1)),
    **dict.fromkeys(("agreement", "zero_gradients", "coasting", "lost"), (0, 1)),
    **dict.fromkeys(("rms", *COUNTS), (0, math.inf)),
}
LAGS = {"lag_1": 1, "lag_10": 10, "gradients_lag_1": 1}


def analyse(workspace: Workspace, study: Study, dask: str | None = None) -> None:
    """Write the table of numbers, `results.json`, and the tables that figures are drawn from.

    Args:
        workspace: says where.
        study: the recordings.
        dask: address of a Dask scheduler whose workers measure instead; they have to share the disk.

    Raises:
        ReportError: when a recording is damaged or without a step, two have one name, or the cluster is not what it
            should be.
    """
    overview.check(study)
    drawn = _network(study.main.tensors)
    folder = workspace.tables
    jobs = list(_jobs(workspace, study, drawn))
    if dask is None:
        entries = sum(each.steps * tensor.count for each in study.recordings for tensor in each.tensors.values())
        made = side_by_side.made(jobs, entries)
    else:
        made = side_by_side.made_in_cluster(jobs, dask, folder)
    measured = dict(zip([(each.source.name, each.name) for each in jobs], made, strict=True))
    by_run = {each.name: {name: measured[each.path.name, name] for name in each.tensors} for each in study.recordings}
    numbers = {
        run: {key: value for each in found.values() for key, value in each.numbers.items()}
        for run, found in by_run.items()
    }
    table = estimates.table(study, numbers, {study.slug(label): {} for label in study.labels})
    seen = {run: {name: each.info for name, each in found.items() if each.info} for run, found in by_run.items()}
    main = study.main
    moved = [name for name in main.tensors if name in seen[main.name]]
    found, checked = sightings.find(study, seen)
    pictured = choose(moved, [each for item in found for each in item.tensors])
    results = {
        **overview.overview(study, drawn, ()),
        "main": main.name,
        "steps": main.steps,
        "tensors": moved,
        "drawn": [name for name in drawn if name in moved],
        "network": overview.network(main.tensors, drawn),
        "versions": dict(main.description.versions),
        "platform": dict(main.description.platform),
        "seen": seen,
        "standout": [asdict(each) for each in found],
        "checked": list(checked),
        "pictured": pictured,
        "rated": next(
            ({"label": each, "run": run.name} for each in study.labels if _rated(run := study.of(each)[0])), None
        ),
    }
    parts: dict[str, Sequence[Columns]] = {
        "own_heat": [_heat(name, by_run[main.name][name]) for name in moved],
        "own_tensors": [_tensors(study, table, seen)] if moved else [],
        "own_series": list(_series(study)),
        "own_rates": list(_rates(study)),
    }
    kept = set()
    for name, each in parts.items():
        if each:
            columns.write(folder / f"{name}.csv", each)
            kept.add(name)
    kept |= {f"{slug(main, name)}-{kind}" for name in pictured for kind in own_tables.KINDS}
    for path in folder.glob("*.csv"):
        if path.stem not in kept:
            path.unlink()  # of an earlier analysis, or of a tensor that gets no picture
    table.write(workspace.numbers)
    files.write_json(workspace.results, results)


def _network(tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return the tensors that are drawn as a network: one matrix of many is none, and is shown as a matrix."""
    drawn = chain.drawn(tensors)
    matrices = sum(len(each.shape) > 1 for each in tensors.values())
    return () if len(drawn) == 1 < matrices else drawn


def slug(recording: Recording, name: str) -> str:
    """Return what a tensor is called in file names and addresses: `t12`, counted from 1 in the main recording."""
    return f"t{list(recording.tensors).index(name) + 1}"


def choose(names: Sequence[str], outstanding: Sequence[str], most: int = PICTURED) -> list[str]:
    """Return the tensors that get pictures, in their order: all, or those that stand out and the ends of the network.

    Args:
        names: of the tensors that had a gradient, in order.
        outstanding: those that stand out, worst first.
        most: that get pictures.
    """
    ends = [each for pair in zip(names, reversed(names), strict=True) for each in pair]
    chosen = list(dict.fromkeys([each for each in [*outstanding, *ends] if each in names]))[:most]
    return [each for each in names if each in chosen]


def _jobs(workspace: Workspace, study: Study, drawn: Sequence[str]) -> Iterator[Job]:
    """Yield what is to be measured, the tensors of the main recording with their tables first."""
    for each in sorted(study.recordings, key=lambda other: other is not study.main):
        known = {name: int(each.present(name).sum()) * each.tensors[name].count for name in drawn}
        smallest = min((count for count in known.values() if count), default=None)
        for name in each.tensors:
            tables = workspace.tables / slug(study.main, name) if each is study.main else None
            place = smallest if name in drawn else None
            yield Job(each.path, name, study.slug(each.label), study.steps, place, tables)


def _heat(name: str, measured: Measured) -> Columns:
    """Return a tensor's rows of the heat map."""
    bins = measured.bins
    wanted = {key: bins[key] for key in ("first_step", "last_step", "ratio")}
    return {"tensor": same(name, len(wanted["ratio"])), **wanted}


def estimate(table: Table, label: str, name: str, info: Info, column: str) -> dict[str, float | int | None] | None:
    """Return a number of a tensor under a label, `mean`, `low`, `high`, `n`, `beyond`; None where there is none.

    An interval ends where no value can lie. A mean streak that is longer than the window was not seen: all that is
    known is that it is `beyond` so many steps, which is None of any other number.

    Args:
        table: the numbers.
        label: slug.
        name: of the tensor.
        info: of the tensor, in a recording of the label.
        column: one of `NUMBERS`.
    """
    quantity, statistic = NUMBERS[column]
    window = ALL if column in WHOLE or not info["is_settled"] else SETTLED
    applied = label if quantity == "transplants" else ""
    row = table.quantity(quantity).get(Key(quantity, statistic, label, name, window, LAGS.get(column), applied))
    if row is None or row.mean is None:
        return None
    base = BASES.get(column)
    least, most = BOUNDS.get(column, (-math.inf, math.inf))
    most = min(most, info["kept"]) if column in COUNTS else most
    low, high = (None if end is None else min(max(end, least), most) for end in (row.low, row.high))
    ends = {"mean": row.mean, "low": low, "high": high}
    found = {key: each if base is None or each is None else base**each for key, each in ends.items()}
    steps = info["last"] - info["first"] + 1
    return {**found, "n": row.n, "beyond": steps if column in STREAKS and row.mean > steps else None}


def info_of(study: Study, seen: Mapping[str, Mapping[str, Info]], label: str, name: str) -> Info | None:
    """Return what is known of a tensor besides numbers, in the first recording of a label that has it."""
    return next((seen[each.name][name] for each in study.of(label) if name in seen[each.name]), None)


def _tensors(study: Study, table: Table, seen: Mapping[str, Mapping[str, Info]]) -> Columns:
    """Return a row a label and tensor: its numbers, mean and ends."""
    rows: list[dict[str, Cell]] = []
    for label in study.labels:
        for name, tensor in study.main.tensors.items():
            info = info_of(study, seen, label, name)
            if info is None:
                continue
            window = SETTLED if info["is_settled"] else ALL
            row: dict[str, Cell] = {"label": label, "tensor": name, "kept": tensor.kept, "window": window}
            row["steps"] = info["last"] - info["first"] + 1  # of the window
            chance = info["chance"].get(window, {})
            row |= {f"formula_{key}": chance.get(key) for key in ("run", "agreement", "lag_1")}
            for column in NUMBERS:
                found = estimate(table, study.slug(label), name, info, column) or {}
                title = "mean_run" if column == "run" else column  # "run" is a training run, in tables
                row[title] = found.get("mean")
                row |= {f"{title}_{end}": found.get(end) for end in ("low", "high")}
            rows.append(row)
    return columns.columns(rows)


def _series(study: Study) -> Iterator[Columns]:
    """Yield what was logged, at up to PLOTTED steps each: the means of stretches of steps."""
    for each in study.recordings:
        for name, values in each.series.items():
            known = np.flatnonzero(np.isfinite(values))
            if not len(known):
                continue
            parts = np.array_split(known, min(len(known), PLOTTED))
            yield {
                **{"run": same(each.name, len(parts)), "series": same(name, len(parts))},
                "step": np.array([part[-1] + 1 for part in parts]),
                "value": np.array([values[part].mean() for part in parts]),
            }


def _rated(recording: Recording) -> dict[int, NDArray[np.float64]]:
    """Return the learning rates of a recording, (steps,), by number of the group, counted from 1, of those with any."""
    rates = {number: settings["lr"] for number, settings in enumerate(recording.settings, 1) if "lr" in settings}
    return {number: rate for number, rate in rates.items() if np.isfinite(rate).any()}


def _rates(study: Study) -> Iterator[Columns]:
    """Yield the learning rate of each group of the first recording of each label, where it changes."""
    for label in study.labels:
        for number, rate in _rated(study.of(label)[0]).items():
            known = np.flatnonzero(np.isfinite(rate))
            turns = known[np.flatnonzero(np.diff(rate[known], prepend=np.nan) != 0)]
            around = np.unique(np.concatenate([turns, np.maximum(turns - 1, known[0]), known[[0, -1]]]))
            if len(around) > PLOTTED:
                around = known[np.unique(np.linspace(0, len(known) - 1, PLOTTED).astype(np.int64))]
            yield {
                **{"label": same(label, len(around)), "group": same(number, len(around))},
                "step": around + 1,
                "rate": rate[around],
            }
