"""Gather rows of weights and gradients from tensors, whatever device they are on, for the writer to take.

What is done at every step is a loop over NumPy views: of small tensors, torch's own calls would take longer than the
copying.
"""

import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as TorchTensor

from report.recording.batch import Batch, Floats, Tick
from report.recording.fetch import Fetch, begin, mark
from report.recording.series import Entry
from report.recording.source import Source

CHUNK_STEPS = 128  # rows that are gathered before they are handed over …
CHUNK_BYTES = 4 * 2**20  # … or fewer, so that memory is bounded whatever the model
SNAPSHOT_BYTES = 8 * 2**20  # of whole states that are gathered


class Reader:
    """Read the tensors that belong together, such as those of an optimizer."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Read these, in the order of their numbers."""
        self.sources = sources
        self._fetch = None if all(each.value.is_cpu for each in sources) else Fetch(sources)
        self._layout: list[object] = []
        self._views = [_view(each) for each in sources]

    def weights(self, chunk: "Chunk") -> None:
        """Copy what is kept of the weights into the row that a chunk is filling."""
        if self._fetch is not None:
            chunk.fill(0, self._fetch.read([each.value for each in self.sources]))
            return
        layout: list[object] = [(each.value.data_ptr(), each.value.stride()) for each in self.sources]
        if layout != self._layout:  # somebody has given a parameter other memory
            self._layout, self._views = layout, [_view(each) for each in self.sources]
        row = chunk.arrays[0, chunk.rows]
        for source, view in zip(self.sources, self._views, strict=True):
            if view is None:
                row[source.columns] = source.entries(source.value).cpu().numpy()
            elif source.chosen is None:
                row[source.columns] = view
            else:  # within bounds: clipping is named because it needs no buffer
                view.take(source.chosen, None, row[source.columns], "clip")

    def gradients(self, chunk: "Chunk", scale: TorchTensor | None) -> list[int]:
        """Copy what is kept of the gradients into the row that a chunk is filling; return who has one, by number.

        Args:
            chunk: with columns for all sources.
            scale: by which gradients are divided.
        """
        if self._fetch is not None:
            values = [each.value.grad for each in self.sources]
            chunk.fill(1, self._fetch.read(values, scale))
            return [each.number for each, value in zip(self.sources, values, strict=True) if value is not None]
        row, present = chunk.arrays[1, chunk.rows], []
        for source, view in zip(self.sources, self._views, strict=True):
            if (gradient := source.value.grad) is None:
                continue
            present.append(source.number)
            try:
                if view is None or gradient.numel() != view.size:  # a gradient is laid out as its parameter
                    raise TypeError
                if source.chosen is None:
                    row[source.columns] = gradient.numpy().reshape(-1)
                else:
                    gradient.numpy().take(source.chosen, None, row[source.columns], "clip")
            except (TypeError, RuntimeError):  # sparse, or part of a graph, or of another type than the parameter
                row[source.columns] = source.entries(gradient).cpu().numpy()
            if scale is not None:
                with np.errstate(all="ignore"):  # whatever the loop has set
                    row[source.columns] /= np.float32(scale.item())
        return present


def _view(source: Source) -> NDArray[Any] | None:
    """Return the entries of a tensor, (size,), as they change; None unless it is as it was, and plain in memory."""
    values = source.value
    is_plain = values.is_cpu and values.dtype is torch.float32 and values.is_contiguous()
    return values.detach().numpy().reshape(-1) if is_plain and tuple(values.shape) == source.shape else None


class Chunk:
    """Rows of weights and gradients, one a step: those that wait for the writer, and room for more."""

    def __init__(self, sources: Sequence[Source], free: deque[TorchTensor]) -> None:
        """Make room for rows of all sources, pinned where they come from one GPU.

        Args:
            sources: in the order of their numbers.
            free: memory of earlier chunks. Memory that is new costs more than what is copied into it.
        """
        start = 0
        for each in sources:
            each.columns = slice(start, start := start + each.tensor.count)
        self.columns = {each.number: each.columns for each in sources}
        self.capacity = max(1, min(CHUNK_STEPS, CHUNK_BYTES // (8 * start)))
        devices = {each.value.device for each in sources}
        # From several, one copy would have to wait for each of them: then they are waited for at once.
        self._device = devices.pop() if len(devices) == 1 and all(each.type == "cuda" for each in devices) else None
        self._stream: torch.cuda.Stream | None = None  # in which the loop works
        self._free = free
        self._tensors = self._room((2, self.capacity, start))
        self.arrays: Floats = self._tensors.numpy()
        self.rows = 0  # that are there
        self.taken = 0  # of them, by the writer
        self.snapshots = 0  # bytes of whole states that wait
        self.ticks: list[Tick] = []

    def _room(self, shape: tuple[int, ...]) -> TorchTensor:
        while self._free:
            if (used := self._free.popleft()).shape == shape:
                return used
        # Type and device are named, because a loop may have set other defaults.
        return torch.empty(shape, dtype=torch.float32, device="cpu", pin_memory=self._device is not None)

    @property
    def is_full(self) -> bool:
        """Tell whether it is time to hand it over."""
        is_heavy = self.snapshots >= SNAPSHOT_BYTES
        return self.rows == self.capacity or len(self.ticks) >= CHUNK_STEPS or is_heavy

    def fill(self, what: int, blocks: Sequence[tuple[slice, TorchTensor]]) -> None:
        """Copy blocks of columns from devices into the row that is being filled.

        Args:
            what: 0 for weights, 1 for gradients.
            blocks: columns, and what belongs there, (count,) float32.
        """
        row = self._tensors[what, self.rows]
        for columns, block in blocks:
            row[columns].copy_(block, non_blocking=self._device is not None)

    def carry(self, former: "Chunk", sources: Sequence[Source]) -> None:
        """Take over what some sources have in the row that `former` is filling."""
        if former._device is not None:
            torch.cuda.synchronize(former._device)  # what is still on its way
        for each in sources:
            self.arrays[:, self.rows, each.columns] = former.arrays[:, former.rows, former.columns[each.number]]

    def finish(self, tick: Tick, is_recorded: bool) -> None:
        """End a round; if it is recorded, so is the row that was filled."""
        if is_recorded:
            tick.row = self.rows
            self.rows += 1
            if tick.first:
                self.snapshots += 4 * sum(each.size for each in tick.first.values())
        if self._device is not None:  # also of a round without a row: what is logged in it comes by this stream, too
            self._stream = torch.cuda.current_stream(self._device)
        self.ticks.append(tick)

    def take(self, logged: list[Entry]) -> Batch:
        """Return what waits for the writer; later rows may still be filled meanwhile."""
        size = 4 * self.arrays[:, self.taken : self.rows].size + self.snapshots
        # Of a loop on the CPU nothing of CUDA is asked: the first question takes memory of the GPU.
        with contextlib.nullcontext() if self._stream is None else torch.cuda.stream(self._stream):
            end = begin(logged)
        come = mark(self._stream)

        def ready() -> None:
            come()
            end()

        done = self._release if self.rows == self.capacity and self.taken < self.rows else lambda: None
        batch = Batch(self.arrays[0], self.arrays[1], self.columns, self.ticks, logged, size, ready, done)
        self.ticks, self.taken, self.snapshots = [], self.rows, 0
        return batch

    def _release(self) -> None:
        """Give the memory to another chunk; its last rows are written."""
        self._free.append(self._tensors)
