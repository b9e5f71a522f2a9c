"""Record what every optimizer step does to a model's weights, from within any PyTorch training loop.

Built on `Optimizer.register_step_pre_hook`, which sees the gradients that a step is going to use (accumulated, clipped,
unscaled), and `register_step_post_hook`, which sees the weights after it. Nothing here waits for the disk or for a GPU:
rows are gathered in memory (`gather`), and a thread writes them (`writer`).
"""

import atexit
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim import Optimizer

from report.errors import ReportError
from report.recording import arguments, parameters
from report.recording.arguments import Keep
from report.recording.batch import Batch, State, Tick
from report.recording.gather import Chunk, Source
from report.recording.holdings import Holdings
from report.recording.nesting import Nesting
from report.recording.parameters import Parameter
from report.recording.schema import Description, Ended, Note, Role
from report.recording.series import Log
from report.recording.writer import LOG, Writer

Model = torch.nn.Module | Mapping[str, torch.nn.Parameter]


def record(
    model: Model,
    optimizer: Optimizer | Sequence[Optimizer],
    folder: str | Path,
    *,
    label: str | None = None,
    seed: int | None = None,
    whole: str | Sequence[str] = (),
    sample: int = 1024,
    first: int = 0,
    every: int = 1,
    steps: int | None = None,
    overwrite: bool = False,
    role: Role = "own",
    about: Mapping[str, Any] | None = None,
) -> "Recorder":
    """Record every step of an optimizer into a folder, until the recorder is closed (use it in a `with` statement).

    A step is one round of the optimizers: with several, a round ends when all have stepped, before a parameter would be
    changed for the second time, or where `Recorder.step` is called. A step that a GradScaler skipped is none.

    Args:
        model: whose parameters are recorded, by their names; or a mapping of names to parameters.
        optimizer: one, or several; those of their parameters that the model has are recorded.
        folder: that the recording goes to; made if it is not there.
        label: what the recording shows: recordings with one label differ in chance only. Default: the folder's name.
        seed: tells recordings of one label apart.
        whole: patterns (fnmatch) of tensors of which every entry is kept.
        sample: entries that are kept of each other tensor: a fixed random choice, equal for equal names and shapes.
        first: for so many recorded rows from the start every tensor is kept whole.
        every: steps from one recorded row to the next; the update of a row is then the change over all of them.
        steps: after so many recorded rows nothing but the series is recorded; None for all.
        overwrite: replace a recording in `folder`; what is none is never replaced.
        role: "main" or "control" in a study.
        about: what else is to be known of the training run, as JSON has it.

    Raises:
        ReportError: one line, before anything is written, for what cannot be recorded.
    """
    path = Path(folder)
    optimizers = arguments.optimizers(optimizer)
    keep = arguments.keep(whole, sample, first, every, steps)
    description = arguments.description(path, label, seed, role, about, keep)
    known = parameters.named(model)
    parameters.check_patterns(known, keep.whole)
    held = {id(value) for each in optimizers for group in each.param_groups for value in group["params"]}
    recorded = [known[each].value for each in held & set(known) if known[each].is_recordable]
    if not recorded:
        raise ReportError(
            "record: the optimizer holds no parameter of this model. Make the optimizer from model.parameters(), and "
            "give both to report.record."
        )
    recorder = Recorder(path)
    if _rank() != 0:
        return recorder  # every process has the same weights: the first one records them
    arguments.prepare(path, overwrite=overwrite)
    description = replace(
        description,
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        platform={
            "system": platform.system(),
            "machine": platform.machine(),
            "device": ", ".join(sorted({str(value.device) for value in recorded})),
            "threads": torch.get_num_threads(),
        },
    )
    with arguments.one_line(path):
        try:
            recorder._start(model, known, optimizers, keep, description)
        except BaseException:
            arguments.clear(path)  # or the next try would find something that is no recording
            raise
    return recorder


