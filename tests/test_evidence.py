"""Findings as pages show them: nothing is lost on the way, and every id has its words in every language."""

import tomllib
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from conftest import ROOT, Build
from test_findings import LAYERS, MAIN, PLAIN, Study, spread

from report import files
from report.analysis import intervals
from report.analysis.findings.records import Evidence, Finding, Test
from report.site import evidence
from report.site.words import Words

LANGUAGES = sorted(path.name for path in (ROOT / "templates").iterdir() if path.is_dir())
SHAPES = {layer: [10, 100] for layer in (*LAYERS, "l1", "l2")}


def piece(value: float | None, **more: Any) -> Evidence:
    """Return a piece of evidence."""
    given = {"layer": "l3", "optimizer": "SGD", "window": "101-1000", "where": "tables/a.csv", "n": 5, **more}
    return Evidence(id=given.pop("id", "mean_run"), value=value, low=None, high=None, unit="batches", **given)


def shown(study: Study) -> list[dict[str, Any]]:
    """Return the findings of a made-up study as pages show them."""
    shapes = {"layers": {layer: {"shape": shape} for layer, shape in SHAPES.items()}}
    return evidence.page({"findings": study.findings(), "network": shapes})


def test_a_row_for_each_measure_and_optimizer_a_column_for_each_layer() -> None:
    """In the order of the evidence; a gap where there is none."""
    given = [piece(1, layer="l4"), piece(2), piece(3, optimizer="Adam"), piece(4, id="dwell_q1", where="tables/b.csv")]
    table: Any = evidence.arrange(given, SHAPES)
    assert [column["layer"] for column in table["columns"]] == ["l4", "l3"]
    assert table["columns"][0]["shape"] == [10, 100]
    cells = {(row["id"], row["optimizer"]): [each and each["value"] for each in row["cells"]] for row in table["rows"]}
    assert cells == {
        ("mean_run", "SGD"): [1, 2],
        ("mean_run", "Adam"): [None, 3],
        ("dwell_q1", "SGD"): [None, 4],
    }
    assert [file["name"] for file in table["tables"]] == ["a.csv", "b.csv"]


def test_what_was_compared_and_when_tells_rows_apart() -> None:
    """The same measure at the start and later, and beside two controls, are other rows."""
    given = [piece(1), piece(2, window="1-100"), piece(3, against="Adam"), piece(4, against="RMSprop")]
    table: Any = evidence.arrange(given, SHAPES)
    assert [row["cells"][0]["value"] for row in table["rows"]] == [1, 2, 3, 4]


def test_only_what_all_have_in_common_is_said_of_all() -> None:
    """A study in which one optimizer has lost a training run has no common n."""
    table: Any = evidence.arrange([piece(1), piece(2, layer="l4")], SHAPES)
    assert table["shared"] == {"n": 5, "window": "101-1000", "optimizer": "SGD"}
    assert (table["rows"][0]["optimizer"], table["rows"][0]["cells"][0]["n"]) == (None, None)
    table = evidence.arrange([piece(1), piece(2, optimizer="Adam", n=4)], SHAPES)
    assert table["shared"] == {"n": None, "window": "101-1000", "optimizer": None}
    assert [row["cells"][0]["n"] for row in table["rows"]] == [5, 4]


def test_questions_have_an_answer_for_each_layer() -> None:
    """Those that name an optimizer stand in a row of their own."""
    given = [
        *(Test("near", True, "l3", refuted=False), Test("near", None, "l4")),
        *(Test("near", False, "l3", "SGD", refuted=False), Test("near", False, "l4", "SGD", refuted=True)),
    ]
    table: Any = evidence.ask(given, SHAPES)
    assert [(row["optimizer"], row["cells"]) for row in table["rows"]] == [
        (None, ["yes", "open"]),
        ("SGD", ["not_shown", "no"]),
    ]


def test_the_number_that_a_list_gives() -> None:
    """Over the drawn layers, of what the rule looks at; computed here from what was put in."""
    study = Study()
    study.keep(0.9, "l3")
    study.keep(1.1, "l4", "l5")
    study.together(PLAIN, "l5", 0.8)
    study.run("adam-b1-0.99", "l4", 11.0)  # by the formula 22.2
    study.run(MAIN, "l3", 8.0)
    study.run(PLAIN, "l3", 1.5)
    study.size("l4", "1-100", "opacity", 0.02)
    study.size("l4", "101-1000", "opacity", 0.01)
    found = {each["id"]: each["headline"] for each in shown(study)}
    spans = {name: (each["span"]["low"], each["span"]["high"]) for name, each in found.items()}
    assert spans == {
        "streaks": pytest.approx((10, 10)),
        "together": pytest.approx((0.7, 0.8)),
        "loop": pytest.approx((1.2, 2.8)),  # 2 below its toss, and ±0.1 of 8 above it
        "formula": pytest.approx((1, 22.196 / 11), rel=1e-3),
        "persistence": pytest.approx((6.965, 8), rel=1e-3),
        "momentum": pytest.approx((6.965, 8), rel=1e-3),
        "layer-3-4-quiet": pytest.approx((2, 2)),
        "layer-3-4-late": pytest.approx((0.5, 0.5)),
        "accuracy": pytest.approx((0.956, 0.956)),
    }
    assert found["streaks"]["tossed"] == pytest.approx({"low": 2 + 0.9 * 8, "high": 2 + 1.1 * 8})
    assert found["momentum"]["without"] == pytest.approx({"low": 1.5, "high": 2})


