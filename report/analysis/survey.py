"""What must be known of a tensor before it can be measured: its windows, which weights move in them, its extent."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.analysis import threshold, windows
from report.analysis.updates import Track
from report.analysis.windows import ALL, WHOLE, Spans
from report.recording.reader import Recording


@dataclass(frozen=True)
class Survey:
    """Hold what one look at a tensor's updates tells.

    Attributes:
        spans: which rows belong to each window of the compared steps.
        beyond: the same of all steps, windows "whole …", where they are others.
        live: by window, (n,) bool, which weights move at all in it.
        laws: mean and τ of the compared steps' updates, `ALL`, and of all, "whole all", where they are others.
    """

    spans: Spans
    beyond: Spans
    live: dict[str, NDArray[np.bool_]]
    laws: dict[str, threshold.Law]


def smallest(recording: Recording, drawn: Sequence[str], steps: int) -> dict[str, int | None]:
    """Return N_min among the drawn tensors, over the first steps and over all; None where none has an update."""
    counts: dict[str, list[int]] = {ALL: [], WHOLE + ALL: []}
    for name in drawn:
        track = Track(recording, name)
        chunks = [(len(chunk.until(steps).numbers), len(chunk.numbers)) for chunk in track.chunks()]
        for window, rows in zip(counts, zip(*chunks, strict=True), strict=False):
            counts[window].append(sum(rows) * len(track.entries))
    return {window: min((count for count in found if count), default=None) for window, found in counts.items()}


def survey(track: Track, steps: int, smallest: dict[str, int | None]) -> Survey | None:
    """Look at a tensor; None where it never had a gradient.

    Args:
        track: the tensor's history.
        steps: the first so many are compared with other recordings.
        smallest: N_min over the compared steps, `ALL`, and over all, "whole all"; None where the tensor stands alone.
    """
    seen: list[NDArray[np.int64]] = []
    total = {ALL: 0.0, WHOLE + ALL: 0.0}
    live = {prefix + name: np.zeros(len(track.entries), bool) for prefix in ("", WHOLE) for name in windows.WINDOWS}
    for chunk in track.chunks():
        seen.append(chunk.numbers)
        compared = chunk.until(steps)
        for prefix, part in (("", compared), (WHOLE, chunk))[: 1 + (track.recording.steps > steps)]:
            total[prefix + ALL] += float(part.updates.sum(dtype=np.float64))
            for name, rows in windows.spans(part.numbers).items():
                live[prefix + name] |= part.updates[rows].any(axis=0)
    if not seen:
        return None
    numbers = np.concatenate(seen)
    spans, beyond = windows.spans(numbers[numbers <= steps]), windows.beyond(numbers, steps)
    laws = {}
    for name, limit in ((ALL, steps), (WHOLE + ALL, track.recording.steps)):
        if name in spans or name in beyond:
            count = {**spans, **beyond}[name].stop * len(track.entries)
            updates = functools.partial(_updates, track, limit)
            laws[name] = threshold.find(updates, total[name] / count, count, smallest[name])
    known = {name: live[name] for name in (*spans, *beyond)}
    return Survey(spans, beyond, known, laws)


def _updates(track: Track, steps: int) -> Iterator[NDArray[np.float32]]:
    """Yield the updates of the first `steps` steps, (rows, n) at a time."""
    for chunk in track.chunks():
        part = chunk.until(steps).updates
        if len(part):
            yield part


def law(recording: Recording, name: str, drawn: Sequence[str]) -> threshold.Law | None:
    """Return mean and τ of a tensor over all steps of a recording; None where it never had a gradient."""
    seen = survey(Track(recording, name), recording.steps, smallest(recording, drawn, recording.steps))
    return None if seen is None else seen.laws[ALL]
