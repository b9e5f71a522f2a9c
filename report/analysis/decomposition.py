"""Where the persistence above chance comes from: start-up, drift, coasting, and gradients of uneven size.

Two twins of a recorded tensor are made, in which one cause after the other is taken away:

- *tossed*: the same gradients, each with a sign drawn by a coin, through the same momentum. Their sizes, and when
  they are zero, stay as they were; only their direction forgets. What the measured run is longer than this, the
  gradients' direction has caused: **drift**.
- *held*: the same again, but the momentum waits while a gradient is exactly zero, and only steps with a gradient
  are counted. What the tossed run is longer than this, **coasting** has caused.

What the held run differs by from the run of Gaussian noise of one size is due to **uneven** gradients: where one is
far larger than its neighbours, momentum follows it for longer. **Start-up** is what the first 100 steps change in
the figure for all of them. All five are mean same-sign runs in steps and add up to the measured one.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import persistence, theory, windows
from report.analysis.windows import ALL, Spans

SEED = 20  # of the coins; fixed, so that a number does not change from one analysis to the next
TWINS = 2048  # at least so many weights are tossed: a narrow layer several times, so that the coins add little noise


def momentum(gradients: NDArray[np.float32], beta: float, held: bool = False) -> NDArray[np.float32]:
    """Return the sum of past gradients with weights 1, β, β², …, whose sign the update has turned round.

    Args:
        gradients: (steps, n) float32.
        beta: the memory.
        held: whether the sum stays as it is in a step whose gradient is exactly zero.

    Returns:
        (steps, n) float32.
    """
    total = np.empty_like(gradients)
    total[0] = gradients[0]
    if not held:
        for step in range(1, len(gradients)):
            np.multiply(total[step - 1], np.float32(beta), out=total[step])
            total[step] += gradients[step]
        return total
    decay = np.where(gradients == 0, np.float32(1), np.float32(beta))
    for step in range(1, len(gradients)):
        np.multiply(total[step - 1], decay[step], out=total[step])
        total[step] += gradients[step]
    return total


def tossed(gradients: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the gradients, (steps, n · copies) float32, each with a sign drawn by a coin; zero stays zero."""
    copies = math.ceil(TWINS / gradients.shape[1])
    repeated = np.tile(gradients, (1, copies))
    coins = np.random.default_rng(SEED).integers(0, 2, repeated.shape, dtype=np.int8)
    repeated *= 2 * coins - 1
    return repeated


def twins(
    sign: NDArray[np.int8], gradients: NDArray[np.float32], beta: float
) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the pairs and flips, (steps - 1,) each, of the tossed and of the held twin.

    Args:
        sign: (steps, n) int8, of the recorded updates: where one is zero, because the change was too small for
            float32, the twin's counts as zero as well.
        gradients: (steps, n) float32.
        beta: the memory.
    """
    noise = tossed(gradients)
    moving = np.tile(sign != 0, (1, noise.shape[1] // sign.shape[1]))
    free = persistence.signs(momentum(noise, beta))
    free *= moving
    held = persistence.signs(momentum(noise, beta, held=True))
    active = noise[1:] != 0
    product = held[:-1] * held[1:] * active
    return {
        "tossed": persistence.pairs_and_flips(free),
        "held": (np.count_nonzero(product, axis=1), np.count_nonzero(product < 0, axis=1)),
    }


def predicted_correlation(autocorrelations: list[float | None], beta: float) -> float | None:
    """Return the correlation of neighbouring updates that the gradients' own autocorrelation leads to.

    The autocovariance at lag j of Σ β^i g(t - i) is Σ over d of β^|d| · c(j - d) / (1 - β²), c that of the gradients,
    which is taken as 0 beyond the longest lag that was measured.

    Args:
        autocorrelations: of the gradients at lags 1, 2, …
        beta: the memory.
    """
    known = [value for value in autocorrelations if value is not None]
    if not known:
        return None
    c = np.concatenate([known[::-1], [1.0], known])  # lags -K … K
    lags = np.arange(-len(known), len(known) + 1)
    power = float((beta ** np.abs(lags) * c).sum())
    neighbour = float((beta ** np.abs(1 - lags) * c).sum())
    return neighbour / power if power > 0 else None


def describe(
    sign: NDArray[np.int8],
    gradients: NDArray[np.float32],
    beta: float | None,
    gradient_autocorrelation: Mapping[str, list[float | None]],
    spans: Spans,
) -> dict[str, dict[str, Any] | None]:
    """Return, by window, the parts of the mean same-sign run (steps).

    Args:
        sign: (steps, n) int8, of the updates.
        gradients: (steps, n) float32.
        beta: the memory; None where no theory describes the optimizer.
        gradient_autocorrelation: by window, lags 1 … 30 of the gradients.
        spans: which rows belong to each window.

    Returns:
        By window None (without theory, or where nothing flips) or: `chance`, of Gaussian noise, the filling of the
        memory in the first steps included; `uneven`; `coasting`; `drift`; `startup`, 0 but in the window "all",
        whose other parts are those of the late window; their sum, `measured`; and as a check from another side
        `gradient_prediction`, π / arccos of the correlation that the gradients' autocorrelation predicts.
    """
    if beta is None:
        return dict.fromkeys(spans)
    counted = {"measured": persistence.pairs_and_flips(sign), **twins(sign, gradients, beta)}
    found: dict[str, dict[str, Any] | None] = {}
    for name, rows in spans.items():
        inside = slice(rows.start, rows.stop - 1)
        runs = {
            which: persistence.rate(int(pairs[inside].sum()), int(flips[inside].sum()))["mean_run"]
            for which, (pairs, flips) in counted.items()
        }
        measured, toss, held = runs["measured"], runs["tossed"], runs["held"]
        if measured is None or toss is None or held is None:
            found[name] = None
            continue
        chance = 1 / theory.early_flip_rate(beta, rows)
        correlation = predicted_correlation(gradient_autocorrelation[name], beta)
        found[name] = {
            "measured": measured,
            "chance": chance,
            "uneven": held - chance,
            "coasting": toss - held,
            "drift": measured - toss,
            "startup": 0.0,
            "gradient_prediction": None if correlation is None else math.pi / math.acos(min(correlation, 1 - 1e-12)),
        }
    late, whole = found[windows.late(spans)], found[ALL]
    if late is not None and whole is not None and late is not whole:
        parts = {part: late[part] for part in ("chance", "uneven", "coasting", "drift")}
        found[ALL] = {**whole, **parts, "startup": whole["measured"] - late["measured"]}
    return found
