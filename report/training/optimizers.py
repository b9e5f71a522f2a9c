"""The optimizers that a training run can name: every first-order, dense one of torch.optim, by its name."""

import contextlib
import difflib
import inspect
from collections.abc import Iterable
from typing import Any

import torch

from report.config import Optimizer
from report.errors import ConfigError

# LBFGS calls the loss several times a step and SparseAdam wants sparse gradients: neither has "the update of a batch".
# Muon refuses biases.
UNSUITABLE = ("LBFGS", "Muon", "SparseAdam")
NEUTRAL = ("fused", "foreach", "capturable", "differentiable")  # how a step is computed, not what it does


def _eager(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """Return an optimizer that cannot be compiled, and does not load torch's compiler to say so.

    torch wraps the methods of its optimizers to keep the compiler out of them, and loads it for that at their first
    call: seconds in every process, as long as torch itself takes. Below the wrappers are the same computations.
    """
    bare: dict[str, Any] = {name: inspect.unwrap(getattr(kind, name)) for name in ("add_param_group", "zero_grad")}
    return type(kind.__name__, (kind,), bare | {"step": torch.no_grad()(inspect.unwrap(kind.step))})


KINDS: dict[str, type[torch.optim.Optimizer]] = {
    name: _eager(kind)
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
    defaults = inspect.signature(KINDS[optimizer.name]).parameters
    for key, value in optimizer.arguments.items():
        if key not in allowed:
            raise ConfigError(f"{where}.{key}: unknown key; {optimizer.name} allows: {', '.join(allowed)}.")
        default = defaults[key].default
        if isinstance(default, tuple) and (not isinstance(value, list) or len(value) != len(default)):
            raise ConfigError(f"{where}.{key}: found {value!r}; allowed: a list of {len(default)} numbers.")
        if isinstance(value, list) and isinstance(default, int | float):
            raise ConfigError(f"{where}.{key}: found {value!r}; allowed: one value, no list.")
    # A matrix and a vector: some optimizers take only the one kind, and a network has both.
    parameters = [torch.nn.Parameter(torch.zeros(2, 2)), torch.nn.Parameter(torch.zeros(2))]
    made = build(optimizer, parameters, where)
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 0.5)
    try:
        made.step()
        made.step()  # the first of some has no memory to use
    except Exception as error:
        raise _refused(where, optimizer, error) from error
    # What a number in the file means, a step says: one that gives no number gives none for any gradient.
    if not all(parameter.isfinite().all() for parameter in parameters):
        raise ConfigError(f"{where}: with these values the first steps of {optimizer.name} give no finite weights.")


def _refused(where: str, optimizer: Optimizer, error: Exception) -> ConfigError:
    reason = " ".join(str(error).split()).rstrip(".")
    return ConfigError(f"{where}: torch refuses these values for {optimizer.name}: {reason}.")


def _keywords(name: str) -> list[str]:
    """Return the keyword arguments of an optimizer."""
    return list(inspect.signature(KINDS[name]).parameters)[1:]


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
    except Exception as error:  # whatever torch raises for a value that it does not take
        raise _refused(where, optimizer, error) from error
    return made
