"""A Dask cluster that is not what it should be: one line each, and what came home is kept."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from recordings import record_digits
from test_study import start, until, variant

from report.cli import main
from report.console import Console
from report.errors import ReportError
from report.making import own
from report.making.alone import alone
from report.workers import cluster

distributed = pytest.importorskip("distributed")

SCHEDULER = """
import asyncio
from distributed import Scheduler

async def serve():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()

asyncio.run(serve())
"""
WORKER = """
import asyncio, sys
from distributed import Worker

async def serve():
    async with Worker(sys.argv[1], nthreads=1) as worker:
        print(worker.address, flush=True)
        await worker.finished()

asyncio.run(serve())
"""


@dataclass(frozen=True)
class Running:
    """Hold the processes of a cluster whose workers stay away when they die."""

    address: str
    scheduler: subprocess.Popen[str]
    workers: list[subprocess.Popen[str]]


def script(*words: str) -> tuple[subprocess.Popen[str], str]:
    """Start a Python program; return it and the first line that it says."""
    process = subprocess.Popen(
        [sys.executable, "-c", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Start a scheduler and one worker on loopback."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    scheduler, address = script(SCHEDULER)
    worker, _ = script(WORKER, address)
    found = Running(address, scheduler, [worker])
    yield found
    for process in [*found.workers, scheduler]:
        process.kill()
        process.communicate(timeout=30)


@pytest.mark.parametrize(
    "address",
    ["tls://host:1", "ucx://host:1", "http://host:1", "inproc://a/1/2", "ws://host:1", "host", "tcp://:1", "a b:1"],
)
def test_only_what_dask_can_be_reached_at_is_an_address(address: str, tmp_path: Path) -> None:
    """Refused at once, before anything is written."""
    done = CliRunner().invoke(main, ["train", "--dask", address, "--build", str(tmp_path / "build")])
    assert done.exit_code == 2
    assert re.search(r"found '.*'; allowed: tcp://host:port", done.output)
    assert not (tmp_path / "build").exists()


@pytest.mark.slow
@pytest.mark.parametrize("says", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(range(256)) * 40])
def test_a_port_that_is_no_scheduler_is_one_line(
    says: bytes | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody there; one that accepts and stays silent, one that hangs up, others that speak something else."""
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        held = []

        def answer() -> None:
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                held.append(connection)  # left open
                if says is not None:
                    connection.sendall(says)
                    if not says:
                        connection.close()

        threading.Thread(target=answer, daemon=True).start()
        started = time.monotonic()
        with pytest.raises(ReportError) as error:
            cluster.Cluster(f"tcp://127.0.0.1:{port}", 1)
        assert time.monotonic() - started < 20
    assert re.fullmatch(
        rf"No Dask scheduler answers at tcp://127\.0\.0\.1:{port} .* leave --dask out\.", str(error.value)
    )
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_scheduler_without_workers_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the command that starts one; one whose greeting Dask's own client stumbles over is greeted again."""
    true, stumbled = distributed.Client, []

    def client(*words: Any, **named: Any) -> Any:
        if len(stumbled) < 3:
            stumbled.append(words)
            raise AssertionError
        greeted = true(*words, **named)
        monkeypatch.setattr(cluster, "CONNECT_SECONDS", 2)  # for a worker, of which none will come
        return greeted

    monkeypatch.setattr(distributed, "Client", client)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 60)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    scheduler, address = script(SCHEDULER)
    try:
        with pytest.raises(ReportError) as error:
            cluster.Cluster(address, 1)
        assert f"has no worker. Start one with: dask worker {address}" in str(error.value), "".join(
            traceback.format_exception(error.value)
        )
    finally:
        scheduler.kill()
        scheduler.communicate(timeout=30)