def _rank() -> int:
    """Return this process's place among those that train together; torchrun tells it before they are connected."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank()
    several = os.environ.get("WORLD_SIZE", "1") != "1"
    return int(os.environ.get("RANK", "0")) if several and os.environ.get("RANK", "0").isdigit() else 0


class Recorder:
    """Record steps. Made by `report.record`; use it as a context manager, or call `close`."""

    def __init__(self, folder: Path) -> None:
        """Prepare a recorder that does nothing until it is started."""
        self.folder = folder
        self._is_open = False
        self._writer: Writer | None = None

    def __enter__(self) -> "Recorder":
        """Return the recorder."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        """Close the recording as far as it got; an exception of the loop goes on."""
        self._close("complete" if kind is None else "interrupted")
        return False

    def log(self, /, **values: Any) -> None:
        """Keep numbers that belong to the step that was just taken; or to the next one, in a loop that logs first.

        A loop logs first when it logs a series before any step was taken.

        Args:
            values: by name of the series; a tensor of one element is read later, so that nothing waits for a GPU.
        """
        if self._is_recording:
            with self._lock:
                newest = self._round + bool(self._stepped)  # the round of several optimizers may still be open
                for name, value in values.items():
                    self._log.add(name, value, newest)

    def attach(self, /, **arrays: NDArray[Any]) -> None:
        """Keep arrays beside the recording, such as examples of the data; `Recording.attached` has them."""
        if self._is_recording and self._writer is not None:
            for name, value in arrays.items():
                array = np.array(value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value)
                if array.dtype.hasobject:
                    self._writer.note(Note("attached", f"What was attached as {name} is no array; it is left out."))
                else:
                    self._attached[name] = array

    def step(self) -> None:
        """End a round of several optimizers."""
        if self._is_recording:
            with self._lock:
                self._finish_round()

    def close(self) -> None:
        """End the recording."""
        self._close("complete")

    @property
    def failure(self) -> str | None:
        """Return why the recording stopped before its end, if it did."""
        return None if self._writer is None else self._writer.failure

    @property
    def _is_recording(self) -> bool:
        """Tell whether anything is kept; not in a process that was forked off the one that records."""
        return self._is_open and self.failure is None and self._process == os.getpid()

    def _start(
        self,
        model: Model,
        known: dict[int, Parameter],
        optimizers: Sequence[Optimizer],
        keep: Keep,
        description: Description,
    ) -> None:
        """Describe what is held, write the initial state, and listen to the optimizers."""
        self._optimizers, self._keep = optimizers, keep
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._log = Log()
        self._attached: dict[str, NDArray[Any]] = {}
        self._tick: Tick | None = None  # the round that is open
        self._is_wanted = False  # whether it has a row
        self._stepped: set[int] = set()  # positions of the optimizers that stepped in it
        self._calls = self._round = self._done = self._rows = 0  # of hooks; rounds; those not skipped; those with a row
        self._holdings = Holdings(model, known, optimizers, keep)
        sources = self._holdings.sources
        self._early = [each for each in sources if keep.first and each.tensor.kept == "sample"]
        self._chunk = Chunk(sources)
        notes = self._holdings.unrecorded()
        description = replace(
            description,
            tensors=tuple(each.tensor for each in sources),
            groups=tuple(self._holdings.settings.groups),
            notes=tuple(notes),
        )
        self._writer = Writer(self.folder, description, self._states(sources, self._early), self._take)
        for note in notes:
            if note.kind != "frozen":
                LOG.warning("%s", note.text)
        self._is_open = True
        self._nesting = [Nesting(each) for each in optimizers]
        self._handles = [
            handle
            for position, optimizer in enumerate(optimizers)
            for handle in (
                optimizer.register_step_pre_hook(self._guarded(self._before, position)),
                optimizer.register_step_post_hook(self._guarded(self._after, position)),
            )
        ]
        atexit.register(self._close_at_exit)

    def _states(self, sources: Iterable[Source], early: Sequence[Source] = ()) -> Iterator[State]:
        """Give the state of each tensor; one after the other, so that there is never a copy of the model."""
        for each in sources:
            kept = each.entries(each.value).to("cpu", copy=True).numpy()
            yield each.indices, kept, each.whole().numpy() if each in early else None

    def _guarded(self, work: Callable[[int, Optimizer, bool], None], position: int) -> Callable[..., None]:
        """Return a hook that never raises for a fault of ours: it would end somebody's training."""
        nesting = self._nesting[position]
        is_inner = nesting.is_inner_before if work == self._before else nesting.is_inner_after

        def hook(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if not self._is_recording or self._writer is None or is_inner():
                return
            if torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing():  # type: ignore[no-untyped-call]
                raise ReportError(
                    "record: this step is captured by a CUDA graph, whose replays run no Python. Record without the "
                    "graph."
                )
            has_closure = (args[1] if len(args) > 1 else kwargs.get("closure")) is not None
            try:
                with self._lock:
                    work(position, optimizer, has_closure)
            except Exception as error:
                reason = str(error) if isinstance(error, ReportError) else f"{type(error).__name__}: {error}"
                self._writer.fail(" ".join(reason.split()).rstrip("."), step=self._rows)

        disabled: Callable[..., None] = torch.compiler.disable(hook)  # type: ignore[no-untyped-call]
        return disabled  # or a compiled step would compile it too

    def _before(self, position: int, optimizer: Optimizer, has_closure: bool) -> None:
        """Look at what a step is going to use."""
        if not self._stepped.isdisjoint(self._holdings.rivals[position]):
            self._finish_round()
        if self._holdings.is_changed(position):
            self._grow(position)
        tick = self._begin()
        if self._is_wanted:
            tick.settings += self._holdings.settings.changes(position)
            if not has_closure:  # which would compute the gradients only now
                self._read_gradients(position, tick)

    def _after(self, position: int, optimizer: Optimizer, has_closure: bool) -> None:
        """Look at what a step has made of the weights."""
        self._calls += 1
        tick = self._begin()
        skip = getattr(optimizer, "found_inf", None)
        if skip is not None:
            # To ask a GPU means to wait for it; without a reason to, the writer asks.
            is_counted = self._keep.every > 1 or self._keep.first or self._keep.steps is not None
            tick.skips[position] = bool(skip) if skip.is_cpu or is_counted else skip.clone()
        if self._is_wanted:
            if has_closure:
                self._read_gradients(position, tick)
            self._holdings.held[position].weights(self._chunk)
        self._stepped.add(position)
        if len(self._stepped) == len(self._optimizers):
            self._finish_round()

    def _read_gradients(self, position: int, tick: Tick) -> None:
        # A fused optimizer unscales within its kernel: here the gradients are still scaled.
        scale = getattr(self._optimizers[position], "grad_scale", None)
        tick.present[position] = self._holdings.held[position].gradients(self._chunk, scale)

    def _begin(self) -> Tick:
        """Return the round that is open; open one if there is none."""
        if self._tick is None:
            if self._chunk.is_full:
                self._hand_over()
            steps = self._keep.steps
            self._is_wanted = (self._done + 1) % self._keep.every == 0 and (steps is None or self._rows < steps)
            self._tick = Tick(self._round + 1, stepped=self._stepped)
        return self._tick

    def _finish_round(self) -> None:
        """Close the round: optimizers that did not step in it used no gradients."""
        tick = self._tick
        if tick is None or not self._stepped:
            return
        is_skipped = all(tick.skips.get(position) is True for position in tick.stepped)
        is_recorded = self._is_wanted and not is_skipped
        if is_recorded:
            for position, reader in enumerate(self._holdings.held):
                if position not in self._stepped:
                    reader.weights(self._chunk)
            if self._holdings.loose.sources:
                self._holdings.loose.weights(self._chunk)
            if self._rows < self._keep.first:
                tick.first = {each.number: each.whole().numpy() for each in self._early}
        self._tick = None
        self._stepped = set()
        self._chunk.finish(tick, is_recorded)
        self._round += 1
        self._done += not is_skipped
        self._rows += is_recorded

    def _grow(self, position: int) -> None:
        """Take in what an optimizer was given, or has lost, since its last step."""
        settings = self._holdings.settings
        groups, former, old = len(settings.groups), self._chunk, list(self._holdings.sources)
        new = self._holdings.renew(position)
        tick = self._begin()
        if len(settings.groups) > groups:
            tick.groups = tuple(settings.groups)
        if new:
            self._hand_over()
            self._chunk = Chunk(self._holdings.sources)
            self._chunk.carry(former, old)
            tick.added += zip([each.tensor for each in new], self._states(new), strict=True)

    def _hand_over(self) -> None:
        """Give what is gathered to the writer; make room."""
        batch = self._take()
        if batch is not None and self._writer is not None:
            self._writer.put(batch)
        if self._chunk.rows == self._chunk.capacity:
            self._chunk = Chunk(self._holdings.sources)

    def _take(self, *, is_last: bool = False) -> Batch | None:
        """Return what is gathered, if there is something; called from the writer's thread too."""
        if not self._lock.acquire(timeout=0.1):  # the loop is just stepping
            return None
        try:
            logged = self._log.take(self._round, is_last=is_last)
            return self._chunk.take(logged) if self._chunk.ticks or logged else None
        finally:
            self._lock.release()

    def _close_at_exit(self) -> None:
        """Close what nobody closed; an exception that ended the program ended the recording too."""
        self._close("interrupted" if hasattr(sys, "last_value") else "complete")

    def _close(self, ended: Ended) -> None:
        writer = self._writer
        if not self._is_open or writer is None or self._process != os.getpid():
            return
        self._is_open = False
        atexit.unregister(self._close_at_exit)
        for handle in self._handles:
            handle.remove()
        with self._lock:
            if writer.failure is None:
                self._finish_round()
            batch = self._take(is_last=True)
        if batch is not None:
            writer.put(batch)
        notes = self._holdings.unrecorded()
        if not self._calls and ended == "complete":
            text = (
                "No optimizer step was seen: the optimizer's hooks were never called. Either the loop took no step "
                "with it, or its step is compiled or wrapped: call optimizer.step() itself, outside torch.compile."
            )
            notes.append(Note("no step", text))
            LOG.warning("%s (recording in %s)", text, self.folder)
        writer.close(ended, self._attached, notes)
