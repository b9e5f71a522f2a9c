"""The replay against torch.optim, and its coins against what coins must do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recordings import ADAM, SGD, Rule, noise, write_recording
from torch import nn

import report
from report.analysis import replay, toss, transplants, updates, windows
from report.analysis.replay import Coins, Divisor, Sum, Walk
from report.recording.reader import Recording

STEPS = 120
Make = Callable[[list[dict[str, Any]]], torch.optim.Optimizer]


def record(
    folder: Path,
    make: Make,
    schedule: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler] | None = None,
    every: int = 1,
    skip: int = 0,
) -> Recording:
    """Record a small network that learns random data; its first layer has no gradient in every `skip`-th step."""
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 4))
    optimizer = make([{"params": [model[0].weight, model[0].bias]}, {"params": model[2].parameters()}])
    planned = None if schedule is None else schedule(optimizer)
    inputs, targets = torch.randn(40, 10), torch.randint(0, 4, (40,))
    with report.record(model, optimizer, folder, seed=5, every=every):
        for step in range(STEPS):
            batch = torch.randint(0, 40, (6,))
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs[batch]), targets[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            if skip and step % skip == 0:
                for parameter in model[0].parameters():
                    parameter.grad = None
            optimizer.step()
            if planned is not None:
                planned.step()
    return Recording.open(folder)


def replayed(recording: Recording, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights before and after each row as recorded, and as the replay has them, (rows + 1, n)."""
    how = replay.by_tensor(recording, recording.steps)[name]
    (chunk,) = updates.Track(recording, name).chunks()
    divisor = None if how.decay is None else Divisor(how).add(0, chunk.gradients)
    sums = Sum.of(how).add(chunk.gradients)
    _, path = Walk(how, chunk.weights[0]).add(0, chunk.numbers, sums, divisor)
    return np.concatenate([chunk.weights, chunk.weights[-1:] + chunk.updates[-1:]]), path


KINDS: dict[str, Make] = {
    "Adam": lambda groups: torch.optim.Adam(groups, lr=1e-3),
    "Adam, other settings": lambda groups: torch.optim.Adam(groups, lr=3e-3, betas=(0.5, 0.9), eps=1e-4),
    "Adam without momentum": lambda groups: torch.optim.Adam(groups, lr=1e-3, betas=(0.0, 0.999)),
    "Adam, one at a time": lambda groups: torch.optim.Adam(groups, lr=1e-3, foreach=False),
    "AdamW": lambda groups: torch.optim.AdamW(groups, lr=2e-3, weight_decay=0.1),
    "RMSprop": lambda groups: torch.optim.RMSprop(groups, lr=1e-3, alpha=0.9),
    "SGD": lambda groups: torch.optim.SGD(groups, lr=0.1),
    "SGD with momentum": lambda groups: torch.optim.SGD(groups, lr=0.02, momentum=0.9),
}
SCHEDULES = {
    "constant": None,
    "cosine": lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS, eta_min=1e-5),
}


@pytest.mark.parametrize(
    ("kind", "schedule"),
    [*((kind, "constant") for kind in KINDS), *((kind, "cosine") for kind in ("Adam", "AdamW", "SGD with momentum"))],
)
def test_the_replay_does_what_torch_does(tmp_path: Path, kind: str, schedule: str) -> None:
    """From the first weights and the gradients alone: signs of at least 99.9 %, weights to a few float32 steps."""
    recording = record(tmp_path / "run", KINDS[kind], SCHEDULES[schedule])
    for name in recording.tensors:
        seen, path = replayed(recording, name)
        change, found = np.diff(seen, axis=0), np.diff(path, axis=0)
        assert np.mean(np.sign(change) == np.sign(found)) >= 0.999, name
        near = np.abs(path - seen) <= 4 * np.spacing(np.abs(seen).max())
        assert near.mean() > 0.999, name
        assert np.abs(path - seen).max() < 1e-4 * np.abs(seen - seen[0]).max(), name


