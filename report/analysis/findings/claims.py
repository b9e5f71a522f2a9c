"""The claims of the first article in their order."""

from collections.abc import Mapping
from typing import Any

from report.analysis.findings.accuracy import accuracy
from report.analysis.findings.layers import late, quiet
from report.analysis.findings.momentum import momentum
from report.analysis.findings.persistence import persistence
from report.analysis.findings.records import Finding, Lookup
from report.analysis.table import Table
from report.analysis.theory import Theory

RULES = (persistence, momentum, quiet, late, accuracy)


def findings(results: Mapping[str, Any], table: Table, theories: Mapping[str, Theory | None]) -> list[Finding]:
    """Return a finding for each of the five claims, always in the same order.

    Args:
        results: with `study`, `about`, `data`, `accuracy`, `drawn`, `tensors`.
        table: the numbers.
        theories: what chance predicts, by slug.
    """
    study = Lookup(results, table, theories)
    return [rule(study) for rule in RULES]
