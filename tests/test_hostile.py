"""Texts that others wrote reach pages as texts: no string that anybody can give becomes an element or a script."""

import html
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, TINY, Build, Own, run_report
from recordings import noise, write_recording

from report import files
from report.console import Console
from report.errors import ConfigError, ReportError
from report.making import own
from report.recording.schema import Note
from report.site import article, pages
from report.site import mkdocs as site
from report.site.policy import HEADER, Looker
from report.workspace import Workspace

MARK = "hx7"  # is in every hostile string, and nowhere else
PIECES = [
    '"><script>hx7()</script>',
    "'><img src=x onerror=hx7()>",
    "</title></script><script>hx7()</script>",
    "`</code><svg onload=hx7()>`",
    "[hx7](javascript:hx7())",
    "![hx7](x onerror=hx7())",
    "<hx7>",
    "&lt;script&gt;hx7()&#60;hx7&#x3e;",
    '{: onclick="hx7()" .hx7 }',
    "{{ hx7 }}{% hx7 %}{# hx7",
    "<!-- hx7",
    "]]><hx7 ",
    "<a href=javascript:hx7()>",
    "<details open ontoggle=hx7()>",
    "| hx7 | <b hx7>",
    "\\<hx7 \\\\<hx7",
    "\n\n    <script>hx7()</script>\n\n```\n<hx7>\n~~~\n",
    '\r!!! note "<hx7>"\n# <hx7>\n',
    "[^1]: <hx7>\n*[x]: <hx7>",
    "$\\frac{hx7}$ ^hx7_{hx7",
    "<style>@import hx7</style>",
    "<hx7 onclick=",
    "\x00\x08\x1b[31m<hx7>\u2028<hx7>\u202e",
    "%22%3E<hx7>",
]
GIVEN = {"id", "for", "name", "title", "alt", "aria-label", "content", "value", "data-clipboard-text", "placeholder"}


def hostile(count: int, seed: int = 0) -> Iterator[str]:
    """Yield strings in which every piece comes, in an order of chance."""
    chance = random.Random(seed)
    pieces = chance.sample(PIECES, len(PIECES))
    for place in range(count):
        yield "".join(pieces[place::count])


class Watch(HTMLParser):
    """Note where in a page the mark is more than text."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__()
        self.alive: list[str] = []
        self.said = ""
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Note an element that the mark made, or that would run it."""
        given = {name: value or "" for name, value in attributes}
        self._within = "data" if given.get("type") == "application/json" else tag
        marked = {name for name, value in given.items() if MARK in value and name not in GIVEN}
        links = {name for name in marked if given[name].startswith(("#", "tensors.html#", "../")) or "%" in given[name]}
        if MARK in tag or MARK in "".join(given) or marked - links or any(name.startswith("on") for name in given):
            self.alive.append(self.get_starttag_text())

    def handle_data(self, data):
        """Keep what is said, and note scripts and styles that hold it."""
        if MARK in data and self._within in ("script", "style"):
            self.alive.append(data)
        self.said += data


