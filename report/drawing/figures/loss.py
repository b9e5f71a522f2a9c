"""Loss and accuracy of every batch.

A reader learns that the network starts at chance and how fast it leaves it, and how much of what a single batch
says is noise: hence the running median, and the marks of the validation images.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.comparison import optimizers
from report.drawing.figures.sources import Columns, Facts, Labels, Tables, look
from report.drawing.figures.style import Ink, batches_below, few_values, heading, label, sheet
from report.wording import digits, fixed

TABLES = ("loss", "validation")
FAINT = 0.32  # opacity of single batches


def facts(results: Mapping[str, Any], table: Table) -> Facts | None:
    """Return the reference and the few numbers that the caption states; None where no loss was logged."""
    loss = results["loss"].get(results["main"])
    if not loss:
        return None
    keys = ("first", "running_window", "final_validation_loss", "final_validation_accuracy", "last_hundred_median")
    return {
        **{key: loss.get(key) for key in keys},
        "chance": results["reference"]["ln_classes"],
        "classes": results["data"].get("classes"),
        "batch_size": look(results, "about", "training", "batch_size"),
        "main": optimizers(results)[0],
    }


def draw(ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
    """Draw the loss above, the accuracy below where there is one."""
    loss, validation = tables["loss"], tables.get("validation", {})
    is_two = _has(loss, "train_accuracy")
    figure, panels = sheet((246, 230)[: 1 + is_two])
    above, below = panels[0], panels[-1]
    colour = ink.optimizer(facts["main"])
    for panel, column, factor in zip(panels, ("loss", "accuracy"), (1, 100), strict=False):
        panel.plot(loss["batch"], factor * loss[f"train_{column}"], color=colour, alpha=FAINT, linewidth=0.6)
        panel.plot(loss["batch"], factor * loss[f"train_{column}_median"], color=colour, linewidth=2)
        if not _has(validation, f"validation_{column}"):
            continue
        panel.plot(
            validation["batch"],
            factor * validation[f"validation_{column}"],
            linestyle="none",
            marker="D",
            markersize=7,
            color=ink.ink,
            markeredgecolor=ink.paper,
            clip_on=False,
            zorder=5,
        )
    chance, held_out = facts["chance"], facts["final_validation_loss"]
    if chance:
        above.axhline(chance, color=ink.muted, linewidth=1, linestyle=(0, (4, 3)))
        guessing = labels["guessing"].format(classes=facts["classes"])
        label(above, loss["batch"][-1], chance, guessing, ink, offset=(0, 9), ha="right", color=ink.muted)
    end = labels["validation"]
    heading(above, labels["loss"], "" if held_out is None else end.format(value=digits(held_out)))
    lowest = min(0.0, 1.05 * float(np.nanmin(loss["train_loss_median"])))
    above.set_ylim(lowest, max(1.25 * (chance or 0), 1.05 * float(np.nanmax(loss["train_loss_median"]))) or 1)
    few_values(above)
    if is_two:
        right = facts["final_validation_accuracy"]
        heading(below, labels["accuracy"], "" if right is None else end.format(value=fixed(100 * right, 1)))
        below.set_ylim(0, 102)
        below.set_yticks([0, 25, 50, 75, 100])
    batches_below(below, labels["batch"])
    return figure


def said(tables: Tables, facts: Facts) -> Facts:
    """Return where loss and accuracy begin and end, and which of them there are."""
    batches = len(tables["loss"]["batch"])
    names = ("first", "running_window", "chance", "classes", "batch_size", "last_hundred_median")
    held_out, right = facts["final_validation_loss"], facts["final_validation_accuracy"]
    return {
        **{name: facts[name] for name in names},
        "optimizer": facts["main"]["label"],
        "batches": batches,
        "last": min(100, batches),
        "validation_loss": held_out,
        "accuracy": right,
        "has_accuracy": _has(tables["loss"], "train_accuracy"),
        "has_validation": held_out is not None,
        "has_validation_accuracy": right is not None,
        "has_guessing": bool(facts["chance"]),
        "has_images": bool(facts["batch_size"]),
    }


def _has(table: Columns, column: str) -> bool:
    """Tell whether a table has values of a column; what was not logged is absent or empty."""
    return column in table and bool(np.isfinite(table[column]).any())
