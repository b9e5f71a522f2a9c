"""Fetch what is kept of tensors that lie on a device.

There a call takes longer to start than to run: tensors are copied side by side, some in a call, and what is kept is
chosen from all of them at once.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as TorchTensor

from report.recording.series import Entry
from report.recording.source import Source

JOINED = 2**20  # entries up to which a tensor is copied whole, and not chosen from by a call of its own
TOGETHER = 2**22  # entries that are copied side by side: float32 each, which the device keeps room for

Values = Sequence[TorchTensor | None]
Blocks = Iterator[tuple[slice, TorchTensor]]


class Fetch:
    """Read the kept entries of parameters on devices, or of their gradients; how, is worked out once."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Read these, in the order of their columns."""
        self._sources = sources
        self._looks: list[object] = []
        self._plans: list[Plan] = []

    @torch.no_grad()
    def read(self, values: Values, scale: TorchTensor | None = None) -> list[tuple[slice, TorchTensor]]:
        """Return blocks of neighbours in a row: its columns, and what belongs there, (count,) float32, on the device.

        Args:
            values: of each source its parameter, or the gradient; None where there is none, and nothing of worth comes.
            scale: by which they are divided.

        Raises:
            ValueError: when a parameter has not the shape that it had.
        """
        looks: list[object] = [(each.value.shape, each.value.device) for each in self._sources]
        if looks != self._looks:
            for each in self._sources:
                each.check(each.value)
            devices = [each.value.device for each in self._sources]
            places = [[i for i, its in enumerate(devices) if its == each] for each in dict.fromkeys(devices)]
            self._looks, self._plans = looks, [Plan(self._sources, each) for each in places]
        return [block for plan in self._plans for block in plan.read(values, scale)]


class Plan:
    """A way to read what is kept of tensors on one device."""

    def __init__(self, sources: Sequence[Source], places: Sequence[int]) -> None:
        """Decide which of them are copied side by side.

        Args:
            sources: of all tensors.
            places: those of them that are meant.
        """
        sizes = {place: sources[place].value.numel() for place in places}
        groups = list(_groups(sources, [place for place in places if sizes[place] <= JOINED]))
        self._device = sources[places[0]].value.device
        most = max((sum(sizes[place] for place in group) for group in groups), default=0)
        room = torch.empty(most, dtype=torch.float32, device=self._device)
        self._together = [Together(sources, group, room) for group in groups]
        alone = [place for place in places if sizes[place] > JOINED]
        self._alone = [Alone(sources[place], place) for place in alone]
        order = [*chain(*groups), *alone]
        columns = np.concatenate([np.r_[sources[place].columns] for place in order])
        is_sorted = bool(np.all(np.diff(columns) > 0))
        self._order = None if is_sorted else torch.from_numpy(np.argsort(columns)).to(self._device)
        self._blocks = list(_neighbours(np.sort(columns)))

    def read(self, values: Values, scale: TorchTensor | None) -> Blocks:
        """Give blocks of neighbours in a row, as `Fetch.read` does."""
        found = [each.read(values) for each in self._together] + [each.read(values) for each in self._alone]
        row = found[0] if len(found) == 1 else torch.cat(found)
        if self._order is not None:
            row = row.index_select(0, self._order)
        if scale is not None:
            row = row / scale.to(self._device)
        for start, stop, columns in self._blocks:
            yield columns, row[start:stop]


