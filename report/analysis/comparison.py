"""All training runs of the study side by side: their measures, and mean and interval over seeds."""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from report import files
from report.analysis import history, intervals, loss, rules, updates, windows
from report.analysis.measures import QUANTITIES, SCALARS, WINDOWED, kept
from report.recording.study import Study

FINAL = ("validation_accuracy", "validation_loss", "test_accuracy")  # series whose last number is compared
WORTH_A_POOL = 10_000_000  # recorded updates to measure, from which on starting another process pays (three seconds)

ByRun = Mapping[str, Mapping[str, Any]]  # {run: {tensor: …}}
Runs = Mapping[str, Sequence[str]]  # by slug of the label, the names of its training runs by seed


def compare(
    study: Study, folder: Path, drawn: Sequence[str], missing: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, dict[str, rules.Theory | None]]]:
    """Return the study's part of results.json (the shape stands in `report.analysis.report`), and what chance predicts.

    Args:
        study: the training runs.
        folder: of the measures that are kept.
        drawn: the tensors of the network graph.
        missing: training runs that failed, `run` and `reason`.

    Raises:
        ReportError: when a recording is damaged or the disk refuses.
    """
    told = overview(study, drawn, missing)
    made = measure(study, folder, drawn)
    by_quantity = {name: {run: found[name] for run, found in made.items()} for name in QUANTITIES}
    predicted = rules.predicted(study)
    found = {
        "study": told,
        **{name: by_quantity[name] for name in (*WINDOWED, "startup")},
        "summary": summary(told["runs"], by_quantity, tuple(study.main.tensors)),
        "curves": curves(told["runs"], by_quantity, tuple(study.main.tensors)),
        "theory": {slug: rules.common(by_tensor) for slug, by_tensor in predicted.items()},
        "accuracy": accuracy(study),
        "one_weight": one_weight(study, drawn),
    }
    return found, predicted


def overview(study: Study, drawn: Sequence[str], missing: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return which training runs the study has, and which it lacks with the reason."""
    every = {study.slug(label): study.of(label) for label in study.labels}
    tensor = next(iter([*drawn, *study.main.tensors]))  # whose optimizer stands for all
    return {
        "batches": study.steps,
        "seeds": list(study.seeds),
        "main": study.slug(study.main.label),
        "late": windows.late(windows.rows(study.steps)),
        "optimizers": [rules.describe(study, label, tensor) for label in study.labels],
        "runs": {slug: [each.name for each in recordings] for slug, recordings in every.items()},
        "seeds_of": {slug: [each.seed for each in recordings] for slug, recordings in every.items()},
        "missing": sorted(({"run": each["run"], "reason": each["reason"]} for each in missing), key=lambda e: e["run"]),
    }


def measure(study: Study, folder: Path, drawn: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the measures of every training run, by its name; several at a time where many are new.

    They always come from the disk, so that their order is the same, whoever wrote them and when.
    """
    wanted = {each.name: kept(folder, each, drawn, study.steps) for each in study.recordings}
    found = {name: place.read() for name, place in wanted.items()}
    new = [wanted[name] for name, known in found.items() if known is None]
    processes = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(new))
    entries = sum(each.count for each in study.main.tensors.values())
    if processes > 1 and len(new) * study.steps * entries >= WORTH_A_POOL:
        # Spawned: a forked copy of a process with threads may hang.
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            for done in [pool.submit(place.make) for place in new]:
                done.result()
    else:
        for place in new:
            place.make()
    return {name: known or files.read_json(wanted[name].path, "measures")["measures"] for name, known in found.items()}


def summary(runs: Runs, by_quantity: Mapping[str, ByRun], tensors: Sequence[str]) -> dict[str, Any]:
    """Return mean and interval over the training runs of each optimizer.

    Args:
        runs: by slug of the optimizer, names by seed.
        by_quantity: {quantity: {run: {tensor: {window: {name: number}}}}}.
        tensors: their names.
    """
    found = {quantity: _over_seeds(runs, by_quantity[quantity], tensors, _summarise_numbers) for quantity in SCALARS}
    found["autocorrelation"] = _over_seeds(runs, by_quantity["autocorrelation"], tensors, _summarise_lags)
    found["run_lengths"] = _over_seeds(runs, by_quantity["run_lengths"], tensors, _summarise_lengths)
    return found


