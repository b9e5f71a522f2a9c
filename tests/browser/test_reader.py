"""What a reader meets: every page in a real browser, wide and narrow, light and dark, with a script and without.

Pictures of all pages go to build/screenshots.
"""

import functools
import http.server
import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from conftest import ROOT
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHECKS = Path(__file__).parent
AXE = CHECKS / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}
SCHEMES = ("light", "dark")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"]
PAGES = ["index", "findings", "explore", "layers", "differences", "method", "reproduce", "downloads", "404"]


@pytest.fixture(scope="module")
def browser():
    """Return the installed Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address(tiny_build):
    """Return the address at which the tiny site is served."""
    handler = functools.partial(_Quiet, directory=str(tiny_build.workspace.site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser):
    """Return an empty page on a wide screen."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def complaints_of(page: Page, address: str) -> list[str]:
    """Return a list that grows with every console error, failed request and request to another host."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
    page.on("response", lambda answer: found.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None)
    page.on(
        "request", lambda request: None if request.url.startswith((address, "blob:")) else found.append(request.url)
    )
    return found


def test_all_pages_are_looked_at(tiny_build):
    """A page that is added must be added to the list above."""
    assert {path.stem for path in tiny_build.workspace.site.glob("*.html")} == set(PAGES)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_in_every_dress(browser, address, size, scheme):
    """No error, no foreign or failed request, nothing wider than the window, nothing that axe-core finds."""
    assert AXE.is_file(), 'axe-core is not installed; run "make test", which installs it.'
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    complaints = complaints_of(page, address)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    problems = {}
    for name in PAGES:
        page.goto(f"{address}{name}.html", wait_until="load")
        page.add_script_tag(path=AXE)
        # Anything below "serious" counts as well.
        violations = page.evaluate("axe.run(document).then((result) => result.violations)")
        found = [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in violations]
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wider > 0:
            found.append(f"{wider} pixels wider than the window")
        if found or complaints:
            problems[name] = [*found, *complaints]
            complaints.clear()
        page.screenshot(path=SCREENSHOTS / f"{name}-{size}-{scheme}.png", full_page=True)
    context.close()
    assert problems == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_figures_follow_the_scheme(browser, address, scheme):
    """One variant is seen, the one that the reader's system asks for; the other is not even fetched."""
    page = browser.new_page(color_scheme=scheme)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address, wait_until="load")
    page.locator("#figure-loss").scroll_into_view_if_needed()
    other = {"light": "dark", "dark": "light"}[scheme]
    expect(page.locator(f'#figure-loss img[src$="#only-{scheme}"]')).to_be_visible()
    expect(page.locator(f'#figure-loss img[src$="#only-{other}"]')).to_be_hidden()
    names = {"light": "figures/loss.svg", "dark": "figures/loss-dark.svg"}
    page.wait_for_function(
        "name => performance.getEntriesByType('resource').some((e) => e.name.includes(name))", arg=names[scheme]
    )
    assert not [url for url in fetched if names[other] in url]
    page.close()


def test_the_toggle_changes_figures_and_a_playing_animation(page, address):
    """Three states: as the system wishes, light, dark."""
    page.goto(address, wait_until="load")
    player = page.locator("#animation-network gif-player")
    player.get_by_role("button").click()
    expect(player.locator("img:visible")).to_have_attribute("src", f"{address}animations/network.gif#only-light")
    for _ in range(2):  # from the system's to light to dark
        page.locator("form[data-md-component=palette] label:visible").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    expect(player.locator("img:visible")).to_have_attribute("src", f"{address}animations/network-dark.gif#only-dark")
    expect(page.locator('#figure-loss img[src$="#only-dark"]')).to_be_visible()


def test_an_animation_stands_still_until_asked_and_can_be_stopped(page, address):
    """No GIF is fetched before; the keyboard is enough; the button says what it does."""
    gifs = []
    page.on("request", lambda request: gifs.append(request.url) if ".gif" in request.url else None)
    page.goto(address, wait_until="networkidle")
    player = page.locator("#animation-network gif-player")
    picture = player.locator("img:visible")
    assert gifs == []
    button = player.get_by_role("button", name="Play")
    assert "B)" in button.inner_text()  # how much a press fetches
    button.focus()
    page.keyboard.press("Enter")
    expect(picture).to_have_attribute("src", f"{address}animations/network.gif#only-light")
    stop = player.get_by_role("button", name="Stop")
    expect(stop).to_be_focused()
    page.keyboard.press("Space")
    expect(picture).to_have_attribute("src", f"{address}animations/network.png#only-light")
    expect(player.get_by_role("status")).to_have_text("Stopped")
    assert len(set(gifs)) == 1


