"""Two weights over all batches, and what each batch changed in them.

A reader learns what "an update" is, and sees for the first time what the article is about: whether updates of one
sign come alone or in runs.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.sources import Facts, Tables, Words, main_label, rows, selection
from report.drawing.figures.style import Ink, batches_below, brief, exponent, few_values, heading, sheet, stems, unit
from report.wording import digits, plural, series, shape, thousands

TABLES = ("weight_history",)
SHORT = {"first": "", "waking": "still for longest", "largest_mover": "went furthest"}
LONG = {"waking": "lay still for longest before it moved again", "largest_mover": "went furthest"}
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


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw each weight above, its update below."""
    weights = facts["weights"]
    figure, panels = sheet([136, 158] * (len(weights) - 1) + [136, 182])
    for above, below, (which, row) in zip(panels[::2], panels[1::2], weights.items(), strict=True):
        weight = rows(tables["weight_history"], layer=facts["layer"], which=which)
        above.plot(weight["batch"], weight["weight"], color=ink.layer(facts["place"]))
        name = brief(facts["layer"])
        note = f"{SHORT[which]} in {name}" if len(name) < ROOM and which != "first" else SHORT[which]
        heading(above, _name(facts, which, name), note)
        power = exponent(abs(row["largest_update"]))
        stems(below, weight["batch"][1:], weight["update"][1:] / 10.0**power, ink)
        heading(below, "Its update", unit(power))
        few_values(above, 3)
        few_values(below, 3)
    batches_below(panels[-1])
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    weights = facts["weights"]
    count = int(tables["weight_history"]["batch"].max())
    layer, is_known = facts["layer"], facts["is_the_articles"]
    moved = {
        which: f"{_name(facts, which)} from {digits(row['start'])} to {digits(row['end'])}"
        for which, row in weights.items()
    }
    largest = series(
        f"{digits(row['largest_update'])}, in batch {thousands(row['largest_update_batch'])}, in {_name(facts, which)}"
        for which, row in weights.items()
    )
    more = "".join(f" and the one of that layer that {LONG[which]}," for which in weights if which != "first")
    return Words(
        title=f"{series(_name(facts, which) for which in weights)}: weights and their updates",
        caption=(
            f"The {'' if is_known else 'first kept '}weight of layer {layer} ({shape(facts['shape'])})"
            f"{' that the first article shows' if is_known else ''}, "
            f"{_name(facts, 'first')}, output and input counted from 0,{more} over "
            f"{plural(count, 'batch', 'batches')}: {series(moved.values())}. Below each, the change that each batch "
            f"made: red up, blue down. The largest is {largest}. Optimizer: {facts['optimizer']}."
        ),
        alt=(
            f"{plural(2 * len(weights), 'chart')} over {thousands(count)} batches: {series(moved.values())}, and below "
            f"each its update in each batch, red above zero and blue below. The largest update is {largest}."
        ),
    )


def _name(facts: Facts, which: str, layer: str = "") -> str:
    output, source = facts["weights"][which]["index"]
    return f"{layer or facts['layer']}[{output}, {source}]"
