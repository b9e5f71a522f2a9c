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

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory, updates, windows
from report.analysis.persistence import Flips, Signs, signs
from report.analysis.windows import ALL, Spans

SEED = 20  # of the coins; fixed, so that a number does not change from one analysis to the next
TWINS = 2048  # at least so many weights are tossed: a narrow layer several times, so that the coins add little noise


def momentum(
    gradients: NDArray[np.float32], beta: float, held: bool = False, before: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return the sum of past gradients with weights 1, β, β², …, whose sign the update has turned round.

    Args:
        gradients: (steps, n) float32.
        beta: the memory.
        held: whether the sum stays as it is in a step whose gradient is exactly zero.
        before: (n,), the sum so far; None: a beginning.

    Returns:
        (steps, n) float32.
    """
    total = np.empty_like(gradients)
    decay = np.where(gradients == 0, np.float32(1), np.float32(beta)) if held else [np.float32(beta)] * len(gradients)
    for step in range(len(gradients)):
        if step == 0 and before is None:
            total[0] = gradients[0]
            continue
        np.multiply(before if step == 0 and before is not None else total[step - 1], decay[step], out=total[step])
        total[step] += gradients[step]
    return total


class Twins:
    """Toss the gradients of a tensor, and count how its twins turn, by window."""

    def __init__(self, spans: Spans, beta: float, weights: int) -> None:
        """Begin with no row, for so many weights."""
        self.beta = beta
        self.tossed, self.held = Flips(spans), Flips(spans)
        self.copies = math.ceil(TWINS / weights)
        self._coins = np.random.default_rng(SEED)
        self._sums: list[NDArray[np.float32] | None] = [None, None]

    def add(self, first: int, sign: Signs, gradients: NDArray[np.float32]) -> None:
        """Take in some rows.

        Args:
            first: number of the first row, from 0.
            sign: (rows, n) int8, of the recorded updates: where one is zero, because the change was too small for
                float32, the twin's counts as zero as well.
            gradients: (rows, n) float32.
        """
        # A multiple of four, as many coins as are drawn at a time: their order does not depend on the chunks.
        size = max(updates.CHUNK // (self.copies * sign.shape[1]) // 4 * 4, 4)
        for start in range(0, len(sign), size):
            self._add(first + start, sign[start : start + size], gradients[start : start + size])

    def _add(self, first: int, sign: Signs, gradients: NDArray[np.float32]) -> None:
        noise = np.tile(gradients, (1, self.copies))  # (rows, n · copies); zero stays zero
        noise *= 2 * self._coins.integers(0, 2, noise.shape, dtype=np.int8) - 1
        moving = np.tile(sign != 0, (1, self.copies))
        for place, (flips, held) in enumerate(((self.tossed, False), (self.held, True))):
            total = momentum(noise, self.beta, held, self._sums[place])
            self._sums[place] = total[-1].copy()
            if held:
                flips.add(first, signs(total), noise != 0)
            else:
                flips.add(first, signs(total) * moving)


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
    measured: Flips,
    twins: Twins | None,
    gradient_autocorrelation: Mapping[str, list[float | None]],
    spans: Spans,
) -> dict[str, dict[str, float | None] | None]:
    """Return, by window, the parts of the mean same-sign run (steps).

    Args:
        measured: the recorded updates' pairs and flips.
        twins: those of the twins; None where no theory describes the optimizer.
        gradient_autocorrelation: by window, lags 1 … 30 of the gradients.
        spans: which rows belong to each window.

    Returns:
        By window None (without theory, or where nothing flips) or: `chance`, of Gaussian noise, the filling of the
        memory in the first steps included; `uneven`; `coasting`; `drift`; `startup`, 0 but in the window "all",
        whose other parts are those of the late window; their sum, `measured`; and as a check from another side
        `gradient_prediction`, π / arccos of the correlation that the gradients' autocorrelation predicts.
    """
    if twins is None:
        return dict.fromkeys(spans)
    runs: dict[str, float] = {}
    found: dict[str, dict[str, float | None] | None] = dict.fromkeys(spans)
    for name, rows in spans.items():
        run, toss, held = (each.mean_run(name) for each in (measured, twins.tossed, twins.held))
        if run is None or toss is None or held is None:
            continue
        runs[name] = run
        chance = 1 / theory.early_flip_rate(twins.beta, rows)
        correlation = predicted_correlation(gradient_autocorrelation[name], twins.beta)
        found[name] = {
            "measured": run,
            "chance": chance,
            "uneven": held - chance,
            "coasting": toss - held,
            "drift": run - toss,
            "startup": 0.0,
            "gradient_prediction": None if correlation is None else math.pi / math.acos(min(correlation, 1 - 1e-12)),
        }
    name = windows.late(spans)
    late, whole = found.get(name), found.get(ALL)
    if late is not None and whole is not None and name != ALL:
        parts = {part: late[part] for part in ("chance", "uneven", "coasting", "drift")}
        found[ALL] = {**whole, **parts, "startup": runs[ALL] - runs[name]}
    return found
