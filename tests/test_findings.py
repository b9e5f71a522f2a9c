"""The rules, with made-up evidence that must come out each way; the boundaries are those that the constants name."""

import functools
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
    Lookup,
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
MAIN, PLAIN = "adam-b1-0.9", "adam-b1-0"
HEAVY = (("adam-b1-0.9", "adam-b1-0"), ("adam-b1-0.99", "adam-b1-0"), ("sgd-m0.9", "sgd"))  # each with its control
Numbers = dict[str, Any]
NETWORK = {"kind": "mlp", "hidden": [1000, 100, 10, 10], "dropout": 0.2}  # of the first article


def summary(*values: float) -> Estimate:
    """Estimate of one value a seed."""
    return intervals.estimate(values)


def spread(value: float, seeds: int = 3) -> Estimate:
    """Summarise seeds that scatter by a per cent around `value`."""
    return summary(*(value * (1 + 0.01 * (number - (seeds - 1) / 2)) for number in range(seeds)))


@functools.cache
def predicted(slug: str) -> theory.Theory | None:
    """Return what chance predicts for one of the optimizers; it takes a while to compute."""
    return theory.describe(*OPTIMIZERS[slug][:2])


class Study:
    """Hold made-up results; by default runs that chance predicts, and three layers that are updated alike.

    Tosses are as long as the runs, and gradients without momentum take each other back.
    """

    def __init__(self, seeds: int = 3, optimizers: tuple[str, ...] = tuple(OPTIMIZERS)) -> None:
        """Fill in every number that a rule reads."""
        self.seeds = seeds
        self.results: Numbers = {
            "about": {"network": dict(NETWORK), "training": {"batch_size": 16}},
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
        self.theories = {slug: predicted(slug) for slug in optimizers}
        self.rows: Rows = {}
        for slug in optimizers:
            for layer in LAYERS:
                expected = theory.mean_run(OPTIMIZERS[slug][2])
                self.run(slug, layer, expected)
                self.transplant(slug, slug, layer, spread(expected, seeds), spread(expected, seeds))
                self.together(slug, layer, 0.7)
            for plain in [plain for heavy, plain in HEAVY if heavy == slug and plain in optimizers]:
                for layer in LAYERS:
                    self.transplant(slug, plain, layer, spread(expected - 2, seeds), spread(expected, seeds))
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

    def transplant(self, applied: str, gradients: str, layer: str, run: Estimate, toss: Estimate) -> None:
        """Set what an optimizer makes of gradients, and of tossed ones."""
        lean = [None if None in ends else ends[0] - ends[1] for ends in zip(run.values, toss.values, strict=True)]
        for name, value in (("mean_run", run), ("toss", toss), ("lean", intervals.estimate(lean))):
            self.rows[Key("transplants", name, gradients, layer, "101-1000", None, applied)] = value

    def keep(self, share: float | tuple[float, ...], *layers: str) -> None:
        """Set which share of its streaks, above a coin's, the main optimizer keeps with tossed signs, by seed."""
        shares = share if isinstance(share, tuple) else (share,) * self.seeds
        for layer in layers:
            runs = [6.0 + 4 * seed for seed in range(self.seeds)]
            tosses = [2 + part * (run - 2) for run, part in zip(runs, shares, strict=True)]
            self.transplant(MAIN, MAIN, layer, summary(*runs), summary(*tosses))

    def together(self, slug: str, layer: str, output: float | Estimate) -> None:
        """Set which share of pairs moves the same way."""
        for name, value in (("output", output), ("input", 0.5), ("output_toss", 0.5)):
            self._set("togetherness", slug, layer, "101-1000", name, value)

    def find(self, identity: str) -> Numbers:
        """Return one finding."""
        return next(each for each in self.findings() if each["id"] == identity)

    def findings(self) -> list[Numbers]:
        """Return all findings."""
        labels = [each["slug"] for each in self.results["study"]["optimizers"]]
        table = Table(labels, self.results["tensors"], self.rows)
        return [each.as_dict() for each in findings(Lookup(self.results, table, self.theories))]


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
        assert decide([Test("name", answer) for answer in answers]) == verdict


def test_findings_are_in_order_and_complete() -> None:
    """Each has a verdict or a reason for none, and a place where each piece of evidence is found."""
    found = Study().findings()
    assert [each["id"] for each in found] == [
        *("streaks", "together", "loop", "formula"),
        *("persistence", "momentum", "layer-3-4-quiet", "layer-3-4-late", "accuracy"),
    ]
    for each in found:
        assert each["verdict"] in VERDICTS
        assert (each["reason"] is None) == (each["verdict"] != NOT_TESTED)
        assert {"early", "late", "batches", "level", "main"} <= each["about"].keys()
        assert all(evidence["where"].startswith("tables/") for evidence in each["evidence"])
        names = {test["id"] for test in each["tests"]}
        assert {evidence["test"] for evidence in each["evidence"]} - {None} <= names


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
    tests = {(each["id"], each["layer"]): each["holds"] for each in study.find("persistence")["tests"]}
    assert tests["direction", "l4"] is False
    assert tests["direction", "l3"] is True


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((7.9, 8.0, 8.1), {"direction": (True, False), "vanishes": (True, False), "near": (True, False)}),
        ((1.5, 4.0, 9.0), {"direction": (False, False), "vanishes": (True, False), "near": (False, False)}),
        ((1.1, 1.2, 1.3), {"direction": (False, True), "vanishes": (False, False), "near": (False, True)}),
        ((9.5, 9.8, 9.9), {"direction": (True, False), "vanishes": (True, False), "near": (False, True)}),
    ],
)
def test_what_an_interval_leaves_open_is_not_refuted(
    ends: tuple[float, float, float], expected: dict[str, tuple[bool, bool]]
) -> None:
    """Refuted is what the whole interval speaks against: above 3 batches, within a factor 1.25 of 6.97."""
    study = Study()
    study.run("adam-b1-0.9", "l4", summary(*ends))
    every = [each for name in ("persistence", "momentum", "formula") for each in study.find(name)["tests"]]
    found = {each["id"]: (each["holds"], each["refuted"]) for each in every if each["layer"] == "l4"}
    assert {name: found[name] for name in expected} == expected


