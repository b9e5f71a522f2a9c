"""The study's training runs: which there are, that controls are controls, that a mishap of one costs no other."""

import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from conftest import ROOT, TINY, Build, run_report
from pebble import ProcessExpired

from report.config import Experiment, Optimizer
from report.errors import ReportError
from report.recording.reader import Recording
from report.training import execute, jobs, runs
from report.workers.local import Processes
from report.workspace import Workspace

SEEDS = Experiment.load(TINY).seeds
MAIN, *CONTROLS = ("adam-b1-0.9", "adam-b1-0", "sgd-with-momentum-0.9")
NAMES = [f"{slug}-seed{seed}" for slug in (MAIN, *CONTROLS) for seed in SEEDS]
WILD = "[[study.optimizers]]\nname = 'SGD'\nlr = 1e30\n"


@dataclass(frozen=True)
class Calm:
    """Hold a study that was trained undisturbed."""

    experiment: Path
    build: Path


def variant(folder: Path, *controls: str, seeds: int = 1, batches: int = 60) -> Path:
    """Write the tiny experiment with other controls and shorter, and return the file."""
    text = TINY.read_text(encoding="utf-8")
    start, end = text.index("[[study.optimizers]]"), text.index("[recording]")
    text = text[:start] + "".join(controls) + text[end:]
    text = re.sub(r"(?<=\[training\]\n)batches = \d+", f"batches = {batches}", text)
    text = re.sub(r"long_batches = \d+", "long_batches = 60", text)
    text = re.sub(r"(?<=\[study\]\n)seeds = \d+\nbatches = \d+", f"seeds = {seeds}\nbatches = 40", text)
    if not controls:
        text = text.replace("[study]", "[study]\noptimizers = []")
    path = folder / "variant.toml"
    path.write_text(text, encoding="utf-8")
    return path


def contents(runs: Path) -> dict[str, bytes]:
    """Return every file of every run by its path, but for the times that the runs took."""
    return {
        path.relative_to(runs).as_posix(): path.read_bytes()
        for path in sorted(runs.rglob("*"))
        if path.is_file() and path.name != "timings.json"
    }


def start(experiment: Path, build: Path, *options: str) -> subprocess.Popen[str]:
    """Start to train on two cores, as a person would, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "report", "train", "--experiment", str(experiment), "--build", str(build), *options],
        cwd=ROOT,
        env={**os.environ, "LOKY_MAX_CPU_COUNT": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait for `condition` and return what it gives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes that train for a command."""
    found = []
    for child in psutil.Process(process.pid).children():
        try:
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            pass
    return found


def records(worker: psutil.Process) -> bool:
    """Say whether a worker is recording at this moment."""
    try:
        return any(".partial" in file.path for file in worker.open_files())
    except psutil.NoSuchProcess:
        return False


def recording_of(runs: Path) -> list[str]:
    """Return the names of the runs that are being recorded at this moment."""
    return [path.parent.name for path in runs.glob(".*.partial/weights-2.npy")]


def names(place: Workspace, experiment: Experiment) -> list[str]:
    """Return the names of the complete training runs."""
    return [folder.name for folder in runs.recordings(place, experiment)]


def test_the_runs_are_every_optimizer_on_every_seed(tiny: Experiment) -> None:
    """The main run first; a control differs from it in its optimizer and its length alone."""
    planned = {run.name: run for run in runs.planned(tiny)}
    assert list(planned) == NAMES
    assert [run.role for run in planned.values()] == [
        *["main"] * len(SEEDS), *["control"] * len(SEEDS) * len(CONTROLS)
    ]  # fmt: skip
    main, seed, control = (planned[name] for name in (NAMES[0], NAMES[1], f"{CONTROLS[0]}-seed{SEEDS[0]}"))
    assert (main.experiment, main.recorded, main.first) == (tiny, tiny.training.batches, tiny.animation.frames)
    assert seed.experiment.training.model_dump() == {
        **tiny.training.model_dump(), "seed": SEEDS[1], "validations": 1
    }  # fmt: skip
    assert (seed.recorded, seed.first) == (tiny.study.batches, 0)
    assert control.experiment.training.model_dump() == {
        **tiny.training.model_dump(), "batches": tiny.study.batches, "validations": 1
    }  # fmt: skip
    assert control.experiment.optimizer == tiny.study.optimizers[0]
    assert (control.experiment.network, control.experiment.data) == (tiny.network, tiny.data)


