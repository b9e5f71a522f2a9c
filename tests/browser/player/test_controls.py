"""Playing, stepping, and what is drawn: by mouse, keys and touch."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from .driving import AFTER, BATCH, COUNT_FRAMES, LAST, MAIN, SHORTER, at, batch_of, counted, opened, pattern, say, shot


def test_play_moves_and_pause_rests(page, site):
    """Nothing is asked of the browser while it is paused, and nothing while it is out of sight."""
    page.add_init_script(COUNT_FRAMES)
    opened(page, site + "#batch=3")
    frames = "window.frames_asked"
    page.wait_for_timeout(300)
    start = page.evaluate(frames)
    page.wait_for_timeout(400)
    assert page.evaluate(frames) == start  # at rest from the beginning
    page.get_by_role("button", name=say("play")).click()
    page.wait_for_function(AFTER, arg=[BATCH, 6, LAST])
    page.evaluate("document.querySelector('.after').scrollIntoView(); scrollBy(0, 2000)")
    page.wait_for_timeout(300)
    unseen, batch = page.evaluate(frames), batch_of(page)
    page.wait_for_timeout(400)
    assert (page.evaluate(frames), batch_of(page)) == (unseen, batch)
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(".wp-words")).not_to_contain_text(at(batch))
    page.get_by_role("button", name=say("pause")).click()
    page.wait_for_timeout(500)
    rest, batch = page.evaluate(frames), batch_of(page)
    page.wait_for_timeout(400)
    assert (page.evaluate(frames), batch_of(page)) == (rest, batch)


def test_it_plays_to_the_end_and_again_from_the_start(page, site):
    """The button says what it will do."""
    opened(page, site + "#batch=207&speed=25")
    page.get_by_role("button", name=say("play")).click()
    expect(page.locator(".wp-words")).to_contain_text(at(LAST))
    expect(page.get_by_role("button", name=say("play"))).to_be_visible()
    page.get_by_label(say("speed")).select_option("1")  # batch a second: a busy machine sees the start, too
    page.get_by_role("button", name=say("play")).click()
    expect(page.get_by_role("button", name=say("pause"))).to_be_visible()
    page.wait_for_function(AFTER, arg=[BATCH, 1, 49])


def test_keys_do_what_the_page_says(page, site):
    """On the graph and on the scrubber alike; a field that is being filled in keeps its keys."""
    opened(page, site + "#batch=20")
    for focus in (page.locator(".wp-canvas").first, page.get_by_role("slider", name=say("batch"))):
        focus.focus()
        for key, batch in (
            ("ArrowRight", 21),
            ("ArrowLeft", 20),
            ("Shift+ArrowRight", 30),
            ("Home", 1),
            ("PageUp", 101),
            ("PageDown", 1),
            ("End", LAST),
            ("Shift+ArrowLeft", LAST - 10),
        ):
            page.keyboard.press(key)
            expect(page.locator(".wp-words")).to_contain_text(at(batch))
        for _ in range(3):
            page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name=say("pause"))).to_be_visible()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name=say("play"))).to_be_visible()
        page.get_by_role("spinbutton", name=say("batch")).fill("20")
        page.keyboard.press("Enter")
        expect(page.locator(".wp-words")).to_contain_text(at(20))
        page.keyboard.press("ArrowUp")  # the field's own
        expect(page.get_by_role("spinbutton", name=say("batch"))).to_have_value("21")
        page.keyboard.press("ArrowDown")


def test_every_control_is_reached_by_tab_shown_and_large_enough(page, site):
    """In order, each with a name, an outline and 24 pixels."""
    opened(page, site + "#batch=5&edge=l4.3.7")
    page.keyboard.press("Tab")
    seen = []
    for _ in range(60):
        # What the focus brings is drawn in the next frame: the card of an edge has a control, too.
        facts = page.evaluate("""async () => {
            await new Promise(requestAnimationFrame);
            const element = document.activeElement;
            if (!element.closest('.wp-player')) return null;
            const {width, height} = element.getBoundingClientRect();
            const style = getComputedStyle(element);
            return {width, height, outline: style.outlineStyle, wide: parseFloat(style.outlineWidth),
                name: element.getAttribute('aria-label') || element.labels?.[0]?.textContent || element.textContent};
        }""")
        if facts is None:
            break
        seen.append(facts["name"])
        assert facts["name"].strip()
        assert min(facts["width"], facts["height"]) >= 24, facts
        assert facts["outline"] != "none", facts
        assert facts["wide"] >= 2, facts
        page.keyboard.press("Tab")
    controls = page.locator(".wp-player :is(button:enabled, input, select, summary, [tabindex='0']):visible").count()
    assert len(seen) == controls
    wanted = {say(key) for key in ("batch", "play", "back", "forward", "reset")}
    assert wanted | {"l3", "l4", "l5", say("unpin_edge", edge="l4[3, 7]")} <= set(seen)


def test_the_scrubber_follows_the_mouse(page, site):
    """A click far to the right is late in the training; other shards come when they are wanted."""
    opened(page, site + "#batch=1")
    box = page.locator(".wp-range").bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 20)
    page.wait_for_function(AFTER, arg=[BATCH, 154, 160])
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 20)
    page.mouse.down()
    for share in (0.6, 0.4, 0.2):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 20)
    page.mouse.up()
    page.wait_for_function(AFTER, arg=[BATCH, 40, 45])
    value = page.get_by_role("slider", name=say("batch")).get_attribute("aria-valuetext")
    batch = batch_of(page)
    assert value.startswith(say("batch_loss", batch=batch, last=LAST, loss="").rstrip())


def test_the_threshold_lights_as_many_edges_as_the_recording_has(page, site, updates):
    """The count in words and beside the slider is that of the recorded updates."""
    index = page.request.get(f"{site}player/index.json").json()
    sizes = [layer["outputs"] * layer["inputs"] for layer in index["layers"]]
    laws = index["runs"][0]["laws"]
    mean = np.repeat([law["mean"] for law in laws], sizes)
    threshold = np.repeat([law["threshold"] for law in laws], sizes)
    opened(page, site + "#batch=2&scale=article")
    slider = page.get_by_role("slider", name=say("factor"))
    for share in ("0.05", "0.2", "0.5"):
        slider.fill(share)
        ratio = np.abs(updates[1] - mean) / threshold
        # Quantised by half a percent of the threshold: those within it of the line may fall either side.
        least, most = (int((ratio >= float(share) + margin).sum()) for margin in (0.006, -0.006))
        beside = page.locator(".wp-value")
        expect(beside).to_contain_text(f"{float(share):.2f}")
        lit = int(re.search(r": (\d+)", beside.inner_text())[1])
        assert beside.inner_text() == counted("lines", lit, threshold=f"{float(share):.2f}")
        assert least <= lit <= most
        assert most > 0
        words = page.locator(".wp-words").inner_text()
        limit = say("share", share=share)
        strongest = pattern("lit_none", limit=limit, share=r"[\d.]+", layer=r"l\d")
        assert counted("lit", lit, limit=limit) in words if lit else strongest.search(words)


def test_layers_are_chosen(page, site):
    """A layer that is off is neither drawn nor counted; the last one cannot go."""
    opened(page, site + "#batch=1&threshold=0.05")
    before = shot(page)
    page.get_by_role("button", name="l3", exact=True).click()
    expect(page).to_have_url(re.compile(r"layers=l4,l5"))
    page.get_by_role("button", name="l5", exact=True).click()
    expect(page).to_have_url(re.compile(r"layers=l4&"))
    words = page.locator(".wp-words")
    expect(words).to_contain_text(at(1))
    expect(words).not_to_contain_text(" in l")
    after = shot(page).astype(int)
    assert (np.abs(after - before).max(axis=-1) > 30).sum() > 500
    page.get_by_role("button", name="l4", exact=True).click()
    expect(page.locator(".wp-message")).to_contain_text(say("last_layer"))
    expect(page.get_by_role("button", name="l4", exact=True)).to_have_attribute("aria-pressed", "true")


def test_two_optimizers_in_step(page, site):
    """Without momentum first; both graphs show the same batch; choosing the other side's training run swaps them."""
    opened(page, site + "#batch=205")
    page.get_by_role("button", name=say("compare", label="Adam, β1 = 0"), exact=True).click()
    expect(page).to_have_url(re.compile(r"compare=adam-b1-0"))
    expect(page.locator(".wp-words")).to_contain_text(f"{at(SHORTER, SHORTER)}. Adam, β1 = 0.9:")
    assert page.locator(".wp-canvas canvas:visible").count() == 2
    for place, label in enumerate(("Adam, β1 = 0.9", "Adam, β1 = 0")):
        name = say("picture", label=label, batch=SHORTER)
        expect(page.locator(".wp-canvas").nth(place)).to_have_attribute("aria-label", name)
    page.get_by_label(say("run"), exact=True).select_option(label="Adam, β1 = 0")
    expect(page).to_have_url(re.compile(r"run=adam-b1-0&compare=adam-b1-0\.9"))
    page.get_by_label(say("run_beside")).select_option(label="SGD with momentum 0.9")
    expect(page.locator(".wp-words")).to_contain_text("SGD with momentum 0.9:")
    page.get_by_role("button", name=say("single")).click()
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(1)


