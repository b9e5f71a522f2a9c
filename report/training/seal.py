"""The seal of a finished training run: what every file of it holds, so that damage is seen whatever it hits."""

from collections.abc import Callable
from pathlib import Path

from report import files
from report.errors import ReportError
from report.products import checksum

NAME = "checksums.json"
UNSEALED = (NAME, "timings.json")  # how long a run took is chance, and no later stage counts on it


def write(folder: Path) -> None:
    """Seal a recording.

    Raises:
        ReportError: when the disk refuses.
    """
    held = {path.name: checksum(path) for path in sorted(folder.iterdir()) if path.name not in UNSEALED}
    files.write_json(folder / NAME, {"sha256": held})


def broken(folder: Path, content: Callable[[Path], str] = checksum) -> list[Path]:
    """Return the files of a sealed recording that hold something else now; the seal itself when that is damaged.

    Args:
        folder: of the recording.
        content: returns the checksum of a file.
    """
    try:
        held = files.read_json(folder / NAME, "sha256")["sha256"]
        return [folder / name for name, wanted in sorted(held.items()) if content(folder / name) != wanted]
    except (ReportError, AttributeError, TypeError):
        return [folder / NAME]
