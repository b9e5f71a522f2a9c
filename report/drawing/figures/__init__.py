"""The figures: one file each, named after its quantity, drawn from the tables that a reader can download.

`sources` says what a figure is given, `style` how all look, `picture` how they become files. Here is the order of
the article, and which figure must be drawn again.
"""

import importlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from report import files
from report.analysis.tables import read_table
from report.config import Experiment
from report.drawing.figures.picture import ENDINGS, encode, size
from report.drawing.figures.sources import Drawing, Facts
from report.drawing.figures.style import INKS, house, recoloured
from report.freshness import Ledger, code_digest, digest
from report.workspace import Workspace

Progress = Callable[[int, int, str], None]

HERE: Final = Path(__file__).parent
SCHEMES: Final = {"light": "", "dark": "-dark"}  # what each variant adds to a file's name
SHARED: Final = ("style.py", "picture.py", "sources.py", "comparison.py")  # what decides the look of every figure
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


def draw(workspace: Workspace, experiment: Experiment, report_progress: Progress) -> None:
    """Draw every figure that is not fresh, and write the manifest that pages read.

    A figure that has nothing to show, such as a comparison where there is nothing to compare, is left out.

    Raises:
        ReportError: when there are no results or no tables.
    """
    results = files.read_json(workspace.results)
    plan = {}
    for name in FIGURES:
        facts = _module(name).facts(results, experiment)
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
            path.unlink()  # of an earlier experiment: the site would publish it


def _module(name: str) -> Drawing:
    module: Any = importlib.import_module(f"report.drawing.figures.{name}")
    drawing: Drawing = module
    return drawing


def _tables(workspace: Workspace, name: str) -> dict[str, Any]:
    return {table: read_table(workspace.tables / f"{table}.csv") for table in _module(name).TABLES}


def _key(workspace: Workspace, name: str, facts: Facts) -> str:
    """Return the digest of all that a figure is made from."""
    tables = [workspace.tables / f"{table}.csv" for table in _module(name).TABLES]
    code = code_digest(HERE / f"{name}.py", *(HERE / shared for shared in SHARED), workspace.package / "wording.py")
    return digest(facts, *tables, HERE / "house.mplstyle", code, version("matplotlib"))


def _draw(workspace: Workspace, name: str, facts: Facts) -> None:
    """Draw both variants of a figure; where one becomes an image, remove the vector file it had, and vice versa."""
    module, tables = _module(name), _tables(workspace, name)
    drawn: dict[str, tuple[str, bytes]] = {}
    for scheme, ink in INKS.items():
        if drawn and drawn["light"][0] == ".svg":
            # The same drawing in other colours: half the time, and nothing can lie elsewhere.
            drawn[scheme] = (".svg", recoloured(drawn["light"][1].decode(), INKS["light"], ink).encode())
        else:
            with house(ink):
                drawn[scheme] = encode(module.draw(ink, tables, facts))
    for scheme, (ending, content) in drawn.items():
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
    width, height = size(outputs["light"])
    return {
        "files": {scheme: f"figures/{path.name}" for scheme, path in outputs.items()},
        "width": width,
        "height": height,
        "title": words.title,
        "caption": words.caption,
        "alt": words.alt,
        "data": f"tables/{module.TABLES[0]}.csv",
        "code": {"path": f"report/figures/{name}.py", "line": _line_of_draw(name)},
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


def _line_of_draw(name: str) -> int:
    """Return the line where the drawing of a figure starts."""
    lines = (HERE / f"{name}.py").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith("def draw("))
