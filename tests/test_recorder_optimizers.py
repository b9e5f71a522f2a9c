"""Several optimizers, changing groups and wrapped optimizers, against a record that the test keeps by hand."""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import ByHand, backward, pair, rows, same, step
from torch import nn

import report
from report.recording.gather import CHUNK_STEPS

SGD = torch.optim.SGD


def test_late_unfreezing(tmp_path: Path) -> None:
    """A layer that comes by add_param_group is absent before; sampled ones too, within `first`, and in later chunks."""
    model = pair()
    for each in model[0].parameters():
        each.requires_grad_(False)
    optimizer = SGD(model[2].parameters(), lr=0.1, momentum=0.5)
    late = 130
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=8, first=200) as recorder:
        for turn in range(late + 5):
            if turn == late:
                for each in model[0].parameters():
                    each.requires_grad_(True)
                optimizer.add_param_group({"params": list(model[0].parameters()), "lr": 0.01})
            optimizer.zero_grad()
            backward(model)
            step(optimizer, hand)
        assert recorder.failure is None
    recording = report.Recording.open(tmp_path / "run")
    assert recording.is_complete
    assert recording.notes == ()  # it was frozen, and is not at the end
    assert list(recording.tensors) == ["2.weight", "2.bias", "0.weight", "0.bias"]
    for name, tensor in recording.tensors.items():
        since = late if name.startswith("0") else 0
        assert tensor.since == since
        assert recording.description.groups[tensor.group].index == (1 if since else 0)
        assert np.isnan(recording.weights(name)[:since]).all()
        assert np.isnan(recording.gradients(name)[:since]).all()
        assert recording.present(name).tolist() == [turn >= since for turn in range(late + 5)]
        for row in range(since, late + 6):
            same(recording.weights(name)[row], rows(hand.weights[row][name])[recording.indices(name)], (name, row))
        for row in range(since, late + 5):
            wanted = hand.gradients[row][name]
            assert wanted is not None
            same(recording.gradients(name)[row], rows(wanted)[recording.indices(name)], (name, row))
    assert recording.whole_steps("0.weight") == 0
    assert recording.whole_weights("0.weight").shape == (0, 30)
    assert recording.whole_weights("2.weight").shape == (late + 6, 10)
    rate = recording.settings[1]["lr"]
    assert np.isnan(rate[:late]).all()
    assert set(rate[late:]) == {0.01}


