"""The rules, with made-up evidence that must come out each way; the boundaries are those that the constants name."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from report.analysis import intervals, theory
from report.analysis.findings.claims import findings
from report.analysis.findings.records import (
    MIXED,
    NOT_SUPPORTED,
    NOT_TESTED,
    SUPPORTED,
    VERDICTS,
    Test,
    decide,
    geometric,
)
from report.analysis.intervals import Estimate
from report.analysis.table import Key, Rows, Table

LAYERS = ("l3", "l4", "l5")
OPTIMIZERS = {
    "adam-b1-0.9": ("Adam", {"lr": 0.001, "betas": [0.9, 0.999]}, 0.9),
    "adam-b1-0": ("Adam", {"lr": 0.001, "betas": [0.0, 0.999]}, 0.0),
    "adam-b1-0.99": ("Adam", {"lr": 0.001, "betas": [0.99, 0.999]}, 0.99),
    "sgd": ("SGD", {"lr": 0.1}, 0.0),
    "sgd-m0.9": ("SGD", {"lr": 0.01, "momentum": 0.9}, 0.9),
}
Numbers = dict[str, Any]


def summary(*values: float) -> Estimate:
    """Estimate of one value a seed."""
    return intervals.estimate(values)


def spread(value: float, seeds: int = 3) -> Estimate:
    """Summarise seeds that scatter by a per cent around `value`."""
    return summary(*(value * (1 + 0.01 * (number - (seeds - 1) / 2)) for number in range(seeds)))


class Study:
    """Hold made-up results; by default exactly what chance predicts, and three layers that are updated alike."""

    def __init__(self, seeds: int = 3, optimizers: tuple[str, ...] = tuple(OPTIMIZERS)) -> None:
        """Fill in every number that a rule reads."""
        self.seeds = seeds
        self.results: Numbers = {
            "about": {"network": {"hidden": [1000, 100, 10, 10], "dropout": 0.2}, "training": {"batch_size": 16}},
            "tensors": ["l1", "l2", *LAYERS],
            "drawn": list(LAYERS),
            "data": {"source": "mnist", "epochs": 1.0},
            "accuracy": {"validation": asdict(spread(0.956, seeds))},
            "study": {
                "main": "adam-b1-0.9",
                "late": "101-1000",
                "batches": 1000,
                "optimizers": [
                    {
                        "slug": slug,
                        "label": slug.upper(),
                        "name": OPTIMIZERS[slug][0],
                        "momentum": OPTIMIZERS[slug][2],
                        "learning_rate": OPTIMIZERS[slug][1]["lr"],
                        "arguments": {"eps": 1e-8, "weight_decay": 0, "betas": [0.9, 0.999]},
                    }
                    for slug in optimizers
                ],
                "runs": {slug: [f"{slug}-seed{seed}" for seed in range(seeds)] for slug in optimizers},
                "seeds_of": {slug: list(range(seeds)) for slug in optimizers},
            },
        }
        self.theories = {slug: theory.describe(*OPTIMIZERS[slug][:2]) for slug in optimizers}
        self.rows: Rows = {}
        for slug in optimizers:
            for layer in LAYERS:
                self.run(slug, layer, theory.mean_run(OPTIMIZERS[slug][2]))
        for layer in LAYERS:
            self.dwell(layer, 2.4)
            for window in ("1-100", "101-1000"):
                for unit in ("opacity", "absolute", "relative"):
                    self.size(layer, window, unit, 0.01)

    def _set(self, quantity: str, slug: str, layer: str, window: str, name: str, value: float | Estimate) -> None:
        found = value if isinstance(value, Estimate) else spread(value, self.seeds)
        self.rows[Key(quantity, name, slug, layer, window)] = found

    def run(self, slug: str, layer: str, value: float | Estimate) -> None:
        """Set a mean same-sign run after the start."""
        self._set("persistence", slug, layer, "101-1000", "mean_run", value)

    def dwell(self, layer: str, value: float | Estimate) -> None:
        """Set the dwell of the main optimizer at every threshold."""
        for suffix in ("q1", "q05", "q025"):
            self._set("dwell", "adam-b1-0.9", layer, "101-1000", f"spell_{suffix}", value)
            self._set("dwell", "adam-b1-0.9", layer, "101-1000", f"chance_{suffix}", 2.4)

    def size(self, layer: str, window: str, unit: str, value: float | Estimate) -> None:
        """Set how much a layer is updated."""
        self._set("units", "adam-b1-0.9", layer, window, unit, value)

    def find(self, identity: str) -> Numbers:
        """Return one finding."""
        return next(each for each in self.findings() if each["id"] == identity)

    def findings(self) -> list[Numbers]:
        """Return all findings."""
        labels = [each["slug"] for each in self.results["study"]["optimizers"]]
        table = Table(labels, self.results["tensors"], self.rows)
        return [each.as_dict() for each in findings(self.results, table, self.theories)]


def test_verdict_follows_from_the_tests() -> None:
    """All, none, some, nothing that could be asked."""
    for answers, verdict in [
        ([True, True], SUPPORTED),
        ([True, None], SUPPORTED),
        ([False, False], NOT_SUPPORTED),
        ([True, False], MIXED),
        ([None], NOT_TESTED),
        ([], NOT_TESTED),
    ]:
        assert decide([Test("name", "about", answer) for answer in answers]) == verdict


def test_five_findings_in_order_and_complete() -> None:
    """Each has its claim, rule, reasons for the constants, and a place where each piece of evidence is found."""
    found = Study().findings()
    assert [each["id"] for each in found] == [
        "persistence",
        "momentum",
        "layer-3-4-quiet",
        "layer-3-4-late",
        "accuracy",
    ]
    for each in found:
        assert each["claim"]
        assert not re.search(r"\d-\d|batches all", each["rule"])
        assert each["verdict"] in VERDICTS
        assert (each["reason"] is None) == (each["verdict"] != NOT_TESTED)
        assert all(constant["why"] for constant in each["constants"])
        assert all(evidence["where"].startswith("tables/") for evidence in each["evidence"])
        names = {test["name"] for test in each["tests"]}
        assert {evidence["test"] for evidence in each["evidence"]} - {None} <= names | {"vanishes", "grows", "near"}


def test_persistence_each_way() -> None:
    """Long runs and dark lines that stay; neither; long runs of lines that fade at once."""
    assert Study().find("persistence")["verdict"] == SUPPORTED
    neither = Study()
    fading = Study()
    for layer in LAYERS:
        neither.run("adam-b1-0.9", layer, 2.0)
        neither.dwell(layer, 1.1)
        fading.dwell(layer, 1.1)
    assert neither.find("persistence")["verdict"] == NOT_SUPPORTED
    assert fading.find("persistence")["verdict"] == MIXED


def test_persistence_wants_the_whole_interval() -> None:
    """A mean above three batches is not enough when the interval reaches below."""
    study = Study()
    study.run("adam-b1-0.9", "l4", summary(1.5, 4.0, 9.0))
    tests = {(each["name"], each["layer"]): each["holds"] for each in study.find("persistence")["tests"]}
    assert tests["direction", "l4"] is False
    assert tests["direction", "l3"] is True


def test_momentum_each_way() -> None:
    """As theory says; gone without momentum but not back with it under SGD; the third way is the next test."""
    assert Study().find("momentum")["verdict"] == SUPPORTED
    part = Study()
    for layer in LAYERS:
        part.run("sgd-m0.9", layer, 2.2)
    found = part.find("momentum")
    assert found["verdict"] == MIXED
    assert {each["holds"] for each in found["tests"] if each["name"] == "returns"} == {False}
    assert {each["holds"] for each in found["tests"] if each["name"] != "returns"} == {True}


def test_momentum_that_changes_nothing_is_not_supported() -> None:
    """The same runs, three times what theory predicts, with and without momentum: no test holds."""
    study = Study()
    for layer in LAYERS:
        for slug in OPTIMIZERS:
            study.run(slug, layer, 70.0)
    assert study.find("momentum")["verdict"] == NOT_SUPPORTED


def test_momentum_compares_within_a_seed() -> None:
    """Seeds that differ much from each other do not hide a difference that every one of them shows."""
    study = Study()
    for layer in LAYERS:
        study.run("sgd", layer, summary(2.0, 6.0, 10.0))
        study.run("sgd-m0.9", layer, summary(7.0, 11.0, 15.0))
    tests = {each["name"]: each["holds"] for each in study.find("momentum")["tests"]}
    assert tests["returns"] is True


@pytest.mark.parametrize(
    ("optimizers", "verdict"),
    [
        (("adam-b1-0.9",), NOT_TESTED),
        (("adam-b1-0.9", "adam-b1-0.99", "sgd-m0.9"), NOT_TESTED),
        (("adam-b1-0.9", "sgd"), SUPPORTED),
        (("adam-b1-0.9", "adam-b1-0"), SUPPORTED),
    ],
)
def test_momentum_needs_a_control_without_it(optimizers: tuple[str, ...], verdict: str) -> None:
    """A practitioner's study may have no control at all, or another set of them."""
    found = Study(optimizers=optimizers).find("momentum")
    assert found["verdict"] == verdict
    assert (found["reason"] is not None) == (verdict == NOT_TESTED)


