"""Loss and accuracy over the batches of one training run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def window(batches: int) -> int:
    """Return the width of the running median, an odd number of batches near a thirtieth of the training run."""
    return 2 * (batches // 60) + 1


def running_median(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the median of the `width` values around each value, of those there are near the ends.

    Args:
        values: (batches,).
        width: odd.

    Returns:
        (batches,) float64.
    """
    half = width // 2
    count = len(values)
    medians = np.empty(count)
    inner = np.lib.stride_tricks.sliding_window_view(values, width) if count >= width else values[:0, None]
    medians[half : half + len(inner)] = np.median(inner, axis=1) if len(inner) else 0
    for place in [*range(min(half, count)), *range(max(half, count - half), count)]:
        medians[place] = np.median(values[max(0, place - half) : place + half + 1])
    return medians


def series(recorded: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the columns of loss.csv: loss (nats) and accuracy (fraction) of each batch, with running medians.

    Args:
        recorded: `Recording.series`: `train_loss` and `train_accuracy`, (batches,) each.
    """
    losses, accuracies = recorded["train_loss"], recorded["train_accuracy"]
    width = window(len(losses))
    return {
        "batch": np.arange(1, len(losses) + 1),
        "train_loss": losses,
        "train_loss_median": running_median(losses, width),
        "train_accuracy": accuracies,
        "train_accuracy_median": running_median(accuracies, width),
    }


def validation_table(recorded: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return one row each time that the validation images were gone through.

    Args:
        recorded: `Recording.series`.
    """
    return {
        "batch": recorded["validation_batch"],
        "validation_loss": recorded["validation_loss"],
        "validation_accuracy": recorded["validation_accuracy"],
    }


def summary(recorded: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return the few losses (nats) and accuracies (fractions) that a page states.

    Args:
        recorded: `Recording.series`. Fewer than 10 or 100 batches: what there is.
    """
    losses, accuracies = recorded["train_loss"], recorded["train_accuracy"]
    validation = [
        {"batch": int(batch), "loss": float(loss), "accuracy": float(accuracy)}
        for batch, loss, accuracy in zip(
            recorded["validation_batch"], recorded["validation_loss"], recorded["validation_accuracy"], strict=True
        )
    ]
    return {
        "first": float(losses[0]),
        "first_ten_mean": float(losses[:10].mean()),
        "last_hundred_median": float(np.median(losses[-100:])),
        "last_hundred_accuracy": float(accuracies[-100:].mean()),
        "running_window": window(len(losses)),
        "validation": validation,
        "final_validation_loss": validation[-1]["loss"],
        "final_validation_accuracy": validation[-1]["accuracy"],
        "test_loss": float(recorded["test_loss"]),
        "test_accuracy": float(recorded["test_accuracy"]),
    }
