"""The claims that layer 3–4 is updated little at first and heavily after batch 100."""

from report.analysis import units
from report.analysis.findings.constants import CLIP, EQUAL, UNITS_RUNS_TABLE
from report.analysis.findings.records import BySeed, Evidence, Finding, Lookup, Test, conclude, geometric

FILM = "opacity"  # the unit in which the claims were made: what the first article's animation shows
UNIT_WORDS = {"opacity": "opacity", "absolute": "mean |Δ|", "relative": "‖Δ‖/‖w‖"}
EARLY = "1-100"


def _neighbours(study: Lookup) -> tuple[tuple[str, str, str] | None, str | None]:
    """Return the middle layer and its neighbours, or why the claim does not apply."""
    if len(study.drawn) != 3:
        return None, (
            "The claim is about the middle one of three neighbouring layers; this network's graph shows "
            f"{len(study.drawn)}."
        )
    first, middle, last = study.drawn
    return (middle, first, last), None


def _name(study: Lookup) -> str:
    """Return what the claims call the layer that they speak of: as the first article did where it is the same one."""
    if len(study.drawn) != 3:
        return "layer 3–4"
    middle = study.drawn[1]
    # The first article counts columns of nodes: between the third and the fourth lies the fourth one's weight matrix,
    # counted from the one that reads the inputs as the first.
    is_same = "network" in study.results["about"] and study.results["tensors"].index(middle) == 3
    return f"layer 3–4 ({middle})" if is_same else f"the middle layer ({middle})"


def quiet(study: Lookup) -> Finding:
    """Decide whether the middle layer is updated less than its neighbours in the first 100 batches."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    layers, reason = _neighbours(study)
    for unit in units.UNITS if layers else ():
        assert layers is not None
        middle, *rest = (study.by_seed("units", study.main, layer, EARLY, unit) for layer in layers)
        lesser = {seed: min(each[seed] for each in rest) for seed in middle if all(seed in each for each in rest)}
        ratio = _ratio(
            f"update of {layers[0]} / smaller of {layers[1]} and {layers[2]}, in {UNIT_WORDS[unit]}",
            # Beside a neighbour that does not move at all, a layer that moves is as far above it as can be counted;
            # one that does not move either is neither quiet nor lively.
            [middle[seed] / size if size else CLIP.value for seed, size in lesser.items() if size or middle[seed]],
            EARLY,
            unit if unit == FILM else None,
            study,
        )
        evidence.append(ratio)
        if unit == FILM:
            about = f"Is {layers[0]} updated less than both neighbours, measured in {UNIT_WORDS[unit]}?"
            tests.append(Test(unit, about, ratio.is_below(EQUAL.value), layers[0]))
    return conclude(
        "layer-3-4-quiet",
        f"In batches 1–100, {_name(study)} is updated less than its neighbours.",
        f"In {study.batches(EARLY)} of the main optimizer: the size of the middle layer's updates divided by that of "
        "the neighbour that moves less, seed by seed. The claim was read off a film, so the film's own unit decides "
        f"it, opacity: supported if the 95 % interval of the geometric mean lies below {EQUAL.value:g}, not supported "
        "otherwise. The other two units stand beside it.",
        (EQUAL, CLIP),
        tests,
        evidence,
        reason,
    )


def late(study: Lookup) -> Finding:
    """Decide whether the middle layer is updated heavily after batch 100."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    layers, reason = _neighbours(study)
    if layers and study.late == "all":
        layers, reason = None, "The study is not longer than the 100 batches of the start."
    for unit in units.UNITS if layers else ():
        assert layers is not None
        growth: list[BySeed] = []
        for layer in layers:
            before = study.by_seed("units", study.main, layer, EARLY, unit)
            after = study.by_seed("units", study.main, layer, study.late, unit)
            growth.append({seed: after[seed] / before[seed] for seed in before if before[seed] and seed in after})
        middle, *rest = growth
        seeds = [seed for seed in middle if all(each.get(seed) for each in rest)]
        own = _ratio(
            f"{layers[0]}: after batch 100 / before, in {UNIT_WORDS[unit]}",
            [middle[seed] for seed in seeds],
            study.late,
            f"{unit}: more" if unit == FILM else None,
            study,
        )
        beside = _ratio(
            f"growth of {layers[0]} / larger growth of {layers[1]} and {layers[2]}, in {UNIT_WORDS[unit]}",
            [middle[seed] / max(each[seed] for each in rest) for seed in seeds],
            study.late,
            f"{unit}: catches up" if unit == FILM else None,
            study,
        )
        evidence += [own, beside]
        if unit == FILM:
            about = f"Is {layers[0]} updated more after batch 100 than before, measured in {UNIT_WORDS[unit]}?"
            tests.append(Test(f"{unit}: more", about, own.is_above(EQUAL.value), layers[0]))
            about = f"Does {layers[0]} gain on both neighbours, measured in {UNIT_WORDS[unit]}?"
            tests.append(Test(f"{unit}: catches up", about, beside.is_above(EQUAL.value), layers[0]))
    return conclude(
        "layer-3-4-late",
        f"After batch 100, {_name(study)} is updated heavily.",
        f"{study.batches(study.late).capitalize()} against {study.batches(EARLY)} of the main optimizer, two tests in "
        "the film's own unit, opacity, both on the geometric mean over seeds; the other units stand beside it. More: "
        "the middle layer's updates are larger after batch 100 than before, the 95 % interval of the ratio above "
        f"{EQUAL.value:g}. Catches up: that ratio is larger than both neighbours', again with an interval above "
        f"{EQUAL.value:g}. Supported if both hold, not supported if neither does, mixed otherwise.",
        (EQUAL, CLIP),
        tests,
        evidence,
        reason,
    )


def _ratio(name: str, ratios: list[float], window: str, test: str | None, study: Lookup) -> Evidence:
    summary = geometric(ratios, CLIP.value)
    return Evidence.of(
        name, summary, "times", UNITS_RUNS_TABLE, window=window, optimizer=study.label(study.main), test=test
    )
