"""The optimizers that a training run can name: every first-order, dense one of torch.optim, by its name.

Names and keywords are read from torch's source text, so that checking a configuration does not cost the
second and a half that importing torch takes.
"""

import ast
import contextlib
import difflib
import functools
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.config import Optimizer
from report.errors import ConfigError

if TYPE_CHECKING:
    import torch

# LBFGS calls the loss several times a step and SparseAdam wants sparse gradients: neither has "the update of a batch".
# Muon refuses biases.
UNSUITABLE = ("LBFGS", "Muon", "SparseAdam")


@functools.cache
def keywords() -> dict[str, tuple[str, ...]]:
    """Return the keyword arguments of each optimizer of the installed torch, without importing it."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        raise ConfigError('torch is not installed. Run "make report", which installs it.')
    found = {}
    for path in sorted((Path(spec.origin).parent / "optim").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            bases = (
                [base.id for base in node.bases if isinstance(base, ast.Name)] if isinstance(node, ast.ClassDef) else []
            )
            if isinstance(node, ast.ClassDef) and {"Optimizer", "Adam"} & set(bases) and node.name not in UNSUITABLE:
                for function in node.body:
                    if isinstance(function, ast.FunctionDef) and function.name == "__init__":
                        names = [each.arg for each in (*function.args.args[2:], *function.args.kwonlyargs)]
                        found[node.name] = tuple(names)
    return found


def check(where: str, optimizer: Optimizer) -> None:
    """Make sure that torch has an optimizer of that name which takes these keyword arguments.

    Args:
        where: the file and table to name in the message, such as `experiment.toml: optimizer`.
        optimizer: what the table says.

    Raises:
        ConfigError: one line: what was found and what is allowed.
    """
    known = keywords()
    if optimizer.name not in known:
        near = difflib.get_close_matches(optimizer.name, known, n=1, cutoff=0.4)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise ConfigError(f"{where}.name: found {optimizer.name!r}; allowed: {', '.join(sorted(known))}.{hint}")
    for key, value in optimizer.arguments.items():
        if key not in known[optimizer.name] or key in ("params", "fused", "foreach", "capturable", "differentiable"):
            allowed = [
                name
                for name in known[optimizer.name]
                if name not in ("fused", "foreach", "capturable", "differentiable")
            ]
            raise ConfigError(f"{where}.{key}: unknown key; {optimizer.name} allows: {', '.join(allowed)}.")
        _check_value(f"{where}.{key}", key, value)


def _check_value(where: str, key: str, value: Any) -> None:
    """Refuse values whose kind is wrong; torch itself judges the rest when the optimizer is made."""
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int | float) for item in items):
        raise ConfigError(f"{where}: found {value!r}; allowed: a number, true or false, or a list of numbers.")
    if key == "lr" and (isinstance(value, bool | list) or not value > 0):
        raise ConfigError(f"{where}: found {value!r}; allowed: a number above 0.")
    if key == "betas":
        if len(items) < 2 or not all(not isinstance(item, bool) and 0 <= item < 1 for item in items):
            raise ConfigError(f"{where}: found {value!r}; allowed: two numbers from 0 to below 1.")
    elif key != "lr" and not isinstance(value, bool) and any(not abs(float(item)) < float("inf") for item in items):
        raise ConfigError(f"{where}: found {value!r}; allowed: a finite number.")


def build(
    optimizer: Optimizer, parameters: "Iterable[torch.nn.Parameter]", where: str = "optimizer"
) -> "torch.optim.Optimizer":
    """Make the optimizer, fused where torch has a fused form: three to four times as fast for a small network.

    Args:
        optimizer: names the class and its keyword arguments.
        parameters: of the network.
        where: the file and table to name in the message.

    Raises:
        ConfigError: when torch refuses a value, with torch's reason.
    """
    import torch

    kind = getattr(torch.optim, optimizer.name)
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in optimizer.arguments.items()}
    every = list(parameters)
    made: torch.optim.Optimizer
    try:
        if "fused" in keywords()[optimizer.name]:
            # Not every optimizer has the fused form on every device; which do, only torch knows.
            with contextlib.suppress(RuntimeError):
                made = kind(every, **arguments, fused=True)
                return made
        made = kind(every, **arguments)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ConfigError(f"{where}: torch refuses these values for {optimizer.name}: {reason}.") from error
    return made
