"""All the training runs of an experiment: which there are, which are still missing, and how they come about."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report import files
from report.config import Experiment
from report.errors import ConfigError, ReportError, TrainingDivergedError
from report.freshness import digest
from report.recording import FORMAT
from report.training import data, optimizers, workers
from report.workspace import Workspace

Progress = Callable[[int, int, str], None]
ATTEMPTS = 3  # at a run whose worker dies, before it is given up
LOST = "The Dask scheduler was lost. Training runs that came home are kept; run the command again to go on."
POLL_SECONDS = 0.25  # between two looks at the progress


@dataclass(frozen=True)
class Run:
    """Describe one training run of the study.

    Args:
        name: of its folder below `build/runs`.
        experiment: describes this run alone.
        recorded: for how many batches weights and gradients are kept.
        clip_batches: for how many batches sampled layers are kept whole; 0 but for the main run.
    """

    name: str
    experiment: Experiment
    recorded: int
    clip_batches: int = 0


def runs(experiment: Experiment) -> tuple[Run, ...]:
    """Return all training runs of the study: the main one first, then the longest: none ends long after the rest.

    A control stops after `study.batches`. Other seeds of the main optimizer are trained to the end, because their
    accuracy then is asked for, but recorded no longer than the controls.
    """
    settings = experiment.training
    every = [Run(experiment.main_run, experiment, settings.batches, experiment.animation.frames)]
    for optimizer in experiment.optimizers:
        for seed in experiment.seeds:
            name = experiment.run_name(optimizer, seed)
            if name != experiment.main_run:
                batches = settings.batches if optimizer == experiment.optimizer else experiment.study.batches
                training = settings.model_copy(update={"seed": seed, "batches": batches, "validations": 1})
                alone = experiment.model_copy(update={"optimizer": optimizer, "training": training})
                every.append(Run(name, alone, experiment.study.batches))
    return tuple(every)


def run_key(workspace: Workspace, run: Run) -> str | None:
    """Return the key of everything that decides a training run's bits; None while the data are not settled."""
    source, reason = data.choose(workspace, run.experiment)
    if source is None:
        return None
    settings = run.experiment.model_dump(mode="json", include={"network", "training", "optimizer", "recording"})
    return digest(
        FORMAT,
        settings,
        run.experiment.data.validation_fraction,
        run.recorded,
        run.clip_batches,
        data.identity(source),
        reason if run.clip_batches else "",  # only the main run's `run.json` tells it
        workers.recipe(),
    )


def keys(workspace: Workspace, experiment: Experiment) -> dict[str, str | None]:
    """Return the key of every run of the study by its name."""
    return {run.name: run_key(workspace, run) for run in runs(experiment)}


