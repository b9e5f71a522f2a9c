"""All measures of one training run, computed once and kept, so that a new run costs only itself."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report import files
from report.analysis import (
    agreement,
    autocorrelation,
    coasting,
    decomposition,
    dwell,
    persistence,
    rules,
    startup,
    threshold,
    units,
    update_rms,
    updates,
)
from report.freshness import code_digest, digest, imported
from report.recording.reader import Recording

# Nested by run, tensor and window: single numbers, and series. Without windows: what changes over the steps.
SCALARS = ("persistence", "dwell", "agreement", "coasting", "update_rms", "units", "decomposition")
WINDOWED = (*SCALARS, "autocorrelation", "run_lengths")
QUANTITIES = (*WINDOWED, "startup", "agreement_curve")


def of(recording: Recording, drawn: Sequence[str], steps: int) -> dict[str, Any]:
    """Return every measure of one training run, nested by quantity, then tensor (then window).

    A tensor that never had a gradient is absent, and so is a window in which it had none.

    Args:
        recording: the training run.
        drawn: the tensors of the network graph, whose smallest sets the thresholds.
        steps: the first so many are measured, so that training runs of different length can be compared.
    """
    smallest = threshold.smallest(recording, drawn, steps)
    found: dict[str, Any] = {quantity: {} for quantity in QUANTITIES}
    for name, rule in rules.by_tensor(recording).items():
        seen = updates.trajectory(recording, name, steps)
        if not len(seen.numbers):
            continue
        change, gradients, spans = seen.updates, seen.gradients, seen.spans
        rate, beta = rules.learning_rate(recording, rule), rules.momentum_coefficient(recording, rule)
        law = threshold.law(change, smallest)
        sign = persistence.signs(change)
        agreeing = agreement.counts(sign, persistence.signs(gradients))
        correlations = autocorrelation.describe(change, gradients, spans)
        of_gradients = {window: both["gradients"] for window, both in correlations.items()}
        found["persistence"][name] = persistence.describe(sign, spans)
        found["run_lengths"][name] = persistence.describe_lengths(sign, spans)
        found["autocorrelation"][name] = correlations
        found["dwell"][name] = dwell.describe(change, law, beta, spans)
        found["agreement"][name] = agreement.describe(*agreeing, spans)
        found["agreement_curve"][name] = agreement.curve(*agreeing, seen.numbers, steps)
        found["coasting"][name] = coasting.describe(sign, gradients, spans)
        found["update_rms"][name] = update_rms.describe(change, rate, spans)
        found["units"][name] = units.describe(seen.weights, change, law, spans)
        found["startup"][name] = startup.describe(change, gradients, rate)
        found["decomposition"][name] = decomposition.describe(sign, gradients, beta, of_gradients, spans)
    return found


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

    def read(self) -> dict[str, Any] | None:
        """Return what is kept and still true; a damaged file costs a second, not an error."""
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"), parse_constant=_refuse)
            measures: dict[str, Any] = known["measures"]
            return measures if known["key"] == self.key and measures.keys() >= set(QUANTITIES) else None
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def make(self) -> None:
        """Measure and write.

        Raises:
            ReportError: when the recording is damaged or the disk refuses.
        """
        made = of(Recording.open(self.source), self.drawn, self.steps)
        files.write_json(self.path, {"key": self.key, "measures": made})


def kept(folder: Path, recording: Recording, drawn: Sequence[str], steps: int) -> Kept:
    """Return where in `folder` the measures of a recording are kept."""
    key = digest(*_identity(recording), list(drawn), steps, code_digest(*imported(Path(__file__))))
    return Kept(folder / f"{recording.name}.json", key, recording.path, tuple(drawn), steps)


def _identity(recording: Recording) -> list[Any]:
    """Return what tells a recording from every other one: what it says of itself, and the states it ended with.

    `run.json` alone would not do: training again with other data may leave it as it was.
    """
    ends: list[Any] = [recording.path / "run.json", recording.path / "events.jsonl", recording.steps]
    for name in recording.tensors:
        rows = (recording.weights(name)[-1:], recording.gradients(name)[-1:])
        ends += [row.tobytes().hex() for row in rows]
    return ends


def _refuse(constant: str) -> None:
    raise ValueError(constant)
