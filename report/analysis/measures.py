"""All measures of one training run, computed once and kept, so that a new run costs only itself."""

import json
from pathlib import Path
from typing import Any

from report import files
from report.config import Experiment, Optimizer
from report.freshness import code_digest, digest
from report.recording import Recording
from report.workspace import Workspace

# What the numbers of one training run depend on, besides the recording.
CODE = (
    "agreement.py",
    "autocorrelation.py",
    "coasting.py",
    "decomposition.py",
    "dwell.py",
    "measures.py",
    "persistence.py",
    "startup.py",
    "theory.py",
    "threshold.py",
    "units.py",
    "update_rms.py",
    "updates.py",
    "windows.py",
)
# Those nested by run, layer and window, and those without windows.
WINDOWED = (
    "persistence",
    "run_lengths",
    "autocorrelation",
    "dwell",
    "agreement",
    "coasting",
    "update_rms",
    "units",
    "decomposition",
)
UNWINDOWED = ("startup", "agreement_curve")


def of(recording: Recording, optimizer: Optimizer, batches: int) -> dict[str, Any]:
    """Return every measure of one training run, nested by quantity, then layer (then window).

    Args:
        recording: the training run.
        optimizer: what it was trained with.
        batches: the first so many are measured, so that training runs of different length can be compared.
    """
    import numpy as np

    from report.analysis import (
        agreement,
        autocorrelation,
        coasting,
        decomposition,
        dwell,
        persistence,
        startup,
        theory,
        threshold,
        units,
        update_rms,
        updates,
    )

    batches = min(batches, recording.batches)
    rate = optimizer.learning_rate
    beta = theory.memory(optimizer.name, optimizer.arguments)
    smallest = min(recording.kept_indices(layer).size for layer in recording.whole) * batches
    found: dict[str, Any] = {quantity: {} for quantity in (*WINDOWED, *UNWINDOWED)}
    for layer in recording.layers:
        weights = np.asarray(recording.kept_weights(layer)[: batches + 1])
        gradients = np.asarray(recording.kept_gradients(layer)[:batches])
        change = updates.of(weights)
        law = threshold.law(change, smallest)
        sign = persistence.signs(change)
        agreeing = agreement.counts(sign, persistence.signs(gradients))
        correlations = autocorrelation.describe(change, gradients)
        of_gradients = {window: both["gradients"] for window, both in correlations.items()}
        found["persistence"][layer] = persistence.describe(sign)
        found["run_lengths"][layer] = persistence.describe_lengths(sign)
        found["autocorrelation"][layer] = correlations
        found["dwell"][layer] = dwell.describe(change, law, beta)
        found["agreement"][layer] = agreement.describe(*agreeing)
        found["agreement_curve"][layer] = agreement.curve(*agreeing)
        found["coasting"][layer] = coasting.describe(sign, gradients)
        found["update_rms"][layer] = update_rms.describe(change, rate)
        found["units"][layer] = units.describe(weights, law)
        found["startup"][layer] = startup.describe(change, gradients, rate)
        found["decomposition"][layer] = decomposition.describe(sign, gradients, beta, of_gradients)
    return found


def is_kept(place: Workspace, experiment: Experiment, optimizer: Optimizer, name: str) -> bool:
    """Tell whether `build/measures` holds the measures of the training run `name`, and they are still true."""
    return _read(place, name, _key(place, experiment, optimizer, name)) is not None


def kept(place: Workspace, experiment: Experiment, optimizer: Optimizer, name: str) -> dict[str, Any]:
    """Return the measures of the training run `name`, from `build/measures` where they are still true.

    Raises:
        ReportError: when the recording is damaged or the disk refuses.
    """
    key = _key(place, experiment, optimizer, name)
    known = _read(place, name, key)
    if known is not None:
        return known
    made = of(Recording.open(place.run(name)), optimizer, experiment.study.batches)
    files.write_json(_path(place, name), {"key": key, "measures": made})
    return made


def _path(place: Workspace, name: str) -> Path:
    return place.measures / f"{name}.json"


def _key(place: Workspace, experiment: Experiment, optimizer: Optimizer, name: str) -> str:
    folder = Path(__file__).parent
    code = code_digest(*(folder / module for module in CODE), folder.parent / "recording.py")
    return digest(place.run(name) / "run.json", experiment.study.batches, optimizer.model_dump(mode="json"), code)


def _read(place: Workspace, name: str, key: str) -> dict[str, Any] | None:
    try:
        known = json.loads(_path(place, name).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None  # a damaged file costs a second, not an error
    measures: dict[str, Any] | None = known["measures"] if known.get("key") == key else None
    return measures
