"""What each optimizer makes of the gradients of one training run, and what is left of it when a coin draws the signs.

A control changes the whole loop: other updates move the weights elsewhere, and there the gradients are others. A
*transplant* changes the optimizer alone: it sends recorded gradients through another one's arithmetic. Each is also
made of tossed gradients, whose signs a coin has drawn. `mean_run` - `toss` is the *lean*: what the direction of the
gradients adds to a streak (they keep it), or takes away (each takes back what the last one gave).
"""

import functools
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from report.analysis.persistence import Flips, signs
from report.analysis.replay import Arithmetic, Coins, Divisor, Replay, Sum, Walk
from report.analysis.togetherness import Togetherness
from report.analysis.updates import Chunk, Track
from report.analysis.windows import Spans, Totals
from report.recording.reader import Recording

TOSSES = 3
SEED = 20  # of the coins; fixed, so that a number does not change from one analysis to the next
BLOCK = 1 << 17  # gradients that are replayed at once: what a processor's cache holds

Found = dict[str, dict[str, float | None]]  # by window and name


@dataclass(frozen=True)
class Applied:
    """Hold the optimizers that the gradients of a training run are sent through.

    Attributes:
        own: slug of the label of the training run.
        every: by slug of a label and by tensor, how that label's optimizer treats it.
    """

    own: str
    every: Mapping[str, Mapping[str, Arithmetic]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return what tells these optimizers from others."""
        every = {slug: {name: _key(how) for name, how in found.items()} for slug, found in sorted(self.every.items())}
        return hashlib.sha256(repr((self.own, every)).encode()).hexdigest()

    def to(self, track: Track, spans: Spans) -> "Replays":
        """Return the replays of a tensor."""
        found = {slug: by_tensor[track.name] for slug, by_tensor in self.every.items() if track.name in by_tensor}
        return Replays(spans, found, self.own, track)


class Own:
    """Look closer at the optimizer that the training run had: what it lost, and what its tossed twin consists of."""

    def __init__(self, spans: Spans, how: Arithmetic, initial: NDArray[np.float32], together: Togetherness) -> None:
        """Begin with the weights before the first row, (n,); `together` counts the first toss."""
        self.held = Flips(spans, (TOSSES,))
        self.exact = Flips(spans)
        self.together = together
        self.counts = Totals(spans, (4,))  # entries, those whose sign is the recorded one, asked for, lost
        self._held = Sum(how.momentum, held=True)
        self._replay = Replay(how, initial.astype(np.float64))

    def add(
        self,
        chunk: Chunk,
        noise: NDArray[np.float32],
        asked: NDArray[np.floating],
        moved: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    ) -> None:
        """Take in some rows.

        Args:
            chunk: as recorded.
            noise: (rows, TOSSES, n), its gradients with tossed signs.
            asked: (rows, n), the updates that the replay asks for.
            moved: (rows, 1 + TOSSES, n), where they go up, and where down, as recorded and tossed.
        """
        up, down = moved
        total = self._held.add(noise)
        self.held.add(chunk.first, total > 0, total < 0, noise != 0)
        sign = up[:, 0].view(np.int8) - down[:, 0].view(np.int8)
        stood = sign == 0
        wanted = asked != 0
        counts = [np.full(len(sign), sign.shape[1])]
        counts += [np.count_nonzero(x, axis=1) for x in (sign == signs(chunk.updates), wanted, wanted & stood)]
        self.counts.add(chunk.first, np.stack(counts, axis=1))
        self.together.add(chunk.first, up[:, 1].view(np.int8) - down[:, 1].view(np.int8))
        path = self._replay.add(chunk.first, chunk.numbers, chunk.gradients.astype(np.float64))
        self.exact.add(chunk.first, path[1:] > path[:-1], path[1:] < path[:-1])

    def resolution(self) -> Found:
        """Return what the number format took away.

        Returns:
            By window: `lost_share`, of the updates that the optimizer asked for those that did not move the weight
            (None where it asked for none); `mean_run_float64`, the mean same-sign run (steps) of the same gradients in
            64 bits; `equal_share`, of the updates whose sign the replay gives back.
        """
        found: Found = {}
        for window in self.counts.spans:
            entries, equal, asked, lost = self.counts[window].tolist()
            found[window] = {
                "equal_share": equal / entries,
                "lost_share": lost / asked if asked else None,
                "mean_run_float64": self.exact.mean_run(window),
            }
        return found


class Replays:
    """Send the gradients of one tensor through every optimizer, as they are and tossed."""

    def __init__(
        self,
        spans: Spans,
        applied: Mapping[str, Arithmetic],
        own: str,
        track: Track,
    ) -> None:
        """Begin with no row.

        Args:
            spans: which rows belong to each window.
            applied: the optimizers, by slug of their label.
            own: slug of the label whose gradients these are.
            track: the tensor's history.
        """
        self.spans = spans
        self.applied = applied
        self.flips = {slug: Flips(spans, (1 + TOSSES,)) for slug in applied}
        self.own: Own | None = None
        self._own, self._together = own, Togetherness.of(track, spans)
        self._coins = [coins(track.recording, track.name, toss) for toss in range(TOSSES)]
        self._sums = {(how.momentum, how.averaged): Sum.of(how) for how in applied.values()}
        self._divisors = {how.size: Divisor(how) for how in applied.values() if how.decay is not None}
        self._walks: dict[str, Walk] = {}

    def add(self, chunk: Chunk) -> None:
        """Take in some rows."""
        if not self.applied:
            return
        size = max(BLOCK // max((1 + TOSSES) * chunk.gradients.shape[1], 1), 1)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # as silently as in the optimizer
            for start in range(0, len(chunk.numbers), size):
                self._add(chunk.rows(start, start + size))

    def _add(self, chunk: Chunk) -> None:
        rows, weights = chunk.gradients.shape
        if not self._walks:
            initial = np.broadcast_to(chunk.weights[0], (1 + TOSSES, weights))
            self._walks = {slug: Walk(how, initial) for slug, how in self.applied.items()}
            if self._own in self.applied:
                self.own = Own(self.spans, self.applied[self._own], chunk.weights[0], self._together)
        gradients = np.empty((rows, 1 + TOSSES, weights), np.float32)
        gradients[:, 0] = chunk.gradients
        for toss, coins in enumerate(self._coins, 1):
            np.multiply(chunk.gradients, coins.toss(rows, weights), out=gradients[:, toss])
        sums = {decay: each.add(gradients) for decay, each in self._sums.items()}
        divisors = {of: each.add(chunk.first, chunk.gradients)[:, None] for of, each in self._divisors.items()}
        for slug, how in self.applied.items():
            divisor = None if how.decay is None else divisors[how.size]
            asked, path = self._walks[slug].add(chunk.first, chunk.numbers, sums[how.momentum, how.averaged], divisor)
            moved = path[1:] > path[:-1], path[1:] < path[:-1]
            self.flips[slug].add(chunk.first, *moved)
            if self.own is not None and slug == self._own:
                self.own.add(chunk, gradients[:, 1:], asked[:, 0], moved)

    def found(self) -> dict[str, Found]:
        """Return, by slug of the optimizer that is applied and by window, mean same-sign runs in steps.

        `mean_run` of the gradients as they are; `toss`, the mean over the tosses; `lean`, their difference. Each None
        where nothing flips.
        """
        found: dict[str, Found] = {}
        for slug, flips in self.flips.items():
            found[slug] = {}
            for window in self.spans:
                run, toss = flips.mean_run(window, 0), self.tossed(flips, window)
                lean = None if run is None or toss is None else run - toss
                found[slug][window] = {"lean": lean, "mean_run": run, "toss": toss}
        return found

    def parts(self, window: str) -> tuple[float | None, float | None]:
        """Return the mean same-sign run of the training run's own optimizer, tossed, and tossed and held."""
        if self.own is None:
            return None, None
        held = [self.own.held.mean_run(window, toss) for toss in range(TOSSES)]
        return self.tossed(self.flips[self._own], window), _mean(held)

    @staticmethod
    def tossed(flips: Flips, window: str) -> float | None:
        """Return the mean over the tosses of their mean same-sign runs."""
        return _mean([flips.mean_run(window, toss) for toss in range(1, 1 + TOSSES)])


@functools.cache
def _key(how: Arithmetic) -> str:
    """Return what tells an optimizer from others; the same one treats many tensors of many training runs."""
    return hashlib.sha256(repr(how).encode()).hexdigest()


def coins(recording: Recording, name: str, toss: int) -> Coins:
    """Return the coins of a toss, counted from 0: the same for the same seed and tensor, others for every other one."""
    seed = zlib.crc32(recording.name.encode()) if recording.seed is None else abs(recording.seed)
    return Coins(SEED, seed, zlib.crc32(name.encode()), toss)


def _mean(values: list[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return sum(known) / len(known) if len(known) == len(values) else None
