"""All measures of one training run, computed once and kept, so that a new run costs only itself."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from report import files
from report.analysis import decomposition, rules, threshold
from report.analysis.agreement import Agreement
from report.analysis.autocorrelation import Autocorrelation
from report.analysis.coasting import Coasting
from report.analysis.dwell import Dwell
from report.analysis.persistence import Flips, Lengths, signs
from report.analysis.startup import Startup
from report.analysis.survey import Survey, smallest, survey
from report.analysis.table import SCHEMA
from report.analysis.togetherness import Togetherness
from report.analysis.transplants import Applied, Replays
from report.analysis.units import Sizes
from report.analysis.updates import Track
from report.analysis.windows import ALL, WHOLE
from report.products import CODE, Product
from report.recording.reader import Recording
from report.recording.schema import Rule

Value = float | None
ByWindow = dict[str, dict[str, Value]]


class Name(NamedTuple):
    """Name a number of one training run; `window` is empty where there is none.

    `applied` is the slug of the optimizer that its gradients were sent through, empty for its own.
    """

    quantity: str
    statistic: str
    tensor: str
    window: str
    applied: str = ""


Numbers = dict[Name, list[Value]]  # one number, or a series of them


def of(recording: Recording, drawn: Sequence[str], steps: int, applied: Applied) -> Numbers:
    """Return every number of one training run.

    A tensor that never had a gradient is absent, and so is a window in which it had none.

    Args:
        recording: the training run.
        drawn: the tensors of the network graph, whose smallest sets the thresholds.
        steps: the first so many are measured, so that training runs of different length can be compared; sizes and
            thresholds, under windows "whole …", over all steps as well.
        applied: the optimizers that its gradients are sent through.
    """
    least = smallest(recording, drawn, steps)
    found: Numbers = {}
    for name, rule in rules.by_tensor(recording).items():
        track = Track(recording, name)
        seen = survey(track, steps, least)
        if seen is not None:
            found |= _tensor(track, seen, rule, steps, applied)
    return found


def _tensor(track: Track, seen: Survey, rule: Rule, steps: int, applied: Applied) -> Numbers:
    """Return every number of one tensor."""
    recording, spans, weights = track.recording, seen.spans, len(track.entries)
    rate, beta = rules.learning_rate(recording, rule), rules.momentum_coefficient(recording, rule)
    flips, lengths, agreement = Flips(spans), Lengths(spans), Agreement(spans, steps)
    of_updates, of_gradients = Autocorrelation(spans), Autocorrelation(spans)
    coasting = Coasting(spans, weights), Coasting(seen.beyond, weights)
    sizes = Sizes(spans, seen.live), Sizes(seen.beyond, seen.live)
    dwell = Dwell(spans, weights, seen.laws[ALL]) if spans else None
    replays, together = applied.to(track, spans), Togetherness.of(track, spans)
    start = None if rate is None else Startup(rate)
    full = dict.fromkeys(seen.laws, 0)
    for whole in track.chunks():
        chunk = whole.until(steps)
        first, change, gradients = chunk.first, chunk.updates, chunk.gradients
        if seen.beyond:
            law = seen.laws[WHOLE + ALL]
            opacity = threshold.opacity(threshold.deviation(whole.updates, law.mean), law.threshold)
            full[WHOLE + ALL] += int((opacity >= 1).sum())
            sizes[1].add(first, whole.weights, whole.updates, opacity)
            coasting[1].add(first, signs(whole.updates), whole.gradients)
            del opacity
        if not len(change):
            continue
        sign = signs(change)
        flips.add(first, sign > 0, sign < 0)
        together.add(first, sign)
        replays.add(chunk)
        lengths.add(first, sign)
        agreement.add(first, chunk.numbers, sign, signs(gradients))
        coasting[0].add(first, sign, gradients)
        of_updates.add(first, change)
        of_gradients.add(first, gradients)
        if start is not None:
            start.add(first, change, gradients)
        assert dwell is not None  # there are rows, hence a window
        deviations = threshold.deviation(change, dwell.law.mean)
        dwell.add(first, deviations)
        opacity = threshold.opacity(deviations, dwell.law.threshold)
        del deviations
        full[ALL] += int((opacity >= 1).sum())
        sizes[0].add(first, chunk.weights, change, opacity)
        del opacity
    correlations = of_gradients.found()
    single: dict[str, ByWindow] = {
        "persistence": flips.found(seen.live),
        "dwell": {} if dwell is None else dwell.found(beta),
        "agreement": agreement.found(),
        "coasting": coasting[0].found() | coasting[1].found(),
        "update_rms": sizes[0].over_learning_rate(rate),
        "units": sizes[0].found() | sizes[1].found(),
        "decomposition": decomposition.describe(flips, replays.parts, beta, correlations, spans),
        "togetherness": _togetherness(together, replays),
        "resolution": {} if replays.own is None else replays.own.resolution(),
        "threshold": {window: _law(law, full[window]) for window, law in seen.laws.items()},
        "windows": {window: {"steps": rows.stop - rows.start} for window, rows in {**spans, **seen.beyond}.items()},
        "first_step": {} if start is None or not start.first else {"": start.first},
    }
    series: dict[tuple[str, str], dict[str, list[Value]]] = {
        ("autocorrelation", "gradients"): correlations,
        ("autocorrelation", "updates"): of_updates.found(),
        ("run_lengths", "probability"): lengths.found(),
    }
    if spans:
        # Without a learning rate there is no such series of this run, and so none of its label.
        series["startup", "mean_absolute"] = {"": [] if start is None else start.mean_absolute}
        series["agreement_batches", "share"] = {"": agreement.curve()}
    found: Numbers = {
        Name(quantity, statistic, track.name, window): [value]
        for quantity, by_window in single.items()
        for window, row in by_window.items()
        for statistic, value in row.items()
    }
    for (quantity, statistic), numbers in series.items():
        found |= {Name(quantity, statistic, track.name, window): values for window, values in numbers.items()}
    for slug, numbers_of in replays.found().items():
        for window, row in numbers_of.items():
            found |= {Name("transplants", key, track.name, window, slug): [value] for key, value in row.items()}
    return found


def _togetherness(together: Togetherness, replays: Replays) -> ByWindow:
    """Return the shares of pairs that agree, as recorded and, as `…_toss`, of the first toss."""
    found = together.found()
    if replays.own is not None:
        for window, row in replays.own.together.found().items():
            found[window] |= {f"{name}_toss": share for name, share in row.items()}
    return found


def _law(law: threshold.Law, full: int) -> dict[str, Value]:
    return {
        **{name: getattr(law, name) for name in ("mean", "threshold", "rank", "deviations", "smallest")},
        "full_colour": full,
    }


@dataclass(frozen=True)
class Kept:
    """Name the file in which the measures of one training run are kept, and what they are true of.

    Attributes:
        path: of the file.
        key: of everything that decides the measures.
        source: folder of the recording.
        drawn: see `of`.
        steps: see `of`.
        applied: see `of`.
    """

    path: Path
    key: str
    source: Path
    drawn: tuple[str, ...]
    steps: int
    applied: Applied

    def read(self) -> Numbers | None:
        """Return what is kept and still true; a damaged file costs a second, not an error."""
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"), parse_constant=_refuse)
            if known["key"] != self.key:
                return None
            found: Numbers = {}
            for *name, values in known["numbers"]:
                key = Name(*map(str, name))
                is_series = bool(SCHEMA[key.quantity][key.statistic].at)
                if not (is_series or len(values) == 1) or not all(map(_is_number, values)):
                    return None
                found[key] = values
            return found
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def make(self) -> Numbers:
        """Measure and write.

        Raises:
            ReportError: when the recording is damaged or the disk refuses.
        """
        made = of(Recording.open(self.source), self.drawn, self.steps, self.applied)
        rows = [[*name, values] for name, values in sorted(made.items())]
        files.write_text(
            self.path, json.dumps({"key": self.key, "numbers": rows}, ensure_ascii=False, allow_nan=False) + "\n"
        )
        return made


def kept(folder: Path, recording: Recording, drawn: Sequence[str], steps: int, applied: Applied) -> Kept:
    """Return where in `folder` the measures of a recording are kept."""
    path = folder / f"{recording.name}.json"
    inputs = [*_identity(recording), list(drawn), steps, applied.key]
    key = CODE.key(Product(recording.name, (__name__,), lambda: inputs, lambda: [path], lambda: None))
    return Kept(path, key, recording.path, tuple(drawn), steps, applied)


def _identity(recording: Recording) -> list[Path | int | str]:
    """Return what tells a recording from every other one: what it says of itself, and the states it ended with.

    `run.json` alone would not do: training again with other data may leave it as it was.
    """
    ends: list[Path | int | str] = [recording.path / "run.json", recording.path / "events.jsonl", recording.steps]
    for name in recording.tensors:
        rows = (recording.weights(name)[-1:], recording.gradients(name)[-1:])
        ends += [row.tobytes().hex() for row in rows]
    return ends


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and math.isfinite(value))


def _refuse(constant: str) -> None:
    raise ValueError(constant)
