"""Where the training runs of a study execute: processes of this machine, or a Dask cluster, behind one interface.

What else takes a core to itself, such as drawing an animation, can use the processes too.

Both are a `concurrent.futures.Executor`. What a worker does is the same in either place, and so are the bits that it
makes; only the way back differs: a process of this machine writes into `build/runs` itself, a worker of a cluster,
which may have no disk in common with it, sends the files home.
"""

import abc
import functools
import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.config import Experiment
from report.errors import ConfigError, ReportError
from report.freshness import code_digest
from report.training import data
from report.workspace import Workspace

CODE = ("data.py", "model.py", "optimizers.py", "recording.py", "train.py")  # what decides the bits of a run
CONNECT_SECONDS = 15  # for a scheduler to answer, and then for its first worker


@functools.cache
def recipe() -> dict[str, str]:
    """Return what, beside the settings, decides the bits of a run: the code and the libraries that compute."""
    here = Path(__file__).parent
    return {"code": code_digest(*(here / name for name in CODE)), "numpy": version("numpy"), "torch": version("torch")}


@dataclass(frozen=True)
class Job:
    """Say what a worker is to train, and where the result goes.

    Args:
        name: of the run.
        experiment: describes this one run.
        key: of everything that decides its bits, kept in `run.json`.
        recorded: for how many batches weights and gradients are kept.
        clip_batches: for how many batches sampled layers are kept whole.
        slot: place of this job's count of batches in the workers' shared array.
        recipe: what the worker must compute with.
        source: the digits' name, and the reason when it is not the one hoped for.
        workspace: where to write the run and read the digits; None when the worker shares no disk with us.
    """

    name: str
    experiment: Experiment
    key: str
    recorded: int
    clip_batches: int
    slot: int
    recipe: Mapping[str, str]
    source: tuple[data.Source, str]
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
    from report.training import loop as train

    try:
        for where, experiment in runs:
            train.check(where, experiment)
    except ConfigError as error:
        return error
    return None


def work(job: Job, digits: data.Digits | None = None) -> Outcome:
    """Train one run (in a worker).

    Args:
        job: what to train.
        digits: the images; None to read them from the job's workspace, once a process.
    """
    if (found := recipe()) != job.recipe:
        differing = ", ".join(f"{name} {found[name][:12]} instead of {job.recipe[name][:12]}" for name in found)
        return Outcome(ReportError(f"The worker would compute something else: it has {differing}."))
    if job.workspace is not None:
        if digits is None:
            digits = _digits(job.workspace, *job.source)
        return Outcome(_train(job, digits, job.workspace.runs))
    assert digits is not None
    with tempfile.TemporaryDirectory() as folder:
        error = _train(job, digits, Path(folder))
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
            partial.rename(runs / name)


def _train(job: Job, digits: data.Digits, runs: Path) -> ReportError | None:
    import torch

    from report.training import loop as train

    # For good, not just for this run: in a worker with several threads another run may be under way.
    torch.set_num_threads(job.experiment.training.threads)
    try:
        train.run(
            job.experiment,
            digits,
            runs / job.name,
            job.key,
            clip_batches=job.clip_batches,
            recorded=job.recorded,
            progress=functools.partial(_count, job.slot),
        )
    except ReportError as error:
        return error
    return None


@functools.lru_cache(maxsize=1)
def _digits(workspace: Workspace, source: data.Source, reason: str) -> data.Digits:
    return data.read(workspace, source, reason)


_counts: Any = None  # of batches done, one for each job; shared by the processes of this machine


def _count(slot: int, done: int, total: int) -> None:
    if _counts is not None:
        _counts[slot] = done


def _start(counts: Any) -> None:
    """Prepare a process of this machine."""
    global _counts
    _counts = counts
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        # However the command ends, by SIGKILL too, its workers end with it and leave only what nobody trusts.
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _hold_interrupts() -> None:
    """Keep Ctrl-C from this thread and the processes that it starts: the main thread answers it for all."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


class Workers(Executor, abc.ABC):
    """Run calls somewhere else. As a context: what is unfinished is waited for, unless an exception ends it."""

    shares_disk: bool  # with this process
    width: int  # how many calls it takes to reach every worker that has to be prepared

    @abc.abstractmethod
    def share(self, workspace: Workspace, source: tuple[data.Source, str]) -> tuple[Any, ...]:
        """Return what `work` needs beside the job to have the digits: sent to a worker once, not with every job."""

    @abc.abstractmethod
    def counts(self) -> Sequence[int]:
        """Return how many batches each unfinished job has done, as far as that is known."""

    @abc.abstractmethod
    def kill(self) -> None:
        """Give up what is unfinished, now."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Wait for what is unfinished, or give it up."""
        if kind is None:
            self.shutdown()
        else:
            self.kill()


