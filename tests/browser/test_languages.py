"""What a reader does between languages: search within one, and go to the same place in the other."""

from collections.abc import Iterator
from dataclasses import replace

import editions
import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.serving import serve
from report.site import mkdocs as site
from report.workspace import Workspace

from .conftest import MOUNT, axe, complaints_of

LONG = "\n\n".join(["Filler that makes a section long."] * 40)
FOUND = ".md-search-result__item a"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a small site's workspace."""
    return editions.write(tmp_path_factory.mktemp("languages"), LONG)


@pytest.fixture(scope="module")
def languages(place: Workspace) -> Iterator[str]:
    """Return the address of a small site in two languages."""
    with serve(place.site, MOUNT) as served:
        site.build(place, replace(editions.SETTINGS, url=served))
        yield served


def search(page: Page, box: str, words: str) -> set[str]:
    """Return the addresses of the pages that are found."""
    field = page.get_by_role("textbox", name=box)
    field.fill(words)
    field.press("End")  # what a keyboard for Japanese sends besides
    expect(page.locator(FOUND).first).to_be_visible(timeout=20_000)
    return set(page.locator(FOUND).evaluate_all("(links) => links.map((link) => link.href.split(/[?#]/)[0])"))


@pytest.mark.parametrize("words", ["重み", "方向", "動き続ける", "続ける", "モーメンタム", "重み更新"])
def test_a_japanese_word_within_a_sentence_is_found(page: Page, languages: str, words: str) -> None:
    """Japanese has no spaces between words: the index takes its titles and its prose apart."""
    complaints = complaints_of(page, languages)
    page.goto(f"{languages}ja/method.html", wait_until="load")
    assert search(page, "検索", words) == {f"{languages}ja/index.html"}
    page.locator(f"{FOUND}[href*='#why']").first.click()
    expect(page.get_by_role("heading", name="なぜ重みは")).to_be_in_viewport()
    assert complaints == []


def test_a_search_stays_within_its_language(page: Page, languages: str) -> None:
    """A word that both have is found in the page's own alone."""
    for folder, box in (("", "Search"), ("ja/", "検索")):
        page.goto(f"{languages}{folder}index.html", wait_until="load")
        assert search(page, box, "Adam") == {f"{languages}{folder}method.html"}


def test_the_switch_keeps_the_place(page: Page, languages: str) -> None:
    """The anchor that the reader followed, or the section that is read; the top of the page stays the top."""
    complaints = complaints_of(page, languages)
    page.goto(f"{languages}method.html#optimizers", wait_until="networkidle")
    page.get_by_role("link", name="日本語").click()
    page.wait_for_url(f"{languages}ja/method.html#optimizers", wait_until="networkidle")
    expect(page.get_by_role("heading", level=2)).to_be_in_viewport()
    page.goto(f"{languages}ja/index.html", wait_until="networkidle")
    page.get_by_role("link", name="English").click()
    page.wait_for_url(lambda address: address.rstrip("#") == f"{languages}index.html", wait_until="networkidle")
    page.evaluate("scrollTo({top: document.documentElement.scrollHeight, behavior: 'instant'})")
    page.get_by_role("link", name="日本語").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{languages}ja/index.html#why", wait_until="networkidle")
    assert complaints == []


def test_the_switch_needs_no_script(browser: Browser, languages: str) -> None:
    """It is a link to the page."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{languages}method.html", wait_until="load")
    page.get_by_role("link", name="日本語").click()
    page.wait_for_url(f"{languages}ja/method.html")
    context.close()


def test_the_colours_are_kept_in_the_other_language(page: Page, languages: str) -> None:
    """What the reader has chosen once holds for the whole site."""
    page.goto(f"{languages}method.html", wait_until="load")
    page.get_by_title("Switch to the light colours").click()
    page.get_by_title("Switch to the dark colours").click()
    page.get_by_role("link", name="日本語").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    expect(page.get_by_title("システムの設定に合わせる")).to_be_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_header_has_room_for_the_switch(browser: Browser, languages: str, width: int) -> None:
    """In both languages, on a phone too, and for those who do not see it."""
    context = browser.new_context(viewport={"width": width, "height": 700})
    page = context.new_page()
    for path, name in (("method.html", "日本語"), ("ja/method.html", "English")):
        page.goto(languages + path, wait_until="load")
        expect(page.get_by_role("link", name=name)).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert axe(page) == []
    context.close()


def test_the_offline_copy_is_searched_in_each_language(page: Page, place: Workspace) -> None:
    """From the file system, where an index is a script."""
    copy = Workspace(place.root, place.build, place.build.parent / "copy")
    site.build(copy, editions.SETTINGS, offline=True)
    address = copy.site.as_uri() + "/"
    page.goto(f"{address}ja/method.html", wait_until="load")
    assert search(page, "検索", "重み") == {f"{address}ja/index.html"}
    page.goto(f"{address}method.html", wait_until="load")
    assert search(page, "Search", "weight") == {f"{address}index.html"}


def test_the_switch_keeps_what_the_player_shows(page: Page, address: str) -> None:
    """The step, what is pinned, and every other choice are in the address, which the link takes along."""
    player = page.locator("weight-player[data-state=open]")
    page.goto(f"{address}explore.html#batch=40&edge=l5.3.2", wait_until="networkidle")
    expect(player).to_be_visible()
    page.get_by_role("link", name="日本語").click()
    page.wait_for_url(f"{address}ja/explore.html#batch=40&edge=l5.3.2", wait_until="networkidle")
    expect(player.locator(".wp-card:visible")).to_contain_text("l5[3, 2]")
