"""Measures of arrays that a test made, and numbers of an analysis by the run that they come from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from report.analysis import cuts, persistence, replay, results, threshold, transplants, windows
from report.analysis.agreement import Agreement, centres
from report.analysis.autocorrelation import Autocorrelation
from report.analysis.coasting import Coasting
from report.analysis.dwell import Dwell
from report.analysis.table import SCALARS, SCHEMA, Table
from report.analysis.transplants import Replays
from report.analysis.units import Sizes
from report.analysis.updates import Chunk, Track, of
from report.analysis.windows import ALL, WHOLE, WINDOWS
from report.recording.reader import Recording
from report.workspace import Workspace

Array = np.ndarray
ByWindow = dict[str, dict[str, Any]]


def chunk(weights: Array, gradients: Array) -> Chunk:
    """Return the whole history of a tensor that has a gradient in every step."""
    return Chunk(0, np.arange(len(gradients)) + 1, weights[:-1], of(weights), gradients)


def _pieces(rows: int, size: int | None) -> Iterator[slice]:
    for start in range(0, rows, size or rows):
        yield slice(start, min(start + (size or rows), rows))


def live(updates: Array) -> dict[str, Array]:
    """Return, by window, which weights move."""
    return {name: np.asarray(updates[rows].any(axis=0)) for name, rows in windows.rows(len(updates)).items()}


def flips(updates: Array, size: int | None = None) -> persistence.Flips:
    """Count pairs and flips, `size` rows at a time."""
    found = persistence.Flips(windows.rows(len(updates)))
    for rows in _pieces(len(updates), size):
        found.add(rows.start, updates[rows] > 0, updates[rows] < 0)
    return found


def persisting(updates: Array, size: int | None = None) -> ByWindow:
    """Return flip rate and mean run."""
    return flips(updates, size).found(live(updates))


def lengths(updates: Array, size: int | None = None) -> dict[str, list[float | None]]:
    """Return how run lengths are distributed."""
    found = persistence.Lengths(windows.rows(len(updates)))
    for rows in _pieces(len(updates), size):
        found.add(rows.start, persistence.signs(updates[rows]))
    return found.found()


def correlated(series: Array, size: int | None = None) -> dict[str, list[float | None]]:
    """Return the autocorrelation."""
    found = Autocorrelation(windows.rows(len(series)))
    for rows in _pieces(len(series), size):
        found.add(rows.start, series[rows])
    return found.found()


def dwelling(updates: Array, law: threshold.Law, beta: float | None, size: int | None = None) -> ByWindow:
    """Return how long updates stay above the thresholds."""
    found = Dwell(windows.rows(len(updates)), updates.shape[1], law)
    for rows in _pieces(len(updates), size):
        found.add(rows.start, threshold.deviation(updates[rows], law.mean))
    return found.found(beta)


def agreeing(
    sign: Array, slope: Array, numbers: Array | None = None, steps: int = 0, size: int | None = None
) -> Agreement:
    """Return the shares that agree."""
    numbers = np.arange(len(sign)) + 1 if numbers is None else numbers
    found = Agreement(windows.spans(numbers), steps or len(sign))
    for rows in _pieces(len(sign), size):
        found.add(rows.start, numbers[rows], sign[rows], slope[rows])
    assert len(found.curve()) == len(centres(found.steps))
    return found


def coasting(updates: Array, gradients: Array, size: int | None = None) -> ByWindow:
    """Return shares of zero gradients and of coasting updates."""
    found = Coasting(windows.rows(len(updates)), updates.shape[1])
    for rows in _pieces(len(updates), size):
        found.add(rows.start, persistence.signs(updates[rows]), gradients[rows])
    return found.found()


def sizes(weights: Array, law: threshold.Law | None = None, size: int | None = None) -> Sizes:
    """Return the sizes of updates, in all units; opacity is 0 without a law."""
    change = of(weights)
    found = Sizes(windows.rows(len(change)), live(change))
    opacity = np.zeros(change.shape)
    if law is not None:
        opacity = threshold.opacity(threshold.deviation(change, law.mean), law.threshold)
    for rows in _pieces(len(change), size):
        found.add(rows.start, weights[:-1][rows], change[rows], opacity[rows])
    return found


def replayed(path: Path, name: str = "w", applied: transplants.Applied | None = None) -> Replays:
    """Send the gradients of one tensor of a recording through optimizers; through its own alone by default."""
    recording = Recording.open(path)
    if applied is None:
        applied = transplants.Applied("own", {"own": replay.by_tensor(recording, recording.steps)})
    track = Track(recording, name)
    numbers = np.concatenate([each.numbers for each in track.chunks()])
    found = applied.to(track, windows.spans(numbers))
    for each in track.chunks():
        found.add(each)
    return found


def by_run(workspace: Workspace) -> dict[str, Any]:
    """Return results, and each training run's numbers: [quantity][run][tensor][window][statistic].

    A series is a list of numbers; what has no window stands right below the tensor; in `transplants` the slug of the
    optimizer that is applied stands before the statistic. Besides `summary`[quantity][slug][tensor][window][statistic],
    an estimate or, of a series, `mean`; `curves`[series][slug][tensor]: `mean`; and of the main recording, by its name
    and tensor, `threshold` and `size`.
    """
    known = results.read(workspace)
    table = results.numbers(workspace, known)
    found: dict[str, Any] = {}
    for quantity, statistics in SCHEMA.items():
        by_name = found[quantity] = {run: {} for runs in known["study"]["runs"].values() for run in runs}
        for key, row in table.quantity(quantity).items():
            for run, value in zip(known["study"]["runs"][key.label], row.values, strict=True):
                is_there = table.get("windows", "steps", key.label, key.tensor, key.window or ALL).values
                place = known["study"]["runs"][key.label].index(run)
                if not is_there or is_there[place] is None:
                    continue
                tensor = by_name[run].setdefault(key.tensor, {})
                cells = tensor.setdefault(key.window, {}) if key.window else tensor
                if key.applied:
                    cells = cells.setdefault(key.applied, {})
                if statistics[key.statistic].at:
                    cells.setdefault(key.statistic, []).append(value)
                else:
                    cells[key.statistic] = value
        assert all(
            w in (*WINDOWS, *(WHOLE + w for w in WINDOWS))
            for w in {key.window for key in table.quantity(quantity)} - {""}
        )
    main, slug = known["main"], known["study"]["main"]
    place = known["study"]["runs"][slug].index(main)
    return {
        **found,
        **known,
        "summary": {quantity: _summary(table, quantity) for quantity in (*SCALARS, "autocorrelation")},
        "curves": {"startup": _curves(table, "startup"), "agreement": _curves(table, "agreement_batches")},
        "threshold": {main: {name: cuts.law(table, slug, name, place) for name in known["tensors"]}},
        "size": {main: {name: cuts.sizes(table, slug, name, place) for name in known["tensors"]}},
    }


def _summary(table: Table, quantity: str) -> dict[str, Any]:
    found: dict[str, Any] = {label: {} for label in table.labels}
    for key, row in table.quantity(quantity).items():
        if not key.window.startswith(WHOLE):
            cells = found[key.label].setdefault(key.tensor, {}).setdefault(key.window, {})
            if key.at is None:
                cells[key.statistic] = row
            else:
                cells.setdefault(key.statistic, {"mean": []})["mean"].append(row.mean)
    return found


def _curves(table: Table, quantity: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, row in table.quantity(quantity).items():
        found.setdefault(key.label, {}).setdefault(key.tensor, {"mean": []})["mean"].append(row.mean)
    return found
