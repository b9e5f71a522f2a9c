"""How files are written: whole or not at all, and not at all when they already hold the same bytes.

Later stages, the browser's cache and a person's diff then see only what changed. Not written here are a recording's
arrays and events, which grow and are counted last (`recording/`), and what becomes whole by being renamed or moved: a
run's folder that comes from a cluster (`training/jobs.py`), the site (`site/mkdocs.py`), its ZIP (`site/offline.py`).
"""

import contextlib
import filecmp
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from report.errors import ReportError, command

Result = TypeVar("Result")

ATTEMPTS = 15  # at what Windows refuses at this moment
WAIT = 0.2  # seconds between two of them
REFUSED = "Cannot write {}: {}. Free space or permissions there, or choose another folder with --build."


@contextlib.contextmanager
def person_readable(path: Path, line: str = REFUSED) -> Iterator[None]:
    """Turn an operating system's refusal to write at `path` into one line: `line` with its places for where and why.

    Raises:
        ReportError: for a full disk, a folder without permission, a file where a folder is wanted.
    """
    try:
        yield
    except (OSError, ReportError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(cause, OSError):
            raise
        raise ReportError(line.format(cause.filename or path, cause.strerror or cause)) from cause


def patiently(work: Callable[[], Result]) -> Result:
    """Do what Windows refuses while another program has the file open, or looks at what is new: try again for a while.

    Raises:
        PermissionError: elsewhere at once, and there in the end.
    """
    for _ in range(ATTEMPTS if os.name == "nt" else 0):
        with contextlib.suppress(PermissionError):
            return work()
        time.sleep(WAIT)
    return work()


@contextlib.contextmanager
def _whole(path: Path, mode: str, **options: Any) -> Iterator[Any]:
    """Give a file that takes the place of `path` at the end of the context, unless that ends with an error."""
    with person_readable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, mode, **options) as file:
                yield file
            if not (path.is_file() and filecmp.cmp(temporary, path, shallow=False)):
                os.chmod(temporary, 0o644)
                patiently(lambda: os.replace(temporary, path))
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def write_bytes(path: Path, data: bytes) -> bool:
    """Write `data` to `path` whole or not at all; return whether the file changed.

    Raises:
        ReportError: when the operating system refuses.
    """
    with person_readable(path), contextlib.suppress(FileNotFoundError):
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return False
    with _whole(path, "wb") as file:
        file.write(data)
    return True


def write_sealed(path: Path, content: bytes) -> None:
    """Write `content` behind its own checksum.

    Raises:
        ReportError: when the operating system refuses.
    """
    write_bytes(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def read_sealed(path: Path) -> bytes | None:
    """Return what `write_sealed` wrote; None where there is nothing, or something else."""
    with contextlib.suppress(OSError):
        said, _, content = path.read_bytes().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() == said:
            return content
    return None


def below(folder: Path, is_wanted: Callable[[str], bool] = lambda name: True) -> list[Path]:
    """Return every file below a folder, sorted by their paths; none where there is no folder.

    Args:
        folder: whose folders are looked through, too, but for links to folders.
        is_wanted: tells by its name whether a file, or a folder with all that is in it, counts.
    """
    try:
        with os.scandir(folder) as entries:
            listed = sorted((each for each in entries if is_wanted(each.name)), key=lambda each: each.name)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
    found: list[Path] = []
    for each in listed:
        path = folder / each.name
        if each.is_dir(follow_symlinks=False):
            found += below(path, is_wanted)
        elif each.is_file(follow_symlinks=False) or path.is_file():
            found.append(path)
    return found


def is_untouched(found: os.stat_result, seen: os.stat_result) -> bool:
    """Tell whether a file is the one that was seen, whatever its name, and nothing was written into it since."""
    return all(getattr(found, name) == getattr(seen, name) for name in ("st_ino", "st_dev", "st_size", "st_mtime_ns"))


def write_text(path: Path, text: str) -> bool:
    r"""Write `text` as UTF-8 with `\n` line ends; return whether the file changed."""
    return write_bytes(path, text.encode("utf-8"))


@contextlib.contextmanager
def growing(path: Path) -> Iterator[Callable[[str], object]]:
    """Give a function that writes text part by part, so that it is never in memory as a whole.

    The file is there, or is replaced, at the end of the context; not at all when that ends with an error.

    Raises:
        ReportError: when the operating system refuses.
    """
    with _whole(path, "w", encoding="utf-8", newline="") as file:
        yield file.write


def write_json(path: Path, value: Any) -> bool:
    """Write `value` with sorted keys; refuse NaN and infinity, which JSON does not have.

    Raises:
        ValueError: for NaN or infinity.
    """
    return write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def compact_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys, on one line: for programs, and many times as quick to write.

    Raises:
        ValueError: for NaN or infinity.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def read_json(path: Path, *keys: str, default: dict[str, Any] | None = None) -> Any:
    """Read a JSON file that an earlier stage wrote: an object.

    Args:
        path: of the file.
        keys: that it must have.
        default: what stands for a file that is missing or damaged, where that is no harm.

    Raises:
        ReportError: when it is missing or damaged, and there is no default.
    """
    try:
        content = json.loads(patiently(lambda: path.read_text(encoding="utf-8")))
        if not isinstance(content, dict) or not content.keys() >= set(keys):
            raise ValueError("not what was written there")
    except FileNotFoundError:
        if default is not None:
            return default
        raise ReportError(f'There is no {path}. Run "{command()}" first.') from None
    except ValueError as error:
        if default is not None:
            return default
        raise ReportError(f'{path} is damaged ({error}). Delete it and run "{command()}" again.') from error
    return content
