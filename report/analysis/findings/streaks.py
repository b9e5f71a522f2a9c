"""Whose the streaks are: how much of them a coin leaves that draws the signs of gradients, and what a formula says."""

from report.analysis import intervals
from report.analysis.findings.constants import COIN, FACTOR, MOSTLY, TRANSPLANTS_TABLE
from report.analysis.findings.layers import EARLY
from report.analysis.findings.momentum import every, run_evidence
from report.analysis.findings.records import NOTHING_DRAWN, Evidence, Finding, Lookup, Test, conclude
from report.analysis.windows import LATE

NOT_REPLAYED = "The main optimizer's arithmetic is not one of those that are replayed here."


def streaks(study: Lookup) -> Finding:
    """Decide whether the streaks are the optimizer's: as long with tossed signs."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    below: list[bool | None] = []
    for layer in study.drawn:
        share, *beside = _tossed(study, layer, study.late, "tossed")
        about = f"Do tossed signs leave more than {MOSTLY.value:.0%} of what streaks in {layer} have above a coin’s?"
        tests.append(Test("tossed", about, share.is_above(MOSTLY.value), layer))
        below.append(share.is_below(MOSTLY.value))
        evidence += [share, *beside]
    if study.late == LATE:
        evidence += [each for layer in study.drawn for each in _tossed(study, layer, EARLY)]
    is_replayed = any(each.value is not None for each in evidence)
    return conclude(
        "streaks",
        "The streaks are the optimizer’s, not the gradients’.",
        f"In {study.batches(study.late)} of the main optimizer in its own loop, one test in each drawn layer. The "
        "signs of the recorded gradients are drawn by a coin, three times, and go through the optimizer’s own "
        f"arithmetic. What the mean same-sign run then has above {COIN:g} batches (a coin’s own run) is divided by "
        "what the measured run has, seed by seed. Supported if the 95 % interval lies above "
        f"{MOSTLY.value:g} in every layer, not supported if it lies below in any, mixed otherwise.",
        (MOSTLY,),
        tests if is_replayed else [],
        evidence,
        None if is_replayed else NOT_REPLAYED if study.drawn else NOTHING_DRAWN,
        refuted=any(below),
    )


def _tossed(study: Lookup, layer: str, window: str, test: str | None = None) -> list[Evidence]:
    """Return what tossed signs leave of the main optimizer's streaks, and the two runs that this is made from."""
    own = (study.main, layer, window)
    run, toss = (study.by_seed("transplants", *own, name, study.main) for name in ("mean_run", "toss"))
    shares = [(toss[seed] - COIN) / (run[seed] - COIN) for seed in run if seed in toss and run[seed] > COIN]
    estimates = {
        "share of the streak that a coin leaves": (intervals.estimate(shares), "fraction", test),
        "mean same-sign run": (study.table.get("transplants", "mean_run", *own, applied=study.main), "batches", None),
        "the same, signs tossed": (study.table.get("transplants", "toss", *own, applied=study.main), "batches", None),
    }
    after = "" if window == study.late else f", {study.batches(window)}"
    place = {"layer": layer, "window": window, "optimizer": study.label(study.main)}
    return [
        Evidence.of(f"{name}{after}", found, unit, TRANSPLANTS_TABLE, test=asks, **place)
        for name, (found, unit, asks) in estimates.items()
    ]


def formula(study: Lookup) -> Finding:
    """Decide whether π/arccos(β1) alone predicts how long streaks are."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    family = {beta: slug for beta, slug in study.family.items() if beta > 0}
    for layer in study.drawn if family else ():
        runs = [run_evidence(study, slug, layer, "near") for slug in family.values()]
        about = f"Are the mean runs of {layer} within a factor {FACTOR.value:g} of the formula at every β1 above 0?"
        tests.append(Test("near", about, every([_is_near(run) for run in runs]), layer))
        evidence += runs
    reason = None if family else "No optimizer of the main one’s kind has momentum."
    return conclude(
        "formula",
        "π/arccos(β1) alone predicts the length of the streaks.",
        f"In {study.batches(study.late)}, one test in each drawn layer: at every β1 above 0 of the study the 95 % "
        f"interval of the mean same-sign run lies within a factor {FACTOR.value:g} of π/arccos(β1). Supported if all "
        "tests hold, not supported if none does, mixed otherwise.",
        (FACTOR,),
        tests,
        evidence,
        reason if study.drawn else NOTHING_DRAWN,
    )


def _is_near(run: Evidence) -> bool | None:
    if run.low is None or run.high is None or run.predicted is None:
        return None
    return run.low >= run.predicted / FACTOR.value and run.high <= run.predicted * FACTOR.value
