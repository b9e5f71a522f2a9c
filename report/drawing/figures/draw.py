"""Draw the figures, in the order of the article, and those alone that must be drawn again."""

import importlib
import inspect
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from report import files
from report.analysis import tables as analysed
from report.drawing.figures import picture
from report.drawing.figures.picture import ENDINGS, SCHEMES
from report.drawing.figures.sources import Drawing, Facts, Tables
from report.freshness import Ledger, code_digest, digest, imported
from report.workspace import Workspace

Progress = Callable[[int, int, str], None]

HERE: Final = Path(__file__).parent
FIGURES: Final = (
    "digits",
    "loss",
    "weight_history",
    "largest_movers",
    "histogram",
    "update_size",
    "autocorrelation",
    "persistence",
    "run_lengths",
    "one_weight",
    "decomposition",
    "startup",
    "units",
    "agreement",
)


def draw(workspace: Workspace, report_progress: Progress) -> None:
    """Draw every figure that is not fresh, and write the manifest that pages read.

    A figure that has nothing to show, such as a comparison where there is nothing to compare, is left out.

    Raises:
        ReportError: when there are no results or no tables.
    """
    results = files.read_json(workspace.results)
    analysed.read_table(_table(workspace, "layers"))
    plan = {}
    for name in FIGURES:
        module = _module(name)
        facts = module.facts(results) if _table(workspace, module.TABLES[0]).is_file() else None
        if facts is not None:
            plan[name] = facts
    ledger = Ledger(workspace.ledger)
    keys = {name: _key(workspace, name, facts) for name, facts in plan.items()}
    stale = [name for name in plan if not ledger.is_fresh(_product(name), keys[name], _outputs(workspace, name))]
    for done, name in enumerate(stale, 1):
        _draw(workspace, name, plan[name])
        ledger.record(_product(name), keys[name], _outputs(workspace, name))
        report_progress(done, len(stale), name)
    files.write_json(workspace.figures_manifest, {name: _entry(workspace, name, plan[name]) for name in plan})
    wanted = {path for name in plan for path in _outputs(workspace, name)}
    for path in sorted(workspace.figures.glob("*.*")):
        if path not in wanted:
            path.unlink()  # of other results: the site would publish it


def _module(name: str) -> Drawing:
    module: Any = importlib.import_module(f"report.drawing.figures.{name}")
    drawing: Drawing = module
    return drawing


def _table(workspace: Workspace, name: str) -> Path:
    return workspace.tables / f"{name}.csv"


def _tables(workspace: Workspace, name: str) -> Tables:
    """Return the tables of a figure, those that there are."""
    paths = {table: _table(workspace, table) for table in _module(name).TABLES}
    return {table: analysed.read_table(path) for table, path in paths.items() if path.is_file()}


def _key(workspace: Workspace, name: str, facts: Facts) -> str:
    """Return the digest of all that a figure is made from."""
    tables = [_table(workspace, table) for table in _module(name).TABLES]
    code = code_digest(*imported(HERE / f"{name}.py", Path(picture.__file__), Path(analysed.__file__)))
    return digest(facts, *tables, HERE / "house.mplstyle", code, version("matplotlib"), version("pillow"))


def _draw(workspace: Workspace, name: str, facts: Facts) -> None:
    """Draw both variants of a figure; where one becomes an image, remove the vector file it had, and vice versa."""
    module, tables = _module(name), _tables(workspace, name)
    for scheme, (ending, content) in picture.variants(lambda ink: module.draw(ink, tables, facts)).items():
        stem = f"{name}{SCHEMES[scheme]}"
        files.write_bytes(workspace.figures / f"{stem}{ending}", content)
        for other in ENDINGS:
            if other != ending:
                (workspace.figures / f"{stem}{other}").unlink(missing_ok=True)


def _entry(workspace: Workspace, name: str, facts: Facts) -> dict[str, Any]:
    """Return what pages need to show a figure. Words are written anew each time: they cost no drawing."""
    module = _module(name)
    words = module.words(_tables(workspace, name), facts)
    outputs = dict(zip(SCHEMES, _outputs(workspace, name), strict=True))
    width, height = picture.size(outputs["light"])
    return {
        "files": {scheme: f"figures/{path.name}" for scheme, path in outputs.items()},
        "width": width,
        "height": height,
        "title": words.title,
        "caption": words.caption,
        "alt": words.alt,
        "data": f"tables/{module.TABLES[0]}.csv",
        "code": {"path": f"report/drawing/figures/{name}.py", "line": inspect.getsourcelines(module.draw)[1]},
    }


def _outputs(workspace: Workspace, name: str) -> list[Path]:
    """Return the files of a figure, the light one first; of one that is not drawn yet, the SVGs."""
    found = []
    for ending in SCHEMES.values():
        paths = [workspace.figures / f"{name}{ending}{kind}" for kind in ENDINGS]
        found.append(next((path for path in paths if path.exists()), paths[0]))
    return found


def _product(name: str) -> str:
    """Return the name of a figure in the ledger."""
    return f"figure {name}"
