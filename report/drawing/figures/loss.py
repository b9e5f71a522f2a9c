"""Loss and accuracy of every batch.

A reader learns that the network starts at chance and how fast it leaves it, and how much of what a single batch
says is noise: hence the running median, and the marks of the validation images.
"""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from report.config import Experiment
from report.drawing.figures.sources import Facts, Tables, Words
from report.drawing.figures.style import Ink, batches_below, few_values, heading, label, sheet
from report.wording import digits, fixed, percent, plural, thousands

TABLES = ("loss", "validation")
FAINT = 0.32  # opacity of single batches


def facts(results: Mapping[str, Any], experiment: Experiment) -> Facts | None:
    """Return the reference and the few numbers that the caption states."""
    loss = results["loss"][results["main"]]
    keys = ("first", "running_window", "final_validation_loss", "final_validation_accuracy", "last_hundred_median")
    return {
        **{key: loss[key] for key in keys},
        "chance": results["reference"]["ln_classes"],
        "batch_size": experiment.training.batch_size,
        "optimizer": experiment.optimizer.label,
    }


def draw(ink: Ink, tables: Tables, facts: Facts) -> Figure:
    """Draw the loss above, the accuracy below."""
    figure, (above, below) = sheet((250, 230))
    colour = ink.optimizer(0)
    loss, validation = tables["loss"], tables["validation"]
    for panel, column, factor in ((above, "loss", 1), (below, "accuracy", 100)):
        panel.plot(loss["batch"], factor * loss[f"train_{column}"], color=colour, alpha=FAINT, linewidth=0.6)
        panel.plot(loss["batch"], factor * loss[f"train_{column}_median"], color=colour, linewidth=2)
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
    above.axhline(facts["chance"], color=ink.muted, linewidth=1, linestyle=(0, (4, 3)))
    last = loss["batch"][-1]
    label(above, last, facts["chance"], "guessing, ln 10", ink, offset=(0, 9), ha="right", color=ink.muted)
    heading(above, "Loss, nats", f"◆ validation, {digits(facts['final_validation_loss'])} at the end")
    heading(below, "Accuracy, %", f"◆ validation, {fixed(100 * facts['final_validation_accuracy'], 1)} at the end")
    above.set_ylim(0, max(1.25 * facts["chance"], 1.05 * loss["train_loss_median"].max()))
    below.set_ylim(0, 102)
    few_values(above)
    below.set_yticks([0, 25, 50, 75, 100])
    batches_below(below)
    return figure


def words(tables: Tables, facts: Facts) -> Words:
    """Write title, caption and alternative text."""
    batches = len(tables["loss"]["batch"])
    accuracy = percent(facts["final_validation_accuracy"])
    return Words(
        title="Loss and accuracy over the batches",
        caption=(
            f"Each of the {plural(batches, 'batch', 'batches')} of {plural(facts['batch_size'], 'image')} (faint), "
            f"the running median over {plural(facts['running_window'], 'batch', 'batches')} (line) and the "
            f"validation images (diamonds). The first batch has a loss of {digits(facts['first'])} nats; guessing "
            f"would have {digits(facts['chance'])} (dashed). At the end the validation loss is "
            f"{digits(facts['final_validation_loss'])} and the accuracy {accuracy}. Optimizer: {facts['optimizer']}."
        ),
        alt=(
            f"Two line charts over {thousands(batches)} batches. The loss goes from {digits(facts['first'])} nats in "
            f"the first batch to a median of {digits(facts['last_hundred_median'])} over the last "
            f"{min(100, batches)}, with single batches scattered widely around it; the accuracy on the validation "
            f"images ends at {accuracy}."
        ),
    )
