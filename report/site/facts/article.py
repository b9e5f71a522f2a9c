"""What the article states: streaks, whose they are, blocks, quiet layers."""

from collections.abc import Callable, Sequence

from report.analysis import intervals
from report.analysis.findings.constants import COIN
from report.site.facts.numbers import ByLayer, Facts, Numbers, span

LAG = 10  # batches between two updates that the text compares, besides one


def facts(numbers: Numbers) -> Facts:
    """Return the facts of the article; of a study that cannot carry it, those that there are."""
    found: dict[str, Callable[[Numbers], Facts]] = {
        "runs": _runs,
        "toss": _toss,
        "correlation": _correlation,
        "dwell": _dwell,
        "cause": _cause,
        "loop": _loop,
        "together": _together,
        "quiet": _quiet,
        "agreement": _agreement,
    }
    return {name: find(numbers) for name, find in found.items()}


def _runs(numbers: Numbers) -> Facts:
    """Return mean same-sign runs over the drawn layers: recorded, tossed, without momentum, by the formula."""
    theory, plain = numbers.theory(numbers.main), numbers.plain
    known = [each for each in numbers.optimizers if numbers.theory(each["slug"]) is not None]
    return {
        "main": span(numbers.means("persistence", "mean_run", numbers.main)),
        "toss": span(numbers.means("transplants", "toss", numbers.main, on=numbers.main)),
        "plain": None if plain is None else span(numbers.means("persistence", "mean_run", plain["slug"])),
        "formula": None if theory is None else theory["mean_run"],
        "coin": COIN,
        "main_by_layer": numbers.means("persistence", "mean_run", numbers.main),
        "toss_by_layer": numbers.means("transplants", "toss", numbers.main, on=numbers.main),
        "others": _others(numbers, "persistence", "mean_run"),
        "others_toss": _others(numbers, "transplants", "toss", on=numbers.main),
        "predicted": [
            {"label": each["label"], "run": (numbers.theory(each["slug"]) or {})["mean_run"]} for each in known
        ],
        "table": [_row(numbers, each) for each in numbers.optimizers],
    }


def _others(numbers: Numbers, quantity: str, statistic: str, on: str = "") -> ByLayer:
    """Return the main optimizer's means in the layers of which only a sample was recorded; none where all are drawn."""
    names = [name for name in numbers.results["tensors"] if name not in numbers.drawn]
    found = {
        name: numbers.estimate(quantity, statistic, numbers.main, name, numbers.late, on=on).mean for name in names
    }
    return {name: value for name, value in found.items() if value is not None}


def _row(numbers: Numbers, optimizer: Facts) -> Facts:
    """Return an optimizer's mean runs in every layer, beside formula and toss."""
    slug, theory = optimizer["slug"], numbers.theory(optimizer["slug"])
    cells = []
    for layer in numbers.results["tensors"]:
        run = numbers.estimate("persistence", "mean_run", slug, layer, numbers.late)
        toss = numbers.estimate("transplants", "toss", slug, layer, numbers.late, on=slug)
        cells.append({"mean": run.mean, "low": run.low, "high": run.high, "toss": toss.mean})
    return {"label": optimizer["label"], "formula": None if theory is None else theory["mean_run"], "cells": cells}


def _toss(numbers: Numbers) -> Facts:
    """Return what share of the streaks above a coin's tossed signs leave, later and at the start."""
    evidence = numbers.finding("streaks")["evidence"]
    shares = [each for each in evidence if each["unit"] == "fraction" and each["value"] is not None]
    later = {each["layer"]: each for each in shares if each["window"] == numbers.late}
    first = {each["layer"]: each for each in shares if each["window"] != numbers.late}
    constant = next(iter(numbers.finding("streaks")["constants"]))["value"]
    start = "less" if is_less_at_first(numbers) else "alike"
    return {
        "share": {layer: each["value"] for layer, each in later.items()},
        "early_share": {layer: each["value"] for layer, each in first.items()},
        "start": start,
        # The answer speaks of the start as an exception; where the streaks are not the optimizer's, it is none.
        "opening": "alike" if numbers.finding("streaks")["verdict"] == "not supported" else start,
        "mostly": constant,
        "open": [layer for layer, each in later.items() if each["low"] is not None and each["low"] <= constant],
    }


