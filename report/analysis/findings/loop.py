"""What momentum does to the gradients themselves, and which weights move together whatever the optimizer."""

from report.analysis.findings.constants import STRONG, TOGETHER, TOGETHERNESS_TABLE, TRANSPLANTS_TABLE
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


def loop(study: Lookup) -> Finding:
    """Decide whether momentum changes the gradients, not only what is made of them."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    pairs = [
        (slug, group[0.0])
        for group in (study.family, study.sgd)
        for memory, slug in group.items()
        if memory >= STRONG.value and 0.0 in group
    ]
    for layer in study.drawn:
        for slug, plain in dict(pairs).items():
            own, other = (
                study.by_seed("transplants", gradients, layer, study.late, "lean", slug) for gradients in (slug, plain)
            )
            difference = Evidence.of(
                "lean on its own gradients - lean on those without momentum",
                paired(own, other),
                "batches",
                TRANSPLANTS_TABLE,
                layer=layer,
                window=study.late,
                optimizer=f"{study.label(slug)}, against {study.label(plain)}",
                test="loop",
            )
            about = (
                f"Does {study.label(slug)} make longer streaks in {layer}, against the toss, of the gradients that it "
                f"met itself than of those that {study.label(plain)} met?"
            )
            tests.append(Test("loop", about, difference.is_above(0), layer))
            evidence.append(difference)
    reason = None if pairs else "No optimizer with strong momentum has a control of its kind without."
    return conclude(
        "loop",
        "Momentum changes the gradients, not only what is made of them.",
        f"In {study.batches(study.late)}, one test in each drawn layer and for each optimizer with a momentum of "
        f"{STRONG.value:g} or more. Lean is the mean same-sign run minus that of tossed signs: what the direction of "
        "the gradients adds. The optimizer’s lean on the gradients of its own training run, minus its lean on those of "
        "the control without momentum, seed by seed; the 95 % interval lies above 0. Supported if all tests hold, not "
        "supported if none does, mixed otherwise.",
        (STRONG,),
        tests,
        evidence,
        reason if study.drawn else NOTHING_DRAWN,
    )


def together(study: Lookup) -> Finding:
    """Decide whether weights into one unit move together, with and without momentum."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    for layer in study.drawn:
        for slug in (study.main, *study.plain[:1]):
            place = {"layer": layer, "window": study.late, "optimizer": study.label(slug)}
            into, out_of, tossed = (
                Evidence.of(
                    said,
                    study.table.get("togetherness", name, slug, layer, study.late),
                    "fraction",
                    TOGETHERNESS_TABLE,
                    test=test,
                    **place,
                )
                for said, name, test in (
                    ("same direction, one output unit", "output", "together"),
                    ("same direction, one input unit", "input", None),
                    ("one output unit, signs tossed", "output_toss", None),
                )
            )
            about = (
                f"With {study.label(slug)}, do two weights of {layer} into one unit agree in more than "
                f"{TOGETHER.value:.0%} of their moves?"
            )
            tests.append(Test("together", about, into.is_above(TOGETHER.value), layer))
            evidence += [into, out_of, tossed]
    return conclude(
        "together",
        "Weights into one unit move together, with or without momentum.",
        f"In {study.batches(study.late)}, one test in each drawn layer, for the main optimizer and for the control "
        "without momentum: of all pairs of weights into the same output unit that both move in a batch, the share that "
        f"moves the same way; its 95 % interval lies above {TOGETHER.value:g}. Supported if all tests hold, not "
        "supported if none does, mixed otherwise.",
        (TOGETHER,),
        tests if study.plain else [],
        evidence,
        NOTHING_DRAWN if not study.drawn else None if study.plain else NO_CONTROL,
    )
