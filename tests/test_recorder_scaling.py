"""Scaled gradients, steps that a GradScaler skips, and what lies on a device, against a record kept by hand."""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from by_hand import ByHand, backward, pair, rows, same
from torch import nn

import report
from report.recording import fetch, gather
from report.recording.parameters import Parameter, describe
from report.recording.source import Source

SGD = torch.optim.SGD


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
    assert recording.series["loss"].tolist() == losses
    assert recording.series["turn"].tolist() == [1, 2, 5, 6, 7, 8, 9, 10]
    # A plain optimizer's steps that were skipped leave their values beside those of the steps before them.
    assert {note.kind for note in recording.notes} == {"skipped" if fused else "series"}


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


@pytest.fixture
def _as_if_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the CPU read as if it were another device."""
    original = gather.Reader.__init__

    def init(self: gather.Reader, sources: Any) -> None:
        original(self, sources)
        self._fetch = fetch.Fetch(sources)

    monkeypatch.setattr(gather.Reader, "__init__", init)


def test_a_loop_on_the_cpu_asks_nothing_of_cuda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is a GPU, the first question would take hundreds of MB of it."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("CUDA was asked")

    for name in ("stream", "current_stream", "current_device", "synchronize", "Event", "_lazy_init"):
        monkeypatch.setattr(torch.cuda, name, refuse)
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for _ in range(300):
            recorder.log(loss=backward(model))
            optimizer.step()
    assert recorder.failure is None
    assert report.Recording.open(tmp_path / "run").steps == 300


@pytest.mark.parametrize("more", [{}, {"steps": 128}, {"every": 1000}])
def test_what_is_logged_is_waited_for_in_the_loops_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, int]
) -> None:
    """Also where no row is recorded: numbers that are logged are computed in it all the same."""
    waited: list[object] = []

    def mark(stream: object) -> Callable[[], None]:
        waited.append(stream)
        return lambda: None

    original = gather.Chunk.__init__

    def init(self: gather.Chunk, *given: Any) -> None:
        original(self, *given)
        self._device = torch.device("cuda")

    monkeypatch.setattr(gather.Chunk, "__init__", init)
    monkeypatch.setattr(gather, "mark", mark)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: "the loop's")
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run", **more) as recorder:
        for _ in range(600):
            backward(model)
            optimizer.step()
            recorder.log(loss=torch.tensor(1.0))
    assert recorder.failure is None
    assert len(waited) > 2
    assert set(waited) == {"the loop's"}


@pytest.mark.usefixtures("_as_if_on_a_device")
def test_values_that_lie_on_a_device(tmp_path: Path) -> None:
    """Rows are fetched in as few copies as neighbours allow."""
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


@pytest.mark.usefixtures("_as_if_on_a_device")
def test_another_shape_on_a_device_is_refused(tmp_path: Path) -> None:
    """How tensors are read is worked out anew when one has another shape: recording ends, and training goes on."""
    model = pair()
    optimizer = SGD(model.parameters(), lr=0.1)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        for turn in range(6):
            if turn == 3:
                model[0].bias.data = model[0].bias.data[:1]
            optimizer.zero_grad()
            backward(model)
            optimizer.step()
    assert recorder.failure is not None
    assert "0.bias had the shape [5] and now has [1]" in str(recorder.failure)
    assert report.Recording.open(tmp_path / "run").steps == 3


def test_of_a_tensor_that_is_kept_whole_no_list_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take twice the room of the tensor, and seconds at the first step of a large one."""
    monkeypatch.setattr(fetch, "JOINED", 0)

    def refuse(*_: object) -> None:
        raise AssertionError("places were listed")

    weight = nn.Parameter(torch.randn(8, 9).t())
    parameter = Parameter(weight, ["weight"], "Linear")
    found, indices = describe(parameter, 0, ("*",), sample=4)
    source = Source(0, parameter, found, indices)
    source.columns = slice(0, found.count)
    monkeypatch.setattr(Source, "offsets", refuse)
    ((columns, values),) = fetch.Fetch([source]).read([weight])
    assert columns == slice(0, 72)
    assert torch.equal(values, weight.detach().reshape(-1))


@pytest.mark.usefixtures("_as_if_on_a_device")
@pytest.mark.parametrize(("joined", "together"), [(2**20, 2**22), (40, 100), (0, 0)])
def test_tensors_of_a_device_are_copied_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, joined: int, together: int
) -> None:
    """Small ones some at a time, large ones by themselves; in whatever order of memory, with gradients or without."""
    monkeypatch.setattr(fetch, "JOINED", joined)
    monkeypatch.setattr(fetch, "TOGETHER", together)
    model = nn.ModuleDict({"a": pair(), "b": nn.Conv2d(3, 4, 3), "c": nn.Linear(30, 20).bfloat16(), "d": pair(1)})
    model["b"].to(memory_format=torch.channels_last)
    model.register_parameter("scalar", nn.Parameter(torch.tensor(0.5)))
    hand = ByHand(model)
    optimizer = Scaled(model.parameters())
    with report.record(model, optimizer, tmp_path / "run", sample=16, whole="c.bias"):
        for turn in range(9):
            model.zero_grad()
            backward(model["a"])
            if turn % 3:
                (model["b"](torch.randn(2, 3, 4, 4)).square().mean() * model.scalar).backward()
            if turn % 2:
                model["c"](torch.randn(4, 30).bfloat16()).square().mean().backward()
                weight = model["c"].weight
                weight.grad = weight.grad.t().contiguous().t() if turn % 4 > 1 else weight.grad[:, :1].expand(20, 30)
            hand.before()
            optimizer.step()
            hand.after()
    hand.check(tmp_path / "run")
