"""The whole pipeline, as a person runs it: what is fresh is left alone, what was interrupted goes on."""

import filecmp
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT, TINY, Build, run_report

from report.cli import main
from report.console import Console
from report.making.stages import Article
from report.training import runs
from report.workspace import Workspace


def files_of(folder: Path) -> dict[str, Path]:
    """Return every file below `folder` by its relative name."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def copy_of(build: Build, folder: Path) -> Build:
    """Return a build that a test may change."""
    shutil.copytree(build.workspace.build, folder / "build")
    shutil.copytree(build.workspace.site, folder / "site")
    return Build(Workspace(ROOT, folder / "build", folder / "site"), build.experiment, build.output)


def again(build: Build, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `all` on a build again."""
    place = build.workspace
    return run_report(
        *(arguments or ("all",)),
        "--experiment",
        str(TINY),
        "--build",
        str(place.build),
        "--site",
        str(place.site),
        **environment,
    )


def test_the_end_says_where_what_how_good_and_how_long(tiny_build: Build) -> None:
    """Where the site is, from what data, the validation accuracy, the time of each stage."""
    lines = tiny_build.output
    place = tiny_build.workspace
    shown_by = f"-m report serve --experiment {TINY} --build {place.build} --site {place.site})"
    assert any(str(place.site / "index.html") in line and line.endswith(shown_by) for line in lines.splitlines())
    assert "sample of 5,000 MNIST images" in lines
    accuracy = tiny_build.recording.series["validation_accuracy"][-1]
    assert f"{accuracy:.4f}" in lines
    for stage in ("train", "analyse", "draw", "pages", "site"):
        assert f"{stage} " in lines.split("Times:")[1]


