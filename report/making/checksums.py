"""What files hold, by their SHA-256. One that looks untouched since it was read is not read again, as git does it.

A file looks untouched when its size and its times are as they were, and were already past when it was read: what is
written into it in the same moment in which it is read could leave both as they are.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from report import files
from report.products import MISSING, checksum

SETTLED = 2_000_000_000  # nanoseconds: the coarsest clock of a file system (FAT's) ticks so often


class Checksums:
    """Tell what files hold; remember it in a file of its own, whose loss only costs time."""

    def __init__(self, memory: Path) -> None:
        """Read what was remembered in `memory`; files are named relative to its folder, so that all may be moved."""
        self._memory = memory
        self._root = os.path.realpath(memory.parent)
        remembered = files.read_json(memory, default={})
        self._known: dict[str, Any] = {name: entry for name, entry in remembered.items() if _is_entry(entry)}
        self._seen: set[str] = set()  # by this process, which reads none twice unless its size or a time is another
        self._folders: dict[str, str] = {}  # their names, by path: to follow links takes longer than to look at a file
        self._is_changed = False

    def name(self, path: Path) -> str:
        """Return the path relative to the folder of the memory, with slashes: the same wherever that lies."""
        folder, file = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = _relative(os.path.realpath(folder), self._root)
        return f"{self._folders[folder]}/{file}"

    def of(self, path: Path) -> str:
        """Return the SHA-256 of what a file holds, in hexadecimal; of one that is not there, `MISSING`."""
        name = self.name(path)
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            self._is_changed |= self._known.pop(name, None) is not None
            return MISSING
        looks = _looks(found)
        entry = self._known.get(name)
        if entry and entry["looks"] == looks and (name in self._seen or max(looks[1:]) + SETTLED <= entry["read"]):
            return str(entry["sha256"])
        now = time.time_ns()
        total = checksum(path)
        self._remember(name, looks, now, total)
        return total

    def note(self, path: Path, seen: os.stat_result, total: str) -> None:
        """Take it for known in this command what a file holds, without reading it, if it still is what was `seen`."""
        with contextlib.suppress(OSError):
            found = path.stat()
            if files.is_untouched(found, seen):
                self._remember(self.name(path), _looks(found), time.time_ns(), total)

    def _remember(self, name: str, looks: list[int], read: int, total: str) -> None:
        self._known[name] = {"looks": looks, "read": read, "sha256": total}
        self._seen.add(name)
        self._is_changed = True

    def forget(self) -> None:
        """Read every file again when it is asked for, however untouched it looks."""
        self._known = {}

    def keep(self) -> None:
        """Remember for other commands what was read."""
        if self._is_changed:
            files.write_text(self._memory, files.compact_json(self._known))
            self._is_changed = False


def _looks(found: os.stat_result) -> list[int]:
    """Return what tells whether a file has been touched."""
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _is_entry(entry: Any) -> bool:
    """Tell whether an entry is as it was written."""
    return isinstance(entry, dict) and {*entry} == {"looks", "read", "sha256"} and isinstance(entry["read"], int)


def _relative(folder: str, root: str) -> str:
    """Return the path of a folder from another one, with slashes; the whole path of one on another drive."""
    try:
        return Path(os.path.relpath(folder, root)).as_posix()
    except ValueError:
        return Path(folder).as_posix()
