"""One browser and one served site for all tests here; every page is walked through once in each of its dresses."""

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Build
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from benchmarks import chromium
from benchmarks.serving import serve
from report import files, wording
from report.site import mkdocs as site
from report.workspace import Workspace

CHECKS = Path(__file__).parent
expect.set_options(timeout=30_000)  # ms, as long as Playwright waits otherwise: a busy machine fails nothing
SAID = wording.read(ROOT / "templates", "en", "interface")  # what scripts say on English pages
AXE = CHECKS / "node_modules" / "axe-core" / "axe.min.js"
# A folder for pictures of every page, where somebody wants to see them: SCREENSHOTS=build/screenshots make test
SCREENSHOTS = os.environ.get("SCREENSHOTS")
SIZES: dict[str, ViewportSize] = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
DRESSES = [(size, scheme) for size in SIZES for scheme in ("light", "dark")]
# Of the same page in another language: its words decide what fits, and colours are the same.
TRANSLATED = {("wide", "dark"), ("narrow", "light")}
MOUNT = "/repository/"

# Rules by tag, since target-size and others of WCAG 2.2 are not among those that axe-core runs unasked.
AXE_RUN = """axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"]})
    .then(({violations}) => violations.flatMap(({id, nodes}) => nodes.map((node) =>
        `${id}: ${node.target.join(" ")} ${node.html.slice(0, 160)} ${node.failureSummary}`)))"""
# Sizes and colours are measured when they have come to rest: the title in the header fades as the page is scrolled.
AT_REST = """async () => {
    for (let turn = 0; turn < 10; turn++) {
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const running = document.getAnimations().filter((each) => each.playState === "running");
        if (!running.length) return;
        for (const each of running) each.finish();
    }
}"""
# Whatever reaches out of the window and does not scroll in a box of its own, formulas too.
CUT_OFF = """() => [...document.querySelectorAll(".md-content *")].filter((element) => {
    const box = element.getBoundingClientRect();
    if (!element.checkVisibility() || box.width <= 1 || (box.right <= innerWidth + 1 && box.left >= -1)) return false;
    for (let outer = element; outer; outer = outer.parentElement) {
        if (["auto", "scroll"].includes(getComputedStyle(outer).overflowX)) return false;
    }
    return true;
}).map((element) => element.outerHTML.slice(0, 150))"""
# The player on its page opens by itself, the one on the home page when asked.
PLAYER_IS_OPEN = """() => [...document.querySelectorAll("weight-player:not([data-mode=hero])")]
    .every((player) => player.dataset.state === "open")"""
# Controls; links within a text are excepted (2.5.8).
SMALL = """() => [...document.querySelectorAll(`button, input, select, summary, .links > *, .md-nav__link,
        .md-header__button, .md-footer__link, .md-search-result__link, [role=button], [role=slider], a.md-top`)]
    .filter((element) => !element.matches(".md-toggle, .md-option"))
    .filter((element) => element.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .map((element) => [element.getBoundingClientRect(), element.outerHTML.slice(0, 120)])
    .filter(([box]) => box.width > 1 && (box.width < 24 || box.height < 24))
    .map(([box, html]) => `${box.width} × ${box.height}: ${html}`)"""
# What is fetched when it comes into view is fetched now, both schemes' pictures, and waited for.
FETCH_ALL = """() => Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    return image.complete || new Promise((done) => { image.onload = image.onerror = done; });
}))"""
# What is out of sight has a height that is estimated until it has been seen: a reader scrolls past all of it.
SEE_ALL = """async () => {
    for (let top = 0; top < document.documentElement.scrollHeight; top += innerHeight) {
        scrollTo({top, behavior: "instant"});
        await new Promise(requestAnimationFrame);
    }
    scrollTo({top: 0, behavior: "instant"});
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
# The same, without scrolling: what is out of sight lies where it will be seen.
LAY_OUT = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { content-visibility: visible !important }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
IMAGES = """() => [...document.images].map((image) => ({
    source: image.getAttribute("src"), loaded: image.complete && image.naturalWidth > 0,
    alt: image.getAttribute("alt"), width: image.getAttribute("width"), height: image.getAttribute("height"),
    figure: !!image.closest("figure") }))"""
# All that leads anywhere: also within what scripts have made.
LINKS = """() => [...document.querySelectorAll("[href], [src], [srcset], [data], [poster]")].flatMap((element) =>
    ["href", "src", "data", "poster"].map((name) => element.getAttribute(name)).filter((value) => value))
    .map((value) => new URL(value, document.baseURI).href)"""


@dataclass(frozen=True)
class Visit:
    """Hold what was seen on one page, in one width and scheme."""

    complaints: list[str]  # console errors, failed requests, requests to another host
    violations: list[str]  # of axe-core's rules
    small: list[str]  # what is pressed and too small for a finger
    wider: int  # pixels by which the page is wider than the window
    cut_off: list[str]  # elements that reach out of the window
    images: list[dict[str, Any]]
    links: list[str]  # whole addresses
    names: set[str] = field(repr=False)  # ids, to which an anchor can lead


Walk = dict[str, Visit]  # by path


def missing(what: str) -> None:
    """Skip the test on a person's machine that lacks `what`; fail it in CI, where nobody would notice the skip."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}: the pages are not checked.")
    pytest.skip(f"{what}.")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the installed Chromium."""
    command = chromium.command()
    if command is None:
        missing(f"There is {chromium.MISSING}")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=command, args=chromium.FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def folder(tiny_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that `address` serves."""
    return tmp_path_factory.mktemp("served") / "site"


