"""One command at a time in a build folder."""

import contextlib
import os
from collections.abc import Iterator

from filelock import FileLock, Timeout

from report import files
from report.errors import ReportError
from report.workspace import Workspace


@contextlib.contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Keep a second command out of the same build folder. A folder that stays empty is not left behind.

    Raises:
        ReportError: when another one is at work there.
    """
    new = [path for path in (workspace.build, *workspace.build.parents) if not path.exists()]
    # The system lets go of the lock when the process ends, however it ends.
    lock = FileLock(workspace.lock, timeout=0)
    with files.person_readable(workspace.build):
        workspace.build.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise ReportError(f"Another command is working in {workspace.build}. Wait for it, or stop it.") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if new and os.listdir(workspace.build) == [workspace.lock.name]:
                if os.name == "nt":
                    lock.release()  # or the file could not be deleted
                workspace.lock.unlink()
                for path in new:
                    path.rmdir()
        lock.release()