@pytest.mark.slow
def test_a_control_meets_what_the_main_run_met(tiny_build: Build) -> None:
    """In the study as it ran: equal initial bits, equal first loss, equal first gradients, and then another path."""
    folder = tiny_build.workspace.runs
    for seed in SEEDS[:2]:
        main = Recording.open(folder / f"{MAIN}-seed{seed}")
        for slug in CONTROLS:
            control = Recording.open(folder / f"{slug}-seed{seed}")
            steps = control.steps + 1
            for layer in main.tensors:
                np.testing.assert_array_equal(main.indices(layer), control.indices(layer))
                np.testing.assert_array_equal(main.weights(layer)[0], control.weights(layer)[0])
                # The gradient depends on split, order, initial weights and the dropout mask: all four are the same.
                np.testing.assert_array_equal(main.gradients(layer)[0], control.gradients(layer)[0])
                assert (main.weights(layer)[1:steps] != control.weights(layer)[1:steps]).any()
            assert main.series["train_loss"][0] == control.series["train_loss"][0]
    one, two = (Recording.open(folder / f"{MAIN}-seed{seed}") for seed in SEEDS[:2])
    assert (one.weights("l3")[0] != two.weights("l3")[0]).mean() > 0.9


def test_every_run_is_recorded_as_long_as_the_controls(tiny_build: Build, tiny: Experiment) -> None:
    """Other seeds of the main optimizer are trained to the end, for their accuracy, but recorded no longer."""
    recordings = {name: Recording.open(tiny_build.workspace.run(name)) for name in NAMES}
    long, short = tiny.training.batches, tiny.study.batches
    assert {name: (run.taken, run.steps) for name, run in recordings.items()} == {
        **dict.fromkeys(NAMES, (short, short)), **dict.fromkeys(NAMES[: len(SEEDS)], (long, short)),
        NAMES[0]: (long, long),
    }  # fmt: skip
    for name, recording in recordings.items():
        assert recording.weights("l3").shape == (recording.steps + 1, 240)
        assert recording.gradients("l1").shape == (recording.steps, 64)
        assert recording.series["train_loss"].shape == (recording.taken,)
        assert np.isfinite(recording.series["validation_loss"][-1])
        assert recording.whole_steps("l1") == (tiny.animation.frames if name == NAMES[0] else 0)
        assert bool(recording.attached) == (name == NAMES[0])
    assert json.loads(tiny_build.workspace.study.read_text()) == {"missing": []}


def test_a_run_depends_on_nothing_that_does_not_decide_its_bits(tiny: Experiment, place: Workspace) -> None:
    """Another optimizer, seed, pace of the animation or title: the keys of the other runs stay."""
    before = runs.keys(place, tiny)

    def after(**parts: dict[str, Any]) -> dict[str, str | None]:
        values = {part: getattr(tiny, part).model_copy(update=update) for part, update in parts.items()}
        return runs.keys(place, tiny.model_copy(update=values))

    more = (*tiny.study.optimizers, Optimizer(name="SGD", arguments={"lr": 0.1}))
    seeds = len(SEEDS) + 1
    changed = after(study={"optimizers": more, "seeds": seeds}, site={"title": "Other"}, animation={"milliseconds": 50})
    assert {name: changed[name] for name in before} == before
    assert len(changed) == (1 + len(more)) * seeds
    # The main run keeps more whole layers; nobody else.
    changed = after(animation={"frames": tiny.animation.frames + 1})
    assert [name for name in before if changed[name] != before[name]] == NAMES[:1]
    changed = after(study={"batches": tiny.study.batches - 1})
    assert [name for name in before if changed[name] != before[name]] == NAMES[1:]
    changed = after(training={"validations": tiny.training.validations + 1})
    assert [name for name in before if changed[name] != before[name]] == NAMES[:1]
    assert not set(after(training={"batch_size": 8}).values()) & set(before.values())


