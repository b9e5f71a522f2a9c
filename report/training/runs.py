"""All the training runs of an experiment: which there are, which are still missing, and how they come about."""

import functools
import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from report import files
from report.config import Experiment
from report.cores import cores
from report.errors import ConfigError, ReportError, is_checkout
from report.products import Progress, digest
from report.recording import schema, seal
from report.training import data, execute, jobs, named
from report.training.jobs import Run
from report.workers.cluster import Cluster
from report.workers.local import Processes
from report.workspace import Workspace


def planned(experiment: Experiment) -> tuple[Run, ...]:
    """Return all training runs of the study: the main one first, then the longest: none ends long after the rest.

    A control stops after `study.batches`. Other seeds of the main optimizer are trained to the end, because their
    accuracy then is asked for, but recorded no longer than the controls.
    """
    settings = experiment.training
    every = [Run(experiment.main_run, experiment, settings.batches, "main", experiment.animation.frames)]
    for optimizer in experiment.optimizers:
        is_main = optimizer == experiment.optimizer
        batches = settings.batches if is_main else experiment.study.batches
        for seed in experiment.seeds:
            name = experiment.run_name(optimizer, seed)
            if name != experiment.main_run:
                training = settings.model_copy(update={"seed": seed, "batches": batches, "validations": 1})
                alone = experiment.model_copy(update={"optimizer": optimizer, "training": training})
                every.append(Run(name, alone, experiment.study.batches, "main" if is_main else "control"))
    return tuple(every)


def keys(workspace: Workspace, experiment: Experiment) -> dict[str, str | None]:
    """Return the key of every run of the study by its name; None while the data are not settled.

    A key is of everything that decides a training run's bits; torch's version is its last part. The tables of the
    experiment file that decide them are listed here: one that is not named costs no new training. The device counts as
    it is named there: "auto" is the same on a machine with a GPU and on one without.
    """
    choice, network, wanted = data.choose(workspace, experiment), experiment.network, planned(experiment)
    if choice is None:
        return {run.name: None for run in wanted}
    recipe, identity = jobs.recipe(), data.identity(choice)
    settings = experiment.model_dump(mode="json", include={"network", "recording"})
    own = named.digest(network.kind, "network.kind") if network.is_own else ""

    def key(run: Run) -> str:
        decided = digest(
            schema.VERSION,
            settings | run.experiment.model_dump(mode="json", include={"training", "optimizer"}),
            experiment.data.validation_fraction,
            run.recorded,
            run.role,
            run.first,
            identity,
            own,
            choice.reason if run.first else "",  # only the pages say it, and they take it from the main run
            recipe["code"],
            recipe["numpy"],
        )
        return f"{decided}:{recipe['torch']}"

    return {run.name: key(run) for run in wanted}


def _is_same(found: Any, wanted: str | None) -> bool:
    """Tell whether a key is the one that is wanted; where torch is not installed, its version does not count."""
    return wanted is not None and (found == wanted or (wanted.endswith(":") and str(found).startswith(wanted)))


def recordings(workspace: Workspace, experiment: Experiment) -> list[Path]:
    """Return the folders of the runs that are on disk, made from this very experiment.

    The main run comes first, then label by label in the experiment's order, each by its seed.
    """
    wanted = keys(workspace, experiment)
    return [workspace.run(name) for name, key in wanted.items() if _is_complete(workspace, name, key)]


def broken(workspace: Workspace, experiment: Experiment, content: Callable[[Path], str]) -> list[Path]:
    """Return the files of complete runs that do not hold what was recorded; `content` returns a file's checksum."""
    return [path for folder in recordings(workspace, experiment) for path in seal.broken(folder, content)]


def is_complete(workspace: Workspace, experiment: Experiment, *, giving_up: bool = True) -> bool:
    """Tell whether every run of the study is on disk.

    Args:
        workspace: where to look.
        experiment: what is wanted.
        giving_up: let a run pass whose worker died again and again; otherwise only one that diverged, because that
            would do so each time.
    """
    wanted = keys(workspace, experiment)
    done = [name for name, key in wanted.items() if _is_complete(workspace, name, key)]
    given_up = [record["run"] for record in _failed(workspace, wanted, certain=not giving_up)]
    return experiment.main_run in done and set(wanted) == {*done, *given_up}


def missing(workspace: Workspace) -> list[dict[str, Any]]:
    """Return what `study.json` says of runs that failed: `run`, `reason`, `key`, `certain` (to fail each time)."""
    records: list[dict[str, Any]] = files.read_json(workspace.study, "missing", default={"missing": []})["missing"]
    return records


