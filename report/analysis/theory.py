"""What chance alone predicts: the updates of an optimizer whose gradients are independent noise of mean zero.

Momentum sums past gradients with weights 1, β, β², …, so the updates are an AR(1) series with coefficient β, the
*memory* of the optimizer: β1 of the Adam family, the momentum of SGD and RMSprop, 0 without momentum. What scales
the sum (Adam's second moment) moves slowly and never changes a sign.

Sources: sign changes of a Gaussian AR(1) series, Rice 1945, in Finch, arXiv:1909.02556; Adam, Kingma and Ba,
arXiv:1412.6980. The start-up curves are derived here (`start_up`).
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAGS = 30  # batches
LONGEST = 60  # batches: same-sign runs up to this length are told apart; 3 in 1,000 are longer at β = 0.9
# β up to which numbers are predicted: it remembers 10,000 batches. The integrals of `run_lengths` have 11 digits there,
# and lose them above, where the density of a step is narrower than the distance of the points at which it is taken.
LONGEST_MEMORY = 0.9999
START_UP = 100  # batches of the start-up curve

Doubles = NDArray[np.float64]

# The sign of these optimizers' update is the sign of a sum of past gradients with weights β^k. Left out: NAdam and
# Nesterov momentum (today's gradient counts twice), Rprop (pauses at a sign change), ASGD, Muon, and what is unknown.
FIRST_MOMENT = ("Adam", "AdamW", "Adamax", "RAdam")
WITH_MOMENTUM = ("SGD", "RMSprop")
WITHOUT_MEMORY = ("Adagrad", "Adadelta")
# What of an optimizer's settings the functions below look at.
SETTINGS = ("betas", "momentum", "alpha", "nesterov", "maximize", "amsgrad", "centered")


def memory(name: str, arguments: Mapping[str, Any]) -> float | None:
    """Return β, the memory of an optimizer of torch.optim, or None where an AR(1) law does not describe it.

    Args:
        name: as in torch.optim.
        arguments: its keyword arguments; torch's defaults hold for those that are absent.
    """
    if arguments.get("maximize") or arguments.get("nesterov"):
        return None
    if name in FIRST_MOMENT:
        betas = arguments.get("betas", (0.9, 0.999))
        if len(betas) != 2 or not all(0 <= each < 1 for each in betas):
            return None
        beta = float(betas[0])
    elif name in WITH_MOMENTUM:
        beta = float(arguments.get("momentum", 0))
    else:
        return 0.0 if name in WITHOUT_MEMORY else None
    return beta if 0 <= beta <= LONGEST_MEMORY else None  # torch takes any momentum, and 1 forgets nothing


def flip_rate(beta: float) -> float:
    """Return the chance that an update's sign differs from that of the batch before: arccos(β)/π."""
    return math.acos(beta) / math.pi


def mean_run(beta: float) -> float:
    """Return the mean number of consecutive batches in the same direction: π/arccos(β)."""
    return 1 / flip_rate(beta)


def agreement(beta: float) -> float:
    """Return the share of updates that go down their own batch's gradient: 1/2 + arcsin(√(1 - β²))/π."""
    return 0.5 + math.asin(math.sqrt(1 - beta**2)) / math.pi


def autocorrelation(beta: float) -> Doubles:
    """Return the correlation of updates 1 … `LAGS` batches apart, (LAGS,): β^k."""
    return beta ** np.arange(1.0, LAGS + 1)


def update_rms(beta: float) -> float:
    """Return Adam's root mean square update over its learning rate, long after the start: √((1 - β)/(1 + β))."""
    return math.sqrt((1 - beta) / (1 + beta))


