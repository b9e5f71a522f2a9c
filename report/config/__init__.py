"""The experiment file: its tables, what they may say, and how it is read."""

from report.config.experiment import Experiment, read
from report.config.optimizers import Optimizer

__all__ = ["Experiment", "Optimizer", "read"]
