"""What a reader does in any browser: go to a page, look, press, type. Each engine says how, in a file of its own."""

import json
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

SECONDS = 15  # that a page may take before it is as wanted
LATER = 0.05  # seconds between two looks
# In the middle of the window, where nothing that sticks to its edges covers it; what comes into sight for the first
# time gets its true height and moves the rest.
POINT = """async (selector) => {
    const element = [...document.querySelectorAll(selector)].find((each) => each.checkVisibility());
    if (!element) throw new Error(`no ${selector} is to be seen`);
    for (let before = ""; ; ) {
        element.scrollIntoView({block: "center", behavior: "instant"});
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const {x, y, width, height} = element.getBoundingClientRect();
        const point = [Math.round(x + width / 2), Math.round(y + height / 2)];
        if (before === point.join()) {
            const hit = document.elementFromPoint(...point);
            if (element.contains(hit)) return point;
            throw new Error(`${selector} is covered by ${hit?.outerHTML.slice(0, 150)}`);
        }
        before = point.join();
    }
}"""


class Reader(ABC):
    """One window of one browser."""

    def __init__(self) -> None:
        """Begin with nothing to complain about."""
        self.complaints: list[str] = []  # of the console and the network, since they were last cleared

    @abstractmethod
    def go(self, address: str) -> None:
        """Go to a page and wait until it is loaded, or to a place of the page that is shown."""

    @abstractmethod
    def click(self, selector: str) -> None:
        """Scroll to the first such element that can be seen, and press the mouse on it."""

    @abstractmethod
    def press(self, *keys: str) -> None:
        """Press keys one after the other, each by its character: selenium.webdriver.Keys names the others."""

    @abstractmethod
    def picture(self, path: Path) -> None:
        """Take a picture of the window."""

    @abstractmethod
    def listen(self) -> None:
        """Add to the complaints what has been said meanwhile."""

    @abstractmethod
    def close(self) -> None:
        """End the browser."""

    @abstractmethod
    def _call(self, function: str, given: str) -> str:
        """Call an asynchronous JavaScript function of a text, which returns one; fail when it throws."""

    def run(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page; arguments and answer are what JSON can hold."""
        called = f"async (given) => JSON.stringify(await ({function})(...JSON.parse(given)) ?? null)"
        return json.loads(self._call(called, json.dumps(arguments)))

    def wait(self, function: str, *arguments: Any, seconds: float = SECONDS) -> Any:
        """Wait until a JavaScript function returns something true, and return that."""
        end = time.monotonic() + seconds
        while not (found := self.run(function, *arguments)):
            assert time.monotonic() < end, f"{seconds:g} s later still not: {function} {arguments}"
            time.sleep(LATER)
        return found

    def see(self, selector: str, text: str = "") -> None:
        """Wait until an element is there to be seen, and holds a text."""
        self.wait(
            """(selector, text) => [...document.querySelectorAll(selector)]
                .some((each) => each.checkVisibility() && each.textContent.includes(text))""",
            selector,
            text,
        )

    def miss(self, selector: str) -> None:
        """Wait until no such element is to be seen."""
        self.wait(
            "(selector) => ![...document.querySelectorAll(selector)].some((each) => each.checkVisibility())", selector
        )

    def text(self, selector: str) -> str:
        """Return what an element says."""
        said: str = self.run("(selector) => document.querySelector(selector).textContent", selector)
        return said

    def focus(self, selector: str) -> None:
        """Give an element the focus."""
        self.run("(selector) => document.querySelector(selector).focus()", selector)

    def fill(self, selector: str, value: str) -> None:
        """Change a field or a slider to a value, as a reader who has found it."""
        self.run(
            """(selector, value) => {
                const field = document.querySelector(selector);
                field.value = value;
                for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, {bubbles: true}));
            }""",
            selector,
            value,
        )
