"""The built site: whole, strict, the same every time, at home under any address, and dependent on nobody."""

import filecmp
import functools
import gzip
import http.server
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from conftest import ROOT, Build
from markup import Page

from report import files
from report.errors import ReportError
from report.site import exchange
from report.site import mkdocs as site
from report.site.settings import Settings
from report.workspace import Workspace

ADDRESS = "https://someone.example/weights/"
REPOSITORY = "https://example.org/someone/weights"


def pages_of(folder: Path) -> dict[str, Page]:
    """Return all pages of a built site by their path below it."""
    paths = sorted(folder.rglob("*.html"))
    return {path.relative_to(folder).as_posix(): Page(path.read_text(encoding="utf-8")) for path in paths}


def draft(build: Build, folder: Path) -> Workspace:
    """Return a workspace with a copy of the tiny build's pages, to be changed and built."""
    place = Workspace(ROOT, folder / "build", folder / "site")
    shutil.copytree(build.workspace.docs, place.docs)
    shutil.copy(build.workspace.site_settings, place.site_settings)
    return place


@pytest.fixture(scope="module")
def addressed(tiny_build, tmp_path_factory):
    """Return the tiny site, built for an address below a path and with a repository."""
    place = draft(tiny_build, tmp_path_factory.mktemp("addressed"))
    site.build(place, replace(tiny_build.settings, url=ADDRESS.rstrip("/"), repository=REPOSITORY))
    return place


@pytest.mark.slow
def test_two_builds_give_the_same_bytes(tiny_build, tmp_path, monkeypatch):
    """Also years apart: no file carries the time at which it was made."""
    place = draft(tiny_build, tmp_path)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    (tmp_path / ".site.fresh-killed").mkdir()
    site.build(place, tiny_build.settings)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["build", "site"]
    first = sorted(path.relative_to(place.site) for path in place.site.rglob("*") if path.is_file())
    old = tiny_build.workspace.site
    assert first == sorted(path.relative_to(old) for path in old.rglob("*") if path.is_file())
    _, different, odd = filecmp.cmpfiles(place.site, old, [str(path) for path in first], shallow=False)
    assert (different, odd) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[gone](no-such-page.md)", "no-such-page.md"),
        ("[gone](method.md#no-such-place)", "no-such-place"),
        ("![gone](figures/no-such-figure.svg)", "no-such-figure.svg"),
        ("[gone](tables/no-such-table.csv)", "no-such-table.csv"),
        ("[gone](/layers.html)", "/layers.html"),
    ],
)
def test_a_dead_link_stops_the_build(tiny_build, tmp_path, text, reason):
    """It is named, and the site that was there stays."""
    place = draft(tiny_build, tmp_path)
    files.write_text(place.site / "index.html", "the site before")
    page = place.docs / "index.md"
    page.write_text(page.read_text(encoding="utf-8") + f"\n{text}\n", encoding="utf-8")
    with pytest.raises(ReportError, match=re.escape(reason)):
        site.build(place, tiny_build.settings)
    assert (place.site / "index.html").read_text() == "the site before"
    assert [path.name for path in place.site.parent.iterdir()] == ["build", "site"]


@pytest.mark.slow
def test_a_page_outside_the_navigation_stops_the_build(tiny_build, tmp_path):
    """No reader would find it."""
    place = draft(tiny_build, tmp_path)
    files.write_text(place.docs / "lost.md", "# Lost\n")
    with pytest.raises(ReportError, match=r"lost\.md"):
        site.build(place, tiny_build.settings)


def test_no_page_depends_on_another_host(tiny_build):
    """No font, script, style or picture; other hosts are only linked to. Style sheets included."""
    for name, page in pages_of(tiny_build.workspace.site).items():
        foreign = [
            link for tag, link, _ in page.links if tag != "a" and (urlsplit(link).netloc or link.startswith("//"))
        ]
        assert foreign == [], name
    for path in tiny_build.workspace.site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", text), path
    for path in (ROOT / "site_src").rglob("*.js"):
        strings = re.findall(r"[\"'`]((?:https?:)?//[^\"'`]*)", path.read_text(encoding="utf-8"))
        assert [text for text in strings if not text.startswith("http://www.w3.org/")] == [], path


def test_every_link_leads_somewhere_on_the_disk(tiny_build):
    """Relative links to files and places that exist work from a root, under a sub-path and from the file system."""
    folder = tiny_build.workspace.site
    pages = pages_of(folder)
    assert len(pages) >= 7
    for name, page in pages.items():
        for _, link, _ in page.links:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            assert not link.startswith("/"), (name, link)
            target = (folder / name).parent / unquote(address.path) if address.path else folder / name
            target = (target / "index.html" if target.is_dir() else target).resolve()
            assert target.is_file(), (name, link)
            if address.fragment and target.suffix == ".html" and not address.fragment.startswith("__"):
                anchors = pages[target.relative_to(folder.resolve()).as_posix()].anchors
                assert unquote(address.fragment) in anchors, (name, link)


