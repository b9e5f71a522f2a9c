"""Templates and results become Markdown: everything that MkDocs reads, and nothing else, lies in `build/docs` then.

Figures, animations and the player's data are drawn there by the stage before; all other files of the folder are
written here, and what an earlier build left is removed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2.ext import Extension
from latex2mathml.converter import convert

from report import files, wording
from report.analysis import results as analysed
from report.analysis.findings import claims
from report.drawing.player import pack as player
from report.errors import ReportError
from report.products import kept_files
from report.recording.study import Study
from report.site import card, downloads, evidence
from report.site.settings import Settings
from report.workspace import DRAWN, Workspace

OVERRIDES = "overrides"  # folder of site_src that MkDocs takes from there
MACROS = "_macros.md.j2"  # what every template can call
NOTICE = "_notice.html.j2"  # what stands above every page when the digits are the embedded sample
CARD = "assets/card.png"  # what stands for the site where a link to it is shown

TAG = r"(?:\{%(?:(?!%\}).)*%\}|\{#(?:(?!#\}).)*#\})"  # a block's beginning or end, or a comment
TEXT_BEFORE_TAG = re.compile(rf"^(?!(?:\s|{TAG})*$)(.*[^-+])%\}}$", re.MULTILINE)


class KeepLineEnds(Extension):
    """Keep the end of a line that has text and ends with a tag; Jinja's trim_blocks would glue the next word to it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Mark such tags as ones after which nothing is trimmed; lines keep their numbers."""
        return TEXT_BEFORE_TAG.sub(r"\1+%}", source)


def write(workspace: Workspace, study: Study, settings: Settings, experiment_file: Path) -> None:
    """Write all pages and what they link to into `build/docs`.

    Args:
        workspace: has results, tables and pictures.
        study: the recordings that they come from.
        settings: of the site.
        experiment_file: offered for download, and shown.

    Raises:
        ReportError: when an earlier stage has not run, or a template is wrong.
    """
    results = analysed.read(workspace)
    if not results["drawn"]:
        raise ReportError(
            "The article draws layers that are kept whole and follow one another, and this recording has none. "
            "Name neighbouring layers in recording.whole of the experiment file."
        )
    content = dict(downloads.gather(workspace, experiment_file))
    table = analysed.numbers(workspace, results)
    context = _context(workspace, study, settings, analysed.view(results, table), content)
    content.update(_sources(workspace))
    environment = _environment(workspace, settings)
    content.update(_pages(environment, context))
    first_drawn = next(film for film in context["animations"].values() if film["layer"] == results["drawn"][0])
    content[CARD] = card.draw(workspace.docs / first_drawn["poster"]["light"], settings.title)
    shown = {"notice": _fill(environment, NOTICE, context).strip(), "card": CARD}
    for path, data in content.items():
        files.write_bytes(workspace.docs / path, data)
    files.write_json(workspace.site_settings, shown)
    _remove_strangers(workspace, content)


def _sources(workspace: Workspace) -> Iterator[tuple[str, bytes]]:
    """Yield the hand-written files of the site, by their path below build/docs."""
    for path in kept_files(workspace.site_src):
        name = path.relative_to(workspace.site_src)
        if name.parts[0] != OVERRIDES:
            yield name.as_posix(), path.read_bytes()


def _context(
    workspace: Workspace,
    study: Study,
    settings: Settings,
    results: dict[str, Any],
    content: Mapping[str, bytes],
) -> dict[str, Any]:
    """Return what templates can name."""
    main = study.main
    timings = files.read_json(workspace.timings, default={})
    animations = files.read_json(workspace.animations_manifest)
    found = {finding["id"]: finding for finding in results["findings"]}
    offered = {Path(path).name: downloads.describe(path, data) for path, data in content.items()}
    return {
        "results": results,
        "findings": found,
        "explored": evidence.compare(results["findings"]),
        "own_claims": len(claims.OURS),
        "less_at_first": evidence.is_less_at_first(found["streaks"], results["study"]["late"]),
        "site": settings,
        "experiment_text": content["downloads/experiment.toml"].decode("utf-8").strip(),
        "run": results["main"],
        "layers": list(main.tensors),
        "sampled": max((each.count for each in main.tensors.values() if each.kept == "sample"), default=0),
        "recorded": main.description,
        # A bias for each output; biases are trained, and not recorded.
        "parameters": sum(tensor.size + tensor.matrix[0] for tensor in main.tensors.values()),
        "core_hours": sum(
            sum(files.read_json(each.path / "timings.json", "seconds")["seconds"].values())
            * each.description.platform.get("threads", 1)
            for each in study.recordings
        )
        / 3600,
        "training_seconds": files.read_json(main.path / "timings.json", "seconds")["seconds"],
        "stage_seconds": {name: timings[name] for name in ("train", "analyse", "draw") if name in timings},
        # Not timings.json, whose size is a matter of chance.
        "run_bytes": sum(path.stat().st_size for path in main.path.glob("*.np?")),
        "figures": files.read_json(workspace.figures_manifest),
        "animations": animations,
        "long_film": next((name for name in animations if name.startswith("network-")), None),
        "tables": {Path(name).stem: file for name, file in offered.items() if name.endswith(".csv")},
        "downloads": offered,
        "player_format": player.description(),
    }


