"""The study's tables: what a reader downloads and what its figures are drawn from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis.comparison import SCALARS
from report.config import Experiment
from report.recording import Recording
from report.workspace import Workspace

Columns = dict[str, NDArray[Any]]
Row = dict[str, Any]

# Which of theory's numbers stands beside which of ours. Where a summary holds its own prediction, see `_predicted`.
THEORY = {
    "persistence": {"flip_rate": "flip_rate", "mean_run": "mean_run"},
    "agreement": {"share": "agreement"},
    "update_rms": {
        "rms": "update_rms",
        "rms_live": "update_rms",
        "mean_absolute": "mean_absolute",
        "mean_absolute_live": "mean_absolute",
    },
}


def columns(rows: Sequence[Row], names: Sequence[str]) -> Columns:
    """Turn rows into columns; None becomes NaN, an empty cell of the CSV."""
    return {name: np.array([np.nan if row[name] is None else row[name] for row in rows]) for name in names}


def tables(place: Workspace, experiment: Experiment, results: Mapping[str, Any]) -> dict[str, Columns]:
    """Return every table of the study by its name.

    Args:
        place: where the training runs are, for the one weight whose history is shown.
        experiment: as analysed.
        results: what `report.analysis` has written.
    """
    found: dict[str, Columns] = {}
    summary_names = ("optimizer", "label", "momentum", "layer", "window", "name", "mean", "low", "high", "n", "theory")
    for quantity in SCALARS:
        found[quantity] = columns(list(_summaries(results, quantity)), summary_names)
        rows = list(_per_run(results, quantity))
        if rows:
            found[f"{quantity}_runs"] = columns(rows, list(rows[0]))
    lag_names = ("optimizer", "label", "momentum", "layer", "window", "series", "lag", "mean", "low", "high", "n")
    found["autocorrelation"] = columns(list(_lags(results)), (*lag_names, "theory"))
    length_names = ("optimizer", "label", "momentum", "layer", "window", "length", "mean", "low", "high", "n")
    found["run_lengths"] = columns(list(_lengths(results)), (*length_names, "theory"))
    curve_names = ("optimizer", "label", "layer", "batch", "mean", "low", "high", "n", "theory")
    for name, curve in (("startup", "startup"), ("agreement_batches", "agreement")):
        rows = list(_curve(results, curve))
        if rows:
            found[name] = columns(rows, curve_names)
    runs = results["accuracy"]["runs"]
    accuracies = [{"run": name, **row} for name, row in runs.items()]
    found["accuracy"] = columns(accuracies, list(accuracies[0]))
    found["one_weight"] = one_weight(place, experiment, results)
    found["findings"] = findings(results["findings"])
    return found


def _optimizers(results: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    """Yield slug and leading columns of each optimizer that has a training run."""
    for each in results["study"]["optimizers"]:
        slug = each["slug"]
        if results["study"]["runs"].get(slug):
            yield slug, {"optimizer": slug, "label": each["label"], "momentum": each["momentum"]}


def _summaries(results: Mapping[str, Any], quantity: str) -> Iterator[Row]:
    """Yield mean and interval of each number of a quantity."""
    for slug, head in _optimizers(results):
        theory = results["theory"][slug] or {}
        for layer, by_window in results["summary"][quantity][slug].items():
            for window, numbers in by_window.items():
                for name, found in numbers.items():
                    known = THEORY.get(quantity, {}).get(name)
                    predicted = theory.get(known) if known else _predicted(numbers, name)
                    ends = {end: found[end] for end in ("mean", "low", "high", "n")}
                    yield {**head, "layer": layer, "window": window, "name": name, **ends, "theory": predicted}


def _predicted(numbers: Mapping[str, Any], name: str) -> float | None:
    """Return the prediction that stands among the numbers themselves: `chance_q1` beside `spell_q1`."""
    which, _, suffix = name.partition("_")
    if which != "spell":
        return None
    predicted: float | None = numbers[f"chance_{suffix}"]["mean"]
    return predicted


def _per_run(results: Mapping[str, Any], quantity: str) -> Iterator[Row]:
    """Yield the numbers of each training run, one row a layer and window; none where a run has no such number."""
    measured = results[quantity]
    names = next(
        (
            list(numbers)
            for by_layer in measured.values()
            for by_window in by_layer.values()
            for numbers in by_window.values()
            if numbers is not None
        ),
        [],
    )
    for slug, _ in _optimizers(results):
        study = results["study"]
        for run, seed in zip(study["runs"][slug], study["seeds_of"][slug], strict=True):
            for layer, by_window in measured[run].items():
                for window, numbers in by_window.items():
                    found = {name: None if numbers is None else numbers[name] for name in names}
                    yield {"run": run, "optimizer": slug, "seed": seed, "layer": layer, "window": window, **found}


def _series(found: Mapping[str, Any], place: int) -> Row:
    return {**{end: found[end][place] for end in ("mean", "low", "high")}, "n": found["n"]}


def _lags(results: Mapping[str, Any]) -> Iterator[Row]:
    for slug, head in _optimizers(results):
        theory = results["theory"][slug]
        for layer, by_window in results["summary"]["autocorrelation"][slug].items():
            for window, both in by_window.items():
                for which, found in both.items():
                    for place in range(len(found["mean"])):
                        # Independent gradients are not correlated; momentum correlates what is made of them.
                        predicted = 0.0 if which == "gradients" else theory and theory["autocorrelation"][place]
                        yield {
                            **head,
                            "layer": layer,
                            "window": window,
                            "series": which,
                            "lag": place + 1,
                            **_series(found, place),
                            "theory": predicted,
                        }


def _lengths(results: Mapping[str, Any]) -> Iterator[Row]:
    for slug, head in _optimizers(results):
        theory = results["theory"][slug]
        for layer, by_window in results["summary"]["run_lengths"][slug].items():
            for window, both in by_window.items():
                found = both["probability"]
                for place in range(len(found["mean"])):
                    yield {
                        **head,
                        "layer": layer,
                        "window": window,
                        "length": place + 1,
                        **_series(found, place),
                        "theory": theory and theory["run_lengths"][place],
                    }


def _curve(results: Mapping[str, Any], which: str) -> Iterator[Row]:
    for slug, head in _optimizers(results):
        theory = results["theory"][slug] or {}
        for layer, found in results["curves"][which].get(slug, {}).items():
            for place, batch in enumerate(found["batch"]):
                if which == "agreement":
                    predicted = theory.get("agreement")
                else:
                    predicted = theory["startup"]["mean_absolute"][place] if theory.get("startup") else None
                yield {**head, "layer": layer, "batch": batch, **_series(found, place), "theory": predicted}


def one_weight(place: Workspace, experiment: Experiment, results: Mapping[str, Any]) -> Columns:
    """Return the history of one weight under every optimizer; row 0 of each is the initial state."""
    chosen = results["one_weight"]
    parts: list[Columns] = []
    for slug, head in _optimizers(results):
        if slug not in chosen["optimizers"]:
            continue
        recording = Recording.open(place.run(_run_of(results, slug, chosen["seed"])))
        batches = min(experiment.study.batches, recording.batches)
        position, layer = chosen["position"], chosen["layer"]
        weight = np.asarray(recording.kept_weights(layer)[: batches + 1, position])
        gradient = np.asarray(recording.kept_gradients(layer)[:batches, position], np.float64)
        parts.append(
            {
                "optimizer": np.full(batches + 1, slug),
                "label": np.full(batches + 1, head["label"]),
                "layer": np.full(batches + 1, layer),
                "out": np.full(batches + 1, chosen["index"][0]),
                "in": np.full(batches + 1, chosen["index"][1]),
                "batch": np.arange(batches + 1),
                "weight": weight.astype(np.float64),
                "update": np.concatenate([[np.nan], np.diff(weight).astype(np.float64)]),
                "gradient": np.concatenate([[np.nan], gradient]),
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _run_of(results: Mapping[str, Any], slug: str, seed: int) -> str:
    study = results["study"]
    name: str = study["runs"][slug][study["seeds_of"][slug].index(seed)]
    return name


def findings(records: Sequence[Mapping[str, Any]]) -> Columns:
    """Return one row a piece of evidence, with the verdict on its claim."""
    names = ("test", "name", "layer", "window", "optimizer", "value", "low", "high", "unit", "n", "predicted", "where")
    texts = ("test", "layer", "window", "optimizer")
    rows = []
    for record in records:
        # A finding that was not tested may have no evidence: its verdict still belongs in the table.
        for evidence in record["evidence"] or [dict.fromkeys(names)]:
            cells = {name: evidence[name] for name in names}
            rows.append(
                {
                    "id": record["id"],
                    "verdict": record["verdict"],
                    **{
                        name: "" if value is None and name in (*texts, "name", "unit", "where") else value
                        for name, value in cells.items()
                    },
                }
            )
    return columns(rows, ("id", "verdict", *names))
