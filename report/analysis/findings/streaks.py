"""Whose the streaks are: how much of them a coin leaves that draws the signs of gradients, and what a formula says."""

from report.analysis import intervals
from report.analysis.findings.constants import COIN, FACTOR, MOSTLY, TRANSPLANTS_TABLE
from report.analysis.findings.momentum import every, run_evidence
from report.analysis.findings.records import NOTHING_DRAWN, Evidence, Finding, Lookup, Test, conclude

NOT_REPLAYED = "The main optimizer's arithmetic is not one of those that are replayed here."


def streaks(study: Lookup) -> Finding:
    """Decide whether the streaks are the optimizer's: as long with tossed signs."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    below: list[bool | None] = []
    for layer in study.drawn:
        own = (study.main, layer, study.late)
        run, toss = (study.by_seed("transplants", *own, name, study.main) for name in ("mean_run", "toss"))
        shares = [(toss[seed] - COIN) / (run[seed] - COIN) for seed in run if seed in toss and run[seed] > COIN]
        place = {"layer": layer, "window": study.late, "optimizer": study.label(study.main)}
        share = Evidence.of(
            "share of the streak that a coin leaves",
            intervals.estimate(shares),
            "fraction",
            TRANSPLANTS_TABLE,
            test="tossed",
            **place,
        )
        measured, tossed = (
            Evidence.of(
                said,
                study.table.get("transplants", name, *own, applied=study.main),
                "batches",
                TRANSPLANTS_TABLE,
                **place,
            )
            for said, name in (("mean same-sign run", "mean_run"), ("the same, signs tossed", "toss"))
        )
        about = f"Do tossed signs leave more than {MOSTLY.value:.0%} of what streaks in {layer} have above a coin’s?"
        tests.append(Test("tossed", about, share.is_above(MOSTLY.value), layer))
        below.append(share.is_below(MOSTLY.value))
        evidence += [share, measured, tossed]
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
