"""How long updates keep their direction: flip rate and mean same-sign run, and how the lengths are distributed.

Both are counted over pairs of consecutive steps in which a weight moved both times; an update of exactly zero has
no sign and ends a run without a flip.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import theory
from report.analysis.windows import Spans

Signs = NDArray[np.int8]


def signs(updates: NDArray[Any]) -> Signs:
    """Return -1, 0 or 1 for each update, of any shape, int8: an eighth of the memory traffic of the sums below."""
    return (updates > 0).view(np.int8) - (updates < 0).view(np.int8)


def pairs_and_flips(sign: Signs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each pair of consecutive steps, how many weights moved in both and how many changed direction.

    Args:
        sign: (steps, n) int8, see `signs`.

    Returns:
        pairs, flips: (steps - 1,) each; place t - 1 is the pair of steps t and t + 1.
    """
    product = sign[:-1] * sign[1:]
    return np.count_nonzero(product, axis=1), np.count_nonzero(product < 0, axis=1)


def rate(pairs: int, flips: int) -> dict[str, float | None]:
    """Return `flip_rate` (share of pairs) and `mean_run` (steps), its inverse; None where undefined."""
    return {"flip_rate": flips / pairs if pairs else None, "mean_run": pairs / flips if flips else None}


def describe(sign: Signs, spans: Spans) -> dict[str, dict[str, Any]]:
    """Return, by window: `pairs`, `flips`, `flip_rate`, `mean_run` (steps), `never_moved`, `weights`.

    Args:
        sign: (steps, n) int8.
        spans: which rows belong to each window.
    """
    pairs, flips = pairs_and_flips(sign)
    found: dict[str, dict[str, Any]] = {}
    for name, rows in spans.items():
        inside = slice(rows.start, rows.stop - 1)  # both steps of a pair lie in the window
        counted, flipped = int(pairs[inside].sum()), int(flips[inside].sum())
        moved = sign[rows].any(axis=0)
        found[name] = {
            "pairs": counted,
            "flips": flipped,
            **rate(counted, flipped),
            "never_moved": int(moved.size - moved.sum()),
            "weights": int(moved.size),
        }
    return found


def ages(sign: Signs) -> NDArray[np.int32]:
    """Return for how many steps each weight has moved in its present direction, this step included; 0: not moved.

    Args:
        sign: (steps, n) int8.

    Returns:
        (steps, n) int32.
    """
    age = np.empty(sign.shape, np.int32)
    moved = sign != 0
    age[0] = moved[0]
    for step in range(1, len(sign)):
        # 1 where the weight moves, plus the age so far where it moves the same way.
        np.multiply(age[step - 1], sign[step] == sign[step - 1], out=age[step])
        age[step] += 1
        age[step] *= moved[step]
    return age


def describe_lengths(sign: Signs, spans: Spans) -> dict[str, dict[str, Any]]:
    """Return, by window, the distribution of the lengths of same-sign runs.

    Counting finished runs would miss the long ones, which the end of the recording or of a window cuts. So the
    product-limit estimate is taken: of all runs that have lasted a steps, the share that flips next; a run that
    is cut counts for as long as it was seen. A run that began before the window brings its age along.

    Args:
        sign: (steps, n) int8.
        spans: which rows belong to each window.

    Returns:
        By window: `probability`, P(length = 1 … LONGEST) as a list (None from where on no run was seen that long);
        `longer`, P(length > LONGEST); `runs`, the flips that ended one.
    """
    longest = theory.LONGEST
    age = np.minimum(ages(sign)[:-1], longest + 1)
    product = sign[:-1] * sign[1:]
    # One number a pair of steps: the age, and whether a flip follows. Age 0 collects pairs that do not count.
    code = (age * (product != 0)).astype(np.int64) * 2 + (product < 0)
    found: dict[str, dict[str, Any]] = {}
    for name, rows in spans.items():
        inside = code[rows.start : rows.stop - 1]
        counts = np.bincount(inside.reshape(-1), minlength=2 * (longest + 2)).reshape(-1, 2)[1:]  # (longest + 1, 2)
        alive: float | None = 1.0
        probability: list[float | None] = []
        for lasting, ended in counts[:longest].tolist():
            at_risk = lasting + ended
            probability.append(alive * ended / at_risk if at_risk and alive is not None else None)
            alive = alive * lasting / at_risk if at_risk and alive is not None else None
        found[name] = {"probability": probability, "longer": alive, "runs": int(counts[:, 1].sum())}
    return found
