"""Drive Firefox over WebDriver BiDi, which it speaks without a driver: https://w3c.github.io/webdriver-bidi/.

Playwright's own way to it (channel "moz-firefox") asks for commands that the Firefox of Debian does not have yet.
"""

import base64
import itertools
import json
import subprocess
import time
from pathlib import Path
from typing import Any

from websocket import create_connection

from .reader import LATER, POINT, SECONDS, Reader

GONE = "NS_BINDING_ABORTED"  # the reader has gone to another page
HEARD = ("log.entryAdded", "network.responseCompleted", "network.fetchError")
LESS_MOTION = {"ui.prefersReducedMotion": 1}
FORCED_COLOURS = {"browser.display.document_color_use": 2}
PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class Firefox(Reader):
    """A window of Firefox without a screen."""

    def __init__(self, command: str, profile: Path) -> None:
        """Start it with a fresh profile in a folder."""
        super().__init__()
        self.wishes: tuple[str, ...] = ()
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
        (profile / "user.js").write_text("".join(lines), encoding="utf-8")
        flags = ("--headless", "--no-remote", "--remote-debugging-port=0", "--remote-allow-system-access")
        self.process = subprocess.Popen(
            [command, *flags, "--profile", str(profile)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self.socket = create_connection(f"{_address(profile)}/session", timeout=60, suppress_origin=True)
            self.numbers = itertools.count(1)
            self._send("session.new", capabilities={})
            self._send("session.subscribe", events=list(HEARD))
            self.tab = self._send("browsingContext.getTree")["contexts"][0]["context"]
            self._outside("window.focus(); gBrowser.selectedBrowser.focus()")  # the address bar has the focus at first
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def size(self, width: int, height: int) -> None:
        """Give the page a window of that many CSS pixels."""
        self._send("browsingContext.setViewport", context=self.tab, viewport={"width": width, "height": height})

    def system(self, **wishes: int) -> None:
        """Let the reader's system ask for something until it is called again, by Firefox's name of it and a number."""
        for name in self.wishes:
            self._outside(f"Services.prefs.clearUserPref({json.dumps(name)})")
        self.wishes = tuple(wishes)
        for name, value in wishes.items():
            self._outside(f"Services.prefs.setIntPref({json.dumps(name)}, {value})")

    def go(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        self._send("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def click(self, selector: str) -> None:
        """Press the mouse on an element."""
        x, y = self.run(POINT, selector)
        moves: list[dict[str, Any]] = [{"type": "pointerMove", "x": x, "y": y}]
        moves += [{"type": name, "button": 0} for name in ("pointerDown", "pointerUp")]
        self._act({"type": "pointer", "id": "mouse", "actions": moves})

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        actions = [{"type": name, "value": key} for key in keys for name in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": actions})

    def picture(self, path: Path) -> None:
        """Take a picture of the window."""
        path.write_bytes(base64.b64decode(self._send("browsingContext.captureScreenshot", context=self.tab)["data"]))

    def listen(self) -> None:
        """Hear all that was sent before the answer to a question."""
        self._send("session.status")

    def close(self) -> None:
        """End it, and wait for its end."""
        try:
            self._send("browser.close")
            self.socket.close()
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()

    def _act(self, *sources: dict[str, Any]) -> None:
        self._send("input.performActions", context=self.tab, actions=list(sources))

    def _call(self, function: str, given: str) -> str:
        answer = self._send(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[{"type": "string", "value": given}],
            target={"context": self.tab},
            awaitPromise=True,
            userActivation=True,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        said: str = answer["result"]["value"]
        return said

    def _outside(self, expression: str) -> None:
        """Evaluate an expression in Firefox's own window, around the page."""
        [window, *_] = self._send("browsingContext.getTree", **{"moz:scope": "chrome"})["contexts"]
        target = {"context": window["context"]}
        answer = self._send("script.evaluate", expression=expression, target=target, awaitPromise=False)
        assert answer["type"] == "success", answer

    def _send(self, method: str, **parameters: Any) -> Any:
        """Send a command; return its answer, after all that came before it is heard."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message["type"] == "event":
                self._hear(message["method"], message["params"])
            elif message["id"] == number:
                assert message["type"] == "success", f"{method}: {message['error']}: {message['message']}"
                return message["result"]

    def _hear(self, name: str, said: dict[str, Any]) -> None:
        """Keep what a page should not do."""
        if name == "log.entryAdded":
            if said["level"] in ("warn", "error") and said["text"] != GONE:
                self.complaints.append(said["text"])
        elif name == "network.fetchError":
            if said["errorText"] != GONE:
                self.complaints.append(f"failed: {said['request']['url']} {said['errorText']}")
        elif said["response"]["status"] >= 400:
            self.complaints.append(f"{said['response']['status']}: {said['response']['url']}")


def _address(profile: Path) -> str:
    """Wait until Firefox has written where it listens; return that address."""
    end = time.monotonic() + 4 * SECONDS
    while True:
        try:
            found = json.loads((profile / "WebDriverBiDiServer.json").read_text(encoding="utf-8"))
            return f"ws://{found['ws_host']}:{found['ws_port']}"
        except (FileNotFoundError, json.JSONDecodeError):
            assert time.monotonic() < end, "Firefox does not say where it listens"
            time.sleep(LATER)