@pytest.mark.slow
@pytest.mark.parametrize("dies", ["scheduler", "worker"])
def test_who_is_lost_in_mid_study_is_named(running: Running, tmp_path: Path, dies: str) -> None:
    """One line, not somebody else's traceback; a worker that was the last is not called a scheduler."""
    experiment = variant(tmp_path, batches=20_000)
    with start(experiment, tmp_path / "build", "--dask", running.address) as process:
        until(lambda: list(tmp_path.glob("tmp*/.*.partial/weights-2.npy")), 120)
        lost = running.scheduler if dies == "scheduler" else running.workers[0]
        lost.send_signal(signal.SIGKILL)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 1, output
    assert len(errors.splitlines()) == 1, errors
    says = "scheduler at .* was lost" if dies == "scheduler" else "workers of .* were lost|has no worker any more"
    assert re.search(says, errors)


FOREIGN = (
    """
import sys
from report.training import jobs
true = jobs.recipe()
jobs.recipe = lambda: {**true, "numpy": "1.0.0"}
"""
    + WORKER
)


@pytest.mark.slow
def test_a_foreign_worker_is_passed_over(running: Running, tmp_path: Path) -> None:
    """A good one beside it does the work; alone it is refused, naming what differs and nothing else."""
    foreign, _ = script(FOREIGN, running.address)
    running.workers.append(foreign)
    experiment = variant(tmp_path)
    with start(experiment, tmp_path / "build", "--dask", running.address) as process:
        output, errors = process.communicate(timeout=240)
    assert (process.returncode, errors) == (0, ""), output
    running.workers[0].kill()
    with start(experiment, tmp_path / "other", "--dask", running.address) as process:
        output, errors = process.communicate(timeout=240)
    assert process.returncode == 1
    assert len(errors.splitlines()) == 1, errors
    assert "would compute the same as this machine: it has numpy 1.0.0 instead of " in errors
    assert "torch" not in errors


BLIND = (
    """
import sys
from report.analysis import side_by_side
side_by_side._answer = lambda mark: ("", side_by_side.recipe())
"""
    + WORKER
)
OTHER = (
    """
import sys
from report.analysis import side_by_side
true = side_by_side.recipe()
side_by_side.recipe = lambda: {**true, "numpy": "1.0.0"}
"""
    + WORKER
)


def analysed(folder: Path, dask: str | None = None) -> dict[str, bytes]:
    """Return what the analysis of the recordings in `runs` beside `folder` writes."""
    places = {"site": folder / "site", "build": folder / "build"}
    report = own.prepare([folder.parent / "runs"], Console(), dask=dask, **places)
    with alone(report.workspace):
        report.make(("analyse",))
    place = report.workspace
    written = [place.results, *place.tables.iterdir(), *place.numbers.iterdir()]
    return {path.name: path.read_bytes() for path in written}


@pytest.mark.slow
def test_a_cluster_analyses_as_this_machine_does(running: Running, tmp_path: Path) -> None:
    """The same bytes; a worker that does not see the disk, or has other libraries, is one line and nothing is left."""
    for seed in (1, 2):
        record_digits(tmp_path / "runs" / str(seed), seed=seed)
    here, there = analysed(tmp_path / "here"), analysed(tmp_path / "there", running.address)
    assert {"results.json", "own_tensors.csv", "t1-steps.csv"} <= {*here}
    assert {*here} == {*there}
    assert [name for name in here if here[name] != there[name]] == []
    for number, (worker, says) in enumerate([(BLIND, "does not see "), (OTHER, "it has numpy 1.0.0 instead of ")]):
        foreign, _ = script(worker, running.address)
        running.workers.append(foreign)
        with pytest.raises(ReportError, match=says) as error:
            analysed(tmp_path / str(number), running.address)
        assert "\n" not in str(error.value)
        assert not (tmp_path / str(number) / "build" / "results.json").exists()
        assert not list((tmp_path / str(number) / "build" / "tables").iterdir())
        foreign.kill()
        foreign.communicate(timeout=30)
        time.sleep(1)  # until the scheduler knows
