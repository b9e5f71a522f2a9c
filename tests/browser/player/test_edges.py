"""One weight: pointed at, pinned, named, and what the microscope says of it."""

import re

import numpy as np
from playwright.sync_api import expect

from .driving import LAST, counted, edge_of, opened, pattern, say, shot


def test_a_pinned_edge_keeps_its_colour(page, site):
    """Between its two lines of ink: red where it went up, blue where it went down."""
    opened(page, site + "#batch=2&threshold=0.25")
    first = page.locator(".wp-strongest button").first
    name, sign = first.inner_text().rsplit(" ", 1)
    first.click()
    expect(page).to_have_url(re.compile("edge="))
    page.wait_for_timeout(200)
    x, y = page.evaluate("""() => {
        const {view, state} = document.querySelector('weight-player').content;
        const [stage] = view.stages;
        const [x1, y1, x2, y2] = stage.picture.places.segments.slice(4 * state.edges[0], 4 * state.edges[0] + 4);
        const density = stage.canvas.width / stage.canvas.clientWidth;
        return [density * (x1 + 0.7 * (x2 - x1)), density * (y1 + 0.7 * (y2 - y1))];
    }""")
    red, _, blue = shot(page)[round(y), round(x)].astype(int)
    assert (red - blue > 60) if sign.startswith("+") else (blue - red > 60), (name, sign)


def literal_run(series: np.ndarray, batch: int) -> tuple[int, int]:
    """Return the first and the last batch of the same-sign run that `batch` is in."""
    first = last = batch
    while first > 1 and np.sign(series[first - 2]) == np.sign(series[batch - 1]):
        first -= 1
    while last < len(series) and np.sign(series[last]) == np.sign(series[batch - 1]):
        last += 1
    return first, last


def test_the_microscope_says_which_run_an_edge_is_in(page, site, updates):
    """Of every pinned edge, the sentence that the recording gives."""
    live = [
        name
        for name in ("l5.3.2", "l4.3.7", "l3.0.5", "l5.0.9", "l4.0.0", "l3.4.4", "l5.8.1", "l4.9.9")
        if updates[29, edge_of(name.split(".")[0], *map(int, name.split(".")[1:]))] != 0
    ][:4]
    assert len(live) >= 2
    opened(page, f"{site}#batch=30&edge={','.join(live)}")
    for name in live:
        layer, output, source = name.split(".")
        series = updates[:, edge_of(layer, int(output), int(source))]
        first, last = literal_run(series, 30)
        card = page.get_by_role("region", name=say("edge_name", edge=f"{layer}[{output}, {source}]"))
        way = "up" if series[29] > 0 else "down"
        values = {"place": 31 - first, "length": last - first + 1, "first": first, "last": last}
        wanted = say(f"run_alone_{way}") if first == last else say(f"run_{way}", **values)
        expect(card.locator(".wp-says").first).to_have_text(wanted)
        moved = int((series != 0).sum())
        span, moved = counted("batches", LAST), say("history_all") if moved == LAST else str(moved)
        history = pattern("history_mean", span=span, moved=moved, mean=r"[\d.]+")
        expect(card.locator(".wp-history").first).to_have_text(history)


def test_pointing_shows_an_edge_and_clicking_pins_it(page, site):
    """Focus does what the mouse does; what is shown can be reached and put away; four are the most."""
    opened(page, site + "#batch=2")
    strongest = page.locator(".wp-strongest button")
    strongest.nth(1).focus()
    name = strongest.nth(1).inner_text().split("]")[0] + "]"
    shown = page.get_by_role("region", name=say("edge_name", edge=name))
    expect(shown).to_be_visible()
    strongest.nth(1).blur()
    page.mouse.move(5, 5)
    page.wait_for_timeout(200)
    expect(shown).to_be_visible()
    shown.get_by_role("button", name=pattern("pin_edge", edge=".*")).click()
    expect(page.locator(".wp-preview")).to_be_hidden()
    unpin = shown.get_by_role("button", name=pattern("unpin_edge", edge=".*"))
    expect(unpin).to_be_focused()
    unpin.press("Enter")
    expect(shown).to_be_hidden()
    expect(page.locator(".wp-hint")).to_be_focused()
    strongest.nth(2).focus()
    expect(page.locator(".wp-preview")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".wp-preview")).to_be_hidden()
    box = page.locator(".wp-canvas").first.bounding_box()
    layout = page.evaluate("""() => {
        const {stages: [stage]} = document.querySelector('weight-player').content.view;
        let best = 0;
        stage.signed.forEach((value, edge) => { if (Math.abs(value) > Math.abs(stage.signed[best])) best = edge; });
        return [best, ...stage.picture.places.segments.slice(4 * best, 4 * best + 4)];
    }""")
    x, y = box["x"] + (layout[1] + layout[3]) / 2, box["y"] + (layout[2] + layout[4]) / 2
    page.mouse.move(x, y)
    expect(page.locator(".wp-preview")).to_be_visible()
    page.mouse.click(x, y)
    expect(page).to_have_url(re.compile(r"edge=l\d\.\d+\.\d+"))
    expect(page.locator(".wp-preview")).to_be_hidden()
    page.get_by_role("button", name=say("reset")).click()
    for place in range(4):
        strongest.nth(place).click()
        expect(strongest.nth(place)).to_have_attribute("aria-pressed", "true")
    strongest.nth(4).click()
    expect(page.locator(".wp-message")).to_contain_text(pattern("most_pins", count="4", edge=".*"))
    page.get_by_role("button", name=pattern("unpin_edge", edge=".*")).first.click()
    expect(page.locator(".wp-cards .wp-card:visible")).to_have_count(3)


def test_any_edge_can_be_named(page, site):
    """By its layer and its nodes; fields end where the layer does."""
    opened(page, site)
    page.get_by_role("combobox", name=say("layer"), exact=True).select_option("l4")
    page.get_by_label(say("from_node")).fill("7")
    page.get_by_label(say("to_node")).fill("3")
    page.get_by_role("button", name=say("pin_this")).click()
    expect(page.get_by_role("region", name=say("edge_name", edge="l4[3, 7]"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"edge=l4\.3\.7"))
    assert page.get_by_label(say("from_node")).get_attribute("max") == "9"


def test_an_empty_field_is_no_node(page, site):
    """The browser asks for a number, and nothing is pinned until there is one."""
    opened(page, site)
    field = page.get_by_label(say("from_node"))
    field.fill("")
    page.get_by_role("button", name=say("pin_this")).click()
    expect(field).to_be_focused()  # by the browser, which says what it lacks
    assert page.evaluate("document.querySelector('weight-player').content.state.edges") == []
    field.fill("7")
    page.get_by_role("button", name=say("pin_this")).click()
    expect(page.get_by_role("region", name=say("edge_name", edge="l3[0, 7]"))).to_be_visible()