def quiet_by(*units: str) -> Callable[[Study], None]:
    """Make l4 half as large as its neighbours at first, in some units."""

    def change(study: Study) -> None:
        for unit in units:
            study.size("l4", "1-100", unit, 0.005)

    return change


@pytest.mark.parametrize(
    ("units", "verdict"),
    [(("opacity", "absolute", "relative"), SUPPORTED), (("relative",), MIXED), ((), NOT_SUPPORTED)],
)
def test_a_quiet_layer_each_way(units: tuple[str, ...], verdict: str) -> None:
    """Less in every unit, in one, in none."""
    study = Study()
    quiet_by(*units)(study)
    assert study.find("layer-3-4-quiet")["verdict"] == verdict


def test_a_quiet_layer_must_be_below_both_neighbours() -> None:
    """Between its neighbours is not quiet."""
    study = Study()
    for unit in ("opacity", "absolute", "relative"):
        study.size("l3", "1-100", unit, 0.001)
        study.size("l4", "1-100", unit, 0.005)
    assert study.find("layer-3-4-quiet")["verdict"] == NOT_SUPPORTED


def test_one_quiet_seed_proves_nothing() -> None:
    """A layer that is dead in one seed of three and lively in the others is not quiet."""
    study = Study()
    for unit in ("opacity", "absolute", "relative"):
        study.size("l4", "1-100", unit, summary(0.0, 0.02, 0.02))
    assert study.find("layer-3-4-quiet")["verdict"] == NOT_SUPPORTED


