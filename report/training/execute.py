"""How training runs come about: checked by a worker, trained side by side, again when a worker dies."""

import functools
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from pathlib import Path
from typing import Any

from report.config import Experiment
from report.errors import ConfigError, ReportError, TrainingDivergedError
from report.products import Progress
from report.training import data, jobs
from report.training.jobs import Job, Run
from report.workers.local import Workers
from report.workspace import Workspace

ATTEMPTS = 3  # at a run whose worker dies, before it is given up
DEATHS = {  # what to say of a run that is given up after one of these
    "ProcessExpired": "its process died{times}, perhaps for want of memory.",
    "BrokenProcessPool": "processes died{times} before they worked, perhaps for want of memory.",
    "KilledWorker": "every worker that tried it died, perhaps for want of memory.",
    "MemoryError": "it ran out of memory{times}.",
    "OutOfMemoryError": "it ran out of memory{times}.",
}
ALLOCATOR = "DefaultCPUAllocator"  # torch names it in the RuntimeError that says that memory is out
POLL_SECONDS = 0.25  # between two looks at the progress


def check(executor: Workers, checks: Sequence[tuple[str, Experiment]]) -> None:
    """Have every description checked where it will be used, by one worker, before anything is written.

    Raises:
        ConfigError: one line that names file and table.
        ReportError: when workers do not work at all.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            others = [executor.submit(jobs.prepare) for _ in range(executor.width - 1)]
            mistake, *_ = [future.result() for future in (executor.submit(jobs.check, checks), *others)]
            break
        except CancelledError:
            raise ReportError(executor.lost) from None
        except Exception as error:
            if not _death(error) or attempt == ATTEMPTS:
                reason = _death(error) or f"{type(error).__name__}: {' '.join(str(error).split())}"
                raise ReportError(f"No worker process can start: {reason}") from error
    if mistake is not None:
        raise mistake


def _device(network: Future[tuple[str, str]], executor: Workers, experiment_file: Path) -> str:
    """Wait for what a worker says of network and data together; raise what does not fit, or return the device."""
    try:
        misfit, device = network.result()
    except CancelledError:
        raise ReportError(executor.lost) from None
    except Exception as error:
        if reason := _death(error, ""):  # it is tried but once
            raise ReportError(f"Trying out the network: {reason}") from None
        raise
    if misfit:
        raise ConfigError(f"{experiment_file}: {misfit}")
    return device


def execute(
    todo: Sequence[tuple[Run, str]],
    executor: Workers,
    workspace: Workspace,
    choice: data.Choice,
    progress: Progress,
    experiment_file: Path,
    known: str | None,
) -> list[dict[str, Any]]:
    """Let `executor` train runs, each with its key, in that order; repeat those whose worker dies.

    On this machine all are trained on one device: that of the runs that there are (`known`), or the fastest.

    Returns:
        A record of each that failed for good.

    Raises:
        ConfigError: when the network does not fit the data.
        ReportError: when the main run fails, without which nothing else is of use.
    """
    place = workspace if executor.shares_disk else None
    arguments = executor.share(functools.partial(data.read, workspace, choice))
    network = executor.submit(jobs.check_network, todo[0][0].experiment, place, choice, known, *arguments)
    device = _device(network, executor, experiment_file)
    recipe = jobs.recipe()
    wanted = [  # workers elsewhere have devices of their own
        Job(run.on(device) if executor.shares_disk else run, key, slot, recipe, choice, place)
        for slot, (run, key) in enumerate(todo)
    ]
    pending: dict[Future[Any], tuple[Job, int]] = {
        executor.submit(jobs.work, job, *arguments): (job, 1) for job in wanted
    }
    total = sum(job.run.experiment.training.batches for job in wanted)
    what = f"batches of {len(wanted)} training run{'s' * (len(wanted) > 1)}"
    failed = []
    while pending:
        finished, _ = wait(pending, POLL_SECONDS, FIRST_COMPLETED)
        for future in finished:
            job, attempt = pending.pop(future)
            error, lasting = _settle(future, executor, workspace)
            if isinstance(error, jobs.ForeignWorkerError) and attempt < ATTEMPTS:
                pending[executor.submit_elsewhere(jobs.recipe, jobs.work, job, *arguments)] = (job, attempt + 1)
            elif error is not None and not lasting and attempt < ATTEMPTS:
                pending[executor.submit(jobs.work, job, *arguments)] = (job, attempt + 1)
            elif error is not None:
                name = job.run.name
                if job.run.first:  # the main run
                    raise _of_main_run(workspace.run(name), error)
                certain = isinstance(error, TrainingDivergedError)
                failed.append({"run": name, "reason": str(error), "key": job.key, "certain": certain})
        executor.check()
        done = executor.counts()
        left = sum(job.run.experiment.training.batches - done[job.slot] for job, _ in pending.values())
        progress(total - left, total, what)
    return failed


def _settle(future: Future[Any], executor: Workers, workspace: Workspace) -> tuple[ReportError | None, bool]:
    """Take in what a worker has done; return what went wrong, if anything, and whether repeating it is of no use.

    A lost worker is worth another try. Any other exception is a bug, and ends the command as one.

    Raises:
        ReportError: when the cluster itself is gone, and every other run with it.
    """
    try:
        outcome: jobs.Outcome = future.result()
    except CancelledError:
        raise ReportError(executor.lost) from None
    except Exception as error:
        if reason := _death(error):
            return ReportError(reason), False
        raise
    jobs.unpack(outcome, workspace.runs)
    return outcome.error, True


def _death(error: Exception, times: str = f" {ATTEMPTS} times") -> str:
    """Return what to say of a run that is given up after `error`; nothing where that is a bug."""
    return DEATHS.get("MemoryError" if ALLOCATOR in str(error) else type(error).__name__, "").format(times=times)


def _of_main_run(folder: Path, error: ReportError) -> ReportError:
    """Return the line with which the command ends when the main training run, which belongs in `folder`, fails."""
    if isinstance(error, TrainingDivergedError):
        return TrainingDivergedError(
            f"Training run {folder.name} {error} Lower the learning rate in the experiment file. "
            f"What was recorded is kept in {folder}.diverged."
        )
    return error if isinstance(error, ConfigError) else ReportError(f"Training run {folder.name}: {error}")
