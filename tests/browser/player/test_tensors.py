"""Any tensor of one's own network as a matrix: chosen, linked to, compared, looked at closely, by anyone."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from ..conftest import SAID, axe, take_picture
from .driving import COUNT_FRAMES, opened, shot

TEXTS = {**SAID["player"], **SAID["player_own"]}


def say(key, **values):
    """Return what the player says of a network of one's own."""
    return TEXTS[key].format(**values)


def at(step, last):
    """Return how it says which step is shown."""
    return say("batch_loss", batch=step, last=last, loss="").rstrip()


def zoom_of(page):
    """Return how close the matrix is seen."""
    return page.evaluate("document.querySelector('weight-player').content.view.stages[0].picture.zoom.scale")


def middle(page, cell):
    """Return where on the page the middle of a cell is."""
    place = page.evaluate(
        """(cell) => {
            const {canvas, picture: {places: {grid, left, top, across, down}}} =
                document.querySelector("weight-player").content.view.stages[0];
            const box = canvas.getBoundingClientRect();
            return [box.left + left + (cell % grid.columns + 0.5) * across,
                box.top + top + (Math.floor(cell / grid.columns) + 0.5) * down];
        }""",
        cell,
    )
    return place[0], place[1]


def test_without_a_graph_it_opens_with_a_matrix_of_the_recorded_updates(page, own):
    """Only what that needs is loaded, and every cell has the colour of its update."""
    address, run = own
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url.removeprefix(address).split("?")[0]))
    page.on("pageerror", lambda error: errors.append(str(error)))
    opened(page, address + "en.html")
    data = {name for name in asked if name.startswith("player/")}
    assert data == {
        f"player/{name}" for name in ("index.json", "t1/index.json", "t1/mine-seed0/000.bin", "mine-seed0/loss.json")
    }
    opened(page, address + "en.html#tensor=t1&batch=9&scale=article")
    expect(page.locator(".wp-words")).to_contain_text(at(9, 60))
    law = page.request.get(f"{address}player/t1/index.json").json()["runs"][0]["laws"][0]
    picture = shot(page).astype(int)
    box = page.locator(".wp-canvas canvas").first.bounding_box()
    deviations = np.diff(run.weights("conv"), axis=0)[8] - law["mean"]
    for cell, deviation in enumerate(deviations):
        x, y = middle(page, cell)
        red, _, blue = picture[round(y - box["y"]), round(x - box["x"])]
        opacity = min((deviation / law["threshold"]) ** 2, 1)
        assert red - blue == pytest.approx((154 if deviation > 0 else -187) * opacity, abs=6)
    assert errors == []


def test_a_tensor_is_chosen_and_one_goes_back(page, own):
    """From the list, with the step kept; the address has it; Back leads to the one before."""
    address, _ = own
    opened(page, address + "en.html#tensor=t1&batch=20")
    page.get_by_label(say("shown")).focus()
    page.get_by_label(say("shown")).select_option(label=say("tensor_option", name="embedding", rows=80, columns=64))
    expect(page).to_have_url(re.compile("#tensor=t3&batch=20"))
    expect(page.get_by_label(say("shown"))).to_be_focused()
    sample = say("shown_sample", entries="1,024", size="5,120")
    expect(page.locator(".wp-note", has_text=sample)).to_be_visible()
    page.go_back()
    expect(page.locator(".wp-note", has_text=say("shown_whole", size=108))).to_be_visible()
    expect(page).to_have_url(re.compile("#tensor=t1&batch=20"))
    expect(page.locator(".wp-words")).to_contain_text(at(20, 60))


def test_tensors_are_found_by_their_names(page, own):
    """The list has those that fit, and the one that is shown; how many is said."""
    address, _ = own
    opened(page, address + "en.html#tensor=t2")
    page.get_by_role("searchbox").fill("NORM.1")
    expect(page.locator(".wp-found")).to_have_text(say("found", count=3))
    options = page.get_by_label(say("shown")).locator("option")
    assert [text.split(",")[0] for text in options.all_inner_texts()] == ["bias", "norm.1", "norm.10", "norm.11"]


