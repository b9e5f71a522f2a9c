"""A finding's evidence as a table that can be read across: a row for each measure, a column for each layer."""

from collections.abc import Mapping, Sequence
from typing import Any

SHARED = ("unit", "n", "window", "optimizer")  # what is said once where all pieces of evidence have it in common


def arrange(evidence: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return pieces of evidence, as results.json has them, by row and column.

    Returns:
        `columns`: the layers, None standing for what is of no single layer; `rows`: each with `name`, `optimizer`
        (None where all have the same) and `cells`, a piece of evidence or None for each column; `shared`: what all
        pieces have in common, of unit, n, window and optimizer; `tables`: the paths of the tables that they stand in.
        All in the order in which the evidence has them.
    """
    shared = {name: evidence[0][name] for name in SHARED if len({each[name] for each in evidence}) == 1}
    columns = list(dict.fromkeys(each["layer"] for each in evidence))
    rows: dict[tuple[str, str | None], dict[str | None, Mapping[str, Any]]] = {}
    for each in evidence:
        rows.setdefault((each["name"], None if "optimizer" in shared else each["optimizer"]), {})[each["layer"]] = each
    return {
        "columns": columns,
        "rows": [
            {"name": name, "optimizer": optimizer, "cells": [cells.get(layer) for layer in columns]}
            for (name, optimizer), cells in rows.items()
        ],
        "shared": shared,
        "tables": list(dict.fromkeys(each["where"] for each in evidence)),
    }
