"""The small player of the home page: the film's own picture, which moves when asked to."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from .driving import say, shot


@pytest.mark.parametrize("batch", [1, 2, 5, 8])
def test_the_picture_is_the_films(page, site, tiny_build, batch):
    """The player's frame at batch t and network.gif's frame t, pixel for pixel where the graph is."""
    page.goto(site + "hero.html")
    page.get_by_role("button", name=say("play")).click()
    expect(page.get_by_role("button", name=say("pause"))).to_be_visible()
    page.get_by_role("button", name=say("pause")).click()
    show = (
        "batch => { const {content} = document.querySelector('weight-player'); content.batch = batch; content.draw() }"
    )
    page.evaluate(show, batch)
    drawn = shot(page, ".wp-hero-canvas").astype(int)
    with Image.open(tiny_build.workspace.animations / "network.gif") as film:
        film.seek(batch - 1)
        wanted = np.asarray(film.convert("RGB")).astype(int)
    assert drawn.shape == wanted.shape
    # Words are set in the reader's own typeface: what is compared lies between them.
    graph = np.s_[80:910, 40:460]
    difference = np.abs(drawn - wanted)[graph].max(axis=-1)
    assert difference.mean() < 1.4  # of 255: the film has 40 levels of each colour
    assert np.quantile(difference, 0.99) < 24
    shifted = np.abs(np.roll(drawn, 3, axis=0) - wanted)[graph].max(axis=-1)
    assert shifted.mean() > 3 * difference.mean()  # the test would see a picture that lies elsewhere


def test_the_hero_loads_nothing_before_it_is_asked_to(page, site):
    """The script and the poster; then the picture moves, and stands still when paused."""
    asked = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site).split("?")[0]))
    page.goto(site + "hero.html", wait_until="networkidle")
    own = [name for name in asked if "player" in name]
    assert own == ["assets/player/weight-player.css", "assets/player/weight-player.js"]
    page.get_by_role("button", name=say("play")).click()
    expect(page.get_by_role("button", name=say("pause"))).to_be_visible()
    page.wait_for_function("document.querySelector('weight-player').content.batch > 3")
    page.get_by_role("button", name=say("pause")).click()
    before = shot(page, ".wp-hero-canvas")
    page.wait_for_timeout(400)
    assert (shot(page, ".wp-hero-canvas") == before).all()


def test_pressing_play_is_answered_at_once(page, site):
    """However slow the network is; and when nothing comes, the button offers to play again."""
    waiting = []
    page.route("**/*.bin*", lambda route: waiting.append(route))
    page.goto(site + "hero.html")
    button = page.locator(".wp-hero-button")
    button.click()
    expect(button).to_have_text(say("loading"), timeout=500)
    while not waiting:
        page.wait_for_timeout(50)
    waiting[0].abort()
    expect(page.locator(".wp-message")).to_contain_text(say("again"))
    expect(button).to_have_text(say("play"))


@pytest.mark.parametrize("size", [(1280, 720), (1366, 768), (1440, 900), (390, 844)])
def test_the_home_page_offers_to_play_without_scrolling(browser, address, size):
    """The whole button, and the picture above it, in the first screen."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(address, wait_until="load")
    # A published site is made from full MNIST, and has no notice that it is not.
    page.add_style_tag(content=".md-banner { display: none !important; }")
    button = page.locator("weight-player .wp-hero-button")
    for element in (button, page.locator("weight-player img:visible")):
        expect(element).to_be_in_viewport(ratio=1)
    page.close()
