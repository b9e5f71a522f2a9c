"""The optimizers that a training run can name: every first-order, dense one of torch.optim, by its name."""

import contextlib
import difflib
import inspect
import math
from collections.abc import Iterable
from typing import Any

import torch

from report.config import Optimizer
from report.errors import ConfigError

# LBFGS calls the loss several times a step and SparseAdam wants sparse gradients: neither has "the update of a batch".
# Muon refuses biases.
UNSUITABLE = ("LBFGS", "Muon", "SparseAdam")
NEUTRAL = ("fused", "foreach", "capturable", "differentiable")  # how a step is computed, not what it does
KINDS: dict[str, type[torch.optim.Optimizer]] = {
    name: kind
    for name, kind in sorted(vars(torch.optim).items())
    if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and name not in ("Optimizer", *UNSUITABLE)
}


def check(where: str, optimizer: Optimizer) -> None:
    """Make sure that torch has an optimizer of that name which takes these keyword arguments.

    Args:
        where: the file and table to name in the message, such as `experiment.toml: optimizer`.
        optimizer: what the table says.

    Raises:
        ConfigError: one line: what was found and what is allowed.
    """
    if optimizer.name not in KINDS:
        near = difflib.get_close_matches(optimizer.name, KINDS, n=1, cutoff=0.4)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise ConfigError(f"{where}.name: found {optimizer.name!r}; allowed: {', '.join(KINDS)}.{hint}")
    allowed = [name for name in _keywords(optimizer.name) if name not in NEUTRAL]
    for key, value in optimizer.arguments.items():
        if key not in allowed:
            raise ConfigError(f"{where}.{key}: unknown key; {optimizer.name} allows: {', '.join(allowed)}.")
        _check_value(f"{where}.{key}", key, value)
    # A matrix and a vector: some optimizers take only the one kind, and a network has both.
    build(optimizer, [torch.nn.Parameter(torch.zeros(2, 2)), torch.nn.Parameter(torch.zeros(2))], where)


def _keywords(name: str) -> list[str]:
    """Return the keyword arguments of an optimizer."""
    return list(inspect.signature(KINDS[name]).parameters)[1:]


def _check_value(where: str, key: str, value: Any) -> None:
    """Refuse values whose kind is wrong; torch itself judges the rest when the optimizer is made."""
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int | float) for item in items):
        raise ConfigError(f"{where}: found {value!r}; allowed: a number, true or false, or a list of numbers.")
    if key == "lr" and (isinstance(value, bool | list) or not 0 < value < math.inf):
        raise ConfigError(f"{where}: found {value!r}; allowed: a finite number above 0.")
    if key == "betas":
        if len(items) < 2 or not all(not isinstance(item, bool) and 0 <= item < 1 for item in items):
            raise ConfigError(f"{where}: found {value!r}; allowed: two numbers from 0 to below 1.")
    elif key != "lr" and not isinstance(value, bool) and any(not math.isfinite(item) for item in items):
        raise ConfigError(f"{where}: found {value!r}; allowed: a finite number.")


def build(
    optimizer: Optimizer, parameters: Iterable[torch.nn.Parameter], where: str = "optimizer"
) -> torch.optim.Optimizer:
    """Make the optimizer, fused where torch has a fused form: three to four times as fast for a small network.

    Args:
        optimizer: names the class and its keyword arguments.
        parameters: of the network.
        where: the file and table to name in the message.

    Raises:
        ConfigError: when torch refuses a value, with torch's reason.
    """
    kind: Any = KINDS[optimizer.name]
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in optimizer.arguments.items()}
    every = list(parameters)
    made: torch.optim.Optimizer
    try:
        if "fused" in _keywords(optimizer.name):
            # Not every optimizer has the fused form on every device; which do, only torch knows.
            with contextlib.suppress(RuntimeError):
                made = kind(every, **arguments, fused=True)
                return made
        made = kind(every, **arguments)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ConfigError(f"{where}: torch refuses these values for {optimizer.name}: {reason}.") from error
    return made