@pytest.fixture(scope="session")
def address(folder: Path, tiny_build: Build) -> Iterator[str]:
    """Return the address below a path at which the tiny site is served, and for which it was built."""
    with serve(folder, MOUNT) as served:
        place = Workspace(ROOT, folder.parent / "build", folder)
        shutil.copytree(tiny_build.workspace.docs, place.docs)
        files.write_bytes(place.site_settings, tiny_build.workspace.site_settings.read_bytes())
        site.build(place, replace(tiny_build.settings, url=served))
        yield served


@pytest.fixture(scope="session")
def pages(address: str, folder: Path) -> list[str]:
    """Return all pages, by their path below the site."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return an empty page on a wide screen."""
    context = browser.new_context(viewport=SIZES["wide"])
    yield context.new_page()
    context.close()


def complaints_of(page: Page, address: str) -> list[str]:
    """Return a list that grows with every console error, failed request and request to another host."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
    page.on("response", lambda answer: found.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None)
    ours = (address, "blob:", "data:")
    page.on("request", lambda asked: None if asked.url.startswith(ours) else found.append(f"elsewhere: {asked.url}"))
    return found


def axe(page: Page) -> list[str]:
    """Return what axe-core finds on the page as it is now, a line for each element."""
    if not AXE.is_file():
        missing('axe-core is not installed ("make test" installs it)')
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(LAY_OUT)
    page.evaluate(AT_REST)
    found: list[str] = page.evaluate(AXE_RUN)
    return found


def visit(page: Page, address: str, complaints: list[str], name: str) -> Visit:
    """Look at one page; its picture, where one is wanted, is called `name`."""
    complaints.clear()
    page.goto(address, wait_until="load")
    page.evaluate(FETCH_ALL)
    page.wait_for_function(PLAYER_IS_OPEN)
    page.evaluate(AT_REST)
    small = page.evaluate(SMALL)
    page.evaluate(SEE_ALL)
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    violations = axe(page)
    take_picture(page, name)
    return Visit(
        complaints=list(complaints),
        violations=violations,
        small=small,
        wider=wider,
        cut_off=page.evaluate(CUT_OFF),
        images=page.evaluate(IMAGES),
        links=page.evaluate(LINKS),
        names=set(page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")),
    )


def take_picture(page: Page, name: str) -> None:
    """Write a picture of the whole page where one is wanted.

    Playwright's own resizes the window, which starts what follows its size.
    """
    if not SCREENSHOTS:
        return
    size = page.evaluate("({width: innerWidth, height: document.documentElement.scrollHeight})")
    session = page.context.new_cdp_session(page)
    clip = {"x": 0, "y": 0, **size, "scale": 1}
    how = {"captureBeyondViewport": True, "optimizeForSpeed": True, "clip": clip}
    picture = session.send("Page.captureScreenshot", how)
    session.detach()
    files.write_bytes(Path(SCREENSHOTS) / f"{name}.png", base64.b64decode(picture["data"]))


@pytest.fixture(scope="session")
def walk(browser: Browser, address: str, pages: list[str]) -> Callable[[str, str], Walk]:
    """Return the function that visits pages in one width and scheme, once."""
    done: dict[tuple[str, str], Walk] = {}

    def visit_all(size: str, scheme: str) -> Walk:
        if (size, scheme) not in done:
            context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
            page = context.new_page()
            complaints = complaints_of(page, address)
            done[size, scheme] = {
                name: visit(page, address + name, complaints, f"{picture}-{size}-{scheme}")
                for name in pages
                if (size, scheme) in TRANSLATED or not name.startswith("ja/")
                for picture in [name.removesuffix(".html").replace("/", "-")]
            }
            context.close()
        return done[size, scheme]

    return visit_all