@pytest.mark.parametrize(
    ("middle", "neighbour", "expected"),
    [(0.0, 0.0, []), (0.01, 0.0, [1000.0] * 3), (0.0, 0.01, [0.001] * 3)],
)
def test_a_dead_layer_beside_a_dead_neighbour_is_neither(
    middle: float, neighbour: float, expected: list[float]
) -> None:
    """0/0 is no evidence; lively beside dead is far above, and dead beside lively far below."""
    study = Study()
    study.size("l4", "1-100", "absolute", middle)
    study.size("l3", "1-100", "absolute", neighbour)
    found = study.find("layer-3-4-quiet")
    ratio = next(each for each in found["evidence"] if each["test"] == "absolute")
    test = next(each for each in found["tests"] if each["name"] == "absolute")
    assert ratio["n"] == len(expected)
    assert ratio["value"] == (pytest.approx(expected[0]) if expected else None)
    assert test["holds"] is (None if not expected else expected[0] < 1)


def test_late_each_way() -> None:
    """More than before and more than the neighbours grew; neither; more, but the neighbours as well."""
    verdicts = []
    for own, neighbours in ((0.03, 0.01), (0.005, 0.01), (0.03, 0.03)):
        study = Study()
        for unit in ("opacity", "absolute", "relative"):
            study.size("l4", "101-1000", unit, own)
            for layer in ("l3", "l5"):
                study.size(layer, "101-1000", unit, neighbours)
        verdicts.append(study.find("layer-3-4-late")["verdict"])
    assert verdicts == [SUPPORTED, NOT_SUPPORTED, MIXED]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.953, 0.955, 0.957), SUPPORTED),
        ((0.93, 0.945, 0.97), MIXED),
        ((0.90, 0.91, 0.92), NOT_SUPPORTED),
        ((0.985, 0.986, 0.987), NOT_SUPPORTED),
        ((0.956,), NOT_TESTED),
    ],
)
def test_accuracy_each_way(values: tuple[float, ...], verdict: str) -> None:
    """Near; an interval that reaches it; away on either side; one seed."""
    study = Study()
    study.results["accuracy"]["validation"] = asdict(summary(*values))
    assert study.find("accuracy")["verdict"] == verdict


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("data", "source", "sample"),
        ("data", "epochs", 12.0),
        ("data", "source", None),
        ("about", "network", {"hidden": [32, 24, 10, 10], "dropout": 0.2}),
        ("about", "network", None),
        ("about", "training", {"batch_size": 64}),
    ],
)
def test_accuracy_of_another_experiment_is_not_tested(part: str, key: str, value: Any) -> None:
    """Other data, another length or another network say nothing about the first article's number, and why is said."""
    study = Study()
    study.results[part][key] = value
    found = study.find("accuracy")
    assert found["verdict"] == NOT_TESTED
    assert found["reason"]


