"""The study's tables: what a reader downloads and what its figures are drawn from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from report.analysis import history, updates
from report.analysis.measures import SCALARS
from report.analysis.rules import Theory
from report.analysis.tables import Columns, columns, stack
from report.recording.study import Study

Row = dict[str, Any]
Predicted = Mapping[str, Mapping[str, Theory | None]]  # by slug and tensor

# Which of theory's numbers stands beside which of ours. Where a summary holds its own prediction, see `_beside`.
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
ENDS = ("mean", "low", "high", "n")


def tables(study: Study, results: Mapping[str, Any], predicted: Predicted) -> dict[str, Columns]:
    """Return every table of the study by its name; none that would have no row.

    Args:
        study: for the one weight whose history is shown.
        results: what `report.analysis.report` writes.
        predicted: what chance predicts, by slug and tensor.
    """
    found: dict[str, list[Row]] = {}
    for quantity in SCALARS:
        found[quantity] = list(_summaries(results, quantity, predicted))
        found[f"{quantity}_runs"] = list(_per_run(results, quantity))
    found["autocorrelation"] = list(_lags(results, predicted))
    found["run_lengths"] = list(_lengths(results, predicted))
    found["startup"] = list(_curve(results, "startup", predicted))
    found["agreement_batches"] = list(_curve(results, "agreement", predicted))
    found["accuracy"] = [{"run": name, **row} for name, row in results["accuracy"]["runs"].items()]
    found["findings"] = list(_findings(results["findings"]))
    made: dict[str, Columns] = {name: columns(rows) for name, rows in found.items() if rows}
    if results["one_weight"] is not None:
        made["one_weight"] = one_weight(study, results["one_weight"])
    return made


def _optimizers(results: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    """Yield slug and leading columns of each optimizer."""
    for each in results["study"]["optimizers"]:
        yield each["slug"], {"optimizer": each["slug"], "label": each["label"], "momentum": each["momentum"]}


def _summarised(
    results: Mapping[str, Any], quantity: str, predicted: Predicted
) -> Iterator[tuple[Row, Mapping[str, Any], Theory]]:
    """Yield leading columns, what was summarised and what theory predicts, for each optimizer, tensor and window."""
    for slug, head in _optimizers(results):
        for tensor, by_window in results["summary"][quantity][slug].items():
            for window, numbers in by_window.items():
                yield {**head, "layer": tensor, "window": window}, numbers, predicted[slug].get(tensor) or {}


def _summaries(results: Mapping[str, Any], quantity: str, predicted: Predicted) -> Iterator[Row]:
    """Yield mean and interval of each number of a quantity."""
    for head, numbers, theory in _summarised(results, quantity, predicted):
        for name, found in numbers.items():
            known = THEORY.get(quantity, {}).get(name)
            expected = theory.get(known) if known else _beside(numbers, name)
            yield {**head, "name": name, **{end: found[end] for end in ENDS}, "theory": expected}


def _beside(numbers: Mapping[str, Any], name: str) -> float | None:
    """Return the prediction that stands among the numbers themselves: `chance_q1` beside `spell_q1`."""
    which, _, suffix = name.partition("_")
    if which != "spell":
        return None
    predicted: float | None = numbers[f"chance_{suffix}"]["mean"]
    return predicted


def _per_run(results: Mapping[str, Any], quantity: str) -> Iterator[Row]:
    """Yield the numbers of each training run, one row a tensor and window; none where a run has no such number."""
    study, measured = results["study"], results[quantity]
    every = [numbers for run in measured.values() for found in run.values() for numbers in found.values()]
    names = list(next((numbers for numbers in every if numbers is not None), []))
    for slug, _ in _optimizers(results) if names else ():
        for run, seed in zip(study["runs"][slug], study["seeds_of"][slug], strict=True):
            for tensor in [each for each in results["network"]["layers"] if each in measured[run]]:
                for window, numbers in measured[run][tensor].items():
                    found = {name: None if numbers is None else numbers[name] for name in names}
                    yield {"run": run, "optimizer": slug, "seed": seed, "layer": tensor, "window": window, **found}


def _series(found: Mapping[str, Any], place: int) -> Row:
    return {**{end: found[end][place] for end in ("mean", "low", "high")}, "n": found["n"]}


def _lags(results: Mapping[str, Any], predicted: Predicted) -> Iterator[Row]:
    for head, both, theory in _summarised(results, "autocorrelation", predicted):
        for which, found in both.items():
            for place in range(len(found["mean"])):
                # Independent gradients are not correlated; momentum correlates what is made of them.
                of_updates = theory["autocorrelation"][place] if theory else None
                expected = 0.0 if which == "gradients" else of_updates
                yield {**head, "series": which, "lag": place + 1, **_series(found, place), "theory": expected}


def _lengths(results: Mapping[str, Any], predicted: Predicted) -> Iterator[Row]:
    for head, both, theory in _summarised(results, "run_lengths", predicted):
        found = both["probability"]
        for place in range(len(found["mean"])):
            expected = theory["run_lengths"][place] if theory else None
            yield {**head, "length": place + 1, **_series(found, place), "theory": expected}


def _curve(results: Mapping[str, Any], which: str, predicted: Predicted) -> Iterator[Row]:
    for slug, whole in _optimizers(results):
        head = {"optimizer": slug, "label": whole["label"]}
        for tensor, found in results["curves"][which].get(slug, {}).items():
            theory = predicted[slug].get(tensor) or {}
            start = theory.get("startup") or {"mean_absolute": [None] * len(found["batch"])}
            for place, batch in enumerate(found["batch"]):
                expected = theory.get("agreement") if which == "agreement" else start["mean_absolute"][place]
                yield {**head, "layer": tensor, "batch": batch, **_series(found, place), "theory": expected}


def one_weight(study: Study, chosen: Mapping[str, Any]) -> Columns:
    """Return the history of one weight under every optimizer; row 0 of each is the initial state.

    Args:
        study: that has its recordings.
        chosen: see `comparison.one_weight`.
    """
    parts: list[Columns] = []
    for label in study.labels:
        recording = study.find(label, chosen["seed"])
        if recording is None or study.slug(label) not in chosen["optimizers"]:
            continue
        numbers = updates.trajectory(recording, chosen["layer"], study.steps).numbers
        rows = history.columns(recording, chosen["layer"], chosen["position"], numbers)
        count = len(rows["batch"])
        parts.append({"optimizer": np.full(count, study.slug(label)), "label": np.full(count, label), **rows})
    return stack(parts)


def _findings(records: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Yield one row a piece of evidence, with the verdict on its claim."""
    texts = ("test", "name", "layer", "window", "optimizer", "unit", "where")
    names = ("test", "name", "layer", "window", "optimizer", "value", "low", "high", "unit", "n", "predicted", "where")
    for record in records:
        # A finding that was not tested may have no evidence: its verdict still belongs in the table.
        for evidence in record["evidence"] or [dict.fromkeys(names)]:
            cells = {name: "" if evidence[name] is None and name in texts else evidence[name] for name in names}
            yield {"id": record["id"], "verdict": record["verdict"], **cells}
