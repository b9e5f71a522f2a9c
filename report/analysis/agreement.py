"""How often an update goes down the gradient of its own step, and how often it goes elsewhere."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis.windows import Spans

BIN = 10  # steps to a point of the curve: single steps of a 100-weight layer scatter by several per cent


def counts(sign: NDArray[np.int8], gradient_sign: NDArray[np.int8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each step, how many weights have both an update and a gradient, and how many of them agree.

    Args:
        sign: (steps, n) int8, of the updates.
        gradient_sign: (steps, n) int8; an update agrees where it has the opposite sign.

    Returns:
        pairs, agreeing: (steps,) each.
    """
    product = sign * gradient_sign
    return np.count_nonzero(product, axis=1), np.count_nonzero(product < 0, axis=1)


def describe(pairs: NDArray[np.int64], agreeing: NDArray[np.int64], spans: Spans) -> dict[str, dict[str, Any]]:
    """Return, by window, `share` of the pairs that agree (None without a pair) and `pairs`.

    Args:
        pairs: (steps,), see `counts`.
        agreeing: (steps,).
        spans: which rows belong to each window.
    """
    found = {}
    for name, rows in spans.items():
        total = int(pairs[rows].sum())
        found[name] = {"share": int(agreeing[rows].sum()) / total if total else None, "pairs": total}
    return found


def curve(
    pairs: NDArray[np.int64], agreeing: NDArray[np.int64], numbers: NDArray[np.int64], steps: int
) -> dict[str, list[float | None]]:
    """Return the share over the training run: `batch`, the centres of bins of `BIN` steps, and `share` of each.

    Args:
        pairs: (rows,), see `counts`.
        agreeing: (rows,).
        numbers: (rows,), the step of each row, counted from 1.
        steps: of the training run; a bin without a row has no share.
    """
    starts = np.arange(0, steps, BIN)
    bins = (numbers - 1) // BIN
    totals = np.bincount(bins, pairs, len(starts))
    hits = np.bincount(bins, agreeing, len(starts))
    stops = np.minimum(starts + BIN, steps)
    return {
        "batch": ((starts + 1 + stops) / 2).tolist(),
        "share": [hit / total if total else None for hit, total in zip(hits.tolist(), totals.tolist(), strict=True)],
    }
