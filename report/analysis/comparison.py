"""All training runs of the study side by side: their measures, and mean and interval over seeds."""

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from report import files
from report.analysis import decomposition, history, intervals, measures, theory
from report.analysis.findings import findings
from report.config import Experiment, Optimizer
from report.recording import Recording, kept_indices
from report.workspace import Workspace

# Quantities that are single numbers for a layer and a window; the others are series and summarised as such.
SCALARS = ("persistence", "dwell", "agreement", "coasting", "update_rms", "units", "decomposition")
WORTH_A_POOL = 10_000_000  # recorded updates to measure, from which on starting another process pays (three seconds)


def compare(place: Workspace, experiment: Experiment, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the study's part of results.json (the shape stands in `report.analysis`).

    Args:
        place: where the training runs are.
        experiment: says which there should be.
        results: of the main training run: `experiment`, `data`.

    Raises:
        ReportError: when a recording is damaged or the disk refuses.
    """
    study = overview(place, experiment)
    wanted = [(optimizer, run) for optimizer in experiment.optimizers for run in study["runs"].get(optimizer.slug, [])]
    made = measure(place, experiment, wanted)
    quantities = (*measures.WINDOWED, *measures.UNWINDOWED)
    by_quantity = {name: {run: found[name] for run, found in made.items()} for name in quantities}
    expected = {each.slug: theory.describe(each.name, each.arguments) for each in experiment.optimizers}
    found = {
        "study": study,
        **{name: by_quantity[name] for name in (*measures.WINDOWED, "startup")},
        "summary": summary(study["runs"], by_quantity, experiment.layers),
        "curves": curves(study["runs"], by_quantity, experiment.layers),
        "theory": expected,
        "accuracy": accuracy(place, study),
        "one_weight": one_weight(place, experiment, study),
    }
    return {**found, "findings": findings({**results, **found})}


def overview(place: Workspace, experiment: Experiment) -> dict[str, Any]:
    """Return which training runs the study has, and which it lacks with the reason."""
    failed = files.read_json(place.study, "missing", default={"missing": []})["missing"]
    missing = {each["run"]: each["reason"] for each in failed}
    runs: dict[str, list[str]] = {}
    seeds: dict[str, list[int]] = {}
    for optimizer in experiment.optimizers:
        runs[optimizer.slug], seeds[optimizer.slug] = [], []
        for seed in experiment.seeds:
            name = experiment.run_name(optimizer, seed)
            if name in missing:
                continue
            if not (place.run(name) / "run.json").is_file():
                missing[name] = "it has not been trained yet."
                continue
            runs[optimizer.slug].append(name)
            seeds[optimizer.slug].append(seed)
    return {
        "batches": experiment.study.batches,
        "seeds": list(experiment.seeds),
        "main": experiment.optimizer.slug,
        "late": decomposition.late_window(experiment.study.batches),
        "optimizers": [_describe(optimizer) for optimizer in experiment.optimizers],
        "runs": runs,
        "seeds_of": seeds,
        "missing": [{"run": run, "reason": reason} for run, reason in sorted(missing.items())],
    }


def _describe(optimizer: Optimizer) -> dict[str, Any]:
    return {
        "slug": optimizer.slug,
        "label": optimizer.label,
        "name": optimizer.name,
        "momentum": optimizer.momentum,
        "beta1": optimizer.beta1,
        "learning_rate": optimizer.learning_rate,
        "arguments": dict(optimizer.arguments),
    }


def measure(
    place: Workspace, experiment: Experiment, wanted: Sequence[tuple[Optimizer, str]]
) -> dict[str, dict[str, Any]]:
    """Return the measures of every training run, by its name; several at a time where many are new.

    Args:
        place: measures that are still true are read from `build/measures`, others written there.
        experiment: says how many batches are measured.
        wanted: optimizer and name of each training run.
    """
    new = [(optimizer, name) for optimizer, name in wanted if not measures.is_kept(place, experiment, optimizer, name)]
    processes = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(new))
    weights = sum(kept_indices(experiment, layer).size for layer in experiment.layers)
    if processes > 1 and len(new) * experiment.study.batches * weights >= WORTH_A_POOL:
        # Spawned: a forked copy of a process with threads may hang.
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            for done in [pool.submit(_measure, place, experiment, optimizer, name) for optimizer, name in new]:
                done.result()
    return {name: measures.kept(place, experiment, optimizer, name) for optimizer, name in wanted}


def _measure(place: Workspace, experiment: Experiment, optimizer: Optimizer, name: str) -> None:
    """Leave the result on disk: it need not travel between processes."""
    measures.kept(place, experiment, optimizer, name)


def summary(
    runs: Mapping[str, Sequence[str]], by_quantity: Mapping[str, Mapping[str, Any]], layers: Sequence[str]
) -> dict[str, Any]:
    """Return mean and interval over the training runs of each optimizer.

    Args:
        runs: by slug of the optimizer, names by seed.
        by_quantity: {quantity: {run: {layer: {window: {name: number}}}}}.
        layers: their names.
    """
    found: dict[str, Any] = {}
    for quantity in SCALARS:
        found[quantity] = _over_seeds(runs, by_quantity[quantity], layers, _summarise_numbers)
    found["autocorrelation"] = _over_seeds(runs, by_quantity["autocorrelation"], layers, _summarise_lags)
    found["run_lengths"] = _over_seeds(runs, by_quantity["run_lengths"], layers, _summarise_lengths)
    return found


def _over_seeds(
    runs: Mapping[str, Sequence[str]],
    measured: Mapping[str, Any],
    layers: Sequence[str],
    summarise: Callable[[list[Any]], dict[str, Any]],
) -> dict[str, Any]:
    """Apply `summarise` to the records of all seeds, for each optimizer, layer and window."""
    return {
        slug: {
            layer: {
                window: summarise([measured[name][layer][window] for name in names])
                for window in measured[names[0]][layer]
            }
            for layer in layers
        }
        for slug, names in runs.items()
        if names
    }


def _summarise_numbers(records: list[dict[str, Any] | None]) -> dict[str, Any]:
    known = [record for record in records if record is not None]
    names = list(known[0]) if known else []
    return {
        name: intervals.summarise([None if record is None else record[name] for record in records]) for name in names
    }


def _summarise_lags(records: list[dict[str, Any]]) -> dict[str, Any]:
    return {which: intervals.summarise_series([record[which] for record in records]) for which in records[0]}


def _summarise_lengths(records: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "probability": intervals.summarise_series([record["probability"] for record in records]),
        "longer": intervals.summarise([record["longer"] for record in records]),
    }


def curves(
    runs: Mapping[str, Sequence[str]], by_quantity: Mapping[str, Mapping[str, Any]], layers: Sequence[str]
) -> dict[str, Any]:
    """Return what changes over the batches, with its interval over seeds: start-up and agreement.

    Args:
        runs: by slug of the optimizer, names by seed.
        by_quantity: with `startup` and `agreement_curve`, {run: {layer: …}}.
        layers: their names.
    """
    startup: dict[str, Any] = {}
    agreement: dict[str, Any] = {}
    for slug, names in runs.items():
        for layer in layers if names else ():
            first = [by_quantity["startup"][name][layer] for name in names]
            if None not in first:
                series = intervals.summarise_series([each["mean_absolute"] for each in first])
                batches = list(range(1, len(first[0]["mean_absolute"]) + 1))
                startup.setdefault(slug, {})[layer] = {"batch": batches, **series}
            shares = [by_quantity["agreement_curve"][name][layer] for name in names]
            series = intervals.summarise_series([each["share"] for each in shares])
            agreement.setdefault(slug, {})[layer] = {"batch": shares[0]["batch"], **series}
    return {"startup": startup, "agreement": agreement}


def accuracy(place: Workspace, study: Mapping[str, Any]) -> dict[str, Any]:
    """Return final accuracies (fractions): of the main optimizer over seeds, and of every training run.

    Returns:
        `validation` and `test`, summaries over the seeds of the main optimizer; `runs`, by name: `optimizer` (slug),
        `seed`, `batches` trained, `validation_accuracy`, `validation_loss` (nats), `test_accuracy`.
    """
    rows: dict[str, dict[str, Any]] = {}
    for slug, names in study["runs"].items():
        for name, seed in zip(names, study["seeds_of"][slug], strict=True):
            series = Recording.open(place.run(name)).series
            rows[name] = {
                "optimizer": slug,
                "seed": seed,
                "batches": int(series["validation_batch"][-1]),
                "validation_accuracy": float(series["validation_accuracy"][-1]),
                "validation_loss": float(series["validation_loss"][-1]),
                "test_accuracy": float(series["test_accuracy"]),
            }
    main = [row for row in rows.values() if row["optimizer"] == study["main"]]
    return {
        "validation": intervals.summarise([row["validation_accuracy"] for row in main]),
        "test": intervals.summarise([row["test_accuracy"] for row in main]),
        "runs": rows,
    }


def one_weight(place: Workspace, experiment: Experiment, study: Mapping[str, Any]) -> dict[str, Any]:
    """Return which weight is shown under every optimizer, on the main seed, and for which optimizers it can be.

    It is the one of the first drawn layer that is seldomest without a gradient under whichever optimizer leaves it
    without one most often: chosen to be alive under all of them, not by the direction of any update.
    """
    layer = experiment.recording.whole[0]
    seed = experiment.training.seed
    slugs = [slug for slug, seeds in study["seeds_of"].items() if seed in seeds]
    active = []
    for optimizer in experiment.optimizers:
        if optimizer.slug in slugs:
            recording = Recording.open(place.run(experiment.run_name(optimizer, seed)))
            active.append(np.count_nonzero(recording.kept_gradients(layer)[: study["batches"]], axis=0))
    position = int(np.argmax(np.min(active, axis=0)))
    return {
        "layer": layer,
        "position": position,
        "index": list(history.index_of(recording, layer, position)),
        "seed": seed,
        "optimizers": slugs,
    }
