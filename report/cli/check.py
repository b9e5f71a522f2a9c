"""The commands that look whether all is as it should be: on this disk, and trained again by a stranger."""

import click

from report import errors
from report.cli.group import TRAINING, command
from report.errors import ReportError
from report.making.stages import Article
from report.recording import chain


@command("check", "Read every file that was made, and name those that do not hold what was made.")
def check(pipeline: Article) -> None:
    """Change nothing; end with exit code 1 when something is wrong."""
    found = pipeline.check()
    for line in found:
        pipeline.console.say(line)
    if found:
        raise ReportError(f'{len(found):,} found. "{errors.command()}" makes anew what is wrong.')
    pipeline.console.say("Every file holds what was made.")


@command(
    "verify",
    "Train again what a site was made from, and say whether the same comes out.\n\nSITE is the folder or the address "
    "of a site, or its receipt.json; without it, the site that was built here. The exit code is 0 only if every "
    "finding comes out the same or, of fewer runs or steps, every bit.",
    click.Argument(["where"], metavar="[SITE]", required=False),
    click.Option(["--run", "name"], metavar="NAME", help="Only this training run [default: all]."),
    click.Option(["--steps"], type=click.IntRange(chain.EVERY), help="So many steps of each run [default: all]."),
    *TRAINING,
)
def verify(pipeline: Article, where: str | None, name: str | None, steps: int | None) -> None:
    """Change nothing of what is there."""
    from report.making import verify as verifying

    place, console = pipeline.workspace, pipeline.console
    is_same = verifying.verify(
        where or str(place.site),
        place,
        console.say,
        console.progress,
        name=name,
        steps=steps,
        processes=pipeline.processes,
        dask=pipeline.dask,
    )
    if not is_same:
        raise ReportError("What comes out here is not what the receipt tells of; the lines above say where it parts.")
    console.say("The same comes out.")
