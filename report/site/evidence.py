"""A finding's evidence as a table that can be read across: a row for each measure, a column for each layer."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# What seeds 0 to 4 of the default experiment showed under the rules of today, which were written after them.
EXPLORATORY = Path(__file__).with_name("exploratory.csv")
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


def is_less_at_first(streaks: Mapping[str, Any], late: str) -> bool:
    """Tell whether a sign toss leaves less of the streaks at the start than later.

    So it is where, in every layer, the share at the start has an interval that ends below the share later.

    Args:
        streaks: the finding, as results.json has it.
        late: the window free of start-up.
    """
    shares = [each for each in streaks["evidence"] if each["unit"] == "fraction"]
    later = {each["layer"]: each["value"] for each in shares if each["window"] == late}
    first = {each["layer"]: each["high"] for each in shares if each["window"] != late}
    pairs = [(first.get(layer), value) for layer, value in later.items()]
    return bool(pairs) and all(None not in pair and pair[0] < pair[1] for pair in pairs)


def compare(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what the claims' deciding numbers were on the exploratory seeds, beside what they are now.

    Returns:
        One mapping a finding: `id`, `claim`, `then` and `now`, its verdicts (`then` None for a claim that was not
        asked); `rows`, each with `name`, `layer` and `optimizer`, `then` and `now`: `mean`, `low`, `high`.
    """
    with EXPLORATORY.open(encoding="utf-8", newline="") as file:
        known = list(csv.DictReader(file))
    found = []
    for finding in findings:
        former = [row for row in known if row["id"] == finding["id"]]
        now = {(each["name"], each["layer"] or "", each["optimizer"] or ""): each for each in finding["evidence"]}
        rows = []
        for row in former:
            each = now.get((row["name"], row["layer"], row["optimizer"]))
            if each is not None and each["value"] is not None:
                then = {end: float(row[name]) for end, name in (("mean", "value"), ("low", "low"), ("high", "high"))}
                rows.append(
                    {
                        **{name: each[name] for name in ("name", "layer", "optimizer")},
                        "then": then,
                        "now": {"mean": each["value"], "low": each["low"], "high": each["high"]},
                    }
                )
        verdict = former[0]["verdict"] if former else None
        found.append(
            {"id": finding["id"], "claim": finding["claim"], "then": verdict, "now": finding["verdict"], "rows": rows}
        )
    return found
