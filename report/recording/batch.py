"""What passes from the recorder to the writer: rounds of steps, and the rows that hold them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.recording.schema import Group, Tensor
from report.recording.series import Entry

Floats = NDArray[np.float32]
State = tuple[NDArray[np.int64], Floats, Floats | None]  # positions that are kept, their values, all values if wanted


@dataclass(slots=True)
class Tick:
    """One round of optimizer steps.

    Attributes:
        round: counted from 1, those included that come to nothing.
        stepped: positions of the optimizers that stepped.
        present: by position, numbers of the tensors of which there was a gradient.
        row: of the batch; None for a round that counts for the series alone.
        skips: by position, whether a GradScaler skipped the step: anything that `bool` turns into the answer.
        settings: of groups, by their numbers, as far as they changed.
        first: states of sampled tensors, whole, (size,) float32, by their number.
        added: tensors that an optimizer has only now, each with its state before the round.
        groups: all of them, where some are new.
    """

    round: int
    stepped: set[int]
    present: dict[int, list[int]]
    row: int | None = None
    skips: dict[int, Any] = field(default_factory=dict)
    settings: tuple[tuple[int, dict[str, Any]], ...] = ()
    first: dict[int, Floats] = field(default_factory=dict)
    added: tuple[tuple[Tensor, State], ...] = ()
    groups: tuple[Group, ...] = ()


@dataclass
class Batch:
    """Rows on their way to the disk.

    Attributes:
        weights: (rows, width) float32.
        gradients: (rows, width) float32.
        columns: of each tensor, by its number.
        ticks: in order; some have rows.
        logged: in those rounds.
        size: bytes.
        ready: waits until the rows have come from a device, and what was logged.
        done: to be called when the rows are written: their memory is used again.
    """

    weights: Floats
    gradients: Floats
    columns: Mapping[int, slice]
    ticks: list[Tick]
    logged: list[Entry]
    size: int
    ready: Callable[[], None]
    done: Callable[[], None]
