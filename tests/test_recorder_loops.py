"""The recorder in awkward loops, against a record that the test keeps by hand: equal to the bit."""

import logging
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import ByHand, rows, same
from torch import nn

import report
from report.errors import ReportError
from report.recording import gather

SGD = torch.optim.SGD


def pair(seed: int = 0) -> nn.Sequential:
    """Return a model of two layers."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))


def backward(model: nn.Module, width: int = 6) -> None:
    """Compute the gradients of a random batch."""
    model(torch.randn(4, width)).square().mean().backward()


def step(optimizer: torch.optim.Optimizer, hand: ByHand) -> None:
    """Step, keeping a record by hand."""
    hand.before()
    optimizer.step()
    hand.after()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("unscales", [False, True])
@pytest.mark.parametrize("kind", [SGD, torch.optim.Adam])
def test_scaler_that_skips(tmp_path: Path, kind: Any, fused: bool, unscales: bool) -> None:
    """A skipped step is no row, and gradients are unscaled, also by a scale that is no power of two."""
    model = pair()
    optimizer = kind(model.parameters(), lr=0.1, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=3000.0, growth_factor=1.7, growth_interval=2)
    hand = ByHand(model)
    losses = []
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for turn in range(12):
            optimizer.zero_grad()
            loss = model(torch.randn(4, 6)).square().mean()
            scaler.scale(loss).backward()
            if turn in (0, 3, 4, 11):
                model[0].weight.grad[0, 0] = float("inf")
            scale = torch.tensor(scaler.get_scale())
            if unscales:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            # A fused kernel divides; GradScaler itself multiplies with the reciprocal.
            factor = scale.double().reciprocal().float()
            used = {name: each.grad.clone() for name, each in hand.parameters.items()}
            if not unscales:
                used = {name: each / scale if fused else each * factor for name, each in used.items()}
            hand.gradients.append(used)
            before = model[0].bias.detach().clone()
            scaler.step(optimizer)
            scaler.update()
            if torch.equal(before, model[0].bias):
                hand.forget()
            else:
                hand.after()
                losses.append(loss.item())
            recorder.log(loss=loss, turn=turn)
    recording = hand.check(tmp_path / "run")
    assert recording.steps == recording.taken == 8
    assert recording.skipped == (4 if fused else 0)  # of a plain optimizer, a skip calls no hook
    assert [note.kind for note in recording.notes] == (["skipped"] if fused else [])
    if fused:
        assert recording.series["loss"].tolist() == losses
        assert recording.series["turn"].tolist() == [1, 2, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("every", [1, 2])
def test_skips_do_not_move_rows(tmp_path: Path, every: int) -> None:
    """`every`, `first` and `steps` count steps that were taken."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=3, first=3, every=every, steps=3):
        for turn in range(14):
            optimizer.zero_grad()
            scaler.scale(model(torch.randn(4, 6)).square().mean()).backward()
            is_bad = turn in (1, 2, 5)
            if is_bad:
                model[0].weight.grad[0, 0] = float("nan")
            if not is_bad:
                hand.gradients.append({n: each.grad / scaler.get_scale() for n, each in hand.parameters.items()})
            scaler.step(optimizer)
            scaler.update()
            if not is_bad:
                hand.after()
    assert len(hand.gradients) == 11
    hand.gradients, hand.weights = hand.gradients[: 3 * every], hand.weights[: 3 * every + 1]
    recording = hand.check(tmp_path / "run", every=every)
    assert recording.taken == 11
    for row, found in enumerate(recording.whole_weights("0.weight")):
        same(found, rows(hand.weights[row * every]["0.weight"]), row)


