"""The command that makes a report on recordings of one's own network."""

from pathlib import Path
from typing import Any

import click

from report.cli.group import PORT, dask_address, main
from report.console import Console
from report.making.alone import alone

SHOW_OPTIONS = (
    click.Argument(["runs"], metavar="RUN…", nargs=-1, required=True, type=click.Path(path_type=Path)),
    click.Option(["--title"], metavar="TEXT", help="Above the pages [default: the name of RUN]."),
    click.Option(["--language"], metavar="NAME", default="en", show_default=True, help="Of the pages: en or ja."),
    click.Option(["--watch"], is_flag=True, help="Show it on localhost, and rebuild it when steps were added."),
    PORT,
    click.Option(
        ["--dask"],
        metavar="ADDRESS",
        callback=dask_address,
        help="Analyse on the workers of this Dask scheduler, such as tcp://host:8786. They need this package, and the "
        "disk in common with this machine.",
    ),
    click.Option(["--build"], type=click.Path(path_type=Path), help="Generated files [default: .RUN-report.build]."),
    click.Option(["--site"], type=click.Path(path_type=Path), help="Where the report goes [default: RUN-report]."),
)


@main.command(
    "show",
    params=list(SHOW_OPTIONS),
    help="Make a report on recordings of your own network.\n\nRUN is the folder that report.record was given, or a "
    "folder of such folders; a recording that still grows, or whose process was killed, is shown as far as it has "
    "come. The report lies beside the first RUN, and what is made on the way in a hidden folder beside the report.",
)
@click.pass_context
def show(context: click.Context, /, runs: tuple[Path, ...], watch: bool, port: int, **given: Any) -> None:
    """Make what is stale of the report; serve it when that is asked for."""
    from report.making import own

    if context.obj["experiment"] is not None:
        raise click.UsageError("show takes recordings, and no --experiment.")
    places = {key: given.pop(key) or context.obj[key] for key in ("site", "build")}
    report = own.prepare(runs, Console(), **places, **given)
    with alone(report.workspace):
        if watch:
            own.watch(report, port)
        else:
            report.make()
            report.console.say(f"Report: {report.workspace.site / 'index.html'}")
