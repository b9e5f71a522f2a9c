"""What cannot be had is said once; the rest stays usable."""

import numpy as np
import pytest
from playwright.sync_api import expect

from .driving import AFTER, BATCH, LAST, SCHEME, at, batch_of, counted, opened, pattern, say, shot


def cut(route):
    """Answer with the beginning of the file."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.body()[:200], headers={})


@pytest.mark.parametrize(
    ("files", "answer", "message"),
    [
        ("**/index.json*", lambda route: route.fulfill(status=404, body="gone"), ("missing", {"status": "404"})),
        ("**/index.json*", lambda route: route.fulfill(body="<!doctype html>"), ("damaged", {})),
        ("**/index.json*", lambda route: route.abort(), ("unreachable", {})),
    ],
)
def test_a_recording_that_cannot_be_read_gives_a_message_and_another_try(page, site, files, answer, message):
    """The film stays; when the file is there again, the player comes."""
    page.route(files, answer)
    page.goto(site)
    key, values = message
    expect(page.get_by_role("alert")).to_contain_text(pattern(key, name=r"[\w./-]+", **values))
    expect(page.get_by_role("link", name="The film")).to_be_visible()
    page.unroute(files)
    page.get_by_role("button", name=say("again")).click()
    expect(page.locator(".wp-words")).not_to_be_empty()
    expect(page.locator(".wp-message")).to_be_hidden()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (cut, ("short", {"size": "200", "wanted": r"\d+"})),
        (lambda route: route.fulfill(body="<!doctype html><p>" * 9), ("foreign", {})),
        (lambda route: route.abort(), ("unreachable", {})),
    ],
)
def test_a_part_that_cannot_be_read_gives_a_message_and_another_try(page, site, answer, message):
    """In the player, which is there all the same."""
    page.route("**/*.bin*", answer)
    page.goto(site)
    key, values = message
    expect(page.get_by_role("alert")).to_contain_text(pattern(key, name=r"[\w./-]+", **values))
    expect(page.get_by_role("button", name=say("play"))).to_be_visible()
    page.unroute("**/*.bin*")
    page.get_by_role("button", name=say("again")).click()
    expect(page.locator(".wp-words")).not_to_contain_text(say("lost", batch=""))
    expect(page.locator(".wp-message")).to_be_hidden()


def lose(page, part):
    """Answer that a part is not there; return the list of times it was asked for."""
    asked = []

    def answer(route):
        asked.append(route.request.url)
        route.fulfill(status=404, body="gone")

    page.route(f"**/{part:03d}.bin*", answer)
    return asked


def go_to(page, batch):
    """Type a batch."""
    page.get_by_role("spinbutton", name=say("batch")).fill(str(batch))
    page.keyboard.press("Enter")


LOST = pattern("missing", name=r"[\w./-]+002\.bin", status="404")


def test_a_part_that_cannot_be_had_is_asked_for_twice(page, site):
    """Then it is said, once; the message goes when the reader moves on, and trying again brings the part."""
    opened(page, site + "#batch=3")
    asked = lose(page, 2)
    go_to(page, 40)
    message = page.locator(".wp-message")
    expect(message).to_contain_text(LOST)
    page.evaluate("""() => {
        window.changes = 0;
        const count = new MutationObserver(() => window.changes++);
        count.observe(document.querySelector(".wp-player"), {subtree: true, childList: true, characterData: true});
    }""")
    page.wait_for_timeout(1500)
    assert len(asked) == 2
    assert page.evaluate("window.changes") <= 1, "what is heard may come to rest; nothing else happens"
    expect(page.locator(".wp-waiting").first).to_be_hidden()
    expect(page.locator(".wp-words")).to_contain_text(say("lost", batch=at(40)))
    page.get_by_role("button", name=say("forward")).click()  # to another batch of the same part
    expect(page.locator(".wp-words")).to_contain_text(say("lost", batch=at(41)))
    expect(message).to_contain_text(LOST)
    go_to(page, 5)
    expect(message).to_be_hidden()
    expect(page.locator(".wp-words")).to_contain_text(at(5))
    assert len(asked) == 2
    go_to(page, 40)
    expect(message).to_contain_text(LOST)
    page.unroute("**/002.bin*")
    page.get_by_role("button", name=say("again")).click()
    expect(page.locator(".wp-words")).to_contain_text(say("batch_loss", batch=40, last=LAST, loss="").rstrip())
    expect(message).to_be_hidden()


def test_playing_goes_on_until_the_part_that_is_missing(page, site):
    """Not half a part earlier; behind the gap it plays on."""
    opened(page, site + "#batch=18&speed=60")
    asked = lose(page, 2)
    page.get_by_role("button", name=say("play")).click()
    expect(page.locator(".wp-message")).to_contain_text(LOST)
    assert 33 <= batch_of(page) <= 48  # the first of that part, unless a slow machine leaves some out
    expect(page.get_by_role("button", name=say("play"))).to_be_visible()
    assert len(asked) <= 4
    go_to(page, 49)
    page.get_by_role("button", name=say("play")).click()
    page.wait_for_function(AFTER, arg=[BATCH, 52, LAST])
    expect(page.locator(".wp-message")).to_be_hidden()


def test_an_address_that_leads_into_a_missing_part_opens_the_rest(page, site):
    """All other parts are there to be seen."""
    lose(page, 2)
    opened(page, site + "#batch=40")
    expect(page.locator(".wp-message")).to_contain_text(LOST)
    page.locator(".wp-canvas").first.press("Home")
    expect(page.locator(".wp-words")).to_contain_text(say("batch_loss", batch=1, last=LAST, loss="").rstrip())
    expect(page.locator(".wp-message")).to_be_hidden()


def test_a_pinned_edge_says_which_parts_it_lacks(page, site):
    """Instead of loading for ever; and they can be asked for again."""
    lose(page, 2)
    opened(page, site + "#batch=3&edge=l4.3.7")
    progress = page.locator(".wp-progress")
    total = -(-LAST // 16)
    expect(progress).to_contain_text(say("loading_lost", count=1, total=total))
    page.unroute("**/002.bin*")
    progress.get_by_role("button", name=say("again")).click()
    expect(progress).to_be_hidden()
    expect(page.locator(".wp-cards .wp-history").first).to_contain_text(counted("batches", LAST))


def test_a_slow_network_is_waited_for(page, site):
    """It says that it loads, then shows the batch that was asked for last."""
    opened(page, site + "#batch=3")
    waiting = []
    page.route("**/*.bin*", lambda route: waiting.append(route))
    field = page.get_by_role("spinbutton", name=say("batch"))
    for batch in ("25", "40"):
        field.fill(batch)
        page.keyboard.press("Enter")
    expect(page.locator(".wp-waiting").first).to_be_visible()
    for scheme, colours, paper in (
        ("slate", "dark", [20, 23, 28]),
        ("default", "light", [255, 255, 255]),
    ):  # meanwhile the reader changes colours
        page.evaluate("(scheme) => { document.body.dataset.mdColorScheme = scheme; }", scheme)
        page.wait_for_function(SCHEME, arg=colours)
        picture = shot(page).astype(int)
        assert (picture[2, 2] == paper).all()
        assert (np.abs(picture[..., 0] - picture[..., 2]) > 60).any(), "the lines that were there stay"
    for route in waiting:
        route.continue_()
    expect(page.locator(".wp-words")).to_contain_text(at(40))
    expect(page.locator(".wp-waiting").first).to_be_hidden()


def test_what_was_never_shown_is_paper_until_it_is_there(page, site):
    """A second graph whose part is on its way: its nodes, not a black box."""
    opened(page, site + "#batch=3")
    page.route("**/adam-b1-0-*/*.bin*", lambda route: None)
    page.get_by_role("button", name=say("compare", label="Adam, β1 = 0"), exact=True).click()
    expect(page.locator(".wp-waiting:visible")).to_have_count(2)
    page.wait_for_timeout(100)
    data = (
        page.locator(".wp-canvas canvas")
        .nth(1)
        .evaluate("""canvas => {
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return [data[8], data.filter((value, place) => place % 4 === 0 && value < 200).length];
    }""")
    )
    assert data[0] == 255
    assert data[1] > 100
