"""Fetch what is kept of tensors that lie on a device.

There a call takes longer to start than to run: tensors are copied side by side, some in a call, and what is kept is
chosen from all of them at once.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as TorchTensor

from report.recording.series import Entry
from report.recording.source import Source

JOINED = 2**20  # entries up to which a tensor is copied whole, and not chosen from by a call of its own
TOGETHER = 2**22  # entries that are copied side by side: float32 each, which the device keeps room for
PLANS = 32  # choices of tensors that are remembered: a loop has one, or few

Values = Sequence[tuple[Source, TorchTensor]]
Blocks = Iterator[tuple[slice, TorchTensor]]


class Fetch:
    """Read the kept entries of tensors on devices; how, is worked out once for each choice of them."""

    def __init__(self) -> None:
        """Know no way yet."""
        self._plans: dict[tuple[int, ...], tuple[list[object], list[Plan]]] = {}
        self._rooms: dict[torch.device, TorchTensor] = {}  # where tensors are copied side by side, some after others

    @torch.no_grad()
    def read(self, values: Values, scale: TorchTensor | None = None) -> list[tuple[slice, TorchTensor]]:
        """Return blocks of neighbours in a row: its columns, and what belongs there, (count,) float32, on the device.

        Args:
            values: the tensors, each with what is kept of it, in the order of its columns.
            scale: by which they are divided.

        Raises:
            ValueError: when one has not the shape that it had.
        """
        key = tuple([source.number for source, _ in values])
        looks: list[object] = [(value.shape, value.device, value.layout) for _, value in values]
        known, plans = self._plans.get(key, (None, []))
        if known != looks:
            for source, value in values:
                source.check(value)
            devices = dict.fromkeys(value.device for _, value in values)
            places = [[i for i, (_, value) in enumerate(values) if value.device == each] for each in devices]
            plans = [Plan(values, each, self._rooms) for each in places]
            while len(self._plans) >= PLANS:
                del self._plans[next(iter(self._plans))]
            self._plans[key] = looks, plans
        return [block for plan in plans for block in plan.read(values, scale)]


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


class Together:
    """Tensors that are copied side by side, each as it lies in memory, and the places of what is kept there."""

    def __init__(self, values: Values, places: Sequence[int], room: TorchTensor) -> None:
        """Give each its part of the room.

        Args:
            values: the tensors, each with what is kept of it.
            places: those of them that are meant; of one type, on one device.
            room: (entries,) float32, at least as many as they have; others use it, too.
        """
        self.places, self._room = places, room
        self._copies, kept = [], []
        chosen = [values[place] for place in places]
        starts = accumulate((value.numel() for _, value in chosen), initial=0)
        for start, (source, value) in zip(starts, chosen, strict=False):
            # In the same order of memory, where no entries share theirs: then one call copies all.
            strides = torch.empty_like(value, device="meta").stride()
            self._copies.append(room[start : start + value.numel()].as_strided(value.shape, strides))
            kept.append(start + source.offsets(strides))
        self._kept = torch.from_numpy(np.concatenate(kept)).to(room.device)

    def read(self, values: Values) -> TorchTensor:
        """Return what is kept, (count,) float32, tensor after tensor."""
        torch._foreach_copy_(self._copies, [values[place][1] for place in self.places])
        return self._room.index_select(0, self._kept)


class Alone:
    """A tensor of which what is kept is chosen by a call of its own."""

    def __init__(self, source: Source, value: TorchTensor, place: int) -> None:
        """Know where in memory the kept entries are."""
        self.place = place
        self._strides = value.stride() if value.layout is torch.strided else None
        if self._strides is not None:
            self._extent = (1 + sum((size - 1) * step for size, step in zip(value.shape, self._strides, strict=True)),)
            self._kept = torch.from_numpy(source.offsets(self._strides)).to(value.device)

    def read(self, source: Source, value: TorchTensor) -> TorchTensor:
        """Return what is kept, (count,) float32."""
        if self._strides is None or value.stride() != self._strides:
            return source.entries(value)
        return value.as_strided(self._extent, (1,)).index_select(0, self._kept).float()


class Plan:
    """A way to read what is kept of tensors on one device."""

    def __init__(self, values: Values, places: Sequence[int], rooms: dict[torch.device, TorchTensor]) -> None:
        """Decide which of them are copied side by side.

        Args:
            values: the tensors, each with what is kept of it.
            places: those of them that are meant.
            rooms: for copies, by device; one that is too small is replaced.
        """
        self._device = values[places[0]][1].device
        groups = list(_groups(values, [place for place in places if _is_small(values[place][1])]))
        size = max((sum(values[place][1].numel() for place in group) for group in groups), default=0)
        if self._device not in rooms or len(rooms[self._device]) < size:
            rooms[self._device] = torch.empty(size, dtype=torch.float32, device=self._device)
        self._together = [Together(values, group, rooms[self._device]) for group in groups]
        alone = [place for place in places if not _is_small(values[place][1])]
        self._alone = [Alone(*values[place], place) for place in alone]
        order = [*chain(*(each.places for each in self._together)), *alone]
        columns = np.concatenate([np.r_[values[place][0].columns] for place in order])
        is_sorted = bool(np.all(np.diff(columns) > 0))
        self._order = None if is_sorted else torch.from_numpy(np.argsort(columns)).to(self._device)
        self._blocks = list(_neighbours(np.sort(columns)))

    def read(self, values: Values, scale: TorchTensor | None) -> Blocks:
        """Give blocks of neighbours in a row, as `Fetch.read` does."""
        found = [each.read(values) for each in self._together]
        found += [each.read(*values[each.place]) for each in self._alone]
        row = found[0] if len(found) == 1 else torch.cat(found)
        if self._order is not None:
            row = row.index_select(0, self._order)
        if scale is not None:
            row = row / scale.to(self._device)
        for start, stop, columns in self._blocks:
            yield columns, row[start:stop]


def _is_small(value: TorchTensor) -> bool:
    return value.layout is torch.strided and value.numel() <= JOINED


def _groups(values: Values, places: Sequence[int]) -> Iterator[list[int]]:
    """Split tensors of one device into those of one type that have room side by side."""
    for dtype in dict.fromkeys(values[place][1].dtype for place in places):
        group: list[int] = []
        size = 0
        for place in places:
            value = values[place][1]
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
