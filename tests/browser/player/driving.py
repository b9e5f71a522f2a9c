"""Drive a player as a reader does, and read what it shows and says."""

import base64
import re
from io import BytesIO

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from ..conftest import SAID

MAIN = "adam-b1-0.9-seed3"
LAST, SHORTER = 210, 200  # batches of the tiny experiment: of its main run, and of the others
AFTER = """([pattern, first, last]) => {
    const [, batch] = document.querySelector(".wp-words").textContent.match(pattern) ?? [];
    return first <= Number(batch) && Number(batch) <= last;
}"""
LOADED = """() => {
    const {shownRuns, frame} = document.querySelector("weight-player").content ?? {};
    return frame === undefined && shownRuns?.every((run) => run.loaded === run.shards.length);
}"""
SCHEME = "colours => document.querySelector('weight-player').dataset.scheme === colours"  # drawn in the same breath
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


def opened(page: Page, address: str) -> Page:
    """Open a page and wait until its player shows a batch."""
    page.goto(address)
    expect(page.locator(".wp-words")).not_to_be_empty()
    return page


def loaded(page: Page) -> None:
    """Wait until every part of what is shown has come and is drawn: until then words count what is there."""
    page.wait_for_function(LOADED)


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
