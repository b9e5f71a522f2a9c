"""What the words of a report say of several groups, seeds, labels and tensors: no more than is drawn."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from recordings import ADAM, noise, write_recording

from report.analysis.table import Table
from report.drawing.figures import own_heat, own_persistence, own_rates
from report.recording.schema import Note
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
            "step": [*itertools.chain(*(range(1, len(each) + 1) for each in rates))],
            "rate": [*itertools.chain(*rates)],
        }
        return words.fill(
            "own", "rates", "finding", own_rates.said({"own_rates": table(columns)}, {"label": "own", "of": None})
        )

    assert finding([0.5, 0.5]) == finding([0.5, 0.5], [0.5, 0.5])
    kept, one, first = finding([0.5, 0.5], [0.005, 0.005]), finding([0.5, 0.1]), finding([0.5, 0.1], [0.3, 0.2])
    assert "0.50" in kept
    assert "0.0050" in kept
    assert "0.50" in one
    assert "0.10" in one
    assert one in first if language == "ja" else first == one.replace("rate", "rate of group 1")
    assert len({kept, one, first}) == 3
    warmed = finding([0.1, 0.5, 0.2])
    assert all(each in warmed for each in ("0.10", "0.50", "0.20"))
    assert "0.50" not in finding([0.1, 0.2])
    dip = finding([0.5, 0.001, 0.5])
    assert "0.0010" in dip
    second = finding([0.7, 0.7], [0.5, 0.1])  # the first group keeps its rate: the other one's goes
    assert "2" in second
    assert "0.70" not in second
    both = finding([0.3, 0.5, 0.1, 0.3])
    assert all(each in both for each in ("0.30", "0.50", "0.10"))


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


def test_a_sentence_names_the_recording_whose_numbers_it_has(tmp_path: Path) -> None:
    """Of a rule that speaks of several; the section of a tensor has that tensor's own number and recording."""
    weights, gradients = noise({"a": (2, 2), "b": (2,)}, 5)
    made = [
        write_recording(tmp_path / name, weights, gradients, label=label, seed=seed, rules=[ADAM])
        for name, label, seed in (("x-1", "x", 1), ("x-2", "x", 2), ("y-1", "y", 1))
    ]
    numbers = {"ratio": 0.5, "is_last": True, "usual": 0.001, "limit": 0.01}
    worst = {"numbers": numbers, "recording": "x-2", "holds": 2}
    other = {"numbers": {**numbers, "ratio": 0.25, "is_last": False}, "recording": "x-1", "holds": 1}
    item = {"rule": "large", "level": "warning", "label": "x", "source": None, **worst, "of": 2, "likewise": ["y"]}
    item |= {"tensors": ["a", "b"], "each": {"a": worst, "b": other}}
    words = [Words.load(ROOT / "templates", each) for each in LANGUAGES]
    found = own._standout(item, Study.load(made), words)
    for language in LANGUAGES:
        said, alone = found["said"][language], found["each"]["b"][language]
        assert all(each in said for each in ("0.50", "x-2", "b", "y")), said
        assert all(each in alone for each in ("0.25", "x-1", "y")), alone
        assert "x-2" not in alone
    item |= {
        "of": 1,
        "holds": 1,
        "likewise": [],
        "label": "own",
        "each": {"a": {**worst, "holds": 1}},
        "tensors": ["a"],
    }
    said = own._standout(item, Study.load(made[:1]), words[:1])["said"]["en"]
    assert said == "One step changes a by 0.50 times its size, over the last tenth."


@pytest.mark.parametrize(("rates", "is_beyond"), [((3, 2, 1), False), ((0, 1, 2), False), ((0, 2, 1), True)])
def test_a_setting_that_only_rises_or_falls_has_its_ends_alone(rates: tuple[float, ...], is_beyond: bool) -> None:
    """Its lowest and highest value are the same two numbers; of a warm-up they are not."""
    found = own_recordings._setting(np.array(rates, float))
    assert found is not None
    assert found["is_beyond"] == is_beyond


def test_of_numbers_that_are_not_finite_the_first_is_noted(tmp_path: Path) -> None:
    """Forty tensors that follow it would fill a page with the same sentence."""
    notes = [Note("non-finite", f"A weight of {name} became infinite or NaN.", 3, (name,)) for name in ("a", "b", "c")]
    notes.append(Note("series", "…", 2))
    made = write_recording(tmp_path / "run", *noise({"a": (2, 2)}, 5), rules=[ADAM], notes=notes)
    (label,) = own_recordings.facts(Study.load(made))["labels"]
    assert [each["text"] for each in label["notes"]] == [notes[0].text, "…"]
