"""Follow an optimizer through its own training run, step by step: what it asked for, and what tossed signs would do.

`report.analysis.replay` sends gradients through other optimizers, many steps at a time. Here the optimizer is the
training run's own, so more of them can be followed: with every setting changing on a schedule, and with weight decay
that is added to the gradients, for which the weights must be known at each step. Weights in a shorter number format
are rounded as that format does.

Sources: Adam, Kingma and Ba, arXiv:1412.6980; decoupled weight decay, Loshchilov and Hutter, arXiv:1711.05101; the
order of operations is that of torch.optim.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory
from report.analysis.persistence import signs
from report.analysis.transplants import TOSSES, coins
from report.analysis.updates import Floats
from report.recording.reader import Recording

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
Round = Callable[[Floats], Floats]

FOLLOWED = ("Adam", "AdamW", "SGD", "RMSprop")
OFF = ("amsgrad", "centered")  # settings that are not followed, unless they are off


@dataclass(frozen=True)
class Course:
    """Hold how an optimizer treats a tensor at each of its rows; each is (rows,) float64.

    Attributes:
        name: class of the optimizer.
        rate: the learning rate.
        momentum: β1 of Adam, or the momentum of SGD and RMSprop.
        decay: of the mean square: β2 of Adam, alpha of RMSprop.
        weight_decay: share of a weight.
        damping: of what SGD adds to its momentum.
        epsilon: added to the root of the mean square.
        is_decoupled: whether weight decay pulls at the weights, not at the gradients.
        is_nesterov: whether today's gradient counts twice.
        is_uphill: whether the optimizer climbs.
    """

    name: str
    rate: Doubles
    momentum: Doubles
    decay: Doubles
    weight_decay: Doubles
    damping: Doubles
    epsilon: float
    is_decoupled: bool
    is_nesterov: bool
    is_uphill: bool


def memory(recording: Recording, name: str) -> Doubles | None:
    """Return β at each recorded step, (steps,): what one update keeps of the direction of the last.

    None where no law describes the optimizer, a number is missing, or a row holds several steps.
    """
    rule, settings = recording.rule(name), recording.settings[recording.tensors[name].group]
    is_odd = recording.description.every > 1 or set(rule.varying) & set(theory.SETTINGS) - {"betas", "momentum"}
    if is_odd or theory.memory(rule.name, rule.settings) is None:
        return None
    beta = _momentum(rule.name, settings, recording.steps).copy()
    if len(beta):  # a group that came later has none before, and its tensors no gradient
        first = int(np.argmax(~np.isnan(beta)))
        beta[:first] = beta[first]
    return beta if bool(((beta >= 0) & (beta < 1)).all()) else None


def course(recording: Recording, name: str) -> Course | None:
    """Return how the optimizer treats a tensor at every recorded step; None of one that is not followed here."""
    rule, settings = recording.rule(name), recording.settings[recording.tensors[name].group]
    steps = recording.steps
    plain = ("eps", "nesterov", "maximize", "decoupled_weight_decay", *OFF)
    if rule.name not in FOLLOWED or recording.description.every > 1 or set(rule.varying) & set(plain):
        return None
    if any(rule.settings.get(each) for each in OFF) or "lr" not in settings:
        return None

    def each(key: str, otherwise: float) -> Doubles:
        return np.nan_to_num(settings[key], nan=otherwise) if key in settings else np.full(steps, otherwise)

    decay = settings["betas"][:, 1] if rule.beta1 is not None else each("alpha", 0.99)
    epsilon = rule.settings.get("eps", 1e-8)
    assert isinstance(epsilon, int | float)
    return Course(
        rule.name,
        *(each("lr", 0.0), _momentum(rule.name, settings, steps), decay),
        *(each("weight_decay", 0.0), each("dampening", 0.0), float(epsilon)),
        rule.name == "AdamW" or bool(rule.settings.get("decoupled_weight_decay")),
        bool(rule.settings.get("nesterov")),
        bool(rule.settings.get("maximize")),
    )


def _momentum(name: str, settings: Mapping[str, Doubles], steps: int) -> Doubles:
    if name in theory.FIRST_MOMENT and "betas" in settings:
        return settings["betas"][:, 0]
    return settings["momentum"] if name in theory.WITH_MOMENTUM and "momentum" in settings else np.zeros(steps)


@dataclass(frozen=True)
class Followed:
    """Hold what came of following an optimizer.

    Attributes:
        asked: (rows, n) bool, where the optimizer asked for a change, of the weights as recorded.
        equal: share of the recorded updates whose sign its arithmetic gives back, rounding included.
        up: (rows, TOSSES, n) bool, where a weight goes up with tossed signs.
        down: likewise.
    """

    asked: Bools
    equal: float
    up: Bools
    down: Bools


def follow(
    recording: Recording, name: str, how: Course, numbers: NDArray[np.int64], history: tuple[Floats, Floats, Floats]
) -> Followed:
    """Follow the optimizer of a tensor over all its rows.

    Args:
        recording: that has it.
        name: of the tensor.
        how: the optimizer's course.
        numbers: (rows,) the step of each row, counted from 1.
        history: (rows, n) each, the weights before each step, the updates and the gradients, from the first row on.
    """
    weights, change, gradients = history
    rows, count = gradients.shape
    tossed = np.stack([coins(recording, name, toss).toss(rows, count) for toss in range(TOSSES)], axis=1)
    fit = fitting(recording.tensors[name].dtype)
    step = _Adam(how, fit) if how.name in ("Adam", "AdamW") else _Plain(how, fit)
    asked = np.empty((rows, count), bool)
    up, down = np.empty((2, rows, TOSSES, count), bool)
    equal = 0
    path = np.repeat(weights[:1], 1 + TOSSES, axis=0)
    signed = np.empty_like(path)
    with np.errstate(all="ignore"):  # as silently as in the optimizer
        for row, number in enumerate(numbers.tolist()):
            path[0] = weights[row]
            signed[0] = gradients[row]
            np.multiply(gradients[row], tossed[row], out=signed[1:])
            moved, wanted = step.take(row, number - 1, signed, path)
            asked[row] = wanted
            np.greater(moved[1:], path[1:], out=up[row])
            np.less(moved[1:], path[1:], out=down[row])
            equal += int(np.count_nonzero(signs(moved[0] - path[0]) == signs(change[row])))
            path = moved
    return Followed(asked, equal / max(rows * count, 1), up, down)


class _Step:
    """Carry along what an optimizer remembers between steps."""

    def __init__(self, how: Course, fit: Round) -> None:
        self.how, self.fit = how, fit
        self._sum: Floats | None = None
        self._square: Floats | None = None

    def take(self, row: int, at: int, gradients: Floats, path: Floats) -> tuple[Floats, Bools]:
        """Take a step.

        Args:
            row: how many steps with a gradient came before.
            at: how many steps came before.
            gradients: (k, n).
            path: (k, n), the weights before the step.

        Returns:
            (k, n), the weights after it, and (n,) bool, where a change of the first row was asked for.
        """
        how, fit = self.how, self.fit
        rate, decay = np.float32(how.rate[at]), np.float32(how.weight_decay[at])
        if how.is_uphill:
            gradients = -gradients
        start = path
        if decay and how.is_decoupled:
            start = fit(path * np.float32(1 - how.rate[at] * how.weight_decay[at]))
        elif decay:
            gradients = fit(gradients + decay * path)
        change = self.change(row, at, gradients, rate)
        wanted = (change[0] != 0) | (start[0] != path[0]) | bool(decay and how.is_decoupled and rate)
        return fit(start + change), wanted

    def change(self, row: int, at: int, gradients: Floats, rate: np.float32) -> Floats:
        """Return what is added to the weights, (k, n)."""
        raise NotImplementedError


class _Adam(_Step):
    """Follow Adam and AdamW."""

    def change(self, row: int, at: int, gradients: Floats, rate: np.float32) -> Floats:
        """Return what is added to the weights, (k, n)."""
        how, fit = self.how, self.fit
        first, second = float(how.momentum[at]), float(how.decay[at])
        if self._sum is None or self._square is None:
            self._sum, self._square = np.zeros_like(gradients), np.zeros_like(gradients[:1])
        apart = gradients - self._sum  # as torch.lerp rounds: from the nearer end
        near = gradients - np.float32(first) * apart if first <= 0.5 else self._sum + np.float32(1 - first) * apart
        self._sum = fit(near)
        # Signs play no part in it, unless weight decay is added to the gradients.
        squared = gradients if how.weight_decay[at] and not how.is_decoupled else gradients[:1]
        self._square = fit(fit(self._square * np.float32(second)) + np.float32(1 - second) * squared * squared)
        root: Floats = fit(np.asarray(np.sqrt(self._square) / np.float32((1 - second ** (row + 1)) ** 0.5), np.float32))
        root = fit(root + np.float32(how.epsilon))
        found: Floats = np.float32(-rate / (1 - first ** (row + 1))) * (self._sum / root)
        return found


class _Plain(_Step):
    """Follow SGD and RMSprop."""

    def change(self, row: int, at: int, gradients: Floats, rate: np.float32) -> Floats:
        """Return what is added to the weights, (k, n)."""
        how, fit = self.how, self.fit
        if how.name == "RMSprop":
            decay = float(how.decay[at])
            square = np.zeros_like(gradients) if self._square is None else self._square
            self._square = fit(fit(square * np.float32(decay)) + np.float32(1 - decay) * gradients * gradients)
            gradients = gradients / fit(np.sqrt(self._square) + np.float32(how.epsilon))
        momentum = np.float32(how.momentum[at])
        if momentum:
            if self._sum is None and how.name == "SGD":
                self._sum = gradients.copy()  # nothing of the first gradient is dampened
            else:
                known = np.zeros_like(gradients) if self._sum is None else self._sum
                self._sum = fit(fit(known * momentum) + np.float32(1 - how.damping[at]) * gradients)
            gradients = gradients + momentum * self._sum if how.is_nesterov else self._sum
        return -rate * gradients


def fitting(dtype: str) -> Round:
    """Return what rounds float32 numbers to a number format, the nearest one, of two equally near the even one."""
    if dtype == "bfloat16":
        return _to_bfloat16
    return _to_float16 if dtype == "float16" else _as_it_is


def _as_it_is(values: Floats) -> Floats:
    return values


def _to_float16(values: Floats) -> Floats:
    return values.astype(np.float16).astype(np.float32)


def _to_bfloat16(values: Floats) -> Floats:
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    found: Floats = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
    return found
