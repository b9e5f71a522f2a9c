"""What a person sees on the terminal: bars with the time left where it is one, plain lines where it is not."""

import _thread
import contextlib
import io
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console as RichConsole

PLAIN_SECONDS = 10.0  # between two lines of progress where there is no terminal
REPEAT_SECONDS = 0.01  # after which an interrupt that Python dropped comes again

Report = Callable[[int, int, str], None]


class Console:
    """Speak to the person who runs the command."""

    def __init__(self) -> None:
        """Look whether the output is a terminal."""
        self._rich = RichConsole(highlight=False, soft_wrap=True)
        self._live = self._rich.is_terminal

    def say(self, line: str) -> None:
        """Print one line; warnings stand out."""
        self._rich.print(line, style="bold yellow" if line.startswith("WARNING") else None, markup=False)
        sys.stdout.flush()

    def error(self, message: str) -> None:
        """Print what went wrong, on standard error."""
        RichConsole(stderr=True, highlight=False, soft_wrap=True).print(message, style="bold red", markup=False)

    def emphasise(self, text: str) -> None:
        """Print what stands above others."""
        self._rich.print(text, style="bold", markup=False)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str]) -> None:
        """Print a table; the columns that `numbers` names are aligned on the right."""
        from rich import box  # here and below, because most commands show neither
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
        for head in heads:
            table.add_column(head, justify="right" if head in numbers else "left")
        for row in rows:
            table.add_row(*map(Text, row))
        self._rich.print(table, soft_wrap=False)

    @contextlib.contextmanager
    def progress(self) -> Iterator[Report]:
        """Show how far a piece of work is: call the yielded function with (done, total, what)."""
        if not self._live:
            yield _plain(self.say)
            return
        from rich import progress

        columns = (
            progress.TextColumn("  {task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TextColumn("left:"),
            progress.TimeRemainingColumn(),
        )
        with progress.Progress(*columns, console=self._rich, transient=True) as bars:
            tasks = {}

            def report(done: int, total: int, what: str) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done, total=total)

            yield report


def _plain(say: Callable[[str], None]) -> Report:
    """Return a progress function that prints a line now and then."""
    started = last = time.monotonic()
    current, first = "", 0

    def report(done: int, total: int, what: str) -> None:
        nonlocal started, last, current, first
        now = time.monotonic()
        if what != current:
            current, first, started = what, done, now
        if now - last >= PLAIN_SECONDS and done > first:
            last = now
            left = (now - started) / (done - first) * (total - done)
            say(f"  {what}: {done:,} of {total:,}, about {left:.0f} s left")

    return report


def heed_lost_interrupts() -> None:
    """Repeat a Ctrl-C that arrives while Python cleans up an object, where it drops every exception."""
    unraisable = sys.unraisablehook
    # Not at once: the hook itself runs where an exception would be dropped.
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.default_int_handler)

        def repeat() -> None:
            signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS)
    else:

        def repeat() -> None:
            threading.Timer(REPEAT_SECONDS, _thread.interrupt_main).start()

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            repeat()
        else:
            unraisable(lost)

    sys.unraisablehook = hook


def shell_line(words: Sequence[str]) -> str:
    """Return a command as it can be typed into this system's shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def spare_letters() -> None:
    """Let a terminal that cannot show a letter show a question mark, rather than end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
