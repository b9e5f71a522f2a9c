"""The numeric settings of parameter groups, read anew at every step: schedules, warm restarts, loaded checkpoints."""

import numbers
from collections.abc import Sequence
from typing import Any

from report.recording.schema import Group

UNREAD = object()  # stands for what lies on a device, and equals nothing

Change = tuple[int, dict[str, Any]]  # number of the group, and those of its settings that are not what they were


class Settings:
    """Know the parameter groups of some optimizers, by the numbers that the recording gives them."""

    def __init__(self, optimizers: Sequence[Any]) -> None:
        """Know no group yet.

        Args:
            optimizers: torch.optim.Optimizer each.
        """
        self.groups: list[Group] = []
        self._optimizers = optimizers
        self._numbers: list[list[int | None]] = [[] for _ in optimizers]  # of each group of each optimizer
        self._known: dict[int, dict[str, Any]] = {}

    def assign(self, position: int, members: Sequence[Sequence[int | None]]) -> list[int | None]:
        """Number the groups of an optimizer; None for a group of which nothing is recorded.

        Args:
            position: of the optimizer.
            members: of each group, for each recorded parameter: the number of the group that it belonged to so far;
                None for a new one. A group is known by them: its place changes when one before it is removed.
        """
        found: list[int | None] = []
        for index, former in enumerate(members):
            number = next((each for each in former if each is not None and each not in found), None)
            if number is None and former:
                number = len(self.groups)
                self.groups.append(Group(type(self._optimizers[position]).__name__, position, index))
            found.append(number)
        self._numbers[position] = found
        return found

    def changes(self, position: int) -> list[Change]:
        """Return what is not what it was, of every group of an optimizer.

        What lies on a device is always returned: to compare it would wait for the device.
        """
        found: list[Change] = []
        for number, group in zip(self._numbers[position], self._optimizers[position].param_groups, strict=True):
            # As a rule nothing has changed, and one comparison of two mappings tells. The list of parameters is the
            # same object, and what can change in place is never the same as its copy.
            if number is None or _equal(group, self._known.get(number)):
                continue
            known = self._known.get(number, {})
            changed = {
                key: _copy(value)
                for key, value in group.items()
                if _is_setting(value) and not (key in known and _is_here(value) and _equal(value, known[key]))
            }
            self._known[number] = {
                key: value if key == "params" else _copy(value) if _is_here(value) else UNREAD
                for key, value in group.items()
            }
            if changed:
                found.append((number, changed))
        return found


def _equal(one: Any, other: Any) -> bool:
    """Tell whether two settings, or groups of them, are equal; what refuses to be compared is not."""
    try:
        return bool(one == other)
    except Exception:
        return False


def _copy(value: Any) -> Any:
    """Return a copy of what can change in place: a learning rate may be a tensor."""
    if hasattr(value, "detach"):
        return value.detach().clone()
    if isinstance(value, list | tuple):
        copies = [_copy(each) for each in value]
        return copies if isinstance(value, list) else tuple(copies)
    return value


def _is_setting(value: Any) -> bool:
    """Tell whether a group's entry is a number, or some numbers."""
    if isinstance(value, list | tuple):
        return bool(value) and all(_is_number(each) for each in value)
    return _is_number(value)


def _is_here(value: Any) -> bool:
    """Tell whether a setting can be compared without waiting for a device."""
    return bool(getattr(value, "is_cpu", True))


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) or (hasattr(value, "detach") and value.numel() == 1)
