"""How large updates are against their weights: a row a tensor, over all steps.

A reader sees at once which part of a network hardly moves and which is thrown about, and when: RMS(Δ)/RMS(w) on a
logarithmic scale, with the band in which nothing is said of it.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from report.analysis.standout import LARGE, SMALL, USUAL
from report.analysis.table import Table
from report.drawing.figures.marks import cells
from report.drawing.figures.own_axis import NAMES, RIGHT, high, recording_of, rows_of, shortened
from report.drawing.figures.sources import Facts, Labels, Tables
from report.drawing.figures.style import WIDTH, Ink, axes_at, batches_below, unit

TABLES = ("own_heat",)
LOW, HIGH = -6.0, -1.0  # powers of ten at the ends of the scale; what lies beyond has the colour of the end
LEVELS = 40  # colours of the scale
PLAIN = 0.16  # how much ink is in the usual one
CELLS = 300  # across the picture
ABOVE, BELOW = 48, 42  # CSS pixels around the rows
BAR = 12  # CSS pixels


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the tensors, in order, the steps, and which recording of several is shown.

    None where no tensor ever had a gradient.
    """
    del table
    names = results["tensors"]
    return {"names": names, "steps": results["steps"], "of": recording_of(results)} if names else None


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw a row a tensor and a column a stretch of steps."""
    names, steps = facts["names"], facts["steps"]
    inside = high(len(names))
    figure, panel = rows_of(names, inside, ABOVE, BELOW, ink)
    found = matrix(tables, names, steps)
    cells(panel, functools.partial(pixels, found), ink, (0.5, steps + 0.5, len(names) - 0.5, -0.5))
    batches_below(panel, labels["step"])
    _scale(axes_at(figure, (NAMES, 8, WIDTH - NAMES - RIGHT, BAR)), ink)
    figure.text(6 / WIDTH, 1 - 15 / (inside + ABOVE + BELOW), "RMS(Δ)/RMS(w)", color=ink.muted, va="center")
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return how many tensors and steps are shown, and the ends of the band and of what is in it."""
    values = tables["own_heat"]["ratio"]
    known = values[np.isfinite(values)]
    inside = (known >= SMALL) & (known <= LARGE)
    return {
        **{"tensors": len(facts["names"]), "steps": facts["steps"], "low": SMALL, "usual": USUAL, "high": LARGE},
        "of": facts["of"],
        "inside": float(inside.mean()) if len(known) else None,
        "median": float(np.median(known)) if len(known) else None,
        "has_gaps": len(known) < len(facts["names"]) * len(set(tables["own_heat"]["first_step"].tolist())),
    }


def matrix(tables: Tables, names: list[str], steps: int) -> NDArray[np.float64]:
    """Return log10 of the ratio, (tensors, columns); NaN where a tensor had no gradient, or did not move."""
    columns = min(steps, CELLS)
    centres = (np.arange(columns) + 0.5) * steps / columns  # in steps, from 0
    found = np.full((len(names), columns), np.nan)
    for row, each in zip(found, shortened(tables["own_heat"], names).values(), strict=True):
        place = np.searchsorted(each["last_step"], centres, side="left")
        there = place < len(each["last_step"])
        place = np.minimum(place, len(each["last_step"]) - 1)
        there &= each["first_step"][place] - 1 <= centres
        ratio = np.where(there, each["ratio"][place], np.nan)
        np.log10(ratio, out=row, where=ratio > 0)
    return found


def pixels(logarithms: NDArray[np.float64], ink: Ink) -> NDArray[np.uint8]:
    """Return the colour of each cell, (…, 3): plain where it is usual, the stronger the further; none where NaN."""
    paper, more, less, plain = (np.array(to_rgb(each)) for each in (ink.paper, ink.longer, ink.shorter, ink.ink))
    middle = paper + PLAIN * (plain - paper)
    usual = np.log10(USUAL)
    away = np.clip(np.nan_to_num(logarithms), LOW, HIGH) - usual
    share = np.where(away > 0, away / (HIGH - usual), away / (LOW - usual))
    share = np.rint(share * LEVELS)[..., None] / LEVELS
    coloured = middle + share * (np.where(away[..., None] > 0, more, less) - middle)
    coloured[np.isnan(logarithms)] = paper
    found: NDArray[np.uint8] = np.rint(255 * coloured).astype(np.uint8)
    return found


def _scale(panel: Axes, ink: Ink) -> None:
    """Draw what the colours mean, and mark the band."""
    steps = np.linspace(LOW, HIGH, 2 * LEVELS)[None]
    cells(panel, functools.partial(pixels, steps), ink, (LOW, HIGH, 0, 1))
    panel.set_yticks([])
    for end in (SMALL, LARGE):
        panel.axvline(float(np.log10(end)), color=ink.ink, linewidth=1.6, ymin=0, ymax=1.6, clip_on=False)
    ticks = np.arange(LOW, HIGH + 1)
    panel.set_xticks(ticks, [unit(int(each)) for each in ticks])
    panel.tick_params(axis="x", pad=2)
    panel.get_xticklabels()[0].set_horizontalalignment("left")
    panel.get_xticklabels()[-1].set_horizontalalignment("right")
