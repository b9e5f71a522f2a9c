"""Single weights of one tensor: up to 200 through up to 300 steps, and three from the first step to the last."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from report.drawing.figures.own_axis import recording_of
from report.drawing.figures.raster import fill
from report.drawing.figures.sources import Facts, Labels, Tables, rows
from report.drawing.figures.style import HIGHEST, WIDTH, Ink, axes_at, batches_below, blank, few_values, heading, scaled
from report.wording import thousands

TABLES = ("weights", "raster")
WHICH = ("furthest", "typical", "nearest")
LEFT, RIGHT = 58, 34  # CSS pixels; at the right half a number may stand out
RASTER = 200  # CSS pixels at most
HISTORY = 128  # CSS pixels
HEAD, FOOT = 26, 43  # CSS pixels above and below a panel


def of(results: Mapping[str, Any], name: str) -> Facts:
    """Return what words name of a tensor besides its tables; nothing of it is drawn."""
    return {"tensor": name, "of": recording_of(results)}


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw the raster, if there is one, above the histories."""
    del facts
    raster = tables.get("raster")
    inside = 0 if raster is None else min(max(4 * (len(raster) - 1), 40), RASTER)
    above = 0 if raster is None else HEAD + inside + FOOT
    height = above + HEAD + HISTORY + FOOT
    assert height <= HIGHEST
    figure = blank(height)
    width = WIDTH - LEFT - RIGHT
    if raster is not None:
        panel = axes_at(figure, (LEFT, HEAD, width, inside))
        updates = np.stack([values for name, values in raster.items() if name != "step"])
        step = raster["step"]
        fill(panel, updates, ink, (float(step[0]) - 0.5, float(step[-1]) + 0.5))
        heading(panel, labels["raster"])
        panel.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: thousands(value)))
        batches_below(panel, labels["step"])
    panel = axes_at(figure, (LEFT, above + HEAD, width, HISTORY))
    table = tables["weights"]
    for place, which in enumerate(WHICH):
        each = rows(table, which=which)
        if len(each["step"]):
            panel.plot(each["step"], each["weight"], color=ink.layer(place), linewidth=1.5)
    found = [which for which in WHICH if which in table["which"]]
    heading(panel, labels["weights"])
    x = 1.0
    for which in reversed(found):
        words = panel.text(x, 1.04, labels[which], transform=panel.transAxes, ha="right", va="bottom", color=ink.muted)
        x -= words.get_window_extent().width / panel.get_window_extent().width + 0.012
        panel.text(
            x, 1.04, "●", transform=panel.transAxes, ha="right", va="bottom", color=ink.layer(WHICH.index(which))
        )
        x -= 0.05
    few_values(panel)
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: scaled(round(value, 9))))
    batches_below(panel, labels["step"])
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return how many entries and which steps the raster shows, and of how many weights there are histories."""
    raster, table = tables.get("raster"), tables["weights"]
    which = set(table["which"].tolist())
    return {
        **facts,
        "has_raster": raster is not None,
        "entries": 0 if raster is None else len(raster) - 1,
        "shown_first": None if raster is None else int(raster["step"][0]),
        "shown_last": None if raster is None else int(raster["step"][-1]),
        "weights_count": len(which),
        "is_single": len(which) == 1,
        "has_typical": "typical" in which,
        "steps": int(table["step"].max()),
    }
