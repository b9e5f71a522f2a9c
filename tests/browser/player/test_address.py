"""The address holds what was chosen, and the button back undoes it."""

import re

import pytest
from playwright.sync_api import expect

from .driving import batch_of, loaded, opened, say, shot


def test_an_address_brings_back_all_that_was_chosen(page, site, browser):
    """The same words, picture and controls on another machine; and the button back undoes a choice."""
    opened(page, site + "#batch=12&edge=l4.3.7&compare=adam-b1-0&layers=l4,l5&threshold=0.35&speed=25")
    other = browser.new_page(viewport={"width": 1280, "height": 900})
    opened(other, page.url)
    for each in (page, other):
        loaded(each)
    assert other.locator(".wp-words").inner_text() == page.locator(".wp-words").inner_text()
    assert (shot(other) == shot(page)).all()
    assert other.get_by_label(say("speed")).input_value() == "25"
    other.close()
    page.get_by_role("button", name=say("single")).click()
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(1)
    page.get_by_role("button", name=say("unpin_edge", edge="l4[3, 7]")).click()
    expect(page.locator(".wp-cards .wp-card:visible")).to_have_count(0)
    page.go_back()
    expect(page.locator(".wp-cards .wp-card:visible")).to_have_count(1)
    page.go_back()
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(2)
    page.go_forward()
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(1)


def test_stepping_does_not_fill_the_history(page, site):
    """One way back, not twenty."""
    opened(page, site + "#batch=5")
    length = page.evaluate("history.length")
    page.locator(".wp-canvas").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"#batch=10$"))
    assert page.evaluate("history.length") == length


@pytest.mark.parametrize("wrong", ["batch=99999", "edge=l9.0.0", "compare=lion", "colour=red", "batch=x&edge=l4.3.7"])
def test_a_wrong_address_says_so_and_opens_the_beginning(page, site, wrong):
    """In words, above a picture that is whole."""
    opened(page, f"{site}#{wrong}")
    expect(page.locator(".wp-message")).to_contain_text(say("address", problem="").strip())
    index = page.request.get(f"{site}player/index.json").json()
    assert batch_of(page) == index["opening_batch"]
    assert page.locator(".wp-cards .wp-card:visible").count() == 0
    page.keyboard.press("Tab")
    page.get_by_role("button", name=say("forward")).click()
    expect(page.locator(".wp-message")).to_be_hidden()


def test_a_headings_anchor_is_left_alone(page, site):
    """The player is not the only thing on a page that the address can mean."""
    opened(page, site + "#batch=7")
    page.evaluate("location.hash = 'try'")
    page.wait_for_timeout(100)
    assert batch_of(page) == 7
    assert page.locator(".wp-message").is_hidden()


def test_the_way_back_is_not_written_over(page, site):
    """Back at once after a choice, before the reader has rested: the entry that is reached is as it was left."""
    opened(page, site + "#batch=12&edge=l4.3.7")
    page.wait_for_timeout(500)
    page.get_by_role("button", name=say("unpin_edge", edge="l4[3, 7]")).click()
    page.evaluate("""() => new Promise((done) => {
        const player = document.querySelector("weight-player").content;
        addEventListener("popstate", () => { player.rest(); done(); }, { once: true });
        history.back();
    })""")
    expect(page).to_have_url(re.compile(r"#batch=12&edge=l4\.3\.7$"))
    expect(page.locator(".wp-cards .wp-card:visible")).to_have_count(1)
