"""What goes wrong around a recorder: it never ends the training, and what was flushed can be read."""

import gc
import logging
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import ByHand, pair, train
from torch import nn

import report
from report.recording import gather, writer

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def python(code: str, *arguments: Any, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """Run a program as a person would."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False, **kwargs)


def wait_for_rows(folder: Path, rows: int, seconds: float = 10) -> report.Recording:
    """Return the recording as soon as it has so many rows."""
    end = time.monotonic() + seconds
    while (recording := report.Recording.open(folder)).steps < rows:
        assert time.monotonic() < end, recording.steps
        time.sleep(0.05)
    return recording


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_exception_in_the_loop(tmp_path: Path, kind: type[BaseException]) -> None:
    """It goes on to whoever catches it, and the recording is closed as far as it got."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)

    def loop() -> None:
        with report.record(model, optimizer, tmp_path / "run") as recorder:
            train(model, optimizer, 5, hand)
            recorder.log(loss=1)
            raise kind("mine")

    with pytest.raises(kind, match="mine"):
        loop()
    recording = hand.check(tmp_path / "run")
    assert recording.description.ended == "interrupted"
    assert not recording.is_complete
    assert recording.series["loss"].tolist()[-1] == 1


def test_an_exception_before_the_first_step(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No word on hooks that were never called: the exception says enough."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with (
        caplog.at_level(logging.WARNING, "report"),
        pytest.raises(ValueError, match="mine"),
        report.record(model, optimizer, tmp_path / "run"),
    ):
        raise ValueError("mine")
    assert report.Recording.open(tmp_path / "run").description.ended == "interrupted"
    assert not caplog.records


def test_pauses_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that pauses, such as for a validation, has its rows on the disk after a while, and loses none."""
    assert writer.FLUSH_SECONDS == 2
    monkeypatch.setattr(writer, "FLUSH_SECONDS", 0.2)
    model = nn.ModuleDict({"a": pair(), "b": pair()})
    a, b = (torch.optim.SGD(part.parameters(), lr=0.1) for part in model.values())
    hand = ByHand(model)
    with report.record(model, [a, b], tmp_path / "run") as recorder:
        for turn in (1, 2):
            for _ in range(3):
                for each in model.values():
                    each.zero_grad()
                    each(torch.randn(4, 6)).square().mean().backward()
                hand.before()
                a.step()
                b.step()
                hand.after()
            recorder.log(turn=turn)
            # The next round is open while the loop pauses, with half of its row filled.
            for each in model.values():
                each.zero_grad()
                each(torch.randn(4, 6)).square().mean().backward()
            hand.before()
            a.step()
            wait_for_rows(tmp_path / "run", 4 * turn - 1)
            b.step()
            hand.after()
    assert hand.check(tmp_path / "run").series["turn"][[2, 6]].tolist() == [1, 2]


KILLED = """
    import sys, time, torch, report
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Linear(5, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, 1000)
    recorder = report.record(model, optimizer, sys.argv[1], seed=3)
    step = 0
    while True:
        step += 1
        optimizer.zero_grad()
        model(torch.full((4, 6), 1 / step)).square().mean().backward()
        optimizer.step()
        schedule.step()
        recorder.log(loss=step)
        print(step, flush=True)
        if step == int(sys.argv[2]):
            time.sleep(100)
"""


@pytest.mark.slow
@pytest.mark.parametrize("pause", [5, 1000])
def test_kill(tmp_path: Path, pause: int) -> None:
    """After kill -9 all but the newest rows can be read, and they are those that the training had."""
    folder = tmp_path / "run"
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == pause:
                break
        if pause == 5:
            time.sleep(4)  # two seconds, and some for a busy machine
        os.kill(process.pid, signal.SIGKILL)
    recording = report.Recording.open(folder)
    assert recording.description.ended == "recording"
    assert recording.steps == 5 if pause == 5 else 1000 - 256 <= recording.steps <= 1000
    assert recording.series["loss"].tolist() == list(range(1, recording.steps + 1))
    assert len(recording.settings[0]["lr"]) == recording.steps
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, 1000)
    hand = ByHand(model)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for step in range(1, recording.steps + 1):
        optimizer.zero_grad()
        model(torch.full((4, 6), 1 / step)).square().mean().backward()
        hand.before()
        optimizer.step()
        hand.after()
        schedule.step()
    torch.set_num_threads(threads)
    hand.check(folder)
    for path in folder.glob("*.npy"):
        np.load(path)  # NumPy alone can read every file
    with pytest.raises(report.errors.ReportError, match="overwrite=True"):
        report.record(model, optimizer, folder)
    with report.record(model, optimizer, folder, overwrite=True):
        train(model, optimizer, 1)


UNCLOSED = """
    import sys, torch, report
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = report.record(model, optimizer, sys.argv[1])
    for step in range(5):
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        if step == int(sys.argv[2]):
            raise RuntimeError("mine")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("fails", "ended"), [(9, "complete"), (2, "interrupted")])
