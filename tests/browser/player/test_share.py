"""What a reader takes away: a link, numbers, and the player itself in another page."""

import csv
import io
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from .driving import edge_of, loaded, opened, say


@pytest.fixture
def clipboard(page):
    """Return what reads the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return lambda: page.evaluate("navigator.clipboard.readText()")


def copy(page, what):
    """Press a button that copies, and wait until it says so."""
    page.get_by_role("button", name=say(what)).click()
    expect(page.locator(".wp-share [role=status]")).to_have_text(say("copied"))


def test_a_link_leads_to_what_is_shown_now(page, site, clipboard):
    """Also before the address has followed."""
    opened(page, site + "#batch=30")
    page.get_by_role("button", name=say("forward")).click()
    copy(page, "copy_link")
    assert clipboard() == f"{site}#batch=31"


def test_the_numbers_of_what_is_pinned(page, site, clipboard, updates):
    """Every batch of every pinned weight in both graphs, as it was recorded, within the rounding of the player."""
    opened(page, site + "#batch=30")
    expect(page.get_by_role("button", name=say("copy_csv"))).to_be_disabled()
    opened(page, site + "#batch=30&edge=l5.3.2,l3.0.5&compare=adam-b1-0")
    page.reload()
    loaded(page)
    copy(page, "copy_csv")
    rows = list(csv.DictReader(io.StringIO(clipboard())))
    assert len(rows) == 2 * 2 * 201  # the shorter recording's 200 batches, and what was before the first
    assert {row["run"] for row in rows} == {"Adam, β1 = 0.9", "Adam, β1 = 0"}
    own = [row for row in rows if row["run"] == "Adam, β1 = 0.9" and row["weight"] == "l5.3.2"]
    assert own[0]["update"] == own[0]["gradient"] == ""
    series = updates[:200, edge_of("l5", 3, 2)]
    found = np.array([float(row["update"]) for row in own[1:]])
    assert (np.sign(found) == np.sign(series)).all()
    assert np.abs(found - series).max() < 1e-4
    assert [int(row["batch"]) for row in own] == list(range(201))


def test_where_nothing_may_be_copied_the_reader_does_it(page, site):
    """The text is there, and selected."""
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    opened(page, site + "#batch=30")
    page.get_by_role("button", name=say("copy_embed")).click()
    text = page.get_by_role("textbox", name=say("copy_this"))
    expect(text).to_be_focused()
    code = text.input_value()
    source = re.search(r'src="([^"]+)"', code)[1]
    assert source == f"{site}?embed=1#batch=30"
    assert say("hero") in code


def test_the_embedded_player_leaves_the_way_back_alone(page, site):
    """The button back is the other page's."""
    page.goto(site + "404.html")
    page.set_content(f'<iframe src="{site}?embed=1#batch=30" width="1000" height="900"></iframe>')
    frame = page.frame_locator("iframe")
    expect(frame.locator(".wp-words")).not_to_be_empty()
    length = page.evaluate("history.length")
    frame.get_by_role("button", name=say("compare", label="Adam, β1 = 0"), exact=True).click()
    expect(frame.locator(".wp-canvas canvas:visible")).to_have_count(2)
    assert page.evaluate("history.length") == length
    whole = frame.get_by_role("link", name=say("whole_page"))
    whole.focus()
    assert whole.get_attribute("href") == f"{site}#batch=30&compare=adam-b1-0"
    expect(frame.get_by_role("button", name=say("copy_embed"))).to_have_count(0)
