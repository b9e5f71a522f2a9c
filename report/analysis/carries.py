"""Whether a study can carry the article: its story needs momentum, something to compare it with, and enough of both."""

from collections.abc import Iterator

import numpy as np

from report.analysis import chain, overview, replay, rules
from report.analysis.findings.loop import pairs
from report.analysis.findings.records import Lookup
from report.analysis.table import Table
from report.analysis.windows import EARLY, WINDOWS
from report.recording.reader import Recording
from report.recording.study import Study

DATA = ("mnist", "sample")  # that the article speaks of
NETWORK = "mlp"
SEEDS, BATCHES = 3, 200  # the fewest: an interval, and steps after the start
PAIRED = 2  # seeds without which there is no interval at all


def lacking(study: Study) -> tuple[str, ...]:
    """Return what a study lacks to carry the article, the first first; () when it can.

    It is asked of recordings, before anything is measured. The answers are `data` (other images than the article's),
    `network` (another kind of one), `drawn` (no layer is kept whole), `seeds`, `batches` (too few of them), `momentum`
    (the main optimizer has none, or its arithmetic is not replayed), `control` (none without momentum), `pair` (no
    strong momentum with the same optimizer without it), `moves` (after the start no weight goes up and down).
    """
    return tuple(_lacking(study))


def _lacking(study: Study) -> Iterator[str]:
    about, drawn = study.main.about, chain.drawn(study.main.tensors)
    if about.get("data", {}).get("source") not in DATA:
        yield "data"
    if about.get("network", {}).get("kind") != NETWORK:
        yield "network"
    if not drawn:
        yield "drawn"
    if len(study.of(study.main.label)) < SEEDS:
        yield "seeds"
    if study.steps < BATCHES:
        yield "batches"
    # A label of a single seed has no interval, so nothing is compared with it.
    compared = Study([each for each in study.recordings if len(study.of(each.label)) >= PAIRED] or [study.main])
    theories = {slug: rules.common(found) for slug, found in rules.predicted(compared).items()}
    known = Lookup(overview.overview(compared, drawn, ()), Table((), ()), theories)
    if not known.momentum(known.main) or not set(drawn) <= set(replay.by_tensor(study.main, study.steps)):
        yield "momentum"
    if not known.plain:
        yield "control"
    if not pairs(known):
        yield "pair"
    if drawn and study.steps >= BATCHES and not all(_moves(each, drawn) for each in study.of(study.main.label)):
        yield "moves"


def _moves(recording: Recording, drawn: tuple[str, ...]) -> bool:
    """Tell whether some weight of the drawn layers goes up and down after the start: a dead network's do not."""
    _, start = WINDOWS[EARLY]
    for name in drawn:
        updates = np.diff(recording.weights(name)[start:], axis=0)
        if ((updates > 0).any(axis=0) & (updates < 0).any(axis=0)).any():
            return True
    return False
