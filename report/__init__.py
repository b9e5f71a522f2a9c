"""Weights in Motion: record what every optimizer step does to a network's weights, and write an article about it."""

__version__ = "1.0.0"
