"""The built-in experiment: its data, its network, its training runs, and where they execute."""
