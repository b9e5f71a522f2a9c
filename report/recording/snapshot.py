"""Recordings as they are at one moment: what is made of them does not change in its midst while they grow.

A snapshot is a folder that reads as the recording does: what counts and describes the rows is copied, the arrays, whose
rows are only ever added to, are linked.

A hard link does that best: rows that are added come to it, and what takes the place of a file does not; it needs no
privilege, as symbolic links do on Windows. Those are for arrays on another disk, or of another person; where there is
neither, arrays are copied, as far as they have come.
"""

import contextlib
import os
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from report import files

# In this order, which is the reader's: the writer describes before it counts.
COPIED = ("progress.json", "run.json", "events.jsonl")


def take(recordings: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Make a snapshot of each recording below `folder`, each with a name of its own, and remove all others there.

    Returns:
        The recordings, by the folders of their snapshots, in the order in which they were given.

    Raises:
        ReportError: when the operating system refuses.
    """
    taken: dict[Path, Path] = {}
    names: set[str] = set()
    with files.person_readable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for each in recordings:
            name, number = each.resolve().name, 1
            while _folded(name) in names:
                number += 1
                name = f"{each.resolve().name}-{number}"
            _take(each.resolve(), folder / name)
            taken[folder / name] = each
            names.add(_folded(name))
        for left in folder.iterdir():
            if _folded(left.name) not in names:
                shutil.rmtree(left, ignore_errors=True)  # Windows keeps what somebody still reads
    return taken


def signature(recordings: Mapping[Path, Path]) -> list[Any]:
    """Return what tells whether arrays have changed, without reading them: name, size and time of each.

    Args:
        recordings: by the folders of their snapshots.
    """
    return [
        [place.name, [[path.name, (state := path.stat()).st_size, state.st_mtime_ns] for path in _arrays(place)]]
        for place in recordings
    ]


def _take(recording: Path, place: Path) -> None:
    place.mkdir(exist_ok=True)
    for name in COPIED:
        if (recording / name).is_file():
            files.write_bytes(place / name, files.patiently((recording / name).read_bytes))
    wanted = {path.name for path in recording.iterdir() if path.is_file() and not path.name.startswith(".")}
    for path in place.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name in wanted.difference(COPIED):
        _link((recording / name).resolve(), place / name)


def _link(array: Path, place: Path) -> None:
    """Let `place` be the file `array`, unless it is."""
    found = array.stat()
    with contextlib.suppress(FileNotFoundError):
        there = place.stat()
        is_link = bool(found.st_ino) and os.path.samestat(there, found)
        if is_link or (there.st_size, there.st_mtime_ns) == (found.st_size, found.st_mtime_ns):
            return
    place.unlink(missing_ok=True)
    for link in (os.link, os.symlink):
        with contextlib.suppress(OSError, NotImplementedError):
            link(array, place)
            return
    shutil.copyfile(array, place)
    # The time from before: rows that came meanwhile, or a kill, leave a copy that is made again.
    os.utime(place, ns=(found.st_atime_ns, found.st_mtime_ns))


def _folded(name: str) -> str:
    """Return a name as disks see it that tell neither case nor composed letters apart: those of Windows and macOS."""
    return unicodedata.normalize("NFC", name).casefold()


def _arrays(place: Path) -> list[Path]:
    """Return what a snapshot has of the arrays."""
    return [path for path in sorted(place.iterdir()) if path.name not in COPIED]
