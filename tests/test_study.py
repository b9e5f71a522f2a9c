"""The study's training runs: which there are, that controls are controls, that a mishap of one costs no other."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from conftest import ROOT, TINY, Build, run_report

from report.config import Experiment, Optimizer
from report.errors import ReportError
from report.recording import Recording
from report.training import runs as study
from report.training import workers
from report.workspace import Workspace

NAMES = [
    *("adam-b0.9-seed3", "adam-b0.9-seed4"),
    *("adam-b0.0-seed3", "adam-b0.0-seed4"),
    *("sgd-m0.9-seed3", "sgd-m0.9-seed4"),
]
WILD = "[[study.optimizers]]\nname = 'SGD'\nlr = 1e30\n"


@dataclass(frozen=True)
class Calm:
    """Hold a study that was trained undisturbed."""

    experiment: Path
    build: Path


def variant(folder: Path, *controls: str, seeds: int = 1, batches: int = 60) -> Path:
    """Write the tiny experiment with other controls, and return the file."""
    text = TINY.read_text(encoding="utf-8")
    start, end = text.index("[[study.optimizers]]"), text.index("[recording]")
    text = text[:start] + "".join(controls) + text[end:]
    text = text.replace("seeds = 2", f"seeds = {seeds}").replace("batches = 60", f"batches = {batches}", 1)
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
    """Start to train, as a person would, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "report", "train", "--experiment", str(experiment), "--build", str(build), *options],
        cwd=ROOT,
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


def recording_of(runs: Path, at_least: int = 1) -> list[str]:
    """Return the names of the runs that are being recorded at this moment, once there are enough."""
    found = [path.parent.name for path in runs.glob(".*.partial/weights-l3.npy")]
    return found if len(found) >= at_least else []


def at_work(pids: list[int]) -> psutil.Process | None:
    """Return a process that is in the middle of a training run: it holds a recording open."""
    for pid in pids:
        process = psutil.Process(pid)
        if any(".partial/weights" in file.path for file in process.open_files()):
            return process
    return None


def test_the_runs_are_every_optimizer_on_every_seed(tiny: Experiment) -> None:
    """The main run first; a control differs from it in its optimizer and its length alone."""
    runs = study.runs(tiny)
    assert [run.name for run in runs] == NAMES
    main, seed, control = runs[0], runs[1], runs[2]
    assert (main.experiment, main.recorded, main.clip_batches) == (tiny, 60, 8)
    assert seed.experiment.training.model_dump() == {
        **tiny.training.model_dump(), "seed": 4, "validations": 1
    }  # fmt: skip
    assert (seed.recorded, seed.clip_batches) == (40, 0)
    assert control.experiment.training.model_dump() == {
        **tiny.training.model_dump(), "batches": 40, "validations": 1
    }  # fmt: skip
    assert control.experiment.optimizer == tiny.study.optimizers[0]
    assert (control.experiment.network, control.experiment.data) == (tiny.network, tiny.data)


def test_a_control_meets_what_the_main_run_met(tiny_build: Build) -> None:
    """In the study as it ran: equal initial bits, equal first loss, equal first gradients, and then another path."""
    runs = tiny_build.workspace.runs
    for seed in (3, 4):
        main = Recording.open(runs / f"adam-b0.9-seed{seed}")
        for slug in ("adam-b0.0", "sgd-m0.9"):
            control = Recording.open(runs / f"{slug}-seed{seed}")
            for layer in main.layers:
                np.testing.assert_array_equal(main.kept_weights(layer)[0], control.kept_weights(layer)[0])
                # The gradient depends on split, order, initial weights and the dropout mask: all four are the same.
                np.testing.assert_array_equal(main.kept_gradients(layer)[0], control.kept_gradients(layer)[0])
                assert (main.kept_weights(layer)[1:41] != control.kept_weights(layer)[1:41]).any()
            assert main.series["train_loss"][0] == control.series["train_loss"][0]
    one, two = (Recording.open(runs / f"adam-b0.9-seed{seed}") for seed in (3, 4))
    assert (one.kept_weights("l3")[0] != two.kept_weights("l3")[0]).mean() > 0.9


def test_every_run_is_recorded_as_long_as_the_controls(tiny_build: Build) -> None:
    """Other seeds of the main optimizer are trained to the end, for their accuracy, but recorded no longer."""
    recordings = {name: Recording.open(tiny_build.workspace.run(name)) for name in NAMES}
    assert {name: (run.trained, run.batches) for name, run in recordings.items()} == {
        name: (60, 60) if name == NAMES[0] else (60, 40) if name == NAMES[1] else (40, 40) for name in NAMES
    }
    for name, recording in recordings.items():
        assert recording.weights("l3").shape == (recording.batches + 1, 10, 24)
        assert recording.kept_gradients("l1").shape == (recording.batches, 64)
        assert recording.series["train_loss"].shape == (recording.trained,)
        assert recording.series["validation_batch"][-1] == recording.trained
        assert (recording.path / "clip-l1.npy").exists() == (name == NAMES[0])
    assert json.loads(tiny_build.workspace.study.read_text()) == {"missing": []}


