"""Which studies can carry the article, asked of their recordings before anything is measured."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Build

from report.analysis import carries
from report.recording.reader import Recording
from report.recording.study import Study

MAIN, PLAIN, SGD = "Adam, β1 = 0.9", "Adam, β1 = 0", "SGD with momentum 0.9"


def of(build: Build, *labels: str, seeds: int = 3) -> Study:
    """Return the recordings of the tiny study that have these labels, so many of each."""
    study = build.study
    return Study([each for label in labels for each in study.of(label)[:seeds]])


def test_the_tiny_study_carries_it(tiny_build: Build) -> None:
    """And so do its main optimizer and the control without momentum alone, each with three seeds."""
    assert {*tiny_build.study.labels} == {MAIN, PLAIN, SGD}
    assert carries.lacking(tiny_build.study) == ()
    assert carries.lacking(of(tiny_build, MAIN, PLAIN)) == ()


@pytest.mark.parametrize(
    ("labels", "seeds", "lacks"),
    [
        ((MAIN,), 3, ("control", "pair")),
        ((MAIN, SGD), 3, ("control", "pair")),
        ((PLAIN, SGD), 3, ("momentum", "control", "pair")),
        ((MAIN, PLAIN), 2, ("seeds",)),
        ((MAIN, PLAIN), 1, ("seeds", "control", "pair")),
    ],
)
def test_what_is_compared_has_to_be_there(
    tiny_build: Build, labels: Sequence[str], seeds: int, lacks: Sequence[str]
) -> None:
    """Momentum, a control without, strong momentum beside none of the same optimizer, and three seeds."""
    assert carries.lacking(of(tiny_build, *labels, seeds=seeds)) == lacks


def other_data(folder: Path) -> None:
    """Say that the images are others."""
    _describe(folder, lambda run: run["about"]["data"].update(source="other"))


def other_network(folder: Path) -> None:
    """Say that the network is another kind."""
    _describe(folder, lambda run: run["about"]["network"].update(kind="cnn"))


def nothing_known(folder: Path) -> None:
    """Say nothing at all, as a recording of anyone's own does."""
    _describe(folder, lambda run: run.update(about={}))


def nothing_whole(folder: Path) -> None:
    """Say that of every layer only a sample is kept, of which one weight is missing."""

    def change(run: dict[str, Any]) -> None:
        for each in run["tensors"]:
            each["kept"] = "sample"

    _describe(folder, change)


def fewer_steps(folder: Path) -> None:
    """Let the recording end one step too early."""
    path = folder / "progress.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**told, "steps": carries.BATCHES - 1}), encoding="utf-8")


def dead(folder: Path) -> None:
    """Stop every weight after the start."""
    for path in folder.glob("weights-*.npy"):
        weights = np.load(path, mmap_mode="r+")
        weights[101:] = weights[100]


def _describe(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    change(run)
    path.write_text(json.dumps(run), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        (other_data, ("data",)),
        (other_network, ("network",)),
        (nothing_known, ("data", "network")),
        (nothing_whole, ("drawn",)),
        (fewer_steps, ("batches",)),
        (dead, ("moves",)),
    ],
)
def test_what_was_run_has_to_be_the_articles(
    tiny_build: Build, tmp_path: Path, change: Callable[[Path], None], lacks: Sequence[str]
) -> None:
    """Its images, its kind of network, layers to draw, steps after the start, and weights that move then."""
    folders = []
    for each in of(tiny_build, MAIN, PLAIN).recordings:
        folders.append(shutil.copytree(each.path, tmp_path / each.name))
        change(folders[-1])
    assert carries.lacking(Study([Recording.open(each) for each in folders])) == lacks
