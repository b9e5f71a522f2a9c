"""Gradients that a coin draws, and what momentum makes of them: what the article shows before any recording.

The same toss is made in a reader's browser (site_src/assets/hand/toss.js), so the figure shows what the slider beside
it begins with. Hence the generator: mulberry32 by Tommy Ettinger (2017, public domain), 32 bits of state, one line of
JavaScript.
"""

import functools
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from report.analysis import windows
from report.analysis.columns import Columns, same
from report.analysis.persistence import Flips

Doubles = NDArray[np.float64]

SEED: Final = 5584  # whose shown batches are typical, at any momentum
BATCHES: Final = 100_000  # of the toss: their mean run is within a few per cent of π/arccos β
START: Final = 1000  # batches until momentum is full, even with β = 0.99
SHOWN: Final = 120  # batches after the start
BETAS: Final = (0.0, 0.9)  # no momentum, and what Adam begins with
DECIMALS: Final = 4
_STEP, _WORD = 0x6D2B79F5, 0xFFFFFFFF


def uniform(seed: int, count: int) -> Doubles:
    """Return `count` numbers in [0, 1), (count,), multiples of 2⁻³²: mulberry32."""
    state = (np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_STEP)) & np.uint64(_WORD)
    mixed = _times(state ^ (state >> np.uint64(15)), state | np.uint64(1))
    mixed ^= (mixed + _times(mixed ^ (mixed >> np.uint64(7)), mixed | np.uint64(61))) & np.uint64(_WORD)
    found: Doubles = (mixed ^ (mixed >> np.uint64(14))) / 2.0**32
    return found


def _times(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the product of 32-bit words, modulo 2³²; that modulo 2⁶⁴ has the same lower half."""
    return (left * right) & np.uint64(_WORD)


def gradients(seed: int = SEED, count: int = BATCHES) -> Doubles:
    """Return independent standard normal gradients, (count,): Box and Muller 1958, the cosine first, then the sine."""
    first, second = uniform(seed, count + count % 2).reshape(-1, 2).T
    radius, angle = np.sqrt(-2 * np.log(1 - first)), 2 * np.pi * second
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:count]


def updates(slope: Doubles, beta: float) -> Doubles:
    """Return -m, (n,), where m = β·m + (1 - β)·g begins with 0: the updates at a learning rate of one.

    Args:
        slope: (n,) the gradients g.
        beta: the momentum coefficient.
    """
    found = np.empty_like(slope)
    momentum = 0.0
    for place, gradient in enumerate(slope.tolist()):
        momentum = beta * momentum + (1 - beta) * gradient
        found[place] = -momentum
    return found


@functools.cache
def _toss() -> tuple[Doubles, dict[float, Doubles]]:
    """Return the gradients of the whole toss, and the updates by coefficient: made once, for the table and the runs."""
    slope = gradients()
    return slope, {beta: updates(slope, beta) for beta in BETAS}


def tables() -> Iterator[Columns]:
    """Yield what is shown, one momentum coefficient after the other."""
    (slope, moved), shown = _toss(), slice(START, START + SHOWN)
    for beta in BETAS:
        yield {
            "beta": same(beta, SHOWN),
            "batch": np.arange(START + 1, START + SHOWN + 1),
            "gradient": slope[shown].round(DECIMALS),
            "update": moved[beta][shown].round(DECIMALS),
        }


def mean_runs() -> list[float | None]:
    """Return the mean same-sign run, in batches, of the whole toss after its start, by coefficient as in `BETAS`."""
    found = []
    for beta in BETAS:
        change = _toss()[1][beta][START:, None]
        flips = Flips({windows.ALL: slice(0, len(change))})
        flips.add(0, change > 0, change < 0)
        found.append(flips.mean_run(windows.ALL))
    return found
