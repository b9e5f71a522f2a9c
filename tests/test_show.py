"""`python -m report show`: from recordings of anybody's network to a site beside them."""

import filecmp
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, Own, run_report
from markup import Page
from recordings import noise, record_cnn, write_recording

from report.errors import ReportError
from report.making import own
from report.recording.study import Study
from report.workspace import Workspace

PAGES = {"index.html", "tensors.html", "explore.html", "method.html", "downloads.html", "404.html"}
SLOW = """
    import sys, time, torch, report
    model = torch.nn.Linear(6, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with report.record(model, optimizer, sys.argv[1]) as recorder:
        for step in range(int(sys.argv[2])):
            optimizer.zero_grad()
            loss = model(torch.randn(8, 6)).square().mean()
            loss.backward()
            optimizer.step()
            recorder.log(loss=loss)
            time.sleep(float(sys.argv[3]))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a program as a person would."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def files_of(folder: Path) -> dict[str, int]:
    """Return the time of change of every file below `folder`, by its relative name."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in sorted(paths)}


def text_of(page: Path) -> str:
    """Return what a reader sees of a page, on one line."""
    main = re.split(r"<article[^>]*>|</article>", page.read_text(encoding="utf-8"))[1]
    text = re.sub(r"<[^>]+>", " ", main).replace("\N{NO-BREAK SPACE}", " ").replace("&para;", " ")
    return re.sub(r"\s+", " ", text).strip()


def kill(folder: Path, steps: int) -> int:
    """Record in a process of its own, and kill it after about so many steps; return how many are recorded."""
    process = start(SLOW, folder, 10_000, 0.002)
    try:
        end = time.monotonic() + 60
        while not (folder / "progress.json").is_file() or Study.load(folder).steps < steps:
            assert time.monotonic() < end
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
    finally:
        process.kill()
        process.communicate()
    return Study.load(folder).steps


@pytest.mark.slow
def test_the_report_lies_beside_the_recording(own_report: Own) -> None:
    """Its pages are there, nothing of the recording has changed, and no folder of recordings has become another one."""
    site = own_report.workspace.site
    assert {path.name for path in site.glob("*.html")} == PAGES
    assert f"Report: {site / 'index.html'}" in own_report.output
    assert own.place_of([own_report.recording]) == Workspace(ROOT, own_report.workspace.build, site)
    assert [each.path for each in Study.load(own_report.recording.parent).recordings] == [own_report.recording]


@pytest.mark.slow
def test_nothing_of_the_article_is_on_it(own_report: Own) -> None:
    """No page of it, no word of its data."""
    site = own_report.workspace.site
    for path in site.glob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        pages = {
            link.split("#")[0] for tag, link, _ in page.links if tag == "a" and link.split("#")[0].endswith(".html")
        }
        assert {each.rpartition("/")[2] for each in pages} <= PAGES, path.name
        assert not re.search(r"MNIST|Qiita|\bdigits?\b", text_of(path), re.I), path.name


@pytest.mark.slow
def test_every_link_leads_somewhere(own_report: Own) -> None:
    """To a file, and to a place in it; what the player's address asks for is no place."""
    site = own_report.workspace.site
    pages = {path.name: Page(path.read_text(encoding="utf-8")) for path in site.glob("*.html")}
    for name, page in pages.items():
        for _, link, _ in page.links:
            target, _, place = link.partition("#")
            if ":" in target or place.startswith(("__", "only-", "tensor=")):
                continue
            path = site / (target or name)
            # What the player reads is a script, which it asks for by the name of what is in it.
            assert path.is_file() or path.with_name(f"{path.name}.js").is_file(), (name, link)
            if place:
                assert place in pages[target or name].anchors, (name, link)


@pytest.mark.slow
def test_every_tensor_has_a_section_that_search_finds(own_report: Own) -> None:
    """A heading with its name, in the index of the search; its anchor is the one that other pages link to."""
    tensors = Study.load(own_report.recording).main.tensors
    index = json.loads((own_report.workspace.site / "search" / "search_index.json").read_text(encoding="utf-8"))
    found = {entry["location"]: entry["title"] for entry in index["docs"]}
    for number, name in enumerate(tensors, 1):
        assert found[f"tensors.html#t{number}"] == name


