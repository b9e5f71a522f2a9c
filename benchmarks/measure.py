"""The stop-watch: alternating runs and their medians, whole processes with their memory, and one line a result."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from report.errors import ReportError

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_SECONDS = 0.05  # between two looks at a process's memory


@dataclass(frozen=True)
class Line:
    """Hold one result: a measured value, often a ratio, and the bound that is wanted of it.

    Attributes:
        what: what is compared with what.
        value: the ratio or the amount; None where it could not be measured.
        bound: what is wanted; None where a value is printed for information alone.
        sense: whether the value must be at most or at least the bound.
        unit: of value and bound, "×" for a ratio.
        detail: the two amounts behind a ratio, or why nothing was measured.
    """

    what: str
    value: float | None
    bound: float | None = None
    sense: Literal["at most", "at least"] = "at most"
    unit: str = "×"
    detail: str = ""

    @property
    def missed(self) -> bool:
        """Tell whether the bound is not kept; what was not measured is not missed."""
        if self.value is None or self.bound is None:
            return False
        return self.value > self.bound if self.sense == "at most" else self.value < self.bound

    def __str__(self) -> str:
        """Return the line as it is printed."""
        if self.value is None:
            return f"  --  {self.what}: not measured. {self.detail}"
        mark = "    " if self.bound is None else "MISS" if self.missed else " ok "
        wanted = "" if self.bound is None else f" (wanted: {self.sense} {_number(self.bound)} {self.unit})"
        return f" {mark} {self.what}: {_number(self.value)} {self.unit}{wanted}" + (
            f"; {self.detail}" * bool(self.detail)
        )


def _number(value: float) -> str:
    """Return three significant digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def alternate(first: Callable[[], float], second: Callable[[], float], rounds: int) -> tuple[float, float, list[float]]:
    """Time two things in turn, so that a busy minute of the machine meets both.

    Args:
        first: does its work and returns seconds.
        second: likewise.
        rounds: how often each is done; the order turns round every time.

    Returns:
        The median seconds of each, and the ratio first / second of every round.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds):
        for which in (0, 1) if turn % 2 == 0 else (1, 0):
            times[which].append((first, second)[which]())
    ratios = [one / other for one, other in zip(*times, strict=True)]
    return statistics.median(times[0]), statistics.median(times[1]), ratios


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@dataclass(frozen=True)
class Cost:
    """Hold what whole processes took: seconds on the clock, and bytes of memory at the worst moment."""

    seconds: float
    memory: int
    output: str


def watch(commands: Sequence[Sequence[str]], seconds: float = 3600, folder: Path = ROOT) -> Cost:
    """Run `python` with each of the arguments in turn in a folder, as a person would.

    Memory is the resident set of the process and all its children together, looked at every 50 ms, or what the
    system noted as the highest of the process itself where that is more.

    Raises:
        ReportError: when one of them fails, with what it printed.
    """
    total, memory, output = 0.0, 0, ""
    for command in commands:
        # A file, not a pipe: nobody empties a pipe while memory is being watched.
        with (log := _scratch()).open("w+") as file:
            started = time.perf_counter()
            process = subprocess.Popen([sys.executable, *command], cwd=folder, stdout=file, stderr=subprocess.STDOUT)
            peak = 0
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                peak = max(peak, _resident(process.pid))
                if time.perf_counter() - started > seconds:
                    process.kill()
                time.sleep(SAMPLE_SECONDS)
            total += time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        said = log.read_text(encoding="utf-8", errors="replace")
        log.unlink()
        if process.returncode:
            raise ReportError(f"python {' '.join(command)} ended with {process.returncode}:\n{said}")
        highest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        memory, output = max(memory, peak, highest), output + said
    return Cost(total, memory, output)


def _scratch() -> Path:
    """Return a new temporary file."""
    import tempfile

    handle, name = tempfile.mkstemp(prefix="benchmark-", suffix=".log")
    os.close(handle)
    return Path(name)


def _resident(pid: int) -> int:
    """Return the bytes that a process and its children hold in memory now."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return total


def mebibytes(count: float) -> str:
    """Return bytes as a person reads them."""
    return f"{count / 2**20:,.0f} MiB" if count >= 2**20 * 10 else f"{count / 2**10:,.0f} KiB"