def dwell(beta: float, tail: float, share: float) -> float:
    """Return the mean number of batches that Gaussian noise stays beyond a level, from the first batch of a spell.

    A spell ends with chance 2·T(u, a)/Φ(-u), where u is the level in standard deviations, a = √((1 - β)/(1 + β)) and
    T Owen's function (Owen 1956): P(x > u, x' > u) = Φ(-u) - 2·T(u, a). At u = 0 this is the mean same-sign run.

    Args:
        beta: the memory.
        tail: the share of updates, on both sides together, whose size reaches τ.
        share: q, the level as a share of τ.
    """
    from scipy.special import ndtr, ndtri, owens_t  # here, because most that draws needs it not; scipy.stats is slower

    level = -share * float(ndtri(tail / 2))
    return float(ndtr(-level) / (2 * owens_t(level, math.sqrt((1 - beta) / (1 + beta)))))


def early_flip_rate(beta: float, rows: slice) -> float:
    """Return the mean chance of a sign change over pairs of batches within `rows`, the first batches included.

    A sum of t gradients is correlated with the sum of t + 1 by ρ(t) = β·√(S(t)/S(t + 1)), S(t) = Σ β^(2i) over
    i < t: below β at first, because the memory has to fill.

    Args:
        beta: the memory.
        rows: row t - 1 is batch t; at least two rows.
    """
    total = np.cumsum(beta ** (2.0 * np.arange(rows.stop)))  # S(1), S(2), …
    correlation = beta * np.sqrt(total[:-1] / total[1:])
    return float(np.mean(np.arccos(correlation[rows.start : rows.stop - 1])) / math.pi)


