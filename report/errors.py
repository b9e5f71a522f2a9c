"""Every error that a person can cause, each one line: what was found, what was wanted, what to do."""

import os
from pathlib import Path

RESOURCES = Path(__file__).resolve().parent / "resources"  # the sources that a wheel carries


def is_checkout() -> bool:
    """Tell whether this package runs from a checkout, editable installations included.

    What a wheel carries decides, not what lies beside the package: that is anybody's after `pip install --target`.
    """
    return not RESOURCES.is_dir()


def command() -> str:
    """Return the command that makes everything, as messages name it: `make` only where it is, and a Makefile."""
    if not is_checkout():
        return "weights-in-motion all"
    return "python -m report all" if os.name == "nt" else "make report"


class ReportError(Exception):
    """Stop the command with one line on the terminal and no traceback."""

    exit_code = 1


class ConfigError(ReportError):
    """Report a mistake in the experiment file, found before anything runs."""

    exit_code = 2


class TrainingDivergedError(ReportError):
    """Report a loss or a weight that became NaN or infinite."""
