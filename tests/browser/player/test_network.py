"""What cannot be had is said once; the rest stays usable."""

import pytest
from playwright.sync_api import expect

from .driving import at, batch_of, opened, pattern, say


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
        ("**/*.bin*", cut, ("short", {"size": "200", "wanted": r"\d+"})),
        ("**/*.bin*", lambda route: route.fulfill(body="<!doctype html><p>" * 9), ("foreign", {})),
        ("**/*.bin*", lambda route: route.fulfill(status=404, body=""), ("missing", {"status": "404"})),
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


def test_a_later_part_that_is_missing_gives_a_message_too(page, site):
    """The last picture stays; trying again brings the new one."""
    opened(page, site + "#batch=3")
    page.route("**/002.bin*", lambda route: route.abort())
    page.get_by_role("spinbutton", name=say("batch")).fill("40")
    page.keyboard.press("Enter")
    expect(page.locator(".wp-message")).to_contain_text(pattern("unreachable", name=r"[\w./-]+002\.bin"))
    assert batch_of(page) == 3
    page.unroute("**/002.bin*")
    page.get_by_role("button", name=say("again")).click()
    expect(page.locator(".wp-words")).to_contain_text(at(40))


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
    page.wait_for_timeout(100)
    for route in waiting:
        route.continue_()
    expect(page.locator(".wp-words")).to_contain_text(at(40))
    expect(page.locator(".wp-waiting").first).to_be_hidden()
