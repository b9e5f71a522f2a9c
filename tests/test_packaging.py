"""An installed wheel works far from the checkout: a fresh environment gets it, and borrows only the dependencies."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT, TINY

from report.errors import is_checkout
from report.workspace import MARK, home, sources

pytestmark = pytest.mark.slow

RESOURCES = "report/resources"
# The shortest experiment whose films, figures and pages are all made.
ONE_RUN = """
[data]
source = "sample"
[network]
hidden = [8, 6]
[training]
batches = 20
device = "cpu"
[study]
seeds = 1
batches = 20
optimizers = []
[recording]
whole = ["l2", "l3"]
[animation]
frames = 4
long_batches = 20
"""
CARRIED = ("templates", "site_src", "mkdocs.yml", "experiment.toml", "preview.toml", "CITATION.cff", "LICENSE")


def done(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that finds nothing of this checkout by its surroundings."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return subprocess.run(
        command, cwd=cwd, env={**inherited, **environment}, capture_output=True, text=True, timeout=300, check=False
    )


def files_below(folder: Path) -> dict[str, bytes]:
    """Return what is to be shipped of a folder: every file but caches, by its path below the folder."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@dataclass(frozen=True)
class Installed:
    """Hold an environment with the wheel in it."""

    folder: Path

    def path(self, name: str) -> Path:
        """Return a folder of the environment: "purelib" or "scripts"."""
        return Path(sysconfig.get_path(name, "venv", {"base": str(self.folder), "platbase": str(self.folder)}))

    def command(self, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run `weights-in-motion`; git does not look for a repository above `cwd`."""
        program = self.path("scripts") / "weights-in-motion"
        return done(program, *arguments, cwd=cwd, GIT_CEILING_DIRECTORIES=str(cwd.parent), OMP_NUM_THREADS="1")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of this checkout, built with the backend that is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    built = done(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT, cwd=folder)
    assert built.returncode == 0, built.stderr
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Return a fresh environment with the wheel and this environment's dependencies."""
    fresh = Installed(tmp_path_factory.mktemp("installed") / "environment")
    venv.create(fresh.folder, with_pip=False)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    python = fresh.path("scripts") / "python"
    put = done(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=fresh.folder)
    assert put.returncode == 0, put.stderr
    # A folder that is named in a .pth file is searched, but its own .pth files, such as that of an editable
    # installation of this checkout, are not read. Not before pip has run: it would find the package there already.
    borrowed = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    (fresh.path("purelib") / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    return fresh


def test_a_checkout_reads_and_writes_its_own_files() -> None:
    """So that an edited template is seen at once, also after an editable installation."""
    assert is_checkout()
    assert sources() == home() == ROOT


def test_the_wheel_carries_the_package_and_its_sources(wheel: Path) -> None:
    """Every file of both as it is here, and nothing else."""
    wanted = {f"report/{name}": data for name, data in files_below(ROOT / "report").items()}
    for name in CARRIED:
        path = ROOT / name
        found = {f"/{below}": data for below, data in files_below(path).items()} or {"": path.read_bytes()}
        wanted |= {f"{RESOURCES}/{name}{below}": data for below, data in found.items()}
    with zipfile.ZipFile(wheel) as archive:
        carried = {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}
    assert carried.keys() == wanted.keys()
    assert carried == wanted


def test_the_command_explains_itself(installed: Installed, tmp_path: Path) -> None:
    """By the name that it was called by, and with the version of pyproject.toml."""
    said = installed.command("--help", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("Usage: weights-in-motion [OPTIONS] COMMAND")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert installed.command("--version", cwd=tmp_path).stdout == f"weights-in-motion, version {version}\n"


def test_an_installed_package_finds_what_it_carries(installed: Installed, tmp_path: Path) -> None:
    """And nothing of the checkout; products go to the current directory."""
    program = (
        "import json, report; from report.workspace import Workspace, home, sources\n"
        "place = Workspace(sources(), home() / 'build', home() / 'site')\n"
        "paths = report.__file__, place.templates / 'en', place.site_src / 'overrides', place.mkdocs_config\n"
        "paths = *paths, place.root / 'experiment.toml', place.root / 'LICENSE', home()\n"
        "print(json.dumps([str(path) for path in paths]))"
    )
    said = done(installed.path("scripts") / "python", "-c", program, cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    *found, products = (Path(path) for path in json.loads(said.stdout))
    assert products == tmp_path.resolve()
    for path in found:
        assert path.exists()
        assert path.is_relative_to(installed.folder.resolve())


def test_the_experiment_that_is_used_is_named(installed: Installed, tmp_path: Path) -> None:
    """The one of the current directory, or else the one in the wheel."""
    said = installed.command("publish", cwd=tmp_path)
    assert said.stdout.startswith("Experiment: the built-in one;")
    shutil.copy(TINY, tmp_path / "experiment.toml")
    said = installed.command("publish", cwd=tmp_path)
    assert said.stdout == f"Experiment: {tmp_path.resolve() / 'experiment.toml'}\n"
    assert said.stderr.startswith(f"There is no site in {tmp_path.resolve() / 'site'}.")
    assert said.returncode == 1


def test_publishing_asks_for_the_repository_of_the_current_directory(installed: Installed, tmp_path: Path) -> None:
    """One line without a repository, and without a remote; with one, it gets as far as the age of the site."""
    (tmp_path / "site" / MARK).mkdir(parents=True)
    (tmp_path / "site" / "index.html").touch()
    steps = {
        "git refuses: not a git repository": ("init", "--quiet"),
        'There is no remote "origin"': ("remote", "add", "origin", "elsewhere.git"),
        "The site is older than what it is made from.": ("status",),
    }
    for says, command in steps.items():
        said = installed.command("publish", cwd=tmp_path)
        assert said.returncode == 1
        assert said.stderr.startswith(says)
        assert len(said.stderr.splitlines()) == 1
        assert done("git", *command, cwd=tmp_path).returncode == 0


def test_an_installed_package_builds_a_site(installed: Installed, tmp_path: Path) -> None:
    """From training to MkDocs with the carried theme, and nothing is written beside what was asked for."""
    package = installed.path("purelib") / "report"
    (tmp_path / "tiny.toml").write_text(ONE_RUN, encoding="utf-8")
    before = files_below(package)
    said = installed.command("all", "--experiment", "tiny.toml", "--build", "b", "--site", "s", cwd=tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "weights-in-motion serve --experiment tiny.toml --build b --site s" in said.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.toml", "b", "s"}
    assert files_below(package) == before
    assert (tmp_path / "s" / "index.html").is_file()
    assert (tmp_path / "s" / "assets" / "player" / "weight-player.js").is_file()
    assert (tmp_path / "s" / "receipt.json").is_file()
