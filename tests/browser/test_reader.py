"""What a reader does with figures, animations, the search and the colours: by mouse and by keyboard."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import SAID, SIZES, complaints_of

# Below the header; or somewhere in the window, near the end of a page, which may have grown after the jump.
AT_THE_TOP = """(anchor) => {
    const {top} = document.getElementById(anchor).getBoundingClientRect();
    const below = document.documentElement.scrollHeight - scrollY - top;
    return top >= 0 && (top < 140 || (top < innerHeight && below < 2 * innerHeight));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_follow_the_scheme(browser, address, scheme):
    """One variant is seen, the one that the reader's system asks for; the other is not even fetched."""
    page = browser.new_page(color_scheme=scheme)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(f"{address}run.html", wait_until="load")
    page.locator("#figure-startup").scroll_into_view_if_needed()
    other = {"light": "dark", "dark": "light"}[scheme]
    expect(page.locator(f'#figure-startup img[src$="#only-{scheme}"]')).to_be_visible()
    expect(page.locator(f'#figure-startup img[src$="#only-{other}"]')).to_be_hidden()
    names = {"light": "figures/en/startup.svg", "dark": "figures/en/startup-dark.svg"}
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
    expect(player.locator("img:visible")).to_have_attribute("src", re.compile("^blob:.*#only-light$"))
    for _ in range(2):  # from the system's to light to dark
        page.locator("form[data-md-component=palette] label:visible").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    expect(player.locator("img:visible")).to_have_attribute("src", re.compile("^blob:.*#only-dark$"))
    expect(page.locator('#figure-persistence img[src$="#only-dark"]:visible')).to_have_count(1)


def test_an_animation_stands_still_until_asked_and_can_be_stopped(page, address):
    """No GIF is fetched before; the keyboard is enough; the button says what it does."""
    gifs = []
    page.on("request", lambda request: gifs.append(request.url) if ".gif" in request.url else None)
    page.goto(address, wait_until="networkidle")
    player = page.locator("#animation-network gif-player")
    picture = player.locator("img:visible")
    assert gifs == []
    button = player.get_by_role("button", name=SAID["film"]["play"])
    player.scroll_into_view_if_needed()
    expect(picture).to_be_in_viewport()
    assert "B)" in button.inner_text()  # how much a press fetches
    button.focus()
    page.keyboard.press("Enter")
    expect(picture).to_have_attribute("src", re.compile("^blob:.*#only-light$"))
    stop = player.get_by_role("button", name=SAID["film"]["stop"])
    expect(stop).to_be_focused()
    page.keyboard.press("Space")
    expect(picture).to_have_attribute("src", f"{address}animations/network.png#only-light")
    expect(player.get_by_role("status")).to_have_text(SAID["film"]["stopped"])
    assert set(gifs) == {f"{address}animations/network.gif"}


def test_an_animation_that_cannot_be_loaded_says_so(page, address):
    """And can be tried again."""
    page.route("**/*.gif", lambda route: route.abort())
    page.goto(address, wait_until="load")
    button = page.locator("#animation-network gif-player").get_by_role("button")
    button.click()
    expect(button).to_contain_text(SAID["film"]["again"])


def test_with_reduced_motion_an_animation_plays_once(browser, address):
    """Who has asked the system for less motion need not press stop."""
    page = browser.new_page(reduced_motion="reduce")
    page.goto(address, wait_until="load")
    player = page.locator("#animation-network gif-player")
    player.get_by_role("button").click()
    expect(player.get_by_role("button", name=SAID["film"]["stop"])).to_be_visible()
    seconds = float(player.get_attribute("data-seconds"))
    expect(player.get_by_role("button", name=SAID["film"]["play"])).to_be_visible(timeout=1000 * seconds + 5000)
    page.close()


def test_a_figure_can_be_enlarged(page, address):
    """By its button or by itself; Escape closes it, and the focus comes back."""
    page.goto(f"{address}run.html", wait_until="load")
    button = page.locator("#figure-loss").get_by_role("button", name=SAID["enlarge"]["enlarge"])
    button.focus()
    page.keyboard.press("Enter")
    title = page.locator("#figure-loss figcaption strong").inner_text().rstrip(".")
    dialog = page.get_by_role("dialog", name=title)
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
    dialog.get_by_role("button", name=SAID["enlarge"]["close"]).click()
    expect(dialog).to_be_hidden()


def test_the_chosen_part_of_a_figure_is_enlarged(page, address):
    """Of a figure that has a picture for some layers each, no other is shown."""
    page.goto(address, wait_until="load")
    figure = page.locator("figure:has(.parts)").first
    figure.locator(".parts label").last.click()
    chosen = figure.locator("img:visible").get_attribute("src")
    figure.get_by_role("button", name=SAID["enlarge"]["enlarge"]).click()
    shown = page.get_by_role("dialog").locator("img:visible")
    expect(shown).to_have_count(1)
    assert shown.get_attribute("src").endswith(chosen)


def test_searching_finds_a_section(page, address):
    """The index is made when the site is built; asking it needs no other host."""
    complaints = complaints_of(page, address)
    page.goto(address, wait_until="load")
    page.get_by_role("textbox", name="Search").press_sequentially("threshold")
    expect(page.locator(".md-search-result__item").first).to_be_visible(timeout=20_000)
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_a_link_to_a_section_leads_to_it(browser, address, size):
    """What lies between is laid out only when it is near, and is then of another height than was expected."""
    context = browser.new_context(viewport=SIZES[size])
    page = context.new_page()
    for name in ("index.html", "run.html", "method.html"):
        page.goto(address + name, wait_until="load")
        names = page.evaluate("[...document.querySelectorAll('article h2[id]')].map((heading) => heading.id)")
        for anchor in (names[len(names) // 2], names[-1]):
            page.goto("about:blank")
            page.goto(f"{address}{name}#{anchor}", wait_until="networkidle")
            page.wait_for_function(AT_THE_TOP, arg=anchor)
            page.wait_for_timeout(200)
            assert page.evaluate(AT_THE_TOP, anchor), (name, anchor)
    context.close()


def test_reading_on_moves_nothing(page, address):
    """Scrolled up and down by steps, a heading moves by as much as was scrolled, whatever comes into view."""
    page.goto(address, wait_until="load")
    page.locator("article h2").last.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    top = "[...document.querySelectorAll('article h2')].at(-1).getBoundingClientRect().top"
    page.mouse.move(640, 450)
    for step in (-150, -150, -150, 150, -150):
        wanted = page.evaluate(top) - step
        page.mouse.wheel(0, step)
        page.wait_for_function(f"(wanted) => Math.abs({top} - wanted) <= 2", arg=wanted)
        page.wait_for_timeout(100)
        assert page.evaluate(top) == pytest.approx(wanted, abs=2)


def test_the_first_entry_of_a_side_column_is_whole(page, address):
    """The title above it has a shadow, which lies over what scrolls beneath."""
    page.goto(address, wait_until="load")
    gaps = page.evaluate("""() => [...document.querySelectorAll(".md-sidebar .md-nav__title")]
        .filter((title) => title.checkVisibility())
        .map((title) => title.nextElementSibling.querySelector("a").getBoundingClientRect().top
            - title.getBoundingClientRect().bottom - parseFloat(getComputedStyle(title).boxShadow.split("px ")[3]))""")
    assert len(gaps) == 2
    assert min(gaps) >= 0
