"""Replay an optimizer's arithmetic on recorded gradients: what it would have done to them, step by step.

Two counterfactuals are made with it (`report.analysis.transplants`). A *sign toss* gives the gradients signs that a
coin draws: their sizes, their zeros and the optimizer stay; their direction, where learning would be, is gone. A
*transplant* sends the gradients of one training run through the optimizer of another.

Sources: Adam, Kingma and Ba, arXiv:1412.6980; decoupled weight decay, Loshchilov and Hutter, arXiv:1711.05101; RMSprop,
Hinton, Coursera lecture 6e; the order of operations is that of torch.optim.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory
from report.recording.reader import Recording

Array = NDArray[np.floating]

# Settings that are not replayed, unless they are off.
UNKNOWN = ("nesterov", "amsgrad", "maximize", "centered", "dampening")


@dataclass(frozen=True)
class Arithmetic:
    """Hold what turns gradients into updates: a running sum of them over a running size of them.

    Attributes:
        momentum: β, the decay of the sum.
        averaged: whether the sum is a mean, (1 - β) g + β m; it and the mean square are corrected for their start then.
            Else it is g + β m, and nothing is corrected.
        decay: of the mean square that the sum is divided by; None where it is divided by nothing.
        epsilon: added to its root.
        weight_decay: the share of a weight, in learning rates, that it loses in each step.
        rates: the learning rate of each step, (steps,).
    """

    momentum: float
    averaged: bool
    decay: float | None
    epsilon: float
    weight_decay: float
    rates: tuple[float, ...]

    @property
    def size(self) -> tuple[float | None, bool, float]:
        """Return what decides the divisor: optimizers with the same share it."""
        return self.decay, self.averaged, self.epsilon


def by_tensor(recording: Recording, steps: int) -> dict[str, Arithmetic]:
    """Return the arithmetic by which each tensor was updated in the first `steps` steps; those that are replayed.

    Tensors of another number format than float32 are not: they round at other places.
    """
    exact = {name: tensor for name, tensor in recording.tensors.items() if tensor.dtype == "float32"}
    one = {tensor.group: name for name, tensor in exact.items()}
    known = {group: arithmetic(recording, name, steps) for group, name in one.items()}
    return {name: how for name, tensor in exact.items() if (how := known[tensor.group]) is not None}


def arithmetic(recording: Recording, name: str, steps: int) -> Arithmetic | None:
    """Return the arithmetic by which tensor `name` was updated, for its first `steps` steps.

    None where it is not one of those that are replayed here, or a setting other than the learning rate changes.
    """
    rule, group = recording.rule(name), recording.tensors[name].group
    settings = rule.settings
    if recording.description.every > 1 or set(rule.varying) - {"lr"} or any(settings.get(each) for each in UNKNOWN):
        return None
    if theory.memory(rule.name, settings) is None or "lr" not in recording.settings[group]:
        return None
    found = recording.settings[group]["lr"][:steps]
    found = np.where(np.logical_and.accumulate(np.isnan(found)), 0, found)  # no step yet: the group came later
    if not np.isfinite(found).all():
        return None
    rates = tuple(found.tolist())
    decay, epsilon = rule.weight_decay, settings.get("eps", 0.0)
    assert isinstance(epsilon, int | float)
    betas = settings.get("betas")
    if rule.name == "AdamW" or (rule.name == "Adam" and (not decay or settings.get("decoupled_weight_decay"))):
        assert isinstance(betas, tuple)
        return Arithmetic(betas[0], True, betas[1], epsilon, decay, rates)
    if decay:
        return None  # it is added to the gradients, which then depend on the path
    if rule.name == "RMSprop" and not rule.momentum:
        alpha = settings["alpha"]
        assert isinstance(alpha, int | float)
        return Arithmetic(0.0, False, alpha, epsilon, 0.0, rates)
    return Arithmetic(rule.momentum, False, None, 0.0, 0.0, rates) if rule.name == "SGD" else None


class Sum:
    """Carry Σ β^k · g(t - k) along: what momentum makes of gradients."""

    def __init__(self, decay: float, held: bool = False, averaged: bool = False) -> None:
        """Begin with nothing.

        Args:
            decay: β.
            held: whether the sum waits where a gradient is exactly zero.
            averaged: whether it is a mean, the sum times 1 - β, rounded as torch.lerp rounds.
        """
        self.decay, self.held, self.averaged = decay, held, averaged
        self._last: Array | None = None

    @classmethod
    def of(cls, how: Arithmetic) -> "Sum":
        """Begin with what an optimizer sums."""
        return cls(how.momentum, averaged=how.averaged)

    def add(self, gradients: Array) -> Array:
        """Take in (rows, …) gradients; return the sum after each of these rows, of their shape and type."""
        if self.decay == 0 and not self.held:
            return gradients
        kind = gradients.dtype.type
        found = np.empty_like(gradients)
        decay = np.where(gradients == 0, kind(1), kind(self.decay)) if self.held else None
        last = np.zeros_like(gradients[0]) if self._last is None else self._last
        rest = kind(1 - self.decay)
        for step, (row, here) in enumerate(zip(gradients, found, strict=True)):
            if not self.averaged:
                np.multiply(last, kind(self.decay) if decay is None else decay[step], out=here)
                here += row
            else:
                np.subtract(row, last, out=here)
                if self.decay > 0.5:
                    here *= rest
                    here += last
                else:
                    here *= kind(self.decay)
                    np.subtract(row, here, out=here)
            last = here
        self._last = last.copy()
        return found


class Divisor:
    """Carry √v + ε along, by which Adam and RMSprop divide. The signs of the gradients play no part in it."""

    def __init__(self, how: Arithmetic) -> None:
        """Begin with nothing; `how` divides."""
        assert how.decay is not None
        self.how, self.decay = how, how.decay
        self._sum = Sum(self.decay)

    def add(self, first: int, gradients: Array) -> Array:
        """Take in (rows, n) gradients, of which the first is row `first` of all; return the divisor of each."""
        kind = gradients.dtype.type
        found = self._sum.add(gradients * gradients) * kind(1 - self.decay)
        np.sqrt(found, out=found)
        if self.how.averaged:
            found /= np.sqrt(_correction(self.decay, first, len(found))).astype(found.dtype)[:, None]
        found += kind(self.how.epsilon)
        return found


class Walk:
    """Carry weights along that an optimizer moves, in the precision of the gradients.

    An update below half the distance to the next number does not move a weight.
    """

    def __init__(self, how: Arithmetic, initial: Array) -> None:
        """Begin with the weights before the first step, (…)."""
        self.how = how
        self._rates = np.array(how.rates)
        self._last = initial

    def add(self, first: int, numbers: NDArray[np.int64], sums: Array, divisor: Array | None) -> tuple[Array, Array]:
        """Take some steps.

        Args:
            first: number of the first row, from 0.
            numbers: (rows,), the step of each row, counted from 1.
            sums: (rows, …) of `Sum`.
            divisor: of `Divisor`, of a shape that broadcasts; None where nothing is divided.

        Returns:
            (rows, …), the updates that the optimizer asked for, and (rows + 1, …), the weights before and after.
        """
        how, rows = self.how, len(sums)
        rates = self._rates[numbers - 1]
        scale = -rates
        if how.averaged:
            scale = scale / _correction(how.momentum, first, rows)
        asked = sums * scale.astype(sums.dtype).reshape(-1, *[1] * (sums.ndim - 1))
        if divisor is not None:
            asked /= divisor
        path = np.empty((rows + 1, *sums.shape[1:]), sums.dtype)
        path[0] = self._last
        for rate, before, change, after in zip(rates, path, asked, path[1:], strict=False):
            if how.weight_decay:
                np.add(before * sums.dtype.type(1 - rate * how.weight_decay), change, out=after)
            else:
                np.add(before, change, out=after)
        self._last = path[-1].copy()
        return asked, path


class Replay:
    """Send gradients through one optimizer, from its sum to its weights."""

    def __init__(self, how: Arithmetic, initial: Array) -> None:
        """Begin with the weights before the first step, (n,)."""
        self._sum, self._divisor = Sum.of(how), None if how.decay is None else Divisor(how)
        self._walk = Walk(how, initial)

    def add(self, first: int, numbers: NDArray[np.int64], gradients: Array) -> Array:
        """Take in (rows, n) gradients; return the weights before and after, (rows + 1, n). Arguments as of `Walk`."""
        divisor = None if self._divisor is None else self._divisor.add(first, gradients)
        return self._walk.add(first, numbers, self._sum.add(gradients), divisor)[1]


class Coins:
    """Draw a sign for every entry of every row; which one does not depend on how many rows are drawn at a time."""

    def __init__(self, *seed: int) -> None:
        """Begin a series that is the same for the same seed."""
        self._bits = np.random.PCG64(np.random.SeedSequence(seed))

    def toss(self, rows: int, count: int) -> NDArray[np.int8]:
        """Return -1 or 1, (rows, count) int8."""
        words = -(-count // 64)
        # Little-endian everywhere, so that every machine draws the same.
        drawn = self._bits.random_raw(rows * words).astype("<u8").view(np.uint8).reshape(rows, words * 8)
        signs = np.unpackbits(drawn, axis=1, count=count).view(np.int8)
        signs *= 2
        signs -= 1
        return signs


def _correction(decay: float, first: int, rows: int) -> NDArray[np.float64]:
    """Return 1 - decay^t for the steps t = first + 1 … first + rows."""
    return 1 - decay ** np.arange(first + 1.0, first + rows + 1)
