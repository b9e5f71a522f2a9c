"""The form of a finding: the tests that decide a claim, the evidence that they looked at, and the verdict.

Everything has an id; what it is called, and the facts put into words, is the business of templates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from report.analysis import intervals
from report.analysis.intervals import Estimate
from report.analysis.rules import Optimizer
from report.analysis.table import Table
from report.analysis.theory import Theory
from report.analysis.windows import EARLY

Facts = dict[str, str | float | None]  # what words are filled with, by name
BySeed = dict[int | None, float]  # a recording without a seed goes by None

SUPPORTED, NOT_SUPPORTED, MIXED, NOT_TESTED = "supported", "not supported", "mixed", "not tested"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, MIXED, NOT_TESTED)

# Reasons why a claim was not tested.
NO_CONTROL, NOTHING_DRAWN, NO_INTERVAL = "no_control", "nothing_drawn", "no_interval"


@dataclass(frozen=True)
class Constant:
    """Hold a number that a rule uses; `unit` is an id."""

    id: str
    value: float
    unit: str


@dataclass(frozen=True)
class Evidence:
    """Hold one number that was looked at, with its interval over `n` training runs, and where to find it."""

    id: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    n: int
    where: str
    predicted: float | None = None  # by chance alone
    layer: str | None = None
    window: str | None = None
    optimizer: str | None = None  # label
    against: str | None = None  # label of the optimizer that it is compared with
    test: str | None = None  # the test that looks at it; None: beside it, for the reader

    @classmethod
    def of(cls, identity: str, found: Estimate, unit: str, where: str, **more: str | float | None) -> "Evidence":
        """Make evidence of an estimate."""
        ends = (found.mean, found.low, found.high)
        return cls(identity, *ends, unit, found.n, where, **more)  # type: ignore[arg-type]

    def is_above(self, bound: float) -> bool | None:
        """Tell whether the whole interval lies above `bound`; None without an interval."""
        return None if self.low is None else self.low > bound

    def is_below(self, bound: float) -> bool | None:
        """Tell whether the whole interval lies below `bound`; None without an interval."""
        return None if self.high is None else self.high < bound


@dataclass(frozen=True)
class Test:
    """Hold one question that the evidence answers; None where it could not be asked.

    A test that does not hold is `refuted` where its evidence says the opposite, and else only not shown.
    """

    __test__ = False  # not one of pytest's

    id: str
    holds: bool | None
    layer: str | None = None
    optimizer: str | None = None
    against: str | None = None
    refuted: bool | None = None  # None where it could not be asked


def decide(tests: Sequence[Test]) -> str:
    """Return the verdict: supported if every test that could be made holds, not supported if none does, else mixed."""
    answers = [test.holds for test in tests if test.holds is not None]
    if not answers:
        return NOT_TESTED
    if all(answers):
        return SUPPORTED
    return MIXED if any(answers) else NOT_SUPPORTED


@dataclass(frozen=True)
class Finding:
    """Hold what became of a claim.

    Attributes:
        id: of the claim.
        about: facts that its words name; together with the constants, by id, they are `facts`.
        constants: of the rule.
        tests: that decide.
        evidence: what they looked at, and what stands beside it.
        verdict: one of `VERDICTS`.
        reason: id of why it was not tested.
    """

    id: str
    about: Facts
    constants: Sequence[Constant]
    tests: Sequence[Test] = ()
    evidence: Sequence[Evidence] = ()
    verdict: str = NOT_TESTED
    reason: str | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Finding":
        """Return the finding that `as_dict` gave."""
        parts = {"constants": Constant, "tests": Test, "evidence": Evidence}
        return cls(**{**record, **{name: [kind(**each) for each in record[name]] for name, kind in parts.items()}})

    @property
    def facts(self) -> Facts:
        """Return what its words are filled with."""
        return {**{each.id: each.value for each in self.constants}, **self.about}

    def as_dict(self) -> dict[str, object]:
        """Return the record as it stands in results.json."""
        record = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()}


@dataclass(frozen=True)
class Lookup:
    """Look up numbers in the table, so that a rule reads as a sentence.

    Attributes:
        results: what `results.json` says of the study and its main recording.
        table: the numbers.
        theories: what chance predicts, by slug; None where no theory describes an optimizer.
    """

    results: Mapping[str, Any]
    table: Table
    theories: Mapping[str, Theory | None]
    main: str = field(init=False)
    late: str = field(init=False)

    def __post_init__(self) -> None:
        """Take the names that every rule needs."""
        object.__setattr__(self, "main", self.results["study"]["main"])
        object.__setattr__(self, "late", self.results["study"]["late"])

    @property
    def drawn(self) -> list[str]:
        """Return the tensors that the network graph shows: those that the first article speaks of."""
        names: list[str] = self.results["drawn"]
        return names

    @property
    def optimizers(self) -> list[Optimizer]:
        """Return the optimizers, the main one first."""
        every: list[Optimizer] = self.results["study"]["optimizers"]
        return every

    @property
    def facts(self) -> Facts:
        """Return what the words of every finding may name: windows, steps, level of intervals, the main optimizer."""
        return {
            "early": EARLY,
            "late": self.late,
            "batches": self.results["study"]["batches"],
            "level": intervals.LEVEL,
            "main": self.label(self.main),
        }

    def label(self, slug: str) -> str:
        """Return what an optimizer is called."""
        return next(each["label"] for each in self.optimizers if each["slug"] == slug)

    def momentum(self, slug: str) -> float | None:
        """Return the momentum coefficient of an optimizer, or None where no theory describes it."""
        theory = self.theories[slug]
        return None if theory is None else theory.memory

    def mean_run(self, slug: str) -> float | None:
        """Return the mean same-sign run that chance predicts for an optimizer, or None."""
        theory = self.theories[slug]
        return None if theory is None else theory.mean_run

    @property
    def family(self) -> dict[float, str]:
        """Return, by rising momentum, the slugs of optimizers of the main one's class; of two with one the first.

        The main optimizer comes first among them.
        """
        name = next(each["name"] for each in self.optimizers if each["slug"] == self.main)
        found: dict[float, str] = {}
        for each in self.optimizers:
            momentum = self.momentum(each["slug"])
            if momentum is not None and each["name"] == name:
                found.setdefault(momentum, each["slug"])
        return dict(sorted(found.items()))

    @property
    def plain(self) -> list[str]:
        """Return the slugs of controls without momentum: of the main one's class, or else all that there are."""
        without = [each["slug"] for each in self.optimizers if self.momentum(each["slug"]) == 0]
        own = self.family.get(0.0)
        return [slug for slug in ([own] if own is not None else without) if slug != self.main]

    @property
    def sgd(self) -> dict[float, str]:
        """Return, by rising momentum, the slugs of plain SGD and of SGD with momentum."""
        found = {self.momentum(each["slug"]): each["slug"] for each in self.optimizers if each["name"] == "SGD"}
        return dict(sorted((momentum, slug) for momentum, slug in found.items() if momentum is not None))

    def by_seed(self, quantity: str, slug: str, layer: str, window: str, name: str, applied: str = "") -> BySeed:
        """Return the values that exist, by seed: what is compared between training runs is compared within a seed."""
        values = self.table.get(quantity, name, slug, layer, window, applied=applied).values
        seeds = self.results["study"]["seeds_of"][slug] if values else []
        return {seed: value for seed, value in zip(seeds, values, strict=True) if value is not None}


