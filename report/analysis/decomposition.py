"""What a mean same-sign run consists of: the sign toss, taken apart, and what the gradients' direction adds to it.

Three runs are compared (`report.analysis.transplants` makes them): the *measured* one; that of the *tossed* gradients,
whose signs a coin draws; and the tossed one *held*, in which momentum waits while a gradient is exactly zero.

- chance: the run of Gaussian noise through the same momentum;
- uneven = held - chance: where one gradient is far larger than its neighbours, momentum follows it for longer;
- coasting = tossed - held: without a gradient, momentum carries a weight on in its direction;
- lean = measured - tossed: what the gradients' direction adds, or takes away.

All in steps; the four add up to the measured run.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

from report.analysis import theory
from report.analysis.persistence import Flips
from report.analysis.windows import Spans

Parts = Callable[[str], tuple[float | None, float | None]]


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
    parts: Parts,
    beta: float | None,
    gradient_autocorrelation: Mapping[str, list[float | None]],
    spans: Spans,
) -> dict[str, dict[str, float | None]]:
    """Return, by window, the parts of the mean same-sign run (steps).

    Args:
        measured: the recorded updates' pairs and flips.
        parts: gives the tossed and the held run in a window; None each where the optimizer is not replayed.
        beta: the optimizer's memory; None where no theory describes it.
        gradient_autocorrelation: by window, lags 1 … 30 of the gradients.
        spans: which rows belong to each window.

    Returns:
        By window `measured`; `chance`, the filling of the memory in the first steps included; `uneven`, `coasting`,
        `lean`; and as a check from another side `gradient_prediction`, π / arccos of the correlation that the
        gradients' autocorrelation predicts. No window in which nothing flips, and none without theory.
    """
    found: dict[str, dict[str, float | None]] = {}
    for name, rows in spans.items():
        run, (toss, held) = measured.mean_run(name), parts(name)
        if beta is None or run is None or toss is None or held is None:
            continue
        chance = 1 / theory.early_flip_rate(beta, rows)
        correlation = predicted_correlation(gradient_autocorrelation[name], beta)
        found[name] = {
            "measured": run,
            "chance": chance,
            "uneven": held - chance,
            "coasting": toss - held,
            "lean": run - toss,
            "gradient_prediction": None if correlation is None else math.pi / math.acos(min(correlation, 1 - 1e-12)),
        }
    return found
