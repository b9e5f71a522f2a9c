"""The form of a finding: a claim, the tests that decide it, the evidence they looked at, and the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from report import wording
from report.analysis import intervals
from report.analysis.intervals import Estimate
from report.analysis.table import Table
from report.analysis.theory import Theory

BySeed = dict[int | None, float]  # a recording without a seed goes by None

SUPPORTED, NOT_SUPPORTED, MIXED, NOT_TESTED = "supported", "not supported", "mixed", "not tested"
VERDICTS = (SUPPORTED, NOT_SUPPORTED, MIXED, NOT_TESTED)

NO_CONTROL = "No training run without momentum is there to compare with."
NOTHING_DRAWN = "The claim is about neighbouring matrices that were kept whole; this recording has none."


@dataclass(frozen=True)
class Constant:
    """Hold a number that a rule uses, and why it is this one."""

    name: str
    value: float
    unit: str
    why: str


@dataclass(frozen=True)
class Evidence:
    """Hold one number that was looked at, with its interval over `n` training runs, and where to find it."""

    name: str
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
    test: str | None = None  # the test that looks at it; None: beside it, for the reader

    @classmethod
    def of(cls, name: str, found: Estimate, unit: str, where: str, **more: str | float | None) -> "Evidence":
        """Make evidence of an estimate."""
        ends = (found.mean, found.low, found.high)
        return cls(name, *ends, unit, found.n, where, **more)  # type: ignore[arg-type]

    def is_above(self, bound: float) -> bool | None:
        """Tell whether the whole interval lies above `bound`; None without an interval."""
        return None if self.low is None else self.low > bound

    def is_below(self, bound: float) -> bool | None:
        """Tell whether the whole interval lies below `bound`; None without an interval."""
        return None if self.high is None else self.high < bound


@dataclass(frozen=True)
class Test:
    """Hold one question that the evidence answers; None where it could not be asked."""

    __test__ = False  # not one of pytest's

    name: str
    about: str
    holds: bool | None
    layer: str | None = None


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
    """Hold a claim of the first article and what became of it."""

    id: str
    claim: str
    rule: str
    constants: Sequence[Constant]
    tests: Sequence[Test] = ()
    evidence: Sequence[Evidence] = ()
    verdict: str = NOT_TESTED
    reason: str | None = None  # why it was not tested

    def as_dict(self) -> dict[str, Any]:
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
    def optimizers(self) -> list[dict[str, Any]]:
        """Return the optimizers, the main one first."""
        every: list[dict[str, Any]] = self.results["study"]["optimizers"]
        return every

    def batches(self, window: str) -> str:
        """Return a window in words."""
        return wording.window(window, self.results["study"]["batches"])

    def label(self, slug: str) -> str:
        """Return an optimizer's name in prose."""
        return str(next(each["label"] for each in self.optimizers if each["slug"] == slug))

    def memory(self, slug: str) -> float | None:
        """Return the memory of an optimizer, or None where no theory describes it."""
        theory = self.theories[slug]
        return None if theory is None else theory.memory

    def mean_run(self, slug: str) -> float | None:
        """Return the mean same-sign run that chance predicts for an optimizer, or None."""
        theory = self.theories[slug]
        return None if theory is None else theory.mean_run

    @property
    def family(self) -> dict[float, str]:
        """Return, by rising memory, the slugs of optimizers of the main one's class; of two with one memory the first.

        The main optimizer comes first among them.
        """
        name = next(each["name"] for each in self.optimizers if each["slug"] == self.main)
        found: dict[float, str] = {}
        for each in self.optimizers:
            memory = self.memory(each["slug"])
            if memory is not None and each["name"] == name:
                found.setdefault(memory, each["slug"])
        return dict(sorted(found.items()))

    @property
    def plain(self) -> list[str]:
        """Return the slugs of controls without memory: of the main one's class, or else all that there are."""
        without = [each["slug"] for each in self.optimizers if self.memory(each["slug"]) == 0]
        own = self.family.get(0.0)
        return [slug for slug in ([own] if own is not None else without) if slug != self.main]

    @property
    def sgd(self) -> dict[float, str]:
        """Return, by rising memory, the slugs of plain SGD and of SGD with momentum."""
        found = {self.memory(each["slug"]): each["slug"] for each in self.optimizers if each["name"] == "SGD"}
        return dict(sorted((memory, slug) for memory, slug in found.items() if memory is not None))

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
    identity: str,
    claim: str,
    rule: str,
    constants: tuple[Constant, ...],
    tests: list[Test],
    evidence: list[Evidence],
    reason: str | None = None,
    refuted: bool | None = None,
) -> Finding:
    """Decide, and say why where nothing could be decided.

    `refuted` says whether the claim is not supported although some of its tests hold, or mixed although none does;
    None leaves that to the tests.
    """
    verdict = decide(tests)
    if refuted is not None and verdict in (MIXED, NOT_SUPPORTED):
        verdict = NOT_SUPPORTED if refuted else MIXED
    if verdict == NOT_TESTED and reason is None:
        reason = (
            "An interval over seeds needs at least two training runs of the main optimizer that moved; set study.seeds."
        )
    return Finding(
        identity, claim, rule, constants, tests, evidence, verdict, reason if verdict == NOT_TESTED else None
    )
