"""Drive WebKit by its own WebDriver, in GTK's small browser, on a screen that nobody sees."""

import os
import subprocess
import warnings
from pathlib import Path

from selenium.webdriver import ActionChains, WebKitGTK, WebKitGTKOptions
from selenium.webdriver.webkitgtk.service import Service

from .reader import POINT, Reader

BROWSERS = "*/webkit2gtk-4.*/MiniBrowser"  # below /usr/lib
# What its small browser prints as it starts is not the page's; a line of the page's begins with its address.
COMPLAINT = ("CONSOLE JS ERROR", "CONSOLE ERROR", "CONSOLE NETWORK ERROR", "CONSOLE SECURITY ERROR", "CONSOLE WARN")
PLAIN = {"WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1", "NO_AT_BRIDGE": "1"}
CALM = "[Settings]\ngtk-enable-animations=0\n"


class WebKit(Reader):
    """A window of WebKit."""

    def __init__(self, driver: str, browser: Path, folder: Path, *, calm: bool = False) -> None:
        """Start it with its files in a folder; `calm`: the reader's system asks for less motion."""
        super().__init__()
        self.output = folder / "output.txt"
        self.heard = 0
        # WebKit's driver throws away what the browser prints, which is where the console is.
        command = folder / "browser"
        command.write_text(f'#!/bin/sh\nexec "{browser}" "$@" >>"{self.output}" 2>&1\n', encoding="utf-8")
        command.chmod(0o755)
        if calm:
            for version in ("gtk-3.0", "gtk-4.0"):
                settings = folder / version / "settings.ini"
                settings.parent.mkdir()
                settings.write_text(CALM, encoding="utf-8")
        options = WebKitGTKOptions()
        options.binary_location = str(command)
        options.add_argument("--automation")
        options.add_argument("--enable-write-console-messages-to-stdout=true")
        self.screen, display = _screen()
        places = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
        environment = {**os.environ, **PLAIN, **places, "DISPLAY": display}
        try:
            with warnings.catch_warnings():  # selenium warns of its own use of itself
                warnings.simplefilter("ignore", DeprecationWarning)
                self.driver = WebKitGTK(options=options, service=Service(driver, env=environment))
        except BaseException:
            self._darken()
            raise

    def size(self, width: int, height: int) -> None:
        """Give the page a window of that many CSS pixels."""
        edges = self.run("() => [outerWidth - innerWidth, outerHeight - innerHeight]")
        self.driver.set_window_size(width + edges[0], height + edges[1])

    def go(self, address: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.driver.get(address)

    def click(self, selector: str) -> None:
        """Press the mouse on an element."""
        x, y = self.run(POINT, selector)
        chain = ActionChains(self.driver, duration=0)
        chain.w3c_actions.pointer_action.move_to_location(x, y).click()
        chain.perform()

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        chain = ActionChains(self.driver, duration=0)
        for key in keys:
            chain.key_down(key).key_up(key)
        chain.perform()

    def picture(self, path: Path) -> None:
        """Take a picture of the window."""
        path.write_bytes(self.driver.get_screenshot_as_png())

    def listen(self) -> None:
        """Read what the browser has printed."""
        with self.output.open(encoding="utf-8", errors="replace") as file:
            file.seek(self.heard)
            lines = file.readlines()
            self.heard = file.tell()
        self.complaints += [line.strip() for line in lines if any(kind in line for kind in COMPLAINT)]

    def close(self) -> None:
        """End it, its driver and its screen."""
        try:
            self.driver.quit()
        finally:
            self._darken()

    def _darken(self) -> None:
        self.screen.terminate()
        self.screen.wait()

    def _call(self, function: str, given: str) -> str:
        said: str = self.driver.execute_script(f"return ({function})(arguments[0])", given)
        return said


def _screen() -> tuple[subprocess.Popen[bytes], str]:
    """Start a screen that is not there; return its process and its name."""
    reading, writing = os.pipe()
    try:
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x1100x24", "-nolisten", "tcp"]
        process = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    finally:
        os.close(writing)
    with os.fdopen(reading) as file:
        number = file.readline().strip()
    assert number, "Xvfb does not start"
    return process, f":{number}"