def paired(first: BySeed, second: BySeed) -> Estimate:
    """Return the estimate of first - second over the seeds that both have."""
    return intervals.estimate([first[seed] - second[seed] for seed in first if seed in second])


def geometric(ratios: Sequence[float], limit: float) -> Estimate:
    """Return the geometric mean of ratios with its interval; a ratio beyond `limit` or 1/`limit` counts as that.

    The logarithm makes half as much and twice as much weigh the same.
    """
    found = intervals.estimate(np.log(np.clip(ratios, 1 / limit, limit)).tolist())
    mean, low, high = (None if end is None else float(np.exp(end)) for end in (found.mean, found.low, found.high))
    return Estimate(mean, low, high, found.n, tuple(map(float, ratios)))


def conclude(
    study: Lookup,
    identity: str,
    constants: Sequence[Constant],
    tests: list[Test],
    evidence: list[Evidence],
    reason: str | None = None,
    refuted: bool | None = None,
    about: Facts | None = None,
) -> Finding:
    """Decide, and say why where nothing could be decided.

    Args:
        study: what every finding's words may name.
        identity: of the claim.
        constants: of the rule.
        tests: that decide.
        evidence: what was looked at.
        reason: why it was not tested, if it was not; by default that no interval exists.
        refuted: whether the claim is not supported although some of its tests hold, or mixed although none does; None
            leaves that to the tests.
        about: facts that the words of this finding name besides.
    """
    verdict = decide(tests)
    if refuted is not None and verdict in (MIXED, NOT_SUPPORTED):
        verdict = NOT_SUPPORTED if refuted else MIXED
    why = (reason or NO_INTERVAL) if verdict == NOT_TESTED else None
    return Finding(identity, {**study.facts, **(about or {})}, constants, tests, evidence, verdict, why)
