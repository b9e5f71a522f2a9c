"""Record what every optimizer step does to a model's weights, from within any PyTorch training loop.

Built on `Optimizer.register_step_pre_hook` and `register_step_post_hook`: when the post-hook runs, the weights are
those after the step, and the gradients those that it used, accumulated, clipped and unscaled. Nothing here waits for
the disk or for a GPU: rows are gathered in memory, and a thread writes them (`writer`).
"""

import atexit
import os
import platform
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as TorchTensor
from torch.optim import Optimizer

from report import files
from report.errors import ReportError
from report.recording import parameters, schema
from report.recording.gather import Chunk, Source
from report.recording.parameters import Parameter
from report.recording.schema import Description, Ended, Group, Note, Role, Tensor
from report.recording.writer import LOG, Batch, Tick, Writer

OURS = ("run.json", "progress.json", "events.jsonl", "attached.npz", "timings.json")


def record(
    model: torch.nn.Module | Mapping[str, torch.nn.Parameter],
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

    A step is one round of the optimizers: with several, a round ends before one of them steps for the second time, or
    where `Recorder.step` is called. A step that a GradScaler skipped is none.

    Args:
        model: whose parameters are recorded, by their names; or a mapping of names to parameters.
        optimizer: one, or several; those of their parameters that the model has are recorded.
        folder: that the recording goes to; made if it is not there.
        label: what the recording shows: recordings with one label differ in chance only. Default: the folder's name.
        seed: tells recordings of one label apart.
        whole: patterns (fnmatch) of tensors of which every entry is kept.
        sample: entries that are kept of each other tensor: a fixed random choice, equal for equal names and shapes.
        first: for so many steps from the start every tensor is kept whole.
        every: steps from one recorded row to the next; the update of a row is then the change over all of them.
        steps: after so many recorded rows nothing but the series is recorded; None for all.
        overwrite: replace a recording in `folder`; what is none is never replaced.
        role: "main" or "control" in a study.
        about: what else is to be known of the training run, as JSON has it.

    Raises:
        ReportError: one line, before anything is written, for what cannot be recorded.
    """
    optimizers = [_unwrapped(each) for each in ([optimizer] if isinstance(optimizer, Optimizer) else optimizer)]
    _check_numbers(sample=(sample, 1), first=(first, 0), every=(every, 1), steps=(1 if steps is None else steps, 1))
    patterns = [whole] if isinstance(whole, str) else list(whole)
    for each in optimizers:
        if isinstance(each, torch.optim.LBFGS):
            raise ReportError("record: LBFGS changes the weights several times a step; record a first-order optimizer.")
    path = Path(folder)
    settings = _Settings(patterns, sample, first, every, steps)
    recorder = Recorder(path, settings)
    if torch.distributed.is_available() and torch.distributed.is_initialized() and torch.distributed.get_rank() != 0:
        return recorder  # every process has the same weights: the first one records them
    known = parameters.named(model)
    parameters.check(known, patterns)
    held = {id(value) for each in optimizers for group in each.param_groups for value in group["params"]}
    if not held & set(known):
        raise ReportError(
            "record: the optimizer holds no parameter of this model. Make the optimizer from model.parameters(), and "
            "give both to report.record."
        )
    _prepare(path, overwrite)
    description = Description(
        label=path.resolve().name if label is None else label,
        seed=seed,
        role=role,
        every=every,
        first=first,
        about=dict(about or {}),
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        platform={
            "system": platform.system(),
            "machine": platform.machine(),
            "device": ", ".join(sorted({str(known[each].value.device) for each in held & set(known)})),
            "threads": torch.get_num_threads(),
        },
    )
    recorder._start(known, optimizers, description)
    return recorder


def _unwrapped(optimizer: Any) -> Optimizer:
    """Return the optimizer itself: Accelerate and others hold it in a wrapper whose hooks are never called."""
    while isinstance(inner := getattr(optimizer, "optimizer", None), Optimizer):
        optimizer = inner
    if not isinstance(optimizer, Optimizer):
        raise ReportError(f"record: found {type(optimizer).__name__} as an optimizer; wanted: a torch.optim.Optimizer.")
    return optimizer


def _check_numbers(**numbers: tuple[Any, int]) -> None:
    for name, (found, least) in numbers.items():
        if isinstance(found, bool) or not isinstance(found, int) or found < least:
            raise ReportError(f"record: {name}: found {found!r}; wanted: a whole number from {least} on.")


def _prepare(path: Path, overwrite: bool) -> None:
    """Make the folder, empty.

    Raises:
        ReportError: when it holds something that is not to be replaced, or cannot be written.
    """
    with files.person_readable(path):
        if path.is_dir() and any(path.iterdir()):
            is_recording = files.read_json(path / "run.json", default={}).get("format") == schema.FORMAT
            if not (overwrite and is_recording):
                hint = "overwrite=True replaces it" if is_recording else "it is no recording, and is left alone"
                raise ReportError(f"record: {path} exists; {hint}. Name another folder.")
            for each in [path / name for name in OURS] + list(path.glob("*-*.npy")):
                each.unlink(missing_ok=True)
        path.mkdir(parents=True, exist_ok=True)


class _Settings:
    """Hold what `record` was told of how much to keep."""

    def __init__(self, whole: Sequence[str], sample: int, first: int, every: int, steps: int | None) -> None:
        self.whole, self.sample, self.first, self.every, self.steps = whole, sample, first, every, steps


class Recorder:
    """Record steps. Made by `report.record`; use it as a context manager, or call `close`."""

    def __init__(self, folder: Path, settings: _Settings) -> None:
        """Prepare a recorder that does nothing until it is started."""
        self.folder = folder
        self._settings = settings
        self._writer: Writer | None = None
        self._handles: list[Any] = []
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._attached: dict[str, NDArray[Any]] = {}
        self._logged: list[tuple[int, str, Any]] = []
        self._seen: dict[str, tuple[int, int]] = {}  # by series: round and place of its newest value in _logged
        self._calls = 0
        self._round = 0  # finished ones
        self._rows = 0
        self._stepped: set[int] = set()
        self._tick: Tick | None = None
        self._logs_first: bool | None = None  # whether the loop logs before it steps

    def __enter__(self) -> "Recorder":
        """Return the recorder."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        """Close the recording as far as it got; an exception of the loop goes on."""
        self._close("complete" if kind is None else "interrupted")
        return False

    def log(self, **values: Any) -> None:
        """Keep numbers that belong to the step that was just taken (or, in a loop that logs first, the next one).

        Args:
            values: by name of the series; a tensor of one element is read later, so that nothing waits for a GPU.
        """
        if self._writer is None or self._writer.failure is not None:
            return
        with self._lock:
            if self._logs_first is None:
                self._logs_first = self._calls == 0
            current = self._round + bool(self._stepped)  # several optimizers: the round may still be open
            tick = current + 1 if self._logs_first else current
            for name, value in values.items():
                kept = value.detach().clone() if isinstance(value, TorchTensor) else value
                newest, place = self._seen.get(name, (0, -1))
                if newest < tick:
                    self._seen[name] = (tick, len(self._logged))
                    self._logged.append((tick, name, kept))
                elif self._logs_first:
                    self._logged[place] = (tick, name, kept)
                # Otherwise the step has a value: what comes later belongs to one that was skipped or accumulates.

    def attach(self, **arrays: NDArray[Any]) -> None:
        """Keep arrays beside the recording, such as examples of the data; `Recording.attached` has them."""
        self._attached.update(arrays)

    def step(self) -> None:
        """End a round of several optimizers."""
        with self._lock:
            self._finish_round()

    def close(self) -> None:
        """End the recording."""
        self._close("complete")

    @property
    def failure(self) -> str | None:
        """Return why the recording stopped before its end, if it did."""
        return None if self._writer is None else self._writer.failure

    def _start(self, known: dict[int, Parameter], optimizers: Sequence[Optimizer], about: Description) -> None:
        """Describe what is held, write the initial state, and listen to the optimizers."""
        self._known = known
        self._optimizers = list(optimizers)
        self._sources: list[list[Source]] = [[] for _ in optimizers]
        self._numbers: dict[int, int] = {}  # of the tensors, by identity
        self._groups: list[Group] = []
        self._group_of: dict[tuple[int, int], int] = {}
        self._lengths: list[list[int]] = [[] for _ in optimizers]
        self._sizes: dict[int, int] = {}
        self._keys: dict[int, list[str]] = {}
        self._values: dict[int, list[Any]] = {}
        tensors: list[Tensor] = []
        states = []
        order = {identity: place for place, identity in enumerate(known)}
        found = [each for position in range(len(optimizers)) for each in self._new(position)]
        for source, indices in sorted(found, key=lambda each: order[id(each[0].value)]):
            source.number = len(tensors)
            self._numbers[id(source.value)] = source.number
            tensors.append(source.tensor)
            with torch.no_grad():
                keeps_first = self._settings.first and source.tensor.kept == "sample"
                whole = source.whole().numpy() if keeps_first else np.empty(0, np.float32)
                states.append((indices, source.weights().to("cpu", copy=True).numpy(), whole))
        self._is_pinned = any(each.value.is_cuda for sources in self._sources for each in sources)
        self._unheld = self._without_optimizer()
        description = replace(about, tensors=tuple(tensors), groups=tuple(self._groups), notes=self._unheld)
        with files.person_readable(self.folder):
            self._writer = Writer(self.folder, description, states, self._take)
        for note in self._unheld:
            LOG.warning("%s", note.text)
        self._event: Any = None
        self._chunk = self._new_chunk()
        for position, optimizer in enumerate(optimizers):
            self._handles.append(optimizer.register_step_pre_hook(self._guarded(self._before, position)))
            self._handles.append(optimizer.register_step_post_hook(self._guarded(self._after, position)))
        atexit.register(self.close)

    def _guarded(self, work: Callable[[int, Optimizer], None], position: int) -> Callable[..., None]:
        """Return a hook that never raises for a fault of ours: it would end somebody's training."""

        def hook(optimizer: Optimizer, *_: Any) -> None:
            writer = self._writer
            if writer is None or writer.failure is not None:
                return
            try:
                with self._lock, torch.no_grad():
                    work(position, optimizer)
            except ReportError:
                raise
            except Exception as error:
                writer.fail(" ".join(f"{type(error).__name__}: {error}".split()).rstrip("."))

        return hook

    def _before(self, position: int, optimizer: Optimizer) -> None:
        """Look at what a step will change before it does."""
        if torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing():  # type: ignore[no-untyped-call]
            raise ReportError(
                "record: this step is captured by a CUDA graph, whose replays run no Python. Record without the graph."
            )
        if position in self._stepped:
            self._finish_round()
        lengths = [len(group["params"]) for group in optimizer.param_groups]
        if lengths != self._lengths[position]:
            self._grow(position)
        scale = getattr(optimizer, "grad_scale", None)
        if scale is not None and self._begin().recorded:
            # A fused optimizer unscales within its kernel; whether it leaves the result in .grad is its own affair.
            self._fill_gradients(position, scale)

    def _after(self, position: int, optimizer: Optimizer) -> None:
        """Take the row of a step that was just made."""
        self._calls += 1
        skip = getattr(optimizer, "found_inf", None)
        tick = self._begin()
        tick.skips.append(False if skip is None else skip.clone() if skip.is_cuda else bool(skip))
        if tick.recorded:
            if tick.skips[-1] is True and len(self._optimizers) > 1:
                for source in self._sources[position]:
                    self._write_gradient(source, None)
            elif getattr(optimizer, "grad_scale", None) is None:
                self._fill_gradients(position, None)
            self._fill_weights(position)
            self._read_settings(position, optimizer, tick)
        self._stepped.add(position)
        if len(self._optimizers) == 1:
            self._finish_round()

    def _is_wanted(self) -> bool:
        """Tell whether the round that is open or comes next has a row."""
        steps = self._settings.steps
        return (self._round + 1) % self._settings.every == 0 and (steps is None or self._rows < steps)

    def _begin(self) -> Tick:
        """Return the round that is open; open one if there is none."""
        if self._tick is None:
            if self._chunk.is_full:
                self._hand_over()
            self._tick = Tick(self._round + 1, recorded=self._is_wanted())
        return self._tick

    def _finish_round(self) -> None:
        """Close the round: tensors of optimizers that did not step in it are absent."""
        tick = self._tick
        if tick is None or not self._stepped:
            return
        if tick.recorded:
            for position, sources in enumerate(self._sources):
                if position not in self._stepped:
                    for source in sources:
                        self._write_gradient(source, None)
                    self._fill_weights(position)
            if self._rows < self._settings.first:
                for sources in self._sources:
                    for source in sources:
                        if source.tensor.kept == "sample" and source.tensor.since == 0:
                            tick.first[source.number] = source.whole()
                            self._chunk.snapshots += 4 * source.tensor.size
            if self._is_pinned:
                self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
                self._event.record()
        self._tick = None
        self._stepped.clear()
        if tick.recorded and all(skip is True for skip in tick.skips):
            # Seen at once: the row is free again.
            tick.recorded = False
            tick.first.clear()
        self._chunk.rows += tick.recorded
        self._rows += tick.recorded
        self._round += 1
        self._chunk.ticks.append(tick)

    def _fill_weights(self, position: int) -> None:
        sources = self._sources[position]
        row = self._chunk.weights[self._chunk.rows]
        self._copy(sources, [each.weights() for each in sources], row)

    def _fill_gradients(self, position: int, scale: TorchTensor | None) -> None:
        sources = self._sources[position]
        pieces = [each.gradients() for each in sources]
        if any(piece is None for piece in pieces) or not all(each.present for each in sources):
            for source, piece in zip(sources, pieces, strict=True):
                self._write_gradient(source, piece if piece is None or scale is None else piece / scale)
            return
        found = [piece for piece in pieces if piece is not None]
        if scale is not None:
            found = [piece / scale.to(piece.device) for piece in found]
        self._copy(sources, found, self._chunk.gradients[self._chunk.rows])

    def _write_gradient(self, source: Source, piece: TorchTensor | None) -> None:
        """Write one tensor's gradient, or NaN where there is none, and say so when that changes."""
        target = self._chunk.gradients[self._chunk.rows, self._chunk.columns[source.number]]
        if piece is None:
            target.fill_(float("nan"))
        else:
            target.copy_(piece, non_blocking=self._is_pinned)
        if source.present is not (piece is not None):
            source.present = piece is not None
            assert self._tick is not None
            self._tick.events.append({"tensor": source.number, "present": source.present})

    def _copy(self, sources: Sequence[Source], pieces: list[TorchTensor], row: TorchTensor) -> None:
        """Copy pieces into their columns of a row: with one call where they lie side by side on one device."""
        if not pieces:
            return
        columns = self._chunk.columns
        start, stop = columns[sources[0].number].start, columns[sources[-1].number].stop
        device = pieces[0].device
        if stop - start == sum(each.count for each in sources) and all(piece.device == device for piece in pieces):
            if device.type == "cpu":
                torch.cat(pieces, out=row[start:stop])
            else:
                row[start:stop].copy_(torch.cat(pieces), non_blocking=self._is_pinned)
            return
        for source, piece in zip(sources, pieces, strict=True):
            row[columns[source.number]].copy_(piece, non_blocking=self._is_pinned)

    def _read_settings(self, position: int, optimizer: Optimizer, tick: Tick) -> None:
        """Note every numeric setting that is not what it was."""
        for index, group in enumerate(optimizer.param_groups):
            number = self._group_of.get((position, index))
            if number is None:
                continue  # a group of which nothing is recorded
            if self._sizes.get(number) != len(group):  # a scheduler, say, has added a key
                self._sizes[number] = len(group)
                self._keys[number] = [key for key in group if key not in ("params", "param_names")]
                self._values.pop(number, None)
            values = [group[key] for key in self._keys[number]]
            if any(isinstance(value, TorchTensor) for value in values):
                values = [value.clone() if isinstance(value, TorchTensor) else value for value in values]
            elif values == self._values.get(number):
                continue
            known = self._values.get(number)
            changed = {
                key: value
                for place, (key, value) in enumerate(zip(self._keys[number], values, strict=True))
                if _is_setting(value) and (known is None or isinstance(value, TorchTensor) or value != known[place])
            }
            self._values[number] = values
            tick.events.append({"group": number, "set": changed})

    def _new(self, position: int) -> list[tuple[Source, NDArray[np.int64]]]:
        """Return a source for each parameter that optimizer `position` holds and that is not recorded yet."""
        optimizer, found = self._optimizers[position], []
        for index, group in enumerate(optimizer.param_groups):
            for value in group["params"]:
                parameter = self._known.get(id(value))
                if parameter is None or id(value) in self._numbers or value.is_complex():
                    continue
                if (position, index) not in self._group_of:
                    self._group_of[position, index] = len(self._groups)
                    self._groups.append(Group(type(optimizer).__name__, position, index))
                number = self._group_of[position, index]
                tensor, indices = parameters.describe(parameter, number, self._settings.whole, self._settings.sample)
                self._numbers[id(value)] = -1
                source = Source(-1, parameter, tensor, indices)
                self._sources[position].append(source)
                found.append((source, indices))
        self._lengths[position] = [len(group["params"]) for group in optimizer.param_groups]
        return found

    def _grow(self, position: int) -> None:
        """Take in parameters that an optimizer was given after the start."""
        groups = len(self._groups)
        new = self._new(position)
        if not new:
            return
        if self._tick is not None:
            self._finish_round()
        self._hand_over()
        tick = self._begin()
        for source, indices in new:
            source.number = max(self._numbers.values()) + 1
            self._numbers[id(source.value)] = source.number
            tick.added.append((source.tensor, indices, source.weights().to("cpu", copy=True).numpy()))
        if len(self._groups) > groups and self._writer is not None:
            self._writer.description = replace(self._writer.description, groups=tuple(self._groups))
        self._chunk = self._new_chunk()

    def _new_chunk(self) -> Chunk:
        is_over = self._settings.steps is not None and self._rows >= self._settings.steps
        return Chunk([] if is_over else [each for sources in self._sources for each in sources], self._is_pinned)

    def _hand_over(self) -> None:
        """Give what is gathered to the writer."""
        batch = self._take()
        if batch is not None and self._writer is not None:
            self._writer.put(batch)

    def _take(self) -> Batch | None:
        """Return what is gathered, and begin anew."""
        if not self._lock.acquire(timeout=0.1):  # called from the writer's thread: the loop is just stepping
            return None
        try:
            return self._take_locked()
        finally:
            self._lock.release()

    def _take_locked(self) -> Batch | None:
        chunk = self._chunk
        if self._tick is not None or (not chunk.ticks and not self._logged):
            return None  # within a round of several optimizers: its row is half full
        logged = [each for each in self._logged if each[0] <= self._round]
        if not chunk.ticks and not logged:
            return None
        self._logged = [each for each in self._logged if each[0] > self._round]
        for place, (tick, name, _) in enumerate(self._logged):
            self._seen[name] = (tick, place)
        event = self._event
        self._chunk = self._new_chunk()
        return Batch(
            chunk.weights[: chunk.rows].numpy(),
            chunk.gradients[: chunk.rows].numpy(),
            chunk.columns,
            chunk.ticks,
            logged,
            (lambda: None) if event is None else event.synchronize,
        )

    def _without_optimizer(self) -> tuple[Note, ...]:
        """Return a note on the parameters that no optimizer holds, if there are any."""
        names = [each.names[0] for identity, each in self._known.items() if identity not in self._numbers]
        if not names:
            return ()
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        return (Note("unheld", f"No optimizer holds {shown}: training does not change them.", tensors=tuple(names)),)

    def _close(self, ended: Ended) -> None:
        writer, self._writer = self._writer, None
        if writer is None or self._process != os.getpid():
            return
        atexit.unregister(self.close)
        for handle in self._handles:
            handle.remove()
        with self._lock:
            if ended == "complete" or len(self._stepped) == len(self._optimizers):
                self._finish_round()
            self._tick = None
            batch = self._take()
        if batch is not None:
            writer.put(batch)
        if not self._calls:
            text = (
                "No optimizer step was seen: the optimizer's hooks were never called. Either the loop took no step "
                "with it, or its step is compiled or wrapped: call optimizer.step() itself, outside torch.compile."
            )
            writer.note(Note("no step", text))
            LOG.warning("%s (recording in %s)", text, self.folder)
        unheld = self._without_optimizer()
        writer.close(ended, self._attached, unheld[0] if unheld else None)


def _is_setting(value: Any) -> bool:
    """Tell whether a group's entry is a numeric setting."""
    if isinstance(value, list | tuple):
        return all(isinstance(each, int | float | TorchTensor) for each in value)
    return isinstance(value, int | float) or (isinstance(value, TorchTensor) and value.numel() == 1)
