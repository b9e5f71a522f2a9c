"""The player in a browser: what it shows is the recording, by mouse, keys, touch and address; and what goes wrong."""

import base64
import json
import re
import shutil
import zipfile
from io import BytesIO

import drawn
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from playwright.sync_api import Page, expect

from benchmarks.serving import serve
from report import files, wording
from report.drawing.player import pack as player
from report.site import offline
from report.workspace import Workspace

from .conftest import SAID, SCREENSHOTS, axe, complaints_of

SHARD = 440 * 16  # edges × batches: several shards of the tiny network
MAIN = "adam-b1-0.9-seed3"
LAST, SHORTER = 210, 200  # batches of the tiny experiment: of its main run, and of the others
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Player</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/player/weight-player.css">
<style>body { margin: 0; font-family: sans-serif } img { display: block }
.after { height: 3000px } [data-mode="hero"] { width: 500px }</style></head>
<body data-md-color-scheme="default"><main><h1>Explore</h1>
<weight-player src="player/index.json" data-mode="MODE"><a href="animations/network.gif"><img
src="animations/network.png" width="500" height="1000" alt="The film"></a></weight-player>
<h2 id="try">After</h2><div class="after"></div></main>
<script type="application/json" id="words">WORDS</script>
<script type="module" src="assets/player/weight-player.js"></script></body></html>"""
AFTER = """([pattern, first, last]) => {
    const [, batch] = document.querySelector(".wp-words").textContent.match(pattern) ?? [];
    return first <= Number(batch) && Number(batch) <= last;
}"""
COUNT_FRAMES = """
    window.frames_asked = 0;
    const original = requestAnimationFrame;
    window.requestAnimationFrame = (callback) => { window.frames_asked++; return original.call(window, callback); };
