"""The commands: `python -m report [train | analyse | draw | write | all | … | show RUN]`."""

from report.cli.entry import run
from report.cli.group import main

__all__ = ["main", "run"]
