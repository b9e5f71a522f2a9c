"""Recordings as they are at one moment: what is made of them does not change in its midst while they grow.

A snapshot is a folder that reads as the recording does: what counts and describes the rows is copied, the arrays, whose
rows are only ever added to, are linked.
"""

import os
import shutil
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
    with files.person_readable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for each in recordings:
            name, number = each.resolve().name, 1
            while folder / name in taken:
                number += 1
                name = f"{each.resolve().name}-{number}"
            _take(each.resolve(), folder / name)
            taken[folder / name] = each
        for left in folder.iterdir():
            if left not in taken:
                shutil.rmtree(left)
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
            files.write_bytes(place / name, (recording / name).read_bytes())
    wanted = {path.name for path in recording.iterdir() if path.is_file() and not path.name.startswith(".")}
    for path in place.iterdir():
        if path.name not in wanted or (path.name not in COPIED and os.readlink(path) != str(recording / path.name)):
            path.unlink()
    for name in wanted.difference(COPIED):
        if not (place / name).is_symlink():
            (place / name).symlink_to(recording / name)


def _arrays(place: Path) -> list[Path]:
    """Return what a snapshot links."""
    return [path for path in sorted(place.iterdir()) if path.name not in COPIED]
