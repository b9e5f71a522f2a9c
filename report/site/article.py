"""Of which pages the article's site consists, and what they know."""

from collections.abc import Iterator, Mapping

from report import files
from report.analysis import results as analysed
from report.site import crate, downloads, gallery, pages, receipt
from report.site.downloads import File
from report.site.pages import Contents
from report.site.settings import Settings
from report.workspace import Workspace

NOTICE = "_notice.html.j2"  # when the digits are the embedded sample
PAGES = ("index", "findings", "run", "layers", "explore", "method", "reproduce")
EXAMPLES = ("examples",)  # where they were made


def contents(workspace: Workspace, settings: Settings, said: bytes) -> Contents:
    """Return what the site of a study that carries the article consists of.

    Args:
        workspace: has facts, tables and pictures.
        settings: of the site.
        said: what the experiment file held when it was read; offered for download, and shown.

    Raises:
        ReportError: when an earlier stage has not run.
    """
    offered = dict(downloads.gather(workspace, said))
    offered[receipt.NAME] = receipt.packed(workspace, said)
    described = pages.describe(offered)
    offered.update(_for_machines(workspace, settings, offered, described["downloads"]))
    facts = files.read_json(workspace.facts)
    timings = files.read_json(workspace.timings, default={})
    animations = files.read_json(workspace.animations_manifest)
    experiment = said.decode("utf-8").strip()
    examples = gallery.known(workspace, settings.languages)
    known = {
        **facts,
        **described,
        "site": settings,
        "figures": files.read_json(workspace.figures_manifest),
        "animations": animations,
        "long_film": next((name for name in animations if name.startswith("network-")), None),
        "experiment": {"text": experiment, "lines": len(experiment.splitlines())},
        "gallery": examples,
        "stage_seconds": {name: timings[name] for name in ("train", "analyse", "draw") if name in timings},
    }
    names = [*PAGES, *(EXAMPLES if examples else ())]
    templates = {f"{name}.md.j2": f"{name}.md" for name in names}
    path = workspace.card.relative_to(workspace.docs).as_posix()
    offered[path] = workspace.card.read_bytes()
    offered.update(gallery.pictures(workspace))
    return Contents(templates, known, offered, NOTICE, path)


def _for_machines(
    workspace: Workspace, settings: Settings, offered: Mapping[str, bytes], described: Mapping[str, File]
) -> Iterator[tuple[str, bytes]]:
    """Yield what programs read of the site, where the sources say how they are cited; `described` by file's name."""
    citation = offered.get("downloads/CITATION.cff")
    if citation is None:
        return
    results = analysed.read(workspace)
    states = {name: (results["steps"] + 1, *results["network"]["layers"][name]["shape"]) for name in results["drawn"]}
    shapes = {f"weights_{name}": shape for name, shape in states.items()}
    shapes |= {f"gradients_{name}": (shape[0] - 1, *shape[1:]) for name, shape in states.items()}
    data_set = crate.croissant(settings, citation, described[workspace.recording.name], shapes)
    yield crate.CROISSANT, files.compact_json(data_set).encode("utf-8")
    made = crate.crate(settings, citation, described.values(), results["about"].get("data", {}))
    yield crate.CRATE, files.compact_json(made).encode("utf-8")
