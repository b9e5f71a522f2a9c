"""Every number of one tensor of one recording, for a report on anyone's own network; measured in a process of its own.

Two windows are told apart: all steps, and those that are *settled*, without the start-up of the tensor's own momentum.
"""

import functools
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import own_marks, own_tables, theory, toss
from report.analysis.agreement import Agreement
from report.analysis.autocorrelation import Autocorrelation
from report.analysis.measures import Name, Numbers, Value
from report.analysis.own_marks import LATELY
from report.analysis.persistence import Flips, Lengths, signs
from report.analysis.sweep import Sweep, sweep
from report.analysis.toss import Followed
from report.analysis.transplants import TOSSES
from report.analysis.windows import ALL, LATE_STEPS, WHOLE, Spans
from report.recording.reader import Recording
from report.recording.schema import Tensor

SETTLED = "settled"
MEMORIES = 10  # start-up lasts so many times 1 / (1 - β) steps, as in the study
UNKNOWN = 0.9  # β where none is known: that of most optimizers' defaults
NEGLIGIBLE = 1e-3  # root mean square of weights: what a matrix that begins smaller grows from
BLOCK = 1 << 19  # updates that are correlated at once

Doubles = NDArray[np.float64]
Info = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """Name a tensor to be measured.

    Attributes:
        source: folder of the recording.
        name: of the tensor.
        slug: of the recording's label.
        steps: that all recordings have, over which streaks are measured.
        smallest: updates of the smallest tensor that is drawn, for τ; None where none is.
        tables: where its tables go, a path without their endings; None where none are wanted.
    """

    source: Path
    name: str
    slug: str
    steps: int
    smallest: int | None
    tables: Path | None = None

    def make(self) -> "Measured":
        """Measure, and write the tables that are wanted.

        Raises:
            ReportError: when the recording is damaged or the disk refuses.
        """
        recording = Recording.open(self.source)
        seen = sweep(recording, self.name, self.smallest)
        if seen is None:
            return Measured()
        return _measured(recording, self, seen)


@dataclass(frozen=True)
class Measured:
    """Hold what was measured of a tensor: rows of the table, what is no row, and its size over time.

    Attributes:
        numbers: by name.
        info: see `_info`; empty of a tensor without a usable gradient.
        bins: see `own_tables.bins`.
    """

    numbers: Numbers = field(default_factory=dict)
    info: Info = field(default_factory=dict)
    bins: own_tables.Columns = field(default_factory=dict)


def spans(rows: int, beta: float) -> Spans:
    """Return which of a tensor's rows belong to all steps, and which are settled, if that many follow its start-up."""
    start = min(round(MEMORIES / (1 - beta)), rows) if beta < 1 else rows
    settled = {SETTLED: slice(start, rows)} if rows - start >= LATE_STEPS else {}
    return {ALL: slice(0, rows), **settled} if rows else {}


def _measured(recording: Recording, job: Job, seen: Sweep) -> Measured:
    name, tensor = job.name, recording.tensors[job.name]
    beta = toss.memory(recording, name)
    longest = UNKNOWN if beta is None or not len(beta) else float(beta.max())
    rows = int(np.searchsorted(seen.numbers, job.steps, side="right"))
    windows = spans(rows, longest)
    how = toss.course(recording, name)
    followed = None
    if how is not None and rows:
        history = (seen.weights[:rows], seen.updates[:rows], seen.gradients[:rows])
        followed = toss.follow(recording, name, how, seen.numbers[:rows], history)
    numbers: Numbers = {}
    info = _info(recording, tensor, seen, windows, len(recording.indices(name)))
    info["is_tossed"], info["has_streaks"] = followed is not None, bool(windows)
    betas = {} if beta is None else {window: beta[seen.numbers[span] - 1] for window, span in windows.items()}
    info["chance"] = {window: each for window, used in betas.items() if (each := chance(used)) is not None}
    if windows:
        numbers, typical = _streaks(job, seen, windows, followed)
        info["typical"] = [typical.start, typical.stop]
    numbers |= _whole(recording, job, seen, windows, info)
    window = SETTLED if SETTLED in windows else ALL
    lags = numbers.get(Name("autocorrelation", "gradients", name, window))
    info["gradients_lag_1"] = lags[0] if lags else None
    if followed is not None:
        info["lost_driven"] = _lost(followed.asked & (seen.gradients[:rows] != 0), seen.updates[:rows])
        info["equal_share"] = followed.equal
        info["run"] = numbers[Name("transplants", "mean_run", name, window, job.slug)][0]
        info["toss"] = numbers[Name("transplants", "toss", name, window, job.slug)][0]
        info |= {key: numbers[Name("persistence", key, name, window)][0] for key in ("flips", "pairs")}
    bins = own_tables.bins(seen, recording.steps, tensor.count)
    if job.tables is not None:
        constant = None if beta is None or np.ptp(beta) else float(beta[0])
        own_tables.write(job.tables, recording, name, seen, bins, numbers, window, constant, info.get("typical"))
    return Measured(numbers, info, bins)


