"""Loss and accuracy over the steps of one training run, as far as they were logged."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Series = Mapping[str, Doubles]
Losses = dict[str, float | list[dict[str, float | None]] | None]


def window(count: int) -> int:
    """Return the width of the running median, an odd number of steps near a thirtieth of the training run."""
    return 2 * (count // 60) + 1


def running_median(values: Doubles, width: int) -> Doubles:
    """Return the median of the `width` values around each value, of those there are near the ends.

    Args:
        values: (steps,).
        width: odd.

    Returns:
        (steps,) float64.
    """
    half = width // 2
    count = len(values)
    medians = np.empty(count)
    inner = np.lib.stride_tricks.sliding_window_view(values, width) if count >= width else values[:0, None]
    medians[half : half + len(inner)] = np.median(inner, axis=1) if len(inner) else 0
    for place in [*range(min(half, count)), *range(max(half, count - half), count)]:
        medians[place] = np.median(values[max(0, place - half) : place + half + 1])
    return medians


def last(recorded: Series, name: str) -> float | None:
    """Return the last number of a series; None where it has none."""
    values = _finite(recorded, name)
    numbers = values[~np.isnan(values)]
    return float(numbers[-1]) if len(numbers) else None


def series(recorded: Series) -> dict[str, Doubles] | None:
    """Return the columns of loss.csv: loss (nats) and accuracy (fraction) of each step, with running medians.

    Args:
        recorded: `Recording.series`: `train_loss`, and perhaps `train_accuracy`.

    Returns:
        None where no loss was logged.
    """
    table = _pairs(recorded, "train_loss", "train_accuracy")
    if table is None:
        return None
    for name in ("train_loss", "train_accuracy"):
        there = ~np.isnan(table[name])
        table[f"{name}_median"] = np.full(len(there), np.nan)
        table[f"{name}_median"][there] = running_median(table[name][there], window(int(there.sum())))
    order = ("batch", "train_loss", "train_loss_median", "train_accuracy", "train_accuracy_median")
    return {name: table[name] for name in order}


def validation_table(recorded: Series) -> dict[str, Doubles] | None:
    """Return one row each time that held-out images were gone through; None where they never were.

    Args:
        recorded: `Recording.series`.
    """
    return _pairs(recorded, "validation_loss", "validation_accuracy")


def _finite(recorded: Series, name: str) -> Doubles:
    """Return a series, (steps,), with NaN for what is no finite number; only NaN where it was not logged."""
    values = recorded.get(name)
    if values is None:
        return np.full(max((len(each) for each in recorded.values()), default=0), np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _pairs(recorded: Series, first: str, second: str) -> dict[str, NDArray[Any]] | None:
    """Return the steps at which series `first` has a number, as `batch`, with the numbers of both; None for no step."""
    values = _finite(recorded, first)
    rows = np.flatnonzero(~np.isnan(values))
    return {"batch": rows + 1, first: values[rows], second: _finite(recorded, second)[rows]} if len(rows) else None


def summary(recorded: Series) -> Losses | None:
    """Return the few losses (nats) and accuracies (fractions) that a page states; None where no loss was logged.

    Args:
        recorded: `Recording.series`. Fewer than 10 or 100 steps: what there is.
    """
    trained = _pairs(recorded, "train_loss", "train_accuracy")
    if trained is None:
        return None
    _, losses, accuracies = trained.values()
    validations = validation_table(recorded) or {}
    return {
        "first": float(losses[0]),
        "first_ten_mean": float(losses[:10].mean()),
        "last_hundred_median": float(np.median(losses[-100:])),
        "last_hundred_accuracy": _number(accuracies[-100:].mean()),
        "running_window": window(len(losses)),
        "validation": [
            {"batch": int(batch), "loss": float(loss), "accuracy": _number(accuracy)}
            for batch, loss, accuracy in zip(*validations.values(), strict=True)
        ],
        "final_validation_loss": last(recorded, "validation_loss"),
        "final_validation_accuracy": last(recorded, "validation_accuracy"),
        "test_loss": last(recorded, "test_loss"),
        "test_accuracy": last(recorded, "test_accuracy"),
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