def test_an_animation_that_cannot_be_loaded_says_so(page, address):
    """And can be tried again."""
    page.route("**/*.gif", lambda route: route.abort())
    page.goto(address, wait_until="load")
    button = page.locator("#animation-network gif-player").get_by_role("button")
    button.click()
    expect(button).to_contain_text("Could not be loaded")


def test_with_reduced_motion_an_animation_plays_once(browser, address):
    """Who has asked the system for less motion need not press stop."""
    page = browser.new_page(reduced_motion="reduce")
    page.goto(address, wait_until="load")
    player = page.locator("#animation-network gif-player")
    player.get_by_role("button").click()
    expect(player.get_by_role("button", name="Stop")).to_be_visible()
    seconds = float(player.get_attribute("data-seconds"))
    expect(player.get_by_role("button", name="Play")).to_be_visible(timeout=1000 * seconds + 5000)
    page.close()


def test_a_figure_can_be_enlarged(page, address):
    """By its button or by itself; Escape closes it, and the focus comes back."""
    page.goto(address, wait_until="load")
    button = page.locator("#figure-loss").get_by_role("button", name="Enlarge")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Loss")
    expect(dialog).to_be_visible()
    box = dialog.locator("img:visible").bounding_box()
    assert box["width"] > 1200
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 900
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    page.locator("#figure-loss img:visible").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_without_a_script_everything_can_be_read(browser, address):
    """All figures are seen, and a poster leads to its GIF."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address, wait_until="load")
    for figure in page.locator("figure.figure").all():
        assert figure.locator("img:visible").count() == 1
    page.locator("#animation-network a:visible").first.click()
    assert page.url.endswith("animations/network.gif")
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_what_is_pressed_is_large_enough_for_a_finger(browser, address, size):
    """24 by 24 pixels at least, but for links within a text (WCAG 2.2, 2.5.8)."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(address, wait_until="load")
    small = page.evaluate(
        """[...document.querySelectorAll("button, .links > *, .md-nav__link, .md-header__button, .md-footer__link")]
        .filter((element) => element.checkVisibility({ opacityProperty: true }))
        .map((element) => [element.getBoundingClientRect(), element.outerHTML.slice(0, 120)])
        .filter(([box]) => box.width && (box.width < 24 || box.height < 24))
        .map(([box, html]) => `${box.width} × ${box.height}: ${html}`)"""
    )
    assert small == []
    page.close()


def test_searching_finds_a_section(page, address):
    """The index is made when the site is built; asking it needs no other host."""
    complaints = complaints_of(page, address)
    page.goto(address, wait_until="load")
    page.get_by_role("textbox", name="Search").press_sequentially("threshold")
    expect(page.locator(".md-search-result__item").first).to_be_visible(timeout=20_000)
    assert complaints == []


def test_the_site_opens_from_the_file_system(page, tiny_build):
    """Without a server: pages, figures, links and the player of animations."""
    page.goto((tiny_build.workspace.site / "index.html").as_uri(), wait_until="load")
    expect(page.locator("#figure-digits img:visible")).to_be_visible()
    player = page.locator("#animation-network gif-player")
    player.get_by_role("button").click()
    expect(player.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_role("link", name="Method").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Method")


def test_printed_it_is_paper(page, address):
    """Also from a dark screen: light figures, no buttons, no navigation."""
    page.emulate_media(color_scheme="dark")
    page.goto(address, wait_until="load")
    page.emulate_media(media="print", color_scheme="dark")
    figure = page.locator("#figure-loss")
    expect(figure.locator('img[src$="#only-light"]')).to_be_visible()
    expect(figure.locator('img[src$="#only-dark"]')).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for hidden in (".links", ".gif-player__button", ".md-header", ".md-sidebar", ".md-footer"):
        expect(page.locator(hidden).first).to_be_hidden()


def test_the_html_is_valid(tiny_build, tmp_path):
    """By html-validate, but for what Material's own templates are written like."""
    tool = CHECKS / "node_modules" / ".bin" / "html-validate"
    assert tool.is_file(), 'html-validate is not installed; run "make test", which installs it.'
    for path in tiny_build.workspace.site.glob("*.html"):
        shutil.copy(path, tmp_path)
    theirs = ["no-trailing-whitespace", "doctype-style", "valid-autocomplete", "wcag/h32", "unique-landmark"]
    style = ["no-inline-style", "void-style", "attribute-boolean-style", "attribute-empty-style", "long-title"]
    rules = dict.fromkeys([*theirs, *style], "off") | {"valid-id": ["error", {"relaxed": True}]}
    rules["no-implicit-button-type"] = "off"
    config = {"root": True, "extends": ["html-validate:recommended"], "rules": rules}
    (tmp_path / ".htmlvalidate.json").write_text(json.dumps(config))
    names = sorted(path.name for path in tmp_path.glob("*.html"))
    done = subprocess.run([tool, "-f", "text", *names], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0
