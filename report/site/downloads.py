"""What a reader can take home: results, tables, the recording itself, the experiment, licence and citation."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from report.errors import ReportError, command
from report.workspace import Workspace

FOLDER = "downloads"  # below the pages
LEGAL = ("CITATION.cff", "LICENSE")  # of the repository, where they are there


@dataclass(frozen=True)
class File:
    """Describe a file that a reader can download."""

    path: str  # relative to the pages
    bytes: int
    sha256: str

    @property
    def digest(self) -> str:
        """Return the beginning of the checksum: enough to tell files apart."""
        return self.sha256[:16]

    @property
    def is_per_run(self) -> bool:
        """Tell whether it is a table with a row for each training run, beside one of means."""
        return self.path.endswith("_runs.csv")


def describe(path: str, data: bytes) -> File:
    """Describe the file at `path` that holds `data`."""
    return File(path, len(data), hashlib.sha256(data).hexdigest())


def gather(workspace: Workspace, experiment: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield all files for download: path below build/docs, content.

    Args:
        workspace: has results, tables and the packed recording.
        experiment: what its file held when it was read.

    Raises:
        ReportError: when an earlier stage has not run.
    """
    if not workspace.results.is_file():
        raise ReportError(f'There is no {workspace.results}. Run "{command()}" first.')
    yield f"{FOLDER}/results.json", workspace.results.read_bytes()
    yield f"{FOLDER}/experiment.toml", experiment
    yield workspace.recording.relative_to(workspace.docs).as_posix(), workspace.recording.read_bytes()
    for name in LEGAL:
        if (workspace.root / name).is_file():
            yield f"{FOLDER}/{name}", (workspace.root / name).read_bytes()
    for path in sorted(workspace.tables.glob("*.csv")):
        yield f"tables/{path.name}", path.read_bytes()
