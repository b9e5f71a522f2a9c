"""One tensor in four small pictures: updates, their size over time, how alike later ones are, lengths of streaks."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator

from report.drawing.figures.marks import dots
from report.drawing.figures.own_axis import logarithmic, recording_of
from report.drawing.figures.sources import Facts, Labels, Tables
from report.drawing.figures.style import Ink, axes_at, batches_below, blank, exponent, heading, scaled, unit

TABLES = ("steps", "histogram", "correlation", "lengths")
DECADES = 4  # that an axis of sizes shows at most, below the largest
FEW = 2  # decades, below which an axis has numbers between powers of ten
LONGEST = 40  # steps of a streak that are shown
SMALLEST = 1e-4  # share of streaks
# CSS pixels: where panels begin, how large they are, and how high all is with numbers and labels. matplotlib would find
# the places, too, and take a third of the time for it.
LEFTS, TOPS, WIDE, HIGH, HEIGHT = (46, 276), (24, 196), 170, 104, 346


def of(results: Mapping[str, Any], name: str) -> Facts:
    """Return what is drawn of a tensor besides its tables."""
    info = results["seen"][results["main"]][name]
    return {
        "tensor": name,
        "of": recording_of(results),
        **{key: info[key] for key in ("is_settled", "measured", "kept")},
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw two rows of two panels."""
    figure = blank(HEIGHT)
    panels = [axes_at(figure, (left, top, WIDE, HIGH)) for top, left in itertools.product(TOPS, LEFTS)]
    _histogram(panels[0], tables["histogram"], ink, labels)
    _size(panels[1], tables["steps"], ink, labels)
    if not tables["steps"]["largest"].max():
        # Bins have a width where all updates are zero, and a logarithmic axis has none.
        panels[0].set_xlim(-1, 1)
        panels[0].set_xticks([0])
        panels[0].set_xlabel(" ")
        panels[1].set_yscale("linear")
        panels[1].set_ylim(-0.05, 1)
        panels[1].set_yticks([0], ["0"])
    for panel, name, draw_one in ((panels[2], "correlation", _correlation), (panels[3], "lengths", _lengths)):
        if name in tables:
            draw_one(panel, tables[name], ink, labels)
        else:
            panel.set_axis_off()
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the ends of the updates and sizes, correlations at lag 1, and what the pictures show."""
    steps, correlation = tables["steps"], tables.get("correlation")
    return {
        **facts,
        "first_rms": float(steps["rms"][0]),
        "last_rms": float(steps["rms"][-1]),
        "largest": float(steps["largest"].max()),
        "has_streaks": correlation is not None,
        "is_measured_in_part": facts["measured"] < facts["kept"],
        "lag_1": None if correlation is None else _number(correlation["updates"][0]),
        "gradient_lag_1": None if correlation is None else _number(correlation["gradient"][0]),
        "has_formula": correlation is not None and bool(np.isfinite(correlation["formula"]).any()),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _histogram(panel: Axes, table: Any, ink: Ink, labels: Labels) -> None:
    edges = np.append(table["left"], table["right"][-1:])
    power = exponent(float(np.abs(edges).max()))
    panel.stairs(
        np.maximum(table["count"], 0.5), edges / 10.0**power, baseline=0.5, fill=True, color=ink.layer(0), alpha=0.85
    )
    logarithmic(panel)
    panel.set_ylim(0.5, 3.0 * max(1, int(table["count"].max())))
    panel.xaxis.set_major_locator(MaxNLocator(3))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: scaled(round(value, 6))))
    heading(panel, labels["updates"])
    panel.set_xlabel(unit(power) or " ", loc="right")


def _size(panel: Axes, table: Any, ink: Ink, labels: Labels) -> None:
    step, colour = (table["first_step"] + table["last_step"]) / 2, ink.layer(1)
    top = 1.6 * max(float(table["largest"].max()), 1e-30)
    low = max(top / 10**DECADES, 0.6 * float(table["smallest"].min()))
    decades = math.log10(top / low)
    power = exponent(top / 1.6) if decades < FEW else 0
    smallest, rms, largest = (np.maximum(table[each], low) / 10.0**power for each in ("smallest", "rms", "largest"))
    panel.fill_between(step, smallest, largest, color=colour, alpha=0.25, linewidth=0)
    if len(step) > 1:
        panel.plot(step, rms, color=colour, linewidth=1.8)
    else:
        dots(panel, step, rms, colour, 5)
    logarithmic(panel)
    if decades < FEW:  # powers of ten alone would be one number, or none
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 3) if decades > 1 else (1, 2, 5)))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: scaled(float(f"{value:.3g}"))))
    panel.set_ylim(low / 10.0**power, top / 10.0**power)
    heading(panel, labels["size"], unit(power))
    batches_below(panel, labels["step"])
    panel.xaxis.set_major_locator(MaxNLocator(3, integer=True))


def _correlation(panel: Axes, table: Any, ink: Ink, labels: Labels) -> None:
    lag = table["lag"].astype(float)
    panel.axhline(0, color=ink.muted, linewidth=0.7)
    if np.isfinite(table["formula"]).any():
        panel.plot(lag, table["formula"], color=ink.muted, linewidth=1, linestyle=(0, (4, 3)))
    panel.plot(lag, table["gradient"], color=ink.layer(1), linewidth=1.4)
    dots(panel, lag, table["updates"], ink.layer(0), 3.5)
    values = np.concatenate([table[each] for each in ("updates", "gradient", "formula")])
    low = float(np.nanmin(values, initial=0.0))
    panel.set_ylim(min(low * 1.15, -0.12), 1.55)  # above 1 is what the colours mean
    panel.set_xlim(0, float(lag[-1]) + 1)
    panel.yaxis.set_major_locator(FixedLocator((-1, -0.5, 0, 0.5, 1)))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: scaled(value)))
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    heading(panel, labels["correlation"])
    panel.set_xlabel(labels["lag"], loc="right")
    for name, colour, place in ((labels["of_updates"], ink.layer(0), 0), (labels["of_gradients"], ink.layer(1), 1)):
        words = panel.text(
            0.99, 0.98 - 0.15 * place, name, transform=panel.transAxes, ha="right", va="top", color=ink.muted
        )
        panel.annotate("● ", xy=(0, 0.5), xycoords=words, ha="right", va="center_baseline", color=colour)


def _lengths(panel: Axes, table: Any, ink: Ink, labels: Labels) -> None:
    shown = (table["length"] <= LONGEST) & (table["probability"] > 0)
    logarithmic(panel)
    if np.isfinite(table["formula"]).any():
        near = table["length"] <= LONGEST
        panel.plot(
            table["length"][near],
            np.maximum(table["formula"][near], 1e-12),
            color=ink.muted,
            linewidth=1,
            linestyle=(0, (4, 3)),
        )
    dots(panel, table["length"][shown], table["probability"][shown], ink.layer(2), 3.5)
    panel.set_ylim(SMALLEST, 1.5)
    panel.set_xlim(0, LONGEST + 1)
    panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    heading(panel, labels["lengths"])
    panel.set_xlabel(labels["length"], loc="right")