class Together:
    """Tensors that are copied side by side, each as it lies in memory, and the places of what is kept there."""

    def __init__(self, sources: Sequence[Source], places: Sequence[int], room: TorchTensor) -> None:
        """Give each its part of the room.

        Args:
            sources: of all tensors.
            places: those of them that are meant; of one type, on one device.
            room: (entries,) float32, at least as many as they have; others use it, too.
        """
        self._places, self._room = places, room
        self._sources = [sources[place] for place in places]
        self._copies, kept, self._parts = [], [], []
        start = width = 0
        for source in self._sources:
            value, count = source.value, source.tensor.count
            # In the same order of memory, where no entries share theirs: then one call copies all.
            strides = torch.empty_like(value, device="meta").stride()
            self._copies.append(room[start : start + value.numel()].as_strided(value.shape, strides))
            kept.append(start + source.offsets(strides))
            self._parts.append(slice(width, width + count))
            start, width = start + value.numel(), width + count
        self._kept = torch.from_numpy(np.concatenate(kept)).to(room.device)

    def read(self, values: Values) -> TorchTensor:
        """Return what is kept, (count,) float32, tensor after tensor."""
        copies, plain, odd = [], [], []
        for number, place in enumerate(self._places):
            value = values[place]
            if value is not None and value.layout is torch.strided:
                copies.append(self._copies[number])
                plain.append(value)
            elif value is not None:
                odd.append((self._parts[number], self._sources[number].entries(value)))
        if plain:
            torch._foreach_copy_(copies, plain)
        found = self._room.index_select(0, self._kept)
        for part, entries in odd:
            found[part] = entries
        return found


class Alone:
    """A tensor of which what is kept is chosen by a call of its own."""

    def __init__(self, source: Source, place: int) -> None:
        """Know where in memory the kept entries are; where all are kept, a list would take more room than they do."""
        self._source, self._place = source, place
        self._strides = source.value.stride()
        self._kept = None
        if source.chosen is None:
            return
        self._extent = source.extent(self._strides)
        self._kept = torch.from_numpy(source.offsets(self._strides)).to(source.value.device)

    def read(self, values: Values) -> TorchTensor:
        """Return what is kept, (count,) float32."""
        value = values[self._place]
        if value is None:
            return torch.zeros(self._source.tensor.count, dtype=torch.float32, device=self._source.value.device)
        if self._kept is None or value.layout is not torch.strided or value.stride() != self._strides:
            return self._source.entries(value)
        return value.as_strided(self._extent, (1,)).index_select(0, self._kept).float()


def _groups(sources: Sequence[Source], places: Sequence[int]) -> Iterator[list[int]]:
    """Split tensors of one device into those of one type that have room side by side."""
    for dtype in dict.fromkeys(sources[place].value.dtype for place in places):
        group: list[int] = []
        size = 0
        for place in places:
            value = sources[place].value
            if value.dtype == dtype:
                if group and size + value.numel() > TOGETHER:
                    yield group
                    group, size = [], 0
                group.append(place)
                size += value.numel()
        yield group


def _neighbours(columns: NDArray[np.int64]) -> Iterator[tuple[int, int, slice]]:
    """Give runs of neighbours among ascending columns: where each begins and ends among them, and its columns."""
    starts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 2) != 1)
    for start, stop in zip(starts, [*starts[1:], len(columns)], strict=True):
        yield int(start), int(stop), slice(int(columns[start]), int(columns[stop - 1]) + 1)


def mark(stream: torch.cuda.Stream | None) -> Callable[[], None]:
    """Return what waits, asleep, for all that a stream has to do now; for nothing, if there is none."""
    if stream is None:
        return lambda: None
    event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    event.record(stream)
    return event.synchronize


def begin(logged: list[Entry]) -> Callable[[], None]:
    """Send for the numbers on devices among what was logged; all of a device come at once.

    Returns:
        What puts them in their places, when those of a GPU have come.
    """
    together: dict[tuple[torch.device, torch.dtype], list[int]] = {}
    for place, (*_, value) in enumerate(logged):
        if isinstance(value, TorchTensor) and not value.is_cpu:
            together.setdefault((value.device, value.dtype), []).append(place)
    coming = []
    for places in together.values():
        with contextlib.suppress(Exception):  # of a device that failed: each is asked by itself
            numbers = torch.stack([logged[place][3].reshape(()) for place in places])
            stream = torch.cuda.current_stream(numbers.device) if numbers.is_cuda else None
            if stream is not None:  # into pinned memory: another copy would hold up the loop until it has come
                room = torch.empty(numbers.shape, dtype=numbers.dtype, device="cpu", pin_memory=True)
                numbers = room.copy_(numbers, non_blocking=True)
            coming.append((places, numbers, mark(stream)))

    def end() -> None:
        for places, numbers, come in coming:
            with contextlib.suppress(Exception):
                come()
                for place, number in zip(places, numbers.tolist(), strict=True):
                    logged[place] = (*logged[place][:3], number)

    return end
