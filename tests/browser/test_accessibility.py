"""Anyone can use it: WCAG 2.2 AA by axe-core on every page, and what axe-core cannot see: targets, focus, motion."""

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import DRESSES, SAID, SIZES, axe

# The element in focus, whether it has come into view, and whether anything shows that it is in focus.
FOCUS = """async () => {
    const element = document.activeElement;
    // What is seen of a choice of colours is its label.
    const shown = element.matches(".md-option") ? element.parentElement.querySelector("label:not([hidden])") : element;
    const inView = () => {
        const box = shown.getBoundingClientRect();
        return box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    };
    // The browser scrolls to it a moment after it has the focus.
    for (let frame = 0; frame < 20 && !inView(); frame++) await new Promise(requestAnimationFrame);
    const style = getComputedStyle(shown);
    return {
        html: element.outerHTML.slice(0, 140), isBody: element === document.body, seen: inView(),
        ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    };
}"""
TABS = 45


@pytest.mark.parametrize(("size", "scheme"), DRESSES)
def test_axe_finds_nothing(walk, size, scheme):
    """On no page, of no severity: rules of WCAG 2.0 to 2.2, levels A and AA, and best practices."""
    seen = {name: visit.violations for name, visit in walk(size, scheme).items()}
    assert {name: violations for name, violations in seen.items() if violations} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens(browser: Browser, address, scheme):
    """The search with its results, the menu of a phone, a figure enlarged, an animation that plays."""
    context = browser.new_context(viewport=SIZES["narrow"], color_scheme=scheme)
    page = context.new_page()
    page.goto(address, wait_until="load")
    page.locator("label[for=__search]:visible").first.click()
    page.get_by_role("textbox", name="Search").press_sequentially("threshold")
    expect(page.locator(".md-search-result__item").first).to_be_visible()
    assert axe(page) == []
    page.goto(address, wait_until="load")
    page.locator("label[for=__drawer]:visible").first.click()
    expect(page.locator(".md-nav--primary")).to_be_visible()
    assert axe(page) == []
    page.goto(f"{address}layers.html", wait_until="load")
    player = page.locator("gif-player").first
    player.get_by_role("button").click()
    expect(player.get_by_role("button", name=SAID["film"]["stop"])).to_be_visible()
    assert axe(page) == []
    page.goto(address, wait_until="load")
    page.get_by_role("button", name=SAID["enlarge"]["enlarge"]).first.click()
    expect(page.locator("dialog[open]")).to_be_visible()
    assert axe(page) == []
    context.close()


@pytest.mark.parametrize(("size", "scheme"), DRESSES)
def test_what_is_pressed_is_large_enough_for_a_finger(walk, size, scheme):
    """24 by 24 pixels at least, but for links within a text (WCAG 2.2, 2.5.8)."""
    assert {name: visit.small for name, visit in walk(size, scheme).items() if visit.small} == {}


@pytest.mark.parametrize("name", ["index.html", "explore.html"])
def test_the_keyboard_shows_where_it_is(page: Page, address, name):
    """Tab after tab: what is in focus lies in the window and has a ring around it."""
    page.goto(address + name, wait_until="load")
    hidden, reached = [], set()
    for _ in range(TABS):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUS)
        if now["isBody"]:
            break
        reached.add(now["html"])
        if not (now["ring"] and now["seen"]):
            hidden.append(now)
    assert hidden == []
    assert len(reached) > 20


def test_the_first_tab_leads_past_the_navigation(page: Page, address):
    """A reader with a keyboard need not walk through the menu on every page."""
    page.goto(address, wait_until="load")
    page.keyboard.press("Tab")
    skip = page.locator("a.md-skip")
    expect(skip).to_be_focused()
    target = page.locator(skip.get_attribute("href"))
    assert target.count() == 1


@pytest.mark.parametrize("name", ["index.html", "explore.html", "layers.html"])
def test_nothing_moves_by_itself(page: Page, address, name):
    """A page comes to rest: two pictures of it are the same, and no animation runs."""
    page.goto(address + name, wait_until="networkidle")
    pictures = [page.screenshot()]
    while len(pictures) < 5 and pictures[-2:-1] != pictures[-1:]:  # something may still be drawn for the first time
        page.wait_for_timeout(500)
        pictures.append(page.screenshot())
    assert pictures[-2] == pictures[-1]
    assert page.evaluate("document.getAnimations().filter((each) => each.playState === 'running').length") == 0


@pytest.mark.parametrize("name", ["index.html", "run.html"])
def test_a_zoomed_page_does_not_scroll_sideways(browser: Browser, address, name):
    """Zoomed to 400 % on a desktop, which is 320 pixels wide (WCAG 2.2, 1.4.10)."""
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.goto(address + name, wait_until="load")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.close()