@pytest.mark.parametrize(
    ("tensor", "said"),
    [("t2", say("shown_strip_other", count=6)), ("t17", say("shown_strip_one"))],
)
def test_a_strip_says_how_many_weights_it_has(page, own, tensor, said):
    """Of one it says so."""
    address, _ = own
    opened(page, f"{address}en.html#tensor={tensor}")
    expect(page.locator(".wp-note", has_text=said)).to_have_text(said)


def test_a_row_is_asked_for_where_its_field_is_empty(page, own):
    """As a node of the graph is."""
    address, _ = own
    opened(page, address + "en.html#tensor=t1")
    page.get_by_label(say("row"), exact=True).fill("")
    page.get_by_role("button", name=say("pin_this")).click()
    expect(page.get_by_label(say("row"), exact=True)).to_be_focused()
    assert page.evaluate("document.querySelector('weight-player').content.state.edges") == []


@pytest.mark.parametrize(
    ("tensor", "edge", "name"), [("t1", "t1.5.17", "conv[5, 1, 2, 2]"), ("t3", "t3.1.4", "embedding[1, 4]")]
)
def test_a_link_shows_a_weight_and_its_history(page, own, tensor, edge, name):
    """The values are those that were recorded."""
    address, run = own
    opened(page, f"{address}en.html#tensor={tensor}&batch=33&edge={edge}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    place = 107 if tensor == "t1" else 13
    weights = run.weights("conv" if tensor == "t1" else "embedding")[:, place]
    shown = page.locator(".wp-card:visible").locator("dd").first.inner_text().replace("−", "-")
    assert float(shown) == pytest.approx(weights[33], rel=0.02, abs=1e-3)
    expect(page.locator(".wp-message")).to_be_hidden()


def test_an_unknown_tensor_or_weight_is_named(page, own):
    """The rest is shown."""
    address, _ = own
    for hash_, key, value in [
        ("#tensor=t99&batch=3", "unknown_tensor", "t99"),
        ("#tensor=t3&edge=t3.0.0", "unknown_edge", "t3.0.0"),
    ]:
        page.goto("about:blank")
        opened(page, f"{address}en.html{hash_}")
        expect(page.get_by_role("alert")).to_contain_text(say(key, value=value))


def test_a_tensor_that_cannot_be_had_leaves_what_is_shown(page, own):
    """It is said, and can be asked for again."""
    address, _ = own
    opened(page, address + "en.html#tensor=t1&batch=20")
    page.route("**/t4/index.json*", lambda route: route.fulfill(status=404, body="gone"))
    page.get_by_label(say("shown")).select_option("t4")
    expect(page.get_by_role("alert")).to_contain_text("t4/index.json")
    expect(page.get_by_label(say("shown"))).to_have_value("t1")
    page.unroute("**/t4/index.json*")
    page.get_by_role("button", name=say("again")).click()
    expect(page).to_have_url(re.compile("#tensor=t4"))


def test_what_was_not_there_is_not_drawn_and_said(page, own):
    """Of a tensor that was unfrozen late."""
    address, _ = own
    opened(page, address + "en.html#tensor=t4&batch=4&edge=t4.1.1")
    expect(page.locator(".wp-words")).to_contain_text(say("lit_unknown"))
    expect(page.locator(".wp-says:visible").first).to_have_text(say("not_known"))
    expect(page.locator(".wp-card:visible").locator("dd").nth(2)).to_have_text(say("no_gradient"))
    page.locator(".wp-canvas").first.focus()
    page.keyboard.press("PageUp")
    expect(page.locator(".wp-says:visible").first).not_to_have_text(say("not_known"))


def test_two_seeds_side_by_side(page, own):
    """Named by their seeds, in step, as far as both go."""
    address, _ = own
    opened(page, address + "en.html#tensor=t3&batch=10")
    other = say("seeded", label="mine", seed=1)
    page.get_by_role("button", name=say("compare", label=other)).click()
    expect(page).to_have_url(re.compile("tensor=t3&batch=10&compare=mine-seed1"))
    expect(page.locator(".wp-words")).to_contain_text(
        f"{say('batch_of', batch=10, last=50)}. {say('seeded', label='mine', seed=0)}"
    )
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(2)
    page.get_by_label(say("shown")).select_option("t1")
    expect(page).to_have_url(re.compile("tensor=t1&batch=10&compare=mine-seed1"))


def test_another_optimizer_for_the_recorded_gradients(page, own):
    """In a matrix as in the graph; the page of an article that says more is not there."""
    address, _ = own
    opened(page, address + "en.html#tensor=t1&batch=20")
    page.get_by_label(say("optimizer")).select_option("sgd")
    expect(page).to_have_url(re.compile("replay=sgd:0.9"))
    expect(page.locator(".wp-message")).to_be_hidden()
    assert page.get_by_role("link", name=say("filter_more")).count() == 0


def test_one_comes_closer_with_buttons_keys_and_the_wheel(page, own):
    """What is pointed at stays; what is seen is said; time goes on as before; a drag moves the matrix."""
    address, _ = own
    opened(page, address + "en.html#tensor=t3&batch=20")
    page.get_by_role("button", name=say("zoom_in")).click()
    assert zoom_of(page) == pytest.approx(1.5)
    expect(page.locator(".wp-seen")).not_to_be_empty()
    canvas = page.locator(".wp-canvas").first
    canvas.focus()
    page.keyboard.press("0")
    assert zoom_of(page) == 1
    expect(page.locator(".wp-seen")).to_be_empty()
    page.mouse.move(*middle(page, 40))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    page.wait_for_function("document.querySelector('weight-player').content.view.stages[0].picture.zoom.scale > 1.5")
    before = middle(page, 40)
    box = canvas.bounding_box()
    at_middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*at_middle)
    page.mouse.down()
    page.mouse.move(at_middle[0] + 30, at_middle[1] + 5, steps=3)
    page.mouse.up()
    assert middle(page, 40)[0] != pytest.approx(before[0], abs=2)
    expect(page.locator(".wp-words")).to_contain_text(at(20, 60))
    page.keyboard.press("d")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".wp-words")).to_contain_text(at(21, 60))
    page.keyboard.press("-")
    for _ in range(6):
        page.keyboard.press("-")
    assert zoom_of(page) == 1


