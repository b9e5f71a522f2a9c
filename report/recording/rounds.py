"""Follow the steps of optimizers: which of them make one round, and what the round's row holds."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from report.recording.arguments import Keep
from report.recording.batch import Batch, State, Tick
from report.recording.gather import Chunk
from report.recording.holdings import Holdings
from report.recording.series import Log
from report.recording.source import Source
from report.recording.writer import Writer


class Rounds:
    """Gather what every round does to the weights, and hand it to the writer. The lock is held in all that steps.

    Attributes:
        lock: of everything here; the writer's thread takes rows too.
        seen: positions of the optimizers that have stepped.
        rows: rounds that have a row.
        log: of the numbers that belong to rounds.
    """

    def __init__(self, holdings: Holdings, optimizers: Sequence[Any], keep: Keep) -> None:
        """Begin before the first round.

        Args:
            holdings: what is recorded.
            optimizers: torch.optim.Optimizer each.
            keep: how much is kept.
        """
        self.lock = threading.RLock()
        self.log = Log()
        self.seen: set[int] = set()
        self.rows = 0
        self._holdings, self._optimizers, self._keep = holdings, optimizers, keep
        self._writer: Writer | None = None
        self._early = [each for each in holdings.sources if keep.first and each.tensor.kept == "sample"]
        self._free: deque[Any] = deque()  # memory of chunks that are written
        self._chunk = Chunk(holdings.sources, self._free)
        self._tick: Tick | None = None  # the round that is open
        self._is_wanted = False  # whether it has a row
        self._stepped: set[int] = set()  # positions of the optimizers that stepped in it
        self._count = self._done = 0  # finished rounds; those of them that were not skipped

    def connect(self, writer: Writer) -> None:
        """Hand what is gathered to a writer from now on."""
        self._writer = writer

    @property
    def newest(self) -> int:
        """Return the round in which a step was taken last, counted from 1; it may still be open."""
        return self._count + bool(self._stepped)

    def states(self) -> Iterator[State]:
        """Give the initial state of each tensor."""
        return _states(self._holdings.sources, self._early)

    def before(self, position: int, optimizer: Any, has_closure: bool) -> None:
        """Look at what a step is going to use."""
        if self._stepped and not self._stepped.isdisjoint(self._holdings.rivals[position]):
            self.finish()
        if self._holdings.is_changed(position):
            self._grow(position)
        tick = self._tick or self._begin()
        if self._is_wanted:
            if changes := self._holdings.settings.changes(position):
                tick.settings += tuple(changes)
            if not has_closure:  # which would compute the gradients only now
                self._read_gradients(position, tick)

    def after(self, position: int, optimizer: Any, has_closure: bool) -> None:
        """Look at what a step has made of the weights."""
        self.seen.add(position)
        tick = self._tick or self._begin()
        skip = getattr(optimizer, "found_inf", None)
        if skip is not None:
            # To ask a GPU means to wait for it; without a reason to, the writer asks.
            is_counted = self._keep.every > 1 or self._keep.first or self._keep.steps is not None
            tick.skips[position] = bool(skip) if skip.is_cpu or is_counted else skip.clone()
        if self._is_wanted:
            if has_closure:
                self._read_gradients(position, tick)
            self._holdings.held[position].weights(self._chunk)
        self._stepped.add(position)
        if len(self._stepped) == len(self._optimizers):
            self.finish()

    def _read_gradients(self, position: int, tick: Tick) -> None:
        # A fused optimizer unscales within its kernel: here the gradients are still scaled.
        scale = getattr(self._optimizers[position], "grad_scale", None)
        tick.present[position] = self._holdings.held[position].gradients(self._chunk, scale)

    def _begin(self) -> Tick:
        """Open a round."""
        if self._chunk.is_full:
            self._hand_over()
        steps = self._keep.steps
        self._is_wanted = (self._done + 1) % self._keep.every == 0 and (steps is None or self.rows < steps)
        self._tick = Tick(self._count + 1, self._stepped, {})
        return self._tick

    def finish(self) -> None:
        """Close the round: optimizers that did not step in it used no gradients."""
        tick = self._tick
        if tick is None or not self._stepped:
            return
        is_skipped = bool(tick.skips) and all(tick.skips.get(position) is True for position in tick.stepped)
        is_recorded = self._is_wanted and not is_skipped
        if is_recorded:
            if len(self._stepped) < len(self._optimizers):
                for position, reader in enumerate(self._holdings.held):
                    if position not in self._stepped:
                        reader.weights(self._chunk)
            if self._holdings.loose.sources:
                self._holdings.loose.weights(self._chunk)
            if self.rows < self._keep.first:
                tick.first = {each.number: each.whole().numpy() for each in self._early}
        self._tick = None
        self._stepped = set()
        self._chunk.finish(tick, is_recorded)
        self._count += 1
        self._done += not is_skipped
        self.rows += is_recorded

    def _grow(self, position: int) -> None:
        """Take in what an optimizer was given, or has lost, since its last step."""
        tick = self._tick or self._begin()  # before all else: it replaces a chunk that is full
        settings = self._holdings.settings
        groups, former, old = len(settings.groups), self._chunk, list(self._holdings.sources)
        new = self._holdings.renew(position)
        if len(settings.groups) > groups:
            tick.groups = tuple(settings.groups)
        if new:
            self._hand_over()
            self._chunk = Chunk(self._holdings.sources, self._free)
            self._chunk.carry(former, old)
            tick.added += tuple(zip([each.tensor for each in new], _states(new), strict=True))

    def _hand_over(self) -> None:
        """Give what is gathered to the writer; make room."""
        batch = self.take()
        if batch is not None and self._writer is not None:
            self._writer.put(batch)
        if self._chunk.rows == self._chunk.capacity:
            self._chunk = Chunk(self._holdings.sources, self._free)

    def take(self) -> Batch | None:
        """Return what is gathered, if there is something; with the lock held."""
        logged = self.log.take(self._count)
        return self._chunk.take(logged) if self._chunk.ticks or logged else None

    def release(self) -> None:
        """Let model, optimizers and memory go when all is written: the loop may keep its recorder, or begin another.

        Nobody steps any more. Python would find them later, and by then a study has trained several networks.
        """
        self._free.clear()
        del self._holdings, self._optimizers, self._early, self._chunk, self._writer

    def take_in_pause(self) -> Batch | None:
        """Return what is gathered while nobody hands it over; called from the writer's thread."""
        if not self.lock.acquire(timeout=0.1):
            return None  # the loop is just stepping
        try:
            # What was handed over just now comes first.
            return None if self._writer is None or self._writer.is_behind else self.take()
        finally:
            self.lock.release()


def _states(sources: Iterable[Source], early: Sequence[Source] = ()) -> Iterator[State]:
    """Give the state of each tensor; one after the other, so that there is never a copy of the model."""
    for each in sources:
        kept = each.entries(each.value).to("cpu", copy=True).numpy()
        yield each.indices, kept, each.whole().numpy() if each in early else None
