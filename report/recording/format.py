"""What is kept of a training run, and its form on disk: a writer that streams, a reader that maps.

Row t of a file of weights is the state after t batches, so the update of batch t (counted from 1) is
`weights[t] - weights[t - 1]`; row t - 1 of a file of gradients is the gradient that this step used.

The folder has another name until everything in it is complete, so that nothing half-written is ever trusted.
"""

import math
import queue
import shutil
import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.config import Experiment
from report.errors import ReportError, TrainingDivergedError

FORMAT = 2  # of the files below; part of every run's key
CHUNK = 128  # batches that are gathered before they are written
WAITING = 160 * 2**20  # bytes of whole snapshots that may wait for the disk

Floats = NDArray[np.float32]


def kept_indices(experiment: Experiment, layer: str) -> NDArray[np.int64]:
    """Return which weights of `layer` are kept at every batch, as flat positions in (outputs, inputs).

    All of a whole layer; of another a fixed random sample, which depends on nothing but the layer's shape and
    name, so that every training run keeps the same weights.
    """
    outputs, inputs = experiment.shape(layer)
    count = outputs * inputs
    if layer in experiment.recording.whole or experiment.recording.sample >= count:
        return np.arange(count)
    generator = np.random.default_rng([int(layer[1:]), outputs, inputs])
    return np.sort(generator.choice(count, experiment.recording.sample, replace=False))


def clip_layers(experiment: Experiment) -> tuple[str, ...]:
    """Return the layers that are kept whole only for the batches that an animation shows."""
    return tuple(layer for layer in experiment.layers if layer not in experiment.recording.whole)


