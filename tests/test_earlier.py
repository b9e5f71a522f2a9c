"""A site that is built again takes over what the earlier one has: the same bytes, and the same complaints."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, Build

from report.errors import ReportError
from report.site import mkdocs as site
from report.site import policy
from report.site.earlier import Earlier
from report.workspace import Workspace

pytestmark = pytest.mark.slow


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def place(tiny_build: Build, tmp_path: Path) -> Workspace:
    """Return a workspace with the tiny build's pages, of which the site has been built once."""
    place = Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    shutil.copytree(tiny_build.workspace.docs, place.docs)
    shutil.copy(tiny_build.workspace.site_settings, place.site_settings)
    site.build(place, tiny_build.settings)
    return place


def change(place: Workspace, text: str) -> None:
    """Add a line to the first page."""
    with (place.docs / "index.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{text}\n")


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return where it is noted which pages are converted."""
    from mkdocs.structure.pages import Page

    found: list[str] = []
    render = Page.render
    monkeypatch.setattr(Page, "render", lambda page, *rest: found.append(page.file.src_uri) or render(page, *rest))
    return found


@pytest.mark.parametrize("links", [True, False])
def test_what_changed_is_made_and_the_rest_is_taken_over(
    tiny_build: Build, place: Workspace, converted: list[str], links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One page is converted and one file copied; the site is the one that would come of nothing earlier."""
    if not links:

        def refuse(*_: object) -> None:
            raise OSError

        monkeypatch.setattr(os, "link", refuse)
    shutil.copytree(place.site, place.site.with_name("before"), copy_function=os.link if links else shutil.copy2)
    change(place, "A line more.")
    (place.docs / "assets" / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    taken = site.build(place, tiny_build.settings)
    assert converted == ["index.md"]
    here, there = place.site / "animations" / "network.gif", place.site.with_name("before") / "animations"
    assert os.path.samefile(here, there / "network.gif") == links
    assert ("animations/network.gif" in taken) == links
    assert not {"index.html", "assets/logo.svg"} & taken.keys()
    assert "<svg xmlns='http://www.w3.org/2000/svg'/>" in (place.site / "assets" / "logo.svg").read_text()
    again = contents(place.site)
    shutil.rmtree(place.site)
    shutil.rmtree(place.compiled)
    assert site.build(place, tiny_build.settings) == {}
    assert contents(place.site) == again


def test_damage_is_not_taken_over(tiny_build: Build, place: Workspace, converted: list[str]) -> None:
    """A file of the site that holds something else is copied; converted pages that do are converted anew."""
    good, film = contents(place.site), place.site / "animations" / "network.gif"
    film.write_bytes(b"GIF89a")
    kept = place.compiled / "pages"
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.write_bytes(content)
    site.build(place, tiny_build.settings)
    assert contents(place.site) == good
    assert "index.md" in converted
    assert len(Earlier(place.site, site.BYTE_BY_BYTE, kept)._known) == len(converted)


@pytest.mark.parametrize("change", [{"made by": "another version"}, {"made by": None}, {}])
def test_what_other_code_kept_is_of_no_use(
    tiny_build: Build, place: Workspace, converted: list[str], change: dict[str, object]
) -> None:
    """Another converter, index or policy made it, or it has another form: all pages are made anew."""
    kept = place.compiled / "pages"
    found = json.loads(kept.read_bytes().partition(b"\n")[2])
    content = json.dumps({**found, **change} if change else {"pages": {}}).encode()
    kept.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    site.build(place, tiny_build.settings)
    assert len(converted) == len(found["pages"])


def test_a_stricter_policy_holds_for_what_was_examined(
    tiny_build: Build, place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was looked through by these very rules is not looked through again."""
    monkeypatch.setattr(policy, "FOREIGN", frozenset({"h1"}))
    site.build(place, tiny_build.settings)  # the same code, as far as can be told
    monkeypatch.setattr("report.site.earlier.sys.version", "another")
    with pytest.raises(ReportError, match="must run nothing"):
        site.build(place, tiny_build.settings)


@pytest.mark.parametrize("text", ["[gone](no-such-page.md)", "[gone](method.md#no-such-place)"])
def test_what_was_refused_is_refused_again(tiny_build: Build, place: Workspace, text: str) -> None:
    """A page with a dead link is not taken for converted, however often it is tried."""
    change(place, text)
    for _ in range(2):
        with pytest.raises(ReportError, match="no-such"):
            site.build(place, tiny_build.settings)


def test_a_page_is_refused_when_its_target_goes(tiny_build: Build, place: Workspace) -> None:
    """It has not changed, but what it links to has."""
    (place.docs / "tables" / "extra.csv").write_text("a\n1\n", encoding="utf-8")
    change(place, "[all](tables/extra.csv) and [place](method.md#place)")
    method = place.docs / "method.md"
    text = method.read_text(encoding="utf-8")
    method.write_text(text + "\n## A place { #place }\n", encoding="utf-8")
    site.build(place, tiny_build.settings)
    method.write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match="#place"):
        site.build(place, tiny_build.settings)
    method.write_text(text + "\n## A place { #place }\n", encoding="utf-8")
    (place.docs / "tables" / "extra.csv").unlink()
    with pytest.raises(ReportError, match=r"extra\.csv"):
        site.build(place, tiny_build.settings)