def test_two_scaled_optimizers_of_which_one_skips(tmp_path: Path) -> None:
    """The round is a row; the gradients that were not used are absent."""
    model = nn.ModuleDict({"a": pair(), "b": pair(1)})
    optimizers = [SGD(each.parameters(), lr=0.1, fused=True) for each in model.values()]
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    hand = ByHand(model)
    with report.record(model, optimizers, tmp_path / "run"):
        for turn in range(6):
            for optimizer in optimizers:
                optimizer.zero_grad()
            for part in model.values():
                scaler.scale(part(torch.randn(4, 6)).square().mean()).backward()
            gradients = {name: each.grad / scaler.get_scale() for name, each in hand.parameters.items()}
            if turn in (1, 3):
                model["b"][0].weight.grad[0, 0] = float("inf")
                gradients |= {name: None for name in gradients if name.startswith("b")}
            if turn == 3:
                model["a"][0].weight.grad[0, 0] = float("inf")
            for optimizer in optimizers:
                scaler.step(optimizer)
            scaler.update()
            if turn != 3:
                hand.gradients.append(gradients)
                hand.after()
    assert hand.check(tmp_path / "run").skipped == 1


class Scaled(torch.optim.Optimizer):
    """Take what a GradScaler sets, as torch's fused optimizers do on a GPU."""

    def __init__(self, parameters: Any) -> None:
        """Hold the parameters."""
        super().__init__(parameters, {"lr": 0.1})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Step."""
        for group in self.param_groups:
            for value in group["params"]:
                if value.grad is not None:
                    value.sub_(value.grad.to_dense(), alpha=group["lr"])


class Flag:
    """Look like a `found_inf` on a GPU: to ask it takes a while, and happens in the writer's thread."""

    is_cpu = False

    def __init__(self, value: bool) -> None:
        """Hold the answer."""
        self.value, self.asked = value, None

    def clone(self) -> "Flag":
        """Return a copy."""
        return self

    def __bool__(self) -> bool:
        """Answer, and note who asked."""
        self.asked = threading.current_thread().name
        return self.value


@pytest.mark.parametrize("every", [1, 2])
def test_skips_that_only_a_gpu_knows(tmp_path: Path, every: int) -> None:
    """The loop does not wait for the answer, unless rows depend on it."""
    model = nn.ModuleDict({"a": pair(), "b": pair(1)})
    optimizers = [Scaled(each.parameters()) for each in model.values()]
    hand = ByHand(model)
    flags = []
    with report.record(model, optimizers, tmp_path / "run", every=every) as recorder:
        for turn in range(140):
            for each in model.values():
                each.zero_grad()
                backward(each)
            gradients: dict[str, torch.Tensor | None] = {n: p.grad.clone() for n, p in hand.parameters.items()}
            for place, optimizer in enumerate(optimizers):
                is_bad = turn % 7 == 3 or (turn % 5 == 2 and place == 1)
                flags.append(Flag(is_bad))
                optimizer.found_inf = flags[-1]
                if is_bad:
                    gradients |= {name: None for name in gradients if name.startswith("ab"[place])}
                    optimizer.zero_grad()  # so that it changes nothing
                optimizer.step()
                del optimizer.found_inf
            recorder.log(turn=turn)
            if turn % 7 != 3:
                hand.gradients.append(gradients)
                hand.after()
    recording = hand.check(tmp_path / "run", every=every)
    assert {each.asked for each in flags} == ({"report-writer"} if every == 1 else {"MainThread"})
    assert recording.skipped == 20
    assert recording.series["turn"].tolist() == [turn for turn in range(140) if turn % 7 != 3]


