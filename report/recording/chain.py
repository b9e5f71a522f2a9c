"""Checksums of weights, chained step by step: two recordings that agree at a step agree at every one before it."""

import hashlib
from collections.abc import Iterator

from report.recording.reader import Recording

EVERY = 100  # steps from one link that is kept to the next
ROWS = 512  # of weights that are read at a time


def links(recording: Recording, name: str) -> dict[int, str]:
    """Return by step the SHA-256 of a tensor's kept weights (float32, row after row) from the first state to that step.

    The steps are 0, every hundredth, and the last.
    """
    return dict(_links(recording, name))


def _links(recording: Recording, name: str) -> Iterator[tuple[int, str]]:
    weights, total = recording.weights(name), hashlib.sha256()
    for start in range(0, len(weights), ROWS):
        for step, row in enumerate(weights[start : start + ROWS].astype("<f4", copy=False), start):
            total.update(row.data)
            if step % EVERY == 0 or step == len(weights) - 1:
                yield step, total.hexdigest()
