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


def control(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the optimizer without momentum: of the main one's class, or else the first that there is; None of none."""
    study, theories = results["study"], results["theory"]
    main, *others = [each for each in study["optimizers"] if study["runs"].get(each["slug"])]
    without = [each for each in others if (theories[each["slug"]] or {}).get("memory") == 0]
    return next((each for each in without if each["name"] == main["name"]), next(iter(without), None))


def numbers(workspace: Workspace, results: Mapping[str, Any]) -> Table:
    """Return the table that belongs to `results`."""
    labels = [each["slug"] for each in results["study"]["optimizers"]]
    return table.read(workspace.numbers, labels, results["network"]["names"])
