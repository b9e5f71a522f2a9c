"""The figures, in the order of the article: what each is made from, how it is drawn, and what words say of it."""

import functools
import importlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from report import files, wording
from report.analysis import columns
from report.analysis import results as analysed
from report.drawing.figures import picture
from report.drawing.figures.picture import ENDINGS, SCHEMES
from report.drawing.figures.sources import Drawing, Facts, Labels, Tables, in_parts
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
    "coin",
    "guess",
    "togetherness",
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


@dataclass(frozen=True)
class Plan:
    """Say how a picture is drawn.

    Attributes:
        module: that draws it, in this folder; words and labels are looked up by this name.
        facts: what it uses of the results.
        tables: what the module's tables are called on disk, where they are called otherwise.
        words: the section of its words in own.toml, of a report on one's own network.
    """

    module: str
    facts: Facts
    tables: Mapping[str, str] = field(default_factory=dict)
    words: str = ""


def plan(workspace: Workspace) -> dict[str, Plan]:
    """Return how each figure of the article is drawn, by its name, in order.

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
            found[name] = Plan(name, facts)
    return found


def products(workspace: Workspace, planned: Mapping[str, Plan], languages: Sequence[str]) -> list[Product]:
    """Return the figures as products, each with its pictures in every language."""
    return [
        Product(
            f"figure {name}",
            (f"report.drawing.figures.{plan.module}", "report.drawing.figures.draw"),
            functools.partial(_inputs, workspace, plan, languages),
            functools.partial(_files, workspace, name, plan, languages),
            functools.partial(_draw, workspace, name, plan, languages),
        )
        for name, plan in planned.items()
    ]


def describe(workspace: Workspace, planned: Mapping[str, Plan], languages: Sequence[str]) -> None:
    """Write the manifest that pages read, and remove the figures of other results, which the site would publish."""
    entries = {name: _entry(workspace, name, plan, languages) for name, plan in planned.items()}
    files.write_json(workspace.figures_manifest, entries)
    wanted = {path for name, plan in planned.items() for path in _files(workspace, name, plan, languages)}
    for path in [*workspace.figures.rglob("*.*"), *workspace.drawn.glob("*.figure.json")]:
        if path not in wanted:
            path.unlink()


def _module(name: str) -> Drawing:
    module: Any = importlib.import_module(f"report.drawing.figures.{name}")
    drawing: Drawing = module
    return drawing


def _table(workspace: Workspace, name: str) -> Path:
    return workspace.tables / f"{name}.csv"


def _paths_of_tables(workspace: Workspace, plan: Plan) -> dict[str, Path]:
    """Return the file of each table of a picture."""
    return {name: _table(workspace, plan.tables.get(name, name)) for name in _module(plan.module).TABLES}


def _tables(workspace: Workspace, plan: Plan) -> Tables:
    """Return the tables of a picture, those that there are."""
    paths = _paths_of_tables(workspace, plan)
    return {table: columns.read(path) for table, path in paths.items() if path.is_file()}


def _labels(workspace: Workspace, name: str, language: str) -> Labels:
    """Return what a figure's axes, headings and legends say in a language: its own words and those of all figures."""
    sections = wording.read(workspace.templates, language, "labels")
    return {**sections["common"], **sections.get(name, {})}


def _parts(plan: Plan) -> list[Facts]:
    """Return the facts of each picture of a figure, the one that is shown first at the beginning."""
    most: int | None = getattr(_module(plan.module), "MOST", None)
    return [plan.facts] if most is None else in_parts(plan.facts, most)


def _inputs(workspace: Workspace, plan: Plan, languages: Sequence[str]) -> list[Any]:
    """Return all that a figure is made from, besides code."""
    labels = {language: _labels(workspace, plan.module, language) for language in languages}
    return [plan.facts, labels, *_paths_of_tables(workspace, plan).values(), HERE / "house.mplstyle"]


def _draw(workspace: Workspace, name: str, plan: Plan, languages: Sequence[str]) -> None:
    """Draw all variants of a figure, and note what words say of it.

    Where a variant becomes an image, the vector file that it had is removed, and vice versa.
    """
    module, tables = _module(plan.module), _tables(workspace, plan)
    files.write_json(_note(workspace, name), {"said": module.said(tables, plan.facts)})
    for language, (place, part) in itertools.product(languages, enumerate(_parts(plan))):
        labels = _labels(workspace, plan.module, language)
        draw = functools.partial(module.draw, tables=tables, facts=part, labels=labels)
        for scheme, (ending, content) in picture.variants(draw).items():
            for kind, path in zip(ENDINGS, _paths(workspace, name, language, place, scheme), strict=True):
                if kind == ending:
                    files.write_bytes(path, content)
                else:
                    path.unlink(missing_ok=True)


def _entry(workspace: Workspace, name: str, plan: Plan, languages: Sequence[str]) -> dict[str, Any]:
    """Return what pages need to show a figure: its pictures, and the facts that words are filled with.

    `words` is the section of its words, where that is not its name in figures.toml.
    """
    module, parts = _module(plan.module), _parts(plan)
    pictures = []
    for place in range(len(parts)):
        found = {
            language: {scheme: _path(workspace, name, language, place, scheme) for scheme in SCHEMES}
            for language in languages
        }
        width, height = picture.size(found[languages[0]]["light"])
        paths = {
            language: {scheme: path.relative_to(workspace.docs).as_posix() for scheme, path in by_scheme.items()}
            for language, by_scheme in found.items()
        }
        pictures.append({"files": paths, "width": width, "height": height})
    layers = [
        {"names": list(part["layers"]), "is_first": each is pictures[0], **each}
        for part, each in zip(parts, pictures, strict=True)
        if parts[1:]
    ]
    return {
        **pictures[0],
        **({"layers": layers} if layers else {}),
        **({"words": plan.words} if plan.words else {}),
        **files.read_json(_note(workspace, name), "said"),
        "data": f"tables/{plan.tables.get(module.TABLES[0], module.TABLES[0])}.csv",
        "code": {"path": f"report/drawing/figures/{plan.module}.py", "function": "draw"},
    }


def _files(workspace: Workspace, name: str, plan: Plan, languages: Sequence[str]) -> list[Path]:
    """Return the files of a figure, its note among them; of one that is not drawn yet, the SVGs."""
    places = itertools.product(languages, range(len(_parts(plan))), SCHEMES)
    return [*(_path(workspace, name, *which) for which in places), _note(workspace, name)]


def _note(workspace: Workspace, name: str) -> Path:
    """Return the note of what words say of a figure, which takes its tables to find out."""
    return workspace.drawn / f"{name}.figure.json"


def _path(workspace: Workspace, name: str, language: str, place: int, scheme: str) -> Path:
    """Return the file of one variant of a picture."""
    paths = _paths(workspace, name, language, place, scheme)
    return next((path for path in paths if path.exists()), paths[0])


def _paths(workspace: Workspace, name: str, language: str, place: int, scheme: str) -> list[Path]:
    """Return the files that one variant of a picture may become."""
    stem = f"{name}{f'-{place + 1}' if place else ''}{SCHEMES[scheme]}"
    return [workspace.figures / language / f"{stem}{kind}" for kind in ENDINGS]
