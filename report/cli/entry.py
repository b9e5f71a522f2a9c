"""Where a command begins and ends: a person's mistake is one line and an exit code, never a traceback."""

import click

from report.cli import check, own, site, stages  # noqa: F401 - they add their commands to the group
from report.cli.group import main
from report.console import Console, heed_lost_interrupts, spare_letters
from report.errors import ReportError


def run() -> int:
    """Run a command; a person's mistake is one line and an exit code, never a traceback."""
    heed_lost_interrupts()
    spare_letters()
    console = Console()
    try:
        code = main(standalone_mode=False)
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        console.error("Interrupted. Nothing half-made is kept; run the same command to go on.")
        # Where it came in the midst of code that is run from a string, as imports do that make dataclasses, Python has
        # noted that nobody caught it, and would end by the signal instead of with this exit code. More such code makes
        # it forget.
        exec("")
        return 130
    except ReportError as error:
        console.error(str(error))
        return error.exit_code
    except MemoryError:
        console.error("There is not enough memory. What is finished is kept; free some, and run the command again.")
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        console.error(f"The operating system refused: {error.strerror or error}{where}.")
        return 1