def test_a_run_depends_on_nothing_that_does_not_decide_its_bits(tiny: Experiment, place: Workspace) -> None:
    """Another optimizer, seed, pace of the animation or title: the keys of the other runs stay."""
    before = study.keys(place, tiny)

    def after(**parts: dict[str, Any]) -> dict[str, str | None]:
        values = {part: getattr(tiny, part).model_copy(update=update) for part, update in parts.items()}
        return study.keys(place, tiny.model_copy(update=values))

    more = (*tiny.study.optimizers, Optimizer(name="SGD", arguments={"lr": 0.1}))
    changed = after(study={"optimizers": more, "seeds": 3}, site={"title": "Other"}, animation={"milliseconds": 50})
    assert {name: changed[name] for name in before} == before
    assert len(changed) == 12
    changed = after(animation={"frames": 9})  # the main run keeps more whole layers; nobody else
    assert [name for name in before if changed[name] != before[name]] == NAMES[:1]
    changed = after(study={"batches": 30})
    assert [name for name in before if changed[name] != before[name]] == NAMES[1:]
    changed = after(training={"validations": 3})
    assert [name for name in before if changed[name] != before[name]] == NAMES[:1]
    assert not set(after(training={"batch_size": 8}).values()) & set(before.values())


def test_adding_and_removing_an_optimizer_trains_only_what_is_new(tmp_path: Path) -> None:
    """Finished runs are not touched; one that is wanted no more goes, a folder that is no run stays."""
    build = tmp_path / "build"
    runs = build / "runs"
    one, two = ("[[study.optimizers]]\nname = 'SGD'\n", "[[study.optimizers]]\nname = 'RMSprop'\n")

    def train(*controls: str) -> dict[str, int]:
        done = run_report(
            "train", "--processes", "1", "--experiment", str(variant(tmp_path, *controls)), "--build", str(build)
        )
        assert done.returncode == 0, done.stderr
        return {path.parent.name: path.stat().st_mtime_ns for path in sorted(runs.glob("*/run.json"))}

    first = train(one)
    assert list(first) == ["adam-b0.9-seed3", "sgd-seed3"]
    (runs / "notes").mkdir()
    second = train(two, one)
    assert list(second) == ["adam-b0.9-seed3", "rmsprop-seed3", "sgd-seed3"]
    third = train(two)
    assert list(third) == ["adam-b0.9-seed3", "rmsprop-seed3"]
    assert all(second[name] == time for name, time in first.items())
    assert all(second[name] == time for name, time in third.items())
    assert (runs / "notes").is_dir()


def test_a_run_that_diverges_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    """One line with the reason, no traceback, exit code 0; it is not tried again before something changes."""
    path, build = variant(tmp_path, WILD, "[[study.optimizers]]\nname = 'RMSprop'\n"), tmp_path / "build"
    done = run_report("train", "--processes", "1", "--experiment", str(path), "--build", str(build))
    assert (done.returncode, done.stderr) == (0, "")
    assert "WARNING: training run sgd-seed3 is missing: diverged: " in done.stdout.splitlines()[-1]
    place, experiment = Workspace(ROOT, build, tmp_path), Experiment.load(path)
    assert study.complete(place, experiment) == ["adam-b0.9-seed3", "rmsprop-seed3"]
    assert [record["run"] for record in study.missing(place)] == ["sgd-seed3"]
    assert study.is_complete(place, experiment, giving_up=False)
    assert (build / "runs" / "sgd-seed3.diverged").is_dir()
    again = run_report("train", "--experiment", str(path), "--build", str(build))
    assert again.stdout.splitlines() == done.stdout.splitlines()[-1:]
    done = run_report("train", "--processes", "1", "--experiment", str(variant(tmp_path)), "--build", str(build))
    assert (done.returncode, study.missing(place)) == (0, []), done.stderr


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
    executor = workers.Processes(2, 1)
    for future in [executor.submit(os.getpid), executor.submit(os.getpid)]:
        assert future.result() != os.getpid()
    executor.kill()
    assert set(threading.enumerate()) <= before


def _die_in_one_control(job: workers.Job, digits: None = None) -> workers.Outcome:
    """Train, but take the whole process down where the system would when memory runs out."""
    if job.name.startswith("rmsprop"):
        os.kill(os.getpid(), signal.SIGKILL)
    return workers.work(job, digits)


