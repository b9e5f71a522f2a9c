"""What was analysed, as later stages read it: `results.json`, and beside it the table of numbers."""

from collections.abc import Mapping
from typing import Any

from report import files
from report.analysis import table
from report.analysis.table import Table
from report.workspace import Workspace


def read(workspace: Workspace) -> dict[str, Any]:
    """Return `results.json` as it is.

    Raises:
        ReportError: when it is missing or damaged.
    """
    found: dict[str, Any] = files.read_json(workspace.results)
    return found


def numbers(workspace: Workspace, results: Mapping[str, Any]) -> Table:
    """Return the table that belongs to `results`."""
    labels = [each["slug"] for each in results["study"]["optimizers"]]
    return table.read(workspace.numbers, labels, results["network"]["names"])