def train(
    workspace: Workspace,
    experiment: Experiment,
    experiment_file: Path,
    say: Callable[[str], None],
    progress: Progress,
    *,
    only: Collection[str] | None = None,
    processes: int | None = None,
    dask: str | None = None,
) -> None:
    """Train what is missing.

    Args:
        workspace: the runs go to `build/runs`, and a word on those that failed to `build/study.json`.
        experiment: what is to be trained.
        experiment_file: named in messages.
        say: told of downloads and fall-backs, a line each.
        progress: told (batches done, batches in all, of what).
        only: names of the runs to train; None for all.
        processes: of this machine that train; None for one a core.
        dask: address of a Dask scheduler whose workers train instead.

    Raises:
        ConfigError: for an optimizer or keyword that torch does not have; before anything is written.
        ReportError: when data cannot be had, the disk refuses, or the main training run fails.
    """
    wanted = planned(experiment)
    failed: list[dict[str, Any]] = []
    todo = _todo(workspace, experiment, only)
    if todo and not jobs.recipe()["torch"]:
        hint = 'Run "make report", which installs it.' if is_checkout() else "Install it with: pip install torch"
        raise ReportError(f"torch is not installed. {hint}")
    if todo:
        tables = _tables(experiment_file, experiment)
        count = min(processes or max(1, cores() // experiment.training.threads), len(todo))
        try:
            with Cluster(dask, len(todo)) if dask else Processes(count, len(todo), jobs.count_in) as executor:
                # In the workers, because torch takes seconds to import and because theirs is the device that counts.
                execute.check(executor, [(tables[run.experiment.optimizer.label], run.experiment) for run in wanted])
                choice = _settled(workspace, experiment, experiment_file, say)
                todo = _todo(workspace, experiment, only)
                if todo:
                    by_name = keys(workspace, experiment)
                    keyed = [(run, str(by_name[run.name])) for run in todo]
                    known = _trained_on(recordings(workspace, experiment))
                    failed = execute.execute(keyed, executor, workspace, choice, progress, experiment_file, known)
        finally:
            for run in todo:
                shutil.rmtree(workspace.run(f".{run.name}.partial"), ignore_errors=True)
    failed += _failed(workspace, keys(workspace, experiment), certain=True)
    files.write_json(workspace.study, {"missing": sorted(failed, key=lambda record: str(record["run"]))})
    _remove_others(workspace, keep={run.name for run in wanted})


def _trained_on(trained: Sequence[Path]) -> str | None:
    """Return the device that runs were trained on; None where there are none."""
    about = files.read_json(trained[0] / "run.json", "about")["about"] if trained else None
    return None if about is None else str(about["training"]["device"])


def _failed(workspace: Workspace, wanted: Mapping[str, str | None], *, certain: bool) -> list[dict[str, Any]]:
    """Return the records of runs that failed just as they are wanted now; with `certain` those that always would."""
    return [
        record
        for record in missing(workspace)
        if _is_same(record["key"], wanted.get(record["run"])) and (record["certain"] or not certain)
    ]


def _todo(workspace: Workspace, experiment: Experiment, only: Collection[str] | None) -> list[Run]:
    """Return the runs that are worth a try and not on disk; all of them while the data are not settled."""
    wanted = keys(workspace, experiment)
    hopeless = {record["run"] for record in _failed(workspace, wanted, certain=True)}
    return [
        run
        for run in planned(experiment)
        if run.name not in hopeless
        and (only is None or run.name in only)
        and not _is_complete(workspace, run.name, wanted[run.name])
    ]


def _settled(
    workspace: Workspace, experiment: Experiment, experiment_file: Path, say: Callable[[str], None]
) -> data.Choice:
    """Bring the data within reach; a mistake in a function of somebody's own is one of the experiment file's.

    Raises:
        ConfigError: one line that names file and key.
        ReportError: when the data cannot be had.
    """
    try:
        return data.settle(workspace, experiment, say)
    except ConfigError as error:
        raise ConfigError(f"{experiment_file}: {error}") from error


def _tables(file: Path, experiment: Experiment) -> dict[str, str]:
    """Return the file and table that describe each optimizer, by its label."""
    return {optimizer.label: f"{file}: {table}" for table, optimizer in reversed(experiment.tables)}


def _is_complete(workspace: Workspace, name: str, key: str | None) -> bool:
    """Tell whether a folder holds the recording that is wanted, with all its files; what it is called says nothing."""
    folder = workspace.run(name)
    try:
        looks = (folder / "run.json").stat()
        found = _described(folder / "run.json", (looks.st_ino, looks.st_size, looks.st_mtime_ns, looks.st_ctime_ns))
        wanted = {*schema.filenames(found), *seal.names(folder), *seal.UNSEALED}
    except (OSError, ReportError):
        return False  # none, or a damaged one
    return found.ended == "complete" and _is_same(found.about.get("key"), key) and wanted <= {*os.listdir(folder)}


@functools.cache
def _described(path: Path, looks: tuple[int, ...]) -> schema.Description:
    """Return what a recording says of itself; a command asks thirty of them twenty times, and reads each once.

    Args:
        path: of its `run.json`.
        looks: what tells a file that was changed or replaced: where they differ, it is read again.
    """
    del looks
    return schema.parse(files.read_json(path), path.parent.name)


def _remove_others(workspace: Workspace, keep: set[str]) -> None:
    """Remove runs that are in the study no more, and what interrupted ones left.

    Called when all that is wanted is there. Diverged runs stay for their author, and so does what was not trained here.
    """
    for folder in sorted(workspace.runs.iterdir()):
        is_run = (folder / seal.NAME).is_file() or (folder.name.startswith(".") and folder.suffix == ".partial")
        if is_run and folder.suffix != ".diverged" and folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)
