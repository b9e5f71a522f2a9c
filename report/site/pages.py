"""Words and facts become Markdown: everything that MkDocs reads, and nothing else, lies in `build/docs` then.

Figures, animations and the player's data are drawn there by the stage before; all other files of the folder are
written here, and what an earlier build left is removed.
"""

import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2

from report import files
from report.errors import ReportError
from report.products import Product, digest, kept_files
from report.site import downloads
from report.site.formula import formula
from report.site.links import source_lines, to_source
from report.site.settings import Settings
from report.site.words import Words, join_lines
from report.workspace import DRAWN, Workspace

OVERRIDES = "overrides"  # folder of site_src that MkDocs takes from there
MACROS = "_macros.md.j2"  # what every template can call, in every language
SCRIPTS = ("player", "film", "enlarge", "access", "hand")  # sections of interface.toml that scripts read

Facts = Mapping[str, Any]
Make = Callable[[Sequence[Product]], object]


@dataclass(frozen=True)
class Contents:
    """Say what a site consists of: the article's (site/article.py), or that of a report on one's own network.

    Attributes:
        templates: of the pages, with the path of each below the folder of its language.
        known: what templates can name, in any language.
        offered: files for download, by their path below build/docs.
        notice: the template of what stands above every page; empty for nothing.
        card: the path below build/docs of what stands for the site where a link to it is shown; empty for nothing.
        more_words: sections of interface.toml that say something else than those of scripts, by the names of these.
    """

    templates: Mapping[str, str]
    known: Facts
    offered: Mapping[str, bytes]
    notice: str = ""
    card: str = ""
    more_words: Mapping[str, str] = field(default_factory=dict)


def each_in_turn(products: Sequence[Product]) -> None:
    """Make products, whether or not they are stale."""
    for product in products:
        product.work()


def write(workspace: Workspace, settings: Settings, contents: Contents, make: Make = each_in_turn) -> None:
    """Write all pages and what they link to into `build/docs`.

    Args:
        workspace: has facts, tables and pictures.
        settings: of the site.
        contents: which pages, and what they know.
        make: is given the pages as products, and makes those that are stale.

    Raises:
        ReportError: when an earlier stage has not run, or a template is wrong.
    """
    written = {**contents.offered, **dict(_sources(workspace))}
    known = digest(repr(contents.known), asdict(settings), source_lines(workspace))
    pages: list[Product] = []
    shown: dict[str, Any] = {"card": contents.card, "notice": {}, "words": {}}
    for language in settings.languages:
        words = Words.load(workspace.templates, language, workspace.compiled)
        edition = Edition(workspace, settings, words, contents.known)
        pages += edition.pages(contents.templates, known)
        shown["notice"][language] = edition.fill(contents.notice).strip() if contents.notice else ""
        shown["words"][language] = {name: words.section("interface", name) for name in ("site", *SCRIPTS)}
        for name, other in contents.more_words.items():
            shown["words"][language][name] |= words.section("interface", other)
    make(pages)
    for path, data in written.items():
        files.write_bytes(workspace.docs / path, data)
    files.write_json(workspace.site_settings, shown)
    _remove_strangers(workspace, {*written, *(page.name for page in pages)})


def describe(offered: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what templates can name of files for download: `downloads` by file, `tables` by table."""
    found = {PurePosixPath(path).name: downloads.describe(path, data) for path, data in offered.items()}
    tables = {PurePosixPath(name).stem: file for name, file in found.items() if name.endswith(".csv")}
    return {"downloads": found, "tables": tables}


def _sources(workspace: Workspace) -> Iterator[tuple[str, bytes]]:
    """Yield the hand-written files of the site, by their path below build/docs."""
    for path in kept_files(workspace.site_src):
        name = path.relative_to(workspace.site_src)
        if name.parts[0] != OVERRIDES:
            yield name.as_posix(), path.read_bytes()


class Edition:
    """Fill the templates of one language."""

    def __init__(self, workspace: Workspace, settings: Settings, words: Words, known: Facts) -> None:
        """Take what all pages of the language share.

        Args:
            workspace: where templates are.
            settings: of the site.
            words: of the language.
            known: what templates can name.
        """
        self.language = words.language
        self.folder = "" if words.language == settings.languages[0] else f"{words.language}/"
        self._workspace, self._words, self._known = workspace, words, known
        environment = words.environment
        environment.filters["table_lines"] = lambda rows: len(rows.splitlines()) - 1
        environment.globals.update(
            formula=formula,
            source=to_source(workspace, settings.repository),
            word=lambda file, section, key, **facts: words.fill(file, section, key, {**known, **facts}),
            said=lambda question, answer: words.fill("article", question, answer, known),
            label=lambda section, key: words.section("interface", section)[key],
        )

    def pages(self, templates: Mapping[str, str], known: str) -> Iterator[Product]:
        """Yield the pages as products: each is called by its path below build/docs.

        Args:
            templates: of the pages, see `Contents`.
            known: a digest of what all pages know.
        """
        home, shared = self._workspace.templates / self.language, self._workspace.templates
        every = [*kept_files(home), *(path for path in kept_files(shared) if path.parent == shared)]
        # Which words and macros a page takes is not looked into: when one of these files changes, all are filled anew.
        common = [path for path in every if path not in {home / name for name in templates}]
        all_take = digest(known, [path.relative_to(shared).as_posix() for path in common], *common)
        for name, path in templates.items():
            place = self._workspace.docs / self.folder / path
            yield Product(
                name=self.folder + path,
                modules=(__name__,),
                inputs=functools.partial(list, [self.language, all_take, home / name]),
                outputs=functools.partial(list, [place]),
                work=functools.partial(self._write, name, place),
                libraries=("jinja2",),
            )

    def _write(self, name: str, place: Path) -> None:
        files.write_text(place, self.page(name))

    def page(self, name: str) -> str:
        """Return template `name`, filled, as Markdown."""
        # Loops and conditions leave runs of empty lines; Markdown needs one.
        return join_lines(re.sub(r"\n{3,}", "\n\n", self.fill(name))).strip() + "\n"

    def fill(self, name: str, **more: Any) -> str:
        """Return template `name`, filled with what all pages know and with `more`.

        Raises:
            ReportError: one line with the template, its line and what is wrong there.
        """
        environment = self._words.environment
        # From a page of another language than the first, pictures lie one folder up.
        root = "../" if self.folder else ""
        known = {**self._known, "language": self.language, "root": root, "loading": _loading(), **more}
        try:
            macros = environment.get_template(MACROS).make_module(known)
            callables = {key: value for key, value in vars(macros).items() if isinstance(value, jinja2.runtime.Macro)}
            return environment.get_template(name).render({**known, **callables})
        except jinja2.TemplateSyntaxError as error:
            raise ReportError(f"{error.filename or error.name}, line {error.lineno}: {error.message}.") from error
        except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise ReportError(f"{_place(error) or name}: {error}.") from error


def _place(error: BaseException) -> str:
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


def _remove_strangers(workspace: Workspace, content: Collection[str]) -> None:
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
