"""The seal of a finished training run: what its files hold, so that damage is seen; and chains to check it by."""

from collections.abc import Callable
from pathlib import Path

from report import files
from report.errors import ReportError, command
from report.products import checksum
from report.recording import chain
from report.recording.reader import Recording

NAME = "checksums.json"
UNSEALED = (NAME, "timings.json")  # how long a run took is chance, and no later stage counts on it


def write(folder: Path) -> None:
    """Seal a recording.

    Raises:
        ReportError: when the disk refuses.
    """
    held = {path.name: checksum(path) for path in sorted(folder.iterdir()) if path.name not in UNSEALED}
    recording = Recording.open(folder)
    chains = {name: chain.links(recording, name) for name in recording.tensors}
    files.write_json(folder / NAME, {"sha256": held, "chains": chains})


def names(folder: Path) -> list[str]:
    """Return which files are sealed.

    Raises:
        ReportError: when the seal is damaged or missing.
    """
    held = files.read_json(folder / NAME, "sha256")["sha256"]
    return sorted(held) if isinstance(held, dict) else []


def chains(folder: Path) -> dict[str, dict[int, str]]:
    """Return the chain of each tensor of a sealed recording, see `chain.links`.

    Raises:
        ReportError: when the seal is damaged or missing.
    """
    found = files.read_json(folder / NAME, "chains")["chains"]
    try:
        return {name: {int(step): str(link) for step, link in links.items()} for name, links in found.items()}
    except (AttributeError, ValueError) as error:
        raise ReportError(f'{folder / NAME} is damaged ({error}). Delete it and run "{command()}" again.') from error


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
