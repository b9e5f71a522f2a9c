"""The examples' reports, and the page of the article's site that leads to them."""

import html
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, TINY, Build
from markup import Page

from report import files
from report.config import Experiment
from report.console import Console
from report.errors import ReportError
from report.making import examples
from report.making.stages import Article
from report.site import offline
from report.workspace import Workspace

PROGRAM = "dead_units"
QUOTED = ("templates", "site_src", "mkdocs.yml", "CITATION.cff", "LICENSE")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_program_has_words(language: str) -> None:
    """A program without a title would stop the build of the site."""
    path = ROOT / "templates" / language / "words" / "examples.toml"
    programs = {each.stem for each in (ROOT / "examples").glob("*.py")}
    assert set(tomllib.loads(path.read_text(encoding="utf-8"))) == programs | {"picture"}


def test_a_program_that_fails_is_named(tmp_path: Path) -> None:
    """One line has the program, and the last line of what it says."""
    program = tmp_path / "broken.py"
    program.write_text('print("begins")\nraise ValueError("no data")\n', encoding="utf-8")
    with pytest.raises(ReportError, match=r"broken\.py failed: ValueError: no data$"):
        examples.run(program, tmp_path / "run", ROOT)


SLEEPER = """
import os, sys, time
open(sys.argv[1] + ".started", "w").write(str(os.getpid()))
time.sleep(120)
"""
COMMAND = """
import sys
from pathlib import Path
from report.console import Console
from report.making import examples
from report.workspace import Workspace

if __name__ == "__main__":
    root = Path(sys.argv[1])
    programs = sorted((root / "examples").glob("*.py"))
    examples._run(Workspace(root, root / "build", root / "site"), programs, Console())
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has neither signal")
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("number", [1, 2])
def test_programs_end_with_the_command(tmp_path: Path, how: str, number: int) -> None:
    """However it ends, and whether it runs one program itself or several in processes of its own."""
    (tmp_path / "examples").mkdir()
    for name in ("one", "two")[:number]:
        (tmp_path / "examples" / f"{name}.py").write_text(SLEEPER, encoding="utf-8")
    (tmp_path / "command.py").write_text(COMMAND, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "command.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "LOKY_MAX_CPU_COUNT": "2"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        numbers: list[str] = []
        while len(numbers) < number and process.poll() is None:
            time.sleep(0.05)
            numbers = [each for path in tmp_path.rglob("*.started") if (each := path.read_text(encoding="utf-8"))]
        programs = [psutil.Process(int(each)) for each in numbers]
        if how == "SIGINT":
            os.killpg(process.pid, signal.SIGINT)  # as the terminal does for Ctrl-C
        else:
            process.send_signal(signal.Signals[how])
        process.wait(timeout=30)
    gone, alive = psutil.wait_procs(programs, timeout=10)
    for each in alive:
        each.kill()
    assert (len(gone), alive) == (number, [])


def test_without_programs(tmp_path: Path, tiny: Experiment) -> None:
    """What pip installed has none, and says so."""
    article = Article(Workspace(tmp_path, tmp_path / "build", tmp_path / "site"), tiny, TINY, Console())
    with pytest.raises(ReportError, match="come with a checkout"):
        examples.make(article)


def addresses(path: Path) -> list[str]:
    """Return what a page refers to."""
    return [address for _, address, _ in Page(path.read_text(encoding="utf-8")).links]


def plain(text: str) -> str:
    """Return the words of a page, without markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>|`", "", text)).split())


@pytest.fixture(scope="module")
def article(tiny_build: Build, tmp_path_factory: pytest.TempPathFactory) -> Article:
    """Return the tiny article, with one example in its site, of few steps."""
    root = tmp_path_factory.mktemp("gallery")
    for name in QUOTED:
        (root / name).symlink_to(ROOT / name)
    (root / "examples").mkdir()
    text = (ROOT / "examples" / f"{PROGRAM}.py").read_text(encoding="utf-8")
    short = text.replace("default=400", "default=60")
    assert short != text
    (root / "examples" / f"{PROGRAM}.py").write_text(short, encoding="utf-8")
    shutil.copytree(tiny_build.workspace.build, root / "build")
    shutil.copytree(tiny_build.workspace.site, root / "site")
    made = Article(Workspace(root, root / "build", root / "site"), tiny_build.experiment, TINY, Console())
    examples.make(made)
    return made


@pytest.mark.slow
def test_the_report_is_part_of_the_site(article: Article) -> None:
    """The page is in the navigation, says what the report says, and leads to it; each picture on it is there."""
    site, own = article.workspace.site, article.workspace.examples / PROGRAM
    assert "examples.html" in addresses(site / "index.html")
    found = addresses(site / "examples.html")
    assert f"examples/{PROGRAM}/index.html" in found
    languages = article.settings().languages
    for language in languages:
        folder = "" if language == languages[0] else f"{language}/"
        shown = {each for each in addresses(site / folder / "examples.html") if f"gallery/{PROGRAM}-" in each}
        assert shown
        assert all(f"gallery/{PROGRAM}-{language}-" in each for each in shown)
    local = [each.split("#")[0] for each in found if not re.match(r"[a-z]+:", each)]
    assert [each for each in local if each and not (site / each).exists()] == []
    facts = files.read_json(own / "facts.json")
    assert facts["report"]["steps"]["high"] == 60
    text = plain((site / "examples.html").read_text(encoding="utf-8"))
    assert facts["standout"]
    for each in facts["standout"][:3]:
        assert plain(each["said"]["en"]) in text
    made = [path.relative_to(own / "site") for path in (own / "site").rglob("*") if path.is_file()]
    assert [path for path in made if not (site / "examples" / PROGRAM / path).is_file()] == []


@pytest.mark.slow
def test_what_is_fresh_is_left_alone(article: Article, capsys: pytest.CaptureFixture[str]) -> None:
    """A second time nothing is run, drawn or built."""
    examples.make(article)
    assert "…" not in capsys.readouterr().out
    assert article.stale() == []


@pytest.mark.slow
def test_the_offline_copy_has_the_reports(article: Article) -> None:
    """They open from the file system, as the article does."""
    with zipfile.ZipFile(offline.pack(article.workspace, article.settings())) as archive:
        names = set(archive.namelist())
    assert {f"{offline.NAME}/examples.html", f"{offline.NAME}/examples/{PROGRAM}/index.html"} <= names
    assert f"{offline.NAME}/examples/{PROGRAM}/search/search_index.js" in names


@pytest.mark.slow
def test_without_reports_there_is_no_gallery(article: Article) -> None:
    """And no link that leads to one."""
    shutil.rmtree(article.workspace.examples)
    article.run(("pages", "site"))
    site = article.workspace.site
    assert not (site / "examples.html").exists()
    assert not (site / "examples").exists()
    assert [path.name for path in site.rglob("*.html") if "examples.html" in path.read_text(encoding="utf-8")] == []
