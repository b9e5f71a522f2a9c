"""A step of the built-in network on every device of this machine, beside what the device's memory allows.

On a GPU a step of so small a network is mostly starting things: it is also played back as one CUDA graph (NVIDIA, "CUDA
Graphs"), and taken by several seeds at once, whose weights are stacked (torch.func, "Model ensembling").
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.functional import cross_entropy

from benchmarks.material import Material
from benchmarks.measure import Line
from report.config import Experiment
from report.training import devices
from report.training.loop import Trainer, scale

SEEDS = 5
STEPS, WARMING = 200, 20
# Floats that cross the memory for each weight in a step: its gradient is written; then it, its gradient and both of
# Adam's moments are read, and it and the moments written.
CROSSINGS = 8
COPIED = 64 << 20  # floats in the copy by which the memory is measured


def compare(material: Material) -> Iterator[Line]:
    """Time steps on each device; nothing is wanted of them, since it is the device that decides."""
    experiment, steps = material.experiment, 20 if material.quick else STEPS
    with devices.threads(experiment.training.threads):
        for device in devices.allowed(experiment):
            trainer = Trainer(experiment, material.images, device)
            limit = _limit(sum(each.numel() for each in trainer.network.parameters()), device)
            pace = trainer.pace()
            yield _line(f"{device}: a step", pace, limit)
            if experiment.network.kind != "mlp":
                continue
            if device.type == "cuda":
                yield _line(f"{device}: a step as one CUDA graph", _graph(trainer, steps), limit)
            ensemble = _ensemble(trainer, steps) / SEEDS
            yield _line(f"{device}: a step of each of {SEEDS} stacked seeds", ensemble, limit)


def _line(what: str, seconds: float, limit: float) -> Line:
    return Line(what, seconds * 1e3, unit="ms", detail=f"{seconds / limit:,.1f} × the {limit * 1e3:.3f} ms of memory")


def _limit(weights: int, device: torch.device) -> float:
    """Return the seconds that the memory needs for a step's traffic, by the rate of a large copy."""
    source = torch.zeros(COPIED, device=device)
    target = torch.empty_like(source)
    seconds = _median(lambda: target.copy_(source), 10, device)
    return seconds * CROSSINGS * weights / (2 * COPIED)


def _median(step: Callable[[], object], steps: int, device: torch.device) -> float:
    """Return the median seconds of a step, each waited for."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    seconds = []
    for _ in range(WARMING + steps):
        wait()
        started = time.perf_counter()
        step()
        wait()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[WARMING:])


def _layers(experiment: Experiment, shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Return the built-in network of torch's own layers, whose chance is not ours: graphs and stacks ask for that."""
    sizes = [torch.Size(shape).numel(), *experiment.network.hidden, classes]
    layers: list[nn.Module] = [nn.Flatten()]
    for place, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        layers += [nn.Dropout(experiment.network.dropout)] if place == 0 else []
    return nn.Sequential(*layers[:-1])


def _batch(trainer: Trainer) -> tuple[Tensor, Tensor]:
    """Return a batch's inputs, (batch_size, …) float32, and targets, (batch_size,)."""
    images, labels = trainer.training
    size = trainer.experiment.training.batch_size
    return scale(images[:size]), labels[:size]


def _graph(trainer: Trainer, steps: int) -> float:
    network = _layers(trainer.experiment, trainer.images.shape, trainer.images.classes).to(trainer.device)
    optimizer = torch.optim.Adam(network.parameters(), fused=True, capturable=True)
    inputs, targets = _batch(trainer)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        cross_entropy(network(inputs), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return _median(graph.replay, steps, trainer.device)


def _ensemble(trainer: Trainer, steps: int) -> float:
    def make() -> nn.Sequential:
        return _layers(trainer.experiment, trainer.images.shape, trainer.images.classes).to(trainer.device)

    network = make()
    stacked, _ = stack_module_state([make() for _ in range(SEEDS)])
    weights = {name: each.detach() for name, each in stacked.items()}
    optimizer = torch.optim.Adam(weights.values(), fused=True)
    inputs, targets = _batch(trainer)

    def loss(of: dict[str, Tensor]) -> Tensor:
        return cross_entropy(functional_call(network, of, (inputs,)), targets)

    gradients = vmap(grad(loss), randomness="different")

    def step() -> None:
        for name, gradient in gradients(weights).items():
            weights[name].grad = gradient
        optimizer.step()

    return _median(step, steps, trainer.device)
