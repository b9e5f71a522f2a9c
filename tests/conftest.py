"""Fixtures that many tests share: the tiny experiment is trained, drawn and built once."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, ReadWriteLock
from xdist.scheduler import LoadScopeScheduling

from report.config import Experiment
from report.making.maker import Maker
from report.products import CODE
from report.recording.reader import Recording
from report.recording.study import Study
from report.site.settings import Settings
from report.training import runs
from report.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
TINY = ROOT / "tests" / "tiny.toml"

# A shell that starts the tests in the background makes them deaf to Ctrl-C, and all that they start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# As many tests run at a time as there are cores. What a command could do in several processes it does in one, for each
# of them begins with a second of imports; where several are the point, a test says so by the same variable, joblib's.
os.environ["LOKY_MAX_CPU_COUNT"] = "1"


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


def run_in_node(folder: str, **fixtures: Path) -> None:
    """Run the tests of a folder of tests/ in Node; `fixtures` are folders that they find by these names."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("There is no command node: the site's scripts are not checked.")
        pytest.skip("There is no command node.")
    tests = sorted(str(path) for path in (ROOT / "tests" / folder).glob("*.test.mjs"))
    assert tests
    places = {name: str(path) for name, path in fixtures.items()}
    done = subprocess.run(
        [node, "--test", *tests],
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Build:
    """Hold a finished build."""

    workspace: Workspace
    experiment: Experiment
    output: str

    @property
    def settings(self) -> Settings:
        """Return the settings of its site."""
        return Settings(title=self.experiment.site.title, languages=self.experiment.site.languages)

    @property
    def study(self) -> Study:
        """Return all training runs."""
        return Study.load(runs.recordings(self.workspace, self.experiment))

    @property
    def recording(self) -> Recording:
        """Return the main training run."""
        return Recording.open(self.workspace.run(self.experiment.main_run))


def maker_of(place: Workspace) -> Maker:
    """Return what makes products below a workspace."""
    return Maker(place.ledger, CODE)


def build_tiny(folder: Path) -> Build:
    """Make everything of the tiny experiment in `folder`."""
    workspace = Workspace(ROOT, folder / "build", folder / "site")
    done = run_report(
        *("all", "--experiment", str(TINY)),
        *("--build", str(workspace.build), "--site", str(workspace.site)),
        OMP_NUM_THREADS="1",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Build(workspace, Experiment.load(TINY), done.stdout)


# What takes longest starts first, or one process would go on alone at the end; what must be alone anyway is last.
LAST = "browser/test_lighthouse.py"
LONG = (
    "test_study.py",
    *("test_recorder", "test_data.py", "test_standout.py"),  # meanwhile the tiny build is made, and these need none
    "browser/player",
    "browser/engines",
    "browser",
    "test_stages.py",
    "test_figures.py",
    "test_show.py",
    "test_packaging.py",
    "test_cluster.py",
    "test_benchmarks.py",
    "test_surroundings.py",
    "test_damage.py",
    "test_networks.py",
    "test_products.py",
    "test_verify.py",
    "test_clips.py",
)


def group_of(nodeid: str) -> str:
    """Return the name of the group of tests that one process runs: a file, or all that walks through the pages."""
    path = nodeid.split("::")[0].removeprefix("tests/")
    return next((name for name in (LAST, *LONG) if path.startswith(name)), path)


class Groups(LoadScopeScheduling):
    """Give each process whole groups, so that it makes their fixtures once."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Return what hands out the tests."""
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest groups first, and in each what can begin before the tiny build is there."""
    rank = {name: place for place, name in enumerate(LONG)} | {LAST: len(LONG) + 1}

    def place(item: pytest.Item) -> tuple[int, bool]:
        return rank.get(group_of(item.nodeid), len(LONG)), "tiny_build" in getattr(item, "fixturenames", ())

    items.sort(key=place)


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return a temporary folder where every process of this session looks."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(autouse=True)
def _turn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let a test that measures time wait until no other runs, and the others wait for it."""
    alone = request.node.get_closest_marker("alone") is not None
    turn = ReadWriteLock(shared_folder(tmp_path_factory) / "turn.db")
    with turn.write_lock() if alone else turn.read_lock():
        yield


@pytest.fixture(scope="session")
def tiny_build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return the tiny experiment, built once for all of pytest's processes. Tests read it and do not write to it."""
    base = shared_folder(tmp_path_factory)
    folder, output = base / "tiny", base / "tiny" / "output.txt"
    with FileLock(base / "tiny.lock"):
        if not output.is_file():
            output.write_text(build_tiny(folder).output, encoding="utf-8")
    place = Workspace(ROOT, folder / "build", folder / "site")
    return Build(place, Experiment.load(TINY), output.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Own:
    """Hold a report on a small network that is none of ours."""

    recording: Path
    workspace: Workspace
    output: str


@pytest.fixture(scope="session")
def own_report(tmp_path_factory: pytest.TempPathFactory) -> Own:
    """Return the report on a convolutional network, made once for all processes; tests read it alone."""
    from recordings import record_cnn

    base = shared_folder(tmp_path_factory)
    folder, output = base / "own" / "cnn", base / "own" / "output.txt"
    with FileLock(base / "own.lock"):
        if not output.is_file():
            record_cnn(folder)
            done = run_report("show", str(folder), OMP_NUM_THREADS="1")
            assert done.returncode == 0, done.stdout + done.stderr
            output.write_text(done.stdout, encoding="utf-8")
    place = Workspace(ROOT, base / "own" / ".cnn-report.build", base / "own" / "cnn-report")
    return Own(folder, place, output.read_text(encoding="utf-8"))


@pytest.fixture
def tiny() -> Experiment:
    """Return the tiny experiment's configuration."""
    return Experiment.load(TINY)


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace whose products go to a temporary folder."""
    return Workspace(ROOT, tmp_path / "build", tmp_path / "site")