def test_values_that_lie_on_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are fetched in as few copies as neighbours allow: here from the CPU, as if it were another device."""
    original = gather.Reader.__init__

    def init(self: gather.Reader, sources: Any) -> None:
        original(self, sources)
        self._is_on_cpu = False

    monkeypatch.setattr(gather.Reader, "__init__", init)
    model = nn.ModuleDict({"a": pair(), "b": nn.Embedding(50, 4, sparse=True), "c": pair(1).half()})
    every = [*model.parameters()]
    optimizers = [Scaled(every[::2]), Scaled(every[1::2])]  # with columns of the other in between
    hand = ByHand(model)
    with report.record(model, optimizers, tmp_path / "run", sample=20):
        for turn in range(6):
            model.zero_grad()
            backward(model["a"])
            model["b"](torch.randint(50, (7,))).sum().backward()
            if turn % 2:
                model["c"](torch.randn(4, 6).half()).square().mean().backward()
            hand.before()
            for optimizer in optimizers:
                optimizer.grad_scale = torch.tensor(4.0)
                optimizer.step()
                del optimizer.grad_scale
            hand.after()
            hand.gradients[-1] = {
                name: None if each is None else each.float() / 4 for name, each in hand.gradients[-1].items()
            }
    hand.check(tmp_path / "run")


def test_tied_weights(tmp_path: Path) -> None:
    """A weight under two names is one tensor, which has both; a pattern may use either."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"embed": nn.Embedding(9, 6), "middle": nn.Linear(6, 6), "head": nn.Linear(6, 9, bias=False)})
    model["head"].weight = model["embed"].weight
    optimizer = torch.optim.Adam(model.parameters())
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=10, whole="head.*"):
        for _ in range(4):
            optimizer.zero_grad()
            model["head"](model["middle"](model["embed"](torch.randint(9, (5,))))).logsumexp(1).mean().backward()
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    assert list(recording.tensors) == ["embed.weight", "middle.weight", "middle.bias"]
    assert recording.tensors["embed.weight"].names == ("embed.weight", "head.weight")
    assert recording.tensors["embed.weight"].kind == "Embedding"
    assert recording.tensors["embed.weight"].kept == "whole"


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
        assert recording.group(name).index == (1 if since else 0)
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


@pytest.mark.parametrize(
    "wrap",
    [
        Wrapper,
        lambda optimizer: Wrapper(optimizer, "_inner"),
        WrapperClass,
        lambda o: Wrapper(WrapperClass(o)),
        Lookahead,
    ],
    ids=["attribute", "hidden", "class", "twice", "lookahead"],
)
def test_wrapped_optimizers(tmp_path: Path, wrap: Callable[[torch.optim.Optimizer], Any]) -> None:
    """The optimizer that is listened to is the outermost one whose step calls hooks."""
    model = pair()
    optimizer = wrap(SGD(model.parameters(), lr=0.1))
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(4):
            model.zero_grad()
            backward(model)
            step(optimizer, hand)
    hand.check(tmp_path / "run")


def test_sparse_gradients(tmp_path: Path) -> None:
    """SparseAdam changes the rows that a batch touches: the gradient of the others is zero, not absent."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"big": nn.Embedding(50, 4, sparse=True), "small": nn.Embedding(5, 3, sparse=True)})
    optimizer = torch.optim.SparseAdam(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=60):
        for turn in range(6):
            optimizer.zero_grad()
            big = model["big"](torch.randint(50, (0 if turn == 3 else 7,))).sum()
            small = model["small"](torch.randint(5, (3,))).square().sum()
            (big + small).backward()
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    assert recording.tensors["big.weight"].kept == "sample"
    assert recording.present("big.weight").all()
    assert recording.tensors["big.weight"].matrix == (50, 4)


def test_matrix_shapes(tmp_path: Path) -> None:
    """A convolution reads as (out, in · kh · kw), a vector as one row, a scalar as one cell."""
    model = nn.ParameterDict(
        {
            "scalar": nn.Parameter(torch.tensor(2.0)),
            "vector": nn.Parameter(torch.ones(7)),
            "kernel": nn.Parameter(torch.ones(4, 3, 5, 2)),
        }
    )
    optimizer = SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(2):
            optimizer.zero_grad()
            sum(each.square().sum() for each in model.values()).backward()
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    found = {name: tensor.matrix for name, tensor in recording.tensors.items()}
    assert found == {"scalar": (1, 1), "vector": (1, 7), "kernel": (4, 30)}
    assert recording.tensors["scalar"].shape == ()


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_channels_last(tmp_path: Path, layout: torch.memory_format) -> None:
    """Kept entries are those of the shape's order, however the memory is laid out."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 3)).to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters())
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run", sample=100, whole="0.weight", first=2):
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(2, 3, 8, 8).to(memory_format=layout)).square().mean().backward()
            step(optimizer, hand)
    recording = hand.check(tmp_path / "run")
    same(recording.whole_weights("1.weight")[2], rows(hand.weights[2]["1.weight"]), "whole")


