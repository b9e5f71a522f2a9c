"""Many tensors are measured side by side: in processes of this machine, or on the workers of a Dask cluster.

A worker of a cluster reads recordings and writes tables where this machine does: that takes a disk in common, and the
same code.
"""

import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from importlib.metadata import version
from pathlib import Path

from report import files
from report.analysis.own_tensor import Job, Measured
from report.cores import cores
from report.errors import ReportError
from report.products import CODE, digest
from report.workers.cluster import Cluster
from report.workers.local import differing, pool

WORTH_A_POOL = 3_000_000  # recorded updates, from which on starting another process pays
POLL_SECONDS = 0.25  # between two looks at whether the cluster is there
AGAIN = "Run the command again."
DEATHS = ("KilledWorker", "MemoryError")  # what Dask raises of a call whose workers died


def made(jobs: Sequence[Job], entries: int) -> list[Measured]:
    """Return what was measured, in the order of the jobs; in several processes where there is much to do.

    Args:
        jobs: what is to be measured.
        entries: recorded updates, of all jobs together.
    """
    processes = cores()
    if min(processes, len(jobs)) < 2 or entries < WORTH_A_POOL:
        return [each.make() for each in jobs]
    with pool(processes) as executor:
        return list(executor.map(Job.make, jobs, chunksize=max(len(jobs) // (processes * 8), 1)))


def made_in_cluster(jobs: Sequence[Job], address: str, folder: Path) -> list[Measured]:
    """Return what the workers of a Dask cluster measured, in the order of the jobs.

    Args:
        jobs: what is to be measured.
        address: of the scheduler.
        folder: that the workers have to share, where tables are written.

    Raises:
        ReportError: when the cluster is not what it should be, is lost, or a recording is damaged.
    """
    with Cluster(address, len(jobs), AGAIN) as cluster:
        _check(cluster, address, folder)
        futures: list[Future[Measured]] = [cluster.submit(Job.make, each) for each in jobs]
        pending = set(futures)
        while pending:
            finished, pending = wait(pending, POLL_SECONDS, FIRST_COMPLETED)
            for future in finished:
                _settle(future, cluster)
            cluster.check()
        return [future.result() for future in futures]


def _settle(future: Future[Measured], cluster: Cluster) -> None:
    """Raise at once what went wrong."""
    try:
        future.result()
    except CancelledError:
        raise ReportError(cluster.lost) from None
    except Exception as error:
        if type(error).__name__ in DEATHS:
            raise ReportError(
                f"Every worker that measured a tensor died, perhaps for want of memory. {AGAIN}"
            ) from error
        raise


def _check(cluster: Cluster, address: str, folder: Path) -> None:
    """Make sure that every worker sees this machine's disk, and would come to the same numbers.

    Raises:
        ReportError: one line that says which of both is not so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark, word = folder / f".{secrets.token_hex(8)}", secrets.token_hex(8)
    files.write_text(mark, word)
    try:
        answers = cluster.everywhere(_answer, mark)
    finally:
        mark.unlink()
    if any(seen != word for seen, _ in answers):
        raise ReportError(
            f"A worker of the Dask cluster at {address} does not see {folder}: an analysis needs workers that share "
            "the disk with this machine. Leave --dask out."
        )
    if foreign := [found for _, found in answers if found != recipe()]:
        told = differing(foreign[0], recipe())
        raise ReportError(
            f"A worker of the Dask cluster at {address} would not compute the same as this machine: it has {told}. "
            "Install the same versions there."
        )


def _answer(mark: Path) -> tuple[str, Mapping[str, str]]:
    """Return what a file holds, "" where it is not seen, and the recipe (in a worker)."""
    try:
        return mark.read_text(encoding="utf-8"), recipe()
    except OSError:
        return "", recipe()


def recipe() -> dict[str, str]:
    """Return what decides the numbers, beside the recording: the code, and NumPy."""
    return {"code": digest(CODE.meanings("report.analysis.own_tensor")), "numpy": version("numpy")}
