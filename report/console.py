"""What a person sees on the terminal: bars with the time left where it is one, plain lines where it is not."""

import contextlib
import functools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console as RichConsole
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:  # NumPy takes longer than most commands
    from report.analysis.findings.records import Finding
    from report.site.words import Words

PLAIN_SECONDS = 10.0  # between two lines of progress where there is no terminal

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

    def findings(self, findings: "Sequence[Finding]", words: "Words") -> None:
        """Print each claim with its verdict, and below it the tests and the evidence, in the words of a language."""
        for each in findings:
            said = functools.partial(_say, words, each)
            reason = f" {said('reasons', each.reason)}" if each.reason else ""
            claim, verdict = said(each.id, "claim"), said("verdicts", each.verdict)
            self._rich.print(f"\n{claim}\n→ {verdict}.{reason}", style="bold", markup=False)
            for test in each.tests:
                answer = said("answers", {True: "yes", False: "no", None: "open"}[test.holds])
                asked = said(each.id, test.id, optimizer=test.optimizer, against=test.against)
                self._rich.print(f"  {test.layer or ''} {asked} {answer}", markup=False)
            if each.evidence:
                self._rich.print(_evidence_table(each, said), soft_wrap=False)

    @contextlib.contextmanager
    def progress(self) -> Iterator[Report]:
        """Show how far a piece of work is: call the yielded function with (done, total, what)."""
        if not self._live:
            yield _plain(self.say)
            return
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._rich, transient=True) as bars:
            tasks = {}

            def report(done: int, total: int, what: str) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done, total=total)

            yield report


def _say(words: "Words", finding: "Finding", section: str, key: str, **more: str | None) -> str:
    return words.fill("findings", section, key, {**finding.facts, **more})


def _evidence_table(finding: "Finding", said: Callable[[str, str], str]) -> Table:
    """Return pieces of evidence as a table; a dash stands for what does not exist."""
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    for name in ("evidence", "layer", "batches", "optimizer"):
        table.add_column(name)
    for name in ("value", "95 % interval", "by chance", "n"):
        table.add_column(name, justify="right")
    table.add_column("unit")

    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.4g}"

    for each in finding.evidence:
        interval = "–" if each.low is None else f"{number(each.low)} to {number(each.high)}"
        names = " / ".join(filter(None, (each.optimizer, each.against)))
        texts = [Text(text or "") for text in (said("evidence", each.id), each.layer, each.window, names)]
        table.add_row(*texts, number(each.value), interval, number(each.predicted), str(each.n), each.unit)
    return table


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