def test_nobody_closes_it(tmp_path: Path, fails: int, ended: str) -> None:
    """A program that forgets to close the recorder has its recording all the same."""
    done = python(UNCLOSED, tmp_path / "run", fails)
    assert done.returncode == (fails == 2)
    recording = report.Recording.open(tmp_path / "run")
    assert recording.steps == min(5, fails + 1)
    assert recording.description.ended == ended


FULL = """
    import sys, torch, report
    model = torch.nn.Linear(50, 50)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with report.record(model, optimizer, sys.argv[1], whole="*") as recorder:
        for step in range(400):
            optimizer.zero_grad()
            model(torch.randn(4, 50)).square().mean().backward()
            optimizer.step()
            recorder.log(loss=step)
    print(step, recorder.failure)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of four megabytes, where that is allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        gc.collect()  # maps of its files
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_full_disk(small_disk: Path) -> None:
    """It is said once, in one line that says what is full; training goes on to its end; what fitted can be read."""
    done = python(FULL, small_disk / "run")
    assert done.returncode == 0
    assert done.stdout.startswith("399 No space left on device")
    assert len(done.stderr.splitlines()) == 1
    assert "No space left on device" in done.stderr
    assert "goes on" in done.stderr
    assert "--build" not in done.stderr
    recording = report.Recording.open(small_disk / "run")
    assert recording.description.ended == "stopped"
    assert [note.kind for note in recording.notes] == ["stopped"]
    assert 0 < recording.steps < 400
    assert recording.series["loss"].tolist() == list(range(recording.steps))
    assert np.isfinite(recording.weights("weight")).all()
    assert np.load(small_disk / "run" / "weights-0.npy").shape == (recording.steps + 1, 2500)
    assert np.load(small_disk / "run" / "gradients-0.npy").shape == (recording.steps, 2500)


@pytest.mark.slow
def test_full_disk_at_the_start(small_disk: Path) -> None:
    """What cannot even begin is refused at once, in one line that says what to do."""
    (small_disk / "ballast").write_bytes(bytes(4 * 2**20 - 16384))
    done = python(FULL, small_disk / "run")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("report.errors.ReportError: record: cannot write")
    assert "name another folder" in done.stderr
    assert [*(small_disk / "run").iterdir()] == []
    assert "--build" not in done.stderr


@pytest.mark.parametrize("again", [False, True], ids=["gone", "made again"])
def test_deleted_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture, again: bool) -> None:
    """A folder that is deleted during training is not made again, and nothing else there is touched."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with caplog.at_level(logging.WARNING, "report"), report.record(model, optimizer, tmp_path / "run") as recorder:
        train(model, optimizer, 200)
        wait_for_rows(tmp_path / "run", 128)
        shutil.rmtree(tmp_path / "run")
        if again:
            (tmp_path / "run").mkdir()
        train(model, optimizer, 400)
    assert recorder.failure is not None
    assert "No such file or directory" in recorder.failure
    assert len(caplog.records) == 1
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["run"] * again


def test_another_recording_takes_the_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A notebook's cell that is run twice: the new recorder replaces the old one, which writes no row into it."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    first = report.record(model, optimizer, tmp_path / "run")
    train(model, optimizer, 200)
    wait_for_rows(tmp_path / "run", 128)
    hand = ByHand(model)
    with caplog.at_level(logging.WARNING, "report"):
        with report.record(model, optimizer, tmp_path / "run", overwrite=True):
            train(model, optimizer, 300, hand)
        first.close()
    hand.check(tmp_path / "run")
    assert first.failure is not None
    assert "replaced" in first.failure
    assert len(caplog.records) == 1


