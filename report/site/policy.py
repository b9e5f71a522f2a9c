"""What a page may run: the site's own scripts and nothing else. A browser is told so by a Content-Security-Policy.

Scripts within a page are allowed by their hash, which only the theme's templates can have put there: a page's own
content, between marks that nobody can guess, holds no script, handler or frame, or the site is not built.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

from report import files
from report.errors import ReportError

SCRIPTS = ("", "text/javascript", "module", "importmap")  # types of elements that run; others hold data
FOREIGN = frozenset({"script", "style", "iframe", "frame", "object", "embed", "base", "meta", "link", "form"})
ADDRESSES = frozenset({"href", "src", "action", "formaction", "poster", "data", "srcdoc", "xlink:href", "srcset"})
LIVE = re.compile(r"(?!data:image/(?:png|gif|svg\+xml)[;,])(?:javascript|vbscript|data):", re.IGNORECASE)
BLANK = re.compile(r"[\x00-\x20]+")  # what browsers leave out of an address
ALLOWED = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # pictures have their sizes in an attribute
    "img-src": "'self' data: blob:",  # the theme's icons are part of its style sheets; a film that plays has a blob
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
# From the file system a page is its own site in some browsers alone, and modules are addresses with their content.
OFFLINE = {"default-src": " file:", "script-src": " file: data:", "style-src": " file:", "img-src": " file:"}


HEADER = 'http-equiv="Content-Security-Policy"'  # what makes a browser heed a page's <meta>


class Policy:
    """Mark what the theme's templates put around, and look at the pages when they are built.

    Attributes:
        place: where a page says what is allowed.
        begin: a mark before what is no template's.
        end: a mark after it.
    """

    def __init__(self, *, offline: bool) -> None:
        """Make marks of this build; they are in no page when it is done."""
        token = secrets.token_hex(16)
        self.place, self.begin, self.end = (f"<!--{name} {token}-->" for name in ("policy", "begin", "end"))
        self._offline = offline

    def apply(self, site: Path, examined: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Write into every page below `site` what is allowed there.

        Args:
            site: where the pages are.
            examined: hashes of the scripts within pieces of pages, by the digests of these, which are not looked
                through again. What is no template's was found to run nothing.

        Returns:
            The same of all pieces.

        Raises:
            ReportError: when the content of a page would run anything.
        """
        every: dict[str, list[str]] = {}
        for path in sorted(site.rglob("*.html")):
            text = path.read_text(encoding="utf-8")
            around, *contents = re.split(f"{self.begin}(.*?){self.end}", text, flags=re.DOTALL)
            for place, content in enumerate(contents):
                if place % 2:
                    around += content
                    continue
                digest = _digest(content)
                every[digest] = []
                if digest not in examined and (found := Looker(content).alive):
                    raise ReportError(f"{path.relative_to(site).as_posix()}: its content must run nothing: {found[0]}")
            around = around.replace(self.place, "")
            digest = _digest(around)
            hashes = every[digest] = examined.get(digest) or sorted({_hash(each) for each in Looker(around).scripts})
            whole = text.replace(self.begin, "").replace(self.end, "").replace(self.place, self._meta(hashes))
            files.write_text(path, whole)
        return every

    def _meta(self, hashes: list[str]) -> str:
        parts = {name: f"{value}{OFFLINE.get(name, '') if self._offline else ''}" for name, value in ALLOWED.items()}
        parts["script-src"] = " ".join([parts["script-src"], *hashes])
        said = "; ".join(f"{name} {value}" for name, value in parts.items())
        return f'<meta {HEADER} content="{said}">'


class Looker(HTMLParser):
    """Find what runs in a piece of a page.

    Attributes:
        scripts: the texts of the scripts within it.
        alive: descriptions of what no content may hold.
    """

    def __init__(self, text: str) -> None:
        """Read the piece."""
        super().__init__(convert_charrefs=True)
        self.scripts: list[str] = []
        self.alive: list[str] = []
        self._is_script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        given = {name: value or "" for name, value in attrs}
        self._is_script = tag == "script" and "src" not in given and given.get("type", "").lower() in SCRIPTS
        if self._is_script:
            self.scripts.append("")
        handlers = [name for name in given if name.startswith("on")]
        live = [
            name for name in given if name in ADDRESSES and (name == "srcdoc" or LIVE.match(BLANK.sub("", given[name])))
        ]
        if tag in FOREIGN or handlers or live:
            self.alive.append((self.get_starttag_text() or tag)[:120])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that is written as an empty one; to a browser a script is none."""
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        """Keep the text of a script."""
        if self._is_script:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a script."""
        self._is_script = False


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