def test_a_claim_without_a_number_has_none_in_a_list() -> None:
    """As where nothing is drawn, or momentum has no control."""
    study = Study(optimizers=(MAIN, "adam-b1-0.99"))
    assert {each["id"] for each in shown(study) if each["headline"] is None} == {"loop", "momentum"}
    study.results["drawn"] = []
    assert {each["id"] for each in shown(study) if each["headline"]} == {"accuracy"}


def test_tables_have_every_piece_of_evidence_and_every_answer(tiny_build: Build) -> None:
    """As many cells as results.json has pieces, each with its numbers."""
    results = files.read_json(tiny_build.workspace.results)
    count = 0
    for record, found in zip(results["findings"], evidence.page(results), strict=True):
        table: Any = found["evidence"] or {"rows": []}
        cells = [cell for row in table["rows"] for cell in row["cells"] if cell]
        numbers = ("value", "low", "high", "predicted")
        assert sorted(repr([cell[name] for name in numbers]) for cell in cells) == sorted(
            repr([each[name] for name in numbers]) for each in record["evidence"]
        )
        asked: Any = found["tests"] or {"rows": []}
        assert len([each for row in asked["rows"] for each in row["cells"] if each]) == len(record["tests"])
        count += len(cells)
    assert count > 20


def test_the_exploratory_numbers_stand_beside_those_of_now(tiny_build: Build) -> None:
    """Each row of the kept table that this study has, too, with the number of the same measure, layer and optimizer."""
    results = files.read_json(tiny_build.workspace.results)
    for record, found in zip(results["findings"], evidence.page(results), strict=True):
        before: Any = found["before"]
        assert before["verdict"] in ("supported", "not supported", "mixed")
        assert before["rows"] or record["id"] in ("momentum", "layer-3-4-late")
        for row in before["rows"]:
            place = {name: row[name] for name in ("id", "layer", "optimizer", "against")}
            every = [each for each in record["evidence"] if place.items() <= each.items()]
            assert row["now"]["value"] in [each["value"] for each in every]
            assert row["then"]["low"] <= row["then"]["value"] <= row["then"]["high"]


def studies() -> Iterator[Study]:
    """Yield studies that give every verdict, and every reason for none."""
    for optimizers in ((MAIN,), (MAIN, "sgd"), (MAIN, PLAIN)):
        yield Study(optimizers=optimizers)
    yield Study()
    yield Study(seeds=1)
    far = Study()
    far.results["accuracy"]["validation"] |= {"mean": 0.9, "low": 0.89, "high": 0.91}
    yield far
    plain = Study(optimizers=(PLAIN, "sgd"))
    plain.results["study"]["main"] = PLAIN
    plain.rows = {key: row for key, row in plain.rows.items() if key.label != MAIN}
    yield plain
    still = Study()
    still.rows = {key: row for key, row in still.rows.items() if key.applied != MAIN}
    yield still
    silent = Study()
    for layer in LAYERS:
        silent.run(MAIN, layer, intervals.estimate([None, None, None]))
        silent.together(MAIN, layer, spread(0.5))
    yield silent
    for part, key, value in (
        ("study", "late", "all"),
        ("data", "source", "sample"),
        ("data", "source", None),
        ("data", "epochs", 2.0),
        ("about", "network", None),
    ):
        study = Study()
        if key == "late":
            study.rows = {key._replace(window="all"): row for key, row in study.rows.items()}
        study.results[part][key] = value
        yield study
    for drawn in ([], ["l3", "l4"]):
        study = Study()
        study.results["drawn"] = drawn
        yield study


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_id_has_its_words(language: str) -> None:
    """Whatever comes out can be said; nothing is said that never comes out; headlines are short."""
    words = Words.load(ROOT / "templates", language)
    used: set[tuple[str, str]] = set()

    def say(section: str, key: str, **facts: Any) -> str:
        used.add((section, key))
        text = words.fill("findings", section, key, facts)
        assert "None" not in text, text
        return text

    for found in chain.from_iterable(shown(study) for study in studies()):
        facts = found["facts"]
        assert say(found["id"], "claim", **facts)
        assert say(found["id"], "rule", **facts)
        assert say("verdicts", found["verdict"])
        if found["headline"]:
            assert len(say(found["id"], "headline", **found["headline"]).split()) <= 12
        if found["reason"]:
            assert say("reasons", found["reason"], **facts)
        for each in found["constants"]:
            assert say("units", each["unit"], value=each["value"])
            assert say("constants", each["id"], **facts)
        for row in found["tests"]["rows"] if found["tests"] else ():
            assert say(found["id"], row["id"], optimizer=row["optimizer"], against=row["against"], **facts)
            assert all(say("answers", answer) for answer in row["cells"] if answer)
        for row in found["evidence"]["rows"] if found["evidence"] else ():
            assert say("evidence", row["id"], **facts)
    written = tomllib.loads((ROOT / "templates" / language / "words" / "findings.toml").read_text(encoding="utf-8"))
    there = {(section, key) for section, texts in written.items() if section != "page" for key in texts}
    assert there == used


def test_a_finding_comes_back_as_it_was_written() -> None:
    """From results.json, with its constants among the facts."""
    for record in Study().findings():
        found = Finding.of(record)
        assert found.as_dict() == record
        assert found.facts.keys() >= {each["id"] for each in record["constants"]} | record["about"].keys()
