"""One Firefox and one WebKit for all tests here, the served site with a few things broken, and the offline copy."""

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Build
from PIL import Image

from benchmarks.serving import serve
from report import files
from report.site import offline
from report.workspace import Workspace

from ..conftest import MOUNT, missing
from .firefox import Firefox
from .reader import Reader
from .webkit import BROWSERS, WebKit

FRAME = 0.5  # seconds that each frame of the grey film is seen
FRAMES = 60
UNABLE = "<head><script>delete globalThis.DecompressionStream</script>"
Start = Callable[..., Reader]


def start_firefox(factory: pytest.TempPathFactory) -> Firefox:
    """Start Firefox, if there is one."""
    command = shutil.which("firefox-esr") or shutil.which("firefox")
    if command is None:
        missing('There is no Firefox; on Debian: "apt-get install firefox-esr"')
    return Firefox(command, factory.mktemp("firefox"))


def start_webkit(factory: pytest.TempPathFactory, *, calm: bool = False) -> WebKit:
    """Start WebKit, if there is one."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browser = next(Path("/usr/lib").glob(BROWSERS), None)
    if driver is None or screen is None or browser is None:
        missing('There is no WebKit; on Debian: "apt-get install webkit2gtk-driver xvfb"')
    return WebKit(driver, browser, factory.mktemp("webkit"), calm=calm)


@pytest.fixture(scope="session")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Return a Firefox."""
    started = start_firefox(tmp_path_factory)
    yield started
    started.close()


@pytest.fixture(scope="session")
def webkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebKit]:
    """Return a WebKit."""
    started = start_webkit(tmp_path_factory)
    yield started
    started.close()


@pytest.fixture(params=["firefox", "webkit"])
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """Return each engine in turn, which at the end has nothing to complain about."""
    started: Reader = request.getfixturevalue(request.param)
    started.go("about:blank")
    started.listen()
    started.complaints.clear()
    started.size(1280, 900)
    yield started
    started.listen()
    assert started.complaints == []


@pytest.fixture(scope="session")
def broken(address: str, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Return the address and the folder of a copy in which a part is missing and one film is grey.

    Each of its frames is lighter than the one before by 4 of 255. The page old.html is the player's, as a browser sees
    it that has no DecompressionStream.
    """
    copy = tmp_path_factory.mktemp("broken") / "site"
    shutil.copytree(folder, copy, copy_function=os.link)
    (copy / "player" / "adam-b1-0-seed3" / "000.bin").unlink()
    page = (copy / "explore.html").read_text(encoding="utf-8")
    files.write_text(copy / "old.html", page.replace("<head>", UNABLE))
    film = copy / "animations" / "layer-1.gif"
    film.unlink()
    first, *more = (Image.new("L", (300, 200), 4 * place) for place in range(FRAMES))
    first.save(film, save_all=True, append_images=more, duration=round(1000 * FRAME), loop=0)
    with serve(copy, MOUNT) as served:
        yield served, copy


@pytest.fixture(scope="session")
def copy(tiny_build: Build, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of the offline copy, unpacked."""
    build = tmp_path_factory.mktemp("copied") / "build"
    build.mkdir()
    (build / "docs").symlink_to(tiny_build.workspace.docs)
    shutil.copy(tiny_build.workspace.site_settings, build)
    archive = offline.pack(Workspace(ROOT, build, build / "site"), tiny_build.settings)
    with zipfile.ZipFile(archive) as content:
        content.extractall(build.parent)
    return (build.parent / offline.NAME).as_uri() + "/"
