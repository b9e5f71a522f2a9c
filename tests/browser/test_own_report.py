"""The pages of a report on one's own network, in a real browser, held to what the article's pages are held to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Own
from playwright.sync_api import Browser, Page, Request, expect

from benchmarks.serving import serve

from .conftest import DRESSES, SAID, SIZES, Walk, complaints_of, visit


@pytest.fixture(scope="module")
def site(own_report: Own) -> Iterator[str]:
    """Return the address at which the report is served."""
    with serve(own_report.workspace.site, "/own/") as served:
        yield served


@pytest.fixture(scope="module", params=DRESSES, ids="-".join)
def seen(request: pytest.FixtureRequest, browser: Browser, own_report: Own, site: str) -> Walk:
    """Return what was seen of every page, in each of the dresses."""
    size, scheme = request.param
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
    page = context.new_page()
    complaints = complaints_of(page, site)
    names = sorted(path.name for path in own_report.workspace.site.glob("*.html"))
    found = {name: visit(page, site + name, complaints, f"own-{Path(name).stem}-{size}-{scheme}") for name in names}
    context.close()
    return found


def test_no_page_fails(seen: Walk) -> None:
    """No console error, no failed request, no request to another host; what is wide scrolls in its own box."""
    assert {name: each.complaints for name, each in seen.items() if each.complaints} == {}
    assert {name: each.wider for name, each in seen.items() if each.wider > 0} == {}
    assert {name: each.cut_off for name, each in seen.items() if each.cut_off} == {}


def test_axe_finds_nothing(seen: Walk) -> None:
    """On no page, of no severity."""
    assert {name: each.violations for name, each in seen.items() if each.violations} == {}


def test_every_picture_is_there_and_described(seen: Walk) -> None:
    """Loaded, with a text for those who do not see it, and its size, so that nothing jumps."""
    pictures = [image for each in seen.values() for image in each.images if image["figure"]]
    assert len(pictures) > 10
    for image in pictures:
        assert image["loaded"], image
        assert len(image["alt"]) > 20, image
        assert int(image["width"]) > 0, image
        assert int(image["height"]) > 0, image


def test_search_finds_a_tensor(page: Page, site: str) -> None:
    """And leads to its section."""
    page.goto(site, wait_until="load")
    page.get_by_role("textbox", name="Search").press_sequentially("6.weight")
    page.locator(".md-search-result__link", has_text="6.weight").first.click()
    page.wait_for_url("**/tensors.html*#t*")


def test_a_section_leads_to_its_tensor_in_the_player(page: Page, site: str) -> None:
    """The player opens with that tensor, and says steps, not batches."""
    page.goto(f"{site}tensors.html", wait_until="load")
    link = page.get_by_role("link", name="Explore it step by step").nth(2)
    wanted = (link.get_attribute("href") or "").partition("tensor=")[2]
    link.click()
    player = page.locator("weight-player[data-state=open]")
    expect(player).to_be_visible()
    assert f"tensor={wanted}" in page.url
    expect(player).to_contain_text("Step")
    expect(player).not_to_contain_text(SAID["player"]["batch"])


def test_it_opens_from_the_file_system(page: Page, own_report: Own) -> None:
    """What `show` names is a file: its player plays there, its search finds, and nothing complains."""
    heard: list[str] = []
    page.on("console", lambda line: heard.append(line.text))
    page.on("pageerror", lambda error: heard.append(str(error)))

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # as the pictures of a page that is left early are
            heard.append(request.url)

    page.on("requestfailed", failed)
    folder = own_report.workspace.site
    page.goto((folder / "explore.html").as_uri())
    player = page.locator("weight-player[data-state=open]")
    expect(player.get_by_role("button", name="One step on")).to_be_enabled()
    page.goto((folder / "index.html").as_uri())
    page.get_by_role("textbox", name="Search").press_sequentially("6.weight")
    page.locator(".md-search-result__link", has_text="6.weight").first.click()
    page.wait_for_url("**/tensors.html*#t*")
    assert heard == []


def test_the_player_keeps_within_its_frame_on_a_phone(page: Page, own_report: Own, site: str) -> None:
    """However long the name of a tensor is."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site}explore.html")
    player = page.locator("weight-player[data-state=open]")
    expect(player).to_be_visible()
    player.locator("select").first.evaluate("each => each.options[0].text = 'encoder.block.attention.weight'.repeat(3)")
    frame = page.locator("#player").bounding_box()
    assert frame is not None
    for part in (player, player.locator("select").first, player.locator("canvas").first):
        box = part.bounding_box()
        assert box is not None
        assert frame["x"] <= box["x"] < box["x"] + box["width"] <= frame["x"] + frame["width"], part


def test_without_a_script_lines_do_not_lie_upon_each_other(browser: Browser, own_report: Own, site: str) -> None:
    """What is said in the player's place takes as many lines as a phone needs."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}explore.html")
    box = page.locator("weight-player > span").bounding_box()
    assert box is not None
    assert box["height"] > 60
    context.close()
