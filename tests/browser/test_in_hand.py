"""What a reader takes in hand in the article: the momentum slider, and the guess at what is recorded."""

import re
import shutil
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, Build
from playwright.sync_api import Browser, Page, expect

from report import wording
from report.site import offline
from report.workspace import Workspace

from .conftest import AXE, SAID, complaints_of, missing

HAND = SAID["hand"]
HOMES = {"en": "", "ja": "ja/"}
AXE_BOTH = """axe.run({include: [["#figure-coin"], ["#figure-guess"]]}).then(({violations}) =>
    violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`)))"""


def test_the_slider_makes_its_point_before_any_touch(page: Page, address):
    """At β = 0.9 streaks of seven batches; the still is gone, and was not even fetched."""
    complaints = complaints_of(page, address)
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address, wait_until="load")
    figure = page.locator("#figure-coin")
    figure.scroll_into_view_if_needed()
    slider = figure.get_by_role("slider", name=HAND["slider"])
    expect(slider).to_have_value("0.9")
    expect(slider).to_have_attribute("aria-valuetext", HAND["spoken"].format(beta="0.90", run="6.9", formula="7.0"))
    expect(figure.locator("output")).to_have_text("0.90")
    expect(figure.locator("img")).to_have_count(0)
    assert not [url for url in fetched if "coin" in url]
    assert complaints == []


def test_the_slider_follows_the_keyboard(page: Page, address):
    """The end of the scale, and the beginning; each with its streaks, and marks at both numbers."""
    page.goto(address, wait_until="load")
    figure = page.locator("#figure-coin")
    slider = figure.get_by_role("slider")
    slider.focus()
    drawn = [figure.locator("path").nth(place).get_attribute("d") for place in (2, 4)]
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", HAND["spoken"].format(beta="0.00", run="2.0", formula="2.0"))
    assert figure.locator("path").nth(2).get_attribute("d") != drawn[0]
    assert figure.locator("path").nth(4).get_attribute("d").count("M") > 2 * drawn[1].count("M"), "as many streaks"
    page.keyboard.press("End")
    expect(figure.locator("output")).to_have_text("0.99")
    run, formula = (float(figure.locator("b").nth(place).inner_text()) for place in (0, 1))
    assert formula == 22.2
    assert run == pytest.approx(formula, rel=0.03)
    page.keyboard.press("ArrowLeft")
    expect(figure.locator("output")).to_have_text("0.98")


@pytest.mark.parametrize(("guess", "verdict"), [("2", "right"), ("4", "wrong"), ("7", "wrong")])
def test_a_guess_is_answered_and_shown(page: Page, address, guess, verdict):
    """The focus stays on the button; who cannot see the answer hears it; the slider shows it."""
    page.goto(address, wait_until="load")
    figure = page.locator("#figure-coin")
    expect(figure.locator("[role=status]")).to_be_empty()
    button = figure.get_by_role("group", name=HAND["question"]).get_by_role("button", name=guess)
    button.focus()
    page.keyboard.press("Enter")
    expect(figure.locator("[role=status]")).to_have_text(f"{HAND[verdict]} {HAND['answer'].format(batches=2)}")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(figure.locator("[aria-pressed=true]")).to_have_count(1)
    expect(figure.get_by_role("slider")).to_have_value("0")


@pytest.mark.parametrize(("guess", "verdict"), [("a", "wrong"), ("b", "right")])
def test_the_recorded_one_is_named_once_the_reader_has_chosen(page: Page, address, guess, verdict):
    """Before, nothing gives it away, not even the description of the picture."""
    page.goto(address, wait_until="load")
    figure = page.locator("#figure-guess")
    figure.scroll_into_view_if_needed()
    picture, answer = figure.locator("img:visible"), figure.locator(".answer")
    expect(picture).to_have_attribute("alt", HAND["unlabelled"])
    expect(answer).to_be_hidden()
    pictures = figure.locator(".guess__pictures")
    before = pictures.bounding_box()["height"]
    assert before == pytest.approx(
        picture.bounding_box()["height"] * (1 - 30 / int(picture.get_attribute("height"))), 1
    )
    figure.get_by_role("button", name=HAND[guess], exact=True).press("Enter")
    expect(answer).to_be_visible()
    expect(answer).to_contain_text(re.compile(f"^{HAND[verdict]} "))
    expect(answer).to_be_focused()
    expect(figure.get_by_role("button")).to_have_count(0)
    expect(picture).not_to_have_attribute("alt", HAND["unlabelled"])
    assert pictures.bounding_box()["height"] > before + 15


