"""The updates of a small tensor, weight by weight and step by step: what streaks, and what comes in blocks.

Three panels: as recorded, with momentum; the same gradients with tossed signs, through the same optimizer; and as
recorded without momentum. A weight's updates are divided by their own root mean square, so that each row shows signs.
The steps shown are those of the window free of start-up that are most like all of it: the first ones after the start
are not, for streaks still grow shorter there.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from report.analysis import replay, windows
from report.analysis.columns import Columns, same
from report.analysis.persistence import Flips, signs
from report.analysis.replay import Arithmetic, Replay
from report.analysis.togetherness import Units
from report.analysis.transplants import coins
from report.analysis.updates import Chunk, Floats, Track
from report.recording.reader import Recording
from report.recording.study import Study

WEIGHTS, STEPS = 200, 150  # the most that are shown
DECIMALS = 3
PANELS = ("recorded", "tossed", "without_momentum")


def tables(study: Study, name: str, control: Recording) -> Iterator[Columns]:
    """Yield one panel after the other, step by step.

    None where the optimizer is not replayed, the control keeps other entries, or one of them shows no step.

    Args:
        study: whose main recording is shown.
        name: of the tensor.
        control: the recording without momentum.
    """
    how = replay.by_tensor(study.main, study.steps).get(name)
    if how is None or not np.array_equal(study.main.indices(name), control.indices(name)):
        return
    first, last = _typical(study, name)
    kept = np.unique(np.linspace(0, len(Track(study.main, name).entries) - 1, WEIGHTS).astype(np.int64))
    entries = study.main.indices(name)[Track(study.main, name).entries[kept]]
    outputs, inputs = np.unravel_index(entries, study.main.tensors[name].matrix)
    chunks = {panel: list(_chunks(of, name, last)) for panel, of in (("main", study.main), ("control", control))}
    if not all(parts and parts[-1].numbers[-1] > first for parts in chunks.values()):
        return
    for panel in PANELS:
        parts = chunks["control" if panel == PANELS[2] else "main"]
        numbers = np.concatenate([each.numbers for each in parts])
        updates = _tossed(study.main, name, how, parts) if panel == PANELS[1] else [each.updates for each in parts]
        change = np.concatenate(updates)[numbers > first][:, kept].astype(np.float64)
        size = np.sqrt((change**2).mean(axis=0))
        scaled = np.divide(change, size, out=np.zeros_like(change), where=size > 0).round(DECIMALS)
        yield {
            "panel": same(panel, scaled.size),
            "layer": same(name, scaled.size),
            "batch": np.repeat(numbers[numbers > first], len(kept)),
            "out": np.tile(outputs, len(scaled)),
            "in": np.tile(inputs, len(scaled)),
            "update": scaled.reshape(-1),
        }


def _typical(study: Study, name: str) -> tuple[int, int]:
    """Return before which step a raster begins and with which it ends.

    Of the stretches of `STEPS` steps that follow one another from the end of the start, it is that whose mean same-sign
    run in the main recording is nearest to the run of all of them; of equals the first.
    """
    spans = windows.rows(study.steps)
    window = spans[windows.late(spans)]
    starts = range(window.start, max(window.stop - STEPS, window.start) + 1, STEPS)
    stretches = {str(start): slice(start, min(start + STEPS, study.steps)) for start in starts}
    flips = Flips({windows.ALL: window, **stretches})
    for chunk in _chunks(study.main, name, study.steps):
        flips.add(chunk.first, chunk.updates > 0, chunk.updates < 0)
    runs = {start: flips.mean_run(start) for start in stretches}
    whole = flips.mean_run(windows.ALL)
    known = {start: abs(math.log(run / whole)) for start, run in runs.items() if run is not None and whole is not None}
    start = min(known, key=known.__getitem__, default=str(window.start))
    return stretches[start].start, stretches[start].stop


def seen(panels: Sequence[Columns]) -> dict[str, dict[str, float | None]] | None:
    """Return, by panel, what it shows: `mean_run`, the mean same-sign run in steps, and `together`.

    That is the share of pairs of weights into one output unit that both move in a step and move the same way. Both
    None where nothing turns, or no pair moves; None at all without panels.
    """
    found: dict[str, dict[str, float | None]] = {}
    for name, panel in zip(PANELS, panels, strict=False):
        weights = int(np.count_nonzero(panel["batch"] == panel["batch"][0]))
        sign = signs(np.asarray(panel["update"], np.float64).reshape(-1, weights))
        flips = Flips({windows.ALL: slice(0, len(sign))})
        flips.add(0, sign > 0, sign < 0)
        units = Units.of(np.asarray(panel["out"][:weights], np.int64))
        pairs, alike = units.pairs(sign).sum(axis=0).tolist()
        found[name] = {"mean_run": flips.mean_run(windows.ALL), "together": alike / pairs if pairs else None}
    return found or None


def _chunks(recording: Recording, name: str, last: int) -> Iterator[Chunk]:
    for chunk in Track(recording, name).chunks():
        if chunk.numbers[0] > last:
            return
        yield chunk.until(last)


def _tossed(recording: Recording, name: str, how: Arithmetic, chunks: list[Chunk]) -> list[NDArray[np.floating]]:
    """Return the updates that the first toss of some chunks makes, (rows, n) each."""
    drawn = coins(recording, name, 0)
    tossed = Replay(how, chunks[0].weights[0])
    found: list[NDArray[np.floating]] = []
    for chunk in chunks:
        noise: Floats = chunk.gradients * drawn.toss(*chunk.gradients.shape)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # as silently as in the optimizer
            found.append(np.diff(tossed.add(chunk.first, chunk.numbers, noise), axis=0))
    return found
