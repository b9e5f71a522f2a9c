"""The findings as pages show them: a line each, the evidence as a table to be read across, and what was seen before."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from report.analysis.findings.records import Evidence, Finding, Test

# What seeds 0 to 4 of the default experiment showed under the rules of today, which were written after them.
EXPLORATORY = Path(__file__).with_name("exploratory.csv")
SHARED = ("n", "window", "optimizer")  # what is said once where all pieces of evidence have it in common

Shown = dict[str, object]
Place = tuple[str | int | float | None, ...]


def page(results: Mapping[str, Any]) -> list[Shown]:
    """Return the findings in order, ready to be shown: only words are missing.

    Args:
        results: as `results.json` has them.

    Returns:
        One mapping a finding: `id`, `verdict`, `reason` (an id, or None) and `facts`, which its words are filled with;
        `headline`, see there; `constants`: `id`, `value`, `unit`; `tests` and `evidence`, see `ask` and `arrange`, None
        where there are none; `before`, see there.
    """
    shapes = {name: layer["shape"] for name, layer in results["network"]["layers"].items()}
    with EXPLORATORY.open(encoding="utf-8", newline="") as file:
        known = list(csv.DictReader(file))
    return [_shown(Finding.of(record), shapes, known) for record in results["findings"]]


def _shown(finding: Finding, shapes: Mapping[str, Sequence[int]], known: Sequence[Mapping[str, str]]) -> Shown:
    return {
        "id": finding.id,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "facts": finding.facts,
        "headline": headline(finding),
        "constants": [{"id": each.id, "value": each.value, "unit": each.unit} for each in finding.constants],
        "tests": ask(finding.tests, shapes) if finding.tests else None,
        "evidence": arrange(finding.evidence, shapes) if finding.evidence else None,
        "before": before(finding, [row for row in known if row["finding"] == finding.id]),
    }


def headline(finding: Finding) -> Shown | None:
    """Return the number that a list gives for a claim besides its verdict; None where there is none.

    Returns:
        `span`: `low` and `high` over layers and optimizers, equal for a single number; `unit`; and of momentum
        `without`, the span of the control.
    """
    found = _HEADLINES[finding.id](finding, [each for each in finding.evidence if each.value is not None])
    return None if None in found.values() else found


def _span(values: Iterable[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    return {"low": min(known), "high": max(known)} if known else None


def _of(identity: str) -> Callable[[Finding, list[Evidence]], Shown]:
    """Return a function that gives the span of a measure, of what a test looks at."""

    def find(_: Finding, numbers: list[Evidence]) -> Shown:
        found = [each for each in numbers if each.id == identity and each.test is not None]
        return {"span": _span(each.value for each in found), "unit": next((each.unit for each in found), None)}

    return find


def _factor(_: Finding, numbers: list[Evidence]) -> Shown:
    """Give the factors between the formula and the measured runs, whichever is greater."""
    pairs = [(each.value, each.predicted) for each in numbers]
    return {"span": _span(max(one / other, other / one) for one, other in pairs if one and other), "unit": "ratio"}


def _with_and_without(finding: Finding, numbers: list[Evidence]) -> Shown:
    """Give the mean runs of the main optimizer, and those of the control without momentum."""
    with_momentum, without = (
        _span(each.value for each in numbers if (each.id, each.optimizer) == ("mean_run", finding.about[name]))
        for name in ("main", "control")
    )
    return {"span": with_momentum, "without": without, "unit": "batches"}


def _recorded_and_tossed(_: Finding, numbers: list[Evidence]) -> Shown:
    """Give the mean runs as recorded and with tossed signs, in the window that the tests look at."""
    window = next((each.window for each in numbers if each.test is not None), None)
    recorded, tossed = (
        _span(each.value for each in numbers if (each.id, each.window) == (name, window))
        for name in ("mean_run", "mean_run_toss")
    )
    return {"span": recorded, "tossed": tossed, "unit": "batches"}


_HEADLINES: Mapping[str, Callable[[Finding, list[Evidence]], Shown]] = {
    "streaks": _recorded_and_tossed,
    "together": _of("output"),
    "loop": _of("lean_difference"),
    "formula": _factor,
    "persistence": _of("mean_run"),
    "momentum": _with_and_without,
    "layer-3-4-quiet": _of("beside_opacity"),
    "layer-3-4-late": _of("growth_opacity"),
    "accuracy": _of("accuracy"),
}


def ask(tests: Sequence[Test], shapes: Mapping[str, Sequence[int]]) -> Shown:
    """Return what was asked: a row for each question, a column for each layer.

    Returns:
        `columns`, see `arrange`; `rows`: `id`, `optimizer` and `against` (None where the question names none), and
        `cells`: an answer, see `answer`, or None where it was not asked.
    """
    layers = list(dict.fromkeys(each.layer for each in tests))
    rows: dict[Place, dict[str | None, str]] = {}
    for each in tests:
        rows.setdefault((each.id, each.optimizer, each.against), {})[each.layer] = answer(each)
    return {
        "columns": _columns(layers, shapes),
        "rows": [
            {"id": identity, "optimizer": optimizer, "against": against, "cells": [cells.get(each) for each in layers]}
            for (identity, optimizer, against), cells in rows.items()
        ],
    }


def answer(test: Test) -> str:
    """Return `yes`, `no` where the evidence says the opposite, `not_shown` where it leaves both, `open` without any."""
    if test.holds is None:
        return "open"
    return "yes" if test.holds else "no" if test.refuted else "not_shown"


def arrange(evidence: Sequence[Evidence], shapes: Mapping[str, Sequence[int]]) -> Shown:
    """Return pieces of evidence by row and column, in the order in which the evidence has them.

    Returns:
        `columns`: `layer` and its `shape`, None for what is of no single layer; `rows`: `id`, `unit` and, None where it
        is said of all, `optimizer`, `against`, `window`, and `cells`: `value`, `low`, `high`, `predicted` and `n` (None
        where it is said of all), or None for what does not exist; `shared`: what all pieces have in common, of n,
        window and optimizer, None for the rest; `has_intervals` and `is_geometric`, of the means; `tables`: `name` and
        `path` of those that the pieces are in.
    """
    sets = {name: {getattr(each, name) for each in evidence} for name in SHARED}
    shared = {name: next(iter(values)) if len(values) == 1 else None for name, values in sets.items()}
    layers = list(dict.fromkeys(each.layer for each in evidence))
    heads = ("id", "unit", "optimizer", "against", "window")
    rows: dict[Place, dict[str | None, Shown]] = {}
    for each in evidence:
        cell = {name: getattr(each, name) for name in ("value", "low", "high", "predicted", "n")}
        place = tuple(getattr(each, name) for name in heads)
        rows.setdefault(place, {})[each.layer] = cell | ({"n": None} if shared["n"] is not None else {})
    said_of_all = {name: None for name in ("optimizer", "window") if shared[name] is not None}
    return {
        "columns": _columns(layers, shapes),
        "rows": [
            {**dict(zip(heads, place, strict=True)), **said_of_all, "cells": [cells.get(each) for each in layers]}
            for place, cells in rows.items()
        ],
        "shared": shared,
        "has_intervals": any(each.low is not None for each in evidence),
        "is_geometric": all(each.unit == "ratio" for each in evidence),
        "tables": [{"name": Path(path).name, "path": path} for path in dict.fromkeys(each.where for each in evidence)],
    }


def _columns(layers: Iterable[str | None], shapes: Mapping[str, Sequence[int]]) -> list[Shown]:
    return [{"layer": each, "shape": None if each is None else shapes[each]} for each in layers]


def before(finding: Finding, known: Sequence[Mapping[str, str]]) -> Shown:
    """Return what the deciding numbers were on the exploratory seeds, beside what they are now.

    Args:
        finding: as it is now.
        known: rows of the exploratory table for its claim.

    Returns:
        `verdict`, None for a claim that was not asked; `rows`: as those of `arrange`, with `layer`, and instead of
        cells `then` and `now`, each `value`, `low`, `high`.
    """
    names = ("layer", "optimizer", "against")
    now = {(each.id, *(getattr(each, name) or "" for name in names)): each for each in reversed(finding.evidence)}
    rows: list[Shown] = []
    for row in known:
        each = now.get((row["evidence"], *(row[name] for name in names)))
        if each is not None and each.value is not None:
            then = {end: float(row[end]) for end in ("value", "low", "high")}
            head = {name: getattr(each, name) for name in ("id", "unit", *names)} | {"window": None}
            rows.append({**head, "then": then, "now": {"value": each.value, "low": each.low, "high": each.high}})
    return {"verdict": known[0]["verdict"] if known else None, "rows": rows}
