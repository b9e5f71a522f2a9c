"""The claims of the first article, the rule that decides each, and its verdict: one file a claim.

The rules and their constants stand in this folder and nowhere else; pages show them.
"""

from collections.abc import Mapping
from typing import Any

from report.analysis.findings.accuracy import accuracy
from report.analysis.findings.layers import late, quiet
from report.analysis.findings.momentum import momentum
from report.analysis.findings.persistence import persistence
from report.analysis.findings.records import Study

RULES = (persistence, momentum, quiet, late, accuracy)


def findings(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a record for each of the five claims, always in the same order (shape: see `records.Finding`).

    Args:
        results: with `study`, `summary`, `theory`, `experiment`, `data`, `accuracy`.
    """
    study = Study(results)
    return [rule(study).as_dict() for rule in RULES]
