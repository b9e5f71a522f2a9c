"""What the words of a report say of several groups, seeds, labels and tensors: no more than is drawn."""

import itertools

import numpy as np
import pytest
from conftest import ROOT
from recordings import ADAM, noise, write_recording

from report.analysis.table import Table
from report.drawing.figures import own_heat, own_persistence, own_rates
from report.recording.study import Study
from report.site.facts import own, own_recordings
from report.site.words import Words

LANGUAGES = ("en", "ja")
HEAT = {"tensor": ["a"], "first_step": [1], "last_step": [2], "ratio": [1e-3]}


def table(columns: dict[str, list[object]]) -> Table:
    """Return a table of columns."""
    return {name: np.array(values) for name, values in columns.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rate_that_goes_is_that_of_its_group(language: str) -> None:
    """Of two groups that keep different rates none goes anywhere; of two that go, the first one's ends are named."""
    words = Words.load(ROOT / "templates", language)

    def finding(*rates: list[float]) -> str:
        groups = [number for number, each in enumerate(rates, start=1) for _ in each]
        columns = {
            "label": ["own"] * len(groups),
            "group": groups,
            "step": [1, 2] * len(rates),
            "rate": [*itertools.chain(*rates)],
        }
        return words.fill("own", "rates", "finding", own_rates.said({"own_rates": table(columns)}, {"label": "own"}))

    assert finding([0.5, 0.5]) == finding([0.5, 0.5], [0.5, 0.5])
    kept, one, first = finding([0.5, 0.5], [0.005, 0.005]), finding([0.5, 0.1]), finding([0.5, 0.1], [0.3, 0.2])
    assert "0.50" in kept
    assert "0.0050" in kept
    assert "0.50" in one
    assert "0.10" in one
    assert one in first if language == "ja" else first == one.replace("rate", "rate of group 1")
    assert len({kept, one, first}) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_recording_of_several_is_named(language: str) -> None:
    """The heat map shows one; where there is no other, its name would say nothing."""
    words = Words.load(ROOT / "templates", language)
    for runs, is_named in (
        ({"adam": ["a0"]}, False),
        ({"adam": ["a0", "a1"]}, True),
        ({"x": ["a0"], "y": ["b"]}, True),
    ):
        facts = own_heat.facts({"tensors": ["a"], "steps": 2, "main": "a0", "study": {"runs": runs}}, table({}))
        assert facts is not None
        said = own_heat.said({"own_heat": table(HEAT)}, facts)
        assert ("a0" in words.fill("own", "heat", "caption", said)) == is_named


@pytest.mark.parametrize("language", LANGUAGES)
def test_streaks_are_those_of_a_label_and_lines_are_explained(language: str) -> None:
    """The numbers are the first label's; what is drawn through a dot is there with seeds alone."""
    words = Words.load(ROOT / "templates", language)

    def texts(labels: list[str], low: float) -> tuple[str, str]:
        columns = {"label": labels, "tensor": ["a"] * len(labels), "mean_run_low": [low] * len(labels)}
        rest = dict.fromkeys(("mean_run", "mean_run_high", "toss", "formula_run", "over", "steps"), [5.0] * len(labels))
        facts = {"names": ["a"], "labels": labels, "left_out": 0}
        said = own_persistence.said({"own_tensors": table({**columns, **rest})}, facts)
        return words.fill("own", "persistence", "finding", said), words.fill("own", "persistence", "caption", said)

    alone, together = texts(["adam"], float("nan")), texts(["adam", "sgd"], 4.0)
    assert ["adam" in alone[0], "adam" in together[0], "sgd" in together[0]] == [False, True, False]
    assert ["95" in alone[1], "95" in together[1]] == [False, True]


@pytest.mark.parametrize(("rule", "has_degree"), [("no_gradient", False), ("still", False), ("large", True)])
def test_only_what_has_a_degree_is_less_so_elsewhere(
    rule: str, has_degree: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A tensor that never had a gradient had it no more seldom than the next one."""
    weights, gradients = noise({"a": (2, 2), "b": (2,)}, 5)
    study = Study.load(write_recording(tmp_path_factory.mktemp("own") / "run", weights, gradients, rules=[ADAM]))
    numbers = {"steps": 5, "rate_is_zero": False, "ratio": 0.5, "usual": 0.001, "limit": 0.01}
    item = {"rule": rule, "level": "error", "label": "run", "numbers": numbers, "holds": 1, "of": 1, "source": None}
    item |= {"tensors": ["a", "b"], "each": {"a": numbers, "b": {**numbers, "ratio": 0.25}}}
    words = [Words.load(ROOT / "templates", each) for each in LANGUAGES]
    found = own._standout(item, study, words)
    said = found["said"]
    # The section of a tensor speaks of that one alone, with its own number.
    assert [("0.25" in found["each"]["b"][each]) for each in LANGUAGES] == [has_degree] * 2
    assert all(said[each].startswith(found["each"]["a"][each]) for each in LANGUAGES)
    assert ("less so" in said["en"]) == has_degree
    assert ("程度は小さい" in said["ja"]) == has_degree
    assert all("b" in each for each in said.values())


@pytest.mark.parametrize(("rates", "is_beyond"), [((3, 2, 1), False), ((0, 1, 2), False), ((0, 2, 1), True)])
def test_a_setting_that_only_rises_or_falls_has_its_ends_alone(rates: tuple[float, ...], is_beyond: bool) -> None:
    """Its lowest and highest value are the same two numbers; of a warm-up they are not."""
    found = own_recordings._setting(np.array(rates, float))
    assert found is not None
    assert found["is_beyond"] == is_beyond
