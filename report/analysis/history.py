"""The history of single weights: the first one, as in the first article, and each layer's largest mover."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.recording import Recording


def chosen(recording: Recording, layer: str) -> dict[str, int]:
    """Return the positions, among the kept weights of `layer`, of the first and of the largest mover.

    The largest mover has the largest |end - start|; of equals, the first.
    """
    weights = recording.kept_weights(layer)
    return {"first": 0, "largest_mover": int(np.argmax(np.abs(weights[-1].astype(np.float64) - weights[0])))}


def index_of(recording: Recording, layer: str, position: int) -> tuple[int, int]:
    """Return (output, input), counted from 0, of a kept weight."""
    row, column = np.unravel_index(recording.kept_indices(layer)[position], recording.experiment.shape(layer))
    return int(row), int(column)


def describe(recording: Recording, layer: str) -> dict[str, Any]:
    """Return where each chosen weight began, went and ended (weight units)."""
    rows = {}
    for which, position in chosen(recording, layer).items():
        weight = np.asarray(recording.kept_weights(layer)[:, position], np.float64)
        update = np.diff(weight)
        largest = int(np.argmax(np.abs(update)))
        rows[which] = {
            "index": list(index_of(recording, layer, position)),
            "start": float(weight[0]),
            "end": float(weight[-1]),
            "minimum": float(weight.min()),
            "maximum": float(weight.max()),
            "largest_update": float(update[largest]),
            "largest_update_batch": largest + 1,
        }
    return rows


def table(recording: Recording, layer: str) -> dict[str, NDArray[Any]]:
    """Return one row a batch and chosen weight; row 0 is the initial state, without update and gradient."""
    blocks = []
    for which, position in chosen(recording, layer).items():
        weight = np.asarray(recording.kept_weights(layer)[:, position], np.float64)
        output, source = index_of(recording, layer, position)
        gradient = np.asarray(recording.kept_gradients(layer)[:, position], np.float64)
        count = len(weight)
        blocks.append(
            {
                "layer": np.full(count, layer),
                "which": np.full(count, which),
                "out": np.full(count, output),
                "in": np.full(count, source),
                "batch": np.arange(count),
                "weight": weight,
                "update": np.concatenate([[np.nan], np.diff(weight)]),
                "gradient": np.concatenate([[np.nan], gradient]),
            }
        )
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