def test_a_second_run_does_and_writes_nothing(tiny_build: Build, tmp_path: Path) -> None:
    """But that it has read what was new to it; and it loads neither torch nor matplotlib nor MkDocs."""
    build = copy_of(tiny_build, tmp_path)
    before = {name: path.stat().st_mtime_ns for name, path in files_of(tmp_path).items()}
    done = again(build, "all", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr
    after = {name: path.stat().st_mtime_ns for name, path in files_of(tmp_path).items()}
    assert [name for name in {**before, **after} if before.get(name) != after.get(name)] == ["build/checksums.json"]
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "report.making.stages" in imported
    assert not imported & {"torch", "matplotlib", "mkdocs"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("touched", "stale"),
    [
        ("templates", ["pages"]),
        ("site_src", ["pages"]),
        ("results", ["analyse", "draw", "pages"]),
        ("weights", ["train"]),
        ("site", ["site"]),
    ],
)
def test_only_what_depends_on_a_change_is_stale(
    tiny_build: Build, tmp_path: Path, touched: str, stale: list[str]
) -> None:
    """A template: pages alone (the site follows what the pages become); numbers: figures and pages; no training."""
    build = copy_of(tiny_build, tmp_path)
    root = tmp_path / "root"
    root.mkdir()
    for name in ("templates", "site_src"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("mkdocs.yml", "CITATION.cff", "LICENSE"):
        shutil.copy(ROOT / name, root)
    place = Workspace(root, build.workspace.build, build.workspace.site)
    pipeline = Article(place, build.experiment, TINY, Console())
    assert pipeline.stale() == []
    changed = {
        "templates": root / "templates" / "en" / "index.md.j2",
        "site_src": next(path for path in sorted((root / "site_src").rglob("*.css"))),
        "results": place.results,
        "weights": place.run(build.experiment.main_run) / "run.json",
        "site": place.site / "index.html",
    }[touched]
    if touched in ("site", "weights"):
        changed.unlink()
    elif touched == "results":  # of the same length: as though the analysis had come to another number
        changed.write_text(changed.read_text(encoding="utf-8")[:-1] + " ", encoding="utf-8")
    else:
        changed.write_text(changed.read_text(encoding="utf-8") + "\n ", encoding="utf-8")
    # Stages after the first stale one may be stale with it; those before it are not.
    found = pipeline.stale()
    assert [name for name in found if name in stale] == stale
    assert found[0] == stale[0]


@pytest.mark.slow
def test_what_is_damaged_is_made_again_or_named(tiny_build: Build, tmp_path: Path) -> None:
    """A table, a note of times, a recording: whatever it is."""
    build = copy_of(tiny_build, tmp_path)
    place = build.workspace
    (place.tables / "accuracy.csv").unlink()
    (place.tables / "loss.csv").write_text("batch")
    place.timings.write_text("[]")
    place.study.write_text("{}")
    done = again(build)
    assert done.returncode == 0, done.stderr
    for name in ("accuracy.csv", "loss.csv"):
        assert (place.tables / name).read_bytes() == (tiny_build.workspace.tables / name).read_bytes()
    series = place.run(build.experiment.main_run) / "series-0.npy"
    whole = series.read_bytes()
    series.write_bytes(whole[:150])
    place.results.unlink()
    done = again(build)
    assert done.returncode == 0, done.stderr
    assert f"WARNING: {series} does not hold what was made" in done.stdout
    assert series.read_bytes() == whole


@pytest.mark.slow
def test_a_changed_template_needs_no_torch(tiny_build: Build, tmp_path: Path) -> None:
    """Only pages and site are made again."""
    build = copy_of(tiny_build, tmp_path)
    (build.workspace.docs / "index.md").unlink()  # as good as a changed template: the pages are stale
    done = again(build, "all", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stderr
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "matplotlib"}
    assert done.stdout.startswith("writing pages …\n")
    assert (build.workspace.docs / "index.md").read_bytes() == (tiny_build.workspace.docs / "index.md").read_bytes()


@pytest.mark.slow
def test_two_builds_give_the_same_bytes(tiny_build: Build, tmp_path: Path) -> None:
    """Everything below build/ and site/; only the times that the runs took may differ, so they are made equal.

    What is remembered of files (`checksums.json`) has times, too.

    One build trains in two processes told to use one thread, the other in one told to use two: the number of cores
    changes nothing. The folder's name, with a space and a letter beyond ASCII, is as good as any other.
    """
    odd = tmp_path / "ein Öl"
    other = Workspace(ROOT, odd / "build", odd / "site")
    arguments = ("--experiment", str(TINY), "--build", str(other.build), "--site", str(other.site))
    for command in (("train", "--processes", "1"), ("analyse",), ("draw",)):
        done = run_report(*command, *arguments, OMP_NUM_THREADS="2", PYTHONHASHSEED="5", TZ="Asia/Tokyo", LC_ALL="C")
        assert done.returncode == 0, done.stderr
    assert len(list(other.runs.glob("*/*.*"))) > 90
    for path in sorted(tiny_build.workspace.build.rglob("timings.json")):
        shutil.copy(path, other.build / path.relative_to(tiny_build.workspace.build))
    done = run_report("write", *arguments, PYTHONHASHSEED="6")
    assert done.returncode == 0, done.stderr
    for one, two in ((tiny_build.workspace.build, other.build), (tiny_build.workspace.site, other.site)):
        mine, theirs = files_of(one), files_of(two)
        assert list(mine) == list(theirs)
        differing = [name for name in mine if not filecmp.cmp(mine[name], theirs[name], shallow=False)]
        assert {*differing} <= {"checksums.json", "timings.json"}


@pytest.mark.slow
def test_an_interrupted_build_goes_on(tiny_build: Build, tmp_path: Path) -> None:
    """Ctrl-C while it draws: one line, exit code 130; the next command ends well. Of training test_study.py speaks."""
    place = copy_of(tiny_build, tmp_path).workspace
    shutil.rmtree(place.animations)
    shutil.rmtree(place.site)
    arguments = ["all", "--experiment", str(TINY), "--build", str(place.build), "--site", str(place.site)]
    with subprocess.Popen(
        [sys.executable, "-m", "report", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("drawing"):
                break
        time.sleep(1)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not (tmp_path / "site" / "index.html").exists()
    done = run_report(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("drawing")  # neither trained nor analysed again
    assert (tmp_path / "site" / "index.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    "work",
    [
        # Python drops an exception out of `__del__` or a weak reference's callback; the interrupt must come through.
        "type('Dying', (), {'__del__': lambda self: signal.raise_signal(signal.SIGINT)})(); time.sleep(30)",
        # Python ends by the signal itself after one that left code in a string, such as dataclasses are made by.
        "exec('signal.raise_signal(signal.SIGINT); time.sleep(30)')",
    ],
)
def test_ctrl_c_counts_wherever_python_is(tmp_path: Path, work: str) -> None:
    """One line and exit code 130."""
    (tmp_path / "interrupted.py").write_text(
        "import signal, sys, time\n"
        "from report.cli import entry\n"
        "def work(**_):\n"
        f"    {work}\n"
        "entry.main = work\n"
        "sys.exit(entry.run())\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"],  # as a module, as "python -m report" is
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr.startswith("Interrupted.")
    assert len(done.stderr.splitlines()) == 1


def test_an_unwritable_build_folder_is_one_line(tmp_path: Path) -> None:
    """Here a file stands where the folder should be, which refuses even the superuser."""
    (tmp_path / "build").write_text("")
    done = run_report("all", "--experiment", str(TINY), "--build", str(tmp_path / "build" / "below"))
    assert done.returncode == 1
    assert "choose another folder with --build" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_nothing_half_written(tmp_path: Path) -> None:
    """The system's limit on the size of a file stands in for a disk without space."""
    train = f"{sys.executable} -m report train --processes 1 --experiment {TINY} --build {tmp_path}/build"
    command = f"ulimit -f 100; exec {train}"
    script = (
        "import signal, os, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "os.execvp('bash', ['bash', '-c', sys.argv[1]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Cannot write" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list((tmp_path / "build" / "runs").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("command", ["analyse", "draw", "write"])
def test_a_stage_without_its_input_says_what_to_do(tmp_path: Path, command: str) -> None:
    """Instead of a traceback from deep within."""
    done = run_report(
        command, "--experiment", str(TINY), "--build", str(tmp_path / "build"), "--site", str(tmp_path / "site")
    )
    assert done.returncode == 1
    assert 'Run "make report" first' in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_every_command_explains_itself() -> None:
    """With --help; an unknown command or option is an error of its own."""
    for command in ("train", "analyse", "draw", "write", "all", "findings", "serve", "offline", "publish"):
        done = CliRunner().invoke(main, [command, "--help"])
        assert done.exit_code == 0
        assert "--experiment" in done.output
    assert run_report("trian").returncode == 2


def test_results_hold_no_time_and_no_place(tiny_build: Build) -> None:
    """A pure function of the inputs: no absolute path in any JSON or page source."""
    for path in tiny_build.workspace.build.rglob("*"):
        if path.suffix in (".json", ".csv", ".md"):
            assert str(tiny_build.workspace.build.parent) not in path.read_text(encoding="utf-8"), path


@pytest.mark.slow
def test_a_run_that_lacks_a_file_is_trained_again(tiny_build: Build, tmp_path: Path) -> None:
    """Whichever it is: what is drawn already would hide that a number cannot be found again."""
    build = copy_of(tiny_build, tmp_path)
    main = build.workspace.run(build.experiment.main_run)
    names = sorted(path.name for path in main.iterdir())
    assert {"attached.npz", "timings.json", "weights-0.npy", "first-0.npy", "series-0.npy"} <= set(names)
    for name in names:
        (main / name).rename(tmp_path / name)
        assert not runs.is_complete(build.workspace, build.experiment), name
        (tmp_path / name).rename(main / name)
    assert runs.is_complete(build.workspace, build.experiment)
