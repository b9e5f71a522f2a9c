"""Write a recording: a thread that appends rows to files, so that training never waits for the disk.

What the disk refuses is said once, and the recording stops; the training goes on.
"""

import contextlib
import io
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.errors import ReportError
from report.recording.schema import Description, Ended, Note, Tensor

LOG = logging.getLogger("report")  # without a handler of the user's own, warnings go to standard error

FLUSH_SECONDS = 2.0  # after which rows go to the disk even if there are few
IN_FLIGHT = 24 * 2**20  # bytes that may wait for the disk; only then does training wait too
HEADER = 128  # bytes of every .npy header, so that it can be written again when rows are added
REMEMBERED = 4096  # rounds whose row is known, for values that are logged late

Floats = NDArray[np.float32]


@dataclass
class Tick:
    """One round of optimizer steps.

    Attributes:
        round: counted from 1, those included that come to nothing.
        recorded: whether the batch has a row of it; otherwise it counts for the series alone.
        skips: whether each optimizer of the round took no step; anything that `bool` turns into the answer.
        events: what changed with it: `{"group", "set"}` or `{"tensor", "present"}`.
        first: states of sampled tensors, whole, by their number.
        added: tensors that an optimizer has only now, each with its state before the round.
    """

    round: int
    recorded: bool = True
    skips: list[Any] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    first: dict[int, Any] = field(default_factory=dict)
    added: list[tuple[Tensor, NDArray[np.int64], Floats]] = field(default_factory=list)


@dataclass
class Batch:
    """Rows on their way to the disk.

    Attributes:
        weights: (rows, width) float32.
        gradients: (rows, width) float32.
        columns: of each tensor, by its number.
        ticks: at least as many as rows, in order.
        logged: round, name and value of what was logged.
        ready: waits until the rows have come from a device.
    """

    weights: Floats
    gradients: Floats
    columns: Mapping[int, slice]
    ticks: list[Tick]
    logged: list[tuple[int, str, Any]]
    ready: Callable[[], None]

    @property
    def bytes(self) -> int:
        """Return how much memory the batch holds."""
        snapshots = sum(4 * int(each.numel()) for tick in self.ticks for each in tick.first.values())
        return int(self.weights.nbytes + self.gradients.nbytes) + snapshots


