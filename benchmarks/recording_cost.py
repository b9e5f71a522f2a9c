"""What recording costs: the same training with a recorder and without; its memory; and `import report`."""

import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import torch
from torch.nn.functional import cross_entropy

import report
from benchmarks.material import Material
from benchmarks.measure import ROOT, Line, alternate
from report.training.devices import threads
from report.training.loop import Trainer

BUILT_IN, EXAMPLES = 1.03, 1.01  # times the loop without a recorder
MEMORY = 64  # MiB beside the model
IMPORT = 50  # milliseconds beside a bare Python

Steps = Callable[[int], object]  # takes so many steps


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, and of the processor: those of the thread that writes are among these."""

    clock: float
    processor: float


def compare(material: Material) -> Iterator[Line]:
    """Train alternately with and without a recorder, which is closed within the time; judge memory and import too.

    Torch has one thread: more of them would meet other work of the machine, and their waiting for each other would hide
    what is measured. The processor's time is printed too, because a busy machine disturbs it least.
    """
    batches, frames = material.experiment.training.batches, material.experiment.animation.frames
    for what, first in (
        (f"built-in network, {batches:,} batches", 0),
        (f"the same, with {frames} whole states for the films", frames),
    ):

        def train(recorded: bool, first: int = first) -> Spent:
            return _built_in(material, recorded, first)

        yield from _ratio(what, train, material.rounds, BUILT_IN)
    for name, make, count in (("CNN", cnn, 200), ("transformer", transformer, 60)):
        steps = 10 if material.quick else count
        size = sum(each.numel() for each in make()[0].parameters())

        def run(recorded: bool, make: Any = make, steps: int = steps, name: str = name) -> Spent:
            return _example(make, steps, material.folder / name if recorded else None)

        yield from _ratio(f"{name} of {size:,} parameters, {steps} steps", run, material.rounds, EXAMPLES)
    if not material.quick:
        yield from _memory(material.folder, (150, 600))
    yield _import(2 if material.quick else 20)


def _ratio(what: str, run: Callable[[bool], Spent], rounds: int, bound: float) -> Iterator[Line]:
    """Compare seconds with a recorder and without."""
    processor: dict[bool, list[float]] = {True: [], False: []}

    def clock(recorded: bool) -> float:
        spent = run(recorded)
        processor[recorded].append(spent.processor)
        return spent.clock

    with threads(1):
        run(False)  # the first one pays for what is loaded
        with_it, without, ratios = alternate(lambda: clock(True), lambda: clock(False), rounds)
    yield Line(
        f"{what}: with recorder / without",
        with_it / without,
        bound,
        detail=f"{with_it:.2f} s / {without:.2f} s, medians of {rounds}; "
        f"single rounds {min(ratios):.3f} to {max(ratios):.3f}",
    )
    busy = [statistics.median(processor[recorded]) for recorded in (True, False)]
    yield Line(f"{what}: processor time", busy[0] / busy[1], detail=f"{busy[0]:.2f} s / {busy[1]:.2f} s")


def _spent(work: Callable[[], object]) -> Spent:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - clock, time.process_time() - processor)


def _built_in(material: Material, recorded: bool, first: int) -> Spent:
    """Train the built-in network once; evaluations do not count."""
    experiment = material.experiment
    trainer = Trainer(experiment, material.images)
    evaluate, elsewhere = trainer.evaluate, [Spent(0, 0)]

    def watched(*arguments: Any) -> tuple[float, float]:
        found: list[tuple[float, float]] = []
        elsewhere.append(_spent(lambda: found.append(evaluate(*arguments))))
        return found[0]

    trainer.evaluate = watched  # type: ignore[method-assign]

    def train() -> None:
        if not recorded:
            trainer.train(None)
            return
        with report.record(
            trainer.network.weights(),
            trainer.optimizer,
            material.workspace.runs / "benchmark",
            whole=experiment.recording.whole,
            sample=experiment.recording.sample,
            first=first,
            overwrite=True,
        ) as recorder:
            trainer.train(recorder)

    spent = _spent(train)
    clock, processor = (sum(getattr(each, what) for each in elsewhere) for what in ("clock", "processor"))
    return Spent(spent.clock - clock, spent.processor - processor)


def _example(make: Callable[[], tuple[Any, Any, Steps]], count: int, folder: Path | None) -> Spent:
    """Train an example's model once."""
    model, optimizer, steps = make()
    steps(3)
    if folder is None:
        return _spent(lambda: steps(count))
    recorder = report.record(model, optimizer, folder, overwrite=True)
    return _spent(lambda: (steps(count), recorder.close()))


