"""Know which entries of a parameter are kept, and read them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as TorchTensor

from report.recording.parameters import Parameter
from report.recording.schema import Tensor


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

    def check(self, values: TorchTensor) -> None:
        """Refuse weights or a gradient of another shape.

        Raises:
            ValueError: when it has not the shape that it had.
        """
        if tuple(values.shape) != self.shape:
            raise ValueError(f"{self.tensor.name} had the shape {list(self.shape)} and now has {list(values.shape)}")

    def offsets(self, strides: tuple[int, ...]) -> NDArray[np.int64]:
        """Return where in memory the kept entries lie, (count,), counted from the first entry of a tensor."""
        positions = np.unravel_index(self.indices, self.shape) if self.shape else ()
        found = np.zeros(len(self.indices), np.int64)
        for place, step in zip(positions, strides, strict=True):
            found += place * step
        return found

    def extent(self, strides: tuple[int, ...]) -> tuple[int]:
        """Return over how many entries of memory a tensor reaches, as a shape."""
        return (1 + sum((size - 1) * step for size, step in zip(self.shape, strides, strict=True)),)

    def entries(self, values: TorchTensor) -> TorchTensor:
        """Return the kept entries of weights or a gradient, (count,) float32, on its device.

        Raises:
            ValueError: when it has not the shape that it had.
        """
        self.check(values)
        if values.layout is not torch.strided:
            return self._touched(values)
        values = values.detach()
        if self.chosen is None:
            return values.reshape(-1).float()
        # Not through reshape: of a tensor that is not contiguous (channels last) it would copy every entry.
        layout = values.device, values.stride()
        if layout not in self._places:
            self._places[layout] = torch.from_numpy(self.offsets(values.stride())).to(values.device)
        return values.as_strided(self.extent(values.stride()), (1,)).index_select(0, self._places[layout]).float()

    def whole(self) -> TorchTensor:
        """Return a copy of every entry, (size,) float32, in main memory."""
        return self.value.detach().reshape(-1).to("cpu", torch.float32, copy=True)

    def is_finite(self, kept: bool = False) -> bool:
        """Tell whether every entry, or every kept one, is a finite number; yes where that cannot be told."""
        try:
            value = self.value.detach()
            return bool(torch.isfinite(self.entries(value) if kept else value).all())
        except (RuntimeError, ValueError):  # of a device that failed, or a tensor that has another shape now
            return True

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
