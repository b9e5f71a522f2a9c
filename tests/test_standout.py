"""What stands out: each rule speaks of a made-up recording that it is meant for, and is silent of one that is sound."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from recordings import Array, Rule, descend, momentum, noise, write_recording

from report.analysis import own_tensor, standout
from report.analysis.sightings import Item, find
from report.recording.schema import Note
from report.recording.study import Study
from report.site.facts import own
from report.site.words import Words

STEPS = 240
WORDS = {language: Words.load(ROOT / "templates", language) for language in ("en", "ja")}
SHAPES = {"one.weight": (12, 10), "two.weight": (10, 12), "three.weight": (12, 10), "three.bias": (12,)}
Arrays = dict[str, Array]


def found(*folders: Path) -> list[Item]:
    """Return what stands out in recordings; there are words for all of it."""
    study = Study.load(list(folders))
    seen: dict[str, dict[str, Any]] = {}
    for each in study.recordings:
        jobs = {
            name: own_tensor.Job(each.path, name, study.slug(each.label), study.steps, None) for name in each.tensors
        }
        infos = {name: job.make().info for name, job in jobs.items()}
        seen[each.name] = {name: info for name, info in infos.items() if info}
    items, silent = find(study, seen)
    assert {each.rule for each in items} | set(silent) == set(standout.RULES)
    for each in items:
        said(each, study)
    return items


def said(item: Item, study: Study) -> dict[str, str]:
    """Return the sentence on an item, by language."""
    facts = own._standout(asdict(item), study, [*WORDS.values()])
    assert set(facts["said"]) == set(facts["reason"]) == set(WORDS)
    return {language: str(words) for language, words in facts["said"].items()}


def rules(*folders: Path) -> list[tuple[str, str | None]]:
    """Return the rules that speak, each with its worst tensor."""
    return [(each.rule, each.tensors[0] if each.tensors else None) for each in found(*folders)]


def made(
    folder: Path,
    change: Callable[[Arrays], object] = lambda gradients: None,
    initial: Mapping[str, float] | None = None,
    rates: Mapping[str, float] | None = None,
    **more: Any,
) -> Path:
    """Write a recording of SGD with momentum on noise that is changed first.

    Args:
        folder: where.
        change: the gradients, in place.
        initial: what initial weights are multiplied by.
        rates: learning rates other than 0.001, a group each.
        more: for `write_recording`.
    """
    weights, gradients = noise(SHAPES, STEPS)
    change(gradients)
    own = dict(rates or {})
    for name, each in gradients.items():
        first = weights[name][0] * np.float32((initial or {}).get(name, 1.0))
        weights[name] = descend(each, first, rate=own.get(name, 0.001))
    groups: dict[str, int] = {name: place + 1 for place, name in enumerate(own)}
    every: list[Rule] = [momentum(0.9), *(momentum(0.9, rate) for rate in own.values())]
    return write_recording(folder, weights, gradients, rules=every, group_of=groups, **more)


def test_of_a_sound_network_nothing_is_said(tmp_path: Path) -> None:
    """Noise through an ordinary optimizer: every rule is checked, and none speaks."""
    assert rules(made(tmp_path / "sound")) == []


def test_what_a_recorder_notes_is_said_and_what_is_meant_is_not(tmp_path: Path) -> None:
    """A number that is not finite, and a parameter without an optimizer; a frozen one is left alone on purpose."""
    notes = [
        Note("non-finite", "…", 200, ("two.weight",)),
        Note("non-finite", "…", 150, ("three.weight",)),
        Note("unheld", "…", None, ("extra.weight", "extra.bias")),
        Note("frozen", "…", None, ("old.weight",)),
    ]
    broken, unheld = found(made(tmp_path / "noted", notes=notes))
    assert (broken.rule, broken.tensors, broken.numbers["step"]) == ("broken", ("three.weight",), 150)
    assert (unheld.rule, unheld.numbers["names"]) == ("unheld", ["extra.weight", "extra.bias"])
    assert rules(made(tmp_path / "frozen", notes=notes[3:])) == []


def test_what_was_seen_only_at_the_end_is_said_without_a_step(tmp_path: Path) -> None:
    """An entry that is not kept became NaN; of a recording with such numbers nothing is said by size."""
    late, early = Note("non-finite", "…", None, ("two.weight",)), Note("non-finite", "…", 7, ("one.weight",))
    (broken,) = found(made(tmp_path / "late", notes=[late], initial={"two.weight": 1e-4}))
    assert (broken.rule, broken.tensors, broken.numbers["step"]) == ("broken", ("two.weight",), None)
    (broken,) = found(made(tmp_path / "both", notes=[late, early]))
    assert (broken.tensors, broken.numbers["step"], broken.numbers["later"]) == (("one.weight",), 7, 1)


def test_weights_that_grow_beyond_measure_are_no_swing(tmp_path: Path) -> None:
    """Just above the largest stable learning rate each step takes more back than the last one gave."""

    def swing(gradients: Arrays) -> None:
        signs = (-1.0) ** np.arange(STEPS)
        gradients["two.weight"][:] = (signs * 1.1 ** np.arange(STEPS))[:, None, None]

    items = found(made(tmp_path / "swing", swing))
    assert [(each.rule, each.level, each.tensors) for each in items[:1]] == [("exploded", "error", ("two.weight",))]
    assert items[0].numbers["factor"] > standout.GROWN
    assert "shorter" not in {each.rule for each in items}


def layers(folder: Path, powers: Sequence[float], steps: int = STEPS, **more: Any) -> Path:
    """Write a recording of layers with gradients of such powers of ten."""
    weights, gradients = noise({f"{number}.weight": (12, 10) for number in range(len(powers))}, steps)
    for (name, each), power in zip(gradients.items(), powers, strict=True):
        each *= np.float32(10.0**power)
        weights[name] = descend(each, weights[name][0], rate=0.001)
    return write_recording(folder, weights, gradients, rules=[momentum(0.9)], **more)


def fading(folder: Path) -> list[Item]:
    """Return what is said of fading gradients in a recording."""
    return [each for each in found(folder) if each.rule == "fading"]


FALLS = (-6, -4.5, -3, -1.5, 0)


def test_gradients_that_vanish_on_their_way_back(tmp_path: Path) -> None:
    """Each layer hands on a thirtieth, so that no neighbours differ much."""
    (item,) = fading(layers(tmp_path / "run", FALLS))
    assert (item.level, item.tensors, round(math.log10(item.numbers["factor"]))) == ("warning", ("0.weight",), 6)


@pytest.mark.parametrize(
    "powers",
    [(0, -1.5, -3, -4.5, -6), (-6, -3, -6, -3, 0), (-2, -1.5, -1, -0.5, 0), (-6, -3, 0)],
    ids=["rise", "fall and rise", "fall little", "too few"],
)
def test_gradients_that_do_not_vanish(powers: Sequence[float], tmp_path: Path) -> None:
    """Layers that grow again are another matter; and of three there is no "from layer to layer"."""
    assert fading(layers(tmp_path / "run", powers)) == []


def test_tables_short_trainings_and_layers_that_came_later_do_not_fade(tmp_path: Path) -> None:
    """Rows of a table have few gradients; what an optimizer is given later stands last, wherever it is in the model."""
    table = {"0.weight": "Embedding"}
    has_table = layers(tmp_path / "table", (-12, *FALLS), kinds=table)
    assert [each.tensors for each in fading(has_table)] == [("1.weight",)]
    assert len(fading(layers(tmp_path / "enough", FALLS, steps=standout.JUDGED))) == 1
    assert fading(layers(tmp_path / "few", FALLS, steps=standout.JUDGED - 1)) == []
    unfrozen = layers(tmp_path / "unfrozen", (*FALLS, -7))  # the first layer, given to the optimizer in mid-run
    assert fading(unfrozen) == []
    told = json.loads((unfrozen / "run.json").read_text())
    told["tensors"][5]["since"] = 1
    (unfrozen / "run.json").write_text(json.dumps(told))
    assert [each.tensors for each in fading(unfrozen)] == [("0.weight",)]


def jumps(folder: Path, sizes: Array, *, add: tuple[int, float] = (0, 0.0), **more: Any) -> list[Item]:
    """Return the jumps in a recording of steps that are so many times as large as those of the others.

    Args:
        folder: where.
        sizes: (STEPS,), by which steps of "two.weight" are multiplied.
        add: a step, from 1, and what it adds to every entry.
        more: for `write_recording`.
    """
    weights, gradients = noise(SHAPES, STEPS)
    moves = np.diff(weights["two.weight"], axis=0) * sizes[:, None, None]
    moves[add[0] - 1] += add[1]
    weights["two.weight"][1:] = weights["two.weight"][0] + np.cumsum(moves, axis=0)
    items = found(write_recording(folder, weights, gradients, **{"rules": [momentum(0.9)], **more}))
    return [each for each in items if each.rule == "jump"]


EVEN = np.ones(STEPS)
FALLING = 10.0 ** np.linspace(0, -4, STEPS)  # as steps do where a training converges


@pytest.mark.parametrize(("sizes", "add"), [(EVEN, (150, 2.0)), (FALLING, (150, 1.0)), (EVEN, (STEPS, 2.0))])
def test_weights_that_are_replaced_in_mid_run(sizes: Array, add: tuple[int, float], tmp_path: Path) -> None:
    """A checkpoint that is loaded is part of an update, which is unlike those around it."""
    (item,) = jumps(tmp_path / "run", sizes, add=add)
    assert (item.tensors, item.numbers["step"], item.numbers["has_rate"]) == (("two.weight",), add[0], True)
    assert item.numbers["factor"] > 2 * standout.JUMP


OFTEN = np.where(np.arange(STEPS) % 5 < 2, 1.0, 1e-3)


@pytest.mark.parametrize(
    ("sizes", "add"), [(FALLING, (0, 0.0)), (EVEN, (5, 2.0)), (OFTEN, (0, 0.0)), (10 * FALLING[::-1], (0, 0.0))]
)
def test_large_steps_that_are_no_jump(sizes: Array, add: tuple[int, float], tmp_path: Path) -> None:
    """The first of a training that converges, the first at all, two of any five: none is unlike those around it."""
    assert jumps(tmp_path / "run", sizes, add=add) == []


def test_a_jump_is_seen_in_learning_rates(tmp_path: Path) -> None:
    """A rate that is high for one step is meant; without rates there is nothing to measure it in, and it is said so."""
    once = np.where(np.arange(STEPS) == 150, 1000.0, 1.0)
    (item,) = jumps(tmp_path / "plain", once)
    settings = [{"row": 150, "group": 0, "set": {"lr": 1.0}}, {"row": 151, "group": 0, "set": {"lr": 0.001}}]
    assert jumps(tmp_path / "meant", once, events=settings) == []
    rule = momentum(0.9)
    without = {name: value for name, value in rule[1].items() if name != "lr"}
    folder = tmp_path / "without"
    (bare,) = jumps(folder, once, rules=[(rule[0], without)])
    assert (item.numbers["has_rate"], bare.numbers["has_rate"]) == (True, False)
    sentences = [said(each, Study.load(path))["en"] for each, path in ((item, tmp_path / "plain"), (bare, folder))]
    assert ["learning rates" in each for each in sentences] == [True, False]


def test_of_a_training_that_diverges_no_single_step_is_said(tmp_path: Path) -> None:
    """Its weights exploded, or became infinite: that is said."""
    weights, gradients = noise(SHAPES, STEPS)
    weights["two.weight"][150:] += np.float32(5000.0)
    rule = [momentum(0.9)]
    exploded = found(write_recording(tmp_path / "exploded", weights, gradients, rules=rule))
    assert [each.rule for each in exploded if each.rule in ("exploded", "jump")] == ["exploded"]
    note = [Note("non-finite", "…", 200, ("one.weight",))]
    assert jumps(tmp_path / "broken", EVEN, add=(150, 2.0), notes=note) == []


def test_weights_that_began_near_zero_have_no_factor(tmp_path: Path) -> None:
    """They are as large as they are, and not so many times as large."""
    weights, gradients = noise(SHAPES, STEPS)
    sentences = []
    for name, first in (("some", 1e-2), ("nothing", 0.0)):
        weights["two.weight"][:] = np.linspace(first, 50.0, STEPS + 1)[:, None, None]
        folder = write_recording(tmp_path / name, weights, gradients, rules=[momentum(0.9)])
        (item,) = [each for each in found(folder) if each.rule == "exploded"]
        assert item.numbers["is_from_nothing"] == (first == 0)
        sentences.append(said(item, Study.load(folder))["en"])
    assert ["times as large" in each for each in sentences] == [True, False]
    assert "50" in sentences[1]


def test_of_a_few_steps_nothing_is_said_by_size(tmp_path: Path) -> None:
    """A tenth of them is one step or two."""
    weights, gradients = noise(SHAPES, STEPS)
    weights = {name: descend(each, weights[name][0], rate=0.1) for name, each in gradients.items()}

    def cut(folder: str, steps: int) -> Path:
        shown = {name: each[: steps + 1] for name, each in weights.items()}
        used = {name: each[:steps] for name, each in gradients.items()}
        return write_recording(tmp_path / folder, shown, used, rules=[momentum(0.9)])

    assert "large" in {rule for rule, _ in rules(cut("more", standout.JUDGED))}
    assert "large" not in {rule for rule, _ in rules(cut("few", standout.JUDGED - 1))}


def test_a_tensor_without_gradients_is_not_one_without_steps(tmp_path: Path) -> None:
    """Held and never used is said; used from the middle on is not."""

    def gone(gradients: Arrays) -> None:
        gradients["two.weight"][:] = np.nan

    off = {"row": 0, "tensor": 1, "present": False}
    weights, gradients = noise(SHAPES, STEPS)
    gone(gradients)
    weights["two.weight"][:] = weights["two.weight"][0]
    never = write_recording(tmp_path / "never", weights, gradients, rules=[momentum(0.9)], events=[off])
    assert rules(never) == [("no_gradient", "two.weight")]
    later = made(tmp_path / "later", events=[off, {"row": 40, "tensor": 1, "present": True}])
    assert rules(later) == []


def test_a_rate_of_zero_moves_nothing(tmp_path: Path) -> None:
    """A tensor with gradients of which nothing moves is said, with the reason."""
    (item,) = found(made(tmp_path / "still", rates={"two.weight": 0.0}))
    assert (item.rule, item.tensors, item.numbers["rate_is_zero"]) == ("still", ("two.weight",), True)


def test_a_training_that_stops_half_way_is_said(tmp_path: Path) -> None:
    """By the step after which nothing moved; a pause is none, and what has no gradient is dead instead."""

    def still(weights: Arrays, first: int, last: int) -> None:
        moves = np.diff(weights["two.weight"], axis=0)
        moves[first:last] = 0
        weights["two.weight"][1:] = weights["two.weight"][0] + np.cumsum(moves, axis=0)

    def run(name: str, first: int, last: int, *, is_dead: bool = False) -> Path:
        weights, gradients = noise(SHAPES, STEPS)
        weights = {each: descend(gradients[each], weights[each][0], rate=0.001) for each in weights}
        still(weights, first, last)
        if is_dead:
            gradients["two.weight"][first:last] = 0
        return write_recording(tmp_path / name, weights, gradients, rules=[momentum(0.9)])

    stopped = [each for each in found(run("stopped", 150, STEPS)) if each.rule == "stopped"]
    assert [(each.tensors, each.numbers["last"], each.numbers["rate_is_zero"]) for each in stopped] == [
        (("two.weight",), 150, False)
    ]
    assert "stopped" not in [rule for rule, _ in rules(run("paused", 150, STEPS - 5))]
    assert "stopped" not in [rule for rule, _ in rules(run("dead", 150, STEPS, is_dead=True))]


def test_units_that_die_are_named_and_since_when(tmp_path: Path) -> None:
    """Rows without a gradient to the end; those that pause are alive, and so are embeddings' words that never come."""

    def die(gradients: Arrays) -> None:
        gradients["three.weight"][60:, [2, 7]] = 0
        gradients["three.bias"][60:, [2, 7]] = 0

    def pause(gradients: Arrays) -> None:
        gradients["three.weight"][60:230, [2, 7]] = 0

    def never(gradients: Arrays) -> None:
        gradients["one.weight"][:, 4] = 0

    (item,) = found(made(tmp_path / "dead", die))
    assert (item.rule, item.tensors) == ("dead", ("three.weight",))
    assert {key: item.numbers[key] for key in ("kind", "dead", "of", "which", "since", "always")} == {
        **{"kind": "rows", "dead": 2, "of": 12, "which": [2, 7], "since": 60, "always": 0},
    }
    assert not [each for each in rules(made(tmp_path / "pause", pause)) if each[0] == "dead"]
    assert rules(made(tmp_path / "never", never)) == [("dead", "one.weight")]
    words = made(tmp_path / "words", never, kinds={"one.weight": "Embedding"})
    assert rules(words) == [("unused", "one.weight")]