@pytest.mark.parametrize("late", [CHUNK_STEPS, 2 * CHUNK_STEPS])
def test_a_group_that_comes_when_a_chunk_is_full(tmp_path: Path, late: int) -> None:
    """Its round begins a new chunk, from which nothing of the full one is taken over."""
    model = pair()
    optimizer = SGD(model[2].parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for turn in range(late + 2):
            if turn == late:
                optimizer.add_param_group({"params": list(model[0].parameters())})
            optimizer.zero_grad()
            backward(model)
            step(optimizer, hand)
        assert recorder.failure is None
    recording = report.Recording.open(tmp_path / "run")
    assert (recording.steps, recording.is_complete) == (late + 2, True)
    for name, tensor in recording.tensors.items():
        assert tensor.since == (late if name.startswith("0") else 0)
        for row in range(tensor.since, late + 2):
            same(recording.weights(name)[row + 1], rows(hand.weights[row + 1][name]), (name, row))
            wanted = hand.gradients[row][name]
            assert wanted is not None
            same(recording.gradients(name)[row], rows(wanted), (name, row))


def test_unfreezing_within_a_round(tmp_path: Path) -> None:
    """What the first optimizer of a round did is kept when the second one is given a new group."""
    model = nn.ModuleDict({"a": pair(), "b": pair(1)})
    first, second = SGD(model["a"].parameters(), lr=0.1), SGD(model["b"][0].parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, [first, second], tmp_path / "run"):
        for turn in range(5):
            model.zero_grad()
            for part in model.values():
                backward(part)
            hand.before()
            first.step()
            if turn == 2:
                second.add_param_group({"params": model["b"][2].parameters()})
            second.step()
            hand.after()
    recording = report.Recording.open(tmp_path / "run")
    assert recording.steps == 5
    for name, tensor in recording.tensors.items():
        assert tensor.since == (2 if name.startswith("b.2") else 0)
        for turn in range(tensor.since, 5):
            same(recording.weights(name)[turn + 1], rows(hand.weights[turn + 1][name]), (name, turn))
            gradient = hand.gradients[turn][name]
            assert gradient is not None
            same(recording.gradients(name)[turn], rows(gradient), (name, turn))
        assert recording.present(name).tolist() == [turn >= tensor.since for turn in range(5)]


def test_a_layer_that_the_model_has_only_later(tmp_path: Path) -> None:
    """A new layer gets its name when an optimizer is given it, and one that replaces another a name of its own."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        backward(model)
        optimizer.step()
        model.append(nn.Linear(2, 2))
        optimizer.add_param_group({"params": list(model[3].parameters())})
        backward(model)
        optimizer.step()
        fresh = nn.Parameter(torch.zeros(7, 5))  # as Gaussian splatting does
        model[2] = nn.Linear(5, 7)
        model[2].weight = fresh
        model.pop(3)
        optimizer.param_groups[0]["params"][2] = fresh
        backward(model)
        optimizer.step()
        assert recorder.failure is None
    recording = report.Recording.open(tmp_path / "run")
    assert list(recording.tensors) == ["0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias", "2.weight (2)"]
    assert [each.since for each in recording.tensors.values()] == [0, 0, 0, 0, 1, 1, 2]
    assert recording.present("2.weight").tolist() == [True, True, False]
    assert recording.tensors["2.weight (2)"].shape == (7, 5)
    assert np.array_equal(recording.weights("2.weight (2)")[2], np.zeros(35))
    assert np.array_equal(recording.weights("2.weight (2)")[3], rows(fresh))


def test_frozen_and_unused_parameters(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A gradient that is None is absent, step by step; a parameter that no optimizer holds is noted."""
    model = nn.ModuleDict({"a": pair(), "b": pair(1), "frozen": nn.Linear(2, 2), "forgotten": nn.Linear(2, 2)})
    model["b"][0].bias.requires_grad_(False)
    model["frozen"].requires_grad_(False)
    held = nn.ModuleDict({"a": model["a"], "b": model["b"]})
    optimizer = torch.optim.Adam(held.parameters(), lr=0.1)
    hand = ByHand(held)
    with caplog.at_level(logging.WARNING, "report"), report.record(model, optimizer, tmp_path / "run"):
        for turn in range(9):
            optimizer.zero_grad()
            backward(model["a" if turn % 3 else "b"])
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    assert not recording.present("b.0.bias").any()
    assert recording.present("a.0.bias").tolist() == [False, True, True] * 3
    assert recording.is_complete
    notes = {note.kind: note.tensors for note in recording.notes}
    assert notes == {
        "unheld": ("forgotten.weight", "forgotten.bias"),
        "frozen": ("frozen.weight", "frozen.bias"),
    }
    assert len(caplog.records) == 1  # what is frozen on purpose is no reason for a warning
    assert "forgotten.weight" in caplog.text


@pytest.mark.parametrize(("ratio", "order"), [(1, "dg"), (1, "gd"), (5, "dg")])
def test_two_optimizers(tmp_path: Path, ratio: int, order: str) -> None:
    """Discriminator and generator in turn: a round is a row; who does not step in it has no gradient."""
    model = nn.ModuleDict({"d": pair(), "g": pair(1)})
    optimizers = {name: SGD(part.parameters(), lr=0.1) for name, part in model.items()}
    hand = ByHand(model)
    given = [optimizers[name] for name in "dg"]
    with report.record(model, given, tmp_path / "run") as recorder:
        for turn in range(1, 141):
            gradients: dict[str, torch.Tensor | None] = dict.fromkeys(hand.parameters)
            stepping = order if turn % ratio == 0 else "d"
            for name in stepping:
                optimizers[name].zero_grad()
                backward(model[name])
                gradients |= {f"{name}.{n}": p.grad.clone() for n, p in model[name].named_parameters()}
                optimizers[name].step()
                recorder.log(**{f"loss_{name}": turn})
            hand.gradients.append(gradients)
            hand.after()
    recording = hand.check(tmp_path / "run")
    assert recording.series["loss_d"].tolist() == list(range(1, 141))
    wanted = [turn if turn % ratio == 0 else np.nan for turn in range(1, 141)]
    assert np.array_equal(recording.series["loss_g"], wanted, equal_nan=True)
    assert [each.position for each in recording.description.groups] == [0, 1]
    assert recording.rule("g.0.weight").name == "SGD"


def test_explicit_rounds(tmp_path: Path) -> None:
    """`Recorder.step` ends a round where the loop says."""
    model = nn.ModuleDict({"d": pair(), "g": pair(1)})
    d, g = (SGD(part.parameters(), lr=0.1) for part in model.values())
    with report.record(model, [d, g], tmp_path / "run") as recorder:
        for turn in range(1, 11):
            if turn % 5 == 0:
                backward(model["g"])
                g.step()
            backward(model["d"])
            d.step()
            recorder.step()
            recorder.log(turn=turn)
    recording = report.Recording.open(tmp_path / "run")
    assert recording.steps == 10
    assert recording.present("d.0.weight").all()
    assert recording.present("g.0.weight").tolist() == [turn % 5 == 0 for turn in range(1, 11)]
    assert recording.series["turn"].tolist() == list(range(1, 11))


def test_one_optimizer_after_the_other(tmp_path: Path) -> None:
    """Adam, then SGD, on the same parameters: no step is lost, and no gradient."""
    model = pair()
    adam, sgd = torch.optim.Adam(model.parameters()), SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, [adam, sgd], tmp_path / "run"):
        for turn in range(10):
            optimizer = adam if turn < 5 else sgd
            optimizer.zero_grad()
            backward(model)
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    assert [each.optimizer for each in recording.description.groups] == ["Adam", "SGD"]


