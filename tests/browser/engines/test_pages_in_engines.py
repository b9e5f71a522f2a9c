"""Every page, the search, films, the slider and the guess, in Firefox and in WebKit.

What an engine cannot be driven to do: WebKit has no forced colours, and each picture that is taken of it moves its
films on, so which frame is seen is looked at in Firefox alone. WebKit's console does not say that a file is missing.
"""

import time
from pathlib import Path

import pytest
from conftest import ROOT
from PIL import Image
from selenium.webdriver import Keys

from report import wording

from ..conftest import PLAYER_IS_OPEN, SAID
from .conftest import FRAME, start_webkit
from .firefox import FORCED_COLOURS, LESS_MOTION, Firefox
from .reader import Reader

HOMES = {"en": "", "ja": "ja/"}
WORDS = {"en": "momentum", "ja": "重み"}
SOURCE = """() => [...document.querySelectorAll("gif-player img")].find((image) => image.checkVisibility()).src"""
PLAYING = """() => document.querySelector("gif-player").hasAttribute("data-playing")"""
MIDDLE = """() => {
    const image = [...document.querySelectorAll("gif-player img")].find((each) => each.checkVisibility());
    image.scrollIntoView({block: "center", behavior: "instant"});
    const {x, y, width, height} = image.getBoundingClientRect();
    return [Math.round(x + width / 2), Math.round(y + height / 2)];
}"""
BROKEN_PICTURES = """async () => {
    const images = [...document.images].filter((image) => image.checkVisibility());
    for (const image of images) image.loading = "eager";
    await Promise.allSettled(images.map((image) => image.decode()));
    return images.filter((image) => !image.naturalWidth).map((image) => image.src);
}"""


def test_every_page_loads(reader: Reader, address: str, pages: list[str]) -> None:
    """In both languages, with all pictures, no error and no warning, and no wider than the window."""
    for name in pages:
        reader.go(address + name)
        reader.wait(PLAYER_IS_OPEN)
        assert reader.run(BROKEN_PICTURES) == [], name
        assert reader.run("() => document.documentElement.scrollWidth - innerWidth") <= 0, name
        reader.listen()
        assert reader.complaints == [], name


@pytest.mark.parametrize("place", ["served", "copied"])
@pytest.mark.parametrize("language", HOMES)
def test_the_search_finds_a_word(reader: Reader, address: str, copy: str, place: str, language: str) -> None:
    """On the site and in the copy that opens from the file system."""
    reader.go(f"{address if place == 'served' else copy}{HOMES[language]}method.html")
    reader.click(".md-search__input")
    reader.press(*WORDS[language])
    reader.see(".md-search-result__item a")


def test_a_film_played_again_is_played_from_its_start(reader: Reader, broken: tuple[str, Path]) -> None:
    """Each time it has an address of its own, which no engine knows yet; one press fetches it and one stops it."""
    reader.go(f"{broken[0]}layers.html")
    poster, seen = reader.run(SOURCE), set()
    for _ in range(2):
        reader.click("gif-player button")
        reader.wait(PLAYING)
        seen.add(reader.run(SOURCE))
        reader.click("gif-player button")
        assert reader.run(SOURCE) == poster
    assert len(seen) == 2
    assert all(source.endswith("#only-light") for source in seen)


@pytest.mark.parametrize("place", ["served", "copied"])
def test_firefox_begins_a_film_with_its_first_frame(
    firefox: Firefox, broken: tuple[str, Path], tmp_path: Path, place: str
) -> None:
    """Played again, it is no further than the time since the press allows.

    But for one frame: Firefox lets films of one pace change together, so the first may be short.
    """
    firefox.go(f"{broken[0] if place == 'served' else broken[1].as_uri() + '/'}layers.html")

    def frame() -> int:
        """Return which frame is seen, by its grey; −1 for the poster, whose middle is no grey that a frame has."""
        across, down = firefox.run(MIDDLE)
        firefox.picture(tmp_path / "film.png")
        red, green, blue = Image.open(tmp_path / "film.png").convert("RGB").getpixel((across, down))
        return red // 4 if red == green == blue and red % 4 == 0 else -1

    for _ in range(2):
        start = time.monotonic()
        firefox.click("gif-player button")
        firefox.wait(PLAYING)
        shown = frame()
        assert shown <= (time.monotonic() - start) / FRAME + 1
        while shown < 4:
            shown = frame()
        firefox.click("gif-player button")