def test_streaks_that_shorten_at_one_step_refute_that_they_grow() -> None:
    """And streaks that stay as they are leave it open whether they do."""
    study = Study()
    study.run("adam-b1-0.99", "l3", 3.0)
    study.run("adam-b1-0.99", "l4", theory.mean_run(0.9))
    tests = {each["layer"]: each for each in study.find("momentum")["tests"] if each["id"] == "grows"}
    assert {layer: (each["holds"], each["refuted"]) for layer, each in tests.items()} == {
        "l3": (False, True),
        "l4": (False, False),
        "l5": (True, False),
    }


def test_momentum_each_way() -> None:
    """As theory says; gone without momentum but not back with it under SGD; the third way is the next test."""
    assert Study().find("momentum")["verdict"] == SUPPORTED
    part = Study()
    for layer in LAYERS:
        part.run("sgd-m0.9", layer, 2.2)
    found = part.find("momentum")
    assert found["verdict"] == MIXED
    assert {each["holds"] for each in found["tests"] if each["id"] == "returns"} == {False}
    assert {each["holds"] for each in found["tests"] if each["id"] != "returns"} == {True}


def test_momentum_that_changes_nothing_is_not_supported() -> None:
    """The same long runs with and without momentum: no test holds."""
    study = Study()
    for layer in LAYERS:
        for slug in OPTIMIZERS:
            study.run(slug, layer, 70.0)
    assert study.find("momentum")["verdict"] == NOT_SUPPORTED


def test_momentum_asks_for_no_formula() -> None:
    """Runs three times as long as chance predicts vanish, return and grow all the same; that is another claim."""
    study = Study()
    for layer in LAYERS:
        study.run("adam-b1-0.9", layer, 3 * theory.mean_run(0.9))
        study.run("adam-b1-0.99", layer, 3 * theory.mean_run(0.99))
    found = study.find("momentum")
    assert {each["id"] for each in found["tests"]} == {"vanishes", "returns", "grows"}
    assert found["verdict"] == SUPPORTED
    assert study.find("formula")["verdict"] == NOT_SUPPORTED


def test_momentum_compares_within_a_seed() -> None:
    """Seeds that differ much from each other do not hide a difference that every one of them shows."""
    study = Study()
    for layer in LAYERS:
        study.run("sgd", layer, summary(2.0, 6.0, 10.0))
        study.run("sgd-m0.9", layer, summary(7.0, 11.0, 15.0))
    tests = {each["id"]: each["holds"] for each in study.find("momentum")["tests"]}
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


