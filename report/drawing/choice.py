"""Which of many tensors are shown, where there is no room for all."""

from collections.abc import Sequence

import numpy as np


def chosen(groups: Sequence[Sequence[str]], most: int) -> set[str]:
    """Return at most `most` names: of the first group all, or as many as there is room for; then of the next.

    A group that does not fit whole is thinned out evenly, so that both ends of a network are seen.
    """
    found: set[str] = set()
    for group in groups:
        names = [name for name in group if name not in found]
        room = most - len(found)
        if len(names) > room:
            names = [names[round(place)] for place in np.linspace(0, len(names) - 1, room)]
        found.update(names)
    return found
