"""The tables of one tensor: what its figures are drawn from and a reader downloads, small enough for many tensors."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from report.analysis import columns, theory
from report.analysis.columns import Column, same
from report.analysis.histogram import Histogram
from report.analysis.measures import Name, Numbers
from report.analysis.sweep import Sweep
from report.recording.reader import Recording

Columns = Mapping[str, Column]

BINS = 200  # stretches of steps at most, into which what is seen over time is put together
RASTER_ENTRIES, RASTER_STEPS = 200, 300  # the most that are shown one by one
POINTS = 600  # states of a single weight at most
DECIMALS = 2
KINDS = ("steps", "histogram", "correlation", "lengths", "raster", "weights")


def path(folder: Path, kind: str) -> Path:
    """Return where a table of a tensor goes; `folder` ends with the tensor's slug."""
    return folder.with_name(f"{folder.name}-{kind}.csv")


def edges(steps: int) -> NDArray[np.int64]:
    """Return the ends of stretches, (at most BINS + 1,): stretch i has the steps edges[i] + 1 … edges[i + 1]."""
    return np.append(np.arange(0, steps, -(-steps // BINS)), steps).astype(np.int64)


def bins(seen: Sweep, steps: int, width: int) -> Columns:
    """Return a tensor's size over time, a row a stretch of steps in which it had a gradient.

    Args:
        seen: of the tensor.
        steps: of the recording.
        width: entries that are kept of it.

    Returns:
        `first_step`, `last_step`: of the stretch; `rms` of the updates, and the `smallest` and the `largest` of a step;
        `ratio`, RMS(Δ)/RMS(w), the geometric mean over steps, NaN where nothing moves or all weights are zero;
        `weight` and `gradient`, root mean squares; `zero_gradients`, `moving`, shares of the entries.
    """
    ends = edges(steps)
    place = np.searchsorted(ends, seen.numbers, side="left") - 1
    used, starts, counts = np.unique(place, return_index=True, return_counts=True)
    log = np.full(len(seen.ratio), np.nan)
    np.log(seen.ratio, out=log, where=seen.ratio > 0)
    known = np.isfinite(log)
    total = np.add.reduceat(np.where(known, log, 0), starts)
    some = np.add.reduceat(known.astype(np.int64), starts)
    ratio = np.exp(np.divide(total, some, out=np.full(len(total), np.nan), where=some > 0))
    squares = [np.sqrt(np.add.reduceat(each**2, starts) / counts) for each in (seen.size, seen.weight, seen.gradient)]
    return {
        "first_step": ends[used] + 1,
        "last_step": ends[used + 1],
        "rms": squares[0],
        "smallest": np.minimum.reduceat(seen.size, starts),
        "largest": np.maximum.reduceat(seen.size, starts),
        "ratio": ratio,
        "weight": squares[1],
        "gradient": squares[2],
        "zero_gradients": np.add.reduceat(seen.zeros, starts) / (counts * width),
        "moving": np.add.reduceat(seen.moving, starts) / (counts * width),
    }


def write(
    folder: Path,
    recording: Recording,
    name: str,
    seen: Sweep,
    over_time: Columns,
    numbers: Numbers,
    window: str,
    beta: float | None,
    typical: list[int] | None,
) -> None:
    """Write every table of a tensor.

    Args:
        folder: where they go, without their endings.
        recording: that has the tensor.
        name: of the tensor.
        seen: of it.
        over_time: see `bins`.
        numbers: of it.
        window: that correlations and lengths are of.
        beta: its momentum coefficient, None where there is not one that always holds.
        typical: the rows, from and to before which, that the raster shows; None: none.

    Raises:
        ReportError: when the disk refuses.
    """
    tables: dict[str, Columns] = {
        "steps": over_time,
        "histogram": _histogram(seen),
        "weights": _weights(recording, name, seen),
    }
    updates = numbers.get(Name("autocorrelation", "updates", name, window))
    if updates is not None:
        gradients = numbers[Name("autocorrelation", "gradients", name, window)]
        lags = np.arange(1, len(updates) + 1)
        chance = np.full(len(lags), np.nan) if beta is None else theory.autocorrelation(beta)
        both = [np.array([np.nan if each is None else each for each in series]) for series in (updates, gradients)]
        tables["correlation"] = {"lag": lags, "updates": both[0], "gradient": both[1], "formula": chance}
        lengths = numbers[Name("run_lengths", "probability", name, window)]
        expected = np.full(len(lengths), np.nan) if beta is None else theory.run_lengths(beta)
        share = np.array([np.nan if each is None else each for each in lengths])
        tables["lengths"] = {"length": np.arange(1, len(share) + 1), "probability": share, "formula": expected}
    if typical is not None and typical[1] > typical[0]:
        tables["raster"] = _raster(recording, name, seen, slice(*typical))
    for kind in KINDS:
        if kind in tables:
            columns.write(path(folder, kind), [tables[kind]])


def _histogram(seen: Sweep) -> Columns:
    """Return a row a bin, of the updates of the entries that are followed."""
    histogram = Histogram(float(seen.updates.min()), float(seen.updates.max()))
    histogram.add(seen.updates)
    return {key: each for key, each in histogram.table("").items() if key != "layer"}


def _raster(recording: Recording, name: str, seen: Sweep, rows: slice) -> Columns:
    """Return a row a step, and a column an entry: its update, in root mean squares of those that are shown of it.

    The columns are called after the entries' places in the matrix: `r3c14`.
    """
    shown = np.unique(np.linspace(0, len(seen.entries) - 1, RASTER_ENTRIES).astype(np.int64))
    change = seen.updates[rows][:, shown].astype(np.float64)
    size = np.sqrt((change**2).mean(axis=0))
    scaled = np.divide(change, size, out=np.zeros_like(change), where=size > 0).round(DECIMALS) + 0.0
    flat = recording.indices(name)[seen.entries[shown]]
    places = zip(*np.unravel_index(flat, recording.tensors[name].matrix), strict=True)
    titles = [f"r{row}c{column}" for row, column in places]
    return {"step": seen.numbers[rows], **dict(zip(titles, scaled.T, strict=True))}


def _weights(recording: Recording, name: str, seen: Sweep) -> Columns:
    """Return the histories of up to three weights, chosen by rule among those that are followed.

    `furthest` ended furthest from where it began, of equals the first; `typical` is the median of those that moved;
    `nearest` the one that moved and ended nearest. Each is there once, at up to POINTS states.
    """
    ends = seen.weights[-1].astype(np.float64) + seen.updates[-1]
    far = np.abs(ends - seen.weights[0])
    moved = np.flatnonzero(seen.updates.any(axis=0))
    order = moved[np.argsort(far[moved], kind="stable")] if len(moved) else np.array([0])
    chosen: dict[int, str] = {}
    best = int(order[np.flatnonzero(far[order] == far[order[-1]])[0]])
    for which, place in (("furthest", best), ("typical", int(order[len(order) // 2])), ("nearest", int(order[0]))):
        chosen.setdefault(place, which)
    rows = np.unique(np.linspace(0, len(seen.numbers), POINTS + 1).astype(np.int64))
    parts: list[Columns] = []
    places = np.unravel_index(recording.indices(name)[seen.entries], recording.tensors[name].matrix)
    for place, which in chosen.items():
        path_of = np.append(seen.weights[:, place], np.float32(ends[place]))[rows].astype(np.float64)
        step = np.append(seen.numbers - 1, seen.numbers[-1])[rows]
        at = {"which": which, "row": places[0][place], "column": places[1][place]}
        parts.append({**{key: same(each, len(rows)) for key, each in at.items()}, "step": step, "weight": path_of})
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
