"""Gather rows of weights and gradients from tensors, whatever device they are on, for the writer to take.

What is done at every step is a loop over NumPy views: of small tensors, torch's own calls would take longer than the
copying.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as TorchTensor

from report.recording.batch import Batch, Floats, Tick
from report.recording.parameters import Parameter
from report.recording.schema import Tensor
from report.recording.series import Entry

CHUNK_STEPS = 128  # rows that are gathered before they are handed over …
CHUNK_BYTES = 4 * 2**20  # … or fewer, so that memory is bounded whatever the model
SNAPSHOT_BYTES = 8 * 2**20  # of whole states that are gathered


class Source:
    """Know which entries of one tensor are kept."""

    def __init__(self, number: int, parameter: Parameter, tensor: Tensor, indices: NDArray[np.int64]) -> None:
        """Keep the parameter, and which of its entries are wanted, (count,) flat positions."""
        self.number, self.tensor, self.indices = number, tensor, indices
        self.value: TorchTensor = parameter.value
        self.chosen = None if tensor.kept == "whole" else indices
        self.columns = slice(0, 0)  # of a chunk's rows
        self.shape = tuple(self.value.shape)
        self._places: dict[object, TorchTensor] = {}  # by device and layout: where in memory the entries lie

    def entries(self, values: TorchTensor) -> TorchTensor:
        """Return the kept entries of weights or a gradient, (count,) float32, on its device.

        Raises:
            ValueError: when it has not the shape that it had.
        """
        if tuple(values.shape) != self.shape:
            raise ValueError(f"{self.tensor.name} had the shape {list(self.shape)} and now has {list(values.shape)}")
        if values.layout is not torch.strided:
            return self._touched(values)
        values = values.detach()
        if self.chosen is None:
            return values.reshape(-1).float()
        # Not through reshape: of a tensor that is not contiguous (channels last) it would copy every entry.
        layout = values.device, values.stride()
        if layout not in self._places:
            positions = np.unravel_index(self.chosen, self.shape)
            offsets = sum(place * step for place, step in zip(positions, values.stride(), strict=True))
            self._places[layout] = torch.from_numpy(np.asarray(offsets)).to(values.device)
        extent = 1 + sum((size - 1) * step for size, step in zip(values.shape, values.stride(), strict=True))
        return values.as_strided((extent,), (1,)).index_select(0, self._places[layout]).float()

    def whole(self) -> TorchTensor:
        """Return a copy of every entry, (size,) float32, in main memory."""
        return self.value.detach().reshape(-1).to("cpu", torch.float32, copy=True)

    def _touched(self, gradient: TorchTensor) -> TorchTensor:
        """Return the kept entries of a sparse gradient: those that the step did not touch are zero."""
        if gradient.layout is not torch.sparse_coo or gradient.sparse_dim() != 1:
            return self.entries(gradient.to_dense())
        gradient = gradient.coalesce()
        rows, values = gradient.indices()[0], gradient.values().detach()  # sorted by coalescing
        found = torch.zeros(len(self.indices), device=rows.device, dtype=torch.float32)
        if len(rows):
            width = values[0].numel()
            wanted, column = (torch.from_numpy(each).to(rows.device) for each in np.divmod(self.indices, width))
            at = torch.searchsorted(rows, wanted).clamp_(max=len(rows) - 1)
            is_touched = rows[at] == wanted
            found[is_touched] = values.reshape(len(rows), width)[at[is_touched], column[is_touched]].float()
        return found


class Reader:
    """Read the tensors that belong together, such as those of an optimizer."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Read these, in the order of their numbers."""
        self.sources = sources
        self._is_on_cpu = all(each.value.is_cpu for each in sources)
        self._layout: list[object] = []
        self._views = [_view(each) for each in sources]

    def weights(self, chunk: "Chunk") -> None:
        """Copy what is kept of the weights into the row that a chunk is filling."""
        if not self._is_on_cpu:
            chunk.fetch(0, [(each, each.value) for each in self.sources], None)
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
        if not self._is_on_cpu:
            found = [(each, gradient) for each in self.sources if (gradient := each.value.grad) is not None]
            chunk.fetch(1, found, scale)
            return [each.number for each, _ in found]
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
        self._event: torch.cuda.Event | None = None
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

    def fetch(self, what: int, values: Sequence[tuple[Source, TorchTensor]], scale: TorchTensor | None) -> None:
        """Copy what is kept of tensors on devices into the row that is being filled, dividing it by `scale`."""
        for start, pieces in _side_by_side(values):
            block = torch.cat(pieces)
            if scale is not None:
                block /= scale.to(block.device)
            row = self._tensors[what, self.rows, start : start + len(block)]
            row.copy_(block, non_blocking=self._device is not None)

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
            if self._device is not None:
                self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
                self._event.record(torch.cuda.current_stream(self._device))
        self.ticks.append(tick)

    def take(self, logged: list[Entry]) -> Batch:
        """Return what waits for the writer; later rows may still be filled meanwhile."""
        size = 4 * self.arrays[:, self.taken : self.rows].size + self.snapshots
        ready = (lambda: None) if self._event is None else self._event.synchronize
        done = self._release if self.rows == self.capacity and self.taken < self.rows else lambda: None
        batch = Batch(self.arrays[0], self.arrays[1], self.columns, self.ticks, logged, size, ready, done)
        self.ticks, self.taken, self.snapshots = [], self.rows, 0
        return batch

    def _release(self) -> None:
        """Give the memory to another chunk; its last rows are written."""
        self._free.append(self._tensors)


def _side_by_side(values: Sequence[tuple[Source, TorchTensor]]) -> Iterator[tuple[int, list[TorchTensor]]]:
    """Give runs of neighbours in a row that are on one device: the first column, and the kept entries of each."""
    start, stop, pieces = 0, -1, list[TorchTensor]()
    for source, value in values:
        piece = source.entries(value)
        if pieces and (source.columns.start != stop or piece.device != pieces[0].device):
            yield start, pieces
            pieces = []
        if not pieces:
            start = source.columns.start
        pieces.append(piece)
        stop = source.columns.stop
    if pieces:
        yield start, pieces
