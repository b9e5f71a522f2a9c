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
    compared = pairs(study)
    for layer in study.drawn:
        for slug, plain in compared.items():
            own, other = (
                study.by_seed("transplants", gradients, layer, study.late, "lean", slug) for gradients in (slug, plain)
            )
            difference = Evidence.of(
                "lean_difference",
                paired(own, other),
                "batches",
                TRANSPLANTS_TABLE,
                layer=layer,
                window=study.late,
                optimizer=study.label(slug),
                against=study.label(plain),
                test="loop",
            )
            labels = study.label(slug), study.label(plain)
            tests.append(Test("loop", difference.is_above(0), layer, *labels, refuted=difference.is_below(0)))
            evidence.append(difference)
    reason = NOTHING_DRAWN if not study.drawn else None if compared else "no_control_of_its_kind"
    return conclude(study, "loop", (STRONG,), tests, evidence, reason)


def pairs(study: Lookup) -> dict[str, str]:
    """Return the slugs of optimizers with strong momentum, each with that of the same one without."""
    return {
        slug: group[0.0]
        for group in (study.family, study.sgd)
        for momentum, slug in group.items()
        if momentum >= STRONG.value and 0.0 in group
    }


def together(study: Lookup) -> Finding:
    """Decide whether weights into one unit move together, with and without momentum."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    for layer in study.drawn:
        for slug in (study.main, *study.plain[:1]):
            place = {"layer": layer, "window": study.late, "optimizer": study.label(slug)}
            into, out_of, tossed = (
                Evidence.of(
                    name,
                    study.table.get("togetherness", name, slug, layer, study.late),
                    "fraction",
                    TOGETHERNESS_TABLE,
                    test=test,
                    **place,
                )
                for name, test in (("output", "together"), ("input", None), ("output_toss", None))
            )
            is_above, is_below = into.is_above(TOGETHER.value), into.is_below(TOGETHER.value)
            tests.append(Test("together", is_above, layer, study.label(slug), refuted=is_below))
            evidence += [into, out_of, tossed]
    reason = NOTHING_DRAWN if not study.drawn else None if study.plain else NO_CONTROL
    control = study.label(study.plain[0]) if study.plain else None
    return conclude(
        study, "together", (TOGETHER,), tests if study.plain else [], evidence, reason, about={"control": control}
    )
