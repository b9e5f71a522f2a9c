"""Every error that a person can cause, each one line: what was found, what was wanted, what to do."""


class ReportError(Exception):
    """Stop the command with one line on the terminal and no traceback."""

    exit_code = 1


class ConfigError(ReportError):
    """Report a mistake in the experiment file, found before anything runs."""

    exit_code = 2


class TrainingDivergedError(ReportError):
    """Report a loss or a weight that became NaN or infinite."""