def is_less_at_first(numbers: Numbers) -> bool:
    """Tell whether a sign toss leaves less of the streaks at the start than later.

    So it is where, in every layer, the share at the start has an interval that ends below the share later.
    """
    shares = [each for each in numbers.finding("streaks")["evidence"] if each["unit"] == "fraction"]
    later = {each["layer"]: each["value"] for each in shares if each["window"] == numbers.late}
    first = {each["layer"]: each["high"] for each in shares if each["window"] != numbers.late}
    return bool(later) and all(_is_below(first.get(layer), value) for layer, value in later.items())


def _correlation(numbers: Numbers) -> Facts:
    """Return correlations of updates and gradients one batch and `LAG` batches apart."""
    theory, plain = numbers.theory(numbers.main), numbers.plain

    def at(series: str, lag: int, slug: str = numbers.main) -> ByLayer:
        return numbers.means("autocorrelation", series, slug, at=lag)

    chance = [None, None] if theory is None else [theory["autocorrelation"][lag - 1] for lag in (1, LAG)]
    far, runs = at("updates", LAG), numbers.means("persistence", "mean_run", numbers.main)
    below = [layer for layer, value in far.items() if _is_below(value, chance[1])]
    longer = [layer for layer in below if theory is not None and _is_below(theory["mean_run"], runs[layer])]
    gradients, gradients_far = at("gradients", 1), at("gradients", LAG)
    # Where gradients agree with the next one, and turn against those further on.
    turning = [layer for layer in longer if _is_below(gradients_far[layer], 0) and _is_below(0, gradients[layer])]
    without = None if plain is None else at("gradients", 1, plain["slug"])
    return {
        "lag": LAG,
        "chance": chance[0],
        "chance_far": chance[1],
        "updates": at("updates", 1),
        "far": far,
        "longer": longer,
        "gradients_far": {layer: gradients_far[layer] for layer in longer},
        "fading": "alike" if not longer else "turns" if turning == longer else "longer",
        "gradients": gradients,
        "gradients_plain": without,
        "sign": "turns"
        if _all_below(without or {}, 0) and all(_is_below(0, each) for each in gradients.values())
        else "stays",
    }


def _dwell(numbers: Numbers) -> Facts:
    """Return for how many batches an update stays above the threshold, and above a half of it; `chance` for noise."""
    names = {"full": "q1", "half": "q05"}
    chance = {name: span(numbers.means("dwell", f"chance_{key}", numbers.main)) for name, key in names.items()}
    is_known = all(each["low"] is not None for each in chance.values())
    spells = {name: span(numbers.means("dwell", f"spell_{key}", numbers.main)) for name, key in names.items()}
    return {**spells, "chance": chance, "noise": "known" if is_known else "unknown"}


def outcome(tests: Sequence[Facts], name: str) -> Facts:
    """Return how the tests `name` of a finding came out: `kind` is all, some, none or untested; and in which layers."""
    answers = [test for test in tests if test["id"] == name and test["holds"] is not None]
    fails = list(dict.fromkeys(test["layer"] for test in answers if not test["holds"]))
    holds = [each for each in dict.fromkeys(test["layer"] for test in answers) if each not in fails]
    kind = "untested" if not answers else "all" if not fails else "some" if holds else "none"
    return {"kind": kind, "holds": holds, "fails": fails}


def _cause(numbers: Numbers) -> Facts:
    """Return how the tests of momentum came out, and what its strongest form does."""
    finding = numbers.finding("momentum")
    back = [each for each in finding["evidence"] if each["test"] == "returns" and each["value"] is not None]
    family = sorted(
        (each for each in numbers.optimizers if each["name"] == numbers.chief["name"]),
        key=lambda each: each["momentum"],
    )
    return {
        **{name: outcome(finding["tests"], name) for name in ("vanishes", "returns", "grows")},
        "factor": next(iter(numbers.finding("formula")["constants"]))["value"],
        "longer": span(each["value"] for each in back),
        "longer_predicted": back[0]["predicted"] if back else None,
        "lowers_rate": _lowers_rate(numbers),
        "most": _most(numbers, family[-1]),
    }


def _lowers_rate(numbers: Numbers) -> bool:
    """Tell whether SGD with the strongest momentum has a lower learning rate than SGD without."""
    rates = {each["momentum"]: each["learning_rate"] for each in numbers.optimizers if each["name"] == "SGD"}
    return len(rates) > 1 and _is_below(rates[max(rates)], rates[min(rates)])


