"""Links from pages to the code that draws, which follow the code when nothing is redrawn."""

from collections.abc import Callable, Mapping

from report import files
from report.workspace import Workspace


def source_lines(workspace: Workspace) -> dict[str, int]:
    """Return the line in which the code of each figure and animation begins, by its path and function.

    They are looked up whenever pages are written, not when something is drawn: links follow the code.
    """
    manifests = (workspace.figures_manifest, workspace.animations_manifest)
    places = [entry["code"] for path in manifests for entry in files.read_json(path, default={}).values()]
    return {f"{place['path']}:{place['function']}": _line_of(workspace, place) for place in places}


def to_source(workspace: Workspace, repository: str) -> Callable[[Mapping[str, str]], str]:
    """Return a function that turns {"path", and perhaps "function"} into an address; "" without a repository."""

    def link(place: Mapping[str, str]) -> str:
        # HEAD is the default branch, whatever its name.
        line = f"#L{_line_of(workspace, place)}" if "function" in place else ""
        return f"{repository}/blob/HEAD/{place['path']}{line}" if repository else ""

    return link


def _line_of(workspace: Workspace, place: Mapping[str, str]) -> int:
    lines = (workspace.package.parent / place["path"]).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(f"def {place['function']}("))
