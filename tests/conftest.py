"""Fixtures that many tests share: the tiny experiment is trained, drawn and built once."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from report.config import Experiment
from report.recording import Recording
from report.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "tests" / "tiny.toml"


def run_report(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m report` as a person would, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "report", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@dataclass(frozen=True)
class Build:
    """Hold a finished build."""

    workspace: Workspace
    experiment: Experiment
    output: str

    @property
    def recording(self) -> Recording:
        """Return the main training run."""
        return Recording.open(self.workspace.run(self.experiment.main_run))


def build_tiny(folder: Path) -> Build:
    """Make everything of the tiny experiment in `folder`."""
    workspace = Workspace(ROOT, folder / "build", folder / "site")
    done = run_report("all", "--experiment", str(TINY), "--build", str(workspace.build), "--site", str(workspace.site))
    assert done.returncode == 0, done.stdout + done.stderr
    return Build(workspace, Experiment.load(TINY), done.stdout)


# What takes longest starts first, or one process would go on alone at the end.
LONG = ("test_study.py", "browser/test_player.py", "browser", "test_stages.py", "test_figures.py", "test_animation.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each process whole files, so that it makes their fixtures once; the pages are walked through by one."""
    ranks = {}
    for item in items:
        path = item.path.relative_to(ROOT / "tests").as_posix()
        group = next((name for name in LONG if path.startswith(name)), path)
        ranks[item] = LONG.index(group) if group in LONG else len(LONG)
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=ranks.__getitem__)


@pytest.fixture(scope="session")
def tiny_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return the tiny experiment, built once for all of pytest's processes. Tests read it and do not write to it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # where every process of this session looks
    folder, output = base / "tiny", base / "tiny" / "output.txt"
    with FileLock(base / "tiny.lock"):
        if not output.is_file():
            output.write_text(build_tiny(folder).output, encoding="utf-8")
    place = Workspace(ROOT, folder / "build", folder / "site")
    return Build(place, Experiment.load(TINY), output.read_text(encoding="utf-8"))


@pytest.fixture
def tiny() -> Experiment:
    """Return the tiny experiment's configuration."""
    return Experiment.load(TINY)


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace whose products go to a temporary folder."""
    return Workspace(ROOT, tmp_path / "build", tmp_path / "site")
