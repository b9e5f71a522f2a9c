"""The codec of the player's data: some steps of a few layers as bytes, as `templates/en/_format.md.j2` has them."""

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from report.analysis import updates

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]

MAGIC: Final = b"WiMo"
VERSION: Final = 2
HEADER: Final = struct.Struct("<4sHHIIII")
LAYER: Final = struct.Struct("<IIddd")
STEP = 0.005  # of τ: an update is off by at most 0.5 % of τ, which no eye can tell from none
GRADIENT_RATIO = 1.05  # from one level of a gradient to the next: off by at most 2.5 %
LARGEST_CODE = 2**22  # two of them and a sign fit into three bytes; as a code it says that the update is not known
LARGEST_LEVEL = 2**30  # of a weight, which is kept in 32 bits
LEVEL = 6  # of zlib: the highest takes eight times as long for files that are one in a hundred smaller
UNKNOWN_GRADIENT = 2**14  # the code of a gradient that was absent or not finite; no level of a float32 comes near it


@dataclass(frozen=True)
class Layer:
    """Hold one layer of some steps of a recording.

    Attributes:
        weights: (steps + 1, outputs, inputs) float32; not finite where it is not known.
        gradients: (steps, outputs, inputs) float32; not finite where there was none.
        step: of the weights and updates, in units of the weight.
        floor: magnitude of the smallest gradient of the recording that is not zero.
    """

    weights: Floats
    gradients: Floats
    step: float
    floor: float


def weight_step(weights: Floats, threshold: float) -> float:
    """Return the step of a layer's weights: 0.5 % of τ, or what the numbers of the format can hold.

    Args:
        weights: (steps + 1, …) float32 of a whole recording.
        threshold: τ of the layer.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # a weight that became infinite
        largest_update = max((_largest(after - before) for before, after in pairwise(weights)), default=0.0)
    largest = max((_largest(row) for row in weights), default=0.0)
    least = max(largest_update / (LARGEST_CODE // 2), largest / LARGEST_LEVEL)
    return max(STEP * threshold, least) or 1.0


def gradient_floor(gradients: Floats) -> float:
    """Return the smallest magnitude that is neither zero nor infinite; 1 where there is none."""
    sizes = np.abs(gradients)
    counted = (sizes > 0) & np.isfinite(sizes)
    return float(sizes.min(where=counted, initial=np.inf)) if counted.any() else 1.0


def encode(layers: Sequence[Layer], first_step: int, fingerprint: int) -> bytes:
    """Return a shard.

    Args:
        layers: at least one; all with the same number of steps.
        first_step: counted from 1.
        fingerprint: of the recording, 32 bits.
    """
    head, body = [], []
    steps = len(layers[0].gradients)
    for layer in layers:
        outputs, inputs = layer.gradients.shape[1:]
        head.append(LAYER.pack(outputs, inputs, layer.step, layer.floor, GRADIENT_RATIO))
        weights, known = _filled(layer.weights.reshape(steps + 1, -1))  # (B + 1, E)
        gradients = layer.gradients.reshape(steps, -1)  # (B, E)
        levels = np.rint(weights.astype(np.float64) / layer.step).astype(np.int64)  # (B + 1, E)
        codes = _signed_codes(np.diff(levels, axis=0), updates.of(weights))  # (B, E)
        codes[~(known[1:] & known[:-1])] = LARGEST_CODE
        body.append(levels[0].astype("<i4").tobytes())
        body.append(_planes(_zigzag(np.diff(codes, axis=0, prepend=0)), 3))
        body.append(_planes(_zigzag(_gradient_codes(gradients, layer.floor)), 2))
    payload = zlib.compress(b"".join(body), LEVEL)
    header = HEADER.pack(MAGIC, VERSION, len(layers), first_step, steps, fingerprint, len(payload))
    return b"".join([header, *head, payload])


def _largest(values: Floats) -> float:
    """Return the largest finite magnitude."""
    return float(np.abs(values).max(where=np.isfinite(values), initial=0.0))


def _filled(weights: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return (B + 1, E) weights without gaps, and which of them are known.

    Before the first known weight stands that weight, and after the last one that one, so that no level changes where
    no update is known. What comes after a gap counts as not known either: nothing says how far the weight went in it.
    """
    known = np.isfinite(weights)
    if known.all():
        return weights, known
    lost = np.logical_or.accumulate(np.logical_or.accumulate(known, axis=0) & ~known, axis=0)
    known &= ~lost
    rows = np.maximum.accumulate(np.where(known, np.arange(len(weights))[:, None], -1), axis=0)
    rows = np.where(rows < 0, known.argmax(axis=0), rows)
    return np.where(known.any(axis=0), np.take_along_axis(weights, rows, axis=0), np.float32(0)), known


def _gradient_codes(gradients: Floats, floor: float) -> Whole:
    """Return the code of each gradient: of its nearest level on a logarithmic scale that starts at `floor`."""
    known = np.isfinite(gradients)
    values = np.where(known, gradients, np.float32(0))
    sizes = np.maximum(np.abs(values.astype(np.float64)), floor)
    levels: Whole = np.rint(np.log(sizes / floor) / math.log(GRADIENT_RATIO)).astype(np.int64)
    return np.where(known, _signed_codes(levels, values), UNKNOWN_GRADIENT)


def _signed_codes(levels: Whole, values: Floats) -> Whole:
    """Return (1 + |level|) with the sign of the value: 0 for a value that is exactly 0, and for no other."""
    codes: Whole = np.sign(values).astype(np.int64) * (1 + np.abs(levels))
    return codes


def _zigzag(numbers: Whole) -> Whole:
    """Return 0, 1, 2, 3, 4 for 0, -1, 1, -2, 2: small numbers of either sign become small numbers."""
    return np.where(numbers >= 0, 2 * numbers, -2 * numbers - 1)


def _planes(numbers: Whole, count: int) -> bytes:
    """Return (steps, edges) numbers edge after edge, all their low bytes first: what is alike lies together."""
    by_edge = numbers.T
    return b"".join(((by_edge >> (8 * plane)) & 255).astype(np.uint8).tobytes() for plane in range(count))