def test_a_wrong_replay_is_seen(tmp_path: Path) -> None:
    """Another momentum, or weight decay that is forgotten, and the test above would fail."""
    seen, _ = replayed(record(tmp_path / "run", KINDS["AdamW"]), "0.weight")
    other = record(tmp_path / "other", lambda groups: torch.optim.AdamW(groups, lr=2e-3, weight_decay=0))
    assert np.abs(replayed(other, "0.weight")[1] - seen).max() > 0.01 * np.abs(seen - seen[0]).max()
    how = replay.by_tensor(other, STEPS)["0.weight"]
    assert how.momentum == 0.9
    (chunk,) = updates.Track(other, "0.weight").chunks()
    _, path = Walk(how, chunk.weights[0]).add(
        0, chunk.numbers, Sum(0.8, averaged=True).add(chunk.gradients), Divisor(how).add(0, chunk.gradients)
    )
    assert np.mean(np.sign(np.diff(path, axis=0)) == np.sign(chunk.updates)) < 0.99


@pytest.mark.parametrize("kind", ["Adam", "AdamW", "SGD with momentum"])
def test_steps_without_a_gradient_are_no_steps_of_the_optimizer(tmp_path: Path, kind: str) -> None:
    """A tensor that lacks gradients in places is replayed over its own rows, with the rates of their steps."""
    recording = record(tmp_path / "run", KINDS[kind], SCHEDULES["cosine"], skip=3)
    (chunk,) = updates.Track(recording, "0.weight").chunks()
    assert len(chunk.numbers) == STEPS - len(range(0, STEPS, 3))
    seen, path = replayed(recording, "0.weight")
    assert np.mean(np.sign(np.diff(path, axis=0)) == np.sign(np.diff(seen, axis=0))) >= 0.999
    assert np.abs(path - seen).max() < 0.01 * np.abs(seen - seen[0]).max()
    applied = transplants.Applied("own", {"own": replay.by_tensor(recording, STEPS)})
    track = updates.Track(recording, "0.weight")
    found = applied.to(track, windows.spans(chunk.numbers))
    found.add(chunk)
    assert found.own is not None
    assert (found.own.resolution()["all"]["equal_share"] or 0) >= 0.999


def arithmetic(folder: Path, rule: Rule, **more: Any) -> replay.Arithmetic | None:
    """Return the arithmetic of a made-up recording under a rule."""
    path = write_recording(folder, *noise({"w": (3, 4)}, 20), rules=[rule], **more)
    found = replay.by_tensor(Recording.open(path), 20)
    assert set(found) <= {"w"}
    return found.get("w")


@pytest.mark.parametrize(
    ("rule", "setting"),
    [
        (ADAM, {}),
        (ADAM, {"amsgrad": True}),
        (ADAM, {"maximize": True}),
        (ADAM, {"weight_decay": 0.01}),
        (SGD, {}),
        (SGD, {"momentum": 0.9, "nesterov": True}),
        (SGD, {"momentum": 0.9, "dampening": 0.1}),
        (SGD, {"momentum": 1.0}),
        (SGD, {"weight_decay": 0.01}),
        (("RMSprop", {"lr": 0.1, "alpha": 0.99, "eps": 1e-8}), {}),
        (("RMSprop", {"lr": 0.1, "alpha": 0.99, "eps": 1e-8}), {"centered": True}),
        (("RMSprop", {"lr": 0.1, "alpha": 0.99, "eps": 1e-8}), {"momentum": 0.9}),
        (("NAdam", ADAM[1]), {"momentum_decay": 0.004}),
        (("RAdam", ADAM[1]), {"foreach": False}),
        (("Adagrad", {"lr": 0.1, "eps": 1e-10}), {"lr_decay": 0}),
    ],
)
def test_what_is_not_replayed(tmp_path: Path, rule: Rule, setting: dict[str, Any]) -> None:
    """Plain Adam, SGD and RMSprop are; with any of these settings, or by another name, they are not."""
    found = arithmetic(tmp_path / "run", (rule[0], {**rule[1], **setting}))
    assert (found is None) == bool(setting)


