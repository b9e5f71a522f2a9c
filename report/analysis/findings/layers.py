"""The claims that layer 3–4 is updated little at first and heavily after batch 100."""

from report.analysis import units
from report.analysis.findings.constants import CLIP, EQUAL, UNITS_RUNS_TABLE
from report.analysis.findings.records import BySeed, Evidence, Facts, Finding, Lookup, Test, conclude, geometric
from report.analysis.windows import EARLY

FILM = "opacity"  # the unit in which the claims were made: what the first article's animation shows


def _facts(study: Lookup) -> Facts:
    """Return which layer is in the middle, its neighbours, and whether it is the first article's layer 3–4."""
    if len(study.drawn) != 3:
        return {"drawn": len(study.drawn), "is_first_articles": True, "first": None, "middle": None, "last": None}
    first, middle, last = study.drawn
    # The first article counts columns of nodes: between the third and the fourth lies the fourth one's weight matrix,
    # counted from the one that reads the inputs as the first.
    is_same = "network" in study.results["about"] and study.results["tensors"].index(middle) == 3
    return {"drawn": 3, "is_first_articles": is_same, "first": first, "middle": middle, "last": last}


def _middle_first(study: Lookup) -> tuple[str, str, str] | None:
    """Return the middle layer and its neighbours, or None where three are not drawn."""
    if len(study.drawn) != 3:
        return None
    first, middle, last = study.drawn
    return middle, first, last


def quiet(study: Lookup) -> Finding:
    """Decide whether the middle layer is updated less than its neighbours in the first 100 batches."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    layers = _middle_first(study)
    for unit in units.UNITS if layers else ():
        assert layers is not None
        middle, *rest = (study.by_seed("units", study.main, layer, EARLY, unit) for layer in layers)
        lesser = {seed: min(each[seed] for each in rest) for seed in middle if all(seed in each for each in rest)}
        # Beside a neighbour that does not move at all, a layer that moves is as far above it as can be counted; one
        # that does not move either is neither quiet nor lively.
        ratios = [middle[seed] / size if size else CLIP.value for seed, size in lesser.items() if size or middle[seed]]
        ratio = _ratio(f"beside_{unit}", ratios, EARLY, "opacity" if unit == FILM else None, study)
        evidence.append(ratio)
        if unit == FILM:
            is_below, is_above = ratio.is_below(EQUAL.value), ratio.is_above(EQUAL.value)
            tests.append(Test("opacity", is_below, layers[0], refuted=is_above))
    reason = None if layers else "not_three_layers"
    return conclude(study, "layer-3-4-quiet", (EQUAL, CLIP), tests, evidence, reason, about=_facts(study))


def late(study: Lookup) -> Finding:
    """Decide whether the middle layer is updated heavily after batch 100."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    layers = _middle_first(study)
    reason = None if layers else "not_three_layers"
    if layers and study.late == "all":
        layers, reason = None, "too_short"
    for unit in units.UNITS if layers else ():
        assert layers is not None
        growth: list[BySeed] = []
        for layer in layers:
            before = study.by_seed("units", study.main, layer, EARLY, unit)
            after = study.by_seed("units", study.main, layer, study.late, unit)
            growth.append({seed: after[seed] / before[seed] for seed in before if before[seed] and seed in after})
        middle, *rest = growth
        seeds = [seed for seed in middle if all(each.get(seed) for each in rest)]
        ratios = {
            "more": (f"growth_{unit}", [middle[seed] for seed in seeds]),
            "catches_up": (f"gain_{unit}", [middle[seed] / max(each[seed] for each in rest) for seed in seeds]),
        }
        for test, (identity, values) in ratios.items():
            ratio = _ratio(identity, values, study.late, test if unit == FILM else None, study)
            evidence.append(ratio)
            if unit == FILM:
                is_above, is_below = ratio.is_above(EQUAL.value), ratio.is_below(EQUAL.value)
                tests.append(Test(test, is_above, layers[0], refuted=is_below))
    return conclude(study, "layer-3-4-late", (EQUAL, CLIP), tests, evidence, reason, about=_facts(study))


def _ratio(identity: str, ratios: list[float], window: str, test: str | None, study: Lookup) -> Evidence:
    summary = geometric(ratios, CLIP.value)
    place = {"window": window, "optimizer": study.label(study.main)}
    return Evidence.of(identity, summary, "ratio", UNITS_RUNS_TABLE, test=test, **place)