def _streaks(job: Job, seen: Sweep, windows: Spans, followed: Followed | None) -> tuple[Numbers, slice]:
    """Return what single entries do through time, and the stretch of rows that a raster shows."""
    rows, count = windows[ALL].stop, len(seen.entries)
    late = windows.get(SETTLED, windows[ALL])
    starts = range(late.start, max(late.stop - own_tables.RASTER_STEPS, late.start) + 1, own_tables.RASTER_STEPS)
    stretches = {str(at): slice(at, min(at + own_tables.RASTER_STEPS, rows)) for at in starts}
    flips, lengths, agreement = Flips({**windows, **stretches}), Lengths(windows), Agreement(windows, job.steps)
    of_updates, of_gradients = Autocorrelation(windows), Autocorrelation(windows)
    tossed = None if followed is None else Flips(windows, (TOSSES,))
    live = {window: np.zeros(count, bool) for window in windows}
    size = max(BLOCK // count, 1)
    for first in range(0, rows, size):
        part = slice(first, min(first + size, rows))
        change, gradients = seen.updates[part], seen.gradients[part]
        sign = signs(change)
        flips.add(first, sign > 0, sign < 0)
        lengths.add(first, sign)
        agreement.add(first, seen.numbers[part], sign, signs(gradients))
        of_updates.add(first, change)
        of_gradients.add(first, gradients)
        if tossed is not None and followed is not None:
            tossed.add(first, followed.up[part], followed.down[part])
    for window, span in windows.items():
        live[window] = np.asarray(seen.updates[span].any(axis=0), bool)
    found: Numbers = {}
    plain = Flips.found(flips, {**live, **dict.fromkeys(stretches, np.zeros(1, bool))})
    single = {"persistence": {window: plain[window] for window in windows}, "agreement": agreement.found()}
    for quantity, by_window in single.items():
        for window, row in by_window.items():
            found |= {Name(quantity, key, job.name, window): [value] for key, value in row.items()}
    for window in windows:
        found[Name("autocorrelation", "updates", job.name, window)] = of_updates.found()[window]
        found[Name("autocorrelation", "gradients", job.name, window)] = of_gradients.found()[window]
        found[Name("run_lengths", "probability", job.name, window)] = lengths.found()[window]
        if tossed is not None and followed is not None:
            runs = [tossed.mean_run(window, each) for each in range(TOSSES)]
            known = [each for each in runs if each is not None]
            toss_run = sum(known) / len(known) if len(known) == len(runs) else None
            run = flips.mean_run(window)
            lean = None if run is None or toss_run is None else run - toss_run
            row = {"mean_run": run, "toss": toss_run, "lean": lean}
            found |= {Name("transplants", key, job.name, window, job.slug): [value] for key, value in row.items()}
            over = None if run is None or not toss_run else math.log2(run / toss_run)
            found[Name("sizes", "over_log2", job.name, window)] = [over]
            span = windows[window]
            lost = _lost(followed.asked[span], seen.updates[span])
            found[Name("resolution", "lost_share", job.name, window)] = [lost]
            found[Name("resolution", "equal_share", job.name, window)] = [followed.equal]
    whole = flips.mean_run(SETTLED if SETTLED in windows else ALL)
    near = {at: flips.mean_run(at) for at in stretches}
    known_runs = {at: abs(math.log(run / whole)) for at, run in near.items() if run and whole}
    return found, stretches[min(known_runs, key=known_runs.__getitem__, default=str(late.start))]


def _lost(asked: NDArray[np.bool_], change: NDArray[np.float32]) -> float | None:
    """Return the share of the wished-for updates that left their weight where it was; None where none was wished."""
    wished = int(np.count_nonzero(asked))
    return int(np.count_nonzero(asked & (change == 0))) / wished if wished else None


def _whole(recording: Recording, job: Job, seen: Sweep, windows: Spans, info: Info) -> Numbers:
    """Return what is summed over all kept entries: sizes, zero gradients, coasting, the law of colours."""
    width, found = len(seen.moved), Numbers()
    log = np.full(len(seen.ratio), np.nan)
    np.log10(seen.ratio, out=log, where=seen.ratio > 0)
    for window, span in windows.items():
        steps = span.stop - span.start
        moving = int(seen.moving[span].sum())
        rows: dict[str, dict[str, Value]] = {
            "coasting": {
                "zero_gradient_share": float(seen.zeros[span].sum()) / (width * steps),
                "coasting_share": float(seen.coasting[span].sum()) / moving if moving else None,
                "dead_weights": int(np.count_nonzero(seen.last_gradient < span.start)),
                "weights": width,
            },
            "sizes": {
                "rms": math.sqrt(float((seen.size[span] ** 2).mean())),
                "ratio_log10": _mean(log[span]),
                "never_moved": int(np.count_nonzero(~seen.moved)),
                "ratio_last_log10": _mean(log[-max(len(log) // 10, 1) :]),
            },
        }
        for quantity, row in rows.items():
            found |= {Name(quantity, key, job.name, window): [value] for key, value in row.items()}
    for key in ("dead", "dead_rows", "dead_columns"):
        found[Name("sizes", key, job.name, ALL)] = [info[key]]
    whole = {ALL: len(seen.numbers)} if recording.steps == job.steps else {WHOLE + ALL: len(seen.numbers)}
    law = {each: getattr(seen.law, each) for each in ("mean", "threshold", "rank", "deviations", "smallest")}
    for window, steps in whole.items():
        named = {key: Name("threshold", key, job.name, window) for key in (*law, "full_colour")}
        found |= {named[key]: [value] for key, value in {**law, "full_colour": seen.full}.items()}
        found[Name("windows", "steps", job.name, window)] = [steps]
    for window, span in windows.items():
        found.setdefault(Name("windows", "steps", job.name, window), [span.stop - span.start])
    return found


def _mean(values: Doubles) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _info(recording: Recording, tensor: Tensor, seen: Sweep, windows: Spans, kept: int) -> Info:
    """Return what of a tensor is no row of the table.

    Returns:
        `from`, `gradient_steps`; `measured`, `kept`; `first`, `last`, `is_settled`: which of its steps, counted from 1
        over those with a gradient, the numbers of a page are of; `dead`, `dead_rows`, `dead_columns`: how many never
        had a gradient; `died` and the like: how many had none in the last tenth; `which` {`rows`, `columns`, `since`}
        of the latter, counted from 0, and the step after which none of them had one; `zero`, the share of gradients
        that are zero; `never_moved`; `ratio_last`, the geometric mean over those of the last tenth that moved it, and
        `ratio_median`, over all; `grown`, how many times as large the weights are before the last step as before the
        first, or as `NEGLIGIBLE` where they began smaller (`is_from_nothing`), and their `size` then; `gradient`, the
        mean logarithm (base 10) of the root mean square of a step's gradients, None where all are zero; `jump`: of the
        steps that moved it, after the first `LATELY` of these, the `step` that is most unlike those around it, in
        learning rates, and its `factor` over what `own_marks.ORDINARY` of these do not exceed, or None; `has_rate`,
        whether a learning rate is known; `full_rate`, how much larger the highest learning rate is than the mean one
        of the last tenth, None where that is zero; `rate_is_zero`; `stopped`: `row` (counted from 1 over the steps with
        a gradient) and `step` after which nothing moved, and `rate_is_zero` from then on; None where it moved to the
        end, or never; `judged_rows`, `judged_columns`: of how many it can be said whether they are dead.
        Added later: `is_tossed`, `has_streaks`, `gradients_lag_1`,
        `chance` by window, `typical` rows, `lost_driven`, `equal_share`, `run`, `toss`, `flips`, `pairs`.
    """
    steps = len(seen.numbers)
    tenth = max(steps // 10, LATELY)
    late = windows.get(SETTLED, windows.get(ALL, slice(0, steps)))
    never = seen.last_gradient < 0
    lately = seen.last_gradient < steps - tenth if steps >= 2 * tenth else never
    dead, died = own_marks.lines(recording, tensor, never), own_marks.lines(recording, tensor, lately)
    which = {"rows": died[0], "columns": died[1]} if died else {"rows": [], "columns": []}
    rates = recording.settings[tensor.group].get("lr")
    used = None if rates is None else rates[seen.numbers - 1]
    last = 0.0 if used is None else float(used[-max(steps // 10, 1) :].mean())
    ratio = seen.ratio[-max(steps // 10, 1) :]
    moving, known = ratio[ratio > 0], seen.ratio[np.isfinite(seen.ratio)]
    return {
        "from": int(seen.numbers[0]),
        "gradient_steps": steps,
        "measured": len(seen.entries),
        "kept": kept,
        "first": late.start + 1,
        "last": late.stop,
        "is_settled": SETTLED in windows,
        "dead": int(never.sum()),
        "dead_rows": None if dead is None else len(dead[0]),
        "dead_columns": None if dead is None else len(dead[1]),
        "died": int(lately.sum()),
        "judged_rows": None if dead is None else dead[2],
        "judged_columns": None if dead is None else dead[3],
        "died_rows": None if died is None else len(died[0]),
        "died_columns": None if died is None else len(died[1]),
        "which": {**which, "since": own_marks.since(recording, tensor, seen, lately, which["rows"])},
        "zero": float(seen.zeros.sum()) / (len(seen.moved) * steps),
        "never_moved": int(np.count_nonzero(~seen.moved)),
        "ratio_last": float(np.exp(np.log(moving).mean())) if len(moving) else None,
        "ratio_median": float(np.median(known)) if len(known) else None,
        "grown": float(seen.weight[-1]) / max(float(seen.weight[0]), NEGLIGIBLE),
        "size": float(seen.weight[-1]),
        "is_from_nothing": float(seen.weight[0]) < NEGLIGIBLE,
        "gradient": _mean(np.log10(seen.gradient[seen.gradient > 0])),
        "jump": own_marks.jump(seen, used),
        "has_rate": used is not None,
        "full_rate": None if used is None or last <= 0 else float(used.max()) / last,
        "rate_is_zero": used is not None and not bool((used != 0).any()),
        "stopped": own_marks.stopped(seen, used),
    }


def chance(beta: Doubles | None) -> dict[str, float] | None:
    """Return what the formula predicts over some steps: `run` (steps), `agreement`, `lag_1`; None where there is none.

    Args:
        beta: (steps,), the momentum coefficient of each: a schedule may change it slowly.
    """
    return None if beta is None or not len(beta) else dict(_predicted(beta.tobytes()))


@functools.cache
def _predicted(beta: bytes) -> tuple[tuple[str, float], ...]:
    values, counts = np.unique(np.frombuffer(beta), return_counts=True)
    share = counts / counts.sum()
    flips = float(share @ [theory.flip_rate(each) for each in values])
    agreement = float(share @ [theory.agreement(each) for each in values])
    return (("run", 1 / flips), ("agreement", agreement), ("lag_1", float(share @ values)))