WITHOUT_TORCH = """
import importlib.metadata, sys
from importlib.abc import MetaPathFinder

class Nothing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(name)

def version(name, real=importlib.metadata.version):
    if name in ("torch", "torchvision"):
        raise importlib.metadata.PackageNotFoundError(name)
    return real(name)

sys.meta_path.insert(0, Nothing())
importlib.metadata.version = version
from report.cli import run
sys.exit(run())
"""


@pytest.mark.slow
def test_what_is_trained_is_analysed_where_torch_is_not_installed(tiny_build: Build, place: Workspace) -> None:
    """A machine that only looks at recordings needs no torch; one that should train is told what to install."""
    shutil.copytree(tiny_build.workspace.runs, place.runs)
    shutil.copy(tiny_build.workspace.study, place.study)

    def run(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", WITHOUT_TORCH, command, "--experiment", str(TINY), "--build", str(place.build)],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    done = run("analyse")
    assert (done.returncode, done.stderr) == (0, "")
    assert place.results.read_bytes() == tiny_build.workspace.results.read_bytes()
    done = run("train")
    assert (done.returncode, done.stderr) == (0, "")
    shutil.rmtree(place.run(NAMES[1]))
    done = run("train")
    assert (done.returncode, done.stderr) == (1, 'torch is not installed. Run "make report", which installs it.\n')


@pytest.mark.slow
def test_adding_and_removing_an_optimizer_trains_only_what_is_new(tmp_path: Path) -> None:
    """Finished runs are not touched; one that is wanted no more goes, a folder that is no run stays."""
    build = tmp_path / "build"
    folder = build / "runs"
    one, two = ("[[study.optimizers]]\nname = 'SGD'\n", "[[study.optimizers]]\nname = 'RMSprop'\n")

    def train(*controls: str) -> dict[str, int]:
        done = run_report(
            "train", "--processes", "1", "--experiment", str(variant(tmp_path, *controls)), "--build", str(build)
        )
        assert done.returncode == 0, done.stderr
        return {path.parent.name: path.stat().st_mtime_ns for path in sorted(folder.glob("*/run.json"))}

    first = train(one)
    assert list(first) == ["adam-b1-0.9-seed3", "sgd-seed3"]
    (folder / "notes").mkdir()
    second = train(two, one)
    assert list(second) == ["adam-b1-0.9-seed3", "rmsprop-seed3", "sgd-seed3"]
    third = train(two)
    assert list(third) == ["adam-b1-0.9-seed3", "rmsprop-seed3"]
    assert all(second[name] == time for name, time in first.items())
    assert all(second[name] == time for name, time in third.items())
    assert (folder / "notes").is_dir()


@pytest.mark.slow
def test_a_run_that_diverges_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    """One line with the reason, no traceback, exit code 0; it is not tried again before something changes."""
    path, build = variant(tmp_path, WILD, "[[study.optimizers]]\nname = 'RMSprop'\n"), tmp_path / "build"
    done = run_report("train", "--processes", "1", "--experiment", str(path), "--build", str(build))
    assert (done.returncode, done.stderr) == (0, "")
    assert "WARNING: training run sgd-seed3 is missing: diverged: " in done.stdout.splitlines()[-1]
    place, experiment = Workspace(ROOT, build, tmp_path), Experiment.load(path)
    assert names(place, experiment) == ["adam-b1-0.9-seed3", "rmsprop-seed3"]
    assert [record["run"] for record in runs.missing(place)] == ["sgd-seed3"]
    assert runs.is_complete(place, experiment, giving_up=False)
    assert (build / "runs" / "sgd-seed3.diverged").is_dir()
    again = run_report("train", "--experiment", str(path), "--build", str(build))
    assert again.stdout.splitlines() == done.stdout.splitlines()[-1:]
    done = run_report("train", "--processes", "1", "--experiment", str(variant(tmp_path)), "--build", str(build))
    assert (done.returncode, runs.missing(place)) == (0, []), done.stderr


@pytest.mark.slow
def test_a_main_run_that_diverges_is_an_error(tmp_path: Path) -> None:
    """Without it there is no report: one line, exit code 1, and no process left behind."""
    path = variant(tmp_path, "[[study.optimizers]]\nname = 'RMSprop'\n")
    path.write_text(path.read_text() + "[optimizer]\nname = 'SGD'\nlr = 1e30\n")
    done = run_report("train", "--experiment", str(path), "--build", str(tmp_path / "build"))
    assert done.returncode == 1
    assert done.stderr.startswith("Training run sgd-seed3 diverged: ")
    assert f"is kept in {tmp_path / 'build' / 'runs' / 'sgd-seed3.diverged'}." in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert (tmp_path / "build" / "runs" / "sgd-seed3.diverged").is_dir()
    assert not list((tmp_path / "build" / "runs").glob(".*"))


def test_processes_that_are_given_up_leave_no_thread_behind() -> None:
    """One that still tidied up while Python ends would print a traceback below the line that says what went wrong."""
    before = set(threading.enumerate())
    executor = Processes(2, 1)
    for future in [executor.submit(os.getpid), executor.submit(os.getpid)]:
        assert future.result() != os.getpid()
    executor.end(waiting=False)
    assert set(threading.enumerate()) <= before


def test_processes_that_are_given_up_are_the_pools_own() -> None:
    """Who calls report.show() in the midst of a training has children of their own, which load its data."""
    with Processes(1) as others:
        theirs = others.submit(os.getpid).result()
        executor = Processes(1)
        ours, later = executor.submit(os.getpid).result(), others.submit(time.sleep, 1)
        executor.submit(time.sleep, 60)
        executor.end(waiting=False)
        later.result()
        assert others.submit(os.getpid).result() == theirs
        assert not psutil.pid_exists(ours)


def _die_in_one_control(job: jobs.Job, digits: None = None) -> jobs.Outcome:
    """Train, but take the whole process down where the system would when memory runs out."""
    if job.run.name.startswith("rmsprop"):
        os.kill(os.getpid(), signal.SIGKILL)
    return jobs.work(job, digits)


@pytest.mark.slow
def test_a_run_whose_worker_dies_each_time_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After several attempts; it is named, tried again by the next command, and the others are there."""
    path = variant(tmp_path, *(f"[[study.optimizers]]\nname = '{name}'\n" for name in ("RMSprop", "SGD")))
    place, experiment = Workspace(ROOT, tmp_path / "build", tmp_path), Experiment.load(path)
    place.build.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "work", _die_in_one_control)
        runs.train(place, experiment, path, print, lambda *_: None, processes=1)
    assert names(place, experiment) == ["adam-b1-0.9-seed3", "sgd-seed3"]
    assert [(record["run"], record["reason"]) for record in runs.missing(place)] == [
        ("rmsprop-seed3", "its process died 3 times, perhaps for want of memory.")
    ]
    assert runs.is_complete(place, experiment)
    assert not runs.is_complete(place, experiment, giving_up=False)
    done = run_report("train", "--processes", "1", "--experiment", str(path), "--build", str(place.build))
    assert (done.returncode, runs.missing(place)) == (0, []), done.stderr
    assert runs.is_complete(place, experiment, giving_up=False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProcessExpired(""), "its process died 3 times, perhaps for want of memory."),
        (type("KilledWorker", (Exception,), {})(), "every worker that tried it died, perhaps for want of memory."),
        (MemoryError(), "it ran out of memory 3 times."),
        (torch.OutOfMemoryError(), "it ran out of memory 3 times."),
    ],
)
def test_the_reason_of_a_lost_run_is_what_happened(error: Exception, reason: str, place: Workspace) -> None:
    """A process that died is another thing than a process that had no memory."""
    future: Future[Any] = Future()
    future.set_exception(error)
    found, lasting = execute._settle(future, Processes(1), place)
    assert (str(found), lasting) == (reason, False)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ProcessExpired(""), "its process died, perhaps for want of memory."),
        (BrokenProcessPool(), "processes died before they worked, perhaps for want of memory."),
        (torch.OutOfMemoryError(), "it ran out of memory."),
    ],
)
def test_a_network_is_tried_out_once(error: Exception, says: str, tmp_path: Path) -> None:
    """What is said of it does not count attempts that nobody made."""
    future: Future[tuple[str, str]] = Future()
    future.set_exception(error)
    with Processes(1) as processes, pytest.raises(ReportError) as caught:
        execute._device(future, processes, tmp_path)
    assert str(caught.value) == f"Trying out the network: {says}"


def _fail_in_one_control(job: jobs.Job, digits: None = None) -> jobs.Outcome:
    """Train, but run into a programming error on one optimizer's path."""
    if job.run.name.startswith("rmsprop"):
        raise KeyError("a bug")
    return jobs.work(job, digits)


@pytest.mark.slow
def test_a_bug_in_a_control_is_an_error_and_no_missing_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Called missing, it would be published as a study without controls."""
    path = variant(tmp_path, "[[study.optimizers]]\nname = 'RMSprop'\n")
    place, experiment = Workspace(ROOT, tmp_path / "build", tmp_path), Experiment.load(path)
    place.build.mkdir()
    monkeypatch.setattr(jobs, "work", _fail_in_one_control)
    with pytest.raises(KeyError, match="a bug"):
        runs.train(place, experiment, path, print, lambda *_: None, processes=2)
    assert runs.missing(place) == []


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """Train a study of some seconds in one process that nothing happens to; two of its six runs diverge."""
    folder = tmp_path_factory.mktemp("calm")
    controls = ("[[study.optimizers]]\nname = 'SGD'\n", WILD.replace("SGD", "RMSprop"))
    path = variant(folder, *controls, seeds=2, batches=1_600)
    done = run_report("train", "--processes", "1", "--experiment", str(path), "--build", str(folder / "build"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("WARNING") == 2
    return Calm(path, folder / "build")


def assert_same(build: Path, calm: Calm) -> None:
    """Compare two trained studies file by file."""
    mine, theirs = contents(build / "runs"), contents(calm.build / "runs")
    assert list(mine) == list(theirs)
    assert [name for name in mine if mine[name] != theirs[name]] == []
    assert len({name.split("/")[0] for name in mine}) == 6  # four runs, and what two that diverged have left
    assert (build / "study.json").read_bytes() == (calm.build / "study.json").read_bytes()


@pytest.mark.slow
def test_a_killed_worker_costs_nothing_but_time(tmp_path: Path, calm: Calm) -> None:
    """Its run is made again, to the same bytes; the other worker is not even interrupted."""
    with start(calm.experiment, tmp_path) as process:
        victim = until(lambda: next((each for each in workers_of(process) if records(each)), None))
        before = workers_of(process)
        victim.kill()
        after = until(lambda: len(found := workers_of(process)) == 2 and set(found) != set(before) and found)
        assert len(before) == 2
        assert set(before) - set(after) == {victim}
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, ""), output
    assert_same(tmp_path, calm)


@pytest.mark.slow
def test_a_worker_that_is_killed_before_it_works_is_replaced(tmp_path: Path) -> None:
    """While it still loads torch, the settings are not even checked: that begins again, and nobody hears of it."""
    with start(variant(tmp_path), tmp_path / "build", "--processes", "1") as process:
        until(lambda: workers_of(process))[0].kill()
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, ""), output
    assert [path.name for path in (tmp_path / "build" / "runs").iterdir()] == [f"{MAIN}-seed3"]


def test_a_call_that_a_breaking_pool_forgets_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process dies between Pebble's look at its pool and the call's arrival: nobody would ever answer."""
    with Processes(1) as processes:
        assert processes.submit(abs, -1).result(timeout=60) == 1
        pool = processes._pool
        monkeypatch.setattr(pool, "_check_pool_status", lambda: None)  # it has looked, and all was well
        for child in multiprocessing.active_children():
            child.kill()
        until(lambda: not pool.active)
        with pytest.raises(BrokenProcessPool):
            processes.submit(abs, -2).result(timeout=60)
        monkeypatch.undo()
        assert processes.submit(abs, -3).result(timeout=60) == 3


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has neither signal")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_a_killed_command_leaves_no_process_and_loses_no_finished_run(tmp_path: Path, how: str) -> None:
    """Workers end with it, however it ends; the next command trains what is missing."""
    path = variant(tmp_path, "[[study.optimizers]]\nname = 'SGD'\n", batches=20_000)
    folder = tmp_path / "build" / "runs"
    with start(path, tmp_path / "build") as process:
        until(lambda: (folder / "sgd-seed3" / "run.json").exists() and recording_of(folder))
        children = psutil.Process(process.pid).children(recursive=True)
        if how == "SIGINT":
            os.killpg(process.pid, signal.SIGINT)  # as the terminal does for Ctrl-C
        else:
            process.kill()
        _, errors = process.communicate(timeout=30)
    until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children), 10)
    if how == "SIGINT":
        assert process.returncode == 130
        assert len(errors.strip().splitlines()) == 1, errors
        assert sorted(path.name for path in folder.iterdir()) == ["sgd-seed3"]  # as after a run that went well
        return
    finished = (folder / "sgd-seed3" / "run.json").stat().st_mtime_ns
    done = run_report(
        "train", "--experiment", str(variant(tmp_path, "[[study.optimizers]]\nname = 'SGD'\n")),
        "--build", str(tmp_path / "build"), "--processes", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["adam-b1-0.9-seed3", "sgd-seed3"]
    assert (folder / "sgd-seed3" / "run.json").stat().st_mtime_ns == finished


@pytest.mark.slow
def test_a_wrong_control_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    """One line that names file and table, exit code 2, nothing written; test_refusals.py has what else can be wrong."""
    path = variant(tmp_path, "[[study.optimizers]]\nname = 'SGD'\nmomentum = -1.0\n")
    done = run_report("all", "--processes", "1", "--experiment", str(path), "--build", str(tmp_path / "build"))
    assert done.returncode == 2, done.stderr
    says = "study.optimizers.0: torch refuses these values for SGD: Invalid momentum"
    assert done.stderr.startswith(f"{path}: {says}"), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "build").exists()