def watch(folder: Path, least: int) -> None:
    """Look at every page of a site; the mark must have reached so many of them."""
    reached = 0
    for path in sorted(folder.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        found = Watch(text)
        assert found.alive == [], path.relative_to(folder)
        reached += MARK in found.said
        assert HEADER in text
    for path in sorted(folder.rglob("search_index.json")):
        for entry in files.read_json(path)["docs"]:  # Material's script puts both into the page as HTML
            assert Watch(entry["title"]).alive == Watch(entry["text"]).alive == [], entry["location"]
    assert reached >= least


@pytest.mark.slow
def test_recordings_that_others_made_say_what_they_say(tmp_path: Path) -> None:
    """Names of tensors, modules, optimizers, labels, series, notes, of the folder and in the title."""
    texts = hostile(9)
    shapes = {"a." + next(texts): (4, 6), next(texts) + ".b": (4,), "plain": (3, 4)}
    title = re.sub(r"[\x00-\x1f\u2028\u202e]", "", next(texts))
    weights, gradients = noise(shapes, 40)
    weights["plain"][20:] = float("nan")  # something stands out, and is named
    kind, optimizer, label, series, note, data = texts
    folder = tmp_path / """m"><img src=x onerror=hx7()>'#"""
    write_recording(
        folder,
        weights,
        gradients,
        label=label,
        rules=[(optimizer, {"lr": 0.1, "momentum": 0.9})],
        kinds=dict.fromkeys(shapes, kind),
        series={series: 1 / (1.0 + np.arange(40))},
        notes=[Note("loop", note, 3)],
        about={"data": data, data: {"title": data}},
    )
    for language in ("en", "ja"):
        done = run_report(
            *("show", str(folder), "--title", title, "--language", language, "--site", str(tmp_path / "site")),
            OMP_NUM_THREADS="1",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        watch(tmp_path / "site", least=6)
        index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
        assert html.unescape(re.search(r"<title>(.*?)</title>", index)[1]) == title.strip()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_titles_and_reasons_of_the_article_are_texts(tiny_build: Build, tmp_path: Path, seed: int) -> None:
    """Also what the network said when no data could be had, why a run failed, and comments in the experiment's file."""
    place = Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    shutil.copytree(tiny_build.workspace.build, place.build)
    title, *texts = hostile(4, seed)
    title = re.sub(r"[\x00-\x1f\u2028\u202e]", "", title)
    facts = files.read_json(place.facts)
    facts["study"]["data"]["reason"] = texts[0]
    facts["study"]["missing"] = [{"run": texts[1], "reason": texts[0]}]
    files.write_json(place.facts, facts)
    comments = "\n".join(
        f"# {line}" for text in texts for line in ["```", "</div>", "~~~", *text.splitlines(), "``````"]
    )
    said = f"```\n<hx7>\n{comments}\n".encode() + TINY.read_bytes()
    settings = replace(tiny_build.settings, title=title, url="https://x.example/a", repository="https://x.example/b")
    pages.write(place, settings, article.contents(place, settings, said))
    site.build(place, settings)
    watch(place.site, least=10)
    page = Watch((place.site / "reproduce.html").read_text(encoding="utf-8"))
    assert "``````" in page.said
    assert "[data]" in page.said


ALIVE = [
    "<script>1</script>",
    "<p onclick=x>",
    "<a href=' JavaScript:x'>",
    '<a href="java\tscript:x">',
    "<iframe>",
    "<form>",
    "<base href=x>",
    "<img src=data:text/html,x>",
    "<svg><a xlink:href='javascript:x'>",
    "<meta http-equiv=refresh>",
]


@pytest.mark.slow
@pytest.mark.parametrize("text", ALIVE)
def test_a_content_that_runs_anything_stops_the_build(tmp_path: Path, own_report: Own, text: str) -> None:
    """Whatever let it in: the page and the element are named, and the site that was there stays."""
    assert Looker(text).alive
    if text != ALIVE[0]:
        return
    place = Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    shutil.copytree(own_report.workspace.build, place.build)
    page = place.docs / "method.md"
    page.write_text(page.read_text(encoding="utf-8") + f"\n{text}\n", encoding="utf-8")
    files.write_text(place.site / "index.html", "the site before")
    with pytest.raises(ReportError, match=r"method\.html: its content must run nothing: <script>"):
        site.build(place, site.Settings("A title"))
    assert (place.site / "index.html").read_text() == "the site before"


@pytest.mark.parametrize(
    "text", ['<img src="data:image/png;base64,x">', '<a href="x.html#on">', "<p title='<script>'>"]
)
def test_what_runs_nothing_is_let_in(text: str) -> None:
    """The rule above can be kept."""
    assert Looker(text).alive == []


@pytest.mark.parametrize("title", ["", " ", "two\nlines", "\x1b[31mred", "x" * 201])
def test_a_title_that_cannot_be_read_is_refused(tmp_path: Path, title: str) -> None:
    """Before anything is made; a folder's name is taken without what cannot be seen."""
    weights, gradients = noise({"a": (2, 2)}, 5)
    write_recording(tmp_path / "runs" / "mine\n\x1b", weights, gradients)
    with pytest.raises(ConfigError, match=r"^title: found '.*'; allowed: a text of up to 200 letters"):
        own.prepare([tmp_path / "runs"], Console(), title=title)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert own.title_of([tmp_path / "runs" / "mine\n\x1b"]) == "mine  "
