"""Of which pages the site of a report on one's own network consists, and what they know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from report import files
from report.site import gallery, pages, receipt
from report.site.pages import Contents
from report.site.settings import Settings
from report.workspace import Workspace

FOLDER = "own"  # of the templates, in each language's
OVERVIEW = f"{FOLDER}/index.md.j2"
PAGES = ("index", "tensors", "explore", "method", "downloads")
MOST_OPEN: Final = 12  # tensors whose sections stand open; of more, only modules with something that stands out do


@dataclass(frozen=True)
class Ran:
    """Say what an experiment file asked for, where the recordings come from one.

    Attributes:
        experiment: what the file held when it was read; offered for download.
        about: what the main recording says of itself.
        missing: `run` and `reason` of each training run that failed.
    """

    experiment: bytes
    about: Mapping[str, Any]
    missing: Sequence[Mapping[str, Any]]


def contents(workspace: Workspace, settings: Settings, ran: Ran | None = None) -> Contents:
    """Return what the site consists of.

    Args:
        workspace: has facts, tables and pictures.
        settings: of the site.
        ran: what was run, where that is known.

    Raises:
        ReportError: when an earlier stage has not run.
    """
    offered = {"downloads/results.json": workspace.results.read_bytes()}
    offered |= {f"tables/{path.name}": path.read_bytes() for path in sorted(workspace.tables.glob("*.csv"))}
    if ran is not None:
        offered["downloads/experiment.toml"] = ran.experiment
        offered[receipt.NAME] = receipt.packed(workspace, ran.experiment)
    examples = gallery.known(workspace, settings.languages)
    known = {**know(workspace, settings, offered), "ran": ran, "gallery": examples}
    offered.update(gallery.pictures(workspace))
    names = [name for name in PAGES if name != "explore" or known["has_player"]]
    templates = {f"{FOLDER}/{name}.md.j2": f"{name}.md" for name in names}
    if examples:
        templates["examples.md.j2"] = "examples.md"
    return Contents(templates, known, offered, more_words={"player": "player_own"})


def know(workspace: Workspace, settings: Settings, offered: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what templates can name.

    Besides the facts, whose `figures` are called `shown`: `figures`, the manifest; `downloads` and `tables`;
    `is_thinned`: not every step is recorded; `is_folded`; `has_player`;
    `common`: the tables that are of no single tensor; what `_tensor` and `_modules` add.
    """
    facts = files.read_json(workspace.facts)
    tensors = [_tensor(each) for each in facts["tensors"]]
    described = pages.describe(offered)
    of_tensors = {PurePosixPath(table["path"]).stem for tensor in tensors for table in tensor["tables"]}
    return {
        **facts,
        **described,
        "site": settings,
        "tensors": tensors,
        "modules": _modules(facts["modules"], {each["number"]: each for each in tensors}),
        "is_thinned": facts["report"]["every"] > 1,
        "shown": facts["figures"],
        "figures": files.read_json(workspace.figures_manifest),
        "is_folded": len(tensors) > MOST_OPEN,
        "has_player": (workspace.docs / "player" / "index.json").is_file(),
        "common": [name for name in described["tables"] if name not in of_tensors],
    }


def _tensor(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a tensor with its `other_names`, and the values of the `main` label."""
    main = facts["numbers"][0]["values"] if facts["numbers"] else {}
    return {**facts, "other_names": facts["names"][1:], "main": main}


def _modules(modules: Sequence[Mapping[str, Any]], tensors: Mapping[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the modules with the facts of their tensors, `sections`, and how many these are."""
    return [
        {
            **module,
            "anchor": f"module-{place}",
            "count": len(module["tensors"]),
            "sections": [tensors[number] for number in module["tensors"]],
            "stands_out": any(tensors[number]["standout"] for number in module["tensors"]),
        }
        for place, module in enumerate(modules, 1)
    ]
