"""The words of one language: what stands in `templates/<language>/words/*.toml`, filled with facts by name.

Figures' captions, findings and the like are short templates of Jinja; the labels of drawings and what scripts say are
plain texts, handed over by the section.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from jinja2.ext import Extension

from report import wording
from report.errors import ReportError

FOLDER = "words"
TAG = r"(?:\{%(?:(?!%\}).)*%\}|\{#(?:(?!#\}).)*#\})"  # a block's beginning or end, or a comment
TEXT_BEFORE_TAG = re.compile(rf"^(?!(?:\s|{TAG})*$)(.*[^-+])%\}}$", re.MULTILINE)
WIDE = r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]"  # what Chinese and Japanese write without spaces between words
LINE_END = re.compile(rf"(?<={WIDE})\n(?={WIDE})")
STOP_AT_END = re.compile(r"(?<=[、。：）」])\n")  # has its own room, whatever comes next


class KeepLineEnds(Extension):
    """Keep the end of a line that has text and ends with a tag; Jinja's trim_blocks would glue the next word to it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Mark such tags as ones after which nothing is trimmed; lines keep their numbers."""
        return TEXT_BEFORE_TAG.sub(r"\1+%}", source)


class Words:
    """Hold the words of one language.

    Attributes:
        language: name of the folder of templates.
        environment: Jinja's, for whole pages too: an unknown name is an error, never an empty text.
    """

    def __init__(
        self, templates: Path, language: str, files: Mapping[str, wording.Sections], compiled: Path | None
    ) -> None:
        """Keep what was read; nothing is compiled before it is asked for."""
        self.language = language
        self._folder = templates / language
        self._files = files
        texts = {
            self._name(file, section, key): text
            for file, sections in files.items()
            for section, keys in sections.items()
            for key, text in keys.items()
        }
        pages = jinja2.FileSystemLoader([self._folder, templates])  # what languages share stands above them
        self.environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader([jinja2.DictLoader(texts), pages]),
            bytecode_cache=None if compiled is None else cache(compiled),
            auto_reload=False,
            undefined=jinja2.StrictUndefined,
            # Most are Markdown, in which what comes from data goes through the filter "md" instead.
            autoescape=lambda name: (name or "").endswith(".html.j2"),
            extensions=[KeepLineEnds],
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        filters = wording.filters(language, self.section("interface", "wording"))
        self.environment.filters.update(filters)
        self.environment.globals.update(interval=filters["interval"])

    @classmethod
    def load(cls, templates: Path, language: str, compiled: Path | None = None) -> "Words":
        """Read the words of a language.

        Args:
            templates: the folder of all languages.
            language: a folder in it.
            compiled: where templates are kept as Jinja compiled them, which takes longer than to fill them.

        Raises:
            ReportError: one line with the file and what is wrong there.
        """
        folder = templates / language / FOLDER
        names = sorted(path.stem for path in folder.glob("*.toml"))
        return cls(templates, language, {name: wording.read(templates, language, name) for name in names}, compiled)

    def section(self, file: str, section: str) -> dict[str, str]:
        """Return a section's texts by their keys, as they are written.

        Raises:
            ReportError: when there is no such file or section.
        """
        if file not in self._files:
            raise ReportError(f"{self._path(file)}: there is no such file.")
        if section not in self._files[file]:
            raise ReportError(f"{self._path(file)}: there is no section [{section}].")
        return dict(self._files[file][section])

    def fill(self, file: str, section: str, key: str, facts: Mapping[str, Any]) -> str:
        """Return a text on one line, filled with facts.

        Raises:
            ReportError: when it is not there, is not a template, or names a fact that is not given.
        """
        try:
            text = self._template(file, section, key).render(facts)
        except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise ReportError(f"{self._path(file)}: [{section}] {key}: {error}.") from error
        return one_line(text)

    def _template(self, file: str, section: str, key: str) -> jinja2.Template:
        if key not in self.section(file, section):
            raise ReportError(f'{self._path(file)}: [{section}] has no "{key}".')
        return self.environment.get_template(self._name(file, section, key))

    def _name(self, file: str, section: str, key: str) -> str:
        """Return what a text is called among templates, of all languages."""
        return f"{self.language}/{FOLDER}/{file}/{section}/{key}"

    def _path(self, file: str) -> Path:
        return self._folder / FOLDER / f"{file}.toml"


def cache(folder: Path, module: Path = Path(__file__)) -> jinja2.FileSystemBytecodeCache:
    """Return a cache of compiled templates in `folder`; what a module makes of a source is part of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    code = hashlib.sha256(module.read_bytes()).hexdigest()[:8]
    return jinja2.FileSystemBytecodeCache(str(folder), f"%s-{code}")


def join_lines(text: str) -> str:
    """Return `text` without the line ends between two wide characters: browsers make them spaces, Japanese has none."""
    return LINE_END.sub("", text)


def one_line(text: str) -> str:
    """Return the lines of `text` as one; spaces that must not break stay."""
    lines = (line.strip(" \t") for line in text.splitlines())
    joined = join_lines("\n".join(line for line in lines if line))
    return STOP_AT_END.sub("", joined).replace("\n", " ")