CLUSTER = """
import os, sys, tempfile
from distributed import LocalCluster

def name_folder():
    tempfile.tempdir = tempfile.mkdtemp(prefix=f"{os.getpid()}-")

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        cluster.get_client().run(name_folder)
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Start a Dask scheduler and two worker processes on loopback.

    Yields:
        Its address, and the folder where each worker has one that begins with its process number.
    """
    pytest.importorskip("distributed")
    script, scratch = tmp_path / "cluster.py", tmp_path / "scratch"
    script.write_text(CLUSTER)
    scratch.mkdir()
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, cwd=tmp_path, env={**os.environ, "TMPDIR": str(scratch)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        yield process.stdout.readline().strip(), scratch
        process.communicate(timeout=30)


@pytest.mark.slow
def test_a_dask_cluster_makes_the_same_bits_and_may_lose_a_worker(
    tmp_path: Path, dask: tuple[str, Path], calm: Calm
) -> None:
    """As a process of this machine does; the cluster's workers share no folder with the command."""
    address, scratch = dask
    with start(calm.experiment, tmp_path / "build", "--dask", address) as process:
        at_work = until(lambda: list(scratch.glob("*-*/*/.*.partial/weights-2.npy")), 120)
        os.kill(int(at_work[0].relative_to(scratch).parts[0].split("-")[0]), signal.SIGKILL)
        output, errors = process.communicate(timeout=240)
    assert (process.returncode, errors) == (0, ""), output
    assert output.count("WARNING") == 2
    assert_same(tmp_path / "build", calm)
