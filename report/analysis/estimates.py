"""From the numbers of each recording to estimates over the recordings of a label: the table is made here alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from report.analysis import agreement, intervals, replay
from report.analysis.measures import Name, Numbers, kept
from report.analysis.rules import Predicted
from report.analysis.table import SCHEMA, Key, Rows, Table
from report.analysis.theory import Theory
from report.analysis.transplants import Applied
from report.cores import cores
from report.recording.study import Study
from report.workers.local import pool

WORTH_A_POOL = 10_000_000  # recorded updates to measure, from which on starting another process pays (three seconds)


def measure(study: Study, folder: Path, drawn: Sequence[str], meanwhile: Callable[[], None]) -> dict[str, Numbers]:
    """Return the numbers of every training run, by its name; several at a time where many are new.

    Args:
        study: the training runs.
        folder: where their numbers are kept.
        drawn: the tensors of the network graph.
        meanwhile: what else has to be done, and needs no number of these; done while other processes measure.

    Raises:
        ReportError: when a recording is damaged or the disk refuses.
    """
    every = {study.slug(label): replay.by_tensor(study.of(label)[0], study.steps) for label in study.labels}
    wanted = {}
    for each in study.recordings:
        # Its own optimizer is the one that it had: recordings of a label may differ in the course of a schedule.
        own = study.slug(each.label)
        applied = Applied(own, {**every, own: replay.by_tensor(each, study.steps)})
        wanted[each.name] = kept(folder, each, drawn, study.steps, applied)
    known = {name: place.read() for name, place in wanted.items()}
    new = [wanted[name] for name, found in known.items() if found is None]
    processes = min(cores(), len(new))
    entries = sum(each.count for each in study.main.tensors.values())
    if processes > 1 and len(new) * study.steps * entries >= WORTH_A_POOL:
        with pool(processes) as executor:
            jobs = [executor.submit(place.make) for place in new]
            meanwhile()
            made = [job.result() for job in jobs]
    else:
        meanwhile()
        made = [place.make() for place in new]
    fresh = {place.path: found for place, found in zip(new, made, strict=True)}
    return {name: fresh[wanted[name].path] if found is None else found for name, found in known.items()}


def table(study: Study, measured: Mapping[str, Numbers], predicted: Predicted) -> Table:
    """Return mean, interval and prediction of every number.

    Args:
        study: the recordings.
        measured: the numbers of each, by its name.
        predicted: what chance predicts, by slug and tensor.
    """
    rows: Rows = {}
    for label in study.labels:
        slug = study.slug(label)
        runs = [measured[each.name] for each in study.of(label)]
        for name in dict.fromkeys(name for run in runs for name in run):
            theory = predicted[slug].get(name.tensor)
            rows |= _estimates(slug, name, [run.get(name) for run in runs], theory, study.steps)
    for key, row in rows.items():
        if key.quantity == "dwell" and key.statistic.startswith("spell_"):
            # Its prediction depends on τ, hence on the recording: it was measured beside it.
            chance = rows[key._replace(statistic=key.statistic.replace("spell_", "chance_"))].mean
            rows[key] = replace(row, predicted=chance)
    return Table([study.slug(label) for label in study.labels], list(study.main.tensors), rows)


def _estimates(
    label: str, name: Name, found: Sequence[Sequence[float | None] | None], theory: Theory | None, steps: int
) -> Rows:
    """Return the rows of a number, or of a series, of which each recording has one, or none."""
    quantity, statistic, tensor, window, applied = name
    known = [each for each in found if each is not None]
    if not SCHEMA[quantity][statistic].at:
        return {
            Key(quantity, statistic, label, tensor, window, None, applied): replace(
                intervals.estimate([None if each is None else each[0] for each in found]),
                predicted=_chance(theory, name, 0),
            )
        }
    if not all(known):
        return {}
    length = max(len(each) for each in known)
    places = agreement.centres(steps) if quantity == "agreement_batches" else range(1, length + 1)
    padded = [None if each is None else [*each, *[None] * (length - len(each))] for each in found]
    return {
        Key(quantity, statistic, label, tensor, window, at): replace(each, predicted=_chance(theory, name, place))
        for place, (at, each) in enumerate(zip(places, intervals.estimates(padded), strict=True))
    }


def _chance(theory: Theory | None, name: Name, place: int) -> float | None:
    """Return what chance predicts of a number, or of that at a place of a series, counted from 0."""
    if name[:2] == ("autocorrelation", "gradients"):
        return 0.0  # independent gradients are not correlated; momentum correlates what is made of them
    predictor = SCHEMA[name.quantity][name.statistic].theory
    if theory is None or not predictor:
        return None
    expected = theory.number(predictor)
    return expected[place] if isinstance(expected, tuple) else expected
