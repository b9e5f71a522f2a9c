"""What `report.record` was told: checked before anything is written, each mistake one line."""

import json
import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from report import files
from report.errors import ReportError
from report.recording import schema

OURS = re.compile(
    r"(weights|gradients|indices|first|series)-\d+\.npy|attached\.npz|(run|progress|timings)\.json|events\.jsonl"
    r"|\.(run|progress)\.json\.\w+"  # what a kill left of one that was being written
)


@dataclass(frozen=True)
class Keep:
    """Say how much is kept; the words are those of `report.record`."""

    whole: tuple[str, ...]
    sample: int
    first: int
    every: int
    steps: int | None


def keep(whole: str | Iterable[str], sample: Any, first: Any, every: Any, steps: Any) -> Keep:
    """Return how much is to be kept.

    Raises:
        ReportError: for a wrong number.
    """
    return Keep(
        (whole,) if isinstance(whole, str) else tuple(whole),
        _number("sample", sample, 1),
        _number("first", first, 0),
        _number("every", every, 1),
        None if steps is None else _number("steps", steps, 1),
    )


def _number(name: str, found: Any, least: int | None) -> int:
    try:
        number = operator.index(found)
        if isinstance(found, bool) or (least is not None and number < least):
            raise TypeError
    except TypeError:
        wanted = "a whole number" if least is None else f"a whole number from {least} on"
        raise ReportError(f"record: {name}: found {found!r}; wanted: {wanted}.") from None
    return number


def description(folder: Path, label: Any, seed: Any, role: Any, about: Any, kept: Keep) -> schema.Description:
    """Return what is known of a recording before its tensors are.

    Raises:
        ReportError: for what `run.json` could not hold.
    """
    if not isinstance(label, str | None):
        raise ReportError(f"record: label: found {label!r}; wanted: a text.")
    if role not in get_args(schema.Role):
        raise ReportError(f"record: role: found {role!r}; wanted: one of {', '.join(get_args(schema.Role))}.")
    try:
        content = json.loads(json.dumps(dict(about or {}), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ReportError(
            f"record: about: {error}; wanted: what JSON has, that is texts, finite numbers, lists and mappings."
        ) from error
    return schema.Description(
        label=folder.resolve().name if label is None else label,
        seed=None if seed is None else _number("seed", seed, None),
        role=role,
        every=kept.every,
        first=kept.first,
        about=content,
    )


def optimizers(given: Any) -> list[Any]:
    """Return the optimizers that were given, each once: those of their wrappers' parts whose steps call hooks.

    Args:
        given: one, or several.

    Raises:
        ReportError: for something else, and for what steps several times a step.
    """
    if isinstance(given, Mapping):
        given = list(given.values())
    several = list(given) if isinstance(given, Iterable) and not hasattr(given, "step") else [given]
    found = {id(each): each for each in map(_hooked, several)}
    for each in found.values():
        if any(kind.__name__ == "LBFGS" for kind in type(each).__mro__):
            raise ReportError("record: LBFGS changes the weights several times a step; record a first-order optimizer.")
    return list(found.values())


def _hooked(optimizer: Any) -> Any:
    """Return the outermost optimizer whose `step` calls hooks; Accelerate and others hold it in one that calls none."""
    outer = optimizer
    for _ in range(8):
        own = getattr(optimizer, "__dict__", {})  # not what it hands on from the one within
        if "_optimizer_step_post_hooks" in own:  # as Optimizer's constructor makes them
            return optimizer
        parts = [getattr(optimizer, "optimizer", None), *own.values()]
        optimizer = next((each for each in parts if hasattr(each, "param_groups") and hasattr(each, "step")), None)
    raise ReportError(f"record: found {type(outer).__name__} as an optimizer; wanted: a torch.optim.Optimizer.")


@contextmanager
def one_line(folder: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write into one line that says what to do."""
    try:
        yield
    except (OSError, ReportError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(cause, OSError):
            raise
        raise ReportError(
            f"record: cannot write {cause.filename or folder}: {cause.strerror or cause}. Free space or permissions "
            "there, or name another folder."
        ) from cause


def prepare(folder: Path, *, overwrite: bool) -> None:
    """Make the folder, with nothing of a recording in it.

    Raises:
        ReportError: when it holds something that is not to be replaced, or cannot be written.
    """
    with one_line(folder):
        if folder.is_dir() and any(folder.iterdir()):
            is_recording = files.read_json(folder / "run.json", default={}).get("format") == schema.FORMAT
            if not (overwrite and is_recording):
                hint = "overwrite=True replaces it" if is_recording else "it is no recording, and is left alone"
                raise ReportError(f"record: {folder} exists; {hint}. Name another folder.")
            clear(folder)
        folder.mkdir(parents=True, exist_ok=True)


def clear(folder: Path) -> None:
    """Delete a recording, and nothing else that lies with it."""
    for each in folder.iterdir():
        if OURS.fullmatch(each.name):
            each.unlink()
