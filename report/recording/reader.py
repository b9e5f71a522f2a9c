"""Read a recording: arrays are mapped, not loaded; one that still grows is read as far as it has come."""

import functools
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.errors import ReportError
from report.recording import schema
from report.recording.schema import Description, Note, Rule, Setting, Tensor

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


class Recording:
    """A recording on disk, as far as it had come when it was opened: while it grows, open it again to see more.

    Tensors go by name, that is by any of their names. Steps are counted from 1. Arrays are mapped, not loaded.

    Attributes:
        path: the folder; `name` is its name.
        label, seed: what the recording shows; what tells recordings of one label apart.
        steps: how many are recorded: rows of `gradients`, one fewer than rows of `weights`.
        taken: steps that the training took, at least as many: the length of every series.
        skipped: steps that a GradScaler skipped, as far as that could be seen.
        is_complete: whether the training took steps, and the recorder came to its end as planned.
        tensors: by name, in the order of the model; `list(recording.tensors)` has the names.
        notes: what a reader should know.
        about: what was said of the training run.
        series: what was logged, by name.
        settings: of every parameter group, at every step.
        attached: arrays that were added.
        description: all that `run.json` says, with `every`, `versions` and `platform`.
    """

    def __init__(self, path: Path, description: Description, progress: Mapping[str, int]) -> None:
        """Keep what was read; `Recording.open` reads it."""
        self.path = path
        self.description = description
        self.steps, self.taken, self.skipped = (progress[key] for key in ("steps", "taken", "skipped"))
        self.tensors: Mapping[str, Tensor] = MappingProxyType({each.name: each for each in description.tensors})
        every = [(name, number) for number, each in enumerate(description.tensors) for name in each.names]
        # A first name counts before another tensor's second one: what was tied may have been replaced.
        self._numbers = dict(every) | {name: number for number, name in enumerate(self.tensors)}

    def __repr__(self) -> str:
        """Return what it holds, in a few words."""
        return f"<Recording {self.description.summary(self.name, self.steps)}>"

    @classmethod
    def open(cls, folder: str | Path) -> "Recording":
        """Open the recording in `folder`.

        Raises:
            ReportError: one line, when there is none, or it is damaged or of another version.
        """
        path = Path(folder).expanduser()
        if not (path / "run.json").is_file():
            raise ReportError(f"No recording in {path.absolute()}. Name the folder that report.record was given.")
        # In this order: the writer describes before it counts, so that what is counted is described.
        progress = files.read_json(path / "progress.json", "steps", "taken", "skipped")
        description = schema.parse(files.read_json(path / "run.json"), str(path / "run.json"))
        if any(not isinstance(value, int) or value < 0 for value in progress.values()):
            raise ReportError(f"{path / 'progress.json'} is damaged. Record it again.")
        return cls(path, description, progress)

    @property
    def name(self) -> str:
        """Return the name of the folder."""
        return self.path.absolute().name

    @property
    def label(self) -> str:
        """Return what the recording shows; recordings with one label differ in chance only."""
        return self.description.label

    @property
    def seed(self) -> int | None:
        """Return what tells recordings of one label apart."""
        return self.description.seed

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return what a reader should know of the recording."""
        return self.description.notes

    @property
    def about(self) -> Mapping[str, Any]:
        """Return what the client of the recorder said of the training run."""
        return self.description.about

    @property
    def is_complete(self) -> bool:
        """Tell whether steps were taken, and the recorder came to its end as planned."""
        return self.description.ended == "complete" and self.taken > 0

    def indices(self, name: str) -> NDArray[np.int64]:
        """Return which entries of tensor `name` are kept, (n,) int64, as flat positions in its shape."""
        number, tensor = self._find(name)
        if tensor.kept == "whole":
            return np.arange(tensor.count)
        found: NDArray[np.int64] = self._load(f"indices-{number}.npy", tensor.count, ())
        return found

    def weights(self, name: str) -> Floats:
        """Return (steps + 1, n) float32 of the kept entries: row t is the state after t steps."""
        return self._rows("weights", name, self.steps + 1)

    def gradients(self, name: str) -> Floats:
        """Return (steps, n) float32: row t - 1 is the gradient that step t used; NaN where there was none."""
        return self._rows("gradients", name, self.steps)

    def present(self, name: str) -> NDArray[np.bool_]:
        """Return (steps,): whether the step used a gradient of this tensor. An absent gradient is not a zero one."""
        number, tensor = self._find(name)
        found = np.ones(self.steps, bool)
        found[: tensor.since] = False
        for event in self._events.get(("tensor", number), []):
            found[event["row"] :] = event["present"]
        return found

    def whole_weights(self, name: str) -> Floats:
        """Return (k + 1, size) float32: every entry of a tensor, for the first k steps for which it was kept whole.

        k is `whole_steps`; there is no row at all of a tensor that was never kept whole.
        """
        number, tensor = self._find(name)
        if tensor.kept == "whole":
            return self.weights(name)
        if not self.description.first or tensor.since:
            return np.empty((0, tensor.size), np.float32)
        found: Floats = self._load(f"first-{number}.npy", self.whole_steps(name) + 1, (tensor.size,))
        return found

    def whole_steps(self, name: str) -> int:
        """Return for how many steps from the start `whole_weights` holds a tensor."""
        _, tensor = self._find(name)
        if tensor.kept == "whole":
            return self.steps
        return 0 if tensor.since else min(self.description.first, self.steps)

    @functools.cached_property
    def series(self) -> Mapping[str, Doubles]:
        """Return what was logged, by name: (taken,) float64, one value a step, NaN where there was none."""
        return MappingProxyType(
            {
                name: self._load(f"series-{number}.npy", self.taken, ())
                for number, name in enumerate(self.description.series)
            }
        )

    @functools.cached_property
    def settings(self) -> tuple[Mapping[str, Doubles], ...]:
        """Return the numeric settings of every group, by torch's names, at every recorded step.

        Each is (steps,) float64, or (steps, k) for a setting of k numbers such as `betas`; NaN before the group was
        there. The order is that of `description.groups`.
        """
        found: list[dict[str, Doubles]] = [{} for _ in self.description.groups]
        for number, columns in enumerate(found):
            for event in self._events.get(("group", number), []):
                for key, value in event["set"].items():
                    values = np.asarray(value, np.float64)
                    if key not in columns or columns[key].shape[1:] != values.shape:
                        columns[key] = np.full((self.steps, *values.shape), np.nan)
                    columns[key][event["row"] :] = values
        return tuple(MappingProxyType(columns) for columns in found)

    def rule(self, name: str) -> Rule:
        """Return how the optimizer treats tensor `name`."""
        group = self._find(name)[1].group
        first: dict[str, Setting] = {}
        varying: dict[str, None] = {}
        for event in self._events.get(("group", group), []):
            for key, value in event["set"].items():
                known = tuple(value) if isinstance(value, list) else value
                if first.setdefault(key, known) != known:
                    varying[key] = None
        return Rule(self.description.groups[group].optimizer, first, tuple(varying))

    @functools.cached_property
    def attached(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays that the client of the recorder added, by name."""
        path = self.path / "attached.npz"
        if not path.is_file():
            return {}
        try:
            with path.open("rb") as file, np.load(file) as content:
                return {key: content[key] for key in content.files}
        except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
            raise self._damaged(path.name, str(error)) from error

    @functools.cached_property
    def _events(self) -> dict[tuple[str, int], list[dict[str, Any]]]:
        """Return the events of rows that are there, by ("group" or "tensor", its number), in order.

        `row` is the row of gradients from which an event holds.
        """
        path = self.path / "events.jsonl"
        events: dict[tuple[str, int], list[dict[str, Any]]] = {}
        try:
            # What follows the last line end was cut off by a kill: its rows are not counted either.
            for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
                event = json.loads(line)
                what = "group" if "group" in event else "tensor"
                if event["row"] < max(self.steps, 1):
                    events.setdefault((what, event[what]), []).append(event)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(path.name, str(error)) from error
        return events

    def _rows(self, kind: str, name: str, rows: int) -> Floats:
        number, tensor = self._find(name)
        found: Floats = self._load(f"{kind}-{number}.npy", rows, (tensor.count,))
        return found

    def _find(self, name: str) -> tuple[int, Tensor]:
        """Return the number and the description of the tensor that has `name` among its names.

        Raises:
            ReportError: one line, when there is none.
        """
        if (number := self._numbers.get(name)) is not None:
            return number, self.description.tensors[number]
        if note := next((note for note in self.notes if name in note.tensors), None):
            raise ReportError(f"{name} is not recorded in {self.path}: {note.text}")
        raise ReportError(f"No tensor {name!r} in {self.path}: {schema.hint(name, self._numbers, 'it has')}")

    def _load(self, name: str, rows: int, row: tuple[int, ...]) -> NDArray[Any]:
        """Map the first `rows` rows of a file, each of shape `row`."""
        try:
            array: NDArray[Any] = np.load(self.path / name, mmap_mode="r" if rows else None)
        except (OSError, ValueError, EOFError) as error:
            raise self._damaged(name, str(error)) from error
        if array.shape[1:] != row or len(array) < rows:
            raise self._damaged(name, f"it holds {array.shape}, and {(rows, *row)} is wanted")
        return array[:rows]

    def _damaged(self, name: str, reason: str) -> ReportError:
        return ReportError(f"{self.path / name} is missing or damaged ({reason}). Delete {self.path} and record again.")
