"""The site as one ZIP that opens without a server (site/unserved.py), the reports on the examples in it."""

import shutil
import tempfile
import zipfile
from pathlib import Path

from report import files
from report.site import mkdocs as site
from report.site.settings import Settings
from report.workspace import Workspace

NAME = "weights-in-motion"  # of the folder in the archive, and of the archive
DATE = (1980, 1, 1, 0, 0, 0)  # of every member: the same site gives the same bytes
PACKED = {".gif", ".png", ".bin", ".npz", ".gz"}  # compressed already


def pack(workspace: Workspace, settings: Settings) -> Path:
    """Build the offline copy and pack it; return the archive.

    Raises:
        ReportError: when there are no pages yet, or MkDocs or the operating system refuse.
    """
    archive = workspace.build / f"{NAME}.zip"
    with files.person_readable(workspace.build), tempfile.TemporaryDirectory(dir=workspace.build) as temporary:
        folder = Path(temporary) / NAME
        copy = Workspace(workspace.root, workspace.build, folder)
        site.build(copy, settings, offline=True)
        # Relative to the top of the archive: a person finds the page without looking for it.
        packed = Path(temporary) / archive.name
        with zipfile.ZipFile(packed, "w") as target:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    _add(target, path, path.relative_to(folder.parent).as_posix())
        shutil.move(packed, archive)
    return archive


def _add(target: zipfile.ZipFile, path: Path, name: str) -> None:
    """Put a file into the archive, readable for all and without a date."""
    member = zipfile.ZipInfo(name, DATE)
    member.external_attr = 0o644 << 16
    member.compress_type = zipfile.ZIP_STORED if path.suffix in PACKED else zipfile.ZIP_DEFLATED
    target.writestr(member, path.read_bytes())
