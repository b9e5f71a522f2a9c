"""What was logged while a network was trained: a panel a series, a line a recording."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from report.analysis.table import Table
from report.drawing.figures.marks import dots
from report.drawing.figures.own_axis import logarithmic
from report.drawing.figures.sources import Facts, Labels, Tables, rows
from report.drawing.figures.style import Ink, batches_below, few_values, heading, scaled, sheet

TABLES = ("own_series",)
SERIES = 3  # panels at most
RUNS = 6  # lines at most
FEW = 40  # values up to which they are dots


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the recordings, the main one first."""
    del table
    runs = [run for each in results["study"]["runs"].values() for run in each]
    return {"main": results["main"], "runs": [results["main"], *(run for run in runs if run != results["main"])]}


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw a panel a series: the main recording in front."""
    table = tables["own_series"]
    names = _names(tables)[:SERIES]
    figure, panels = sheet([140] * (len(names) - 1) + [164])
    for place, (panel, name) in enumerate(zip(panels, names, strict=True)):
        found = rows(table, series=name)
        values = found["value"][np.isfinite(found["value"])]
        for run in reversed(_runs(found, facts)):
            each = rows(found, run=run)
            is_main = run == facts["main"]
            colour = ink.layer(place) if is_main else ink.muted
            if len(each["step"]) <= FEW:
                dots(panel, each["step"], each["value"], colour, 4.5)
            panel.plot(each["step"], each["value"], color=colour, linewidth=1.4 if is_main else 0.8)
        if len(values) and values.min() > 0 and values.max() > 100 * values.min():
            logarithmic(panel)
        else:
            few_values(panel)
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: scaled(round(value, 9))))
        heading(panel, name)
    batches_below(panels[-1], labels["step"])
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return the names of the series that are shown, and how many series and recordings are not."""
    names = _names(tables)
    shown = [rows(tables["own_series"], series=name) for name in names[:SERIES]]
    there = {run for each in shown for run in each["run"].tolist()}
    drawn = {run for each in shown for run in _runs(each, facts)}
    return {
        "names": names[:SERIES],
        "left_out": max(len(names) - SERIES, 0),
        "is_several": len(there) > 1,
        "of": facts["main"],
        "is_there": facts["main"] in there,
        "runs_left_out": len(there - drawn),
    }


def _runs(table: Mapping[str, Any], facts: Facts) -> list[str]:
    """Return the recordings that have a line in the panel of a series."""
    return [run for run in facts["runs"] if run in table["run"]][:RUNS]


def _names(tables: Tables) -> list[str]:
    return list(dict.fromkeys(tables["own_series"]["series"].tolist()))