@pytest.mark.parametrize("language", HOMES)
def test_both_are_stills_without_a_script(browser: Browser, address, language):
    """A picture with its labels and its whole caption, in either language; it is said what a script would add."""
    said = wording.read(ROOT / "templates", language, "interface")["site"]
    page = browser.new_page(java_script_enabled=False)
    page.goto(address + HOMES[language], wait_until="load")
    for name in ("coin", "guess"):
        figure = page.locator(f"#figure-{name}")
        expect(figure.locator("img:visible")).to_have_count(1)
        assert f"figures/{language}/{name}" in figure.locator("img:visible").get_attribute("src")
        expect(figure.locator(".answer")).to_be_visible()
        expect(figure.get_by_role("button")).to_have_count(0)
        # By its text alone: Chromium shows it where scripts are off by its own settings, and Playwright turns others.
        assert said[f"without_{name}"] in figure.locator("noscript").text_content()
    page.goto(f"{address}{HOMES[language]}explore.html", wait_until="load")
    assert said["without_player"] in page.locator("#player figcaption noscript").text_content()
    page.close()


def test_on_paper_there_is_nothing_to_press(page: Page, address):
    """And nothing is missing: the bars, the labels, the answer."""
    page.goto(address, wait_until="load")
    page.emulate_media(media="print")
    expect(page.locator("#figure-coin svg").first).to_be_visible()
    expect(page.locator("#figure-guess .answer")).to_be_visible()
    expect(page.locator("#figure-guess img:visible")).to_have_count(1)
    for button in page.locator(".hand__choice button").all():
        expect(button).to_be_hidden()
    shown, picture = (
        page.locator(f"#figure-guess {each}").bounding_box() for each in (".guess__pictures", "img:visible")
    )
    assert shown["height"] >= picture["height"] - 1


@pytest.mark.parametrize("language", HOMES)
@pytest.mark.parametrize("dress", [{"color_scheme": "dark"}, {"forced_colors": "active"}])
def test_both_fit_a_narrow_window(browser: Browser, address, language, dress):
    """320 pixels wide, before and after a touch; axe finds nothing; marks do not vanish in forced colours."""
    context = browser.new_context(viewport={"width": 320, "height": 640}, **dress)
    page = context.new_page()
    page.goto(address + HOMES[language], wait_until="load")
    if not AXE.is_file():
        missing('axe-core is not installed ("make test" installs it)')
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for _ in range(2):
        for name in ("coin", "guess"):
            box = page.locator(f"#figure-{name}").bounding_box()
            assert box["width"] <= 320
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        if "color_scheme" in dress:  # forced colours are the browser's: axe measures those of the page
            page.locator("#figure-guess").scroll_into_view_if_needed()
            assert page.evaluate(AXE_BOTH) == []
        page.locator("#figure-coin button").nth(1).click()
        page.locator("#figure-guess button").first.or_(page.locator("#figure-coin button").first).last.click()
    ground, mark = page.evaluate(
        """() => [getComputedStyle(document.querySelector("#figure-coin")).backgroundColor,
            getComputedStyle(document.querySelector(".knob__mark-run")).borderTopColor]"""
    )
    assert ground != mark
    if "forced_colors" in dress:
        signs = page.locator(".knob__made svg:last-child path")
        up, down = (signs.nth(place).evaluate("path => getComputedStyle(path).fill") for place in (0, 1))
        assert down == ground != up, "one sign is painted, the other is not"
    context.close()


def test_both_work_in_the_offline_copy(page: Page, tiny_build: Build, tmp_path: Path):
    """From the file system, where no module is loaded by its address; the site itself has its stills there."""
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "docs").symlink_to(tiny_build.workspace.docs)
    shutil.copy(tiny_build.workspace.site_settings, tmp_path / "build")
    archive = offline.pack(Workspace(ROOT, tmp_path / "build", tmp_path / "site"), tiny_build.settings)
    with zipfile.ZipFile(archive) as content:
        content.extractall(tmp_path)
    copy, site = (folder.as_uri() + "/" for folder in (tmp_path / offline.NAME, tiny_build.workspace.site))
    complaints = complaints_of(page, "file:")
    for home in HOMES.values():
        page.goto(f"{copy}{home}index.html")
        expect(page.locator("#figure-coin").get_by_role("slider")).to_have_value("0.9")
        expect(page.locator("#figure-guess").get_by_role("button")).to_have_count(2)
    assert complaints == []
    for home in HOMES.values():
        page.goto(f"{site}{home}index.html")
        expect(page.locator("#figure-coin img:visible")).to_have_count(1)
        expect(page.locator("#figure-guess .answer")).to_be_visible()
