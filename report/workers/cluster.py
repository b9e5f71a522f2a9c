"""Calls on the workers of an existing Dask cluster."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from report.errors import ReportError
from report.workers.local import Recipe, Workers, differing

CONNECT_SECONDS = 15  # for a scheduler to answer, for its first worker, and for another one when the last is gone
KEPT = "Training runs that came home are kept; run the command again to go on."
SPEAKERS = ("distributed", "distributed.client", "tornado", "asyncio")  # what matters is said in our own line


class Cluster(Workers):
    """Run calls on the workers of a cluster.

    Dask itself repeats the calls of a worker that dies, a few times; only then does who submitted them.
    """

    shares_disk = False
    width = 1

    def __init__(self, address: str, number: int, kept: str = KEPT) -> None:
        """Connect to the scheduler at `address`.

        Args:
            address: of the scheduler.
            number: of jobs.
            kept: says at the end of a message what is left when the cluster is lost.

        Raises:
            ReportError: when Dask is not installed, no scheduler answers, or it has no worker.
        """
        try:
            from distributed import Client
        except ImportError:
            raise ReportError('--dask needs Dask. Install it with: pip install "weights-in-motion[cluster]"') from None
        for name in SPEAKERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._address, self._number, self._kept = address, number, kept
        self._good: list[str] = []  # the only workers that what others refused was given to

        def connect() -> Any:
            end = time.monotonic() + CONNECT_SECONDS
            while True:
                try:
                    return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
                except AssertionError:  # Dask's, where the scheduler's greeting comes together with something else
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.1)

        try:
            # What accepts a connection and says nothing would be waited for without end.
            self._client = _within(CONNECT_SECONDS + 3, connect)
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ReportError(
                f"No Dask scheduler answers at {address} ({reason}). Start one, or leave --dask out."
            ) from error
        self._seen = time.monotonic()  # when there was a worker last
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            self._client.close()
            raise ReportError(
                f"The Dask scheduler at {address} has no worker. Start one with: dask worker {address}"
            ) from None

    def submit(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Return the future result of `call`."""
        future: Future[Any] = self._client.get_executor(pure=False).submit(call, *args)
        return future

    def everywhere(self, call: Callable[..., Any], *args: Any) -> list[Any]:
        """Return what each worker that there is now returns of `call`.

        Raises:
            ReportError: when the cluster is lost meanwhile.
        """
        try:
            return list(self._client.run(call, *args).values())
        except OSError as error:  # of the connection: `call` has to keep its own
            raise ReportError(self.lost) from error

    def submit_elsewhere(self, recipe: Recipe, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Submit again what a worker refused, to those that compute with what this machine has.

        Raises:
            ReportError: when there is none.
        """
        found, wanted = self._client.run(recipe), recipe()
        good = [worker for worker, each in found.items() if each == wanted]
        if not good:
            raise ReportError(
                f"No worker of the Dask cluster at {self._address} would compute the same as this machine: it has "
                f"{differing(next(iter(found.values()), {}), wanted)}. Install the same versions there."
            )
        self._good = good
        # No others, or Dask would hand it on to the idle one that refused it.
        future: Future[Any] = self._client.get_executor(pure=False, workers=good).submit(call, *args)
        return future

    @property
    def lost(self) -> str:  # type: ignore[override]
        """Return who is gone: the scheduler, or the workers that held what was shared."""
        if self._client.status != "running":
            return f"The Dask scheduler at {self._address} was lost. {self._kept}"
        return f"The workers of the Dask scheduler at {self._address} were lost. {self._kept}"

    def check(self) -> None:
        """Make sure that there is a worker; where some refused, one that did not.

        Raises:
            ReportError: when there has been none for a while.
        """
        now = time.monotonic()
        there = self._client.scheduler_info(n_workers=-1).get("workers", {})
        if self._client.status != "running" or any(worker in there for worker in self._good or there):
            self._seen = now  # a lost scheduler cancels what is unfinished, and is said to be lost then
        elif now - self._seen > CONNECT_SECONDS:
            raise ReportError(f"The Dask scheduler at {self._address} has no worker any more. {self._kept}")

    def share(self, read: Callable[[], Any]) -> tuple[Any, ...]:
        """Send what `read` returns to every worker, and return the handle that stands for it."""
        return (self._client.scatter(read(), broadcast=True, hash=False),)

    def counts(self) -> Sequence[int]:
        """Return zeros: a worker elsewhere is heard of only when it is done."""
        return [0] * self._number

    def end(self, *, waiting: bool) -> None:
        """Take leave of the cluster, which goes on without us and forgets what it has not begun.

        Nothing is waited for: who submitted has waited for what it wanted.
        """
        self._client.close(timeout=CONNECT_SECONDS)


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    """Return what `call` returns.

    Raises:
        TimeoutError: when that takes longer.
        Exception: what it raises.
    """
    found: list[Any] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            found.append(call())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True)  # no command waits for it at its end
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not found:
        raise TimeoutError(f"no answer within {seconds:.0f} s")
    return found[0]