@pytest.mark.parametrize("fails", [False, True])
def test_an_optimizer_that_never_steps(tmp_path: Path, caplog: pytest.LogCaptureFixture, fails: bool) -> None:
    """A note and one warning name it, however the loop ended."""
    model = nn.ModuleDict({"d": pair(), "g": pair(1)})
    d, g = SGD(model["d"].parameters(), lr=0.1), torch.optim.Adam(model["g"].parameters())
    with (
        caplog.at_level(logging.WARNING, "report"),
        contextlib.suppress(KeyboardInterrupt),
        report.record(model, [d, g], tmp_path / "run"),
    ):
        for _ in range(3):
            backward(model["d"])
            d.step()
        if fails:
            raise KeyboardInterrupt
    recording = report.Recording.open(tmp_path / "run")
    assert recording.steps == 3
    assert recording.is_complete is not fails
    assert [(note.kind, note.text) for note in recording.notes] == [
        ("no step", "Optimizer 2 of 2 (Adam) took no step.")
    ]
    assert len(caplog.records) == 1


def test_optimizer_in_backward(tmp_path: Path) -> None:
    """One optimizer a parameter, each stepping as soon as its gradient is there, and the gradient is freed."""
    model = pair()
    optimizers = {each: SGD([each], lr=0.1) for each in model.parameters()}
    hand = ByHand(model)
    seen: dict[str, torch.Tensor] = {}
    names = {each: name for name, each in model.named_parameters()}

    def hook(parameter: torch.Tensor) -> None:
        assert parameter.grad is not None
        seen[names[parameter]] = parameter.grad.clone()
        optimizers[parameter].step()
        optimizers[parameter].zero_grad()

    for each in model.parameters():
        each.register_post_accumulate_grad_hook(hook)
    with report.record(model, list(optimizers.values()), tmp_path / "run") as recorder:
        for turn in range(140):
            seen.clear()
            if turn % 7 == 3:
                model[2](torch.randn(3, 5)).sum().backward()  # two of four step
            else:
                backward(model)
            recorder.step()
            recorder.log(turn=turn)
            hand.gradients.append({name: seen.get(name) for name in hand.parameters})
            hand.after()
    recording = hand.check(tmp_path / "run")
    assert recording.series["turn"].tolist() == list(range(140))
    assert len(recording.description.groups) == 4