STRADDLING = (0.5, 0.75, 1.0)  # by seed: an interval that 3/4 lies in


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ((1.0, 1.0, 1.0), SUPPORTED),
        ((0.76, 1.2, 0.9), SUPPORTED),
        ((0.9, 0.9, 0.74), NOT_SUPPORTED),
        ((0.1, 0.1, 0.1), NOT_SUPPORTED),
        ((0.9, STRADDLING, 0.9), MIXED),
        ((STRADDLING, STRADDLING, STRADDLING), MIXED),
        ((STRADDLING, 0.74, 0.9), NOT_SUPPORTED),
    ],
)
def test_streaks_each_way(shares: tuple[float | tuple[float, ...], ...], verdict: str) -> None:
    """Three quarters and more in every layer; less in any one; neither. Runs that differ by seed hide nothing."""
    study = Study()
    for layer, share in zip(LAYERS, shares, strict=True):
        study.keep(share, layer)
    found = study.find("streaks")
    assert found["verdict"] == verdict
    seen = [each["value"] for each in found["evidence"] if each["test"] == "tossed"]
    assert seen == pytest.approx([share if isinstance(share, float) else 0.75 for share in shares])


def test_streaks_of_an_optimizer_that_is_not_replayed_are_not_tested() -> None:
    """The reason is not a missing seed."""
    study = Study()
    study.rows = {key: row for key, row in study.rows.items() if key.applied != MAIN}
    found = study.find("streaks")
    assert (found["verdict"], found["tests"]) == (NOT_TESTED, [])
    assert found["reason"] == "not_replayed"


def test_streaks_are_those_in_the_optimizers_own_loop() -> None:
    """What it makes of another one's gradients, or another one of its, decides nothing."""
    study = Study()
    for layer in LAYERS:
        study.transplant(MAIN, PLAIN, layer, spread(50.0), spread(3.0))
        study.transplant("adam-b1-0.99", MAIN, layer, spread(50.0), spread(3.0))
    assert study.find("streaks")["verdict"] == SUPPORTED


def lean(study: Study, applied: str, gradients: str, value: float) -> None:
    """Set lean in every layer, with runs that differ much from seed to seed."""
    toss = summary(*(20.0 + 10 * seed for seed in range(study.seeds)))
    run = [each + value + 0.1 * seed for seed, each in enumerate(toss.values) if each is not None]
    for layer in LAYERS:
        study.transplant(applied, gradients, layer, summary(*run), toss)


@pytest.mark.parametrize(
    ("own", "verdict"),
    [((0.0, 0.0, 0.0), SUPPORTED), ((-3.0, -5.0, -3.1), NOT_SUPPORTED), ((0.0, 4.0, -3.0), MIXED)],
)
def test_loop_each_way(own: tuple[float, float, float], verdict: str) -> None:
    """More lean on its own gradients than on those without momentum (-3): with all three, with none, with some."""
    study = Study()
    for (slug, plain), value in zip(HEAVY, own, strict=True):
        lean(study, slug, plain, -3.0)
        lean(study, slug, slug, value)
    found = study.find("loop")
    assert found["verdict"] == verdict
    assert len(found["tests"]) == len(found["evidence"]) == len(LAYERS) * len(HEAVY)
    seen = [each["value"] for each in found["evidence"][: len(HEAVY)]]
    assert seen == pytest.approx([value + 3 for value in own])
    assert all(each["holds"] == (value > 0) for each, value in zip(found["tests"], seen * len(LAYERS), strict=True))


def test_loop_wants_the_whole_interval() -> None:
    """A difference that one seed of three does not show is none."""
    study = Study()
    for layer in LAYERS:
        study.transplant(MAIN, MAIN, layer, summary(3.0, 9.0, 9.0), summary(8.0, 8.0, 8.0))
        study.transplant(MAIN, PLAIN, layer, summary(6.0, 5.0, 5.0), summary(8.0, 8.0, 8.0))
    holds = {each["holds"] for each in study.find("loop")["tests"][:1]}
    assert holds == {False}
    assert study.find("loop")["verdict"] == MIXED


