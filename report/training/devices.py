"""Which devices of this machine an experiment may be trained on, and with how many threads of its processor."""

import contextlib
from collections.abc import Iterator

import torch

from report.config import Experiment
from report.errors import ConfigError


def allowed(experiment: Experiment) -> list[torch.device]:
    """Return the devices that may be trained on; several only for "auto", the processor last.

    Raises:
        ConfigError: when a device is insisted on that this machine does not have.
    """
    wanted = experiment.training.device
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    found = [name for name, available in there.items() if available]
    if wanted != "auto" and wanted not in found:
        names = ", ".join(["auto", *found])
        raise ConfigError(f'training.device: found "{wanted}", which this machine does not have; allowed: {names}.')
    return [torch.device(name) for name in (found if wanted == "auto" else [wanted])]


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads: the order of additions, and so the result's bits, depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