def test_a_group_a_parameter(tmp_path: Path) -> None:
    """148 groups, say, of one parameter each, given in another order than the model's."""
    model = pair()
    groups = [{"params": [each], "lr": 0.1 / place} for place, each in enumerate(reversed([*model.parameters()]), 1)]
    optimizer = SGD(groups, lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(4):
            optimizer.zero_grad()
            backward(model)
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    assert [recording.rule(name).learning_rate for name in recording.tensors] == [0.1 / 4, 0.1 / 3, 0.1 / 2, 0.1]


def test_groups_that_go(tmp_path: Path) -> None:
    """A removed group leaves the others' settings where they belong."""
    model = pair()
    optimizer = SGD([{"params": model[0].parameters(), "lr": 1.0}, {"params": model[2].parameters(), "lr": 2.0}])
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for turn in range(6):
            if turn == 3:
                del optimizer.param_groups[0]
                optimizer.param_groups[0]["lr"] = 0.5
            model.zero_grad()
            backward(model)
            hand.before()
            optimizer.step()
            hand.after()
            if turn >= 3:
                hand.gradients[-1] |= {"0.weight": None, "0.bias": None}
    recording = hand.check(tmp_path / "run")
    assert recording.settings[0]["lr"].tolist() == [1.0] * 6
    assert recording.settings[1]["lr"].tolist() == [2.0] * 3 + [0.5] * 3


def test_a_step_that_raises(tmp_path: Path) -> None:
    """A step that fails in between and is tried again is one row."""

    class Failing(SGD):
        fails = False

        def step(self, closure: Callable[[], float] | None = None) -> Any:
            if self.fails:
                raise RuntimeError("out of memory")
            return super().step(closure)

    model = pair()
    optimizer = Failing(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for turn in range(5):
            optimizer.zero_grad()
            if turn == 2:
                backward(model)
                optimizer.fails = True
                with pytest.raises(RuntimeError, match="memory"):
                    optimizer.step()
                optimizer.fails = False
                optimizer.zero_grad()
            backward(model)
            step(optimizer, hand)
    hand.check(tmp_path / "run")


@pytest.mark.parametrize("calls_super", [True, False])
def test_a_subclass_of_an_optimizer(tmp_path: Path, calls_super: bool) -> None:
    """Torch calls hooks for the inner `super().step()` too: a step is still one row, of all that the outer did."""
    SGD(pair().parameters(), lr=0.1)  # from now on, SGD's own step calls hooks

    class Mine(SGD):
        fails = False

        def step(self, closure: Callable[[], float] | None = None) -> Any:
            if calls_super:
                super().step(closure)
            with torch.no_grad():
                for group in self.param_groups:
                    for value in group["params"]:
                        value.mul_(0.9)
            if self.fails:
                raise RuntimeError("failed")

    model = pair()
    optimizer = Mine(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for turn in range(6):
            optimizer.zero_grad()
            backward(model)
            optimizer.fails = turn == 2
            if optimizer.fails:
                with pytest.raises(RuntimeError, match="failed"):
                    optimizer.step()
                continue
            step(optimizer, hand)
    hand.check(tmp_path / "run")


class Wrapper:
    """Hold an optimizer, as Accelerate does."""

    def __init__(self, optimizer: torch.optim.Optimizer, name: str = "optimizer") -> None:
        """Keep it under a name."""
        self.__dict__[name] = optimizer
        self.param_groups = optimizer.param_groups
        self.name = name

    def step(self) -> None:
        """Step."""
        self.__dict__[self.name].step()


class Forwarding(Wrapper):
    """Hand on whatever it has not got itself."""

    def __getattr__(self, name: str) -> Any:
        """Return the wrapped optimizer's."""
        return getattr(self.__dict__["optimizer"], name)


class WrapperClass(torch.optim.Optimizer):
    """Be an Optimizer that wraps one, and whose hooks are never called."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        """Keep it, and forget to call Optimizer's own."""
        self.original_optimizer = optimizer
        self.param_groups = optimizer.param_groups

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Step."""
        self.original_optimizer.step()


class Lookahead(torch.optim.Optimizer):
    """Wrap an optimizer, and change the weights after its step: only the outer one's step is the whole of it."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        """Share its groups."""
        super().__init__(optimizer.param_groups, {})
        self.optimizer = optimizer

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Step."""
        self.optimizer.step()
        for group in self.param_groups:
            for value in group["params"]:
                value.mul_(0.5)


WRAPS: dict[str, Callable[[torch.optim.Optimizer], Any]] = {
    "attribute": Wrapper,
    "hidden": lambda optimizer: Wrapper(optimizer, "_inner"),
    "forwarding": Forwarding,
    "class": WrapperClass,
    "twice": lambda optimizer: Wrapper(WrapperClass(optimizer)),
    "lookahead": Lookahead,
}


@pytest.mark.parametrize("kind", WRAPS)
def test_wrapped_optimizers(tmp_path: Path, kind: str) -> None:
    """The optimizer that is listened to, and named, is the outermost one whose step calls hooks."""
    model = pair()
    optimizer = WRAPS[kind](SGD(model.parameters(), lr=0.1))
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(4):
            model.zero_grad()
            backward(model)
            step(optimizer, hand)
    rule = hand.check(tmp_path / "run").rule("0.weight")
    assert rule.name == ("Lookahead" if kind == "lookahead" else "SGD")
    assert rule.learning_rate == 0.1
