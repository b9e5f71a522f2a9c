"""The examples in the article's site: a page with what each report says, and the reports themselves.

Both are there when `make examples` has made them, and are left out when not.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from report import files
from report.products import checksum
from report.site.settings import Settings
from report.workspace import Workspace

FOLDER = "examples"  # of the reports, below the site
PICTURES = "gallery"  # of the pictures, below build/docs
HEAT = "heat"  # which of a report's pictures stands for it
MOST_SAID = 3  # sentences of a report that the gallery repeats


def workspace_of(workspace: Workspace, name: str) -> Workspace:
    """Return where the report of an example is made."""
    build = workspace.examples / name
    return Workspace(workspace.root, build, build / "site")


def write(workspace: Workspace, reports: Mapping[str, Settings]) -> None:
    """Note what there is, and what the gallery says of it, in `build/examples/gallery.json`.

    Args:
        workspace: the article's.
        reports: settings of each report, by the name of the example.
    """
    entries = {name: _describe(workspace_of(workspace, name), settings) for name, settings in reports.items()}
    files.write_json(workspace.gallery, entries)


def _describe(own: Workspace, settings: Settings) -> dict[str, Any]:
    facts = files.read_json(own.facts)
    standout = [{"level": each["level"], "said": each["said"]} for each in facts["standout"]]
    shown = facts["figures"][HEAT]
    return {
        "settings": asdict(settings),
        "steps": facts["report"]["steps"]["high"],
        "tensors": facts["report"]["tensors"],
        "weights": facts["report"]["weights"],
        "standout": standout[:MOST_SAID],
        "more": len(standout[MOST_SAID:]),
        "picture": files.read_json(own.figures_manifest)[shown] if shown else None,
        "files": {path.relative_to(own.site).as_posix(): checksum(path) for path in files.below(own.site)},
    }


def known(workspace: Workspace, languages: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the page says of each example, [] where there are none.

    Args:
        workspace: the article's.
        languages: of its pages; `report` is the address of the report from a page of each.
    """
    entries = []
    for name, entry in _read(workspace).items():
        picture = entry["picture"]
        if picture:
            named = {language: _rename(name, each) for language, each in picture["files"].items()}
            picture = {**picture, "files": named}
        homes = {language: f"{language}/" if place else "" for place, language in enumerate(languages)}
        report = {
            language: f"{'../' if home else ''}{FOLDER}/{name}/{home}index.html" for language, home in homes.items()
        }
        kept = {key: entry[key] for key in ("steps", "tensors", "weights", "standout", "more")}
        program = {"path": f"examples/{name}.py"}
        entries.append({"name": name, "program": program, "report": report, "picture": picture, **kept})
    return entries


def pictures(workspace: Workspace) -> Iterator[tuple[str, bytes]]:
    """Yield the pictures on the page, by their path below build/docs."""
    for name, entry in _read(workspace).items():
        for each in (entry["picture"] or {"files": {}})["files"].values():
            for scheme, renamed in _rename(name, each).items():
                yield renamed, (workspace_of(workspace, name).docs / each[scheme]).read_bytes()


def _rename(name: str, drawn: Mapping[str, str]) -> dict[str, str]:
    """Return the paths that a report's pictures have in the article, by scheme."""
    return {scheme: "-".join([f"{PICTURES}/{name}", *Path(path).parts[1:]]) for scheme, path in drawn.items()}


def put(workspace: Workspace, site: Path, take: Callable[[Path, str, Path], bool]) -> None:
    """Copy the reports into a site, but for the files that `take` has from elsewhere, see `Earlier.take`."""
    for name, entry in _read(workspace).items():
        own = workspace_of(workspace, name).site
        for each in entry["files"]:
            place = f"{FOLDER}/{name}/{each}"
            if not take(own / each, place, site / place):
                (site / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(own / each, site / place)


def reports(workspace: Workspace) -> dict[str, Settings]:
    """Return the settings of each report, by the name of the example."""
    entries = {name: entry["settings"] for name, entry in _read(workspace).items()}
    return {name: Settings(**{**each, "languages": tuple(each["languages"])}) for name, each in entries.items()}


def _read(workspace: Workspace) -> dict[str, Any]:
    found: dict[str, Any] = files.read_json(workspace.gallery, default={})
    return found
