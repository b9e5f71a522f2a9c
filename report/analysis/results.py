"""What was analysed, as pages name it: `results.json`, and beside it the numbers of the table that they state."""

from collections.abc import Mapping, Sequence
from typing import Any

from report import files
from report.analysis import cuts, table
from report.analysis.intervals import Estimate
from report.analysis.table import SCALARS, SCHEMA, Rows, Table
from report.analysis.windows import WHOLE, WINDOWS
from report.workspace import Workspace

Results = Mapping[str, Any]


def read(workspace: Workspace) -> dict[str, Any]:
    """Return `results.json` as it is.

    Raises:
        ReportError: when it is missing or damaged.
    """
    found: dict[str, Any] = files.read_json(workspace.results)
    return found


def numbers(workspace: Workspace, results: Results) -> Table:
    """Return the table that belongs to `results`."""
    return table.read(workspace.numbers, labels(results), results["network"]["names"])


def labels(results: Results) -> list[str]:
    """Return the slugs of all labels, in the order of the study, the main one first."""
    return [each["slug"] for each in results["study"]["optimizers"]]


def view(results: Results, table: Table) -> dict[str, Any]:
    """Return the results with the numbers of the table below names that templates use.

    Returns:
        What `results.json` has, and `summary`[quantity][slug][tensor][window][name]: an estimate; for
        `autocorrelation` and `run_lengths` lists `mean`, `low`, `high` and `n`; for `transplants` the slug of the
        applied optimizer comes first, then that of the gradients; `curves`: `startup` and `agreement`,
        [slug][tensor]: the same, with `batch`; and of the main recording, by its name and tensor, `threshold`, `size`
        (by window) and `startup` (`first_batch`).
    """
    main, slug, order = results["main"], results["study"]["main"], labels(results)
    place = results["study"]["runs"][slug].index(main)
    summary: dict[str, Any] = {quantity: _nested(table.quantity(quantity), order) for quantity in SCALARS}
    for quantity in ("autocorrelation", "run_lengths"):
        summary[quantity] = _nested_series(table, quantity, order)
    summary["transplants"] = {
        applied: _nested(
            {key: row for key, row in table.quantity("transplants").items() if key.applied == applied}, order
        )
        for applied in order
    }
    own: dict[str, Any] = {name: {} for name in ("threshold", "size", "startup")}
    for tensor in results["tensors"]:
        own["threshold"][tensor] = cuts.law(table, slug, tensor, place)
        own["size"][tensor] = cuts.sizes(table, slug, tensor, place)
        first = {name: table.get("first_step", name, slug, tensor).values for name in SCHEMA["first_step"]}
        own["startup"][tensor] = {
            "first_batch": {name: values[place] if values else None for name, values in first.items()}
        }
    curves = {"startup": _curves(table, "startup", order), "agreement": _curves(table, "agreement_batches", order)}
    return {
        **results,
        "summary": summary,
        "curves": curves,
        **{name: {main: found} for name, found in own.items()},
    }


def _nested(rows: Rows, labels: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {label: {} for label in labels}
    for key, row in rows.items():
        if not key.window.startswith(WHOLE):
            found[key.label].setdefault(key.tensor, {}).setdefault(key.window, {})[key.statistic] = row
    return found


def _nested_series(table: Table, quantity: str, labels: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {label: {} for label in labels}
    for label in labels:
        for tensor in table.tensors:
            for window in WINDOWS:
                row = {name: _lists(table.series(quantity, name, label, tensor, window)) for name in SCHEMA[quantity]}
                if any(each["mean"] for each in row.values()):
                    found[label].setdefault(tensor, {})[window] = row
    return found


def _curves(table: Table, quantity: str, labels: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for label in labels:
        for tensor in table.tensors:
            rows = table.series(quantity, next(iter(SCHEMA[quantity])), label, tensor)
            if rows:
                found.setdefault(label, {})[tensor] = {"batch": [key.at for key in rows], **_lists(rows)}
    return found


def _lists(rows: Rows) -> dict[str, Any]:
    every: list[Estimate] = list(rows.values())
    ends = {end: [getattr(each, end) for each in every] for end in ("mean", "low", "high")}
    return {**ends, "n": every[0].n if every else 0}
