"""The figures, in the order of the article: what each is made from, how it is drawn, and what pages say of it."""

import functools
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from report import files
from report.analysis import columns
from report.analysis import results as analysed
from report.drawing.figures import picture
from report.drawing.figures.picture import ENDINGS, SCHEMES
from report.drawing.figures.sources import Drawing, Facts, Tables
from report.products import Product
from report.workspace import Workspace

HERE: Final = Path(__file__).parent
FIGURES: Final = (
    "digits",
    "loss",
    "weight_history",
    "largest_movers",
    "histogram",
    "update_size",
    "raster",
    "autocorrelation",
    "persistence",
    "run_lengths",
    "one_weight",
    "transplants",
    "decomposition",
    "startup",
    "units",
    "agreement",
)


def plan(workspace: Workspace) -> dict[str, Facts]:
    """Return what each figure uses of the results, by its name, in order.

    A figure that has nothing to show, such as a comparison where there is nothing to compare, is left out.

    Raises:
        ReportError: when there are no results or no tables.
    """
    results = analysed.read(workspace)
    table = analysed.numbers(workspace, results)
    found = {}
    for name in FIGURES:
        module = _module(name)
        facts = module.facts(results, table) if _table(workspace, module.TABLES[0]).is_file() else None
        if facts is not None:
            found[name] = facts
    return found


def products(workspace: Workspace, planned: Mapping[str, Facts]) -> list[Product]:
    """Return the figures as products."""
    return [
        Product(
            f"figure {name}",
            (f"report.drawing.figures.{name}", "report.drawing.figures.draw"),
            functools.partial(_inputs, workspace, name, facts),
            functools.partial(_outputs, workspace, name),
            functools.partial(_draw, workspace, name, facts),
        )
        for name, facts in planned.items()
    ]


def describe(workspace: Workspace, planned: Mapping[str, Facts]) -> None:
    """Write the manifest that pages read, and remove the figures of other results, which the site would publish."""
    files.write_json(workspace.figures_manifest, {name: _entry(workspace, name, planned[name]) for name in planned})
    wanted = {path for name in planned for path in _outputs(workspace, name)}
    for path in sorted(workspace.figures.glob("*.*")):
        if path not in wanted:
            path.unlink()


def _module(name: str) -> Drawing:
    module: Any = importlib.import_module(f"report.drawing.figures.{name}")
    drawing: Drawing = module
    return drawing


def _table(workspace: Workspace, name: str) -> Path:
    return workspace.tables / f"{name}.csv"


def _tables(workspace: Workspace, name: str) -> Tables:
    """Return the tables of a figure, those that there are."""
    paths = {table: _table(workspace, table) for table in _module(name).TABLES}
    return {table: columns.read(path) for table, path in paths.items() if path.is_file()}


def _inputs(workspace: Workspace, name: str, facts: Facts) -> list[Any]:
    """Return all that a figure is made from, besides code."""
    return [facts, *(_table(workspace, table) for table in _module(name).TABLES), HERE / "house.mplstyle"]


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
        "code": {"path": f"report/drawing/figures/{name}.py", "function": "draw"},
    }


def _outputs(workspace: Workspace, name: str) -> list[Path]:
    """Return the files of a figure, the light one first; of one that is not drawn yet, the SVGs."""
    found = []
    for ending in SCHEMES.values():
        paths = [workspace.figures / f"{name}{ending}{kind}" for kind in ENDINGS]
        found.append(next((path for path in paths if path.exists()), paths[0]))
    return found
