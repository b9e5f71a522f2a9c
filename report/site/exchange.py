"""A new site takes the place of the old one at once: it is built in a folder beside it, which nobody else touches."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from report import files
from report.errors import ReportError

ATTEMPTS = 15  # at what a second command may be doing at this moment


@contextlib.contextmanager
def scratch(site: Path) -> Iterator[Path]:
    """Give a new folder beside `site`, to be built in and put in its place; remove what killed commands left.

    A second command may build the same site meanwhile: the system knows by a lock who is still at work.
    """
    start = f".{site.name}.fresh-"
    with files.person_readable(site):
        site.parent.mkdir(parents=True, exist_ok=True)
        left = {entry.name for entry in site.parent.iterdir() if entry.name.startswith(start)}
        for name in sorted({each.removesuffix(".lock").removesuffix(".old") for each in left}):
            _remove(site.with_name(name))
        fresh = site.with_name(f"{start}{secrets.token_hex(4)}")
        lock = _lock(fresh)
        lock.acquire()
        try:
            fresh.mkdir()
        except OSError:
            lock.release()
            raise
    try:
        yield fresh
    finally:
        lock.release()
        _remove(fresh)


def _lock(fresh: Path) -> FileLock:
    return FileLock(fresh.with_name(f"{fresh.name}.lock"), timeout=0)


def _old(fresh: Path) -> Path:
    return fresh.with_name(f"{fresh.name}.old")


def _remove(fresh: Path) -> None:
    """Remove a folder and what lies beside it, unless somebody is at work there."""
    lock = _lock(fresh)
    with contextlib.suppress(Timeout):
        with lock:
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.rmtree(_old(fresh), ignore_errors=True)
        Path(lock.lock_file).unlink(missing_ok=True)


def replace(site: Path, fresh: Path) -> None:
    """Put the folder `fresh` in the place of `site`; where that fails, `site` is as it was.

    Raises:
        ReportError: on Windows, when another program has a file of the site open.
    """
    old = _old(fresh)
    try:
        for left in range(ATTEMPTS, -1, -1):
            if site.exists():
                _rename(site, old)
            try:
                _rename(fresh, site)
                break
            except OSError as error:
                if site.exists() and left:  # a second command was quicker: its site is replaced, too
                    shutil.rmtree(old, ignore_errors=True)
                    continue
                if old.exists() and not site.exists():
                    old.rename(site)
                raise error
    except PermissionError as error:
        raise ReportError(
            f"{site} cannot be replaced ({error.strerror}): another program has a file of it open, or it is not yours. "
            "Close what shows it, such as a server, an editor or a terminal in that folder, and run the command again."
        ) from error
    shutil.rmtree(old, ignore_errors=True)


def _rename(folder: Path, name: Path) -> None:
    files.patiently(lambda: folder.rename(name))