@pytest.mark.slow
def test_a_fresh_report_is_left_alone(own_report: Own) -> None:
    """No file is written but what is remembered of files, and neither torch nor matplotlib nor MkDocs is loaded."""
    memory = ".cnn-report.build/checksums.json"
    before = files_of(own_report.recording.parent)
    done = run_report("show", str(own_report.recording), PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr
    assert {**files_of(own_report.recording.parent), memory: before[memory]} == before
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "report.making.own" in imported
    assert not imported & {"torch", "matplotlib", "mkdocs", "scipy"}


@pytest.mark.slow
def test_anywhere_else_the_same_bytes(own_report: Own, tmp_path: Path) -> None:
    """In a folder whose name has a space, a # and Japanese letters, with a site that is named, and on two cores."""
    folder = tmp_path / "runs #1 実験" / "cnn"
    record_cnn(folder)
    site = tmp_path / "a site" / "#2"
    done = run_report("show", str(folder), "--site", str(site), OMP_NUM_THREADS="1", LOKY_MAX_CPU_COUNT="2")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"runs #1 実験", "a site"}
    assert {path.name for path in site.parent.iterdir()} == {"#2", ".#2.build"}
    first = own_report.workspace
    for made, other in ((site, first.site), (site.parent / ".#2.build" / "tables", first.tables)):
        names = sorted(files_of(made))
        assert names == sorted(files_of(other))
        assert filecmp.cmpfiles(made, other, names, shallow=False)[1:] == ([], [])


@pytest.mark.slow
def test_labels_and_seeds_in_japanese(tmp_path: Path) -> None:
    """A folder of recordings: each is named, the title is the one that is asked for, and no page is English."""
    for label, momentum in (("Heavy", 0.9), ("Plain", 0.0)):
        for seed in (0, 1):
            record_cnn(tmp_path / "runs" / f"{label}{seed}", label=label, momentum=momentum, seed=seed)
    done = run_report("show", "--language", "ja", "--title", "比較", str(tmp_path / "runs"), OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    site = tmp_path / "runs-report"
    assert 'lang="ja"' in (site / "index.html").read_text(encoding="utf-8")
    text = text_of(site / "index.html")
    assert text.startswith("比較")
    assert all(name in text for name in ("Heavy0", "Heavy1", "Plain0", "Plain1"))
    tensors = text_of(site / "tensors.html")
    assert not re.search(r"(?:\b[A-Za-z]+\b[ ,]+){6}", tensors)
    assert "… 理論式 6.97 2.00" in tensors  # π / arccos β of each label, in its own column
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "runs-report", ".runs-report.build"}
    assert len(Study.load(tmp_path / "runs").recordings) == 4