def test_a_run_whose_worker_dies_each_time_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After several attempts; it is named, tried again by the next command, and the others are there."""
    path = variant(tmp_path, *(f"[[study.optimizers]]\nname = '{name}'\n" for name in ("RMSprop", "SGD")))
    place, experiment = Workspace(ROOT, tmp_path / "build", tmp_path), Experiment.load(path)
    place.build.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(workers, "work", _die_in_one_control)
        study.train(place, experiment, path, print, lambda *_: None, processes=2)
    assert study.complete(place, experiment) == ["adam-b0.9-seed3", "sgd-seed3"]
    assert [(record["run"], record["reason"]) for record in study.missing(place)] == [
        ("rmsprop-seed3", "its process died 3 times, perhaps for want of memory.")
    ]
    assert study.is_complete(place, experiment)
    assert not study.is_complete(place, experiment, giving_up=False)
    done = run_report("train", "--processes", "1", "--experiment", str(path), "--build", str(place.build))
    assert (done.returncode, study.missing(place)) == (0, []), done.stderr
    assert study.is_complete(place, experiment, giving_up=False)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """Train a study of some seconds in one process that nothing happens to; two of its six runs diverge."""
    folder = tmp_path_factory.mktemp("calm")
    controls = ("[[study.optimizers]]\nname = 'SGD'\n", WILD.replace("SGD", "RMSprop"))
    path = variant(folder, *controls, seeds=2, batches=600)
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


def test_a_killed_worker_costs_nothing_but_time(tmp_path: Path, calm: Calm) -> None:
    """Its run is made again, to the same bytes; the other worker's is not even interrupted."""
    with start(calm.experiment, tmp_path) as process:
        until(lambda: recording_of(tmp_path / "runs", at_least=2))
        before = workers_of(process)
        before[0].kill()
        after = until(lambda: len(found := workers_of(process)) == 2 and set(found) != set(before) and found)
        assert before[1] in after
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, ""), output
    assert_same(tmp_path, calm)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_command_leaves_no_process_and_loses_no_finished_run(tmp_path: Path, how: signal.Signals) -> None:
    """Workers end with it, however it ends; the next command trains what is missing."""
    path = variant(tmp_path, "[[study.optimizers]]\nname = 'SGD'\n", batches=20_000)
    runs = tmp_path / "build" / "runs"
    with start(path, tmp_path / "build") as process:
        until(lambda: (runs / "sgd-seed3" / "run.json").exists() and recording_of(runs))
        children = psutil.Process(process.pid).children(recursive=True)
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # as the terminal does for Ctrl-C
        else:
            process.send_signal(how)
        _, errors = process.communicate(timeout=30)
    until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children), 10)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert len(errors.strip().splitlines()) == 1, errors
        assert sorted(path.name for path in runs.iterdir()) == ["sgd-seed3"]  # as after a run that went well
        return
    finished = (runs / "sgd-seed3" / "run.json").stat().st_mtime_ns
    done = run_report(
        "train", "--experiment", str(variant(tmp_path, "[[study.optimizers]]\nname = 'SGD'\n")),
        "--build", str(tmp_path / "build"), "--processes", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in runs.iterdir()) == ["adam-b0.9-seed3", "sgd-seed3"]
    assert (runs / "sgd-seed3" / "run.json").stat().st_mtime_ns == finished


@pytest.mark.parametrize(
    ("control", "says"),
    [
        ("name = 'SDG'", "study.optimizers.0.name: found 'SDG'; allowed: "),
        (
            "name = 'SGD'\nlearning_rate = 0.1",
            "study.optimizers.0.learning_rate: unknown key; SGD allows: lr, momentum",
        ),
        ("name = 'SGD'\nmomentum = -1.0", "study.optimizers.0: torch refuses these values for SGD: Invalid momentum"),
    ],
)
def test_a_wrong_control_is_an_error_before_anything_runs(tmp_path: Path, control: str, says: str) -> None:
    """One line that names file and table, exit code 2, nothing written."""
    path = variant(tmp_path, f"[[study.optimizers]]\n{control}\n")
    done = run_report("all", "--processes", "1", "--experiment", str(path), "--build", str(tmp_path / "build"))
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"{path}: {says}"), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in (tmp_path / "build").rglob("*")] == [".lock"]


CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        print(cluster.scheduler_address, *(worker.process.pid for worker in cluster.workers.values()), flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[tuple[str, list[int]]]:
    """Start a Dask scheduler and two worker processes on loopback; give its address and the workers' numbers."""
    pytest.importorskip("distributed")
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    (tmp_path / "scratch").mkdir()
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, cwd=tmp_path, env={**os.environ, "TMPDIR": str(tmp_path / "scratch")},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        address, *pids = process.stdout.readline().split()
        yield address, [int(pid) for pid in pids]
        process.communicate(timeout=30)


def test_a_dask_cluster_makes_the_same_bits_and_may_lose_a_worker(
    tmp_path: Path, dask: tuple[str, list[int]], calm: Calm
) -> None:
    """As a process of this machine does; the cluster's workers share no folder with the command."""
    address, pids = dask
    with start(calm.experiment, tmp_path / "build", "--dask", address) as process:
        until(lambda: at_work(pids), 120).kill()
        output, errors = process.communicate(timeout=240)
    assert (process.returncode, errors) == (0, ""), output
    assert output.count("WARNING") == 2
    assert_same(tmp_path / "build", calm)


def test_a_scheduler_that_does_not_answer_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It names the address and says what to do; Dask's own complaints are kept back."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "CONNECT_SECONDS", 1)
    with pytest.raises(ReportError, match=r"^No Dask scheduler answers at tcp://127\.0\.0\.1:9 .* leave --dask out\.$"):
        workers.Cluster("tcp://127.0.0.1:9", 1)
    assert capfd.readouterr() == ("", "")
