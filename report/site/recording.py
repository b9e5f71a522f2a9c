"""The main recording, packed for readers."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from report import files
from report.drawing.animation import clips
from report.products import Product
from report.recording.reader import Recording
from report.workspace import Workspace


def product(workspace: Workspace, recording: Recording, tensors: Sequence[str]) -> Product:
    """Return the packed recording as a product: to compress it takes longer than all pages.

    Args:
        workspace: where it goes.
        recording: of which a part is offered.
        tensors: that part: names of tensors that are kept whole.
    """
    path = workspace.recording
    return Product(
        "recording.npz",
        ("report.site.recording",),
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