def cnn() -> tuple[torch.nn.Module, torch.optim.Optimizer, Steps]:
    """Return the network of examples/cnn.py, wider; its optimizer; and its loop, of batches of 128."""
    example = _load("cnn")
    torch.manual_seed(0)
    (images, digits), _ = example.load()
    model = example.Network(width=32, hidden=200)
    optimizer: torch.optim.Optimizer = example.make_optimizer(model)

    def steps(count: int) -> None:
        for _ in range(count):
            picked = torch.randint(len(digits), (128,))
            optimizer.zero_grad()
            cross_entropy(model(images[picked]), digits[picked]).backward()
            optimizer.step()

    return model, optimizer, steps


def transformer() -> tuple[torch.nn.Module, torch.optim.Optimizer, Steps]:
    """Return the model of examples/transformer.py, wider and deeper; an optimizer; and its loop."""
    example = _load("transformer")
    torch.manual_seed(0)
    text, letters = example.load()
    model = example.Transformer(len(letters), width=128, layers=4)
    optimizer = torch.optim.AdamW(model.parameters())
    length = example.LENGTH

    def steps(count: int) -> None:
        for _ in range(count):
            start = torch.randint(len(text) - length - 1, (16, 1))
            read = text[start + torch.arange(length + 1)]
            optimizer.zero_grad()
            cross_entropy(model(read[:, :-1]).flatten(0, 1), read[:, 1:].flatten()).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    return model, optimizer, steps


def _load(name: str) -> ModuleType:
    """Return an example as a module."""
    specification = importlib.util.spec_from_file_location(f"examples_{name}", ROOT / "examples" / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _memory(folder: Path, counts: tuple[int, int]) -> Iterator[Line]:
    """Train the transformer in processes of their own, for a short time and for a longer one."""
    found = []
    for count in counts:
        code = f"from benchmarks import recording_cost; recording_cost.print_memory({str(folder)!r}, {count})"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        found.append(int(done.stdout) / 2**20)
        yield Line(f"memory beside the transformer, {count} steps", found[-1], MEMORY, unit="MiB")
    yield Line(f"memory that {counts[1] - counts[0]} more steps took", found[1] - found[0], unit="MiB")


def print_memory(folder: str, count: int) -> None:
    """Print by how many bytes the process was larger than before the recording, at most."""
    model, optimizer, steps = transformer()
    steps(20)
    process = psutil.Process()
    before, peak = process.memory_info().rss, 0
    with report.record(model, optimizer, Path(folder) / f"memory-{count}"):
        for _ in range(count // 5):
            steps(5)
            peak = max(peak, process.memory_info().rss)
    print(max(peak, process.memory_info().rss) - before)


def _import(rounds: int) -> Line:
    """Compare `python -c "import report"` with `python -c pass`."""

    def run(code: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        return time.perf_counter() - started

    times: dict[str, list[float]] = {"import report": [], "pass": []}
    for _ in range(rounds):
        for code, seconds in times.items():
            seconds.append(run(code))
    loaded, bare = (1000 * statistics.median(seconds) for seconds in times.values())
    what = '`python -c "import report"` beside `python -c pass`'
    return Line(what, loaded - bare, IMPORT, unit="ms", detail=f"{loaded:.0f} ms, {bare:.0f} ms")