def test_decoupled_weight_decay_is_replayed(tmp_path: Path) -> None:
    """As AdamW, and as Adam that says so."""
    decayed = {**ADAM[1], "weight_decay": 0.01}
    plain = arithmetic(tmp_path / "a", ("AdamW", decayed))
    assert plain == arithmetic(tmp_path / "b", ("Adam", {**decayed, "decoupled_weight_decay": True}))
    assert plain is not None
    assert plain.weight_decay == 0.01


@pytest.mark.parametrize(
    ("changed", "is_replayed"),
    [({"lr": 0.5}, True), ({"betas": [0.8, 0.999]}, False), ({"eps": 0.1}, False), ({"weight_decay": 0.1}, False)],
)
def test_of_settings_that_change_only_the_learning_rate_is_replayed(
    tmp_path: Path, changed: dict[str, Any], is_replayed: bool
) -> None:
    """With the rate of each step; a β or a weight decay that changes is not."""
    found = arithmetic(tmp_path / "run", ADAM, events=[{"row": 5, "group": 0, "set": changed}])
    assert (found is not None) == is_replayed
    if found is not None:
        assert found.rates == (0.001,) * 5 + (0.5,) * 15


def test_rows_that_are_several_steps_apart_are_not_replayed(tmp_path: Path) -> None:
    """Their gradients are not all that the optimizer saw."""
    assert replay.by_tensor(record(tmp_path / "run", KINDS["Adam"], every=2), 50) == {}


def test_each_group_has_its_own_arithmetic(tmp_path: Path) -> None:
    """One group is replayed, the other, with Nesterov's momentum, is not."""
    rules: list[Rule] = [ADAM, ("SGD", {**SGD[1], "momentum": 0.9, "nesterov": True})]
    path = write_recording(tmp_path / "run", *noise({"a": (3,), "b": (3,)}, 5), rules=rules, group_of={"b": 1})
    assert set(replay.by_tensor(Recording.open(path), 5)) == {"a"}


@pytest.mark.parametrize("kind", ["AdamW", "RMSprop", "SGD with momentum"])
def test_pieces_are_replayed_as_the_whole(tmp_path: Path, kind: str) -> None:
    """To the bit, wherever a piece ends."""
    recording = record(tmp_path / "run", KINDS[kind])
    how = replay.by_tensor(recording, STEPS)["2.weight"]
    (chunk,) = updates.Track(recording, "2.weight").chunks()
    for size in (1, 7, 64):
        total, walk = Sum.of(how), Walk(how, chunk.weights[0])
        divisor = None if how.decay is None else Divisor(how)
        paths = [chunk.weights[:1]]
        for start in range(0, STEPS, size):
            piece = chunk.rows(start, start + size)
            below = None if divisor is None else divisor.add(piece.first, piece.gradients)
            paths.append(walk.add(piece.first, piece.numbers, total.add(piece.gradients), below)[1][1:])
        np.testing.assert_array_equal(np.concatenate(paths), replayed(recording, "2.weight")[1])


# The first coins of the series 20, 3, 1, 0, written down: another NumPy that draws others is seen here.
FIRST = (
    "+++--++----+-++--+--++-++-+++---+-+--++++-+-+---+---++++---++-+---++--"
    "-+--+-+++-+-+++---++-+-+-+-+-+++--++-+++--+-+-+-+-++++-----+-+-+------"
)


def test_the_first_coins_are_these() -> None:
    """Whatever version of NumPy, and whatever machine."""
    tossed = Coins(20, 3, 1, 0).toss(2, 70)
    assert tossed.dtype == np.int8
    assert "".join("+" if each > 0 else "-" for each in tossed.ravel()) == FIRST


