"""Whatever a reader does, in whatever order, while the network comes and goes: nothing fails, and nothing is lost."""

import os
import random

import pytest
from playwright.sync_api import expect

from .driving import LAST, at, opened, say

# More where somebody wants to know: PLAYER_DEEDS=20000 pytest tests/browser/player/test_at_random.py
DEEDS = int(os.environ.get("PLAYER_DEEDS", "600"))
KEYS = [
    "ArrowLeft",
    "ArrowRight",
    "Shift+ArrowRight",
    "PageUp",
    "PageDown",
    "Home",
    "End",
    "Space",
    "Escape",
    "Tab",
    "Enter",
]
PLACES = (
    *("#batch=40&edge=l4.3.7,l5.0.1", "#batch=150&compare=adam-b1-0", "#batch=9&replay=adam:0.5&edge=l3.0.5"),
    *("#batch=77&replay=sgd:0.9&compare=adam-b1-0.9", "#batch=99999", "#batch=60&scale=article&threshold=0.2", "#try"),
)


class Reader:
    """Do one thing after the other."""

    def __init__(self, page, seed):
        """Begin; the same seed does the same things."""
        self.page, self.random, self.cut = page, random.Random(seed), False
        page.route("**/*.bin*", lambda route: route.abort() if self.cut else route.continue_())

    def point(self, selector):
        """Return a point in an element, and now and then one beside it."""
        box = self.page.locator(f"{selector}:visible").first.bounding_box()
        across, down = (self.random.uniform(-0.05, 1.05) for _ in range(2))
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def pick(self, selector, deed):
        """Do something to any element that is seen now."""
        self.page.evaluate(
            f"""([selector, place, share]) => {{
                const all = [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
                const each = all[Math.floor(place * all.length)];
                {deed}
            }}""",
            [f".wp-player {selector}", self.random.random(), self.random.random()],
        )

    def press(self):
        """Press a button."""
        self.pick("button:enabled", "each.focus(); each.click();")

    def drag(self):
        """Press somewhere, move, and let go somewhere else."""
        selector = self.random.choice([".wp-canvas", ".wp-scrubber"])
        self.page.mouse.move(*self.point(selector))
        self.page.mouse.down(button=self.random.choice(["left", "left", "right"]))
        for _ in range(self.random.randrange(4)):
            self.page.mouse.move(*self.point(selector))
        self.page.mouse.up(button="left")
        self.page.mouse.up(button="right")
        self.page.keyboard.press("Escape")

    def type(self):
        """Press keys, or fill in a batch."""
        if self.random.random() < 0.6:
            for _ in range(self.random.randrange(1, 6)):
                self.page.keyboard.press(self.random.choice(KEYS))
        else:
            field = self.page.get_by_role("spinbutton", name=say("batch"))
            field.fill(str(self.random.choice([1, 20, 33, 160, LAST, 99999, 0])))
            field.press("Enter")

    def turn(self):
        """Move a slider, or choose from a list."""
        self.pick(
            ":is(select, .wp-slider)",
            """
                if (each.matches("select")) each.selectedIndex = Math.floor(share * each.options.length);
                else each.value = String(Number(each.min) + share * (each.max - each.min));
                for (const name of ["input", "change"]) each.dispatchEvent(new Event(name));
            """,
        )

    def go(self):
        """Follow a link, or go back."""
        if self.random.random() < 0.7:
            self.page.evaluate("(hash) => { location.hash = hash; }", self.random.choice(PLACES))
        else:
            self.page.evaluate("history.length > 3 && history.back()")

    def resize(self):
        """Turn the device, or change the colours."""
        width, height = self.random.choice([(1280, 800), (390, 844), (844, 390)])
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate(
            "(scheme) => { document.body.dataset.mdColorScheme = scheme; }", self.random.choice(["default", "slate"])
        )

    def lose(self):
        """Lose the network, or find it again."""
        self.cut = self.random.random() < 0.4

    def act(self):
        """Do any of it."""
        deeds = [self.press, self.press, self.drag, self.type, self.turn, self.go, self.resize, self.lose]
        self.random.choice(deeds)()


def heap(page):
    """Return the bytes that are in use."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    session.detach()
    return used["usedSize"] + used.get("backingStorageSize", 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_nothing_that_is_done_breaks_it(page, site, seed):
    """No error, no control lost, memory flat."""
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    opened(page, site + "#batch=3")
    reader = Reader(page, seed)
    for deed in range(DEEDS):
        reader.act()
        assert errors == []
        if deed == DEEDS // 2:
            middle = heap(page)
    reader.cut = False
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_timeout(1500)
    assert heap(page) < 1.3 * middle + 15e6
    page.get_by_role("button", name=say("reset")).click()
    field = page.get_by_role("spinbutton", name=say("batch"))
    for batch in (7, 150):
        field.fill(str(batch))
        field.press("Enter")
        expect(page.locator(".wp-words")).to_contain_text(say("batch_loss", batch=batch, last=LAST, loss="").rstrip())
        expect(page.locator(".wp-message")).to_be_hidden()
    page.locator(".wp-canvas").first.press("ArrowRight")
    expect(page.locator(".wp-words")).to_contain_text(at(151))
    page.get_by_role("button", name=say("play")).click()
    expect(page.get_by_role("button", name=say("pause"))).to_be_visible()
    assert errors == []
    print(f"{middle / 1e6:.1f} MB half-way, {heap(page) / 1e6:.1f} MB at the end")