@pytest.mark.parametrize("language", HOMES)
def test_the_slider_and_the_guess_work(reader: Reader, address: str, language: str) -> None:
    """By the keyboard and by the mouse; the answer is in the page's language."""
    said = wording.read(ROOT / "templates", language, "interface")["hand"]
    reader.go(f"{address}{HOMES[language]}index.html")
    slider = "#figure-coin input[type=range]"
    reader.see(slider)
    reader.focus(slider)
    reader.press(Keys.HOME)
    assert reader.run("(slider) => document.querySelector(slider).ariaValueText", slider) == said["spoken"].format(
        beta="0.00", run="2.0", formula="2.0"
    )
    reader.press(Keys.ARROW_RIGHT)
    assert reader.text("#figure-coin output") == "0.01"
    reader.click("#figure-coin button:nth-child(2)")
    reader.see("#figure-coin [role=status]", said["wrong"])
    reader.miss("#figure-guess .answer")
    reader.click("#figure-guess button:nth-child(2)")
    reader.see("#figure-guess .answer", said["right"])
    assert reader.run("() => document.activeElement.className") == "answer"


def test_both_are_in_the_copy(reader: Reader, copy: str) -> None:
    """Their modules are addresses of their own content there."""
    reader.go(f"{copy}index.html")
    reader.see("#figure-coin input[type=range]")
    reader.see("#figure-guess button")


def test_forced_colours_leave_everything_in_sight(firefox: Firefox, address: str, tmp_path: Path) -> None:
    """Firefox's own: the slider's and the scrubber's thumbs and lines differ from what is behind them."""
    firefox.system(**FORCED_COLOURS)
    try:
        firefox.go(f"{address}explore.html#batch=30")
        firefox.see(".wp-words")
        assert firefox.run("() => matchMedia('(forced-colors: active)').matches")
        # Along the scrubber's lower part there is the ground, the thumb and the line that leads to it.
        x, y, width, height = firefox.run("""() => {
            const element = document.querySelector(".wp-scrubber");
            element.scrollIntoView({block: "center", behavior: "instant"});
            const {x, y, width, height} = element.getBoundingClientRect();
            return [x, y, width, height].map(Math.round);
        }""")
        firefox.picture(tmp_path / "forced.png")
        strip = Image.open(tmp_path / "forced.png").convert("L").crop((x, y + height - 12, x + width, y + height - 6))
        dark = [column for column in range(strip.width) if strip.getpixel((column, 3)) < 100]
        assert dark, "no thumb"
        assert max(dark) - min(dark) < 40
        middle = (min(dark) + max(dark)) // 2
        assert abs(middle - width * 30 / 210) < 25
    finally:
        firefox.system()


def test_firefox_moves_less_on_a_calm_system(firefox: Firefox, address: str) -> None:
    """Two batches a second in the player; a film stops by itself."""
    firefox.system(**LESS_MOTION)
    try:
        calm_and_still(firefox, address)
    finally:
        firefox.system()


def test_webkit_moves_less_on_a_calm_system(address: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same, with GTK's setting, which WebKit reads as it starts."""
    webkit = start_webkit(tmp_path_factory, calm=True)
    try:
        calm_and_still(webkit, address)
    finally:
        webkit.close()


def calm_and_still(reader: Reader, address: str) -> None:
    """Check what a reader sees who has asked the system for less motion."""
    reader.go(f"{address}explore.html")
    reader.see(".wp-words")
    assert reader.run("() => matchMedia('(prefers-reduced-motion: reduce)').matches")
    speed = (
        "(label) => [...document.querySelectorAll('.wp-player select')].find((each) => each.ariaLabel === label).value"
    )
    assert reader.run(speed, SAID["player"]["speed"]) == "2"
    reader.go(f"{address}layers.html")
    reader.click("gif-player button")
    reader.wait(PLAYING)
    reader.wait(f"() => !({PLAYING})()")
