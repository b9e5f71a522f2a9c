"""All measures of one training run, computed once and kept, so that a new run costs only itself."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
from report.analysis.units import Sizes
from report.analysis.updates import Track
from report.analysis.windows import ALL, WHOLE
from report.products import CODE, Product
from report.recording.reader import Recording
from report.recording.schema import Rule

Value = float | None
Name = tuple[str, str, str, str]  # quantity, statistic, tensor, window; of what has no window: ""
Numbers = dict[Name, list[Value]]  # one number, or a series of them
ByWindow = dict[str, dict[str, Value]]


def of(recording: Recording, drawn: Sequence[str], steps: int) -> Numbers:
    """Return every number of one training run.

    A tensor that never had a gradient is absent, and so is a window in which it had none.

    Args:
        recording: the training run.
        drawn: the tensors of the network graph, whose smallest sets the thresholds.
        steps: the first so many are measured, so that training runs of different length can be compared; sizes and
            thresholds, under windows "whole …", over all steps as well.
    """
    least = smallest(recording, drawn, steps)
    found: Numbers = {}
    for name, rule in rules.by_tensor(recording).items():
        track = Track(recording, name)
        seen = survey(track, steps, least)
        if seen is not None:
            found |= _tensor(track, seen, rule, steps)
    return found


def _tensor(track: Track, seen: Survey, rule: Rule, steps: int) -> Numbers:
    """Return every number of one tensor."""
    recording, spans, weights = track.recording, seen.spans, len(track.entries)
    rate, beta = rules.learning_rate(recording, rule), rules.momentum_coefficient(recording, rule)
    flips, lengths, agreement = Flips(spans), Lengths(spans), Agreement(spans, steps)
    of_updates, of_gradients = Autocorrelation(spans), Autocorrelation(spans)
    coasting = Coasting(spans, weights), Coasting(seen.beyond, weights)
    sizes = Sizes(spans, seen.live), Sizes(seen.beyond, seen.live)
    dwell = Dwell(spans, weights, seen.laws[ALL]) if spans else None
    twins = None if beta is None or not spans else decomposition.Twins(spans, beta, weights)
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
        flips.add(first, sign)
        lengths.add(first, sign)
        agreement.add(first, chunk.numbers, sign, signs(gradients))
        coasting[0].add(first, sign, gradients)
        of_updates.add(first, change)
        of_gradients.add(first, gradients)
        if twins is not None:
            twins.add(first, sign, gradients)
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
        "decomposition": {
            window: parts
            for window, parts in decomposition.describe(flips, twins, correlations, spans).items()
            if parts is not None
        },
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
        (quantity, statistic, track.name, window): [value]
        for quantity, by_window in single.items()
        for window, row in by_window.items()
        for statistic, value in row.items()
    }
    for (quantity, statistic), numbers in series.items():
        found |= {(quantity, statistic, track.name, window): values for window, values in numbers.items()}
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
    """

    path: Path
    key: str
    source: Path
    drawn: tuple[str, ...]
    steps: int

    def read(self) -> Numbers | None:
        """Return what is kept and still true; a damaged file costs a second, not an error."""
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"), parse_constant=_refuse)
            if known["key"] != self.key:
                return None
            found: Numbers = {}
            for quantity, statistic, tensor, window, values in known["numbers"]:
                is_series = bool(SCHEMA[quantity][statistic].at)
                if not (is_series or len(values) == 1) or not all(map(_is_number, values)):
                    return None
                found[quantity, statistic, str(tensor), str(window)] = values
            return found
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def make(self) -> Numbers:
        """Measure and write.

        Raises:
            ReportError: when the recording is damaged or the disk refuses.
        """
        made = of(Recording.open(self.source), self.drawn, self.steps)
        rows = [[*name, values] for name, values in sorted(made.items())]
        files.write_text(
            self.path, json.dumps({"key": self.key, "numbers": rows}, ensure_ascii=False, allow_nan=False) + "\n"
        )
        return made


def kept(folder: Path, recording: Recording, drawn: Sequence[str], steps: int) -> Kept:
    """Return where in `folder` the measures of a recording are kept."""
    path = folder / f"{recording.name}.json"
    inputs = [*_identity(recording), list(drawn), steps]
    key = CODE.key(Product(recording.name, (__name__,), lambda: inputs, lambda: [path], lambda: None))
    return Kept(path, key, recording.path, tuple(drawn), steps)


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
