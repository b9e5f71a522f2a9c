"""How long a large update stays large, in the same direction: "several steps" means little without a threshold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory, threshold
from report.analysis.windows import Spans

# q·τ: opacity 1, 1/4 and 1/16. The suffix is the name in results and tables.
SHARES = {"q1": 1.0, "q05": 0.5, "q025": 0.25}


def signs_above(deviations: NDArray[np.float64], bound: float) -> NDArray[np.int8]:
    """Return the sign of each deviation v where |v| ≥ bound, and 0 elsewhere; one of exactly 0 has none."""
    large = (np.abs(deviations) >= bound) & (deviations != 0)
    signs: NDArray[np.int8] = large * np.sign(deviations).astype(np.int8)
    return signs


def lengths(large: NDArray[np.int8]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return how long each large update lasts from the step it is seen in.

    Args:
        large: (steps, n) int8, see `signs_above`.

    Returns:
        For every place that is not 0, in the order of steps: its step, counted from 0; the number of consecutive
        steps from there on, itself included, with the same sign; whether it is the first of its spell.
    """
    steps, weights = large.shape
    # Series of single weights, one after the other, with a 0 between them, so that none runs into the next.
    series = np.zeros((weights, steps + 1), np.int8)
    series[:, :-1] = large.T
    flat = series.reshape(-1)
    place = np.flatnonzero(flat)
    same = (np.diff(place) == 1) & (flat[place][1:] == flat[place][:-1])
    first = np.concatenate([[True], ~same]) if len(place) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    spell = np.cumsum(first) - 1
    ends = np.append(starts[1:], len(place))
    remaining = ends[spell] - np.arange(len(place)) if len(place) else np.zeros(0, np.int64)
    step = place % (steps + 1)
    order = np.argsort(step, kind="stable")
    return step[order], remaining[order], first[order]


def describe(
    updates: NDArray[np.float32], law: threshold.Law, beta: float | None, spans: Spans
) -> dict[str, dict[str, Any]]:
    """Return, by window, the mean dwell (steps) at each threshold.

    A spell belongs to the window in which it is seen and is followed beyond its end; only the end of the recording
    cuts it.

    Args:
        updates: (steps, n) float32.
        law: mean and τ of these updates.
        beta: the optimizer's memory; None where no theory describes it.
        spans: which rows belong to each window.

    Returns:
        By window: `threshold` τ (weight units); for each q `mean_…`, from any step above; `spell_…`, from the
        first step of each spell, which does not count a long spell many times; `spells_…`, how many began;
        `chance_…`, the `spell_…` of Gaussian noise in which as many updates reach τ (None without theory).
    """
    tail = (law.rank + 1) / law.deviations
    deviations = threshold.deviation(updates, law.mean)
    found: dict[str, dict[str, Any]] = {name: {"threshold": law.threshold} for name in spans}
    for suffix, share in SHARES.items():
        step, remaining, first = lengths(signs_above(deviations, share * law.threshold))
        for name, rows in spans.items():
            start, stop = np.searchsorted(step, [rows.start, rows.stop])
            inside, begun = remaining[start:stop], first[start:stop]
            spells = int(begun.sum())
            found[name][f"mean_{suffix}"] = float(inside.mean()) if len(inside) else None
            found[name][f"spell_{suffix}"] = float(inside[begun].mean()) if spells else None
            found[name][f"spells_{suffix}"] = spells
            found[name][f"chance_{suffix}"] = None if beta is None else theory.dwell(beta, tail, share)
    return found
