"""Which tensors of a model are recorded, under which names, and which of their entries."""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.errors import ReportError
from report.recording import schema
from report.recording.schema import Tensor

WRAPPERS = ("_orig_mod.", "module.")  # what torch.compile and DDP put before a name


@dataclass
class Parameter:
    """A parameter of the model, with all its names and the kind of module that it belongs to."""

    value: Any  # torch.nn.Parameter
    names: list[str]
    kind: str


def named(model: Any) -> dict[int, Parameter]:
    """Return every parameter of a model by its identity, in the order of the model.

    Args:
        model: a torch.nn.Module, or a mapping of names to parameters.
    """
    found: dict[int, Parameter] = {}
    for name, value, kind in _every(model):
        known = found.setdefault(id(value), Parameter(value, [], kind))
        if name not in known.names:
            known.names.append(name)
    return found


def _every(model: Any) -> Iterator[tuple[str, Any, str]]:
    if isinstance(model, Mapping):
        for name, value in model.items():
            if not hasattr(value, "requires_grad"):
                raise ReportError(f"record: found {type(value).__name__} as {name!r}; wanted: a parameter.")
            yield str(name), value, "Parameter"
        return
    if not hasattr(model, "named_parameters"):
        raise ReportError(
            f"record: found {type(model).__name__} as the model; wanted: a torch.nn.Module, or a mapping of names to "
            "parameters."
        )
    modules = dict(model.named_modules(remove_duplicate=False))
    every = list(model.named_parameters(remove_duplicate=False))
    stripped = [_strip(name) for name, _ in every]
    if len(set(stripped)) < len(stripped):  # a model with a child of its own called "module"
        stripped = [name for name, _ in every]
    for (name, value), short in zip(every, stripped, strict=True):
        owner = modules[name.rpartition(".")[0]]
        yield short, value, type(owner).__name__


def _strip(name: str) -> str:
    """Return a name without what wrappers add to it."""
    name = name.replace("_orig_mod.", "")
    while name.startswith(WRAPPERS):
        name = name.removeprefix("module.").removeprefix("_orig_mod.")
    return name


def check(parameters: Mapping[int, Parameter], whole: Sequence[str]) -> None:
    """Refuse what cannot be recorded.

    Raises:
        ReportError: for sharded parameters, and for a pattern that matches none.
    """
    for each in parameters.values():
        if type(each.value).__name__ in ("DTensor", "FlatParameter") or hasattr(each.value, "full_tensor"):
            raise ReportError(
                f"record: {each.names[0]} is sharded over several processes (FSDP), and no process has it whole. "
                "Record a run of the same model on one device, or under DistributedDataParallel."
            )
    for pattern in whole:
        if not any(matches(each, [pattern]) for each in parameters.values()):
            known = ", ".join(each.names[0] for each in list(parameters.values())[:8])
            more = ", …" if len(parameters) > 8 else ""
            raise ReportError(f"record: whole: no parameter matches {pattern!r}; this model has {known}{more}.")


def matches(parameter: Parameter, patterns: Sequence[str]) -> bool:
    """Tell whether one of the names of a parameter matches one of the patterns (fnmatch)."""
    return any(fnmatch.fnmatchcase(name, pattern) for name in parameter.names for pattern in patterns)


def describe(parameter: Parameter, group: int, whole: Sequence[str], sample: int) -> tuple[Tensor, NDArray[np.int64]]:
    """Return the description of a parameter, and which of its entries are kept, (kept,) int64 flat positions."""
    shape = tuple(int(size) for size in parameter.value.shape)
    matrix = schema.matrix(shape)
    size = matrix[0] * matrix[1]
    is_whole = size <= sample or matches(parameter, whole)
    name = parameter.names[0]
    if is_whole:
        indices = np.arange(size)
    else:
        generator = np.random.default_rng(schema.sample_seed(name, shape))
        indices = np.sort(generator.choice(size, sample, replace=False))
    tensor = Tensor(
        name=name,
        names=tuple(parameter.names),
        kind=parameter.kind,
        shape=shape,
        matrix=matrix,
        kept="whole" if is_whole else "sample",
        count=len(indices),
        dtype=str(parameter.value.dtype).removeprefix("torch."),
        group=group,
    )
    return tensor, indices
