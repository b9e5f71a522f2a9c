"""Every claim in its order: what this site found, then what the first article says."""

from report.analysis.findings.accuracy import accuracy
from report.analysis.findings.layers import late, quiet
from report.analysis.findings.loop import loop, together
from report.analysis.findings.momentum import momentum
from report.analysis.findings.persistence import persistence
from report.analysis.findings.records import Finding, Lookup
from report.analysis.findings.streaks import formula, streaks

OURS = (streaks, together, loop, formula)
RULES = (*OURS, persistence, momentum, quiet, late, accuracy)


def findings(study: Lookup) -> list[Finding]:
    """Return a finding for each claim, always in the same order."""
    return [rule(study) for rule in RULES]
