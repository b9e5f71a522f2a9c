"""Record what every optimizer step does to a network's weights, read it back, and show it.

`report.record(model, optimizer, folder)` records; `report.Recording.open(folder)` and `report.Study.load(folder)` read;
`report.show(folder)` displays an overview in a notebook. The names are looked up when they are first used: importing
this package loads neither NumPy nor torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from report.recording.reader import Recording
    from report.recording.recorder import Recorder, record
    from report.recording.study import Study

__all__ = ["Recorder", "Recording", "Study", "record", "show"]

_HOMES = {
    "Recorder": "recording.recorder",
    "Recording": "recording.reader",
    "Study": "recording.study",
    "record": "recording.recorder",
    "show": "making.notebook",
}


def __getattr__(name: str) -> Any:
    """Return a public name from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"report.{_HOMES[name]}"), name)
