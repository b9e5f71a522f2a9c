"""`python -m report` runs the command line of `report.cli`."""

import sys

from report.cli import run

sys.exit(run())
