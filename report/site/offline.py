"""The site as one ZIP that opens without a server, player and search included.

A browser that opens a page from the file system refuses three things, and each is replaced: workers (the search runs
in a frame instead, and its index is a script), ES modules (they become `data:` addresses in an import map), and
fetching (the player's data become scripts beside them).
"""

import base64
import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from report import files
from report.errors import ReportError
from report.site import gallery
from report.site import mkdocs as site
from report.site.settings import Settings
from report.workspace import Workspace

NAME = "weights-in-motion"  # of the folder in the archive, and of the archive
MODULES = "wim/"  # what modules are called in the import map
FOLDERS = ("player", "hand")  # of the modules, below assets; their files have names of their own
RELATIVE_IMPORT = re.compile(r"""((?:\bfrom|\bimport)\s*\(?\s*)(["'])(?:\./|\.\./\w+/)([\w.-]+\.js)\2""")
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
        site.build(copy, settings, offline=import_map(workspace.docs / "assets"))
        write_player_scripts(folder / "player")
        for name, own in gallery.reports(workspace).items():
            made = gallery.workspace_of(workspace, name)
            place = Workspace(made.root, made.build, folder / gallery.FOLDER / name)
            site.build(place, own, offline=import_map(made.docs / "assets"))
            write_player_scripts(place.site / "player")
        # Relative to the top of the archive: a person finds the page without looking for it.
        packed = Path(temporary) / archive.name
        with zipfile.ZipFile(packed, "w") as target:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    _add(target, path, path.relative_to(folder.parent).as_posix())
        shutil.move(packed, archive)
    return archive


def import_map(assets: Path) -> dict[str, str]:
    """Return the modules below `assets` as `data:` addresses by their new names; their imports use those names too.

    Raises:
        ReportError: when a module imports what is not there.
    """
    paths = [path for folder in FOLDERS for path in sorted((assets / folder).glob("*.js"))]
    texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
    modules = {}
    for path in paths:
        text = texts[path.name]
        for found in RELATIVE_IMPORT.finditer(text):
            if found[3] not in texts:
                raise ReportError(f"{path} imports {found[3]}, which is not there.")
        renamed = RELATIVE_IMPORT.sub(rf"\1\2{MODULES}\3\2", text)
        encoded = base64.b64encode(renamed.encode("utf-8")).decode("ascii")
        modules[f"{MODULES}{path.name}"] = f"data:text/javascript;base64,{encoded}"
    return modules


def write_player_scripts(folder: Path) -> None:
    """Write, beside each of the player's data files, the script that hands its content over (source.js calls it)."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".js":
            content = base64.b64encode(path.read_bytes()).decode("ascii")
            name = path.relative_to(folder).as_posix()
            script = f"weightPlayerFile({json.dumps(name)}, {json.dumps(content)});\n"
            files.write_text(path.with_name(f"{path.name}.js"), script)


def _add(target: zipfile.ZipFile, path: Path, name: str) -> None:
    """Put a file into the archive, readable for all and without a date."""
    member = zipfile.ZipInfo(name, DATE)
    member.external_attr = 0o644 << 16
    member.compress_type = zipfile.ZIP_STORED if path.suffix in PACKED else zipfile.ZIP_DEFLATED
    target.writestr(member, path.read_bytes())
