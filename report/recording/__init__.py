"""Recordings: what is kept of a training run, its form on disk, and what reads it."""
