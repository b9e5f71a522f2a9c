"""How many processor cores there are to use."""

import functools


@functools.cache
def cores() -> int:
    """Return how many cores this process may use: its affinity counts, and the quota of a container."""
    from joblib import cpu_count  # which takes a while to load

    return int(cpu_count())