def test_coins_are_fair_and_independent() -> None:
    """Of two million, half are +1 to four sigma, so are products of neighbours in a row and in a column."""
    tossed = Coins(20, 3).toss(1000, 2000).astype(np.int64)
    assert set(np.unique(tossed)) == {-1, 1}
    for each in (tossed, tossed[1:] * tossed[:-1], tossed[:, 1:] * tossed[:, :-1], tossed[:, 64:] * tossed[:, :-64]):
        assert abs(each.sum()) < 4 * np.sqrt(each.size)


@pytest.mark.parametrize("size", [1, 3, 50])
def test_coins_do_not_depend_on_how_many_are_drawn_at_a_time(size: int) -> None:
    """Row by row or all at once, for widths on both sides of a word of 64 bits."""
    for width in (1, 63, 64, 65, 130):
        pieces = Coins(1, 2)
        drawn = [pieces.toss(len(range(start, min(start + size, 50))), width) for start in range(0, 50, size)]
        np.testing.assert_array_equal(np.concatenate(drawn), Coins(1, 2).toss(50, width))


def test_coins_go_by_seed_tensor_and_toss(tmp_path: Path) -> None:
    """The same for the same three, wherever and under whatever label it was recorded; others for any other."""
    made = noise({"a": (3, 4), "b": (3, 4)}, 3)
    opened = {
        (label, seed): Recording.open(write_recording(tmp_path / f"{label}{seed}", *made, label=label, seed=seed))
        for label in ("x", "y")
        for seed in (0, 1)
    }

    def bits(label: str, seed: int, name: str, toss: int) -> bytes:
        return transplants.coins(opened[label, seed], name, toss).toss(4, 64).tobytes()

    assert bits("x", 0, "a", 0) == bits("y", 0, "a", 0)
    every = {bits("x", seed, name, toss) for seed in (0, 1) for name in ("a", "b") for toss in range(3)}
    assert len(every) == 12


def test_coins_of_a_recording_without_a_seed_go_by_its_name(tmp_path: Path) -> None:
    """Two of them do not share coins."""
    made = noise({"a": (3, 4)}, 3)
    first, second = (Recording.open(write_recording(tmp_path / name, *made)) for name in ("one", "two"))
    assert (
        transplants.coins(first, "a", 0).toss(4, 64).tobytes()
        != transplants.coins(second, "a", 0).toss(4, 64).tobytes()
    )


def test_only_float32_is_replayed(tmp_path: Path) -> None:
    """A bfloat16 weight rounds at other places: a replay in float32 would call nothing lost of what it swallows."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2).to(torch.bfloat16))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run"):
        model[1](model[0](torch.randn(5, 3)).to(torch.bfloat16)).float().square().mean().backward()
        optimizer.step()
    assert set(replay.by_tensor(Recording.open(tmp_path / "run"), 1)) == {"0.weight", "0.bias"}


def test_a_group_that_comes_later_has_no_rate_before(tmp_path: Path) -> None:
    """Layers that are unfrozen, and an optimizer that steps less often: their rate was zero, and not NaN."""
    model = nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3))
    optimizer = torch.optim.Adam(model[1].parameters(), lr=0.01)
    with report.record(model, optimizer, tmp_path / "run"):
        for step in range(30):
            if step == 10:
                optimizer.add_param_group({"params": model[0].parameters(), "lr": 0.02})
            model(torch.randn(6, 5)).square().mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    recording = Recording.open(tmp_path / "run")
    late, early = (replay.arithmetic(recording, name, 30) for name in ("0.weight", "1.weight"))
    assert late is not None
    assert early is not None
    assert late.rates == (*[0.0] * 10, *[0.02] * 20)
    assert early.rates == (0.01,) * 30
    for name in recording.tensors:
        memory = toss.memory(recording, name)
        assert memory is not None
        assert memory.tolist() == [0.9] * 30
    path, replays = replayed(recording, "0.weight")
    assert np.allclose(path, replays, atol=1e-6)