def test_a_shorter_recording_is_named_and_left_again(page, site):
    """Comparing goes back to the last batch that both have, and says so; without it the reader is where they were."""
    opened(page, site + "#batch=205")
    message = page.locator(".wp-message")
    page.get_by_role("button", name=say("compare", label="Adam, β1 = 0"), exact=True).click()
    expect(message).to_have_text(say("ends_early", last=SHORTER))
    page.get_by_role("button", name=say("single")).click()
    expect(page.locator(".wp-words")).to_contain_text(at(205))
    expect(message).to_have_text("")


def test_a_batch_that_does_not_exist_is_corrected_where_it_was_typed(page, site):
    """The field says what is shown."""
    opened(page, site + "#batch=5")
    field = page.get_by_label(say("batch"), exact=False).and_(page.locator("input[type=number]")).first
    for typed, shown in (("99999", str(LAST)), ("0", "1")):
        field.fill(typed)
        field.press("Enter")
        expect(page.locator(".wp-words")).to_contain_text(at(shown))
        expect(field).to_have_value(shown)


def test_what_was_typed_and_taken_back_holds_nothing_up(page, site):
    """The field says what is shown as soon as it is left, and follows again."""
    opened(page, site + "#batch=5")
    field = page.get_by_role("spinbutton", name=say("batch"))
    field.press("End")
    field.press("0")
    page.evaluate("location.hash = '#batch=9'")
    expect(page.locator(".wp-words")).to_contain_text(at(9))
    expect(field).to_have_value("50")  # is the reader's
    field.press("Backspace")
    field.press("Tab")
    expect(field).to_have_value("9")
    page.get_by_role("button", name=say("forward")).click()
    expect(field).to_have_value("10")


