"""Record what every optimizer step does to a model's weights, from within any PyTorch training loop.

Built on `Optimizer.register_step_pre_hook`, which sees the gradients that a step is going to use (accumulated, clipped,
unscaled), and `register_step_post_hook`, which sees the weights after it. Nothing here waits for the disk or for a GPU:
rows are gathered in memory (`gather`), and a thread writes them (`writer`).
"""

import atexit
import os
import platform
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim import Optimizer

from report import files
from report.errors import ReportError
from report.recording import arguments, parameters
from report.recording.arguments import Keep
from report.recording.holdings import Holdings
from report.recording.nesting import Nesting
from report.recording.parameters import Parameter
from report.recording.rounds import Rounds
from report.recording.schema import Description, Ended, Note, Role
from report.recording.writer import LOG, Writer

Hook = Callable[[Optimizer, tuple[Any, ...], dict[str, Any]], None]
Model = torch.nn.Module | Mapping[str, torch.nn.Parameter]
NO_STEP = (
    "No optimizer step was seen: the optimizer's hooks were never called. Either the loop took no step with it, or its "
    "step is compiled or wrapped: call optimizer.step() itself, outside torch.compile."
)


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

    Weights are read before the first step and after each: what else changes them between two steps (clamping,
    load_state_dict, a swap with averaged weights) is part of the next step's row, and is not told apart.

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
        overwrite: replace a recording in `folder` that no other process is writing; what is none is never replaced.
        role: "main" or "control" in a study.
        about: what else is to be known of the training run, as JSON has it.

    Raises:
        ReportError: one line, before anything is written, for what cannot be recorded.
    """
    path = arguments.path(folder)
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
    is_ours = any(each._is_open and each.folder == path for each in OPEN)
    arguments.prepare(path, overwrite=overwrite, is_ours=is_ours)
    description = replace(
        description,
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        platform={
            "system": platform.system(),
            "machine": platform.machine(),
            "cpu": torch.backends.cpu.get_cpu_capability(),
            "device": ", ".join(sorted({str(value.device) for value in recorded})),
            "threads": torch.get_num_threads(),
        },
    )
    with files.person_readable(path, arguments.REFUSED):
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


OPEN: weakref.WeakSet["Recorder"] = weakref.WeakSet()


def _be_deaf_in_child() -> None:
    """Let recorders do nothing in a process that was forked off the one that records, such as a DataLoader's worker."""
    for recorder in OPEN:
        recorder._is_open = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_be_deaf_in_child)


