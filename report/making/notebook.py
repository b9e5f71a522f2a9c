"""`report.show(…)`: the overview of recordings in a notebook, one piece of HTML that needs nothing else.

Pictures are in it, styles hold within it, there is no script and no server. It is made from what
`python -m report show` makes, in the same hidden folder, so that what is fresh is not made again.
"""

import base64
import contextlib
import html
import mimetypes
import sys
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

from report.console import Console, Report, shell_line
from report.making import own
from report.making.alone import alone
from report.recording.reader import Recording
from report.recording.study import Study
from report.site import mkdocs, pages
from report.site.own import OVERVIEW, know
from report.site.words import Words

FRAME = "own/_notebook.html.j2"
DARK = "#only-dark"  # of the address of a picture; a notebook shows the light one, on paper of its own
LEFT_OUT = ("headerlink", "links", "away")  # classes of what leads out of the page
EMPTY = ("br", "hr", "img", "input", "wbr")  # elements without an end

Shown = str | Path | Recording | Study


class Overview:
    """Hold the overview of recordings; a notebook displays it.

    Attributes:
        html: one piece, to be put into any page.
    """

    def __init__(self, html: str, command: str) -> None:
        """Keep what is displayed, and the command that makes the whole report."""
        self.html = html
        self._command = command

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        """Return where there is more."""
        return f"<Overview; the whole report: {self._command}>"


def show(recordings: Shown | Iterable[Shown], *, title: str | None = None, language: str = "en") -> Overview:
    """Return the overview of recordings, which a notebook displays when it is the last line of a cell.

    Args:
        recordings: a recording, a study, the folder of either, or several of them. One that still grows is shown as far
            as it has come.
        title: above it; the names of the folders if it is not given.
        language: of its words.

    Raises:
        ReportError: one line, when there is no recording, one is damaged, or they do not belong together.
    """
    folders = list(_folders(recordings))
    report = own.prepare(folders, _Silent(), title=title, language=language)
    place, settings = report.workspace, report.settings()
    with alone(place):
        with _program_apart():
            report.make(own.OVERVIEW)
        command = shell_line(["python", "-m", "report", "show", *map(str, folders)])
        words = Words.load(place.templates, language, place.compiled)
        edition = pages.Edition(place, settings, words, know(place, settings, {}))
        place.docs.mkdir(exist_ok=True)  # of recordings without any picture it is not there yet
        page = _Piece(place.docs)
        page.feed(mkdocs.convert(place, settings, edition.page(OVERVIEW)))
        return Overview(edition.fill(FRAME, body=page.text, command=command).strip(), command)


@contextlib.contextmanager
def _program_apart() -> Iterator[None]:
    """Keep worker processes from running the program that calls us once more, as each does with what is in a file.

    It may train. Nothing that they work on comes from there.
    """
    program = sys.modules["__main__"]
    kept = {name: getattr(program, name) for name in ("__file__", "__spec__") if hasattr(program, name)}
    try:
        for name in kept:
            setattr(program, name, None)
        yield
    finally:
        for name, value in kept.items():
            setattr(program, name, value)


def _folders(recordings: Shown | Iterable[Shown]) -> Iterator[Path]:
    if isinstance(recordings, str | Path):
        yield Path(recordings)
    elif isinstance(recordings, Recording):
        yield recordings.path
    elif isinstance(recordings, Study):
        yield from (each.path for each in recordings.recordings)
    else:
        for each in recordings:
            yield from _folders(each)


class _Silent(Console):
    """Say nothing but warnings: the output of a cell is the overview."""

    def say(self, line: str) -> None:
        if line.startswith("WARNING"):
            super().say(line)

    @contextlib.contextmanager
    def progress(self) -> Iterator[Report]:
        yield lambda done, total, what: None


class _Piece(HTMLParser):
    """Make of a page's HTML a piece that needs nothing beside it: pictures within, and no links to other pages."""

    def __init__(self, docs: Path) -> None:
        """Take the folder that the page's addresses are relative to."""
        super().__init__(convert_charrefs=False)
        self._docs = docs
        self._parts: list[str] = []
        self._open: list[str] = []  # elements, "" for one that is left out

    @property
    def text(self) -> str:
        """Return what was made."""
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attributes: Sequence[tuple[str, str | None]]) -> None:
        """Write a tag, unless it or what it is in is left out."""
        given = {name: value or "" for name, value in attributes if name != "id"}
        gone = self._is_gone or any(each in LEFT_OUT for each in given.get("class", "").split())
        if tag in EMPTY:
            if not gone and not given.get("src", "").endswith(DARK):
                self._write(tag, given)
            return
        link = given.get("href", "")
        is_inner = tag == "a" and not link.startswith("http")
        self._open.append("" if gone else "span" if is_inner else tag)
        if not gone:
            self._write(self._open[-1], {} if is_inner else given)

    def handle_endtag(self, tag: str) -> None:
        """End what is open."""
        if tag not in EMPTY and self._open and (written := self._open.pop()):
            self._parts.append(f"</{written}>")

    def handle_data(self, data: str) -> None:
        """Write text."""
        if not self._is_gone:
            self._parts.append(data)

    def handle_entityref(self, name: str) -> None:
        """Write a named character."""
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """Write a numbered character."""
        self.handle_data(f"&#{name};")

    @property
    def _is_gone(self) -> bool:
        return "" in self._open

    def _write(self, tag: str, attributes: dict[str, str]) -> None:
        if "src" in attributes:
            path = self._docs / attributes["src"].partition("#")[0]
            kind = mimetypes.guess_type(path.name)[0]
            attributes["src"] = f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
        written = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes.items())
        self._parts.append(f"<{tag}{written}>")