@pytest.mark.parametrize(
    ("optimizers", "tests"),
    [
        (("adam-b1-0.9", "adam-b1-0.99", "sgd-m0.9"), 0),
        (("adam-b1-0.9", "sgd"), 0),
        (("adam-b1-0.9", "adam-b1-0"), 1),
        (("adam-b1-0.9", "sgd", "sgd-m0.9"), 1),
    ],
)
def test_loop_needs_a_control_of_its_kind(optimizers: tuple[str, ...], tests: int) -> None:
    """Adam without momentum for Adam, plain SGD for SGD with it; without either nothing is tested."""
    found = Study(optimizers=optimizers).find("loop")
    assert len(found["tests"]) == tests * len(LAYERS)
    assert found["verdict"] == (SUPPORTED if tests else NOT_TESTED)
    assert (found["reason"] is None) == bool(tests)


def test_loop_asks_nothing_of_weak_momentum() -> None:
    """Below 0.9 there is little to tell apart."""
    study = Study()
    study.theories["adam-b1-0.99"] = theory.describe("Adam", {"betas": [0.5, 0.999]})
    assert len(study.find("loop")["tests"]) == 2 * len(LAYERS)


@pytest.mark.parametrize(
    ("main", "plain", "verdict"),
    [
        (0.7, 0.65, SUPPORTED),
        (0.5, 0.59, NOT_SUPPORTED),
        (0.7, 0.5, MIXED),
        (0.5, 0.7, MIXED),
        (summary(0.5, 0.7, 0.9), 0.7, MIXED),
    ],
)
def test_together_each_way(main: float | Estimate, plain: float | Estimate, verdict: str) -> None:
    """With and without momentum; with neither; with one of them; an interval that reaches below 0.6."""
    study = Study()
    for layer in LAYERS:
        study.together(MAIN, layer, main)
        study.together(PLAIN, layer, plain)
        study.together("sgd", layer, 0.5)  # decides nothing
    found = study.find("together")
    assert found["verdict"] == verdict
    assert len(found["tests"]) == 2 * len(LAYERS)
    assert sum(each["test"] is not None for each in found["evidence"]) == len(found["tests"])


def test_together_wants_a_control() -> None:
    """A claim about training with and without momentum says nothing where nobody trained without."""
    found = Study(optimizers=("adam-b1-0.9", "adam-b1-0.99")).find("together")
    assert (found["verdict"], found["tests"]) == (NOT_TESTED, [])
    assert found["reason"] == "no_control"


@pytest.mark.parametrize(
    ("factors", "verdict"),
    [
        ((1.0, 1.2, 0.83), SUPPORTED),
        ((1.3, 1.3, 1.3), NOT_SUPPORTED),
        ((0.75, 0.75, 1.3), NOT_SUPPORTED),
        ((1.0, 1.0, 1.3), MIXED),
        ((1.0, 1.25, 1.0), MIXED),
    ],
)
@pytest.mark.parametrize("slug", ["adam-b1-0.9", "adam-b1-0.99"])
def test_formula_each_way(slug: str, factors: tuple[float, ...], verdict: str) -> None:
    """Within a quarter in every layer; in none; in some, or with an interval that reaches out; at every β1."""
    study = Study()
    for layer, factor in zip(LAYERS, factors, strict=True):
        study.run(slug, layer, factor * theory.mean_run(OPTIMIZERS[slug][2]))
    study.run("sgd-m0.9", "l3", 70.0)  # another kind
    study.run("adam-b1-0", "l3", 70.0)  # no momentum
    assert study.find("formula")["verdict"] == verdict


def test_formula_without_momentum_is_not_tested() -> None:
    """There is no β1 that it could be asked of."""
    study = Study(optimizers=(PLAIN, "sgd", "sgd-m0.9"))
    study.results["study"]["main"] = PLAIN
    study.rows = {key: row for key, row in study.rows.items() if key.label != MAIN}
    found = study.find("formula")
    assert (found["verdict"], found["tests"]) == (NOT_TESTED, [])
    assert found["reason"] == "no_momentum_of_its_kind"


def quiet_by(*units: str) -> Callable[[Study], None]:
    """Make l4 half as large as its neighbours at first, in some units."""

    def change(study: Study) -> None:
        for unit in units:
            study.size("l4", "1-100", unit, 0.005)

    return change


