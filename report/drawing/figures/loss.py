"""Loss and accuracy of every batch.

A reader learns that the network starts at chance and how fast it leaves it, and how much of what a single batch
says is noise: hence the running median, and the marks of the validation images.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.figures.sources import Columns, Facts, Tables, Words, look, main_label
from report.drawing.figures.style import Ink, batches_below, few_values, heading, label, sheet
from report.wording import digits, fixed, percent, plural, thousands

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
        "optimizer": main_label(results),
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw the loss above, the accuracy below where there is one."""
    loss, validation = tables["loss"], tables.get("validation", {})
    is_two = _has(loss, "train_accuracy")
    figure, panels = sheet((250, 230)[: 1 + is_two])
    above, below = panels[0], panels[-1]
    colour = ink.optimizer(0)
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
        guessing = f"guessing, ln {facts['classes']}"
        label(above, loss["batch"][-1], chance, guessing, ink, offset=(0, 9), ha="right", color=ink.muted)
    heading(above, "Loss, nats", "" if held_out is None else f"◆ validation, {digits(held_out)} at the end")
    lowest = min(0.0, 1.05 * float(np.nanmin(loss["train_loss_median"])))
    above.set_ylim(lowest, max(1.25 * (chance or 0), 1.05 * float(np.nanmax(loss["train_loss_median"]))) or 1)
    few_values(above)
    if is_two:
        right = facts["final_validation_accuracy"]
        heading(below, "Accuracy, %", "" if right is None else f"◆ validation, {fixed(100 * right, 1)} at the end")
        below.set_ylim(0, 102)
        below.set_yticks([0, 25, 50, 75, 100])
    batches_below(below)
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    batches = len(tables["loss"]["batch"])
    is_two = _has(tables["loss"], "train_accuracy")
    held_out, right = facts["final_validation_loss"], facts["final_validation_accuracy"]
    accuracy = percent(right)
    images = f" of {plural(facts['batch_size'], 'image')}" if facts["batch_size"] else ""
    first = digits(facts["first"])
    width = f"the running median over {plural(facts['running_window'], 'batch', 'batches')} (line)"
    diamonds = "" if held_out is None else " and the validation images (diamonds)"
    comma = " and" if held_out is None else ","
    guessing = f"; guessing would have {digits(facts['chance'])} (dashed)" if facts["chance"] else ""
    end = (
        ""
        if held_out is None
        else f" At the end the validation loss is {digits(held_out)}"
        + ("." if right is None else f" and the accuracy {accuracy}.")
    )
    name = "Loss and accuracy" if is_two else "Loss"
    return Words(
        title=f"{name} over the batches",
        caption=(
            f"Each of the {plural(batches, 'batch', 'batches')}{images} (faint){comma} {width}{diamonds}. The first "
            f"batch has a loss of {first} nats{guessing}.{end} Optimizer: {facts['optimizer']}."
        ),
        alt=(
            f"{'Two line charts' if is_two else 'A line chart'} over {thousands(batches)} batches. The loss goes from "
            f"{first} nats in the first batch to a median of {digits(facts['last_hundred_median'])} over the last "
            f"{min(100, batches)}, with single batches scattered widely around it"
            + ("." if right is None else f"; the accuracy on the validation images ends at {accuracy}.")
        ),
    )


def _has(table: Columns, column: str) -> bool:
    """Tell whether a table has values of a column; what was not logged is absent or empty."""
    return column in table and bool(np.isfinite(table[column]).any())
