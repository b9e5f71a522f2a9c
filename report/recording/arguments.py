"""What `report.record` was told: checked before anything is written, each mistake one line."""

import contextlib
import json
import operator
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, get_args

from filelock import lock_descriptor, unlock_descriptor

from report import files
from report.errors import ReportError
from report.recording import schema

OURS = re.compile(
    r"(weights|gradients|indices|first|series|before)-\d+\.npy|attached\.npz|(run|progress|timings|checksums)\.json|events\.jsonl"
    r"|\.(run|progress)\.json\.\w+"  # what a kill left of one that was being written
)
ORDER = {"events.jsonl": -1, "run.json": 1}  # in which files go, among all others
REFUSED = "record: cannot write {}: {}. Free space or permissions there, or name another folder."


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
        ReportError: for what is no pattern, or a wrong number.
    """
    patterns = (whole,) if isinstance(whole, str) or not isinstance(whole, Iterable) else tuple(whole)
    for each in patterns:
        if not isinstance(each, str):
            raise ReportError(f'record: whole: found {each!r}; wanted: patterns of names, such as "head.*".')
    return Keep(
        patterns,
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


def path(folder: Any) -> Path:
    """Return a folder's whole path: a loop may go to another folder meanwhile.

    Raises:
        ReportError: for what is no path.
    """
    if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
        raise ReportError(f"record: folder: found {folder!r}; wanted: the path of a folder.")
    return Path(folder).expanduser().absolute()


def description(folder: Path, label: Any, seed: Any, role: Any, about: Any, kept: Keep) -> schema.Description:
    """Return what is known of a recording before its tensors are.

    Raises:
        ReportError: for what `run.json` could not hold.
    """
    if label is not None and not (isinstance(label, str) and label.strip()):
        raise ReportError(f"record: label: found {label!r}; wanted: a text that is not empty.")
    if role not in get_args(schema.Role):
        raise ReportError(f"record: role: found {role!r}; wanted: one of {', '.join(get_args(schema.Role))}.")
    if not isinstance(about, Mapping | None):
        raise ReportError(f"record: about: found {about!r}; wanted: a mapping of names to what JSON has.")
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
    if not several:
        raise ReportError("record: the list of optimizers is empty; wanted: a torch.optim.Optimizer, or several.")
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


def prepare(folder: Path, *, overwrite: Any, is_ours: bool) -> None:
    """Make the folder, with nothing of a recording in it.

    Args:
        folder: that a recording goes to.
        overwrite: whether a recording there may be replaced.
        is_ours: it is this process that writes there, if one does.

    Raises:
        ReportError: when it holds something that is not to be replaced, or cannot be written.
    """
    if not isinstance(overwrite, bool):
        raise ReportError(f"record: overwrite: found {overwrite!r}; wanted: True or False.")
    with files.person_readable(folder, REFUSED):
        if file := next((each for each in (folder, *folder.parents) if each.is_file()), None):
            raise ReportError(f"record: {file} is a file, not a folder. Name another folder.")
        if folder.is_dir() and any(folder.iterdir()):
            is_recording = files.read_json(folder / "run.json", default={}).get("format") == schema.FORMAT
            if not (overwrite and is_recording):
                hint = "overwrite=True replaces it, or name" if is_recording else "it is no recording, so name"
                raise ReportError(f"record: {folder} exists; {hint} another folder.")
            if not is_ours and (folder / "events.jsonl").exists():
                if (held := hold(folder)) is None:
                    raise ReportError(f"record: another process is recording into {folder}. Name another folder.")
                release(held)
            clear(folder)
        folder.mkdir(parents=True, exist_ok=True)


def hold(folder: Path) -> BinaryIO | None:
    """Lock a recording until it is released, or this process ends; return None when another one has it."""
    file = (folder / "events.jsonl").open("r+b")
    with contextlib.suppress(OSError):  # not every disk has locks: then nothing can be told
        # Not on Windows, where nobody could read what is locked.
        if os.name != "nt" and not lock_descriptor(file.fileno(), blocking=False):
            file.close()
            return None
    return file


def release(held: BinaryIO) -> None:
    """Unlock a recording; closing alone would leave it to processes that were forked off this one."""
    with contextlib.suppress(OSError):
        unlock_descriptor(held.fileno())
    held.close()


def clear(folder: Path) -> None:
    """Delete a recording, and nothing else that lies with it.

    First what Windows refuses while another process records, so that all is left; last what tells that it is one, so
    that what is left half-way can still be replaced.
    """
    for each in sorted(folder.iterdir(), key=lambda path: ORDER.get(path.name, 0)):
        if OURS.fullmatch(each.name):
            each.unlink()
