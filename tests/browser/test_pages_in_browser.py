"""Every page in a real browser: nothing fails, nothing is fetched elsewhere, nothing is cut off, also on paper."""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from conftest import Build
from playwright.sync_api import Browser, Page, expect

from benchmarks.serving import serve

from .conftest import DRESSES, SAID, SIZES, complaints_of

PAPER = (718, 1047)  # A4 less margins of a centimetre, in CSS pixels
HOME_PAGE = 700_000  # bytes before the reader presses anything
OFF_PAPER = """(width) => [...document.querySelectorAll(".md-content *")].filter((element) => {
    if (element.closest("math, svg, .unseen") || !element.checkVisibility()) return false;
    const box = element.getBoundingClientRect();
    const hides = getComputedStyle(element).overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
    return box.width > 1 && (box.right > width + 1 || box.left < -1 || hides);
}).map((element) => element.outerHTML.slice(0, 150))"""


@pytest.mark.parametrize(("size", "scheme"), DRESSES)
def test_no_page_fails(walk, size, scheme):
    """No console error, no failed request, no request to another host or outside of the site's path."""
    seen = {name: visit.complaints for name, visit in walk(size, scheme).items()}
    # The 404 page has links from the site's root, which is what it is served for; here it is a page like others.
    assert {name: complaints for name, complaints in seen.items() if complaints} == {}


@pytest.mark.parametrize(("size", "scheme"), DRESSES)
def test_no_page_scrolls_sideways(walk, size, scheme):
    """What is wider than the window scrolls in its own box; no word or formula is cut off."""
    visits = walk(size, scheme)
    assert {name: visit.wider for name, visit in visits.items() if visit.wider > 0} == {}
    assert {name: visit.cut_off for name, visit in visits.items() if visit.cut_off} == {}


def test_every_picture_is_there_and_described(walk):
    """Loaded in both schemes, with a text for those who do not see it, and its size, so that nothing jumps."""
    visits = walk("wide", "dark")
    for name, visit in visits.items():
        for image in visit.images:
            assert image["loaded"], (name, image)
            assert image["alt"] is not None, (name, image)
            if image["figure"]:
                assert len(image["alt"]) > 20, (name, image)
                assert int(image["width"]) > 0, (name, image)
                assert int(image["height"]) > 0, (name, image)
    assert sum(image["figure"] for visit in visits.values() for image in visit.images) > 20


def test_every_link_leads_somewhere(walk, address, folder):
    """To a file of the site, and to a place within it; also links that a script has made."""
    visits = walk("narrow", "light")
    dead, counted = [], 0
    for name, visit in visits.items():
        for link in sorted(set(visit.links)):
            if not link.startswith(address):
                assert link.startswith(("https://", "data:", "blob:")), (name, link)
                continue
            counted += 1
            path, place = urldefrag(link.removeprefix(address))
            path = unquote(path).partition("?")[0] or "index.html"
            is_picture = Path(path).suffix in (".svg", ".png", ".gif")  # whose fragment names the scheme
            there = (folder / path).is_file()
            if there and place and not is_picture and "=" not in place:  # a "=" is the player's way to say a state
                there = unquote(place) in visits[path].names
            if not there:
                dead.append((name, link))
    assert dead == []
    assert counted > 200


def test_the_site_works_from_a_root(page, address, folder):
    """As under the sub-path where all other tests meet it."""
    with serve(folder) as root:
        complaints = complaints_of(page, root)
        page.goto(root, wait_until="networkidle")
        page.get_by_role("link", name="Method").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Method")
    assert complaints == []


def test_a_wrong_address_is_answered_by_a_page_with_a_way_home(page, address):
    """Also several folders deep, where relative links would break."""
    page.goto(f"{address}no/such/page.html", wait_until="load")
    expect(page.get_by_role("heading", level=1)).to_contain_text("no such page")
    assert page.evaluate("getComputedStyle(document.body).getPropertyValue('--paper')") != ""
    page.locator("a.md-logo:visible, a.md-header__button.md-logo").first.click()
    expect(page).to_have_url(re.compile(f"^{re.escape(address)}(index.html)?$"))


def test_the_home_page_is_light(browser, address):
    """All that is transferred until a reader has scrolled to its end on a phone, without a press."""
    context = browser.new_context(viewport=SIZES["narrow"], device_scale_factor=2)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(address, wait_until="networkidle")
    for _ in range(int(page.evaluate("document.documentElement.scrollHeight")) // 800 + 1):
        page.mouse.wheel(0, 800)
        page.wait_for_timeout(20)
    page.wait_for_load_state("networkidle")
    assert len(sizes) > 10
    assert sum(sizes) < HOME_PAGE
    context.close()


def test_every_page_can_be_printed(browser: Browser, address, pages, tmp_path):
    """Nothing is cut off at the side, no figure is taller than a sheet, and a PDF comes out."""
    context = browser.new_context(viewport={"width": PAPER[0], "height": PAPER[1]}, color_scheme="dark")
    page = context.new_page()
    page.emulate_media(media="print", color_scheme="dark")
    for name in pages:
        page.goto(address + name, wait_until="load")
        assert page.evaluate(OFF_PAPER, PAPER[0]) == [], name
        heights = page.evaluate(
            "[...document.querySelectorAll('figure img')].filter((i) => i.checkVisibility()).map((i) => i.clientHeight)"
        )
        assert all(0 < height < PAPER[1] for height in heights), (name, heights)
        pdf = page.pdf(path=tmp_path / "page.pdf", format="A4")
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 1, name
    context.close()


def test_printed_it_is_paper(page: Page, address):
    """Also from a dark screen: light figures, no buttons, no navigation."""
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}run.html", wait_until="load")
    page.emulate_media(media="print", color_scheme="dark")
    figure = page.locator("#figure-loss")
    expect(figure.locator('img[src$="#only-light"]')).to_be_visible()
    expect(figure.locator('img[src$="#only-dark"]')).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for hidden in (".links", ".gif-player__button", ".md-header", ".md-sidebar", ".md-footer"):
        expect(page.locator(hidden).first).to_be_hidden()


def test_without_a_script_everything_can_be_read(browser: Browser, address, pages):
    """Every figure is seen on every page, text and navigation too, and a poster leads to its GIF."""
    context = browser.new_context(java_script_enabled=False, viewport=SIZES["narrow"])
    page = context.new_page()
    for name in pages:
        page.goto(address + name, wait_until="load")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        for figure in page.locator("figure.figure").all():
            assert figure.locator("img:visible").count() == 1, (name, figure.get_attribute("id"))
    page.goto(f"{address}layers.html", wait_until="load")
    page.locator("gif-player a:visible").first.click()
    assert page.url.endswith(".gif")
    context.close()


def test_the_site_opens_from_the_file_system(page: Page, tiny_build: Build):
    """Without a server: pages, figures, links and the player of animations."""
    page.goto((tiny_build.workspace.site / "layers.html").as_uri(), wait_until="load")
    player = page.locator("gif-player").first
    player.get_by_role("button").click()
    expect(player.get_by_role("button", name=SAID["film"]["stop"])).to_be_visible()
    page.get_by_role("link", name="Method").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Method")
