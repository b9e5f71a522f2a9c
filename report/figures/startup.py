"""The first batches: how large updates are while the running means fill up.

A reader learns that the first batch moves every weight that has a gradient by the learning rate itself, that sizes
fall as theory says, and why statistics of the first hundred batches are statistics of the start.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from report.config import Experiment
from report.figures.comparison import key, optimizers
from report.figures.sources import Facts, Tables, Words, rows
from report.figures.style import Ink, heading, sheet
from report.wording import digits, fixed, plural, series, thousands

TABLES = ("startup",)


def facts(results: Mapping[str, Any], experiment: Experiment) -> Facts | None:
    """Return which optimizers have a curve of their start, at most the main one and one without momentum."""
    curves = results["curves"]["startup"]
    known = [each for each in optimizers(results) if _has_curve(curves.get(each["slug"]))]
    if not known or known[0]["slug"] != results["study"]["main"]:
        return None
    main = known[0]
    less = [each for each in known[1:] if each["name"] == main["name"] and each["momentum"] < main["momentum"]]
    chosen = [main, *sorted(less, key=lambda each: each["momentum"])[:1]]
    first = {layer: row["first_batch"] for layer, row in results["startup"][results["main"]].items()}
    return {
        "optimizers": chosen,
        "layers": list(experiment.layers),
        "first": {
            layer: {name: first[layer][name] for name in ("live", "exact", "share")} for layer in experiment.layers
        },
        "seeds": len(results["study"]["runs"][main["slug"]]),
        "expected": {
            each["slug"]: bool(each["theory"] and results["theory"][each["slug"]]["startup"]) for each in chosen
        },
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw one panel an optimizer: a line a layer, theory dashed, the batches on a logarithmic axis."""
    every, layers = facts["optimizers"], facts["layers"]
    figure, panels = sheet([250, 220][: len(every) - 1] + [270 - 30 * (len(every) - 1)])
    for panel, each in zip(panels, every, strict=True):
        table = rows(tables["startup"], optimizer=each["slug"])
        top = 1.0
        for layer in layers:
            found = rows(table, layer=layer)
            panel.fill_between(
                found["batch"], found["low"], found["high"], color=ink.layer(layer), alpha=0.16, linewidth=0
            )
            panel.plot(found["batch"], found["mean"], color=ink.layer(layer))
            top = max(top, float(np.nanmax(found["mean"], initial=0)))
        if facts["expected"][each["slug"]]:
            found = rows(table, layer=layers[0])
            panel.plot(found["batch"], found["theory"], color=ink.ink, linewidth=1.8, linestyle=(0, (4, 2.5)), zorder=4)
        panel.set_xscale("log")
        panel.set_ylim(0, 1.08 * top)
        panel.set_yticks([0, 0.5, 1, 1.5, 2][: 1 + int(2 * top)])
        note = "mean |Δ| / learning rate" + (", chance alone dashed" if facts["expected"][each["slug"]] else "")
        heading(panel, each["label"], "" if panel is panels[0] else note)
        if panel is panels[0]:
            panel.set_ylabel("mean |Δ| / learning rate", loc="top")
    key(figure, panels[0], [(layer, ink.layer(layer)) for layer in layers], ink)
    panels[-1].set_xlabel("batch", loc="right")
    panels[-1].xaxis.set_minor_locator(NullLocator())
    batches = int(tables["startup"]["batch"].max())
    panels[-1].set_xticks([tick for tick in (1, 2, 5, 10, 20, 50, 100) if tick <= batches])
    panels[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    batches = int(tables["startup"]["batch"].max())
    first = series(
        f"{thousands(row['exact'])} of {thousands(row['live'])} in {layer}" for layer, row in facts["first"].items()
    )
    main = facts["optimizers"][0]
    ends = []
    for layer in facts["layers"]:
        found = rows(tables["startup"], optimizer=main["slug"], layer=layer)
        ends.append(f"{digits(float(found['mean'][0]))} to {fixed(_number(found['mean'][-1]), 2)} in {layer}")
    theory = ", dashed what chance alone predicts" if facts["expected"][main["slug"]] else ""
    over = f", mean of {plural(facts['seeds'], 'seed')} and 95 % interval" if facts["seeds"] > 1 else ""
    return Words(
        title=f"The first {plural(batches, 'batch', 'batches')}",
        caption=(
            "Mean size of the updates of the weights that have a gradient, in units of the learning "
            f"rate{over}{theory}. In the first batch of the main training run, weights that moved by the learning "
            f"rate itself, to 1 %: {first}."
        ),
        alt=(
            f"Line charts of the mean update in units of the learning rate over the first {batches} batches, for "
            f"{series(each['label'] for each in facts['optimizers'])}. Under {main['label']} it goes from "
            f"{series(ends)}."
        ),
    )


def _has_curve(curve: Mapping[str, Any] | None) -> bool:
    return curve is not None and all(any(value is not None for value in row["mean"]) for row in curve.values())


def _number(value: Any) -> float | None:
    return float(value) if value == value else None