@pytest.mark.parametrize(
    ("units", "verdict"),
    [
        (("opacity", "absolute", "relative"), SUPPORTED),
        (("opacity",), SUPPORTED),
        (("absolute", "relative"), NOT_SUPPORTED),
        ((), NOT_SUPPORTED),
    ],
)
def test_a_quiet_layer_each_way(units: tuple[str, ...], verdict: str) -> None:
    """Less in the film's own unit decides, whatever the two others say; they stand beside it as evidence."""
    study = Study()
    quiet_by(*units)(study)
    found = study.find("layer-3-4-quiet")
    assert found["verdict"] == verdict
    assert [each["id"] for each in found["tests"]] == ["opacity"]
    assert [each["test"] for each in found["evidence"]] == ["opacity", None, None]


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
    study.size("l4", "1-100", "opacity", middle)
    study.size("l3", "1-100", "opacity", neighbour)
    found = study.find("layer-3-4-quiet")
    ratio = next(each for each in found["evidence"] if each["test"] == "opacity")
    test = next(each for each in found["tests"] if each["id"] == "opacity")
    assert ratio["n"] == len(expected)
    assert ratio["value"] == (pytest.approx(expected[0]) if expected else None)
    assert test["holds"] is (None if not expected else expected[0] < 1)


@pytest.mark.parametrize("others", [0.01, 0.9])
@pytest.mark.parametrize(
    ("own", "neighbours", "verdict"),
    [(0.03, 0.01, SUPPORTED), (0.005, 0.01, NOT_SUPPORTED), (0.03, 0.03, MIXED), (0.01, 0.005, MIXED)],
)
def test_late_each_way(own: float, neighbours: float, verdict: str, others: float) -> None:
    """More than before, more than the neighbours grew, in opacity; what the other units say decides nothing."""
    study = Study()
    study.size("l4", "101-1000", "opacity", own)
    for layer in ("l3", "l5"):
        study.size(layer, "101-1000", "opacity", neighbours)
    for unit in ("absolute", "relative"):
        study.size("l4", "101-1000", unit, others)
    found = study.find("layer-3-4-late")
    assert found["verdict"] == verdict
    assert {each["id"] for each in found["tests"]} == {"more", "catches_up"}
    assert len(found["evidence"]) == 6


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
        ("about", "network", {"kind": "mlp", "hidden": [32, 24, 10, 10], "dropout": 0.2}),
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


def layer_of(study: Study, identity: str) -> tuple[str, bool]:
    """Return which layer a claim is about, and whether it is the first article's layer 3–4."""
    about = study.find(identity)["about"]
    return about["middle"], about["is_first_articles"]


def test_a_claim_names_the_layer_that_is_judged() -> None:
    """It is the first article's where it is the same one, else the middle one of this network's graph."""
    study = Study()
    assert layer_of(study, "layer-3-4-quiet") == ("l4", True)
    study.rows |= {key._replace(tensor="l2"): row for key, row in study.rows.items() if key.tensor == "l3"}
    study.results["drawn"] = ["l2", "l3", "l4"]
    for identity in ("layer-3-4-quiet", "layer-3-4-late"):
        assert layer_of(study, identity) == ("l3", False)


def test_a_network_of_ones_own_has_no_layer_3_4() -> None:
    """Its fourth tensor is called by its name alone."""
    study = Study()
    del study.results["about"]["network"]
    assert layer_of(study, "layer-3-4-quiet") == ("l4", False)


def test_nothing_drawn_tests_nothing_and_says_why() -> None:
    """As in a network without two neighbouring matrices: the reason is not a missing seed."""
    study = Study()
    study.results["drawn"] = []
    for identity in [each["id"] for each in study.findings()][:-1]:
        found = study.find(identity)
        assert (found["verdict"], found["evidence"]) == (NOT_TESTED, [])
        assert found["reason"] in ("nothing_drawn", "not_three_layers")


def test_momentum_needs_no_theory_to_be_taken_away() -> None:
    """As with NAdam, which no theory covers: its runs can still be compared with those without memory."""
    study = Study()
    study.theories["adam-b1-0.9"] = None
    found = study.find("momentum")
    assert {test["id"] for test in found["tests"]} >= {"vanishes", "returns"}
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
    assert {each["holds"] for each in found["tests"] if each["layer"] == "l4" and each["id"] == "direction"} == {None}
    assert found["verdict"] == SUPPORTED


def test_geometric_mean_weighs_half_and_twice_alike() -> None:
    """Half and twice make one; a dead layer counts as far, not as infinitely far."""
    assert geometric([0.5, 2.0], 1000).mean == pytest.approx(1)
    assert geometric([0.0, 0.0], 1000).mean == pytest.approx(0.001)
