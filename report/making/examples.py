"""The programs in examples/: each is run and its recording shown; the article's site then takes the reports in.

Recordings lie in `build/examples/runs`, reports in `build/examples/<name>/site`, and what the gallery says of them in
`build/examples/gallery.json` (report/site/gallery.py). Only what is stale is made again.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from report import files
from report.console import Console
from report.errors import ReportError, command
from report.making.alone import alone
from report.making.maker import Maker
from report.making.own import OwnReport
from report.making.stages import Article
from report.products import CODE, Product
from report.site import gallery
from report.site.settings import Settings
from report.workers import following
from report.workspace import Workspace

BEFORE, AFTER = ("train", "analyse", "draw"), ("facts", "pages", "site")  # stages of the article
# Beside the recorder, what decides what a program comes to.
LIBRARIES = ("torch", "numpy", "scikit-learn")


def make(article: Article) -> None:
    """Run the programs and make the reports, as far as they are stale; the article's site takes them in if it is there.

    Args:
        article: whose settings the reports share; their addresses are below its own.

    Raises:
        ReportError: when there are no programs, or one of them fails.
    """
    workspace, console = article.workspace, article.console
    programs = sorted((workspace.root / "examples").glob("*.py"))
    if not programs:
        raise ReportError(f"No examples in {workspace.root}: they come with a checkout of this project.")
    _run(workspace, programs, console)
    reports = {each.stem: _report(workspace, each.stem, article.settings(), console) for each in programs}
    for name, report in reports.items():
        console.say(f"{name}:")
        with alone(report.workspace):
            report.make()
    _remove_strangers(workspace, set(reports))
    gallery.write(workspace, {name: report.settings() for name, report in reports.items()})
    if set(article.stale()) & set(BEFORE):
        console.say(f'The reports lie in {workspace.examples}; "{command()}" takes them into the site.')
    else:
        article.run(AFTER)
        console.say(f"Gallery: {workspace.site / 'examples.html'}")


def _run(workspace: Workspace, programs: Sequence[Path], console: Console) -> None:
    """Run those programs whose recordings are stale, side by side."""
    maker = Maker(workspace.examples / "ledger.json", CODE)
    products = [_product(workspace, program) for program in programs]
    if stale := maker.stale(products):
        console.say(f"recording {', '.join(each.name for each in stale)} …")
        with console.progress() as progress:
            maker.make(stale, progress, side_by_side=True)
    maker.checksums.keep()


def _product(workspace: Workspace, program: Path) -> Product:
    """Return the recording of a program as a product."""
    folder = _recording(workspace, program.stem)
    return Product(
        name=program.stem,
        modules=("report.recording.recorder",),
        inputs=lambda: [program],
        outputs=lambda: [folder / "run.json", *files.below(folder)],
        work=functools.partial(run, program, folder, workspace.package.parent),
        libraries=LIBRARIES,
    )


def run(program: Path, folder: Path, sources: Path) -> None:
    """Run a program, which records into `folder`, and ends when this process does.

    Args:
        program: takes the folder as its argument.
        folder: is replaced.
        sources: where the program finds this package.

    Raises:
        ReportError: when it fails.
    """
    with files.person_readable(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
    # One thread: as many as there are cores would give other sums on another machine, and slow each other down.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(sources)}
    done = subprocess.run(
        [sys.executable, following.__file__, str(os.getpid()), str(program), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it says nothing").splitlines()[-1]
        raise ReportError(f"{program} failed: {last}")


def _report(workspace: Workspace, name: str, settings: Settings, console: Console) -> OwnReport:
    """Return what makes the report of an example, in all languages of the article."""
    place = gallery.workspace_of(workspace, name)
    address = f"{settings.base}{gallery.FOLDER}/{name}/" if settings.url else ""
    own = Settings(f"examples/{name}.py", address, settings.repository, settings.languages)
    return OwnReport(place, [_recording(workspace, name)], own, console)


def _recording(workspace: Workspace, name: str) -> Path:
    return workspace.examples / "runs" / name


def _remove_strangers(workspace: Workspace, names: set[str]) -> None:
    """Remove what is left of examples that are there no more."""
    for folder in (workspace.examples, workspace.examples / "runs"):
        for path in folder.iterdir():
            if path.is_dir() and path.name not in names | {"runs"}:
                shutil.rmtree(path)