@pytest.mark.slow
def test_compiled_model(tmp_path: Path) -> None:
    """torch.compile(model) changes nothing; its prefix is left out of names."""
    model = pair()
    model[2] = torch.compile(model[2], backend="eager")
    compiled = torch.compile(model, backend="eager")
    optimizer = SGD(model.parameters(), lr=0.1)
    hand = ByHand({name.replace("_orig_mod.", ""): each for name, each in model.named_parameters()})
    with report.record(compiled, optimizer, tmp_path / "run"):
        for _ in range(4):
            optimizer.zero_grad()
            backward(compiled)
            step(optimizer, hand)
    assert list(hand.check(tmp_path / "run").tensors) == ["0.weight", "0.bias", "2.weight", "2.bias"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, when it first compiles
def test_compiled_step(tmp_path: Path) -> None:
    """A compiled step calls the hooks, which are not compiled themselves."""
    model = pair()
    optimizer = torch.optim.Adam(model.parameters(), lr=torch.tensor(0.1))
    hand = ByHand(model)

    @torch.compile(backend="eager")
    def compiled() -> None:
        optimizer.step()

    with report.record(model, optimizer, tmp_path / "run"):
        for _ in range(4):
            optimizer.zero_grad()
            backward(model)
            hand.before()
            compiled()
            hand.after()
    hand.check(tmp_path / "run")


def test_a_step_without_hooks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A step that goes past the hooks leaves a note and one warning, and no exception."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with caplog.at_level(logging.WARNING, "report"), report.record(model, optimizer, tmp_path / "run"):
        for _ in range(4):
            backward(model)
            _bare_step(model)
    assert [note.kind for note in report.Recording.open(tmp_path / "run").notes] == ["no step"]
    assert len(caplog.records) == 1


@torch.no_grad()
def _bare_step(model: nn.Module) -> None:
    for each in model.parameters():
        each.sub_(each.grad, alpha=0.1)


DDP = """
    import sys, torch, torch.distributed as dist, report
    rank, folder = int(sys.argv[1]), sys.argv[2]
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    torch.manual_seed(0)
    model = torch.nn.parallel.DistributedDataParallel(torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Linear(5, 2)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    weights, gradients = [], []
    keep = lambda: weights.append({n: p.detach().clone() for n, p in model.module.named_parameters()})
    keep()
    torch.manual_seed(rank)
    with report.record(model, optimizer, f"{folder}/run") as recorder:
        for step in range(20):
            optimizer.zero_grad()
            model(torch.randn(4, 6)).square().mean().backward()
            gradients.append({n: p.grad.clone() for n, p in model.module.named_parameters()})
            optimizer.step()
            recorder.log(step=step)
            recorder.step()
            recorder.attach(x=torch.ones(1))
            keep()
        assert recorder.failure is None
    torch.save((weights, gradients), f"{folder}/{rank}")
    dist.barrier()
    dist.destroy_process_group()
"""


@pytest.mark.slow
def test_distributed_data_parallel(tmp_path: Path) -> None:
    """Two processes: rank 0 records the averaged gradients, under names without "module."; rank 1 records nothing."""
    command = [sys.executable, "-c", textwrap.dedent(DDP)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    processes = [subprocess.Popen([*command, str(rank), str(tmp_path)], env=environment) for rank in (0, 1)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    weights, gradients = torch.load(tmp_path / "0")
    hand = ByHand({name: nn.Parameter(each) for name, each in weights[0].items()})
    hand.weights, hand.gradients = weights, gradients
    recording = hand.check(tmp_path / "run")
    assert list(recording.tensors) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["run"]


def test_before_the_processes_have_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that torchrun makes says which process is which before init_process_group does."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        backward(model)
        optimizer.step()
        recorder.log(loss=1)
    assert recorder.failure is None
    assert not (tmp_path / "run").exists()


def test_capture_by_a_cuda_graph_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay runs no Python: what would be recorded is the capture alone."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    monkeypatch.setattr(nn.Parameter, "is_cuda", True)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    with report.record(model, optimizer, tmp_path / "run"):
        backward(model)
        optimizer.step()
        monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
        with pytest.raises(ReportError, match="CUDA graph"):
            optimizer.step()
        monkeypatch.undo()
    assert report.Recording.open(tmp_path / "run").steps == 1
