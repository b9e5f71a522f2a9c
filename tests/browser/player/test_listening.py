"""For those who hear the page, drive it by keys, or have it in few colours."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from ..conftest import complaints_of
from .driving import at, batch_of, opened, say

HEARD = """() => {
    window.heard = [];
    const listen = new MutationObserver((changes) => {
        for (const {target} of changes) {
            const element = target.nodeType === 1 ? target : target.parentElement;
            const region = element?.closest("[role=status], [role=alert], [aria-live=polite], output");
            if (region?.textContent) window.heard.push(region.textContent);
        }
    });
    listen.observe(document.querySelector(".wp-player"), {subtree: true, childList: true, characterData: true});
    window.names = 0;
    const names = new MutationObserver((changes) => window.names += changes.length);
    names.observe(document.querySelector(".wp-canvas"), {attributeFilter: ["aria-label"]});
}"""

# A step a frame: from outside, a busy machine would let the reader rest between two of them.
STEPS = """async () => {
    for (let step = 0; step < 40; step++) {
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
        await new Promise(requestAnimationFrame);
    }
}"""


def test_what_is_heard_waits_until_the_reader_rests(page, site):
    """Forty steps one after the other are told as one, when they are over."""
    opened(page, site + "#batch=5")
    page.wait_for_timeout(600)
    page.locator(".wp-canvas").first.focus()
    page.evaluate(HEARD)
    page.evaluate(STEPS)
    expect(page.locator(".wp-words")).to_contain_text(at(45))
    page.wait_for_timeout(700)
    heard = page.evaluate("window.heard")
    assert len(heard) == 1
    assert at(45) in heard[0]
    assert page.evaluate("window.names") <= 1


def test_keys_are_the_pages_but_on_the_graph_and_the_line(page, site):
    """After a click on a button Page Down scrolls; only graph and line of batches take it for themselves."""
    opened(page, site + "#batch=150")
    for name in ("play", "pause", "forward"):
        page.get_by_role("button", name=say(name)).click()
    page.wait_for_timeout(500)
    batch = batch_of(page)
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("PageDown")
    page.wait_for_function("scrollY > 100")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    page.wait_for_timeout(100)
    assert batch_of(page) == batch
    page.locator(".wp-canvas").first.press("PageDown")
    expect(page.locator(".wp-words")).to_contain_text(at(batch - 100))


@pytest.mark.parametrize("fails", [False, True])
def test_whoever_is_in_the_poster_is_in_the_player_when_it_comes(page, site, fails):
    """The link of the poster goes, and so does the button that tries again; the focus goes to the graph."""
    waiting = []
    page.route("**/index.json*", lambda route: route.abort() if fails else waiting.append(route))
    page.goto(site)
    if fails:
        page.get_by_role("button", name=say("again")).focus()
        page.unroute("**/index.json*")
        page.keyboard.press("Enter")
    else:
        page.wait_for_selector("weight-player[aria-busy]")
        while not waiting:
            page.wait_for_timeout(50)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="The film")).to_be_focused()
        waiting[0].continue_()
    expect(page.locator(".wp-words")).not_to_be_empty()
    expect(page.locator(".wp-canvas").first).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.wp-player') !== null")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_the_line_and_its_thumb(browser, site, tmp_path, scheme):
    """Both stand out from what they lie on, in either scheme; and a choice is seen to be one."""
    context = browser.new_context(forced_colors="active", color_scheme=scheme)
    page = context.new_page()
    opened(page, site + "#batch=100")
    page.wait_for_timeout(400)
    page.screenshot(path=tmp_path / "page.png")
    box = page.locator(".wp-range").bounding_box()
    with Image.open(tmp_path / "page.png") as picture:
        grey = np.asarray(picture.convert("L")).astype(int)
    left, top, width = (round(box[key]) for key in ("x", "y", "width"))
    strip = grey[top : top + 64, left : left + width]
    thumb = round(8 + 99 / 209 * (width - 16))
    for part in (strip[48:62, thumb - 3 : thumb + 4], strip[4:60, 20 : thumb - 20]):  # the thumb, the line
        assert part.max() - part.min() > 100
    paper = np.median(strip)
    assert np.abs(strip[50:60, thumb - 3 : thumb + 4] - paper).min() > 100
    assert page.locator(".wp-select").first.evaluate("(each) => getComputedStyle(each).appearance") != "none"
    context.close()


def test_a_browser_that_cannot_unpack_says_so(page, site):
    """Above the poster, which still leads to the film."""
    complaints = complaints_of(page, site)
    page.add_init_script("delete globalThis.DecompressionStream")
    for name in ("", "hero.html"):
        page.goto(site + name)
        expect(page.locator("weight-player .wp-message")).to_have_text(say("old_browser"))
        expect(page.get_by_role("link", name="The film")).to_be_visible()
    assert complaints == []
