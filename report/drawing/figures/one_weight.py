"""One weight under every optimizer: same start, same batches, only the rule of the step differs.

A reader sees runs of one sign, or their absence, with the eye alone, before any statistic.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.comparison import at_most, left_out, names, ordered
from report.drawing.figures.sources import Facts, Tables, Words, rows
from report.drawing.figures.style import Ink, batches_below, heading, sheet, stems
from report.wording import digits, plural, shape, thousands

TABLES = ("one_weight",)
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


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw one panel an optimizer, each scaled to its own largest update: signs compare, sizes do not."""
    every = facts["optimizers"]
    figure, panels = sheet([84] * (len(every) - 1) + [112])
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
            each["label"],
            f"±{digits(largest, 2)}" if largest else "stands still",
            colour=ink.optimizer(each["place"]),
        )
        if panel is not panels[-1]:
            panel.spines["bottom"].set_visible(False)
    batches_below(panels[-1])
    panels[-1].set_xlim(facts["first"] - 1, facts["last"] + 1)
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    every = facts["optimizers"]
    output, source = facts["index"]
    name = f"{facts['layer']}[{output}, {source}]"
    period = f"batches {thousands(facts['first'])}–{thousands(facts['last'])}"
    table = tables["one_weight"]
    shown = (table["batch"] >= facts["first"]) & (table["batch"] <= facts["last"])
    idle = [each for each in every if not table["update"][shown & (table["optimizer"] == each["slug"])].any()]
    still = f" Under {names(idle)} this weight has no gradient there and stands still." if idle else ""
    is_seeded = facts["seed"] is not None
    seed = f", seed {facts['seed']}" if is_seeded else ""
    shared = " All panels share initial weights, batches and dropout masks." if is_seeded else ""
    return Words(
        title=f"One weight under {plural(len(every), 'optimizer')}",
        caption=(
            f"The updates of the weight {name} of layer {facts['layer']} ({shape(facts['shape'])}) in {period}"
            f"{seed}: red up, blue down. It is the weight of that layer that is least often without a gradient, "
            f"whatever the optimizer.{shared} Each is scaled to its own largest update (±, beside the name): compare "
            f"directions, not sizes.{still}"
            f"{left_out(facts['left_out'])}"
        ),
        alt=(
            f"{plural(len(every), 'chart')} of the updates of one weight, {name}, in {period}, red above zero and blue "
            f"below: {names(every)}."
        ),
    )