"""


TEXTS = SAID["player"]


def say(key, **values):
    """Return what the player says in English."""
    return TEXTS[key].format(**values)


def counted(key, count, **values):
    """Return what it says of a number of things."""
    return say(f"{key}_{'one' if count == 1 else 'other'}", count=count, **values)


def pattern(key, **values):
    """Return what it says with expressions in its places."""
    text = re.escape(TEXTS[key])
    for name, value in values.items():
        text = text.replace(rf"\{{{name}\}}", value)
    return re.compile(text)


def at(batch, last=LAST):
    """Return how it says which batch is shown."""
    return say("batch_of", batch=batch, last=last)


BATCH = pattern("batch_of", batch=r"([\d,]+)", last=r"[\d,]+").pattern


@pytest.fixture(scope="module")
def site(tiny_build, tmp_path_factory):
    """Serve two pages that hold nothing but a player, over the tiny build in several shards; return the address."""
    build = tmp_path_factory.mktemp("player") / "build"
    build.mkdir()
    shutil.copy(tiny_build.workspace.results, build)
    shutil.copytree(tiny_build.workspace.numbers, build / "numbers")
    place = Workspace(ROOT, build, build / "site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(player, "SHARD_VALUES", SHARD)
        drawn.player(place, tiny_build.study, tiny_build.experiment.animation)
    shutil.copytree(tiny_build.workspace.animations, place.animations)
    shutil.copytree(ROOT / "site_src" / "assets" / "player", place.docs / "assets" / "player")
    words = {language: json.dumps(wording.read(ROOT / "templates", language, "interface")) for language in ("en", "ja")}
    for name, mode, said in (
        ("index", "full", words["en"]),
        ("hero", "hero", words["en"]),
        ("ja", "full", words["ja"]),
        ("hero-ja", "hero", words["ja"]),
        ("silent", "full", "{}"),
    ):
        files.write_text(place.docs / f"{name}.html", PAGE.replace("MODE", mode).replace("WORDS", said))
    files.write_text(place.docs / "404.html", "<!doctype html><title>Not found</title>")
    with serve(place.docs, "/") as address:
        yield address


@pytest.fixture(scope="module")
def updates(tiny_build):
    """Return (batches, edges): every recorded update of the main run."""
    run = tiny_build.recording
    return np.concatenate([np.diff(run.weights(layer), axis=0) for layer in ("l3", "l4", "l5")], axis=1)


def opened(page: Page, address: str) -> Page:
    """Open a page and wait until its player shows a batch."""
    page.goto(address)
    expect(page.locator(".wp-words")).not_to_be_empty()
    return page


def batch_of(page: Page) -> int:
    """Return the batch that the sentence names."""
    found = re.match(BATCH, page.locator(".wp-words").inner_text())
    assert found
    return int(found[1].replace(",", ""))


def edge_of(layer: str, output: int, source: int) -> int:
    """Return the column of an edge of the tiny network (24 → 10 → 10 → 10)."""
    start, inputs = {"l3": (0, 24), "l4": (240, 10), "l5": (340, 10)}[layer]
    return start + output * inputs + source


def shot(page: Page, selector: str = ".wp-canvas canvas") -> np.ndarray:
    """Return (height, width, 3) uint8: what is on a canvas."""
    data = page.locator(selector).first.evaluate("canvas => canvas.toDataURL('image/png').split(',')[1]")
    return np.asarray(Image.open(BytesIO(base64.b64decode(data))).convert("RGB"))


def test_it_opens_with_a_picture_and_only_what_that_needs(page, site):
    """The batch of the film's poster; the index and one shard are read."""
    complaints = complaints_of(page, site)
    asked = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site)))
    opened(page, site)
    index = page.request.get(f"{site}player/index.json").json()
    assert batch_of(page) == index["opening_batch"]
    data = [name for name in asked if name.startswith("player/")]
    place = (index["opening_batch"] - 1) // index["runs"][0]["batches_per_shard"]
    assert [name.split("?")[0] for name in data] == ["player/index.json", f"player/{MAIN}/{place:03d}.bin"]
    picture = shot(page).astype(int)
    red = (picture[..., 0] - picture[..., 2]) > 60
    blue = (picture[..., 2] - picture[..., 0]) > 60
    assert red.any()
    assert blue.any()
    assert page.locator("img").is_hidden()
    assert complaints == []


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
        facts = page.evaluate("""() => {
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
    controls = page.locator(".wp-player :is(button, input, select, [tabindex='0']):visible").count()
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
    opened(page, site + "#batch=2")
    slider = page.get_by_role("slider", name=say("large"))
    for share in ("0.05", "0.2", "0.5"):
        slider.fill(share)
        ratio = np.abs(updates[1] - mean) / threshold
        # Quantised by half a percent of the threshold: those within it of the line may fall either side.
        least, most = (int((ratio >= float(share) + margin).sum()) for margin in (0.006, -0.006))
        expect(page.locator(".wp-value")).to_have_text(pattern("lit", threshold=f"{float(share):.2f}", count=r"(\d+)"))
        shown = pattern("lit", threshold=r"[\d.]+", count=r"(\d+)")
        lit = int(shown.fullmatch(page.locator(".wp-value").inner_text())[1])
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
    labels = page.locator(".wp-canvas").evaluate_all("boxes => boxes.map((box) => box.getAttribute('aria-label'))")
    assert labels == [say("picture", label=label, batch=SHORTER) for label in ("Adam, β1 = 0.9", "Adam, β1 = 0")]
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
        const [x1, y1, x2, y2] = stage.places.segments.slice(4 * state.edges[0], 4 * state.edges[0] + 4);
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
        return [best, ...stage.places.segments.slice(4 * best, 4 * best + 4)];
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


def test_an_address_brings_back_all_that_was_chosen(page, site, browser):
    """The same words, picture and controls on another machine; and the button back undoes a choice."""
    opened(page, site + "#batch=12&edge=l4.3.7&compare=adam-b1-0&layers=l4,l5&threshold=0.35&speed=25")
    other = browser.new_page(viewport={"width": 1280, "height": 900})
    opened(other, page.url)
    assert other.locator(".wp-words").inner_text() == page.locator(".wp-words").inner_text()
    assert (shot(other) == shot(page)).all()
    assert other.get_by_label(say("speed")).input_value() == "25"
    other.close()
    page.get_by_role("button", name=say("single")).click()
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(1)
    page.get_by_role("button", name=say("unpin_edge", edge="l4[3, 7]")).click()
    expect(page.locator(".wp-cards .wp-card:visible")).to_have_count(0)
    page.go_back()
    expect(page.locator(".wp-cards .wp-card:visible")).to_have_count(1)
    page.go_back()
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(2)
    page.go_forward()
    expect(page.locator(".wp-canvas canvas:visible")).to_have_count(1)


def test_stepping_does_not_fill_the_history(page, site):
    """One way back, not twenty."""
    opened(page, site + "#batch=5")
    length = page.evaluate("history.length")
    page.locator(".wp-canvas").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"#batch=10$"))
    assert page.evaluate("history.length") == length


@pytest.mark.parametrize("wrong", ["batch=99999", "edge=l9.0.0", "compare=lion", "colour=red", "batch=x&edge=l4.3.7"])
def test_a_wrong_address_says_so_and_opens_the_beginning(page, site, wrong):
    """In words, above a picture that is whole."""
    opened(page, f"{site}#{wrong}")
    expect(page.locator(".wp-message")).to_contain_text(say("address", problem="").strip())
    index = page.request.get(f"{site}player/index.json").json()
    assert batch_of(page) == index["opening_batch"]
    assert page.locator(".wp-cards .wp-card:visible").count() == 0
    page.keyboard.press("Tab")
    page.get_by_role("button", name=say("forward")).click()
    expect(page.locator(".wp-message")).to_be_hidden()


def test_a_headings_anchor_is_left_alone(page, site):
    """The player is not the only thing on a page that the address can mean."""
    opened(page, site + "#batch=7")
    page.evaluate("location.hash = 'try'")
    page.wait_for_timeout(100)
    assert batch_of(page) == 7
    assert page.locator(".wp-message").is_hidden()


def test_less_motion_for_those_who_ask_for_it(browser, site):
    """Two batches a second instead of ten, until the reader chooses otherwise."""
    page = browser.new_page(reduced_motion="reduce")
    opened(page, site)
    assert page.get_by_label(say("speed")).input_value() == "2"
    moving = page.evaluate("document.getAnimations().length")
    assert moving == 0
    page.close()


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
    names = {"Adam", "SGD with momentum 0.9", "Page", "Shift", "Escape", "Home", "End", "Up", "Down", "nat"}
    english = [word for text in said for word in re.findall(r"[A-Za-z]{3,}", re.sub("|".join(names), "", text))]
    assert english == []
    page.wait_for_load_state("networkidle")
    page.goto(site + "hero-ja.html")
    page.locator("weight-player button").click()
    expect(page.locator(".wp-hero-canvas")).to_be_visible()
    assert complaints == []


def test_fingers_tap_and_drag(browser, site):
    """A tap pins, a drag across the graph goes through the batches, a drag down scrolls the page."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    opened(page, site + "#batch=2")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = page.locator(".wp-canvas").first.bounding_box()
    page.touchscreen.tap(box["x"] + 0.72 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page.locator(".wp-cards .wp-card:visible")).to_have_count(1)
    session = context.new_cdp_session(page)
    x, y = box["x"] + 60, box["y"] + 100
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        points = [{"x": x + 10 * step, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator(".wp-words")).to_contain_text(at(22))
    context.close()


def test_colours_follow_the_scheme(page, site):
    """At once, on the canvas too."""
    opened(page, site + "#batch=4")
    assert (shot(page)[2, 2] == 255).all()
    page.evaluate("document.body.dataset.mdColorScheme = 'slate'")
    page.wait_for_function("document.querySelector('weight-player').dataset.scheme === 'dark'")
    page.wait_for_timeout(100)
    assert (shot(page)[2, 2] < 60).all()


def cut(route):
    """Answer with the beginning of the file."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.body()[:200], headers={})


@pytest.mark.parametrize(
    ("files", "answer", "message"),
    [
        ("**/index.json*", lambda route: route.fulfill(status=404, body="gone"), ("missing", {"status": "404"})),
        ("**/index.json*", lambda route: route.fulfill(body="<!doctype html>"), ("damaged", {})),
        ("**/index.json*", lambda route: route.abort(), ("unreachable", {})),
        ("**/*.bin*", cut, ("short", {"size": "200", "wanted": r"\d+"})),
        ("**/*.bin*", lambda route: route.fulfill(body="<!doctype html><p>" * 9), ("foreign", {})),
        ("**/*.bin*", lambda route: route.fulfill(status=404, body=""), ("missing", {"status": "404"})),
    ],
)
def test_a_recording_that_cannot_be_read_gives_a_message_and_another_try(page, site, files, answer, message):
    """The film stays; when the file is there again, the player comes."""
    page.route(files, answer)
    page.goto(site)
    key, values = message
    expect(page.get_by_role("alert")).to_contain_text(pattern(key, name=r"[\w./-]+", **values))
    expect(page.get_by_role("link", name="The film")).to_be_visible()
    page.unroute(files)
    page.get_by_role("button", name=say("again")).click()
    expect(page.locator(".wp-words")).not_to_be_empty()
    expect(page.locator(".wp-message")).to_be_hidden()


def test_a_later_part_that_is_missing_gives_a_message_too(page, site):
    """The last picture stays; trying again brings the new one."""
    opened(page, site + "#batch=3")
    page.route("**/002.bin*", lambda route: route.abort())
    page.get_by_role("spinbutton", name=say("batch")).fill("40")
    page.keyboard.press("Enter")
    expect(page.locator(".wp-message")).to_contain_text(pattern("unreachable", name=r"[\w./-]+002\.bin"))
    assert batch_of(page) == 3
    page.unroute("**/002.bin*")
    page.get_by_role("button", name=say("again")).click()
    expect(page.locator(".wp-words")).to_contain_text(at(40))


def test_a_slow_network_is_waited_for(page, site):
    """It says that it loads, then shows the batch that was asked for last."""
    opened(page, site + "#batch=3")
    waiting = []
    page.route("**/*.bin*", lambda route: waiting.append(route))
    field = page.get_by_role("spinbutton", name=say("batch"))
    for batch in ("25", "40"):
        field.fill(batch)
        page.keyboard.press("Enter")
    expect(page.locator(".wp-waiting").first).to_be_visible()
    page.wait_for_timeout(100)
    for route in waiting:
        route.continue_()
    expect(page.locator(".wp-words")).to_contain_text(at(40))
    expect(page.locator(".wp-waiting").first).to_be_hidden()


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


@pytest.mark.parametrize("size", [(1280, 720), (1366, 768), (1440, 900), (390, 844)])
def test_the_home_page_offers_to_play_without_scrolling(browser, address, size):
    """The whole button, and the picture above it, in the first screen."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(address, wait_until="load")
    button = page.locator("weight-player .wp-hero-button")
    for element in (button, page.locator("weight-player img:visible")):
        expect(element).to_be_in_viewport(ratio=1)
    page.close()


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_anyone_can_use_it(browser, address, size, scheme):
    """In the site itself, with two graphs and pinned edges: axe-core is silent, nothing is wider than the page."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    complaints = complaints_of(page, address)
    opened(page, f"{address}explore.html#batch=30&edge=l4.3.7,l5.0.1&compare=adam-b1-0")
    expect(page.locator(".wp-card canvas:visible")).to_have_count(8)
    page.wait_for_timeout(300)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"player-{size[0]}-{scheme}.png", full_page=True)
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
