"""What a reader can take home: results, tables, the recording itself, the experiment, licence and citation."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from report import files
from report.errors import ReportError
from report.freshness import Ledger, code_digest, digest
from report.recording import Recording
from report.workspace import Workspace

FOLDER = "downloads"  # below the pages
RECORDING = f"{FOLDER}/recording.npz"
LEGAL = ("CITATION.cff", "LICENSE")  # of the repository, where they are there


@dataclass(frozen=True)
class File:
    """Describe a file that a reader can download."""

    path: str  # relative to the pages
    bytes: int
    sha256: str


def describe(path: str, data: bytes) -> File:
    """Describe the file at `path` that holds `data`."""
    return File(path, len(data), hashlib.sha256(data).hexdigest())


def gather(workspace: Workspace, experiment_file: Path, recording: Recording) -> Iterator[tuple[str, bytes]]:
    """Yield all files for download: path below build/docs, content.

    Raises:
        ReportError: when an earlier stage has not run.
    """
    if not workspace.results.is_file():
        raise ReportError(f'There is no {workspace.results}. Run "make report" first.')
    yield f"{FOLDER}/results.json", workspace.results.read_bytes()
    yield f"{FOLDER}/experiment.toml", experiment_file.read_bytes()
    yield RECORDING, _recording(workspace, recording)
    for name in LEGAL:
        if (workspace.root / name).is_file():
            yield f"{FOLDER}/{name}", (workspace.root / name).read_bytes()
    for path in sorted(workspace.tables.glob("*.csv")):
        yield f"tables/{path.name}", path.read_bytes()


def _recording(workspace: Workspace, recording: Recording) -> bytes:
    """Return the main training run as one NPZ; compressed anew only when the run is another one.

    `weights_<layer>` (batches + 1, outputs, inputs) and `gradients_<layer>` (batches, outputs, inputs), float32, of
    the layers that were kept whole; `train_loss` (batches,) in nats and `train_accuracy` (batches,) as fraction.
    """
    path, ledger = workspace.docs / RECORDING, Ledger(workspace.ledger)
    key = digest(recording.path / "run.json", code_digest(Path(__file__)))
    if ledger.is_fresh(RECORDING, key, [path]):
        return path.read_bytes()
    series = recording.series
    arrays = {name: series[name][: recording.batches] for name in ("train_loss", "train_accuracy")}
    for layer in recording.whole:
        arrays[f"weights_{layer}"] = np.asarray(recording.weights(layer))
        arrays[f"gradients_{layer}"] = np.asarray(recording.gradients(layer))
    packed = io.BytesIO()
    # NumPy gives the members of the archive a fixed date, so equal arrays are equal bytes.
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    files.write_bytes(path, packed.getvalue())
    ledger.record(RECORDING, key, [path])
    return packed.getvalue()