class Processes(Workers):
    """Run calls in processes of this machine, of which any may die without harm to the calls in the others.

    The standard ProcessPoolExecutor gives up every call, and does not tell whose process died, when one does. So each
    process is a pool of its own here, watched by a thread, and a pool whose process died is replaced.
    """

    shares_disk = True

    def __init__(self, count: int, jobs: int = 0) -> None:
        """Prepare `count` processes, which start with their first call, for `jobs` jobs that count batches."""
        self.width = count
        self._context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads half
        # Its start lets Ctrl-C through again in the thread that needs it first, and so in that thread's process.
        resource_tracker.ensure_running()
        self._counts = self._context.Array("q", jobs, lock=False)
        self._threads = ThreadPoolExecutor(count, "worker", _hold_interrupts)
        self._of_thread = threading.local()
        self._lock = threading.Lock()
        self._pools: set[ProcessPoolExecutor] = set()
        self._ended = False
        self._strangers = set(multiprocessing.active_children())

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future result of `call`; a BrokenProcessPool there means that its process died."""
        return self._threads.submit(self._run, call, args, kwargs)

    def share(self, workspace: Workspace, source: tuple[data.Source, str]) -> tuple[Any, ...]:
        """Return nothing: the processes read the digits themselves, each when it first needs them."""
        return ()

    def counts(self) -> Sequence[int]:
        """Return how many batches each job has done."""
        return list(self._counts)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the processes end after their last call."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for pool in self._pools:
            pool.shutdown(wait)

    def kill(self) -> None:
        """End the processes now."""
        with self._lock:
            self._ended = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - self._strangers:
            process.kill()
        # Waits for the pools' own threads too: one that still tidied up when Python ends would print a traceback.
        self.shutdown()

    def _run(self, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Hand `call` to this thread's process and wait for it."""
        pool: ProcessPoolExecutor | None = getattr(self._of_thread, "pool", None)
        try:
            with self._lock:
                if self._ended:
                    raise BrokenProcessPool("its process was ended")
                if pool is None:
                    pool = ProcessPoolExecutor(1, self._context, _start, (self._counts,))
                    self._of_thread.pool = pool
                    self._pools.add(pool)
                future = pool.submit(call, *args, **kwargs)
            return future.result()
        except BrokenProcessPool:
            self._of_thread.pool = None
            if pool is not None:
                self._pools.discard(pool)
                pool.shutdown()
            raise


def cores(experiment: Experiment) -> int:
    """Return how many training runs the processor cores that this process may use can do at a time."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable // experiment.training.threads)


class Cluster(Workers):
    """Run calls on the workers of an existing Dask cluster; it repeats by itself the calls of a worker that dies."""

    shares_disk = False
    width = 1

    def __init__(self, address: str, jobs: int) -> None:
        """Connect to the scheduler at `address`.

        Raises:
            ReportError: when Dask is not installed, no scheduler answers, or it has no worker.
        """
        try:
            from distributed import Client
        except ImportError:
            raise ReportError('--dask needs Dask. Install it with: pip install "weights-in-motion[cluster]"') from None
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said in our own line
        self._jobs = jobs
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ReportError(
                f"No Dask scheduler answers at {address} ({reason}). Start one, or leave --dask out."
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            self._client.close()  # type: ignore[no-untyped-call]
            raise ReportError(
                f"The Dask scheduler at {address} has no worker. Start one with: dask worker {address}"
            ) from None
        self._executor: Executor = self._client.get_executor()  # type: ignore[no-untyped-call]

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future result of `call`."""
        return self._executor.submit(call, *args, **kwargs)

    def share(self, workspace: Workspace, source: tuple[data.Source, str]) -> tuple[Any, ...]:
        """Send the digits to every worker and return the handle that stands for them."""
        digits = data.read(workspace, *source)
        return (self._client.scatter(digits, broadcast=True, hash=False),)  # type: ignore[no-untyped-call]

    def counts(self) -> Sequence[int]:
        """Return zeros: a worker elsewhere is heard of only when it is done."""
        return [0] * self._jobs

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take leave of the cluster, which goes on without us."""
        self._executor.shutdown(wait=wait)
        self._client.close()  # type: ignore[no-untyped-call]

    def kill(self) -> None:
        """Let the cluster forget what it has not begun."""
        self.shutdown(wait=False)
