"""The claims of the first article in their order."""

from collections.abc import Mapping
from typing import Any

from report.analysis.findings.accuracy import accuracy
from report.analysis.findings.layers import late, quiet
from report.analysis.findings.momentum import momentum
from report.analysis.findings.persistence import persistence
from report.analysis.findings.records import Lookup

RULES = (persistence, momentum, quiet, late, accuracy)


def findings(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a record for each of the five claims, always in the same order (shape: see `records.Finding`).

    Args:
        results: with `study`, `summary`, `theory`, `about`, `data`, `accuracy`, `drawn`, `tensors`.
    """
    study = Lookup(results)
    return [rule(study).as_dict() for rule in RULES]
