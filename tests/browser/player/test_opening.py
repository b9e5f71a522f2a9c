"""It opens with what the page shows, in the page's language and scheme, with a script, without one, and offline."""

import re
import shutil
import zipfile

import pytest
from conftest import ROOT
from playwright.sync_api import expect

from report.site import offline
from report.workspace import Workspace

from ..conftest import axe, complaints_of, take_picture
from .driving import COUNT_FRAMES, MAIN, SCHEME, SHORTER, at, batch_of, opened, say, shot


def test_it_opens_with_a_picture_and_only_what_that_needs(page, site):
    """The batch of the film's poster; the index, one shard and the loss are read."""
    complaints = complaints_of(page, site)
    asked = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site)))
    opened(page, site)
    index = page.request.get(f"{site}player/index.json").json()
    assert batch_of(page) == index["opening_batch"]
    data = [name for name in asked if name.startswith("player/")]
    place = (index["opening_batch"] - 1) // index["runs"][0]["batches_per_shard"]
    wanted = ["index.json", f"{MAIN}/{place:03d}.bin", f"{MAIN}/loss.json"]
    assert [name.split("?")[0] for name in data] == [f"player/{name}" for name in wanted]
    picture = shot(page).astype(int)
    red = (picture[..., 0] - picture[..., 2]) > 60
    blue = (picture[..., 2] - picture[..., 0]) > 60
    assert red.any()
    assert blue.any()
    assert page.locator("img").is_hidden()
    assert complaints == []


def test_while_it_opens_it_says_so(page, site):
    """In a page that is empty otherwise; the word goes with what it spoke of."""
    waiting = []
    page.route("**/*.bin*", lambda route: waiting.append(route))
    page.goto(site)
    opening = page.locator(".wp-opening")
    expect(opening).to_have_text(say("loading"))
    while not waiting:
        page.wait_for_timeout(20)
    waiting[0].continue_()
    expect(page.locator(".wp-words")).not_to_be_empty()
    expect(opening).to_have_count(0)


def test_without_script_the_film_is_a_link(browser, site):
    """And its poster a picture."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    link = page.get_by_role("link", name="The film")
    expect(link).to_be_visible()
    assert link.get_attribute("href") == "animations/network.gif"
    context.close()


def test_a_page_without_words_keeps_the_film(page, site):
    """Where the player could not say anything, nothing is loaded, and nothing fails."""
    complaints = complaints_of(page, site)
    page.goto(site + "silent.html", wait_until="networkidle")
    expect(page.get_by_role("link", name="The film")).to_be_visible()
    assert page.locator("weight-player button").count() == 0
    assert complaints == []


def test_it_speaks_the_pages_language(page, site):
    """In Japanese no word of English is left, whatever is open, and every place is filled."""
    complaints = complaints_of(page, site)
    opened(page, site + "ja.html#batch=30&edge=l4.3.7,l5.0.1&compare=adam-b1-0")
    expect(page.locator(".wp-card canvas:visible")).to_have_count(8)
    said = page.evaluate("""() => [...document.querySelectorAll(".wp-player, .wp-player *")].flatMap((element) =>
        [element.ariaLabel, element.title, element.ariaValueText,
            ...[...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data)])
        .filter((text) => text?.trim())""")
    assert len(said) > 60
    assert [text for text in said if re.search(r"undefined|NaN|[{}]", text)] == []
    keys = {"Page", "Shift", "Escape", "Home", "End", "Up", "Down"}
    names = {"Adam", "SGD( with momentum 0.9)?", "Qiita", "CSV", "nat"} | keys
    english = [word for text in said for word in re.findall(r"[A-Za-z]{3,}", re.sub("|".join(names), "", text))]
    assert english == []
    page.wait_for_load_state("networkidle")
    page.goto(site + "hero-ja.html")
    page.locator("weight-player button").click()
    expect(page.locator(".wp-hero-canvas")).to_be_visible()
    assert complaints == []


def test_less_motion_for_those_who_ask_for_it(browser, site):
    """Two batches a second instead of ten, until the reader chooses otherwise."""
    page = browser.new_page(reduced_motion="reduce")
    opened(page, site)
    assert page.get_by_label(say("speed")).input_value() == "2"
    moving = page.evaluate("document.getAnimations().length")
    assert moving == 0
    page.close()


def test_colours_follow_the_scheme(page, site):
    """At once, on the canvas too."""
    opened(page, site + "#batch=4")
    assert (shot(page)[2, 2] == 255).all()
    page.evaluate("document.body.dataset.mdColorScheme = 'slate'")
    page.wait_for_function(SCHEME, arg="dark")
    assert (shot(page)[2, 2] < 60).all()


def test_it_leaves_nothing_behind(page, site):
    """Taken out of the page while it plays, it stops; put back, it opens again."""
    page.add_init_script(COUNT_FRAMES)
    opened(page, site + "#batch=3")
    page.get_by_role("button", name=say("play")).click()
    page.evaluate("window.taken = document.querySelector('weight-player'); taken.remove()")
    page.wait_for_timeout(200)
    start = page.evaluate("window.frames_asked")
    page.wait_for_timeout(300)
    assert page.evaluate("window.frames_asked") == start
    page.evaluate("document.querySelector('main').prepend(window.taken)")
    expect(page.locator(".wp-words")).not_to_be_empty()


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_anyone_can_use_it(browser, address, size, scheme):
    """In the site itself, with two graphs and pinned edges: axe-core is silent, nothing is wider than the page."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    complaints = complaints_of(page, address)
    opened(page, f"{address}explore.html#batch=30&edge=l4.3.7,l5.0.1&compare=adam-b1-0&replay=adam:0.5")
    expect(page.locator(".wp-card canvas:visible")).to_have_count(8)
    page.wait_for_timeout(300)
    take_picture(page, f"player-{size[0]}-{scheme}")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert complaints == []
    context.close()


def test_the_offline_copy_plays_from_the_file_system(page, tiny_build, tmp_path):
    """No server: the page is opened as a file, and everything in it works."""
    build = tmp_path / "build"
    build.mkdir()
    (build / "docs").symlink_to(tiny_build.workspace.docs)
    shutil.copy(tiny_build.workspace.site_settings, build)
    archive = offline.pack(Workspace(ROOT, build, build / "site"), tiny_build.settings)
    with zipfile.ZipFile(archive) as content:
        content.extractall(tmp_path / "copy")
    address = (tmp_path / "copy" / offline.NAME).as_uri() + "/"
    complaints = complaints_of(page, address)
    opened(page, f"{address}explore.html#batch=30&compare=adam-b1-0")
    page.get_by_role("button", name=say("forward")).click()
    expect(page.locator(".wp-words")).to_contain_text(at(31, SHORTER))
    expect(page).to_have_url(re.compile(r"#batch=31&compare"))
    page.goto(f"{address}index.html")
    page.locator("weight-player").get_by_role("button", name=say("play")).click()
    expect(page.locator(".wp-hero-canvas")).to_be_visible()
    assert complaints == []
