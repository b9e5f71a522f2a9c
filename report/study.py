"""All the training runs of an experiment: which there are, which are still missing, and how each is made."""

import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from report import data, optimizers
from report import workspace as files
from report.config import Experiment
from report.freshness import code_digest, digest
from report.recording import FORMAT
from report.workspace import Workspace

Progress = Callable[[int, int, str], None]
CODE = ("data.py", "model.py", "optimizers.py", "recording.py", "train.py")  # what decides the bits of a run


def run_key(workspace: Workspace, experiment: Experiment, clip_batches: int) -> str | None:
    """Return the key of everything that decides a training run's bits; None while the data are not settled."""
    source, reason = data.choose(workspace, experiment)
    if source is None:
        return None
    settings = experiment.model_dump(mode="json", include={"network", "training", "optimizer", "recording"})
    return digest(
        FORMAT,
        settings,
        experiment.data.validation_fraction,
        clip_batches,
        data.identity(source),
        reason,
        [version("torch"), version("numpy")],
        code_digest(*(workspace.package / name for name in CODE)),
    )


def is_complete(workspace: Workspace, experiment: Experiment) -> bool:
    """Tell whether the main training run is on disk, made from this very experiment."""
    path = workspace.run(experiment.main_run) / "run.json"
    if not path.is_file():
        return False
    key = run_key(workspace, experiment, experiment.animation.frames)
    return key is not None and files.read_json(path).get("key") == key


def train(
    workspace: Workspace, experiment: Experiment, experiment_file: Path, say: Callable[[str], None], progress: Progress
) -> None:
    """Train what is missing.

    Args:
        workspace: the runs go to `build/runs`.
        experiment: what is to be trained.
        experiment_file: named in messages.
        say: told of downloads and fall-backs, a line each.
        progress: told (batches done, batches in all, name of the run).

    Raises:
        ConfigError: for an optimizer or keyword that torch does not have; before anything is written.
        ReportError: when data cannot be had, the disk refuses, or training diverges.
    """
    optimizers.check(f"{experiment_file}: optimizer", experiment.optimizer)
    if is_complete(workspace, experiment):
        return
    from report import train as loop  # torch takes seconds to import: only where it is needed

    loop.check(experiment)
    digits = data.load(workspace, experiment, say)
    name, frames = experiment.main_run, experiment.animation.frames
    key = run_key(workspace, experiment, frames)
    assert key is not None  # loading has settled it
    loop.run(
        experiment,
        digits,
        workspace.run(name),
        key,
        clip_batches=frames,
        progress=lambda done, total: progress(done, total, name),
    )
    _remove_others(workspace, keep=name)


def _remove_others(workspace: Workspace, keep: str) -> None:
    """Remove runs of earlier experiments, which no later stage reads; diverged ones stay for their author."""
    for folder in sorted(workspace.runs.iterdir()):
        if folder.name != keep and not folder.name.endswith(".diverged"):
            shutil.rmtree(folder, ignore_errors=True)
