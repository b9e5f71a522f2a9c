"""In Chromium: what somebody writes into a title never runs, and the policy of each page hinders nothing of ours."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT, TINY, Build
from playwright.sync_api import Browser, Page

from benchmarks.serving import serve
from report.site import article, offline, pages
from report.site import mkdocs as site
from report.workspace import Workspace

# Each did run on every page, or was cut.
TITLES = [
    'Zebra "><script>document.documentElement.dataset.alive=1</script>',
    "Zebra <img src=x onerror=document.documentElement.dataset.alive=1> or b | e",
    'Zebra "best" study',
]
POLICY = 'meta[http-equiv="Content-Security-Policy"]'


def listen(page: Page) -> list[str]:
    """Return a list to which what the page complains of is added."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


@pytest.fixture(scope="module")
def copied(tiny_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with a copy of the tiny build."""
    folder = tmp_path_factory.mktemp("titled #1")  # as people name folders
    place = Workspace(ROOT, folder / "build", folder / "site")
    shutil.copytree(tiny_build.workspace.build, place.build)
    return place


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page of a reader who has not been here before."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("title", TITLES)
def test_a_title_is_a_text_on_every_page(copied: Workspace, tiny_build: Build, page: Page, title: str) -> None:
    """In the head, the header, the navigation, the search, the page itself, and where a link to it is shown."""
    settings = replace(tiny_build.settings, title=title, url="https://x.example/a", repository="https://x.example/b")
    pages.write(copied, settings, article.contents(copied, settings, TINY.read_bytes()))
    site.build(copied, settings)
    names = [path.relative_to(copied.site).as_posix() for path in sorted(copied.site.rglob("*.html"))]
    assert len(names) > 10
    with serve(copied.site, "/a/") as address:
        for name in names:
            page.goto(address + name)
            assert page.evaluate("document.documentElement.dataset.alive") is None, name
            assert title in page.title()
            assert page.locator(".md-header__topic").first.inner_text() == title
            assert page.locator("meta[property='og:site_name']").get_attribute("content") == title
        page.goto(f"{address}index.html")
        assert page.locator("meta[property='og:title']").get_attribute("content") == title
        assert page.locator("h1").inner_text().removesuffix("¶").strip() == title
        page.keyboard.press("f")
        page.locator(".md-search__input").type("zebra")
        assert title in page.locator(".md-search-result__item").first.inner_text()
        assert page.evaluate("document.documentElement.dataset.alive") is None


def test_every_page_says_what_may_run(page: Page, address: str, folder: Path) -> None:
    """Scripts of the site alone; what is put into a page later does not run, as if somebody had found a way in."""
    for path in sorted(folder.rglob("*.html")):
        assert path.read_text(encoding="utf-8").count("http-equiv") == 1, path
    page.goto(f"{address}index.html")
    policy = page.locator(POLICY).get_attribute("content") or ""
    scripts = policy.split("script-src ")[1].split(";")[0].split()
    assert scripts[0] == "'self'"
    assert all(re.fullmatch(r"'sha256-[\w+/]{43}='", each) for each in scripts[1:])
    heard = listen(page)
    page.evaluate(
        """() => {
            const put = (name, more) => document.body.append(Object.assign(document.createElement(name), more));
            put("script", { textContent: "document.documentElement.dataset.alive = 1" });
            put("script", { src: "data:text/javascript,document.documentElement.dataset.alive=2" });
            const found = "<img src=x: onerror='document.documentElement.dataset.alive = 3'>";
            document.body.insertAdjacentHTML("beforeend", found);
            put("iframe", { src: "https://elsewhere.example/" });
        }"""
    )
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.dataset.alive") is None
    assert sum("Content Security Policy" in line for line in heard) >= 4


def test_an_offline_copy_works_under_its_policy(copied: Workspace, tiny_build: Build, page: Page) -> None:
    """From the file system, in a folder with a space and a #: player, search, both languages, without a complaint."""
    pages.write(copied, tiny_build.settings, article.contents(copied, tiny_build.settings, TINY.read_bytes()))
    archive = offline.pack(copied, tiny_build.settings)
    home = copied.build / "unpacked"
    shutil.unpack_archive(archive, home)
    folder = home / offline.NAME
    heard = listen(page)
    for name in ("explore.html", "ja/index.html"):
        page.goto((folder / name).as_uri())
        assert page.locator(POLICY).count() == 1
    page.goto((folder / "explore.html").as_uri())
    page.locator("weight-player[data-state=open]").wait_for()
    page.keyboard.press("f")
    page.locator(".md-search__input").type("momentum")
    page.locator(".md-search-result__item").first.wait_for()
    assert heard == []
