"""The player among what else is on its page: in the first screen, in a narrow window, and alone within another page."""

import pytest
from playwright.sync_api import expect

from .driving import opened, say

EXPLORE = "explore.html"


def test_its_controls_are_in_the_first_screen_of_a_laptop(browser, address):
    """Graph, line of batches, playing, threshold, layers, comparing and the optimizer, without scrolling."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    opened(page, address + EXPLORE)
    page.add_style_tag(content="[data-md-component=announce] { display: none }")  # only an experiment like this has one
    for control in (".wp-canvas", ".wp-scrubber", ".wp-play", ".wp-slider", ".wp-toggles"):
        expect(page.locator(control).first).to_be_in_viewport(ratio=1)
    for key in ("large", "optimizer", "speed"):
        expect(page.get_by_role("combobox", name=say(key))).to_be_in_viewport(ratio=1)
    page.close()


@pytest.mark.parametrize("where", ["", "#batch=30&edge=l4.3.7&compare=adam-b1-0&replay=adam:0.5"])
def test_a_narrow_window_does_not_scroll_sideways(browser, address, where):
    """Zoomed to 400 % on a desktop, which is 320 pixels wide (WCAG 2.2, 1.4.10)."""
    page = browser.new_page(viewport={"width": 320, "height": 640})
    for folder in ("", "ja/"):
        opened(page, address + folder + EXPLORE + where)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        outside = page.evaluate("""() => [...document.querySelectorAll(".wp-player *")]
            .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth)
            .map((each) => each.outerHTML.slice(0, 120))""")
        assert outside == []
    page.close()


def test_nothing_lies_over_the_graph(page, address):
    """The way back to the top does not float there when the reader scrolls up."""
    opened(page, address + EXPLORE)
    for top in (900, 300):
        page.evaluate("(top) => scrollTo({top, behavior: 'instant'})", top)
        page.wait_for_timeout(300)
    assert page.locator(".md-top").evaluate_all("(all) => all.filter((each) => each.checkVisibility()).length") == 0


@pytest.mark.parametrize("width", [900, 1280])
def test_embedded_it_is_alone(browser, address, width):
    """No header, no menu, no text; it fills its frame, and what leads away opens elsewhere."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    opened(page, f"{address}{EXPLORE}?embed=1#batch=30&replay=adam:0.5")
    for selector in (".md-header", ".md-sidebar", ".md-footer", "h1", ".lede", "h2#try"):
        expect(page.locator(selector).first).to_be_hidden()
    box = page.locator(".full-player").bounding_box()
    assert (box["x"], box["y"], box["width"]) == (0, 0, width)
    links = page.locator("a:visible").evaluate_all("(links) => links.map((link) => [link.target, link.outerHTML])")
    assert [html for target, html in links if target != "_blank"] == []
    assert len(links) == 2
    page.close()


def test_the_poster_is_loaded_only_where_the_player_cannot_come(browser, address):
    """With a script the player takes its place; without one there are the picture and the way to the film."""
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, f"{address}explore.html")
    assert [url for url in asked if "animations/" in url] == []
    page.close()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}explore.html")
    expect(page.locator("weight-player img").first).to_be_visible()
    assert page.locator("weight-player a").first.get_attribute("href") == "animations/network.gif"
    context.close()


def test_what_is_said_while_it_opens_is_legible(page, address):
    """Above the way to the film, not upon it."""
    page.route("**/*.bin*", lambda route: None)
    page.goto(address + EXPLORE)
    opening = page.locator(".wp-opening")
    expect(opening).to_have_text(say("loading"))
    said, link = (each.bounding_box() for each in (opening, page.locator("weight-player a:visible").first))
    assert said["height"] > 15
    assert said["y"] + said["height"] <= link["y"] + 2
    page.unroute_all(behavior="ignoreErrors")


def test_on_paper_it_begins_below_the_title_and_keeps_its_proportions(page, address):
    """A figure that no sheet can hold is divided between weights; what can only be pressed or expected is left out."""
    page.set_viewport_size({"width": 700, "height": 900})
    opened(page, f"{address}{EXPLORE}#batch=30&edge=l4.3.7,l5.0.1")
    expect(page.locator(".wp-tip")).to_be_visible()
    page.emulate_media(media="print")
    for pressed in (".wp-tip", ".wp-keys", ".wp-share", ".wp-chooser", ".wp-play"):
        expect(page.locator(pressed)).to_be_hidden()
    breaks = "element => getComputedStyle(element).breakInside"
    assert page.locator("figure.full-player").evaluate(breaks) == "auto"
    assert page.locator(".wp-block:visible").first.evaluate(breaks) == "avoid"
    for width in (700, 400):  # a sheet is not as wide as the window was
        page.set_viewport_size({"width": width, "height": 900})
        page.locator("weight-player").evaluate("player => { player.style.width = '80%'; }")
        shown, own = page.locator(".wp-plot:visible").first.evaluate(
            "({clientWidth, clientHeight, width, height}) => [clientWidth / clientHeight, width / height]"
        )
        assert shown == pytest.approx(own, rel=0.05)