@pytest.mark.parametrize(
    ("key", "value"), [("name", "AdamW"), ("learning_rate", 0.002), ("arguments", {"betas": [0.9, 0.99]})]
)
def test_accuracy_of_another_optimizer_is_not_tested(key: str, value: Any) -> None:
    """Nor does another optimizer, or the same with other settings."""
    study = Study()
    study.results["study"]["optimizers"][0][key] = value
    assert study.find("accuracy")["verdict"] == NOT_TESTED


def test_another_network_has_no_middle_layer() -> None:
    """Two drawn layers, or four: the layer claims are not tested, and the others are."""
    study = Study()
    study.results["drawn"] = ["l3", "l4"]
    for identity in ("layer-3-4-quiet", "layer-3-4-late"):
        found = study.find(identity)
        assert (found["verdict"], found["tests"]) == (NOT_TESTED, [])
        assert found["reason"]
    assert study.find("persistence")["verdict"] == SUPPORTED


def test_a_claim_names_the_layer_that_is_judged() -> None:
    """It is the first article's where it is the same one, else the middle one of this network's graph."""
    study = Study()
    assert "layer 3–4 (l4)" in study.find("layer-3-4-quiet")["claim"]
    study.rows |= {key._replace(tensor="l2"): row for key, row in study.rows.items() if key.tensor == "l3"}
    study.results["drawn"] = ["l2", "l3", "l4"]
    for identity in ("layer-3-4-quiet", "layer-3-4-late"):
        assert "the middle layer (l3)" in study.find(identity)["claim"]


def test_a_network_of_ones_own_has_no_layer_3_4() -> None:
    """Its fourth tensor is called by its name alone."""
    study = Study()
    del study.results["about"]["network"]
    assert "the middle layer (l4)" in study.find("layer-3-4-quiet")["claim"]


def test_nothing_drawn_tests_nothing_and_says_why() -> None:
    """As in a network without two neighbouring matrices: the reason is not a missing seed."""
    study = Study()
    study.results["drawn"] = []
    for identity in ("persistence", "momentum", "layer-3-4-quiet", "layer-3-4-late"):
        found = study.find(identity)
        assert (found["verdict"], found["evidence"]) == (NOT_TESTED, [])
        assert "set study.seeds" not in found["reason"]


def test_momentum_needs_no_theory_to_be_taken_away() -> None:
    """As with NAdam, which no theory covers: its runs can still be compared with those without memory."""
    study = Study()
    study.theories["adam-b1-0.9"] = None
    found = study.find("momentum")
    assert {test["name"] for test in found["tests"]} >= {"vanishes", "returns"}
    assert found["verdict"] == SUPPORTED


def test_one_seed_tests_nothing() -> None:
    """Without a second seed there is no interval, so no verdict."""
    assert {each["verdict"] for each in Study(seeds=1).findings()} == {NOT_TESTED}


def test_a_short_study_does_not_test_what_comes_late() -> None:
    """A study that ends with the start says nothing about batches after it."""
    study = Study()
    study.results["study"]["late"] = "all"
    assert study.find("layer-3-4-late")["verdict"] == NOT_TESTED


def test_a_missing_number_is_not_a_failure() -> None:
    """A layer in which nothing ever flipped has no mean run: its test is open, the other layers decide."""
    study = Study()
    study.run("adam-b1-0.9", "l4", intervals.estimate([None, None, None]))
    found = study.find("persistence")
    assert {each["holds"] for each in found["tests"] if each["layer"] == "l4" and each["name"] == "direction"} == {None}
    assert found["verdict"] == SUPPORTED


def test_geometric_mean_weighs_half_and_twice_alike() -> None:
    """Half and twice make one; a dead layer counts as far, not as infinitely far."""
    assert geometric([0.5, 2.0], 1000).mean == pytest.approx(1)
    assert geometric([0.0, 0.0], 1000).mean == pytest.approx(0.001)
