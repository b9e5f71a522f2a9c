"""Two weights over all batches, and what each batch changed in them.

A reader learns what "an update" is, and sees for the first time what the article is about: whether updates of one
sign come alone or in runs.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.marks import stems
from report.drawing.figures.sources import Facts, Labels, Tables, main_label, rows, selection
from report.drawing.figures.style import Ink, batches_below, brief, exponent, few_values, heading, sheet, unit
from report.wording import shape

TABLES = ("weight_history",)
ROOM = 12  # letters of a name that fit on a line twice


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return which weights they are: the first of the first layer drawn, as in the first article, and a telling one.

    That is the weight which lay still for longest and then moved; where none did, the one that went furthest.
    """
    shown = selection(results)["layers"]
    layer = next(iter([*(name for name in shown if name in results["drawn"]), *shown]))
    known = results["history"][results["main"]][layer]
    other = "waking" if "waking" in known else "largest_mover"
    return {
        # The first weight may be that one itself.
        "weights": {
            which: {key: value for key, value in known[which].items() if key != "story"}
            for which in ("first", other)[: 1 + (known["first"]["index"] != known[other]["index"])]
        },
        "layer": layer,
        **shown[layer],
        "is_the_articles": bool(results["data"]),
        "optimizer": main_label(results),
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw each weight above, its update below."""
    weights = facts["weights"]
    figure, panels = sheet([108, 116] * (len(weights) - 1) + [108, 148])
    for above, below, (which, row) in zip(panels[::2], panels[1::2], weights.items(), strict=True):
        weight = rows(tables["weight_history"], layer=facts["layer"], which=which)
        above.plot(weight["batch"], weight["weight"], color=ink.layer(facts["place"]))
        name = brief(facts["layer"])
        note = (
            ""
            if which == "first"
            else labels[which].format(layer=name)
            if len(name) < ROOM
            else labels[f"{which}_short"]
        )
        heading(above, _name(facts, which, name), note)
        power = exponent(abs(row["largest_update"]))
        stems(below, weight["batch"][1:], weight["update"][1:] / 10.0**power, ink)
        heading(below, labels["update"], unit(power))
        few_values(above, 3)
        few_values(below, 3)
    batches_below(panels[-1], labels["batch"])
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return where each weight begins and ends, its largest update, and how often it goes on in one direction."""
    every = []
    for which, row in facts["weights"].items():
        update = rows(tables["weight_history"], layer=facts["layer"], which=which)["update"]
        signs = np.sign(update[np.nan_to_num(update) != 0])
        every.append(
            {
                "weight": _name(facts, which),
                **{name: row[name] for name in ("start", "end", "largest_update", "largest_update_batch")},
                "going_on": float(np.mean(signs[1:] == signs[:-1])) if len(signs) > 1 else None,
            }
        )
    return {
        **{name: facts[name] for name in ("layer", "optimizer", "is_the_articles")},
        "shape": shape(facts["shape"]),
        "batches": int(tables["weight_history"]["batch"].max()),
        "first": every[0],
        "weights": every,
        "is_moving": every[0]["going_on"] is not None,
        "other": "waking" if "waking" in facts["weights"] else "largest_mover" if len(every) > 1 else "none",
    }


def _name(facts: Facts, which: str, layer: str = "") -> str:
    output, source = facts["weights"][which]["index"]
    return f"{layer or facts['layer']}[{output}, {source}]"