def test_inputs_that_are_always_zero_are_no_dead_units(tmp_path: Path) -> None:
    """Blank pixels: a note, and no warning."""

    def blank(gradients: Arrays) -> None:
        gradients["one.weight"][:, :, 3] = 0

    (item,) = found(made(tmp_path / "blank", blank))
    assert (item.rule, item.level, item.numbers["kind"], item.numbers["dead"]) == ("unused", "note", "columns", 1)

    def blank_and_dead(gradients: Arrays) -> None:
        blank(gradients)
        gradients["one.weight"][60:, 4] = 0

    def never(gradients: Arrays) -> None:
        gradients["one.weight"][:] = 0

    both = found(made(tmp_path / "both", blank_and_dead))
    assert [(each.rule, each.numbers["kind"], each.numbers["dead"]) for each in both] == [
        ("dead", "rows", 1),
        ("unused", "columns", 1),
    ]
    assert both[1].numbers["is_always"]
    assert not [each for each in found(made(tmp_path / "never", never)) if each.rule == "unused"]


def test_what_is_no_row_of_weights_has_no_units(tmp_path: Path) -> None:
    """A tall matrix of which no row is recorded often enough has inputs; positions, (1, length, width), have none."""
    noises = {"tall.weight": (STEPS, 100), "places": (STEPS, 100)}
    random = np.random.default_rng(3)
    gradients = {name: random.standard_normal(shape).astype(np.float32) for name, shape in noises.items()}
    for each in gradients.values():
        each[:, ::10] = 0
    weights = {name: descend(each, np.ones(100, np.float32), rate=0.001) for name, each in gradients.items()}
    indices = {"tall.weight": np.arange(100) // 10 * 1000 + np.arange(100) % 10, "places": np.arange(100)}
    shapes = {"tall.weight": (1000, 10), "places": (1, 10, 10)}
    rule = [momentum(0.9)]
    folder = write_recording(tmp_path / "run", weights, gradients, rules=rule, indices=indices, shapes=shapes)
    said = {(each.rule, each.tensors, each.numbers["kind"], each.numbers["dead"]) for each in found(folder)}
    assert said == {("unused", ("tall.weight",), "columns", 1), ("dead", ("places",), "entries", 10)}


def test_updates_below_the_number_format_are_lost(tmp_path: Path) -> None:
    """Large weights and small steps: most updates vanish, and the share is said."""
    items = found(made(tmp_path / "lost", initial={"two.weight": 60_000.0}))
    item = next(each for each in items if each.rule == "lost")
    assert item.tensors == ("two.weight",)
    assert 0.1 < item.numbers["share"] < 1


@pytest.mark.parametrize(("steps", "speaks"), [(standout.JUDGED - 1, False), (2 * standout.JUDGED, True)])
def test_of_a_few_steps_nobody_says_that_updates_are_lost(tmp_path: Path, steps: int, speaks: bool) -> None:
    """As of every rule but that weights exploded."""
    weights, gradients = noise(SHAPES, steps)
    for name, each in gradients.items():
        weights[name] = descend(each, weights[name][0] * np.float32(60_000 if name == "two.weight" else 1))
    folder = write_recording(tmp_path / "short", weights, gradients, rules=[momentum(0.9)])
    assert ("lost" in [rule for rule, _ in rules(folder)]) == speaks


def test_large_and_small_steps_stand_out_and_a_schedule_does_not(tmp_path: Path) -> None:
    """Against 10⁻³; a learning rate that falls to nothing at the end is what a schedule is for."""
    every = ("one.weight", "two.weight", "three.weight")
    large = found(made(tmp_path / "large", rates=dict.fromkeys(every, 0.02)))
    assert [each.rule for each in large] == ["large"]
    assert set(large[0].tensors) == set(every)
    small = rules(made(tmp_path / "small", rates=dict.fromkeys(every, 1e-6)))
    assert [rule for rule, _ in small if rule in ("small", "large")] == ["small"]
    weights, gradients = noise(SHAPES, STEPS)
    rate = np.r_[np.full(200, 1e-3), np.full(40, 1e-7)]
    for name, each in gradients.items():
        weights[name] = descend(each * (rate / 1e-3).reshape(-1, *[1] * (each.ndim - 1)), weights[name][0])
    ends = [{"row": 200, "group": 0, "set": {"lr": 1e-7}}]
    scheduled = write_recording(tmp_path / "schedule", weights, gradients, rules=[momentum(0.9)], events=ends)
    assert not [rule for rule, _ in rules(scheduled) if rule in ("small", "large")]


def test_a_rate_that_was_too_high_for_half_of_the_steps_is_said(tmp_path: Path) -> None:
    """A schedule that lowers it at the end hides nothing; one that begins high for some steps is no such thing."""

    def scheduled(name: str, high: int) -> list[Item]:
        weights, gradients = noise(SHAPES, STEPS)
        rate = np.r_[np.full(high, 0.02), np.full(STEPS - high, 1e-4)]
        for tensor, each in gradients.items():
            weights[tensor] = descend(each * (rate / 1e-3).reshape(-1, *[1] * (each.ndim - 1)), weights[tensor][0])
        ends = [{"row": high, "group": 0, "set": {"lr": 1e-4}}]
        first = momentum(0.9)
        return found(write_recording(tmp_path / name, weights, gradients, rules=[first], events=ends))

    (item,) = [each for each in scheduled("long", 200) if each.rule == "large"]
    assert not item.numbers["is_last"]
    assert item.numbers["ratio"] > standout.LARGE
    assert not [each for each in scheduled("short", 40) if each.rule == "large"]


def test_steps_that_move_nothing_count_too(tmp_path: Path) -> None:
    """A tensor that moved in some steps of many was not large in half of them, however large these were."""
    ends = [{"row": 20, "group": 0, "set": {"lr": 0.0}}]
    weights, gradients = noise(SHAPES, STEPS)
    for name, each in gradients.items():
        each[20:] = 0
        weights[name] = descend(each, weights[name][0], rate=0.02, beta=0.0)
    made_here = write_recording(tmp_path / "stop", weights, gradients, rules=[momentum(0.0, 0.02)], events=ends)
    assert "large" not in [rule for rule, _ in rules(made_here)]


def test_one_part_at_another_pace_is_told_from_both_neighbours(tmp_path: Path) -> None:
    """A hundredfold step between two others is said; a tenfold one may be initialisation alone."""
    quiet = dict.fromkeys(("one.weight", "three.weight"), 0.00001)
    assert rules(made(tmp_path / "more", rates=quiet)) == [("livelier", "two.weight")]
    assert rules(made(tmp_path / "less", rates={"two.weight": 0.00001})) == [("quieter", "two.weight")]
    assert rules(made(tmp_path / "tenfold", rates={"two.weight": 0.0001})) == []


def test_streaks_are_compared_with_their_own_toss(tmp_path: Path) -> None:
    """Gradients that keep a direction, and gradients that take each other back."""

    def drift(gradients: Arrays) -> None:
        gradients["two.weight"] += 0.6

    def swing(gradients: Arrays) -> None:
        gradients["two.weight"] += 3 * (-1) ** np.arange(STEPS)[:, None, None]

    longer = found(made(tmp_path / "drift", drift))
    assert [(each.rule, each.tensors) for each in longer] == [("longer", ("two.weight",))]
    assert longer[0].numbers["run"] > 1.5 * longer[0].numbers["toss"]
    assert longer[0].numbers["is_throughout"] == (longer[0].numbers["run"] >= STEPS - 100)
    assert ("shorter", "two.weight") in rules(made(tmp_path / "swing", swing))


@pytest.mark.parametrize(
    ("run", "correlation", "still", "expected"),
    [
        (10.1, 0.156, 0, None),  # AdamW with weight decay: the toss is long, and gradients take nothing back
        (10.1, -0.156, 0, "shorter"),
        (30.0, 0.156, 0, "longer"),
        (30.0, -0.156, 0, None),
        (30.0, 0.156, 100, None),  # of 120 entries hardly any ever moved
    ],
)
def test_streaks_are_the_gradients_only_where_these_agree(
    run: float, correlation: float, still: int, expected: str | None, tmp_path: Path
) -> None:
    """What weight decay makes of a toss, or a few entries of a streak, is no direction that gradients keep."""
    recording = Study.load(made(tmp_path / "run")).main
    info = {
        "toss": 16.7,
        "pairs": 20_000,
        "flips": 20_000 / run,
        "is_settled": True,
        "first": 101,
        "last": 240,
        "grown": 1.0,
    }
    seen = {"two.weight": {**info, "gradients_lag_1": correlation, "never_moved": still}}
    assert [each.rule for each in standout._streaks(recording, seen)] == ([expected] if expected else [])


def test_skipped_steps_stand_out_when_they_are_many(tmp_path: Path) -> None:
    """Two in 242 are how a GradScaler finds its scale; thirty are not."""
    folder = made(tmp_path / "scaled")
    progress = json.loads((folder / "progress.json").read_text())
    for skipped, expected in ((2, []), (30, [("skipped", None)])):
        (folder / "progress.json").write_text(json.dumps({**progress, "skipped": skipped}))
        assert rules(folder) == expected


def test_of_several_recordings_it_is_counted_in_how_many_it_is_seen(tmp_path: Path) -> None:
    """A unit that dies under one seed of two is one thing, and says so."""

    def die(gradients: Arrays) -> None:
        gradients["three.weight"][60:, 2] = 0
        gradients["three.bias"][60:, 2] = 0

    (item,) = found(made(tmp_path / "a", die, seed=1), made(tmp_path / "b", seed=2))
    assert (item.rule, item.holds, item.of, item.recording) == ("dead", 1, 2, "a")


def test_what_is_seen_of_the_same_tensors_under_two_labels_is_said_once(tmp_path: Path) -> None:
    """The worse label has the sentence, and names the other; other tensors are another thing."""
    rates = {"two.weight": 0.02}
    more = {"two.weight": 0.04}
    (item,) = found(made(tmp_path / "a", label="x", rates=rates), made(tmp_path / "b", label="y", rates=more))
    assert (item.rule, item.label, item.recording, item.likewise) == ("large", "y", "b", ("x",))
    apart = found(
        made(tmp_path / "c", label="x", rates=rates), made(tmp_path / "d", label="y", rates={"one.weight": 0.02})
    )
    assert [(each.rule, each.likewise) for each in apart] == [("large", ())] * 2
    notes = [[Note("non-finite", "…", step, ("one.weight",))] for step in (7, None)]
    broken = found(*(made(tmp_path / f"n{k}", label=f"n{k}", notes=each) for k, each in enumerate(notes)))
    assert [each.likewise for each in broken if each.rule == "broken"] == [(), ()]
    # The same rule, and another sentence: one label is too high to the end, the other was.
    weights, gradients = noise(SHAPES, STEPS)
    rate = np.r_[np.full(200, 0.02), np.full(STEPS - 200, 1e-4)]
    for name, each in gradients.items():
        weights[name] = descend(each * (rate / 1e-3).reshape(-1, *[1] * (each.ndim - 1)), weights[name][0])
    ends = [{"row": 200, "group": 0, "set": {"lr": 1e-4}}]
    lowered = write_recording(tmp_path / "e", weights, gradients, label="y", rules=[momentum(0.9)], events=ends)
    every = dict.fromkeys(("one.weight", "two.weight", "three.weight"), 0.02)
    both = [each for each in found(made(tmp_path / "f", label="x", rates=every), lowered) if each.rule == "large"]
    assert sorted((each.label, each.numbers["is_last"], each.likewise) for each in both) == [
        ("x", True, ()),
        ("y", False, ()),
    ]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_rule_has_its_words(language: str) -> None:
    """A sentence and a reason for each, and none for a rule that there is not."""
    section = Words.load(ROOT / "templates", language).section("own", "standout")
    named = {f"{rule}{ending}" for rule in standout.RULES for ending in ("", "_reason")}
    assert set(section) == named | {"join", "scope"}