def _save(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write an .npz; NumPy gives its members a fixed date, so equal arrays are equal bytes."""
    np.savez(path, allow_pickle=False, **dict(arrays))


class Writer:
    """Stream one training run to disk; memory does not grow with the number of batches.

    Use as a context manager: `finish` makes the run appear under its name; leaving without it removes what was
    written, unless the run diverged.
    """

    def __init__(
        self, folder: Path, experiment: Experiment, clip_batches: int = 0, recorded: int | None = None
    ) -> None:
        """Open the files of a run that will appear at `folder`.

        Args:
            folder: `build/runs/<run>`.
            experiment: decides the layers and how many weights of each are kept.
            clip_batches: for how many batches, from the first on, sampled layers are kept whole.
            recorded: for how many batches, from the first on, weights and gradients are kept; None for all.

        Raises:
            ReportError: when the folder cannot be written.
        """
        self._folder = folder
        self._partial = folder.with_name(f".{folder.name}.partial")
        self.recorded = experiment.training.batches if recorded is None else recorded
        self.indices = {layer: kept_indices(experiment, layer) for layer in experiment.layers}
        self._columns: dict[str, slice] = {}
        start = 0
        for layer, indices in self.indices.items():
            self._columns[layer] = slice(start, start + len(indices))
            start += len(indices)
        self.width = start
        self.clip_batches = clip_batches
        self.clip_layers = clip_layers(experiment) if clip_batches else ()
        self._chunks = {kind: np.empty((CHUNK, self.width), np.float32) for kind in ("weights", "gradients")}
        self._filled = {"weights": 0, "gradients": 0}
        self._written = {"weights": 0, "gradients": 0}
        with files.person_readable(folder):
            shutil.rmtree(self._partial, ignore_errors=True)
            self._partial.mkdir(parents=True)
            self._files: dict[tuple[str, str], IO[bytes]] = {}
            for layer in experiment.layers:
                whole = layer in experiment.recording.whole
                shape = experiment.shape(layer) if whole else (len(self.indices[layer]),)
                self._open("weights", layer, "weights" if whole else "sample", (self.recorded + 1, *shape))
                self._open("gradients", layer, "gradients" if whole else "sample-gradients", (self.recorded, *shape))
                if not whole:
                    np.save(self._partial / f"sample-indices-{layer}.npy", self.indices[layer])
            for layer in self.clip_layers:
                shape = experiment.shape(layer)
                self._open("clip-weights", layer, "clip", (clip_batches + 1, *shape))
                self._open("clip-gradients", layer, "clip-gradients", (clip_batches, *shape))
        # Whole snapshots of a wide layer are megabytes a batch: a second thread hands them to the disk.
        sizes = [4 * math.prod(experiment.shape(layer)) for layer in self.clip_layers] or [WAITING]
        most = max(2, WAITING * len(sizes) // sum(sizes))
        self._clips: queue.Queue[tuple[tuple[str, str], Floats] | None] = queue.Queue(most)
        self._clip_error: OSError | None = None
        self._clip_thread = threading.Thread(target=self._write_clips, daemon=True)
        self._clip_thread.start()

    def __enter__(self) -> "Writer":
        """Return the writer."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Close everything; keep what a diverged run left, under a name that no later stage reads."""
        self._close()
        if isinstance(error, TrainingDivergedError):
            kept = self._folder.with_name(f"{self._folder.name}.diverged")
            shutil.rmtree(kept, ignore_errors=True)
            self._partial.rename(kept)
        elif error is not None:
            shutil.rmtree(self._partial, ignore_errors=True)

    def row(self, kind: str) -> Floats:
        """Return the next row, (width,) float32, to be filled by the caller at once, of weights or gradients.

        Raises:
            TrainingDivergedError: when a weight of the rows before it is NaN or infinite.
            ReportError: when the disk refuses.
        """
        if self._filled[kind] == CHUNK:
            self._flush(kind)
        self._filled[kind] += 1
        row: Floats = self._chunks[kind][self._filled[kind] - 1]
        return row

    def clip(self, kind: str, layer: str, snapshot: Floats) -> None:
        """Keep a whole layer, (outputs, inputs) float32, that nobody else will change any more."""
        if self._clip_error is not None:
            with files.person_readable(self._folder):
                raise self._clip_error
        self._clips.put(((f"clip-{kind}", layer), snapshot))

    def finish(
        self,
        series: Mapping[str, Any],
        meta: Mapping[str, Any],
        seconds: Mapping[str, float],
        examples: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Write what is left, then `run.json` last, then give the folder its name.

        Args:
            series: `series.npz`: one value a batch or a validation.
            meta: `run.json`: what the run was.
            seconds: `timings.json`: the only thing in which two equal runs differ.
            examples: `digits.npz`: pictures for the article, of the main run only.

        Raises:
            TrainingDivergedError: when a weight became NaN or infinite.
            ReportError: when the disk refuses.
        """
        for kind in self._filled:
            self._flush(kind)
        self._close()
        with files.person_readable(self._folder):
            if self._clip_error is not None:
                raise self._clip_error
            _save(self._partial / "series.npz", series)
            if examples is not None:
                _save(self._partial / "digits.npz", examples)
        rounded = {name: round(value, 3) for name, value in seconds.items()}
        files.write_json(self._partial / "timings.json", {"seconds": rounded})
        files.write_json(self._partial / "run.json", dict(meta))
        with files.person_readable(self._folder):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._partial.rename(self._folder)

    def _open(self, kind: str, layer: str, name: str, shape: tuple[int, ...]) -> None:
        """Start a .npy file of known final shape, to be filled row by row."""
        file = (self._partial / f"{name}-{layer}.npy").open("wb")
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        self._files[kind, layer] = file

    def _flush(self, kind: str) -> None:
        """Hand the gathered rows to the disk, each layer to its file."""
        rows = self._chunks[kind][: self._filled[kind]]
        if kind == "weights" and not np.isfinite(rows).all():
            # Row t is the state after t batches.
            first = self._written[kind] + int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
            raise TrainingDivergedError(f"diverged: a weight became infinite or NaN in batch {first}.")
        with files.person_readable(self._folder):
            for layer, columns in self._columns.items():
                self._files[kind, layer].write(np.ascontiguousarray(rows[:, columns]).data)
        self._written[kind] += len(rows)
        self._filled[kind] = 0

    def _write_clips(self) -> None:
        while (item := self._clips.get()) is not None:
            if self._clip_error is None:
                try:
                    self._files[item[0]].write(np.ascontiguousarray(item[1]).data)
                except OSError as error:
                    self._clip_error = error

    def _close(self) -> None:
        if self._clip_thread.is_alive():
            self._clips.put(None)
            self._clip_thread.join()
        for file in self._files.values():
            try:
                file.close()
            except OSError as error:
                self._clip_error = self._clip_error or error


class Recording:
    """Read one complete training run; arrays are mapped, not loaded."""

    def __init__(self, path: Path) -> None:
        """Open the run in folder `path`; prefer `Recording.open`, which explains what is missing."""
        self.path = path
        self.name = path.name
        self.meta: dict[str, Any] = files.read_json(path / "run.json", "experiment", "recorded")
        experiment = Experiment.model_validate(self.meta["experiment"])
        self.experiment = experiment
        self.layers = experiment.layers
        self.whole = experiment.recording.whole
        self.batches: int = self.meta["recorded"]  # rows of gradients; one fewer than rows of weights
        self.trained = experiment.training.batches  # at least as many: the length of the training series
        self.batch_size = experiment.training.batch_size

    @classmethod
    def open(cls, path: Path) -> "Recording":
        """Open the run in folder `path`.

        Raises:
            ReportError: when there is no complete run.
        """
        if not (path / "run.json").is_file():
            raise ReportError(f'No training run in {path}. Run "make report" first.')
        return cls(path)

    @property
    def series(self) -> dict[str, NDArray[Any]]:
        """Return `train_loss` (trained,) in nats, `train_accuracy` (trained,) as fraction, and the validations.

        `validation_batch`, `validation_loss`, `validation_accuracy` are (validations,); `test_loss` and
        `test_accuracy` are ().
        """
        return dict(self._npz("series.npz"))

    @property
    def digits(self) -> dict[str, NDArray[Any]]:
        """Return the pictures kept for the article: `first`, `first_label`, `examples`, `example_labels`."""
        return dict(self._npz("digits.npz"))

    @property
    def seconds(self) -> dict[str, float]:
        """Return how long each part of the run took."""
        seconds: dict[str, float] = files.read_json(self.path / "timings.json", "seconds")["seconds"]
        return seconds

    def weights(self, layer: str) -> Floats:
        """Return (batches + 1, outputs, inputs) float32 of a layer that was kept whole."""
        return self._array(f"weights-{layer}.npy")

    def gradients(self, layer: str) -> Floats:
        """Return (batches, outputs, inputs) float32 of a layer that was kept whole."""
        return self._array(f"gradients-{layer}.npy")

    def kept_weights(self, layer: str) -> Floats:
        """Return (batches + 1, n) float32: the whole layer flattened, or the fixed sample of it."""
        if layer in self.whole:
            array = self.weights(layer)
            return array.reshape(len(array), -1)
        return self._array(f"sample-{layer}.npy")

    def kept_gradients(self, layer: str) -> Floats:
        """Return (batches, n) float32 of the same weights as `kept_weights`."""
        if layer in self.whole:
            array = self.gradients(layer)
            return array.reshape(len(array), -1)
        return self._array(f"sample-gradients-{layer}.npy")

    def kept_indices(self, layer: str) -> NDArray[np.int64]:
        """Return (n,) int64: which weights `kept_weights` holds, as flat positions in (outputs, inputs)."""
        return kept_indices(self.experiment, layer)

    def clip_weights(self, layer: str) -> Floats:
        """Return (frames + 1, outputs, inputs) float32: a sampled layer whole, for the animation's batches."""
        return self._array(f"clip-{layer}.npy")

    def clip_gradients(self, layer: str) -> Floats:
        """Return (frames, outputs, inputs) float32 of the same batches as `clip_weights`."""
        return self._array(f"clip-gradients-{layer}.npy")

    def _array(self, name: str) -> Floats:
        try:
            array: Floats = np.load(self.path / name, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise self._damaged(name, error) from error
        return array

    def _npz(self, name: str) -> Mapping[str, NDArray[Any]]:
        try:
            with np.load(self.path / name) as content:
                return {key: content[key] for key in content.files}
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise self._damaged(name, error) from error

    def _damaged(self, name: str, error: Exception) -> ReportError:
        return ReportError(
            f'{self.path / name} is missing or damaged ({error}). Delete {self.path} and run "make report" again.'
        )