def test_a_cell_is_pinned_where_it_is_clicked(page, own):
    """Also when it is seen closely."""
    address, _ = own
    opened(page, address + "en.html#tensor=t3&batch=20")
    page.mouse.click(*middle(page, 25))
    expect(page).to_have_url(re.compile(r"edge=t3\.2\.0"))
    page.get_by_role("button", name=say("zoom_in")).click()
    page.mouse.click(*middle(page, 44))
    expect(page).to_have_url(re.compile(r"edge=t3\.2\.0,t3\.3\.31"))


def test_at_rest_nothing_runs(page, own):
    """No frame is asked for."""
    address, _ = own
    page.add_init_script(COUNT_FRAMES)
    opened(page, address + "en.html#tensor=t1&batch=20")
    page.wait_for_timeout(700)
    start = page.evaluate("window.frames_asked")
    page.wait_for_timeout(400)
    assert page.evaluate("window.frames_asked") == start


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ja", "dark")])
def test_anyone_can_use_a_matrix(browser, own, size, language, scheme):
    """axe-core is silent, nothing is wider than the page, and every word is there."""
    address, _ = own
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    opened(page, f"{address}{language}.html#tensor=t3&batch=30&edge=t3.1.4&compare=mine-seed1")
    if scheme == "dark":
        page.evaluate("document.body.dataset.mdColorScheme = 'slate'")
        page.add_style_tag(content="body { background: #14171c; color: #e8eaed }")
    expect(page.locator(".wp-card canvas:visible")).to_have_count(4)
    page.locator(".wp-zoom button").nth(1).click()
    page.wait_for_timeout(400)
    take_picture(page, f"tensor-{size[0]}-{language}")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    said = page.locator(".wp-player").inner_text()
    assert not re.search(r"undefined|NaN|[{}]", said)
    page.close()
