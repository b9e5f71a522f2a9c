"""What a worker does, wherever it is: check descriptions of training runs, and train one run."""

import functools
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.config import Experiment
from report.errors import ConfigError, ReportError
from report.products import CODE, digest
from report.recording.schema import Role
from report.training import data
from report.training.images import Images
from report.workers.local import differing
from report.workspace import Workspace


@functools.cache
def recipe() -> dict[str, str]:
    """Return what, beside the settings, decides the bits of a run: the code and the libraries; "" for no torch."""
    # What reads a recording, or is no part of a loop, must not cost a new training.
    rooms = ("report.training.", "report.recording.")
    readers = ("report.recording.reader", "report.recording.study")
    meanings = CODE.meanings("report.training.loop", "report.training.sets")
    code = {name: each for name, each in meanings.items() if name.startswith(rooms) and name not in readers}
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = ""
    return {"code": digest(code), "numpy": version("numpy"), "torch": torch}


class ForeignWorkerError(ReportError):
    """Report a worker with other code or libraries: what it made would have other bits."""


@dataclass(frozen=True)
class Run:
    """Describe one training run of the study.

    Args:
        name: of its folder below `build/runs`.
        experiment: describes this run alone.
        recorded: for how many batches weights and gradients are kept.
        role: "main" for every seed of the main optimizer.
        first: for how many batches every layer is kept whole; 0 but for the main run.
    """

    name: str
    experiment: Experiment
    recorded: int
    role: Role
    first: int = 0

    def on(self, device: str) -> "Run":
        """Return the same run, trained on a device."""
        training = self.experiment.training.model_copy(update={"device": device})
        return replace(self, experiment=self.experiment.model_copy(update={"training": training}))


@dataclass(frozen=True)
class Job:
    """Say what a worker is to train, and where the result goes.

    Args:
        run: to train.
        key: of everything that decides its bits, kept in `run.json`.
        slot: place of this job's count of batches in the workers' shared array.
        recipe: what the worker must compute with.
        choice: of the data.
        workspace: where to write the run and read the data; None when the worker shares no disk with us.
    """

    run: Run
    key: str
    slot: int
    recipe: Mapping[str, str]
    choice: data.Choice
    workspace: Workspace | None


@dataclass(frozen=True)
class Outcome:
    """Say how a job ended: well, or with an error that a repetition would not change.

    Args:
        error: what went wrong, if something did.
        files: (bytes,) uint8 of each file that the run wrote, by its path below `build/runs`; empty when it lies there.
    """

    error: ReportError | None = None
    files: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)


def check(runs: Sequence[tuple[str, Experiment]]) -> ConfigError | None:
    """Return what torch, or this machine, does not allow in descriptions of training runs (in a worker).

    Args:
        runs: the file and table that names each run's optimizer, and the run's description.
    """
    from report.training import devices, optimizers

    try:
        for where, experiment in runs:
            devices.allowed(experiment)
            optimizers.check(where, experiment.optimizer)
    except ConfigError as error:
        return error
    return None


def check_network(
    experiment: Experiment, place: Workspace | None, choice: data.Choice, known: str | None, *shared: Images
) -> tuple[str, str]:
    """Return what of the network, or of a batch, does not fit the data, or which device to train on (in a worker).

    Args:
        experiment: of the main run.
        place: where to read the data; None where they are shared.
        choice: of the data.
        known: the device that other runs of the study were trained on.
        shared: the images, where they are.

    Returns:
        A line, or nothing where all fits; the device.
    """
    from report.training import devices, fitting, loop

    images = shared[0] if place is None else _images(place, choice)
    try:
        fitting.check(experiment, images)
    except ConfigError as error:
        return str(error), ""
    if known in [str(device) for device in devices.allowed(experiment)]:
        return "", str(known)
    return "", str(loop.fastest(experiment, images))


def prepare() -> None:
    """Load what training needs, while another worker checks."""
    from report.training import loop  # noqa: F401


def work(job: Job, images: Images | None = None) -> Outcome:
    """Train one run (in a worker).

    Args:
        job: what to train.
        images: to learn from; None to read them from the job's workspace, once a process.
    """
    if (found := recipe()) != job.recipe:
        told = differing(found, job.recipe)
        return Outcome(ForeignWorkerError(f"The worker would compute something else: it has {told}."))
    if job.workspace is not None:
        return Outcome(_train(job, images or _images(job.workspace, job.choice), job.workspace.runs))
    assert images is not None
    with tempfile.TemporaryDirectory() as folder:
        error = _train(job, images, Path(folder))
        paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        # Arrays rather than bytes: Dask sends them as they lie in memory.
        return Outcome(error, {path.relative_to(folder).as_posix(): np.fromfile(path, np.uint8) for path in paths})


def unpack(outcome: Outcome, runs: Path) -> None:
    """Write the files that a worker sent home below `runs`, a run's folder whole or not at all."""
    for name in sorted({path.split("/")[0] for path in outcome.files}):
        partial = runs / f".{name}.partial"
        with files.person_readable(partial):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for path, content in outcome.files.items():
                if path.startswith(f"{name}/"):
                    (partial / path.removeprefix(f"{name}/")).write_bytes(content.data)
            shutil.rmtree(runs / name, ignore_errors=True)
            files.patiently(functools.partial(partial.rename, runs / name))


def _train(job: Job, images: Images, runs: Path) -> ReportError | None:
    import torch

    from report.training import loop

    run = job.run
    # Both for good, not just for this run: in a worker with several threads another run may be under way.
    torch.set_num_threads(run.experiment.training.threads)
    logging.getLogger("report").setLevel(logging.ERROR)  # a recording that stops ends this loop, which says so itself
    try:
        loop.run(
            run.experiment,
            images,
            runs / run.name,
            job.key,
            role=run.role,
            first=run.first,
            recorded=run.recorded,
            progress=functools.partial(_count, job.slot),
        )
    except ReportError as error:
        return error
    return None


@functools.lru_cache(maxsize=1)
def _images(workspace: Workspace, choice: data.Choice) -> Images:
    return data.read(workspace, choice)


_counts: Any = None  # of batches done, one for each job; shared by the processes of this machine


def count_in(counts: Any) -> None:
    """Let the jobs of this process say in `counts` how many batches they have done."""
    global _counts
    _counts = counts


def _count(slot: int, done: int, total: int) -> None:
    if _counts is not None:
        _counts[slot] = done
