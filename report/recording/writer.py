"""Write a recording from a thread, so that training never waits for the disk; what the disk refuses is said once."""

import contextlib
import json
import logging
import os
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.errors import ReportError
from report.recording.batch import Batch, State, Tick
from report.recording.rows import Rows
from report.recording.schema import Description, Ended, Note, Tensor
from report.recording.series import Series

Arrays = Mapping[str, NDArray[Any]]
LOG = logging.getLogger("report")  # without a handler of the user's own, warnings go to standard error

FLUSH_SECONDS = 2.0  # after which rows go to the disk even if there are few
IN_FLIGHT = 24 * 2**20  # bytes that may wait for the disk; only then does training wait too
REMEMBERED = 4096  # rounds whose row is known, for values that are logged late


class Writer:
    """Own the folder of a recording and the thread that writes there."""

    def __init__(
        self,
        folder: Path,
        description: Description,
        states: Iterable[State],
        take: Callable[[], Batch | None],
    ) -> None:
        """Write what is known before the first step, and start the thread.

        Args:
            folder: exists and is empty.
            description: of the recording.
            states: of each tensor.
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
        self._series = Series(folder)
        self._settings: dict[tuple[int, str], Any] = {}  # the newest, by group and name
        self._waiting: list[tuple[int, dict[str, Any]]] = []  # settings of rounds that came to nothing
        self._absent: set[int] = set()
        self._row_of: dict[int, int] = {}
        self._notes = {_key(note): note for note in description.notes}
        self._initial = set(self._notes)
        for number, (tensor, state) in enumerate(zip(description.tensors, states, strict=True)):
            self._open(number, tensor, state)
        self._events = (folder / "events.jsonl").open("x", encoding="utf-8", newline="\n")
        self._lock = threading.RLock()  # of notes and description, which the training's thread changes too
        self._is_broken = False
        self._describe()
        self._commit()
        self._batches: deque[Batch] = deque()
        self._in_flight = 0
        self._is_ending = self._is_done = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="report-writer", daemon=True)
        self._thread.start()

    def put(self, batch: Batch) -> None:
        """Hand rows to the thread; wait only when too much is on its way."""
        with self._changed:
            while self._in_flight > IN_FLIGHT and self._thread.is_alive():
                self._changed.wait(1.0)
            self._batches.append(batch)
            self._in_flight += batch.size
            self._changed.notify_all()
        if not self._thread.is_alive():
            self._break("its writing thread died")

    @property
    def is_behind(self) -> bool:
        """Tell whether rows that were handed over still wait."""
        return bool(self._batches)

    def note(self, note: Note) -> None:
        """Keep a note, one of a kind for the same tensors."""
        with self._lock:
            self._notes.setdefault(_key(note), note)

    def fail(self, reason: str, step: int | None = None) -> None:
        """Say once that the recording stops, and why; never raise.

        Args:
            reason: without a full stop.
            step: after which it stops; None for the newest that is written.
        """
        step = self.steps if step is None else step
        with self._lock:
            if self.failure is not None:
                return
            self.failure = reason
            self.note(Note("stopped", f"The recording stopped: {reason}.", step=step))
        LOG.warning("Recording in %s stops after step %s: %s. The training goes on.", self.folder, step, reason)

    def close(self, ended: Ended, attached: Arrays, leading: Container[str], notes: Iterable[Note]) -> None:
        """Write what is left, and how the recording ended.

        Args:
            ended: how.
            attached: arrays to be kept beside the recording.
            leading: series whose values belong to the steps after them.
            notes: in place of those that were in the description from the start, and beside what was noted since.
        """
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        self._thread.join()
        if not self._is_done:
            self._break("its writing thread died")
        kept = {key: note for key, note in self._notes.items() if key not in self._initial}
        self._notes = {_key(note): note for note in notes} | kept
        if self.skipped:
            self.note(Note("skipped", f"A GradScaler skipped {self.skipped} steps, whose gradients were not finite."))
        self.description = replace(self.description, ended=ended)
        if not self._is_broken:
            try:
                self._check_folder()
                if attached:
                    _attach(self.folder / "attached.npz", attached)
                self._series.settle(leading)
                self._notes |= {_key(note): note for note in self._series.unusual(leading)}
                self._describe()
            except Exception as error:
                self._break(_reason(error))
        self._events.close()

    def _break(self, reason: str) -> None:
        """Give up writing; leave the files as they were when the last rows were counted, as far as the disk lets us."""
        self._is_broken = True
        self.fail(reason)
        with contextlib.suppress(Exception):
            self._check_folder()
            # Rows that nobody counts go: on a full disk there is room again for the word on what happened.
            for weights, gradients in zip(self._weights, self._gradients, strict=True):
                weights.cut(self.steps + 1)
                gradients.cut(self.steps)
            self._describe()

    def _run(self) -> None:
        """Write until the end; what cannot be written is taken and forgotten, so that nobody waits."""
        while True:
            with self._changed:
                if not self._batches and not self._is_ending:
                    self._changed.wait(FLUSH_SECONDS)
                batch = self._batches.popleft() if self._batches else None
                is_ending = self._is_ending
            if batch is not None:
                self._try(batch)
                with self._changed:
                    self._in_flight -= batch.size
                    self._changed.notify_all()
            elif is_ending:
                self._is_done = True
                return
            else:
                self._try(None)  # nobody has handed over anything for a while
            del batch  # or its memory would be held until the next one

    def _try(self, batch: Batch | None) -> None:
        try:
            batch = batch or self._take()
            if batch is not None and not self._is_broken:
                self._check_folder()
                self._write(batch)
        except Exception as error:
            self._break(_reason(error))
        finally:
            if batch is not None:
                batch.done()

    def _check_folder(self) -> None:
        """Refuse to write into what is no longer our folder.

        Raises:
            OSError: when it was deleted; or when another recording has replaced this one.
        """
        path = self.folder / "events.jsonl"
        if not os.path.samestat(path.stat(), os.fstat(self._events.fileno())):
            raise OSError(f"another recording has replaced it in {self.folder}")

    def _write(self, batch: Batch) -> None:
        batch.ready()
        known = len(self._notes), len(self._series.names), len(self.description.tensors)
        steps, taken = self.steps, self.taken
        kept: list[Tick] = []
        events: list[dict[str, Any]] = []
        absent: dict[int, list[int]] = {}  # rows of the batch, by tensor
        for tick in batch.ticks:
            if tick.groups:
                self.description = replace(self.description, groups=tick.groups)
            for tensor, state in tick.added:
                self._add(replace(tensor, since=steps), state)
            used = tick.stepped - {position for position, skip in tick.skips.items() if bool(skip)}
            self._waiting.extend(tick.settings)
            if not used:
                self.skipped += 1
                continue
            taken += 1
            self._row_of[tick.round] = taken - 1
            if tick.row is None:
                continue
            present = {number for position in used for number in tick.present.get(position, ())}
            events += self._changes(steps, batch.columns, present)
            for number in self._absent:
                absent.setdefault(number, []).append(tick.row)
            for number, whole in tick.first.items():
                self._first[number].append(whole[None])
            kept.append(tick)
            steps += 1
        if kept:
            self._append(batch, [tick.row for tick in kept if tick.row is not None], absent)
        self._events.writelines(json.dumps(event) + "\n" for event in events)
        self._events.flush()
        for name, row in self._series.write(batch.logged, self._row_of, taken):
            text = f"What was logged as {name} is no single number; it is left out."
            self.note(Note("series", text, step=row + 1))
        while len(self._row_of) > REMEMBERED:
            del self._row_of[next(iter(self._row_of))]
        self.steps, self.taken = steps, taken
        # The description before the count, and the count last: what they speak of is there, whenever a kill comes.
        if known != (len(self._notes), len(self._series.names), len(self.description.tensors)):
            self._describe()
        self._commit()

    def _append(self, batch: Batch, rows: list[int], absent: Mapping[int, list[int]]) -> None:
        """Write some rows of a batch; an absent gradient is NaN. Note each tensor's first value that is not finite."""
        place: list[int] | slice = rows
        if rows[-1] - rows[0] == len(rows) - 1:
            place = slice(rows[0], rows[-1] + 1)  # all of them, as a rule: nothing is copied
        are_finite = all(np.isfinite(each[place]).all() for each in (batch.weights, batch.gradients))  # as a rule
        for number, columns in batch.columns.items():
            gone = absent.get(number, [])
            batch.gradients[gone, columns] = np.nan
            blocks = batch.weights[place, columns], batch.gradients[place, columns]
            self._weights[number].append(blocks[0])
            self._gradients[number].append(blocks[1])
            found: list[tuple[int, str]] = []
            for what, block in zip(("weight", "gradient"), blocks, strict=True):
                if not (are_finite or np.isfinite(block).all()):
                    bad = ~np.isfinite(block).all(axis=1) & ~np.isin(rows, gone if what == "gradient" else [])
                    if bad.any():
                        found.append((self.steps + 1 + int(np.argmax(bad)), what))
            if found:
                step, what = min(found, key=lambda each: each[0])  # in one step a weight counts before its gradient
                name = self.description.tensors[number].name
                text = f"A {what} of {name} became infinite or NaN."
                self.note(Note("non-finite", text, step, (name,)))

    def _changes(self, row: int, numbers: Iterable[int], present: set[int]) -> list[dict[str, Any]]:
        """Return what changed with a row: settings that wait, and gradients that are gone, or there again."""
        events: list[dict[str, Any]] = []
        for group, settings in self._waiting:
            found = {key: _number(value) for key, value in settings.items()}
            new = {key: value for key, value in found.items() if self._settings.get((group, key)) != value}
            if new:
                events.append({"row": row, "group": group, "set": new})
            self._settings |= {(group, key): value for key, value in new.items()}
        self._waiting = []
        absent = set(numbers) - present
        for number in sorted(absent ^ self._absent):
            events.append({"row": row, "tensor": number, "present": number in present})
        self._absent = absent
        return events

    def _add(self, tensor: Tensor, state: State) -> None:
        """Start a tensor that an optimizer holds only now: its earlier rows are absent."""
        self.description = replace(self.description, tensors=(*self.description.tensors, tensor))
        self._open(len(self._weights), tensor, state)

    def _open(self, number: int, tensor: Tensor, state: State) -> None:
        indices, kept, whole = state
        weights = Rows(self.folder / f"weights-{number}.npy", "<f4", (tensor.count,))
        gradients = Rows(self.folder / f"gradients-{number}.npy", "<f4", (tensor.count,))
        weights.fill(tensor.since)
        gradients.fill(tensor.since)
        weights.append(kept[None])
        self._weights.append(weights)
        self._gradients.append(gradients)
        if tensor.kept == "sample":
            np.save(self.folder / f"indices-{number}.npy", indices)
        if whole is not None:
            self._first[number] = Rows(self.folder / f"first-{number}.npy", "<f4", (tensor.size,))
            self._first[number].append(whole[None])

    def _describe(self) -> None:
        """Write `run.json`."""
        with self._lock:
            ended = "stopped" if self.failure else self.description.ended
            # In an order that does not depend on how rows came to the disk, some at a time.
            notes = sorted((*self._notes.values(), *self._series.notes), key=lambda each: (each.step or 0, each.kind))
            self.description = replace(self.description, notes=tuple(notes), series=self._series.names, ended=ended)
            files.write_json(self.folder / "run.json", self.description.as_json())

    def _commit(self) -> None:
        progress = {"steps": self.steps, "taken": self.taken, "skipped": self.skipped}
        files.write_json(self.folder / "progress.json", progress)


def _attach(path: Path, arrays: Arrays) -> None:
    """Write arrays as np.savez does, whatever their names are."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def _key(note: Note) -> tuple[str, tuple[str, ...]]:
    """Return what only one note can have."""
    return note.kind, note.tensors or (note.text,)


def _number(value: Any) -> Any:
    """Return a setting as JSON has it: one that lies on a device is read only here."""
    if isinstance(value, list | tuple):
        return [_number(each) for each in value]
    return value if isinstance(value, bool | int) else float(value)


def _reason(error: Exception) -> str:
    """Say in one line what went wrong."""
    if isinstance(error, ReportError) and isinstance(error.__cause__, OSError):
        error = error.__cause__  # whose advice is another command's
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
