"""The findings for a terminal, in the words of a language."""

import functools
from collections.abc import Callable, Sequence

from report.analysis.findings.records import Evidence, Finding
from report.console import Console
from report.site.evidence import answer
from report.site.words import Words

NUMBERS = ("value", "95 % interval", "by chance", "n")
HEADS = ("evidence", "layer", "batches", "optimizer", *NUMBERS, "unit")


def write(findings: Sequence[Finding], words: Words, console: Console) -> None:
    """Print each claim with its verdict, and below it the tests and the evidence."""
    for finding in findings:
        say = functools.partial(_say, words, finding)
        reason = f" {say('reasons', finding.reason)}" if finding.reason else ""
        console.emphasise(f"\n{say(finding.id, 'claim')}\n→ {say('verdicts', finding.verdict)}.{reason}")
        for test in finding.tests:
            asked = say(finding.id, test.id, optimizer=test.optimizer, against=test.against)
            console.say(f"  {test.layer or ''} {asked} {say('answers', answer(test))}")
        if finding.evidence:
            console.table(HEADS, [_row(each, say) for each in finding.evidence], NUMBERS)


def _say(words: Words, finding: Finding, section: str, key: str, **more: str | None) -> str:
    return words.fill("findings", section, key, {**finding.facts, **more})


def _row(each: Evidence, say: Callable[[str, str], str]) -> list[str]:
    """Return a piece of evidence as a row of a table; a dash stands for what does not exist."""

    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.4g}"

    interval = "–" if each.low is None else f"{number(each.low)} to {number(each.high)}"
    optimizers = " / ".join(filter(None, (each.optimizer, each.against)))
    texts = [say("evidence", each.id), each.layer or "", each.window or "", optimizers]
    return [*texts, number(each.value), interval, number(each.predicted), str(each.n), each.unit]