@pytest.mark.slow
def test_a_killed_training_is_shown_as_far_as_it_came(tmp_path: Path) -> None:
    """The page says at which step it ends; when there are more steps, it is made again."""
    steps = kill(tmp_path / "run", 25)
    done = run_report("show", str(tmp_path / "run"), OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    text = text_of(tmp_path / "run-report" / "index.html")
    assert f"This report shows {steps} steps" in text
    assert "still growing, or its process was killed" in text
    assert "still growing, or killed" in text


PROBLEMS = {
    "nothing": ("No recording in", 1),
    "empty": ("No recording in", 1),
    "format": ("does not describe a recording", 1),
    "version": ("reads version", 1),
    "damaged": ("is missing or damaged", 1),
    "counts": ("is missing or damaged", 1),
    "arrays": ("weights-0.npy is missing or damaged", 1),
    "models": ("recordings of different models", 1),
    "twice": ("have the same label", 1),
    "young": ("has no step yet", 1),
    "language": ("language: found 'fr'; allowed: en, ja.", 2),
    "thesis": ("holds something else, which would be lost", 1),
    "article": ("holds something else, which would be lost", 1),
    "itself": ("holds something else, which would be lost", 1),
    "within": ("is, holds or lies in the recording", 1),
    "around": ("holds something else, which would be lost", 1),
    "build": ("holds something else. Move it", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_mistake_is_one_line(tmp_path: Path, problem: str) -> None:
    """It says what was found, ends with an exit code, and leaves every file that was there."""
    runs = tmp_path / "runs"
    given = [runs / "a"]
    options: list[str] = []
    made = noise({"w": (3, 4)}, 20)
    if problem not in ("nothing", "empty"):
        write_recording(runs / "a", *made)
    run, progress = runs / "a" / "run.json", runs / "a" / "progress.json"
    if problem == "empty":
        (runs / "a").mkdir(parents=True)
    elif problem == "format":
        run.write_text('{"format": "another"}')
    elif problem == "version":
        run.write_text(run.read_text().replace('"version": 3', '"version": 2'))
    elif problem == "damaged":
        run.write_text(run.read_text()[:-20])
    elif problem == "counts":
        progress.write_text("{")
    elif problem == "arrays":
        (runs / "a" / "weights-0.npy").unlink()
    elif problem == "models":
        write_recording(runs / "b", *noise({"w": (3, 5)}, 20))
        given.append(runs / "b")
    elif problem == "twice":
        write_recording(runs / "b", *made)
        given = [runs]
    elif problem == "young":
        progress.write_text('{"steps": 0, "taken": 0, "skipped": 0}')
    elif problem == "language":
        options = ["--language", "fr"]
    elif problem in ("thesis", "article"):
        (tmp_path / "site" / "assets" / "player").mkdir(parents=True)
        (tmp_path / "site" / ("index.html" if problem == "article" else "thesis.tex")).write_text("mine")
        options = ["--site", str(tmp_path / "site")]
    elif problem in ("itself", "within", "around"):
        site = {"itself": runs / "a", "within": runs / "a" / "site", "around": runs}[problem]
        options = ["--site", str(site)]
    elif problem == "build":
        (runs / ".a-report.build").mkdir()
        (runs / ".a-report.build" / "mine.txt").write_text("mine")
    before = files_of(tmp_path)
    done = run_report("show", *options, *map(str, given))
    says, code = PROBLEMS[problem]
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert says in done.stderr
    assert files_of(tmp_path).items() >= before.items()
    assert not (tmp_path / "runs" / "a-report").exists()
    assert ".build" not in done.stderr or problem == "build"


def test_a_folder_of_recordings_is_no_site(tmp_path: Path) -> None:
    """Nor a build folder, also where it looks like one of ours."""
    folder = write_recording(tmp_path / "runs" / "a", *noise({"w": (3, 4)}, 20))
    (tmp_path / "runs" / "tensors.html").write_text("")
    (tmp_path / "runs" / "assets" / "player").mkdir(parents=True)
    place = Workspace(ROOT, tmp_path / "build", tmp_path / "runs")
    with pytest.raises(ReportError, match="is, holds or lies in the recording"):
        own.check(place, [tmp_path / "runs"], [folder])
    place = Workspace(ROOT, tmp_path / "runs", tmp_path / "site")
    with pytest.raises(ReportError, match="is, holds or lies in the recording"):
        own.check(place, [folder], [folder])


@pytest.mark.parametrize(("count", "title"), [(1, "a"), (3, "a, b, c"), (4, "a, b, c, …"), (5, "a, b, c, …")])
def test_a_title_names_the_folders(tmp_path: Path, count: int, title: str) -> None:
    """The first three of them."""
    assert own.title_of([tmp_path / name for name in "abcde"[:count]]) == title


def _read(address: str, seconds: float, wanted: str) -> str:
    """Return the page at an address as soon as it has what is wanted."""
    end, text = time.monotonic() + seconds, ""
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                text = answer.read().decode()
        except OSError:  # no server yet; one that is busy building
            text = ""
        if re.search(wanted, text):
            return text
        time.sleep(0.3)
    raise AssertionError(f"{wanted} did not come: {text[:2000]}")


@pytest.mark.slow
def test_a_training_is_watched_while_it_goes_on(tmp_path: Path) -> None:
    """It may begin after the watch; steps that are added are shown, and so is its end; Ctrl-C ends the watch."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    training = start(SLOW, tmp_path / "run", 100_000, 0.05)  # ends when it is interrupted
    while not (tmp_path / "run" / "run.json").is_file():
        assert training.poll() is None, training.communicate()[0]
        time.sleep(0.05)
    watch = start(
        "from report.cli import run; import sys; sys.exit(run())", "show", tmp_path / "run", "--watch", "--port", port
    )
    try:
        shown = r"This report shows\s+([\d,]+)\s+steps"
        address = f"http://127.0.0.1:{port}/index.html"
        first = re.search(shown, _read(address, 90, shown))
        assert first is not None
        more = rf"This report shows\s+(?!{first[1]}\s)[\d,]+\s+steps"
        assert "livereload" in _read(address, 90, more)
        training.send_signal(signal.SIGINT)
        training.communicate(timeout=30)
        _read(address, 90, "interrupted by an exception in the loop")
        watch.send_signal(signal.SIGINT)
        output, _ = watch.communicate(timeout=30)
        assert watch.returncode == 0, output
        assert "Traceback" not in output
        assert address.removesuffix("index.html") in output
    finally:
        for process in (training, watch):
            process.kill()
            process.communicate()
