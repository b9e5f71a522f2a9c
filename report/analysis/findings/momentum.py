"""The claim that updates persist because the optimizer accumulates past gradients."""

import itertools
from collections.abc import Iterable

from report.analysis import theory
from report.analysis.findings.constants import (
    COIN,
    PERSISTENCE_RUNS_TABLE,
    PERSISTENCE_TABLE,
    RETURNED,
    VANISHED,
)
from report.analysis.findings.records import (
    NO_CONTROL,
    NOTHING_DRAWN,
    Evidence,
    Finding,
    Lookup,
    Test,
    conclude,
    paired,
)


def momentum(study: Lookup) -> Finding:
    """Decide whether it is momentum, the accumulation of past gradients, that makes updates persist."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    chief = next(each for each in study.optimizers if each["slug"] == study.main)
    main_name, family, without, sgd = chief["name"], list(study.family.items()), study.plain, study.sgd
    has_momentum = chief["momentum"] > 0  # whether or not there is a theory of it
    for layer in study.drawn:
        runs = {each["slug"]: run_evidence(study, each["slug"], layer) for each in study.optimizers}
        evidence += runs.values()
        if without and has_momentum:
            tests += [_vanishes(study, runs[study.main], runs[slug], slug, layer) for slug in without]
        if 0.0 in sgd and len(sgd) > 1:
            heavy = max(sgd)
            difference, test = _returns(study, sgd[0.0], sgd[heavy], heavy, layer)
            evidence.append(difference)
            tests.append(test)
        if len(family) > 2:
            steps = [_step(study, lower, upper, layer) for (_, lower), (_, upper) in itertools.pairwise(family)]
            evidence += steps
            rises, falls = every([step.is_above(0) for step in steps]), some(step.is_below(0) for step in steps)
            tests.append(Test("grows", rises, layer, refuted=falls))
    reason = None if study.drawn else NOTHING_DRAWN
    if not (without and has_momentum):
        tests = []
        reason = NO_CONTROL if has_momentum else "no_momentum"
    return conclude(
        study,
        "momentum",
        (VANISHED, RETURNED),
        tests,
        evidence,
        reason,
        about={
            "coin": COIN,
            "control": study.label(without[0]) if without else None,
            "class_name": main_name if has_momentum else "Adam",
        },
    )


def run_evidence(study: Lookup, slug: str, layer: str, test: str | None = None) -> Evidence:
    """Return the mean same-sign run of an optimizer in its own loop."""
    return Evidence.of(
        "mean_run",
        study.table.get("persistence", "mean_run", slug, layer, study.late),
        "batches",
        PERSISTENCE_TABLE,
        predicted=study.mean_run(slug),
        layer=layer,
        window=study.late,
        optimizer=study.label(slug),
        test=test,
    )


def _vanishes(study: Lookup, main: Evidence, control: Evidence, slug: str, layer: str) -> Test:
    if main.value is None:
        return Test("vanishes", None, layer, study.label(slug))
    bound = COIN + VANISHED.value * max(main.value - COIN, 0)
    return Test("vanishes", control.is_below(bound), layer, study.label(slug), refuted=control.is_above(bound))


def _returns(study: Lookup, plain: str, heavy: str, beta: float, layer: str) -> tuple[Evidence, Test]:
    predicted = theory.mean_run(beta) - theory.mean_run(0)
    difference = _difference(study, plain, heavy, layer, "returns", predicted)
    bound = RETURNED.value * predicted
    return difference, Test("returns", difference.is_above(bound), layer, refuted=difference.is_below(bound))


def _step(study: Lookup, lower: str, upper: str, layer: str) -> Evidence:
    betas = study.momentum(lower), study.momentum(upper)
    assert betas[0] is not None
    assert betas[1] is not None
    return _difference(study, lower, upper, layer, "grows", theory.mean_run(betas[1]) - theory.mean_run(betas[0]))


def _difference(study: Lookup, lower: str, upper: str, layer: str, test: str, predicted: float) -> Evidence:
    """Return how much longer the runs of `upper` are than those of `lower`, seed by seed."""
    runs = [study.by_seed("persistence", slug, layer, study.late, "mean_run") for slug in (lower, upper)]
    return Evidence.of(
        "run_difference",
        paired(runs[1], runs[0]),
        "batches",
        PERSISTENCE_RUNS_TABLE,
        predicted=predicted,
        layer=layer,
        window=study.late,
        optimizer=study.label(upper),
        against=study.label(lower),
        test=test,
    )


def every(answers: list[bool | None]) -> bool | None:
    """Return whether all hold; None where one is unknown and none fails."""
    if False in answers:
        return False
    return None if None in answers or not answers else True


def some(answers: Iterable[bool | None]) -> bool | None:
    """Return whether any holds; None where one is unknown and none holds."""
    found = set(answers)
    if True in found:
        return True
    return None if None in found or not found else False