class Rows:
    """Append rows to a .npy file; its header counts those that are there."""

    def __init__(self, path: Path, dtype: str, row: tuple[int, ...]) -> None:
        """Start a file of no rows, each of shape `row`."""
        self.path, self.row, self.count = path, row, 0
        self._dtype = np.dtype(dtype)
        self._bytes = self._dtype.itemsize * int(np.prod(row, dtype=np.int64))
        with path.open("xb") as file:
            file.write(self._header())

    def append(self, rows: NDArray[Any]) -> None:
        """Add (k, *row) rows at the end."""
        self.write(self.count, rows)

    def write(self, first: int, rows: NDArray[Any]) -> None:
        """Put rows in place from row `first` on."""
        content = np.ascontiguousarray(rows, self._dtype).reshape(-1).view(np.uint8).data
        with self.path.open("r+b", buffering=0) as file:
            file.seek(HEADER + first * self._bytes)
            while content:
                content = content[file.write(content) :]
            if first + len(rows) > self.count:
                self.count = first + len(rows)
                file.seek(0)
                file.write(self._header())

    def fill(self, count: int) -> None:
        """Add rows of NaN until there are `count`."""
        step = max(1, 2**20 // max(self._bytes, 1))
        while self.count < count:
            self.append(np.full((min(step, count - self.count), *self.row), np.nan, self._dtype))

    def _header(self) -> bytes:
        """Return the header of version 1.0 of NumPy's format, always `HEADER` bytes long."""
        shape = (self.count, *self.row)
        head = io.BytesIO()
        description = {"descr": self._dtype.str, "fortran_order": False, "shape": shape}
        text = repr(description).encode("latin1")
        head.write(b"\x93NUMPY\x01\x00" + (HEADER - 10).to_bytes(2, "little"))
        head.write(text.ljust(HEADER - 11) + b"\n")
        return head.getvalue()


class Writer:
    """Own the folder of a recording and the thread that writes there."""

    def __init__(
        self,
        folder: Path,
        description: Description,
        states: list[tuple[NDArray[np.int64], Floats, Floats]],
        take: Callable[[], Batch | None],
    ) -> None:
        """Write what is known before the first step, and start the thread.

        Args:
            folder: exists and is empty.
            description: of the recording.
            states: of each tensor its kept positions, their values (kept,), and all values if `first` asks for them.
            take: returns the rows that wait in the recorder, or None; called from the thread.

        Raises:
            OSError: when the folder cannot be written.
        """
        self.folder = folder
        self.description = description
        self.steps = self.taken = self.skipped = 0
        self.failure: str | None = None
        self._take = take
        self._weights: list[Rows] = []
        self._gradients: list[Rows] = []
        self._first: dict[int, Rows] = {}
        self._series: dict[str, Rows] = {}
        self._events: list[dict[str, Any]] = []  # of rounds that came to nothing, for the next one
        self._present: dict[int, bool] = {}
        self._row_of: dict[int, int] = {}
        self._notes: dict[tuple[Any, ...], Note] = {}
        for number, (tensor, state) in enumerate(zip(description.tensors, states, strict=True)):
            self._open(number, tensor, *state)
        (folder / "events.jsonl").touch()
        self._commit()
        self.describe()
        self._batches: deque[Batch] = deque()
        self._in_flight = 0
        self._ending = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="report-writer", daemon=True)
        self._thread.start()

    def put(self, batch: Batch) -> None:
        """Hand rows to the thread; wait only when too much is on its way."""
        with self._changed:
            while self._in_flight > IN_FLIGHT and self._thread.is_alive():
                self._changed.wait(1.0)
            self._batches.append(batch)
            self._in_flight += batch.bytes
            self._changed.notify_all()
        if not self._thread.is_alive():
            self.fail("its writing thread died")

    def note(self, note: Note) -> None:
        """Keep a note, one of a kind for the same tensors."""
        self._notes.setdefault((note.kind, note.tensors), note)

    def close(self, ended: Ended, attached: Mapping[str, NDArray[Any]], unheld: Note | None = None) -> None:
        """Write what is left, and how the recording ended."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join()
        if unheld is not None:
            self.note(unheld)
        if self.skipped:
            self.note(Note("skipped", f"A GradScaler skipped {self.skipped} steps, whose gradients were not finite."))
        try:
            if attached and self.failure is None:
                with (self.folder / "attached.npz").open("wb") as file:
                    np.savez(file, allow_pickle=False, **dict(attached))
            self.description = replace(self.description, ended="stopped" if self.failure else ended)
            self.describe()
        except Exception as error:
            self.fail(_reason(error))

    def fail(self, reason: str) -> None:
        """Say once that the recording stops, and why; never raise."""
        if self.failure is not None:
            return
        self.failure = reason
        LOG.warning("Recording in %s stops after step %s: %s. The training goes on.", self.folder, self.steps, reason)
        self.note(Note("stopped", f"The recording stopped: {reason}.", step=self.steps))
        with contextlib.suppress(Exception):
            self.description = replace(self.description, ended="stopped")
            self.describe()

    def describe(self) -> None:
        """Write `run.json`."""
        self.description = replace(self.description, notes=tuple(self._notes.values()), series=tuple(self._series))
        files.write_json(self.folder / "run.json", self.description.as_json())

    def _run(self) -> None:
        """Write until the end; after a failure take rows and forget them, so that nobody waits."""
        while True:
            with self._changed:
                if not self._batches and not self._ending:
                    self._changed.wait(FLUSH_SECONDS)
                batch = self._batches.popleft() if self._batches else None
                ending = self._ending
            if batch is not None:
                self._try(batch)
                with self._changed:
                    self._in_flight -= batch.bytes
                    self._changed.notify_all()
            else:
                late = self._take()  # nobody has handed over anything for a while
                if late is not None:
                    self._try(late)
                elif ending:
                    return

    def _try(self, batch: Batch) -> None:
        if self.failure is None:
            try:
                self._write(batch)
            except Exception as error:
                self.fail(_reason(error))

    def _write(self, batch: Batch) -> None:
        batch.ready()
        kept: list[int] = []
        events: list[dict[str, Any]] = []
        known = len(self._notes), len(self._series), len(self.description.tensors)
        row = 0
        steps, taken = self.steps, self.taken
        present: list[dict[int, bool]] = []
        for tick in batch.ticks:
            for added in tick.added:
                self._add(steps, *added)
            self._events += tick.events
            if tick.skips and all(bool(skip) for skip in tick.skips):
                self.skipped += 1
                row += tick.recorded
                continue
            taken += 1
            self._row_of[tick.round] = taken - 1
            if tick.recorded:
                for event in self._events:
                    events.append({"row": steps, **_plain(event)})
                    if "tensor" in event:
                        self._present[event["tensor"]] = event["present"]
                self._events = []
                present.append(dict(self._present))
                for number, state in tick.first.items():
                    self._first[number].append(state.numpy()[None])
                kept.append(row)
                steps += 1
                row += 1
        everything = len(kept) == len(batch.weights)
        for number, columns in batch.columns.items():
            weights, gradients = batch.weights[:, columns], batch.gradients[:, columns]
            if not everything:
                weights, gradients = weights[kept], gradients[kept]
            self._weights[number].append(weights)
            self._gradients[number].append(gradients)
        if kept:
            self._look(batch, kept, present)
        if events:
            with (self.folder / "events.jsonl").open("a", encoding="utf-8", newline="\n") as file:
                file.writelines(json.dumps(event) + "\n" for event in events)
        self._log(batch.logged, taken)
        self.steps, self.taken = steps, taken
        while len(self._row_of) > REMEMBERED:
            del self._row_of[next(iter(self._row_of))]
        # The count last: what it counts is there, whenever a kill comes.
        self._commit()
        if known != (len(self._notes), len(self._series), len(self.description.tensors)):
            self.describe()

    def _log(self, logged: list[tuple[int, str, Any]], taken: int) -> None:
        """Write what was logged; a row without a value has NaN."""
        found: dict[str, dict[int, float]] = {}
        for tick, name, value in logged:
            row = self._row_of.get(tick)
            if row is not None:
                try:
                    found.setdefault(name, {})[row] = float(value)
                except (TypeError, ValueError, RuntimeError):
                    text = f"What was logged as {name} is no single number; it is left out."
                    self.note(Note("series", text, step=row + 1))
        for name in found:
            if name not in self._series:
                self._series[name] = Rows(self.folder / f"series-{len(self._series)}.npy", "<f8", ())
        for name, rows in self._series.items():
            start = rows.count
            values = found.get(name, {})
            rows.append(np.array([values.get(row, np.nan) for row in range(start, taken)]))
            for row, value in values.items():
                if row < start:
                    rows.write(row, np.array([value]))

    def _look(self, batch: Batch, kept: list[int], present: list[dict[int, bool]]) -> None:
        """Note each tensor's first value that is not finite."""
        for what, block in (("weight", batch.weights), ("gradient", batch.gradients)):
            if np.isfinite(block[kept]).all():
                continue
            for number, columns in batch.columns.items():
                name = self.description.tensors[number].name
                bad = ~np.isfinite(block[kept][:, columns]).all(axis=1)
                if what == "gradient":
                    bad &= np.array([each.get(number, True) for each in present])
                if bad.any():
                    step = self.steps + 1 + int(np.argmax(bad))
                    text = f"A {what} of {name} became infinite or NaN in step {step}."
                    self.note(Note("non-finite", text, step=step, tensors=(name,)))

    def _add(self, steps: int, tensor: Tensor, indices: NDArray[np.int64], state: Floats) -> None:
        """Start a tensor that an optimizer holds only now: its earlier rows are absent."""
        number = len(self._weights)
        tensor = replace(tensor, since=steps)
        self.description = replace(self.description, tensors=(*self.description.tensors, tensor))
        self._open(number, tensor, indices, state, np.empty(0, np.float32))

    def _open(self, number: int, tensor: Tensor, indices: NDArray[np.int64], state: Floats, whole: Floats) -> None:
        weights = Rows(self.folder / f"weights-{number}.npy", "<f4", (tensor.count,))
        gradients = Rows(self.folder / f"gradients-{number}.npy", "<f4", (tensor.count,))
        weights.fill(tensor.since)
        gradients.fill(tensor.since)
        weights.append(state[None])
        self._weights.append(weights)
        self._gradients.append(gradients)
        if tensor.kept == "sample":
            np.save(self.folder / f"indices-{number}.npy", indices)
            if whole.size:
                self._first[number] = Rows(self.folder / f"first-{number}.npy", "<f4", (tensor.size,))
                self._first[number].append(whole[None])

    def _commit(self) -> None:
        files.write_json(
            self.folder / "progress.json", {"steps": self.steps, "taken": self.taken, "skipped": self.skipped}
        )


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event with settings as numbers: one that lies on a device is read only here."""
    if "set" not in event:
        return event
    return {**event, "set": {key: _number(value) for key, value in event["set"].items()}}


def _number(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_number(each) for each in value]
    return float(value)


def _reason(error: Exception) -> str:
    """Say in one line what went wrong."""
    if isinstance(error, ReportError):
        return str(error).rstrip(".")
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
