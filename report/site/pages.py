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
from report.config import Experiment
from report.drawing.player import pack as player
from report.errors import ReportError
from report.recording import Recording
from report.site import card, downloads, evidence
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


def write(workspace: Workspace, experiment: Experiment, experiment_file: Path) -> None:
    """Write all pages and what they link to into `build/docs`.

    Raises:
        ReportError: when an earlier stage has not run, or a template is wrong.
    """
    results = files.read_json(workspace.results)
    recording = Recording.open(workspace.run(results["main"]))
    content = dict(downloads.gather(workspace, experiment_file, recording))
    context = _context(workspace, experiment, results, recording, content)
    content.update(_sources(workspace))
    environment = _environment(workspace, experiment)
    content.update(_pages(environment, context))
    first_drawn = context["animations"][f"layer-{experiment.recording.whole[0].removeprefix('l')}"]
    content[CARD] = card.draw(workspace.docs / first_drawn["poster"]["light"], experiment.site.title)
    settings = {"notice": _fill(environment, NOTICE, context).strip(), "card": CARD}
    for path, data in content.items():
        files.write_bytes(workspace.docs / path, data)
    files.write_json(workspace.site_settings, settings)
    _remove_strangers(workspace, content)


def _sources(workspace: Workspace) -> Iterator[tuple[str, bytes]]:
    """Yield the hand-written files of the site, by their path below build/docs."""
    for path in sorted(workspace.site_src.rglob("*")):
        name = path.relative_to(workspace.site_src)
        if path.is_file() and name.parts[0] != OVERRIDES and not any(part.startswith(".") for part in name.parts):
            yield name.as_posix(), path.read_bytes()


def _context(
    workspace: Workspace,
    experiment: Experiment,
    results: dict[str, Any],
    recording: Recording,
    content: Mapping[str, bytes],
) -> dict[str, Any]:
    """Return what templates can name."""
    timings = files.read_json(workspace.timings, default={})
    offered = {Path(path).name: downloads.describe(path, data) for path, data in content.items()}
    return {
        "results": results,
        "findings": {finding["id"]: finding for finding in results["findings"]},
        "experiment": experiment,
        "experiment_text": content["downloads/experiment.toml"].decode("utf-8").strip(),
        "run": results["main"],
        "layers": experiment.layers,
        "recorded": recording.meta,
        "training_seconds": recording.seconds,
        "stage_seconds": {name: timings[name] for name in ("train", "analyse", "draw") if name in timings},
        # Not timings.json, whose size is a matter of chance.
        "run_bytes": sum(path.stat().st_size for path in recording.path.glob("*.np?")),
        "figures": files.read_json(workspace.figures_manifest),
        "animations": files.read_json(workspace.animations_manifest),
        "tables": {Path(name).stem: file for name, file in offered.items() if name.endswith(".csv")},
        "downloads": offered,
        "player_format": player.description(),
    }


def _environment(workspace: Workspace, experiment: Experiment) -> jinja2.Environment:
    """Return the Jinja environment of the site's language: an unknown name is an error, never an empty text."""
    folder = workspace.templates / experiment.site.language
    if not folder.is_dir():
        found = ", ".join(workspace.languages)
        raise ReportError(f'site.language: there is no {folder}; found "{experiment.site.language}", allowed: {found}.')
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        # Markdown, not HTML: what comes from data goes through the filter "md" instead.
        autoescape=False,
        extensions=[KeepLineEnds],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(wording.FILTERS, arranged=evidence.arrange)
    environment.globals.update(interval=wording.interval, formula=formula, source=_source_link(experiment))
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


def _source_link(experiment: Experiment) -> Callable[[Mapping[str, Any]], str]:
    """Return a function that turns {"path", "line"} into an address in the repository, or "" without one."""
    repository = experiment.site.repository

    def link(place: Mapping[str, Any]) -> str:
        # HEAD is the default branch, whatever its name.
        return f"{repository}/blob/HEAD/{place['path']}#L{place['line']}" if repository else ""

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
