"""One weight under every optimizer: same start, same batches, only the rule of the step differs.

A reader sees runs of one sign, or their absence, with the eye alone, before any statistic.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from report.analysis.table import Table
from report.drawing.figures.comparison import at_most, is_rising, ordered
from report.drawing.figures.marks import stems
from report.drawing.figures.sources import Facts, Labels, Tables, rows
from report.drawing.figures.style import Ink, batches_below, brief, heading, sheet
from report.wording import digits, shape

TABLES = ("one_weight",)
LETTERS = 32  # of an optimizer's name
SHOWN = 100  # batches: as many as can be told apart on a phone
START_UP = 100  # batches that are left out where there are enough after them


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return which weight under which optimizers; None where there is only one."""
    known = results.get("one_weight") or {"optimizers": []}
    found = [each for each in ordered(results) if each["slug"] in known["optimizers"]]
    if len(found) < 2:
        return None
    every = at_most(found, results["study"]["main"])
    batches = results["study"]["batches"]
    first = START_UP + 1 if batches >= START_UP + SHOWN else max(batches - SHOWN + 1, 1)
    return {
        "optimizers": every,
        "layer": known["layer"],
        "index": known["index"],
        "seed": known["seed"],
        "left_out": len(found) - len(every),
        "shape": results["network"]["layers"][known["layer"]]["shape"],
        "first": first,
        "last": min(first + SHOWN - 1, batches),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw one panel an optimizer, each scaled to its own largest update: signs compare, sizes do not."""
    every = facts["optimizers"]
    figure, panels = sheet([62] * (len(every) - 1) + [92])
    for panel, each in zip(panels, every, strict=True):
        found = rows(tables["one_weight"], optimizer=each["slug"])
        shown = (found["batch"] >= facts["first"]) & (found["batch"] <= facts["last"])
        updates = found["update"][shown]
        largest = float(np.abs(updates).max(initial=0))
        stems(panel, found["batch"][shown], updates / (largest or 1), ink)
        panel.set_ylim(-1.1, 1.1)
        panel.set_yticks([])
        panel.set_xlim(facts["first"] - 1, facts["last"] + 1)
        heading(
            panel,
            brief(each["label"], LETTERS),
            f"±{digits(largest, 2)}" if largest else labels["still"],
        )
        if panel is not panels[-1]:
            panel.spines["bottom"].set_visible(False)
    batches_below(panels[-1], labels["batch"])
    panels[-1].set_xlim(facts["first"] - 1, facts["last"] + 1)
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return which weight it is, what stands still, and how many batches it keeps a direction under each optimizer.

    `is_rising`: whether that grows with the momentum within the main optimizer's family.
    """
    every, table = facts["optimizers"], tables["one_weight"]
    output, source = facts["index"]
    in_sight = (table["batch"] >= facts["first"]) & (table["batch"] <= facts["last"])
    updates = {each["slug"]: table["update"][in_sight & (table["optimizer"] == each["slug"])] for each in every}
    runs = {slug: _mean_run(found) for slug, found in updates.items()}
    return {
        **{name: facts[name] for name in ("layer", "first", "last", "seed", "left_out")},
        "weight": f"{facts['layer']}[{output}, {source}]",
        "shape": shape(facts["shape"]),
        "is_seeded": facts["seed"] is not None,
        "count": len(every),
        "optimizers": [{"label": each["label"], "run": runs[each["slug"]]} for each in every],
        "idle": [each["label"] for each in every if not updates[each["slug"]].any()],
        "is_rising": is_rising([[runs[each["slug"]] for each in every if each["in_family"]]]),
    }


def _mean_run(updates: NDArray[np.float64]) -> float | None:
    """Return for how many of (batches,) updates one sign lasts on average, zeros aside; None of fewer than two."""
    signs = np.sign(updates[updates != 0])
    return float(len(signs) / (1 + np.count_nonzero(np.diff(signs)))) if len(signs) > 1 else None