class Recorder:
    """Record steps. Made by `report.record`; use it as a context manager, or call `close`."""

    def __init__(self, folder: Path) -> None:
        """Prepare a recorder that does nothing until it is started."""
        self.folder = folder
        self._is_open = False
        self._writer: Writer | None = None

    def __repr__(self) -> str:
        """Return what it records, in a few words."""
        if self._writer is None:
            return f"<Recorder {self.folder.name}: records nothing>"
        return f"<Recorder {self._writer.description.summary(self.folder.name, self._rounds.rows)}>"

    def __enter__(self) -> "Recorder":
        """Return the recorder."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        """Close the recording as far as it got; an exception of the loop goes on."""
        self._close("complete" if kind is None else "interrupted")
        return False

    def log(self, /, *unnamed: Any, **values: Any) -> None:
        """Keep numbers that belong to the step that was just taken; or to the next one, in a loop that logs first.

        A loop logs a series first when a value of it comes before every step, and none, or fewer, after the last one.
        This is known when the recording is closed. A value from before the first step, of a loop that logs after each
        step, is kept in a note.

        Args:
            unnamed: nothing.
            values: by name of the series; a tensor of one element is read later, so that nothing waits for a GPU.

        Raises:
            ReportError: for a value without a name.
        """
        if unnamed:
            raise ReportError(
                f"log: found {type(unnamed[0]).__name__}; wanted: numbers by name, such as log(loss=loss), or "
                "log(**numbers)."
            )
        if self._is_recording and self._writer is not None:
            if "" in values:
                del values[""]
                self._writer.note(Note("series", "A series without a name was logged; it is left out."))
            caller = sys._getframe(1)
            with self._rounds.lock:
                self._rounds.log.add(values, self._rounds.newest, (caller.f_code, caller.f_lineno))

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
            with self._rounds.lock:
                self._rounds.finish()

    def close(self) -> None:
        """End the recording."""
        self._close("complete")

    @property
    def failure(self) -> str | None:
        """Return why the recording stopped before its end, if it did."""
        return None if self._writer is None else self._writer.failure

    @property
    def _is_recording(self) -> bool:
        """Tell whether anything is kept."""
        return self._is_open and self._writer is not None and self._writer.failure is None

    def _start(
        self,
        model: Model,
        known: dict[int, Parameter],
        optimizers: Sequence[Optimizer],
        keep: Keep,
        description: Description,
    ) -> None:
        """Describe what is held, write the initial state, and listen to the optimizers."""
        self._attached: dict[str, NDArray[Any]] = {}
        self._optimizers = optimizers
        self._holdings = Holdings(model, known, optimizers, keep)
        self._rounds = Rounds(self._holdings, optimizers, keep)
        notes = self._holdings.unrecorded()
        description = replace(
            description,
            tensors=tuple(each.tensor for each in self._holdings.sources),
            groups=tuple(self._holdings.settings.groups),
            notes=tuple(notes),
        )
        self._writer = Writer(self.folder, description, self._rounds.states(), self._rounds.take_in_pause)
        self._rounds.connect(self._writer)
        self._held = arguments.hold(self.folder)
        for note in notes:
            if note.kind != "frozen":
                LOG.warning("%s", note.text)
        self._is_open = True
        OPEN.add(self)
        self._handles = []
        for position, optimizer in enumerate(optimizers):
            nesting = Nesting(optimizer)
            self._handles += [
                optimizer.register_step_pre_hook(self._hook(self._rounds.before, position, nesting)),
                optimizer.register_step_post_hook(self._hook(self._rounds.after, position, nesting)),
            ]
        atexit.register(self._close_at_exit)

    def _hook(self, work: Callable[[int, Optimizer, bool], None], position: int, nesting: Nesting) -> Hook:
        """Return a hook that never raises for a fault of ours: it would end somebody's training.

        Args:
            work: what is to be done at a step, before or after it.
            position: of the optimizer.
            nesting: of its steps.
        """
        writer, lock = self._writer, self._rounds.lock
        assert writer is not None
        is_inner = nesting.is_inner_before if work == self._rounds.before else nesting.is_inner_after
        is_compiling, is_on_gpu = torch.compiler.is_dynamo_compiling, self._holdings.is_on_gpu

        def hook(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if is_compiling():
                aside(optimizer, args, kwargs)
                return
            if not self._is_open or writer.failure is not None or (nesting.is_possible and is_inner()):
                return
            if is_on_gpu and torch.cuda.is_current_stream_capturing():
                raise ReportError(
                    "record: this step is captured by a CUDA graph, whose replays run no Python. Record without the "
                    "graph."
                )
            try:
                with lock:
                    if self._is_open:  # another thread may have closed it meanwhile
                        work(position, optimizer, callable(args[1] if len(args) > 1 else kwargs.get("closure")))
            except Exception as error:
                reason = str(error) if isinstance(error, ReportError) else f"{type(error).__name__}: {error}"
                writer.fail(" ".join(reason.split()).rstrip("."), step=self._rounds.rows)

        # A compiled step would compile the hook too, whose locks and lists it cannot. The compiler takes a second to
        # load, and is there as soon as an optimizer of torch is made; one that does without it cannot be compiled.
        can_compile = "torch._dynamo" in sys.modules
        aside: Hook = torch.compiler.disable(hook) if can_compile else hook  # type: ignore[no-untyped-call]
        return hook

    def _close_at_exit(self) -> None:
        """Close what nobody closed; an exception that ended the program ended the recording too."""
        self._close("interrupted" if hasattr(sys, "last_value") else "complete")

    def _close(self, ended: Ended) -> None:
        writer = self._writer
        if not self._is_open or writer is None:
            return
        self._is_open = False
        atexit.unregister(self._close_at_exit)
        for handle in self._handles:
            handle.remove()
        with self._rounds.lock:
            if writer.failure is None:
                self._rounds.finish()
            batch = self._rounds.take()
            is_cut = ended != "complete" or writer.failure is not None
            leading, notes = self._rounds.log.settle(self._rounds.newest, is_cut=is_cut)
        if batch is not None:
            writer.put(batch)
        if self._rounds.seen:
            idle = [
                f"Optimizer {position} of {len(self._optimizers)} ({type(optimizer).__name__}) took no step."
                for position, optimizer in enumerate(self._optimizers, 1)
                if position - 1 not in self._rounds.seen
            ]
        else:
            idle = [NO_STEP] if ended == "complete" else []
        for text in idle:
            LOG.warning("%s (recording in %s)", text, self.folder)
        notes += [*self._holdings.unrecorded(), *self._holdings.unseen(), *(Note("no step", text) for text in idle)]
        writer.close(ended, self._attached, leading, notes)
        self._rounds.release()
        del self._holdings, self._optimizers, self._attached
        if self._held is not None:
            arguments.release(self._held)