def _environment(workspace: Workspace, settings: Settings) -> jinja2.Environment:
    """Return the Jinja environment of the site's language: an unknown name is an error, never an empty text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(workspace.templates / settings.languages[0]),
        undefined=jinja2.StrictUndefined,
        # Markdown, not HTML: what comes from data goes through the filter "md" instead.
        autoescape=False,
        extensions=[KeepLineEnds],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(wording.FILTERS, arranged=evidence.arrange)
    environment.globals.update(
        interval=wording.interval, formula=formula, source=_source_link(workspace, settings.repository)
    )
    return environment


def _pages(environment: jinja2.Environment, context: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the filled templates, by their path below build/docs."""
    for name in environment.list_templates():
        if name.endswith(".md.j2") and not name.startswith("_"):
            text = _fill(environment, name, context)
            # Loops and conditions leave runs of empty lines; Markdown needs one.
            text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
            yield name.removesuffix(".j2"), text.encode("utf-8")


def _fill(environment: jinja2.Environment, name: str, context: Mapping[str, Any]) -> str:
    """Return template `name`, filled.

    Raises:
        ReportError: one line with the template, its line and what is wrong there.
    """
    known = {**context, "loading": _loading()}
    try:
        macros = environment.get_template(MACROS).make_module(known)
        callables = {key: value for key, value in vars(macros).items() if isinstance(value, jinja2.runtime.Macro)}
        return environment.get_template(name).render({**known, **callables})
    except jinja2.TemplateSyntaxError as error:
        raise ReportError(f"{error.filename or error.name}, line {error.lineno}: {error.message}.") from error
    except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ReportError(f"{_place(environment, error) or name}: {error}.") from error


def _place(environment: jinja2.Environment, error: BaseException) -> str:
    """Return the template and the line in which `error` arose; the last one of those it went through."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith(".j2"):
            places.append(f"{file}, line {trace.tb_lineno}")
        trace = trace.tb_next
    return places[-1] if places else ""


def _loading() -> Callable[[], str]:
    """Return a function that says how a page's next picture is loaded: the first at once, others when in sight."""
    answers = iter(["eager"])
    return lambda: next(answers, "lazy")


def source_lines(workspace: Workspace) -> dict[str, int]:
    """Return the line in which the code of each figure and animation begins, by its path and function.

    They are looked up whenever pages are written, not when something is drawn: links follow the code.
    """
    manifests = (workspace.figures_manifest, workspace.animations_manifest)
    places = [entry["code"] for path in manifests for entry in files.read_json(path, default={}).values()]
    return {f"{place['path']}:{place['function']}": _line_of(workspace, place) for place in places}


def _line_of(workspace: Workspace, place: Mapping[str, str]) -> int:
    lines = (workspace.package.parent / place["path"]).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(f"def {place['function']}("))


def _source_link(workspace: Workspace, repository: str) -> Callable[[Mapping[str, str]], str]:
    """Return a function that turns {"path", and perhaps "function"} into an address; "" without a repository."""

    def link(place: Mapping[str, str]) -> str:
        # HEAD is the default branch, whatever its name.
        line = f"#L{_line_of(workspace, place)}" if "function" in place else ""
        return f"{repository}/blob/HEAD/{place['path']}{line}" if repository else ""

    return link


def formula(latex: str, block: bool = False) -> str:
    r"""Return a formula as MathML, which browsers draw without a script.

    Args:
        latex: as in LaTeX's mathematics mode: r"\frac{a}{b}".
        block: on a line of its own instead of within the text.
    """
    mathml = str(convert(latex, display="block" if block else "inline"))
    # Characters that Markdown would take for its own become entities; those of tags stay as they are.
    pieces = re.split(r"(<[^>]*>|&#?\w+;)", mathml)
    safe = "".join(piece if piece[:1] in ("<", "&") else wording.markdown(piece) for piece in pieces)
    if block:
        return f'<div class="formula">{safe}</div>'
    # The wrapper keeps Markdown from taking <math> at the start of a line for a block; the word joiner keeps a full
    # stop from falling to the next line.
    return f'<span class="formula">{safe}&#8288;</span>'


def _remove_strangers(workspace: Workspace, content: Mapping[str, bytes]) -> None:
    """Remove from build/docs what no stage writes any more, or the site would still publish it."""
    docs = workspace.docs
    for path in sorted(docs.rglob("*"), reverse=True):
        name = path.relative_to(docs)
        if name.parts[0] in DRAWN:
            continue
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif name.as_posix() not in content:
            path.unlink()