def test_a_wrong_address_at_any_depth_shows_a_page(addressed):
    """Where the site's address is known, the links of the 404 page begin there; a link within it stays within it."""
    (page,) = (page for name, page in pages_of(addressed.site).items() if name == "404.html")
    links = [link for _, link, _ in page.links if not link.startswith(("#", REPOSITORY))]
    assert len(links) > 20
    assert [link for link in links if not link.startswith("/weights/")] == []


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["", "weights/"])
def test_the_site_works_from_a_root_and_under_a_sub_path(addressed, tmp_path, prefix):
    """Everything that any page refers to is answered, by a server that knows nothing of MkDocs."""
    (tmp_path / "root").mkdir()
    home = tmp_path / "root" / prefix.rstrip("/")
    if prefix:
        home.symlink_to(addressed.site)
    root = tmp_path / "root" if prefix else addressed.site

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/{prefix}"
    try:
        wanted = set()
        for name, page in pages_of(addressed.site).items():
            if name != "404.html" or prefix:  # it is made for its address: /weights/
                wanted |= {urljoin(base + name, link).split("#")[0] for _, link, _ in page.links}
        wanted = {address for address in wanted if address.startswith(base)}
        assert len(wanted) > 50
        for address in sorted(wanted):
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.status == 200
    finally:
        server.shutdown()
        server.server_close()


def test_what_others_show_of_a_link(addressed):
    """Title, description, canonical address and a picture, whole and below the configured address."""
    titles = set()
    for name, page in pages_of(addressed.site).items():
        if name == "404.html":
            continue
        canonical = [link for tag, link, all_ in page.links if tag == "link" and all_.get("rel") == "canonical"]
        expected = ADDRESS + name
        assert canonical == [expected]
        assert page.meta["og:url"] == expected
        assert page.meta["og:title"]
        assert page.meta["description"] == page.meta["og:description"] != ""
        assert page.meta["og:image"].startswith(ADDRESS)
        assert (addressed.site / page.meta["og:image"].removeprefix(ADDRESS)).is_file()
        title = re.search(r"<title>(.*?)</title>", (addressed.site / name).read_text(encoding="utf-8"))[1]
        titles.add((name.rpartition("/")[0], title))  # the home page is called as the site is, in every language
    assert len(titles) == len(pages_of(addressed.site)) - 1


def test_the_sitemap_names_every_page_and_no_date(addressed):
    """The compressed one says the same."""
    text = (addressed.site / "sitemap.xml").read_text(encoding="utf-8")
    named = re.findall(r"<loc>([^<]+)</loc>", text)
    names = {name for name in pages_of(addressed.site) if name != "404.html"}
    assert {ADDRESS + name for name in names} == set(named)
    assert "lastmod" not in text
    assert gzip.decompress((addressed.site / "sitemap.xml.gz").read_bytes()).decode() == text


def test_the_repository_is_a_plain_link(addressed, tiny_build):
    """Material's own would ask GitHub for stars; without a repository in the configuration there is no link."""
    text = (addressed.site / "index.html").read_text(encoding="utf-8")
    assert f'href="{REPOSITORY}"' in text
    assert 'data-md-component="source"' not in text
    assert "md-source" not in (tiny_build.workspace.site / "index.html").read_text(encoding="utf-8")


def test_every_page_says_that_it_shows_the_sample(tiny_build, tmp_path):
    """And says nothing where it does not."""
    assert tiny_build.experiment.data.source == "sample"
    for path in tiny_build.workspace.site.rglob("*.html"):
        banner = re.search(r'<aside class="md-banner">.*?</aside>', path.read_text(encoding="utf-8"), re.S)
        assert banner is not None, path.name
        assert ("サンプル" if path.parent.name == "ja" else "sample") in banner[0]
    place = draft(tiny_build, tmp_path)
    files.write_json(place.site_settings, {**files.read_json(place.site_settings), "notice": {}})
    site.build(place, tiny_build.settings)
    assert all("md-banner" not in path.read_text(encoding="utf-8") for path in place.site.rglob("*.html"))


