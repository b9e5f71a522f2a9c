"""Tell a step from the step of a parent class within it: torch calls the hooks of both.

`class Mine(SGD)` whose `step` calls `super().step()` has two methods that call hooks, as soon as an SGD was ever made.
"""

import sys
from types import FrameType
from typing import Any


class Nesting:
    """Follow the steps of one optimizer.

    Counting calls would not do: a step that raises never calls its post-hooks. So the outer step is known by its frame.
    """

    def __init__(self, optimizer: Any) -> None:
        """Follow `optimizer`."""
        own = [kind for kind in type(optimizer).__mro__ if "step" in vars(kind)]
        self.is_possible = len(own) > 2  # the last is Optimizer's, which no step calls
        self._outer = 0  # identity of the frame of the step that is being taken

    def is_inner_before(self) -> bool:
        """Tell whether a pre-hook is called for a step within a step."""
        frames = self._frames()
        if self._outer in frames[1:]:
            return True
        self._outer = frames[0] if frames else 0
        return False

    def is_inner_after(self) -> bool:
        """Tell whether a post-hook is called for a step within a step."""
        frames = self._frames()
        return bool(frames) and frames[0] != self._outer

    def _frames(self) -> list[int]:
        """Return the identities of the frames that are calling hooks, the innermost first."""
        found: list[int] = []
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if frame.f_code.co_name == "wrapper" and frame.f_globals.get("__name__") == "torch.optim.optimizer":
                found.append(id(frame))
            frame = frame.f_back
        return found
