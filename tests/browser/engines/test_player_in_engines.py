"""The player in Firefox and in WebKit: it opens, plays, steps, replays, and says what it cannot have."""

import os
from pathlib import Path

import pytest
from conftest import ROOT
from selenium.webdriver import Keys

from report import wording

from ..conftest import SAID
from .reader import Reader

HOMES = {"en": "", "ja": "ja/"}
PLAYER = SAID["player"]
BATCH = "() => Number(document.querySelector('.wp-player input[type=number]').value)"
# Pixels of the graph that are clearly red or blue.
LINES = """() => {
    const canvas = document.querySelector(".wp-canvas canvas");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let place = 0; place < data.length; place += 4) found += Math.abs(data[place] - data[place + 2]) > 60;
    return found;
}"""
GRAPHS = """(count) =>
    [...document.querySelectorAll(".wp-canvas canvas")].filter((each) => each.checkVisibility()).length === count"""
HASH = "(part) => location.hash.includes(part)"


def button(key: str, language: str = "en") -> str:
    """Return the selector of a button by what it says."""
    return f'.wp-player button[aria-label="{wording.read(ROOT / "templates", language, "interface")["player"][key]}"]'


@pytest.mark.parametrize("language", HOMES)
def test_it_opens_plays_and_steps(reader: Reader, address: str, language: str) -> None:
    """By mouse and by keyboard; the address follows, and leads there again."""
    reader.go(f"{address}{HOMES[language]}explore.html#batch=30")
    reader.see(".wp-words", "30")
    assert reader.run(LINES) > 50
    reader.click(button("forward", language))
    reader.wait(f"() => ({BATCH})() === 31")
    reader.focus(".wp-canvas")
    reader.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.PAGE_UP)
    reader.wait(f"() => ({BATCH})() === 129")
    reader.wait(HASH, "batch=129")
    reader.click(button("play", language))
    reader.wait(f"() => ({BATCH})() > 131")
    reader.click(button("pause", language))
    stood = reader.run(BATCH)
    reader.go(f"{address}{HOMES[language]}explore.html#batch={stood}")
    assert reader.run(BATCH) == stood


def test_another_optimizer_and_the_microscope(reader: Reader, address: str) -> None:
    """A pinned edge has its history; the recorded gradients go through Adam with another momentum."""
    reader.go(f"{address}explore.html#batch=60")
    reader.see(".wp-strongest button")
    reader.click(".wp-strongest button")  # the strongest in this batch
    reader.wait(HASH, "edge=")
    history = ".wp-cards .wp-history"
    reader.see(history, "210")
    recorded = reader.text(history)
    what_if = f'.wp-player [aria-label="{PLAYER["what_if"]}"]'
    reader.fill(f"{what_if} select", "adam")
    reader.wait(HASH, "replay=adam:0.9")
    reader.fill(f"{what_if} .wp-slider", "0")
    reader.wait(HASH, "replay=adam:0")
    reader.wait("(history, text) => document.querySelector(history).textContent !== text", history, recorded)
    reader.fill(f"{what_if} select", "recorded")
    reader.wait("() => !location.hash.includes('replay')")
    reader.see(history, recorded)


def test_a_link_shows_what_it_holds(reader: Reader, address: str) -> None:
    """Two graphs, a layer, a speed; and the poster on the home page opens the player there."""
    reader.go(f"{address}explore.html#batch=40&compare=adam-b1-0&speed=25")
    reader.wait(GRAPHS, 2)
    reader.see(".wp-words", "Adam, β1 = 0")
    reader.go(f"{address}index.html")
    reader.click("weight-player button")
    reader.see(".wp-hero-canvas")


def test_a_part_that_is_missing_is_said_and_the_rest_works(
    reader: Reader, broken: tuple[str, Path], folder: Path
) -> None:
    """Another training run is there; when the part has come, so is this one."""
    address, copy = broken
    part = "player/adam-b1-0-seed3/000.bin"
    reader.go(f"{address}explore.html?missing#batch=40&run=adam-b1-0")
    reader.see(".wp-message", PLAYER["missing"].format(name="adam-b1-0-seed3/000.bin", status=404))
    reader.focus(".wp-canvas")
    reader.press(Keys.HOME)
    reader.see(".wp-words", PLAYER["lost"].format(batch=""))
    os.link(folder / part, copy / part)
    try:
        reader.click(".wp-message button")
        reader.miss(".wp-message")
        reader.see(".wp-words", PLAYER["batch_loss"].format(batch=1, last=200, loss="").rstrip())
    finally:
        (copy / part).unlink()
    reader.listen()
    asked = [line for line in reader.complaints if line.startswith("404")]
    assert len(asked) <= 2, "asked for it twice"
    reader.complaints.clear()  # that the part is missing


def test_a_browser_that_cannot_unpack_says_so_over_a_sharp_poster(reader: Reader, broken: tuple[str, Path]) -> None:
    """The film's picture is a link to it, and nothing covers or blurs it."""
    reader.go(f"{broken[0]}old.html")
    reader.see("weight-player .wp-message", PLAYER["old_browser"])
    reader.see("weight-player a img")
    filters = """() => {
        const found = [];
        for (let each = document.querySelector("weight-player img"); each; each = each.parentElement) {
            const {filter, opacity} = getComputedStyle(each);
            found.push(filter, opacity);
        }
        return [...new Set(found)].sort();
    }"""
    assert reader.run(filters) == ["1", "none"]
    assert reader.run("() => document.querySelector('weight-player a').href.endsWith('.gif')")


def test_it_plays_in_the_offline_copy(reader: Reader, copy: str) -> None:
    """From the file system, where data come as scripts."""
    reader.go(f"{copy}explore.html#batch=30")
    reader.see(".wp-words", "30")
    reader.click(button("forward"))
    reader.wait(f"() => ({BATCH})() === 31")
    assert reader.run(LINES) > 50
