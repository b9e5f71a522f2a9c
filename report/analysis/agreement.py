"""How often an update goes down the gradient of its own batch, and how often it goes elsewhere."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import windows

BIN = 10  # batches to a point of the curve: single batches of a 100-weight layer scatter by several per cent


def counts(sign: NDArray[np.int8], gradient_sign: NDArray[np.int8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each batch, how many weights have both an update and a gradient, and how many of them agree.

    Args:
        sign: (batches, n) int8, of the updates.
        gradient_sign: (batches, n) int8; an update agrees where it has the opposite sign.

    Returns:
        pairs, agreeing: (batches,) each.
    """
    product = sign * gradient_sign
    return np.count_nonzero(product, axis=1), np.count_nonzero(product < 0, axis=1)


def describe(pairs: NDArray[np.int64], agreeing: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """Return, by window, `share` of the pairs that agree (None without a pair) and `pairs`.

    Args:
        pairs: (batches,), see `counts`.
        agreeing: (batches,).
    """
    found = {}
    for name, rows in windows.rows(len(pairs)).items():
        total = int(pairs[rows].sum())
        found[name] = {"share": int(agreeing[rows].sum()) / total if total else None, "pairs": total}
    return found


def curve(pairs: NDArray[np.int64], agreeing: NDArray[np.int64]) -> dict[str, list[float | None]]:
    """Return the share over the training run: `batch`, the centres of bins of `BIN` batches, and `share` of each.

    Args:
        pairs: (batches,), see `counts`.
        agreeing: (batches,).
    """
    starts = np.arange(0, len(pairs), BIN)
    totals = np.add.reduceat(pairs, starts)
    hits = np.add.reduceat(agreeing, starts)
    stops = np.minimum(starts + BIN, len(pairs))
    return {
        "batch": ((starts + 1 + stops) / 2).tolist(),
        "share": [hit / total if total else None for hit, total in zip(hits.tolist(), totals.tolist(), strict=True)],
    }