HOLDING = """
    import sys, torch, report
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    recorder = report.record(model, optimizer, sys.argv[1])
    print("recording", flush=True)
    sys.stdin.readline()
    recorder.close()
    print("closed", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
@pytest.mark.parametrize("ends", ["closed", "killed"])
def test_another_process_records_there(tmp_path: Path, ends: str) -> None:
    """Its recording is not replaced before it is closed, or that process is gone."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    command = [sys.executable, "-c", textwrap.dedent(HOLDING), str(tmp_path / "run")]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=ENVIRONMENT, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "recording\n"
        before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
        report.Recording.open(tmp_path / "run").settings  # noqa: B018 - a reader does not disturb it
        for _ in range(2):
            with pytest.raises(report.errors.ReportError, match=r"another process is recording into .*run\. Name"):
                report.record(model, optimizer, tmp_path / "run", overwrite=True)
        assert before == {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
        if ends == "killed":
            process.kill()
            process.wait()
        else:
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "closed\n"
        with report.record(model, optimizer, tmp_path / "run", overwrite=True):
            train(model, optimizer, 3)
        process.kill()
    assert report.Recording.open(tmp_path / "run").steps == 3


@pytest.mark.parametrize("steps", [3, 600])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, steps: int
) -> None:
    """The thread's death is said once, whether it is noticed during training or only at the end."""
    monkeypatch.setattr(writer.Writer, "_write", lambda self, batch: sys.exit())
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with caplog.at_level(logging.WARNING, "report"), report.record(model, optimizer, tmp_path / "run") as recorder:
        train(model, optimizer, steps)
    assert recorder.failure == "its writing thread died"
    assert len(caplog.records) == 1
    recording = report.Recording.open(tmp_path / "run")
    assert recording.description.ended == "stopped"
    assert [note.kind for note in recording.notes] == ["stopped"]


def test_a_slow_disk_holds_training_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows wait in a bounded queue: when it is full, the training waits too."""
    model = pair()
    row = 8 * sum(each.numel() for each in model.parameters())
    monkeypatch.setattr(gather, "CHUNK_BYTES", 4 * row)
    monkeypatch.setattr(writer, "IN_FLIGHT", 10 * row)
    original, waiting = writer.Writer._write, []

    def slow(self: writer.Writer, batch: Any) -> None:
        waiting.append(self._in_flight)
        time.sleep(0.01)
        original(self, batch)

    monkeypatch.setattr(writer.Writer, "_write", slow)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run"):
        train(model, optimizer, 203, hand)
    hand.check(tmp_path / "run")
    assert max(waiting) <= 14 * row


def test_what_was_handed_over_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While rows wait for the writer, it takes no newer ones."""
    monkeypatch.setattr(gather, "CHUNK_BYTES", 1)
    original, go_on = writer.Writer._write, threading.Event()

    def held(self: writer.Writer, batch: Any) -> None:
        go_on.wait(10)
        original(self, batch)

    monkeypatch.setattr(writer.Writer, "_write", held)
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        train(model, optimizer, 5, hand)
        assert recorder._rounds.take_in_pause() is None
        go_on.set()
    hand.check(tmp_path / "run")


