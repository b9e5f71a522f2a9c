"""Gather rows of weights and gradients from tensors, whatever device they are on, for the writer to take."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as TorchTensor

from report.recording.parameters import Parameter
from report.recording.schema import Tensor
from report.recording.writer import Tick

CHUNK_STEPS = 128  # rows that are gathered before they are handed over …
CHUNK_BYTES = 12 * 2**20  # … or fewer, so that memory is bounded whatever the model
SNAPSHOT_BYTES = 8 * 2**20  # of whole states that are gathered


class Source:
    """Gather the kept entries of one tensor. Views are made once: an optimizer changes weights in place."""

    def __init__(self, number: int, parameter: Parameter, tensor: Tensor, indices: NDArray[np.int64]) -> None:
        """Keep the parameter, and which of its entries are wanted, (count,) flat positions."""
        self.number, self.parameter, self.tensor, self.count = number, parameter, tensor, tensor.count
        self.value: TorchTensor = parameter.value
        is_sample = tensor.kept == "sample"
        self._indices = torch.from_numpy(indices).to(self.value.device) if is_sample else None
        self._positions = np.unravel_index(indices, (tensor.matrix[0], tensor.matrix[1]))
        self._address = -1
        self._flat = self.value.detach().reshape(-1)
        self.present = True

    def weights(self) -> TorchTensor:
        """Return the kept entries, (count,) float32; perhaps a view that the next step changes."""
        if self.value.data_ptr() != self._address:
            # Not only the first time: some loops exchange a parameter's storage.
            self._address = self.value.data_ptr()
            self._flat = self.value.detach().reshape(-1)
        flat = self._flat if self.value.is_contiguous() else self.value.detach().reshape(-1)
        return self._chosen(flat)

    def gradients(self) -> TorchTensor | None:
        """Return the gradient of the kept entries, (count,) float32; None where there is none."""
        gradient = self.value.grad
        if gradient is None:
            return None
        if gradient.is_sparse:
            return self._touched(gradient)
        return self._chosen(gradient.detach().reshape(-1))

    def whole(self) -> TorchTensor:
        """Return a copy of every entry, (size,) float32, in main memory."""
        return self.value.detach().reshape(-1).to("cpu", torch.float32, copy=True)

    def _chosen(self, flat: TorchTensor) -> TorchTensor:
        if self._indices is not None:
            flat = flat.index_select(0, self._indices)
        return flat if flat.dtype == torch.float32 else flat.float()

    def _touched(self, gradient: TorchTensor) -> TorchTensor:
        """Return the kept entries of a sparse gradient: rows that the step did not touch are zero."""
        gradient = gradient.coalesce()
        rows, values = gradient.indices()[0], gradient.values().detach()
        wanted = torch.from_numpy(self._positions[0]).to(rows.device)
        columns = torch.from_numpy(self._positions[1]).to(rows.device)
        if not len(rows):
            return torch.zeros(self.count, device=rows.device)
        place = torch.searchsorted(rows, wanted).clamp_(max=len(rows) - 1)
        found = values.reshape(len(rows), -1)[place, columns].float()
        return torch.where(rows[place] == wanted, found, torch.zeros_like(found))


class Chunk:
    """Rows that have not been handed over yet."""

    def __init__(self, sources: Sequence[Source], is_pinned: bool) -> None:
        """Make room for rows of all sources, pinned where they come from a GPU."""
        width = sum(each.count for each in sources)
        capacity = max(1, min(CHUNK_STEPS, CHUNK_BYTES // (8 * max(width, 1))))
        self.capacity, self.rows, self.snapshots = capacity, 0, 0
        self.weights = torch.empty((capacity, width), pin_memory=is_pinned)
        self.gradients = torch.empty((capacity, width), pin_memory=is_pinned)
        self.columns: dict[int, slice] = {}
        start = 0
        for each in sources:
            self.columns[each.number] = slice(start, start + each.count)
            start += each.count
        self.ticks: list[Tick] = []

    @property
    def is_full(self) -> bool:
        """Tell whether it is time to hand it over."""
        return self.rows == self.capacity or len(self.ticks) >= CHUNK_STEPS or self.snapshots >= SNAPSHOT_BYTES
