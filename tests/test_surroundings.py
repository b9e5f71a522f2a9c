"""Where a command is run: without a home or a name, from sources that cannot be written, in a small container."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, TINY
from test_structure import NEEDS_MAKE
from test_study import variant

NOBODY = 12345  # a user without a name, as containers run programs
# Reading is what it may: Python itself may lie in the home of another user.
AS_NOBODY = (
    f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --inh-caps=+dac_read_search "
    "--ambient-caps=+dac_read_search"
)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_that_cannot_show_a_letter(tmp_path: Path, encoding: str) -> None:
    """It shows a question mark; the command ends as it would."""
    done = subprocess.run(
        [sys.executable, "-m", "report", "--experiment", str(tmp_path / "Ωμέγα 名.toml"), "train"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding, "LANG": "C"},
        capture_output=True,
        encoding=encoding,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "????? ?.toml" in done.stderr


def apart(line: str, *mounts: str) -> list[str]:
    """Return a command that runs a line of a shell where other things are mounted; it is gone with the command.

    Skips the test where that is not allowed.
    """
    if shutil.which("unshare") is None or shutil.which("setpriv") is None:
        pytest.skip("This system has no unshare and setpriv.")
    python = f"{AS_NOBODY} {shlex.quote(sys.executable)} -c pass"
    command = ["unshare", "--mount", "sh", "-c", " && ".join([*mounts, python])]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("Mounting, or being somebody else, is not allowed here.")
    return [*command[:-1], " && ".join([*mounts, line])]


@pytest.mark.parametrize(
    ("file", "content", "count"),
    [
        *(("cpu.max", "50000 100000", 1), ("cpu.max", "100000 100000", 1), ("cpu.max", "200000 100000", 2)),
        *(("cpu.max", "max 100000", 1000), ("cpu/cpu.cfs_quota_us", "100000", 1)),
    ],
)
def test_a_containers_share_of_the_processor_counts(file: str, content: str, count: int) -> None:
    """As both versions of Linux's control groups say it."""
    folder = "/sys/fs/cgroup"
    mounts = [f"mount -t tmpfs none {folder}", f"mkdir {folder}/cpu", f"echo 100000 > {folder}/cpu/cpu.cfs_period_us"]
    asked = shlex.join([sys.executable, "-c", "from report.cores import cores; print(cores())"])
    asked = f"env --unset=LOKY_MAX_CPU_COUNT {asked}"
    command = apart(f"exec {asked}", *mounts, f"echo {content} > {folder}/{file}")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == min(count, len(os.sched_getaffinity(0)))


@pytest.mark.slow
@pytest.mark.parametrize("home", [None, "/proc/none"])
def test_the_poorest_container(tmp_path: Path, home: str | None) -> None:
    """No name, no home, sources that cannot be written, 64 KB of shared memory, a third of a processor.

    And somebody edits the experiment's file meanwhile: the site is that of the file as it was.
    """
    place = tmp_path / "given"
    place.mkdir()
    experiment = variant(tmp_path, "[[study.optimizers]]\nname = 'SGD'\n")
    before = experiment.read_bytes()
    words = ["all", "--experiment", str(experiment), "--build", str(place / "build"), "--site", str(place / "site")]
    cgroup = "/sys/fs/cgroup"
    command = apart(
        f"exec {AS_NOBODY} {shlex.join([sys.executable, '-m', 'report', *words])}",
        f"mount --bind {shlex.quote(str(ROOT))} {shlex.quote(str(ROOT))}",
        f"mount -o remount,bind,ro {shlex.quote(str(ROOT))}",
        "mount -t tmpfs -o size=64k,mode=1777 none /dev/shm",
        f"mount -t tmpfs none {cgroup}",
        f"echo 33000 100000 > {cgroup}/cpu.max",
    )
    for each in (tmp_path, *list(tmp_path.parents)[:3]):
        if each != Path("/tmp"):
            each.chmod(each.stat().st_mode | 0o055)
    os.chown(place, NOBODY, NOBODY)
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "USER", "LOGNAME")}
    environment |= {"HOME": home} if home else {}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (place / "build" / "runs").is_dir() and process.poll() is None:
            time.sleep(0.05)
        experiment.write_text("[training]\nbatches = 7\n", encoding="utf-8")
        output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    site = place / "site"
    assert (site / "index.html").stat().st_uid == NOBODY
    assert (site / "downloads" / "experiment.toml").read_bytes() == before
    assert "batches = 60" in (site / "downloads" / "experiment.toml").read_text(encoding="utf-8"), output


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user")
def test_a_build_folder_of_somebody_else_is_one_line(tmp_path: Path) -> None:
    """It says where, and what to do."""
    words = ["train", "--experiment", str(TINY), "--build", str(tmp_path / "build")]
    tmp_path.chmod(0o755)
    line = f"exec {AS_NOBODY} {shlex.join([sys.executable, '-m', 'report', *words])}"
    done = subprocess.run(apart(line), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Cannot write {tmp_path / 'build'}"), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@NEEDS_MAKE
@pytest.mark.parametrize("is_whole", [False, True])
def test_an_environment_whose_python_is_gone_is_made_again(tmp_path: Path, is_whole: bool) -> None:
    """An upgrade of the system removes it, and links are left; one that works is kept."""
    environment = tmp_path / "venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable if is_whole else tmp_path / "gone")
    subprocess.run(["make", f"VENV={environment}", "help"], cwd=ROOT, capture_output=True, check=True)
    assert environment.exists() == is_whole
