"""Facts: what pages state by name, against the table and the results themselves."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from conftest import Build

from report import files
from report.analysis import results as analysed
from report.site.facts import article, run
from report.site.facts.numbers import Numbers, span


@pytest.fixture(scope="module")
def numbers(tiny_build: Build) -> Numbers:
    """Return the numbers of the tiny build."""
    results = analysed.read(tiny_build.workspace)
    return Numbers(results, analysed.numbers(tiny_build.workspace, results))


def changed(numbers: Numbers, **study_facts: Any) -> Numbers:
    """Return numbers of a study that differs in what is given."""
    results = deepcopy(dict(numbers.results))
    results["study"].update(study_facts)
    return Numbers(results, numbers.table)


def leaves(tree: Any) -> Iterator[Any]:
    """Yield every value of nested facts."""
    if isinstance(tree, dict | list):
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from leaves(each)
    else:
        yield tree


def test_facts_are_json(tiny_build: Build) -> None:
    """They are written as one file, and pages are filled from it alone."""
    facts = files.read_json(tiny_build.workspace.facts)
    assert set(facts) == {"study", "article", "run", "verdicts", "findings", "made"}
    assert json.loads(json.dumps(facts)) == facts
    assert all(isinstance(each, bool | int | float | str | None) for each in leaves(facts))


def test_a_span_is_the_least_and_the_greatest() -> None:
    """Of what exists."""
    assert span([3.0, None, 1.5]) == {"low": 1.5, "high": 3.0}
    assert span({"a": 2.0}) == {"low": 2.0, "high": 2.0}
    assert span([None]) == {"low": None, "high": None}


@pytest.mark.parametrize(
    ("answers", "kind", "holds", "fails"),
    [
        ([], "untested", [], []),
        ([("a", None)], "untested", [], []),
        ([("a", True), ("b", True)], "all", ["a", "b"], []),
        ([("a", True), ("b", False)], "some", ["a"], ["b"]),
        ([("a", False), ("b", False)], "none", [], ["a", "b"]),
        ([("a", True), ("a", False)], "none", [], ["a"]),
    ],
)
def test_how_a_test_came_out(
    answers: list[tuple[str, bool | None]], kind: str, holds: list[str], fails: list[str]
) -> None:
    """Over its layers; a layer holds where every test of it does. Other tests do not count."""
    tests = [{"id": "grows", "layer": layer, "holds": answer} for layer, answer in answers]
    tests.append({"id": "returns", "layer": "z", "holds": False})
    assert article.outcome(tests, "grows") == {"kind": kind, "holds": holds, "fails": fails}


def test_runs_are_those_of_the_table(numbers: Numbers) -> None:
    """The main optimizer's, tossed, and the control's: least and greatest over the drawn layers."""
    facts = article.facts(numbers)["runs"]
    table, late = numbers.table, numbers.late
    measured = [table.get("persistence", "mean_run", numbers.main, layer, late).mean for layer in numbers.drawn]
    tossed = [
        table.get("transplants", "toss", numbers.main, layer, late, applied=numbers.main).mean
        for layer in numbers.drawn
    ]
    assert facts["main"] == {"low": min(measured), "high": max(measured)}
    assert facts["toss"] == {"low": min(tossed), "high": max(tossed)}
    plain = numbers.plain
    assert plain is not None
    assert (plain["name"], plain["momentum"]) == ("Adam", 0)
    assert facts["formula"] == pytest.approx(6.9654, abs=1e-4)


def test_less_is_left_at_first_only_where_every_interval_says_so(numbers: Numbers) -> None:
    """A share at the start counts as less where its interval ends below the later share, in every layer."""

    def study_with(*shares: tuple[str, str, float, float]) -> Numbers:
        made = changed(numbers)
        made.finding("streaks")["evidence"] = [
            {"unit": "fraction", "layer": layer, "window": window, "value": value, "high": high, "low": 0.0}
            for layer, window, value, high in shares
        ]
        return made

    late, less, more = numbers.late, ("a", "1-100", 0.4, 0.5), ("b", "1-100", 0.8, 0.95)
    assert article.is_less_at_first(study_with(("a", late, 0.9, 1.0), less))
    assert not article.is_less_at_first(study_with(("a", late, 0.9, 1.0), less, ("b", late, 0.9, 1.0), more))
    assert not article.is_less_at_first(study_with(("a", late, 0.9, 1.0)))
    assert not article.is_less_at_first(study_with())


def test_the_run_tells_of_every_layer(numbers: Numbers) -> None:
    """Each with its threshold and its sizes by window."""
    layers = run.facts(numbers)["layers"]
    assert list(layers) == list(numbers.results["tensors"])
    for name, layer in layers.items():
        assert layer["law"]["full_colour"] <= layer["law"]["deviations"], name
        assert layer["sizes"]["all"]["mean_absolute_update"] >= 0


def test_claims_are_parted(tiny_build: Build) -> None:
    """This project's own first, then the Qiita article's; together all of them."""
    parted = files.read_json(tiny_build.workspace.facts)["findings"]
    assert parted["all"] == parted["ours"] + parted["theirs"]
    assert parted["theirs"][0]["id"] == "persistence"