def _most(numbers: Numbers, optimizer: Facts) -> Facts:
    """Return what the strongest momentum of the main optimizer's class does: runs, formula, what a toss keeps."""
    slug, theory = optimizer["slug"], numbers.theory(optimizer["slug"])
    own, share = _kept(numbers, numbers.main), _kept(numbers, slug)
    is_less = bool(share) and all(_is_below(value, own.get(layer)) for layer, value in share.items())
    return {
        "label": optimizer["label"],
        "kind": "main" if slug == numbers.main else "less" if is_less else "other",
        "runs": span(numbers.means("persistence", "mean_run", slug)),
        "formula": None if theory is None else theory["mean_run"],
        "share": share,
    }


def _kept(numbers: Numbers, slug: str) -> ByLayer:
    """Return what share of an optimizer's streaks beyond a coin's its sign toss keeps: the mean of a share a seed."""
    found = {}
    for layer in numbers.drawn:
        runs, tossed = (
            numbers.estimate("transplants", name, slug, layer, numbers.late, on=slug).values
            for name in ("mean_run", "toss")
        )
        pairs = [(run, toss) for run, toss in zip(runs, tossed, strict=True) if run is not None and toss is not None]
        found[layer] = intervals.estimate([(toss - COIN) / (run - COIN) for run, toss in pairs if run > COIN]).mean
    return found


def _loop(numbers: Numbers) -> Facts:
    """Return what the main optimizer makes of its own gradients, and of those of training without momentum."""
    plain = numbers.plain
    other = {} if plain is None else numbers.means("transplants", "lean", plain["slug"], on=numbers.main)
    runs = {} if plain is None else numbers.means("transplants", "mean_run", plain["slug"], on=numbers.main)
    return {
        "own_runs": numbers.means("transplants", "mean_run", numbers.main, on=numbers.main),
        "plain_runs": runs,
        "plain_toss": {} if plain is None else numbers.means("transplants", "toss", plain["slug"], on=numbers.main),
        "takes_back": _all_below(other, 0),
        "longer_steps": None if plain is None else _longer_steps(numbers, plain),
    }


def _longer_steps(numbers: Numbers, plain: Facts) -> float | None:
    """Return how many times as large the control's steps are; None where they are not, or learning rates differ."""
    own, other = _step(numbers, numbers.main), _step(numbers, plain["slug"])
    if numbers.chief["learning_rate"] != plain["learning_rate"] or not own or other is None or other <= own:
        return None
    return other / own


def _step(numbers: Numbers, slug: str) -> float | None:
    """Return the root mean square of an optimizer's updates, in learning rates, averaged over the drawn layers."""
    known = [each for each in numbers.means("update_rms", "rms", slug).values() if each is not None]
    return sum(known) / len(known) if known else None


def _is_below(value: float | None, bound: float | None) -> bool:
    return value is not None and bound is not None and value < bound


def _all_below(values: ByLayer, bound: float) -> bool:
    return bool(values) and all(_is_below(value, bound) for value in values.values())


def _together(numbers: Numbers) -> Facts:
    """Return how many pairs of weights move the same way: into one unit, out of one, with tossed signs."""
    plain = numbers.plain

    output = numbers.means("togetherness", "output", numbers.main)
    without = {} if plain is None else numbers.means("togetherness", "output", plain["slug"])
    blurs = bool(without) and all(_is_below(value, without[layer]) for layer, value in output.items())
    others, least = _others(numbers, "togetherness", "output"), span(output)["low"]
    fainter = _all_below(others, least) if least is not None else False
    return {
        "output": span(output),
        "plain": span(without),
        "input": span(numbers.means("togetherness", "input", numbers.main)),
        "others": others,
        "others_are": "none" if not others else "fainter" if fainter else "alike",
        "momentum_blurs": blurs,
    }


def _quiet(numbers: Numbers) -> Facts:
    """Return how loud the middle layer is beside its quieter neighbour at the start, in each unit."""
    evidence = {each["id"]: each["value"] for each in numbers.finding("layer-3-4-quiet")["evidence"]}
    return {unit: evidence.get(f"beside_{unit}") for unit in ("opacity", "absolute", "relative")}


def _agreement(numbers: Numbers) -> Facts:
    """Return the share of updates that go down their own batch's gradient, measured and by chance."""
    theory = numbers.theory(numbers.main)
    return {
        "share": span(numbers.means("agreement", "share", numbers.main)),
        "chance": None if theory is None else theory["agreement"],
    }