@pytest.mark.parametrize(
    ("first", "last", "said"), [(2500, 0, ("0", "2,500")), (0, -150, ("−150", "0")), (30, -10, ("−10", "30"))]
)
def test_the_loss_is_drawn_on_either_side_of_zero(page, site, first, last, said):
    """From one end of the scale to the other, and the caption says both."""
    losses = np.linspace(first, last, LAST).tolist()
    page.route(f"**/{MAIN}/loss.json*", lambda route: route.fulfill(json=losses))
    opened(page, site)
    expect(page.locator(".wp-loss-caption")).to_have_text(say("loss_scale", bottom=said[0], top=said[1]))
    # On transparent ground what is drawn is what is opaque; the median is the widest and has no gaps.
    rows = page.locator(".wp-loss").evaluate("""(canvas) => {
        const {width, height} = canvas;
        const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
        return [0.1, 0.5, 0.9].map((share) => {
            const opaque = (y) => data[4 * (y * width + Math.round(8 + share * (width - 16))) + 3];
            return [...Array(height - 4).keys()].reduce((most, y) => (opaque(y) > opaque(most) ? y : most), 0);
        });
    }""")
    assert rows == pytest.approx([5 + share * 54 for share in (0.1, 0.5, 0.9)], abs=2)


def test_something_is_seen_from_the_beginning(page, site):
    """With nothing chosen, lines have their full colour in most batches, also in the graph without momentum."""
    opened(page, site + "#batch=100&compare=adam-b1-0")
    lit = page.evaluate("""async () => {
        const player = document.querySelector("weight-player").content;
        const counts = [];
        for (let batch = 100; batch < 150; batch++) {
            player.set({ batch });
            for (const run of player.shownRuns) await run.load(batch);
            player.render();
            counts.push(player.view.stages.map((stage) => stage.signed.filter((each) => Math.abs(each) === 1).length));
        }
        return counts;
    }""")
    for graph in zip(*lit, strict=True):
        assert sum(count > 0 for count in graph) >= 25
    page.get_by_role("combobox", name=say("large")).select_option("article")
    expect(page).to_have_url(re.compile("scale=article"))


def test_a_number_of_four_digits_is_seen_whole_in_a_narrow_window(page, site):
    """With a mouse, too, for which a browser keeps room for its arrows."""
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, site + "#batch=5")
    field = page.get_by_role("spinbutton", name=say("batch"))
    page.evaluate("document.querySelector('.wp-number').value = '2888'")
    field.hover()
    assert field.evaluate("field => field.scrollWidth - field.clientWidth") <= 0


def test_what_is_offered_to_compare_with_is_what_one_gets(page, site):
    """Not the training run that is shown already."""
    opened(page, site + "#batch=20")
    for shown, other in (("Adam, β1 = 0", "Adam, β1 = 0.9"), ("SGD with momentum 0.9", "Adam, β1 = 0")):
        page.get_by_label(say("run"), exact=True).select_option(label=shown)
        page.get_by_role("button", name=say("compare", label=other), exact=True).click()
        expect(page.get_by_label(say("run_beside")).locator("option:checked")).to_have_text(other)
        page.get_by_role("button", name=say("single")).click()
