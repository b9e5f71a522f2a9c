"""How alike updates, or gradients, are k steps apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory
from report.analysis.windows import Spans

Doubles = NDArray[np.float64]


def lag_products(series: NDArray[Any], lags: int) -> list[Doubles]:
    """Return Σ x(t)·x(t + k) over weights, for every t and k = 0 … lags.

    Args:
        series: (steps, n).
        lags: the largest k.

    Returns:
        For each k, (steps - k,) float64.
    """
    x = np.ascontiguousarray(series, np.float64)
    count = len(x)
    return [np.einsum("tn,tn->t", x[: count - lag], x[lag:]) for lag in range(min(lags, count - 1) + 1)]


def from_products(products: list[Doubles], rows: slice, lags: int) -> list[float | None]:
    """Return the autocorrelation at lags 1 … `lags` from pairs of steps that both lie in `rows`.

    Σ x(t)·x(t + k) / √(Σ x(t)² · Σ x(t + k)²), the mean not removed (SCIENCE.md 4); None where nothing moved or
    the window is not longer than the lag.

    Args:
        products: see `lag_products`.
        rows: steps first … last, counted from 0.
        lags: the largest lag.
    """
    power = products[0]
    found: list[float | None] = []
    for lag in range(1, lags + 1):
        stop = rows.stop - lag
        if lag >= len(products) or stop <= rows.start:
            found.append(None)
            continue
        scale = power[rows.start : stop].sum() * power[rows.start + lag : rows.stop].sum()
        found.append(float(products[lag][rows.start : stop].sum() / np.sqrt(scale)) if scale > 0 else None)
    return found


def describe(updates: NDArray[np.float32], gradients: NDArray[np.float32], spans: Spans) -> dict[str, dict[str, Any]]:
    """Return, by window, `updates` and `gradients`: the autocorrelation at lags 1 … 30 (steps), a list each.

    Args:
        updates: (steps, n) float32.
        gradients: (steps, n) float32.
        spans: which rows belong to each window.
    """
    both = {"updates": lag_products(updates, theory.LAGS), "gradients": lag_products(gradients, theory.LAGS)}
    return {
        name: {which: from_products(products, rows, theory.LAGS) for which, products in both.items()}
        for name, rows in spans.items()
    }
