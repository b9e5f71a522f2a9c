"""Updates that momentum makes of noise: no network, no data.

A reader sees streaks come out of nothing. In the article a slider takes the place of this figure
(site_src/assets/hand/momentum-knob.js) and makes the same toss.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from report.analysis import theory
from report.analysis.coin import BETAS
from report.analysis.table import Table
from report.drawing.figures.marks import stems
from report.drawing.figures.sources import Facts, Labels, Tables, rows
from report.drawing.figures.style import Ink, heading, sheet
from report.wording import fixed

TABLES = ("coin",)
HIGH: Final = 124  # CSS pixels of a panel with its heading
BELOW: Final = 0.3  # of the largest update: from zero to the end of the strip below the panel
STRIP: Final = 0.14  # of the largest update: the height of that strip


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return how long a streak is, by momentum coefficient, in the whole toss and by the formula."""
    return {"runs": results["coin"], "formula": [theory.mean_run(beta) for beta in BETAS]}


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw a panel for each momentum coefficient, scaled to its own largest update, and below it the signs alone."""
    figure, panels = sheet([HIGH] * len(BETAS))
    for panel, beta, run in zip(panels, BETAS, facts["runs"], strict=True):
        found = rows(tables["coin"], beta=beta)
        updates = found["update"] / np.abs(found["update"]).max()
        stems(panel, found["batch"], updates, ink, room=460)
        _strip(panel, found["batch"], updates, ink)
        panel.set(xticks=[], yticks=[], ylim=(-1 - BELOW, 1.05))
        panel.set_xlim(found["batch"][0] - 1, found["batch"][-1] + 1)
        panel.spines["bottom"].set_visible(False)
        heading(panel, f"β = {beta:g}", labels["run"].format(run=fixed(run, 1)))
    return figure


def _strip(panel: Axes, batches: NDArray[Any], updates: NDArray[Any], ink: Ink) -> None:
    """Draw the sign of each update in full colour, however small it is: a streak is one piece."""
    for rises, members in groupby(zip(batches.tolist(), updates > 0, strict=True), key=lambda pair: bool(pair[1])):
        streak = [batch for batch, _ in members]
        start, length = streak[0] - 0.5, len(streak)
        panel.broken_barh([(start, length)], (-1 - BELOW, STRIP), facecolor=ink.increase if rises else ink.decrease)


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the streaks of each coefficient, measured and by the formula, and how many batches are drawn."""
    return {
        "shown": len(rows(tables["coin"], beta=BETAS[0])["batch"]),
        "cases": [
            {"beta": f"{beta:g}", "run": run, "formula": formula}
            for beta, run, formula in zip(BETAS, facts["runs"], facts["formula"], strict=True)
        ],
    }