def complete(workspace: Workspace, experiment: Experiment) -> list[str]:
    """Return the names of the runs that are on disk, made from this very experiment; the main one first."""
    return [name for name, key in keys(workspace, experiment).items() if _is_complete(workspace, name, key)]


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
    given_up = [
        record["run"]
        for record in missing(workspace)
        if record["key"] == wanted.get(record["run"]) and (giving_up or record["certain"])
    ]
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
        processes: of this machine that train; None for one a core.
        dask: address of a Dask scheduler whose workers train instead.

    Raises:
        ConfigError: for an optimizer or keyword that torch does not have; before anything is written.
        ReportError: when data cannot be had, the disk refuses, or the main training run fails.
    """
    tables = _tables(experiment_file, experiment)
    for where, optimizer in zip(tables.values(), experiment.optimizers, strict=True):
        optimizers.check(where, optimizer)
    wanted = runs(experiment)
    failed: list[dict[str, Any]] = []
    todo = _todo(workspace, experiment)
    if todo:
        count = min(processes or workers.cores(experiment), len(todo))
        try:
            with workers.Cluster(dask, len(todo)) if dask else workers.Processes(count, len(todo)) as executor:
                # In the workers, because torch takes seconds to import and because theirs is the device that counts.
                _check(executor, [(tables[run.experiment.optimizer.slug], run.experiment) for run in wanted])
                source = data.settle(workspace, experiment, say)
                todo = _todo(workspace, experiment)
                failed = _execute(_jobs(todo, workspace, source, executor), executor, workspace, source, progress)
        finally:
            for run in todo:
                shutil.rmtree(workspace.run(f".{run.name}.partial"), ignore_errors=True)
    failures = sorted([*_hopeless(workspace, experiment), *failed], key=lambda record: str(record["run"]))
    files.write_json(workspace.study, {"missing": failures})
    _remove_others(workspace, keep={run.name for run in wanted})


def _hopeless(workspace: Workspace, experiment: Experiment) -> list[dict[str, Any]]:
    """Return the records of runs that would fail again, as they did: nothing that they depend on has changed."""
    wanted = keys(workspace, experiment)
    return [record for record in missing(workspace) if record["certain"] and record["key"] == wanted.get(record["run"])]


def _todo(workspace: Workspace, experiment: Experiment) -> list[Run]:
    """Return the runs that are worth a try and not on disk; all of them while the data are not settled."""
    hopeless = {record["run"] for record in _hopeless(workspace, experiment)}
    return [
        run
        for run in runs(experiment)
        if run.name not in hopeless and not _is_complete(workspace, run.name, run_key(workspace, run))
    ]


def _check(executor: workers.Workers, checks: Sequence[tuple[str, Experiment]]) -> None:
    """Have every description checked where it will be used, before anything is written.

    Raises:
        ConfigError: one line that names file and table.
        ReportError: when workers do not work at all.
    """
    try:
        found = [future.result() for future in [executor.submit(workers.check, checks) for _ in range(executor.width)]]
    except CancelledError:
        raise ReportError(LOST) from None
    except Exception as error:
        raise ReportError(f"No worker process can start: {type(error).__name__}: {_one_line(error)}") from error
    for mistake in found:
        if mistake is not None:
            raise mistake


def _jobs(
    todo: Sequence[Run], workspace: Workspace, source: tuple[data.Source, str], executor: workers.Workers
) -> list[workers.Job]:
    """Return what the workers are to do, in that order."""
    return [
        workers.Job(
            name=run.name,
            experiment=run.experiment,
            key=str(run_key(workspace, run)),
            recorded=run.recorded,
            clip_batches=run.clip_batches,
            slot=slot,
            recipe=workers.recipe(),
            source=source,
            workspace=workspace if executor.shares_disk else None,
        )
        for slot, run in enumerate(todo)
    ]


def _execute(
    jobs: Sequence[workers.Job],
    executor: workers.Workers,
    workspace: Workspace,
    source: tuple[data.Source, str],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Let `executor` do `jobs`; repeat those whose worker dies; return a record of each that failed for good.

    Raises:
        ReportError: when the main run fails, without which nothing else is of use.
    """
    arguments = executor.share(workspace, source)
    pending: dict[Future[Any], tuple[workers.Job, int]] = {
        executor.submit(workers.work, job, *arguments): (job, 1) for job in jobs
    }
    total = sum(job.experiment.training.batches for job in jobs)
    what = f"batches of {len(jobs)} training run{'s' * (len(jobs) > 1)}"
    failed = []
    while pending:
        finished, _ = wait(pending, POLL_SECONDS, FIRST_COMPLETED)
        for future in finished:
            job, attempt = pending.pop(future)
            error, lasting = _settle(future, workspace)
            if error is not None and not lasting and attempt < ATTEMPTS:
                pending[executor.submit(workers.work, job, *arguments)] = (job, attempt + 1)
            elif error is not None:
                if job.clip_batches:  # the main run
                    raise _of_main_run(workspace.run(job.name), error)
                certain = isinstance(error, TrainingDivergedError)
                failed.append({"run": job.name, "reason": str(error), "key": job.key, "certain": certain})
        known = executor.counts()
        left = sum(job.experiment.training.batches - known[job.slot] for job, _ in pending.values())
        progress(total - left, total, what)
    return failed


def _settle(future: Future[Any], workspace: Workspace) -> tuple[ReportError | None, bool]:
    """Take in what a worker has done; return what went wrong, if anything, and whether repeating it is of no use.

    Raises:
        ReportError: when the cluster itself is gone, and every other run with it.
    """
    try:
        outcome: workers.Outcome = future.result()
    except BrokenProcessPool:
        return ReportError(f"its process died {ATTEMPTS} times, perhaps for want of memory."), False
    except CancelledError:
        raise ReportError(LOST) from None
    except Exception as error:  # whatever befell a worker, the other runs go on
        return ReportError(f"its worker failed {ATTEMPTS} times: {type(error).__name__}: {_one_line(error)}"), False
    workers.unpack(outcome, workspace.runs)
    return outcome.error, True


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _of_main_run(folder: Path, error: ReportError) -> ReportError:
    """Return the line with which the command ends when the main training run, which belongs in `folder`, fails."""
    if isinstance(error, TrainingDivergedError):
        return TrainingDivergedError(
            f"Training run {folder.name} {error} Lower the learning rate in the experiment file. "
            f"What was recorded is kept in {folder}.diverged."
        )
    return error if isinstance(error, ConfigError) else ReportError(f"Training run {folder.name}: {error}")


def _tables(file: Path, experiment: Experiment) -> dict[str, str]:
    """Return the file and table that describe each optimizer, by its slug."""
    tables = {experiment.optimizer.slug: f"{file}: optimizer"}
    for place, optimizer in enumerate(experiment.study.optimizers):
        tables.setdefault(optimizer.slug, f"{file}: study.optimizers.{place}")
    return tables


def _is_complete(workspace: Workspace, name: str, key: str | None) -> bool:
    folder = workspace.run(name)
    found = files.read_json(folder / "run.json", default={}).get("key")
    return key is not None and found == key and (folder / "timings.json").is_file()


def _remove_others(workspace: Workspace, keep: set[str]) -> None:
    """Remove runs that are in the study no more, and what interrupted ones left.

    Called when all that is wanted is there. Diverged runs stay for their author, and so does what is no run.
    """
    for folder in sorted(workspace.runs.iterdir()):
        is_run = (folder / "run.json").is_file() or (folder.name.startswith(".") and folder.suffix == ".partial")
        if is_run and folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)