def test_without_a_script_everything_is_there(tiny_build):
    """Every picture has its size and its text; every animation is a poster that leads to its GIF."""
    pictures = animations = 0
    for name, page in pages_of(tiny_build.workspace.site).items():
        for tag, link, attributes in page.links:
            if tag == "img" and ("figures/" in link or "animations/" in link):
                pictures += 1
                assert int(attributes["width"]) > 0, (name, link)
                assert int(attributes["height"]) > 0, (name, link)
                assert len(attributes["alt"]) > 20, (name, link)
            animations += tag == "a" and link.endswith(".gif")
    assert pictures > 20
    assert animations >= 2 * 7


def test_without_pages_there_is_no_site(tmp_path):
    """The message says what to run."""
    with pytest.raises(ReportError, match='Run "make report" first'):
        site.build(Workspace(ROOT, tmp_path / "build", tmp_path / "site"), Settings("A title"))


SERVE = """
import sys
from pathlib import Path
from report.site import exchange
from report.site import mkdocs as site
from report.site.settings import Settings
from report.workspace import Workspace
root = Path(sys.argv[1])
place = Workspace(root, root / "build", root / "site")
def rebuild():
    (place.site / "index.html").write_text("<body>rebuilt</body>")
watched = (place.templates, place.site_src, place.mkdocs_config)
site.serve(place, Settings("A title"), rebuild, watched=watched, note="changes are shown", port=int(sys.argv[2]))
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, text: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if text in answer.read().decode():
                    return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.1)
    pytest.fail(f"{address} does not say {text!r}")


@pytest.fixture
def served(tmp_path):
    """Return a folder with sources and a site, and a process that serves it."""
    for name in ("templates", "site_src", "site"):
        (tmp_path / name).mkdir()
    (tmp_path / "mkdocs.yml").touch()
    (tmp_path / "site" / "index.html").write_text("<body>first</body>")
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path), str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield tmp_path, port, process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_serving_shows_changes_and_ends_cleanly(served):
    """A changed template is rebuilt and shown; Ctrl-C ends it without a traceback."""
    folder, port, process = served
    address = f"http://127.0.0.1:{port}/"
    _wait_for(address, "first")
    time.sleep(0.7)  # the watcher compares with what it saw at its last look
    (folder / "templates" / "page.md.j2").write_text("changed")
    _wait_for(address, "rebuilt")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert address in output


def test_a_port_that_is_taken_is_one_line(served, tmp_path):
    """The message says how to name another one."""
    _, port, _ = served
    _wait_for(f"http://127.0.0.1:{port}/", "first")
    second = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path), str(port)], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert f"Cannot serve on port {port}" in second.stderr
    assert "--port" in second.stderr


@pytest.mark.parametrize("held", ["site", "fresh"])
def test_a_site_that_cannot_be_replaced_stays(tmp_path, monkeypatch, held):
    """On Windows a folder cannot be renamed while a program has a file in it open: one line, and nothing is lost."""
    for name, text in (("site", "before"), ("fresh", "after")):
        files.write_text(tmp_path / name / "index.html", text)
    rename = Path.rename

    def refuse(path, name):
        if path.name == held:
            raise PermissionError(13, "The process cannot access the file", str(path))
        return rename(path, name)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ReportError, match=r"site cannot be replaced .* has a file of it open") as refused:
        exchange.replace(tmp_path / "site", tmp_path / "fresh")
    assert "\n" not in str(refused.value)
    assert (tmp_path / "site" / "index.html").read_text() == "before"
    monkeypatch.undo()
    exchange.replace(tmp_path / "site", tmp_path / "fresh")
    assert (tmp_path / "site" / "index.html").read_text() == "after"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_two_commands_may_build_one_site(tmp_path):
    """Neither removes the other's folder; what a killed one left goes, and the last to finish is what stands there."""
    place = tmp_path / "site [1]"
    for left in (".site [1].fresh-dead", ".site [1].fresh-gone.old"):
        files.write_text(tmp_path / left / "index.html", "left")
    with exchange.scratch(place) as first:
        files.write_text(first / "index.html", "first")
        with exchange.scratch(place) as second:
            files.write_text(second / "index.html", "second")
            assert (first / "index.html").read_text() == "first"
            exchange.replace(place, second)
        exchange.replace(place, first)
    assert (place / "index.html").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["site [1]"]


def test_a_site_that_comes_meanwhile_is_replaced(tmp_path, monkeypatch):
    """Between the two renamings of one command another puts its site there."""
    for name in ("site", "fresh", "other"):
        files.write_text(tmp_path / name / "index.html", name)
    rename = Path.rename

    def slow(path, name):
        if path.name == "fresh" and (tmp_path / "other").exists():
            rename(tmp_path / "other", tmp_path / "site")
        return rename(path, name)

    monkeypatch.setattr(Path, "rename", slow)
    exchange.replace(tmp_path / "site", tmp_path / "fresh")
    assert (tmp_path / "site" / "index.html").read_text() == "fresh"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
