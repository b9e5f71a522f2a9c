"""Where training, analysis and drawing are done: behind one interface, and here in processes of this machine.

What a worker does is the same here and in a Dask cluster (`cluster.py`), and so are the bits that it makes; only the
way back may differ: a process of this machine writes a training run into `build/runs` itself, a worker of a cluster,
which may have no disk in common with it, sends the files home.
"""

import abc
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, Self

from report.errors import ReportError

Prepare = Callable[[Any], object]
Recipe = Callable[[], Mapping[str, str]]  # returns what decides what a worker computes, by name

BROKEN = "The processes ended by themselves. What is finished is kept; run the command again to go on."
DIED = "A process of this command died, perhaps for want of memory. What is finished is kept; run the command again."
WATCHED_SECONDS = 0.5  # between two looks for calls that nobody will answer
SPAWNED = multiprocessing.get_context("spawn")  # a fork would copy threads half, torch's among them, and may hang


@contextlib.contextmanager
def pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """Give `count` processes of this machine that are of use only together: where one dies, all are given up.

    Raises:
        ReportError: when one died.
    """
    try:
        with ProcessPoolExecutor(count, SPAWNED) as processes:
            yield processes
    except BrokenProcessPool as error:
        raise ReportError(DIED) from error


def _start(counts: Any, prepare: Prepare | None) -> None:
    """Prepare a process of this machine."""
    if prepare is not None:
        prepare(counts)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        # However the command ends, by SIGKILL too, its workers end with it and leave only what nobody trusts.
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _hold_interrupts() -> None:
    """Keep Ctrl-C from this thread, and from the threads and processes that it starts: the main thread answers it."""
    if hasattr(signal, "pthread_sigmask"):  # Windows gives Ctrl-C to the main thread alone
        resource_tracker.ensure_running()  # its start would let Ctrl-C through again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def differing(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Say in what a recipe is another one than the wanted one."""
    names = [name for name in wanted if found.get(name) != wanted[name]]
    return ", ".join(f"{name} {found.get(name, 'none')[:12]} instead of {wanted[name][:12]}" for name in names)


class Workers(abc.ABC):
    """Run calls somewhere else. As a context: what is unfinished is waited for, unless an exception ends it."""

    lost = BROKEN  # what to say when calls were given up because those who worked on them are gone
    shares_disk: bool  # with this process
    width: int  # how many calls it takes to reach every worker that has to be prepared

    @abc.abstractmethod
    def submit(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Return the future result of `call`."""

    @abc.abstractmethod
    def share(self, read: Callable[[], Any]) -> tuple[Any, ...]:
        """Return what a call needs beside its arguments to have what `read` returns: sent to a worker once."""

    @abc.abstractmethod
    def check(self) -> None:
        """Make sure that somebody is there to work; called again and again while calls are unfinished.

        Raises:
            ReportError: when nobody is.
        """

    def submit_elsewhere(self, recipe: Recipe, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Submit again what a worker refused whose `recipe` is not ours; to one that has ours, if there is one.

        Raises:
            ReportError: when there is none.
        """
        return self.submit(call, *args)

    @abc.abstractmethod
    def counts(self) -> Sequence[int]:
        """Return how much each unfinished job has done, as far as that is known."""

    @abc.abstractmethod
    def end(self, *, waiting: bool) -> None:
        """Let the workers go, waiting for what is unfinished or giving it up."""

    def __enter__(self) -> Self:
        """Return the workers."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Wait for what is unfinished, or give it up."""
        self.end(waiting=kind is None)


class _Context(SpawnContext):
    """Make processes that are spawned, and remember them."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.made: list[SpawnProcess] = []

    def Process(self, *args: Any, **options: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        """Return a process that is not started yet."""
        self.made.append(SpawnProcess(*args, **options))
        return self.made[-1]


class Processes(Workers):
    """Run calls in processes of this machine, of which any may die without harm to the calls in the others."""

    shares_disk = True

    def __init__(self, count: int, number: int = 0, prepare: Prepare | None = None) -> None:
        """Prepare `count` processes, which start with the first call, for `number` jobs that count what they have done.

        Args:
            count: of processes.
            number: of jobs.
            prepare: called first in each process, with the array of what the jobs count.
        """
        self.width = count
        self._counts = SPAWNED.Array("q", number, lock=False)
        self._prepare = prepare
        self._context = _Context()
        self._pool = self._new()
        self._unfinished: dict[Future[Any], Any] = {}  # calls, each with the pool that has it
        self._ended = threading.Event()
        # The pool is used from a thread, where no KeyboardInterrupt can cut a start in two.
        self._thread = ThreadPoolExecutor(1, "pool", _hold_interrupts)
        threading.Thread(target=self._watch, daemon=True).start()

    def _new(self) -> Any:
        from pebble import ProcessPool

        return ProcessPool(self.width, 0, _start, (self._counts, self._prepare), self._context)

    def _schedule(self, call: Callable[..., Any], args: tuple[Any, ...]) -> Future[Any]:
        future: Future[Any]
        try:
            future = self._pool.schedule(call, args)
        except RuntimeError:
            # Pebble gives up all processes when one dies before any has something to do.
            self._pool.stop()
            self._pool.join()
            self._pool = self._new()
            future = self._pool.schedule(call, args)
        self._unfinished[future] = self._pool
        future.add_done_callback(lambda done: self._unfinished.pop(done, None))
        return future

    def _watch(self) -> None:
        """Give up calls that a pool was handed in the moment in which it broke: Pebble 5.2.3 would never say so."""
        silent: set[Future[Any]] = set()
        while not self._ended.wait(WATCHED_SECONDS):
            broken = {future for future, its in list(self._unfinished.items()) if not its.active}
            for future in broken & silent:  # it has had time to say that they are lost
                with contextlib.suppress(InvalidStateError):
                    future.set_exception(BrokenProcessPool("its pool broke"))
            silent = broken

    def submit(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Return the future result of `call`.

        A ProcessExpired there means that its process died; a BrokenProcessPool, that another one did while none worked.
        """
        try:
            future: Future[Any] = self._thread.submit(self._schedule, call, args).result()
        except RuntimeError as error:
            raise ReportError(BROKEN) from error
        return future

    def share(self, read: Callable[[], Any]) -> tuple[Any, ...]:
        """Return nothing: the processes read it themselves, each when it first needs it."""
        return ()

    def check(self) -> None:
        """Look at nothing: the pool replaces processes that die."""

    def counts(self) -> Sequence[int]:
        """Return how much each job has done."""
        return list(self._counts)

    def end(self, *, waiting: bool) -> None:
        """End the processes, after their last call or now."""
        self._thread.shutdown()
        self._ended.set()
        if waiting:
            self._pool.close()
        else:
            self._pool.stop()
            # Others' children, such as those that load a training's data, are let live.
            for process in set(multiprocessing.active_children()) & set(self._context.made):
                process.kill()  # one that has only begun to start would miss what the pool now takes down, and say so
        self._pool.join()
