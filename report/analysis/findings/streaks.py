"""Whose the streaks are: how much of them a coin leaves that draws the signs of gradients, and what a formula says."""

from report.analysis import intervals
from report.analysis.findings.constants import COIN, FACTOR, MOSTLY, TRANSPLANTS_TABLE
from report.analysis.findings.momentum import every, run_evidence, some
from report.analysis.findings.records import NOTHING_DRAWN, Evidence, Finding, Lookup, Test, conclude
from report.analysis.windows import EARLY, LATE


def streaks(study: Lookup) -> Finding:
    """Decide whether the streaks are the optimizer's: as long with tossed signs."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    for layer in study.drawn:
        share, *beside = _tossed(study, layer, study.late, "tossed")
        is_above, is_below = share.is_above(MOSTLY.value), share.is_below(MOSTLY.value)
        tests.append(Test("tossed", is_above, layer, refuted=is_below))
        evidence += [share, *beside]
    if study.late == LATE:
        evidence += [each for layer in study.drawn for each in _tossed(study, layer, EARLY)]
    is_replayed = any(each.value is not None for each in evidence)
    reason = None if is_replayed else "not_replayed" if study.drawn else NOTHING_DRAWN
    asked = tests if is_replayed else []
    below = any(each.refuted for each in tests)
    return conclude(study, "streaks", (MOSTLY,), asked, evidence, reason, refuted=below, about={"coin": COIN})


def _tossed(study: Lookup, layer: str, window: str, test: str | None = None) -> list[Evidence]:
    """Return what tossed signs leave of the main optimizer's streaks, and the two runs that this is made from."""
    own = (study.main, layer, window)
    run, toss = (study.by_seed("transplants", *own, name, study.main) for name in ("mean_run", "toss"))
    shares = [(toss[seed] - COIN) / (run[seed] - COIN) for seed in run if seed in toss and run[seed] > COIN]
    estimates = {
        "toss_share": (intervals.estimate(shares), "fraction", test),
        "mean_run": (study.table.get("transplants", "mean_run", *own, applied=study.main), "batches", None),
        "mean_run_toss": (study.table.get("transplants", "toss", *own, applied=study.main), "batches", None),
    }
    place = {"layer": layer, "window": window, "optimizer": study.label(study.main)}
    return [
        Evidence.of(identity, found, unit, TRANSPLANTS_TABLE, test=asks, **place)
        for identity, (found, unit, asks) in estimates.items()
    ]


def formula(study: Lookup) -> Finding:
    """Decide whether π/arccos(β1) alone predicts how long streaks are."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    family = {beta: slug for beta, slug in study.family.items() if beta > 0}
    for layer in study.drawn if family else ():
        runs = [run_evidence(study, slug, layer, "near") for slug in family.values()]
        tests.append(Test("near", every([_is_near(run) for run in runs]), layer, refuted=some(map(_is_far, runs))))
        evidence += runs
    reason = NOTHING_DRAWN if not study.drawn else None if family else "no_momentum_of_its_kind"
    return conclude(study, "formula", (FACTOR,), tests, evidence, reason)


def _is_near(run: Evidence) -> bool | None:
    if run.low is None or run.high is None or run.predicted is None:
        return None
    return run.low >= run.predicted / FACTOR.value and run.high <= run.predicted * FACTOR.value


def _is_far(run: Evidence) -> bool | None:
    if run.low is None or run.high is None or run.predicted is None:
        return None
    return run.high < run.predicted / FACTOR.value or run.low > run.predicted * FACTOR.value