def test_two_threads_keep_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that the training hands over, and rows that the writer takes in a pause, stay in the order of the steps."""
    model = nn.Linear(3, 2)
    monkeypatch.setattr(gather, "CHUNK_BYTES", 3 * 8 * 8)
    monkeypatch.setattr(writer, "FLUSH_SECONDS", 1e-6)
    monkeypatch.setattr(writer.Writer, "_commit", lambda self: None)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        hand = ByHand(model)
        with report.record(model, optimizer, tmp_path / "run") as recorder:
            for step in range(3000):
                for each in model.parameters():
                    each.grad = torch.full_like(each, step)
                hand.before()
                optimizer.step()
                hand.after()
                recorder.log(step=step)
            monkeypatch.undo()
    finally:
        sys.setswitchinterval(interval)
    assert hand.check(tmp_path / "run").series["step"].tolist() == list(range(3000))


def test_a_fault_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake within the hook is said once; what was gathered before is written; training goes on."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with caplog.at_level(logging.WARNING, "report"), report.record(model, optimizer, tmp_path / "run") as recorder:
        train(model, optimizer, 30, hand)
        monkeypatch.setattr(gather.Reader, "weights", lambda *_: 1 / 0)
        train(model, optimizer, 3)
        recorder.log(loss=1)
    recording = hand.check(tmp_path / "run")
    assert recorder.failure == "ZeroDivisionError: division by zero"
    assert recording.description.ended == "stopped"
    assert [(note.kind, note.step) for note in recording.notes] == [("stopped", 30)]
    assert len(caplog.records) == 1


def test_a_loop_that_goes_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder is meant as it was when the recording began; Hydra, say, changes to another one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, "runs/mine"):
        train(model, optimizer, 2, hand)
        monkeypatch.chdir(tmp_path / "elsewhere")
        train(model, optimizer, 200, hand)
    assert hand.check(tmp_path / "runs" / "mine").label == "mine"


def test_a_parameter_that_changes_its_shape(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A row has no place for it: the recording stops, and says which tensor it was."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with caplog.at_level(logging.WARNING, "report"), report.record(model, optimizer, tmp_path / "run") as recorder:
        train(model, optimizer, 3, hand)
        model[2].weight.data = model[2].weight.data[:1]
        model[2].bias.data = model[2].bias.data[:1]
        optimizer.zero_grad()
        model(torch.randn(4, 6)).square().mean().backward()
        optimizer.step()
    hand.weights = [{**each} for each in hand.weights]
    recording = report.Recording.open(tmp_path / "run")
    assert recording.steps == 3
    assert recorder.failure is not None
    assert "2.weight had the shape [2, 5] and now has [1, 5]" in recorder.failure
    assert len(caplog.records) == 1


def _child(folder: Path, optimizer: torch.optim.Optimizer, recorder: report.Recorder) -> None:
    """Train on in a forked process."""
    for _ in range(300):
        optimizer.step()
        recorder.log(loss=5)
    recorder.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork(tmp_path: Path) -> None:
    """Workers of a DataLoader, or a training in a forked process, write nothing into the parent's recording."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hand = ByHand(model)
    with report.record(model, optimizer, tmp_path / "run") as recorder:
        train(model, optimizer, 3, hand)
        wait_for_rows(tmp_path / "run", 3)
        before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
        child = multiprocessing.get_context("fork").Process(target=_child, args=(tmp_path, optimizer, recorder))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert before == {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
        for _ in torch.utils.data.DataLoader(torch.arange(4), num_workers=2, multiprocessing_context="fork"):
            train(model, optimizer, 1, hand)
    recording = hand.check(tmp_path / "run")
    assert recording.is_complete
    assert recording.series == {}


def test_two_trainings_in_two_threads(tmp_path: Path) -> None:
    """Recorders share nothing."""
    hands = {}

    def work(number: int) -> None:
        model = nn.Linear(6, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        hands[number] = ByHand(model)
        with report.record(model, optimizer, tmp_path / str(number)):
            train(model, optimizer, 150, hands[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, hand in hands.items():
        hand.check(tmp_path / str(number))


MEMORY = """
    import sys, psutil, torch, report
    torch.set_num_threads(1)
    model = torch.nn.Sequential(*(torch.nn.Linear(256, 256) for _ in range(8)))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.randn(4, 256)).square().mean().backward()
            optimizer.step()
    train(20)
    before = psutil.Process().memory_info().rss
    with report.record(model, optimizer, sys.argv[1], sample=1024) as recorder:
        peak = 0
        for step in range(int(sys.argv[2]) // 10):
            train(10)
            recorder.log(loss=step)
            peak = max(peak, psutil.Process().memory_info().rss)
    print(peak - before)
"""


@pytest.mark.slow
def test_memory_does_not_depend_on_the_number_of_steps(tmp_path: Path) -> None:
    """Under 64 MB beside the model, for a short training and for one four times as long."""
    found = []
    for steps in (500, 2000):
        done = python(MEMORY, tmp_path / str(steps), steps)
        assert done.returncode == 0, done.stderr
        found.append(int(done.stdout) / 2**20)
    assert max(found) < 64, found
    # How far the writer lags behind differs; the rows that come in between are 117 MiB.
    assert found[1] - found[0] < 40, found