def _over_seeds(
    runs: Runs, measured: ByRun, tensors: Sequence[str], summarise: Callable[[list[Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Apply `summarise` to the records of all seeds, None where a seed has none, for each optimizer, tensor, window."""
    found: dict[str, Any] = {}
    for slug, names in runs.items():
        found[slug] = {}
        for tensor in tensors:
            every = [measured[name].get(tensor, {}) for name in names]
            by_window = {
                window: summarise([each.get(window) for each in every])
                for window in windows.WINDOWS
                if any(window in each for each in every)
            }
            if by_window:
                found[slug][tensor] = by_window
    return found


def _summarise_numbers(records: list[dict[str, Any] | None]) -> dict[str, Any]:
    known = [record for record in records if record is not None]
    names = list(known[0]) if known else []
    return {
        name: intervals.summarise([None if record is None else record[name] for record in records]) for name in names
    }


def _summarise_lags(records: list[dict[str, Any] | None]) -> dict[str, Any]:
    known = [record for record in records if record is not None]
    return {which: intervals.summarise_series([record[which] for record in known]) for which in known[0]}


def _summarise_lengths(records: list[dict[str, Any] | None]) -> dict[str, Any]:
    known = [record for record in records if record is not None]
    return {
        "probability": intervals.summarise_series([record["probability"] for record in known]),
        "longer": intervals.summarise([record["longer"] for record in known]),
    }


def curves(runs: Runs, by_quantity: Mapping[str, ByRun], tensors: Sequence[str]) -> dict[str, Any]:
    """Return what changes over the steps, with its interval over seeds: start-up and agreement.

    Args:
        runs: by slug of the optimizer, names by seed.
        by_quantity: with `startup` and `agreement_curve`, {run: {tensor: …}}.
        tensors: their names.
    """
    startup: dict[str, Any] = {}
    agreement: dict[str, Any] = {}
    for slug, names in runs.items():
        for tensor in tensors:
            shares = [found[tensor] for name in names if tensor in (found := by_quantity["agreement_curve"][name])]
            if not shares:
                continue
            series = intervals.summarise_series([each["share"] for each in shares])
            agreement.setdefault(slug, {})[tensor] = {"batch": shares[0]["batch"], **series}
            first = [found[tensor] for name in names if tensor in (found := by_quantity["startup"][name])]
            if None not in first:
                length = max(len(each["mean_absolute"]) for each in first)
                padded = [[*each["mean_absolute"], *[None] * length][:length] for each in first]
                series = intervals.summarise_series(padded)
                startup.setdefault(slug, {})[tensor] = {"batch": list(range(1, length + 1)), **series}
    return {"startup": startup, "agreement": agreement}


def accuracy(study: Study) -> dict[str, Any]:
    """Return final accuracies (fractions): of the main optimizer over seeds, and of every training run.

    Returns:
        `validation` and `test`, summaries over the seeds of the main optimizer; `runs`, by name: `optimizer` (slug),
        `seed`, `batches` (steps taken), and, each None where it was not logged, `validation_accuracy`,
        `validation_loss` (nats), `test_accuracy`.
    """
    rows: dict[str, dict[str, Any]] = {
        each.name: {
            "optimizer": study.slug(each.label),
            "seed": each.seed,
            "batches": each.taken,
            **{name: loss.last(each.series, name) for name in FINAL},
        }
        for each in study.recordings
    }
    main = [rows[each.name] for each in study.of(study.main.label)]
    return {
        "validation": intervals.summarise([row["validation_accuracy"] for row in main]),
        "test": intervals.summarise([row["test_accuracy"] for row in main]),
        "runs": rows,
    }


def one_weight(study: Study, drawn: Sequence[str]) -> dict[str, Any] | None:
    """Return which weight is shown under every optimizer, on the main seed, and for which optimizers it can be.

    It is the one of the first drawn tensor (of the first, if none is drawn) that is seldomest without a gradient under
    whichever optimizer leaves it without one most often: chosen to be alive under all of them, not by the direction of
    any update. None where no tensor has a gradient.
    """
    seed = study.main.seed
    every = [found for label in study.labels if (found := study.find(label, seed)) is not None]
    for name in [*drawn, *study.main.tensors]:
        # A recording that keeps other entries of the tensor cannot be compared.
        alike = [each for each in every if np.array_equal(each.indices(name), study.main.indices(name))]
        seen = {each.label: updates.trajectory(each, name, study.steps) for each in alike}
        seen = {label: found for label, found in seen.items() if len(found.numbers)}
        if study.main.label in seen:
            active = [np.count_nonzero(found.gradients, axis=0) for found in seen.values()]
            position = int(seen[study.main.label].entries[np.argmax(np.min(active, axis=0))])
            return {
                "layer": name,
                "position": position,
                "index": list(history.index_of(study.main, name, position)),
                "seed": seed,
                "optimizers": [study.slug(label) for label in seen],
            }
    return None