@functools.cache
def _gauss(nodes: int) -> tuple[Doubles, Doubles]:
    """Return points and weights of the Gauss-Legendre sum; on a busy machine they take a second."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    return points, weights


def run_lengths(beta: float, longest: int = LONGEST, nodes: int = 400) -> Doubles:
    """Return P(length = 1 … longest) of same-sign runs of a Gaussian AR(1) series, (longest,).

    There is no closed form for β > 0. The density of the series at the k-th batch of a run is carried forward by
    the transition x' = β·x + √(1 - β²)·z, cut at zero; the mass that is lost in a step is the share of runs that
    end there. The integrals are Gauss-Legendre sums on (0, 9).
    """
    if beta == 0:
        return 0.5 ** np.arange(1.0, longest + 1)
    points, weights = _gauss(nodes)
    x = 4.5 * (points + 1)  # (nodes,)
    weights = 4.5 * weights
    scale = math.sqrt(1 - beta**2)
    normal = math.sqrt(2 * math.pi)

    def step(centre: Doubles) -> Doubles:
        """Return the density of arriving at x from `β·from`, (to, from)."""
        return np.exp(-0.5 * ((x[:, None] - centre[None, :]) / scale) ** 2) / (scale * normal)

    start = np.exp(-0.5 * x**2) / normal
    density = step(-beta * x) @ (weights * start)  # x > 0 now, and below 0 a batch before
    onward = step(beta * x)
    alive = np.empty(longest + 1)  # P(length > k)
    first = weights @ density
    for length in range(longest + 1):
        alive[length] = weights @ density / first
        density = onward @ (weights * density)
    return alive[:-1] - alive[1:]


def start_up(numerator: Doubles, denominator: Doubles) -> tuple[float, float]:
    """Return E|X/√Q| and √E(X²/Q) for X = Σ a·g, Q = Σ b·g² and independent standard normal g.

    With 1/√Q = ∫ s^(-1/2) e^(-sQ) ds / √π and 1/Q = ∫ e^(-sQ) ds over s > 0, the expectation over g is Gaussian:
    e^(-sQ) shrinks the variance of g_k to c_k = 1/(1 + 2·s·b_k) and leaves the factor Π √c_k, so that

        E|X/√Q| = √2/π · ∫ s^(-1/2) · Π √c_k · √(Σ a_k² c_k) ds,    E(X²/Q) = ∫ Π √c_k · Σ a_k² c_k ds.

    Both are exact; the integrals are trapezoid sums in log s, where the integrand falls off exponentially.

    Args:
        numerator: (t,) a, the weights of the gradients in the first moment.
        denominator: (t,) b, the weights of their squares in the second; sum above 0.
    """
    # s scales as 1/Σb. Below, the integrand grows as √s or s; above, it falls at least as s^(-1/2), at one gradient.
    log_s = np.linspace(-46.0, 92.0, 2761) - math.log(denominator.sum())  # (steps,)
    s = np.exp(log_s)
    shrunk = 1 / (1 + 2 * s[:, None] * denominator[None, :])  # (steps, t) c
    product = np.exp(0.5 * np.log(shrunk).sum(axis=1))
    variance = shrunk @ numerator**2
    absolute = np.trapezoid(np.sqrt(s) * product * np.sqrt(variance), log_s)
    square = np.trapezoid(s * product * variance, log_s)
    return math.sqrt(2) / math.pi * float(absolute), math.sqrt(float(square))


def start_up_curve(name: str, arguments: Mapping[str, Any], batches: int = START_UP) -> dict[str, list[float]] | None:
    """Return mean |Δ| and RMS Δ over the learning rate for batches 1 … `batches`, or None for another optimizer.

    Adam: both moments are divided by 1 - β^t. RMSprop: no moment is corrected, which makes its first steps large.
    ε is left out: the curve is that of a weight whose gradient is far above it.
    """
    alpha = arguments.get("alpha", 0.99)
    if memory(name, arguments) is None or arguments.get("amsgrad") or arguments.get("centered"):
        return None
    if not 0 <= alpha < 1:
        return None
    absolute, rms = [], []
    for batch in range(1, batches + 1):
        age = np.arange(batch - 1.0, -1, -1)  # of each gradient, in batches
        if name in ("Adam", "AdamW"):
            beta1, beta2 = arguments.get("betas", (0.9, 0.999))
            a = (1 - beta1) * np.power(beta1, age) / (1 - beta1**batch)
            b = (1 - beta2) * np.power(beta2, age) / (1 - beta2**batch)
        elif name == "RMSprop" and not arguments.get("momentum"):
            a = np.where(age == 0, 1.0, 0.0)
            b = (1 - alpha) * np.power(alpha, age)
        else:
            return None
        both = start_up(a, b)
        absolute.append(both[0])
        rms.append(both[1])
    return {"mean_absolute": absolute, "rms": rms}


@dataclass(frozen=True)
class Theory:
    """Hold everything that chance predicts for one optimizer.

    Attributes:
        memory: β.
        flip_rate: chance of a sign change.
        mean_run: steps.
        agreement: share.
        autocorrelation: (LAGS,).
        run_lengths: (LONGEST,).
        update_rms: over the learning rate, where that is the size of an update (Adam's kind); None elsewhere.
        mean_absolute: over the learning rate, likewise.
        startup: see `start_up_curve`.
    """

    memory: float
    flip_rate: float
    mean_run: float
    agreement: float
    autocorrelation: tuple[float, ...]
    run_lengths: tuple[float, ...]
    update_rms: float | None
    mean_absolute: float | None
    startup: dict[str, list[float]] | None

    def number(self, name: str) -> float | tuple[float, ...] | None:
        """Return one of these, by name: a number, or one a place of a series; of `startup` mean |Δ|."""
        if name == "startup":
            return None if self.startup is None else tuple(self.startup["mean_absolute"])
        found: float | tuple[float, ...] | None = getattr(self, name)
        return found


def describe(name: str, arguments: Mapping[str, Any]) -> Theory | None:
    """Return everything that chance predicts for one optimizer, or None where no AR(1) law describes it."""
    beta = memory(name, arguments)
    if beta is None:
        return None
    is_scaled = name in ("Adam", "AdamW") or (name == "RMSprop" and beta == 0)
    rms = update_rms(beta) if is_scaled else None
    return Theory(
        memory=beta,
        flip_rate=flip_rate(beta),
        mean_run=mean_run(beta),
        agreement=agreement(beta),
        autocorrelation=tuple(autocorrelation(beta).tolist()),
        run_lengths=tuple(run_lengths(beta).tolist()),
        update_rms=rms,
        mean_absolute=None if rms is None else rms * math.sqrt(2 / math.pi),
        startup=start_up_curve(name, arguments),
    )
