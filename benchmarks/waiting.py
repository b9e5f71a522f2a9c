"""What an author waits for: a small site from nothing, and again when nothing, a template or a figure has changed."""

import shutil
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.material import Material
from benchmarks.measure import ROOT, Line, mebibytes, watch

SOURCES = (
    "report",
    "templates",
    "site_src",
    "mkdocs.yml",
    "pyproject.toml",
    "experiment.toml",
    "CITATION.cff",
    "LICENSE",
)
NOTHING, TEMPLATE, FIGURE = 0.7, 1.2, 3.0  # seconds


def compare(material: Material) -> Iterator[Line]:
    """Change a copy of the sources and build again, each change several times: every build has something new."""
    root = material.folder / "checkout"
    root.mkdir(parents=True)
    for name in SOURCES:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / name)
    small = material.file if material.quick else ROOT / "preview.toml"
    command = ["-m", "report", "all", "--experiment", str(small.absolute()), "--build", "build", "--site", "site"]
    first = watch([command], folder=root)
    yield Line("a small site from nothing", first.seconds, unit="s", detail=f"{mebibytes(first.memory)} at most")
    bare = statistics.median(watch([["-c", "pass"]]).seconds for _ in range(material.rounds))
    changes: tuple[tuple[str, float, Callable[[Path, int], None]], ...] = (
        ("nothing has changed", NOTHING, lambda root, turn: None),
        ("a template has changed", TEMPLATE, change_template),
        ("a figure has changed", FIGURE, change_figure),
    )
    for what, bound, change in changes:
        seconds = []
        for turn in range(material.rounds):
            change(root, turn)
            seconds.append(watch([command], folder=root).seconds)
        detail = f"{min(seconds):.2f} to {max(seconds):.2f} s; a bare Python takes {bare:.2f} s"
        yield Line(f"the same when {what}", statistics.median(seconds), bound, unit="s", detail=detail)


def change_template(root: Path, turn: int) -> None:
    """Write another sentence onto a page."""
    _add(root / "templates" / "en" / "method.md.j2", f"\nSentence {turn}.\n")


def change_figure(root: Path, turn: int) -> None:
    """Let a figure's code mean something else."""
    _add(root / "report" / "drawing" / "figures" / "loss.py", f"\nCHANGED_{turn} = {turn}\n")


def _add(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
