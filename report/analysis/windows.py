"""The stretches of a training run for which every number is given: start-up, what follows it, and all of it."""

# Batches, counted from 1, both ends included. Statistics of the first 100 batches are mostly start-up
# (SCIENCE.md 5), so no figure over all batches stands without the two parts.
WINDOWS: dict[str, tuple[int, int | None]] = {"1-100": (1, 100), "101-1000": (101, 1000), "all": (1, None)}


def rows(batches: int) -> dict[str, slice]:
    """Return the rows of a per-batch array, (batches, …), that belong to each window.

    Row t - 1 is batch t. A window is cut to the batches there are; one without any batch is absent.
    """
    found = {}
    for name, (first, last) in WINDOWS.items():
        stop = batches if last is None else min(last, batches)
        if first <= stop:
            found[name] = slice(first - 1, stop)
    return found
