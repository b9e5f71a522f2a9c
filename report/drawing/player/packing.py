"""Pack one view of one recording: its shards, and a note of what these hold."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.analysis import replay, updates
from report.drawing.animation import clips, colour
from report.drawing.player import shard
from report.drawing.player.parts import View
from report.drawing.scales import Laws
from report.products import digest
from report.recording.reader import Recording

Floats = NDArray[np.float32]

SHARD_VALUES = 32_000  # entries × steps of a shard: about 30 KB, so that the first picture comes soon
SHARD_STEPS = 8  # at least: each shard holds the weights before its first step anew
DIGITS = 5  # significant digits of a learning rate that changes
FIRST = 100  # steps from which the one that a tensor opens with is chosen


def inputs(run: Recording, view: View, laws: Laws) -> list[Any]:
    """Return all that decides what is packed, besides code."""
    return [_identity(run, view), view.slug, list(view.layers), view.entries, view.steps, laws]


def pack(folder: Path, note: Path, path: Path, view: View, laws: Laws) -> None:
    """Write the shards of a view of the recording at `path` into `folder`, and the note on them.

    Args:
        folder: of this view and recording alone.
        note: becomes, with what the index knows, the entry of this recording in the index of the view.
        path: of the recording.
        view: what is packed.
        laws: `mean` and `threshold` of each layer in this recording.
    """
    run = Recording.open(path)
    steps = min(run.steps, view.steps)
    weights = {layer: _laid_out(run, view, layer, run.weights(layer)[: steps + 1]) for layer in view.layers}
    gradients = {layer: _laid_out(run, view, layer, run.gradients(layer)[:steps]) for layer in view.layers}
    sizes = {layer: shard.weight_step(weights[layer], laws[layer]["threshold"]) for layer in view.layers}
    floors = {layer: shard.gradient_floor(gradients[layer]) for layer in view.layers}
    full = {layer: _full(weights[layer]) for layer in view.layers}
    fingerprint = int(digest(*inputs(run, view, laws), sizes, floors, shard.VERSION)[:8], 16)
    size = min(max(SHARD_VALUES // view.entries, SHARD_STEPS), steps)

    def write(start: int) -> int:
        stop = min(start + size, steps)
        part = [
            shard.Layer(weights[layer][start : stop + 1], gradients[layer][start:stop], sizes[layer], floors[layer])
            for layer in view.layers
        ]
        data = shard.encode(part, start + 1, fingerprint)
        files.write_bytes(shard_path(folder, start // size), data)
        return len(data)

    # zlib lets go of the interpreter while it works: two threads are twice as fast.
    with ThreadPoolExecutor(2) as pool:
        lengths = list(pool.map(write, range(0, steps, size)))
    content = {
        "fingerprint": fingerprint,
        "batches": steps,
        "recorded": run.steps,
        "batches_per_shard": size,
        "shards": lengths,
        "laws": [{**laws[layer], "full": full[layer]} for layer in view.layers],
        "arithmetic": _arithmetic(run, view.layers, steps),
        "opening": _opening(weights[view.layers[0]], laws[view.layers[0]]["mean"], full[view.layers[0]]),
    }
    files.write_json(note, content)


def shard_path(folder: Path, number: int) -> Path:
    """Return the file of a shard."""
    return folder / f"{number:03d}.bin"


def _identity(run: Recording, view: View) -> str:
    """Return a digest that tells what a recording says of itself, and what it holds of these tensors at its end."""
    rows = [np.ascontiguousarray(run.weights(layer)[run.steps]) for layer in view.layers]
    last = [hashlib.sha256(row.data).hexdigest() for row in rows]
    return digest(run.path / "run.json", run.steps, last)


def _laid_out(run: Recording, view: View, layer: str, rows: Floats) -> Floats:
    """Return (steps, rows, columns) of a tensor that is shown whole, (steps, 1, entries) of a sample."""
    tensor = run.tensors[layer]
    if not view.slug or view.is_whole(tensor):
        return rows.reshape(len(rows), *tensor.matrix)
    return rows[:, None, view.columns(run)]


def _full(weights: Floats) -> float:
    """Return the size that the same share of the updates reaches in every view: that has the full colour."""
    changes = updates.of(weights)
    known = changes[np.isfinite(changes)]
    if not known.size:
        return 0.0
    return float(np.quantile(np.abs(known - known.mean(dtype=np.float64)), 1 - clips.FULL_SHARE))


def _opening(weights: Floats, mean: float, full: float) -> int:
    """Return the step, of the first ones, in which most is seen of a tensor, counted from 1."""
    changes = updates.of(weights[: FIRST + 1]).reshape(min(FIRST, len(weights) - 1), -1)
    signed = colour.signed_opacity(np.where(np.isfinite(changes), changes, mean), mean, full)
    strength = np.abs(signed)
    return colour.most_telling((strength >= colour.STRONG).sum(axis=1), strength.sum(axis=1)) + 1


def _arithmetic(run: Recording, layers: Sequence[str], steps: int) -> dict[str, Any] | None:
    """Return how the optimizer made updates of gradients; None where that is not replayed, or differs by layer."""
    found = {replay.arithmetic(run, layer, steps) for layer in layers}
    how = found.pop() if len(found) == 1 else None
    if how is None:
        return None
    parts = {key: value for key, value in asdict(how).items() if key != "rates"}
    rates = [float(f"{rate:.{DIGITS}g}") for rate in how.rates]
    return {**parts, "rate": rates if len(set(rates)) > 1 else how.rates[0]}
