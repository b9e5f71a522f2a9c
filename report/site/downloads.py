"""What a reader can take home: results, tables, the recording itself, the experiment, licence and citation."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from report import files
from report.drawing.animation import clips
from report.errors import ReportError, command
from report.products import Product
from report.recording.reader import Recording
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


def gather(workspace: Workspace, experiment_file: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all files for download: path below build/docs, content.

    Args:
        workspace: has results, tables and the packed recording.
        experiment_file: offered as it is.

    Raises:
        ReportError: when an earlier stage has not run.
    """
    if not workspace.results.is_file():
        raise ReportError(f'There is no {workspace.results}. Run "{command()}" first.')
    yield f"{FOLDER}/results.json", workspace.results.read_bytes()
    yield f"{FOLDER}/experiment.toml", experiment_file.read_bytes()
    yield RECORDING, (workspace.docs / RECORDING).read_bytes()
    for name in LEGAL:
        if (workspace.root / name).is_file():
            yield f"{FOLDER}/{name}", (workspace.root / name).read_bytes()
    for path in sorted(workspace.tables.glob("*.csv")):
        yield f"tables/{path.name}", path.read_bytes()


def recording_product(workspace: Workspace, recording: Recording, tensors: Sequence[str]) -> Product:
    """Return the packed recording as a product: to compress it takes longer than all pages.

    Args:
        workspace: where it goes.
        recording: of which a part is offered.
        tensors: that part: names of tensors that are kept whole.
    """
    path = workspace.docs / RECORDING
    return Product(
        "recording.npz",
        ("report.site.downloads",),
        lambda: [clips.identity(recording, tensors, recording.steps), list(tensors)],
        lambda: [path],
        lambda: _pack(path, recording, tensors),
    )


def _pack(path: Path, recording: Recording, tensors: Sequence[str]) -> None:
    """Write a recording as one NPZ.

    `weights_<tensor>` (steps + 1, outputs, inputs) and `gradients_<tensor>` (steps, outputs, inputs), float32, and
    `train_loss` (steps,) in nats and `train_accuracy` (steps,) as fraction, where they were logged.
    """
    logged = [name for name in ("train_loss", "train_accuracy") if name in recording.series]
    arrays: dict[str, Any] = {name: recording.series[name][: recording.steps] for name in logged}
    for name in tensors:
        shape = recording.tensors[name].matrix
        arrays[f"weights_{name}"] = np.asarray(recording.weights(name)).reshape(-1, *shape)
        arrays[f"gradients_{name}"] = np.asarray(recording.gradients(name)).reshape(-1, *shape)
    packed = io.BytesIO()
    # NumPy gives the members of the archive a fixed date, so equal arrays are equal bytes.
    np.savez_compressed(packed, **arrays)
    files.write_bytes(path, packed.getvalue())
