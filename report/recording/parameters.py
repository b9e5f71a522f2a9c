"""Which tensors of a model are recorded, under which names, and which of their entries."""

import fnmatch
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.errors import ReportError
from report.recording import schema
from report.recording.schema import Note, Tensor

WRAPPERS = {  # what these put before the names of the module that they wrap is left out
    "DistributedDataParallel": "module",
    "DataParallel": "module",
    "OptimizedModule": "_orig_mod",
}


@dataclass
class Parameter:
    """A parameter of the model, with all its names and the kind of module that it belongs to."""

    value: Any  # torch.nn.Parameter
    names: list[str]
    kind: str

    @property
    def is_recordable(self) -> bool:
        """Tell whether its entries are real numbers, and there are any."""
        return bool(self.value.numel()) and not self.value.is_complex()


def named(model: Any) -> dict[int, Parameter]:
    """Return every parameter of a model by its identity, in the order of the model.

    Args:
        model: a torch.nn.Module, or a mapping of names to parameters.

    Raises:
        ReportError: for what is neither; for parameters that no process has whole, or that have no shape yet.
    """
    found: dict[int, Parameter] = {}
    owner: dict[str, int] = {}
    for name, value, kind in _every(model):
        _check(name, value)
        if owner.setdefault(name, id(value)) != id(value):
            raise ReportError(f"record: two parameters are called {name!r}. Give each a name of its own.")
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
    short = {"": ""}  # of every module's name: without what wrappers add
    modules = dict(model.named_modules(remove_duplicate=False))
    for path, module in modules.items():
        if type(module).__name__ == "FullyShardedDataParallel":
            raise _sharded(path or "the model")
        if path:
            parent, _, child = path.rpartition(".")
            kinds = {each.__name__ for each in type(modules[parent]).__mro__}
            is_wrapped = any(WRAPPERS.get(kind) == child for kind in kinds)
            short[path] = short[parent] if is_wrapped else f"{short[parent]}.{child}".removeprefix(".")
    for name, value in model.named_parameters(remove_duplicate=False):
        path, _, own = name.rpartition(".")
        yield f"{short[path]}.{own}".removeprefix("."), value, type(modules[path]).__name__


def _check(name: str, value: Any) -> None:
    """Refuse a parameter whose entries are elsewhere, or nowhere yet."""
    if type(value).__name__ in ("DTensor", "FlatParameter") or hasattr(value, "full_tensor") or hasattr(value, "ds_id"):
        raise _sharded(name)
    if type(value).__name__ == "UninitializedParameter":
        raise ReportError(f"record: {name} has no shape yet. Run one batch through the model first.")
    if getattr(value, "is_meta", False):
        raise ReportError(f"record: {name} has no values yet (device meta). Load the model onto a device first.")


def _sharded(name: str) -> ReportError:
    return ReportError(
        f"record: {name} is sharded over several processes, and none has it whole. Record a run of the same model on "
        "one device, or under DistributedDataParallel."
    )


def check_patterns(parameters: Mapping[int, Parameter], whole: Sequence[str]) -> None:
    """Refuse a pattern that matches no parameter: it is a mistake.

    Raises:
        ReportError: one line, with the nearest pattern, or some of the names that there are.
    """
    names = [name for each in parameters.values() for name in each.names]
    parts = [name.split(".") for name in names]
    modules = dict.fromkeys(".".join(each[:end]) + ".*" for each in parts for end in range(1, len(each)))
    for pattern in whole:
        if not any(matches(each, [pattern]) for each in parameters.values()):
            meant = f"{pattern}.*"
            hint = (
                f"did you mean {meant}?" if meant in modules else schema.hint(pattern, names, "this model has", modules)
            )
            raise ReportError(f"record: whole: no parameter matches {pattern!r}; {hint}")


def matches(parameter: Parameter, patterns: Sequence[str]) -> bool:
    """Tell whether one of the names of a parameter is, or matches (fnmatch), one of the patterns."""
    return any(
        name == pattern or fnmatch.fnmatchcase(name, pattern) for name in parameter.names for pattern in patterns
    )


def describe(
    parameter: Parameter, group: int, whole: Sequence[str], sample: int, taken: Container[str] = ()
) -> tuple[Tensor, NDArray[np.int64]]:
    """Return the description of a parameter, and which of its entries are kept, (kept,) int64 flat positions.

    Args:
        parameter: of the model.
        group: number of its parameter group.
        whole: patterns of what is kept whole.
        sample: how many entries of another tensor are kept.
        taken: names of tensors that this one replaces, or stands beside, in a model that changed.
    """
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
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name} ({count})"
    tensor = Tensor(
        name=free,
        names=(free, *parameter.names[1:]),
        kind=parameter.kind,
        shape=shape,
        matrix=matrix,
        kept="whole" if is_whole else "sample",
        count=len(indices),
        dtype=str(parameter.value.dtype).removeprefix("torch."),
        group=group,
    )
    return tensor, indices


def unrecorded(
    parameters: Mapping[int, Parameter], recorded: Container[int], whole: Sequence[str], strangers: int
) -> list[Note]:
    """Return notes on the parameters of the model that are not recorded, and on patterns of them alone.

    Args:
        parameters: of the model, by their identity.
        recorded: the identities of those that are recorded.
        whole: the patterns.
        strangers: how many parameters the optimizers hold that the model does not have.
    """
    rest = [each for identity, each in parameters.items() if identity not in recorded]
    odd = [each.names[0] for each in rest if not each.is_recordable]
    free = [each.names[0] for each in rest if each.is_recordable and each.value.requires_grad]
    frozen = [each.names[0] for each in rest if each.is_recordable and not each.value.requires_grad]
    notes = []
    if odd:
        notes.append(Note("left out", f"{_some(odd)}: complex or empty, and not recorded.", tensors=tuple(odd)))
    if free:
        text = (
            f"No optimizer holds {_some(free)}: training does not change what is not given to one. Was the optimizer "
            "made before this part of the model?"
        )
        if strangers:
            count = "one parameter" if strangers == 1 else f"{strangers} parameters"
            text += f" Optimizers hold {count} that this model does not have: was a part of it replaced?"
        notes.append(Note("unheld", text, tensors=tuple(free)))
    if frozen:
        text = f"No optimizer holds {_some(frozen)}: frozen, as requires_grad says."
        notes.append(Note("frozen", text, tensors=tuple(frozen)))
    for pattern in whole:
        if not any(matches(each, [pattern]) for identity, each in parameters.items() if identity in recorded):
            text = f"whole: {pattern!r} matches only parameters that are not recorded."
            notes.append(Note("whole", text))
    return notes


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
