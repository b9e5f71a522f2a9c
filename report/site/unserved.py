"""What a site needs that opens from the file system, player and search included.

A browser that opens a page from the file system refuses three things, and each is replaced: workers (the search runs
in a frame instead, and its index is a script), ES modules (they become `data:` addresses in an import map), and
fetching (the player's data become scripts).
"""

import base64
import json
import re
from pathlib import Path

from report import files
from report.errors import ReportError

MODULES = "wim/"  # what modules are called in the import map
FOLDERS = ("player", "hand")  # of the modules, below assets; their files have names of their own
RELATIVE_IMPORT = re.compile(r"""((?:\bfrom|\bimport)\s*\(?\s*)(["'])(?:\./|\.\./\w+/)([\w.-]+\.js)\2""")


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


def turn_into_scripts(folder: Path) -> None:
    """Put in the place of each of the player's data files the script that hands its content over (source.js asks)."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".js":
            content = base64.b64encode(path.read_bytes()).decode("ascii")
            name = path.relative_to(folder).as_posix()
            script = f"weightPlayerFile({json.dumps(name)}, {json.dumps(content)});\n"
            files.write_text(path.with_name(f"{path.name}.js"), script)
            path.unlink()
