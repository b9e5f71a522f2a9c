"""The commands for a site that is there: show it, pack it, publish it."""

import dataclasses

import click

from report import errors, files
from report.cli.group import PORT, command
from report.cli.stages import COMMANDS
from report.errors import ReportError
from report.making.stages import Article
from report.training import sets
from report.workspace import home


@command("serve", "Show the site on localhost; rebuild it when templates or site sources change.", PORT)
def serve(pipeline: Article, port: int) -> None:
    """Build what is stale, then serve."""
    from report.site import mkdocs as mkdocs_site

    pipeline.run(COMMANDS["all"])
    place = pipeline.workspace
    mkdocs_site.serve(
        place,
        pipeline.settings(),
        lambda: pipeline.run(COMMANDS["write"]),
        watched=(place.templates, place.site_src, place.mkdocs_config),
        note="changes in templates/ and site_src/ are shown at once",
        port=port,
    )


@command("examples", "Run the programs in examples/, show what they recorded, and put the reports into the site.")
def examples(pipeline: Article) -> None:
    """Make what is stale of the reports, and of the site if there is one."""
    from report.making import examples as making

    making.make(pipeline)


@command("offline", "Pack the site as a ZIP that opens without a server.")
def offline(pipeline: Article) -> None:
    """Build what is stale, then pack."""
    from report.site import offline as packing

    pipeline.run(COMMANDS["all"])
    archive = packing.pack(pipeline.workspace, pipeline.settings())
    pipeline.console.say(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB; unpack it and open index.html.")


HISTORY = click.Option(["--history/--no-history"], default=True, help="Keep the sites before this one on the branch.")


@command("publish", "Put the built site on the gh-pages branch of origin.", HISTORY)
def publish(pipeline: Article, history: bool) -> None:
    """Publish what "all" has built."""
    from report.site import publish as publishing

    main = files.read_json(pipeline.main / "run.json", default={})
    reason = main.get("about", {}).get("data", {}).get("reason")
    if reason and pipeline.experiment == pipeline.experiment.requiring_data:
        raise ReportError(
            f'The site was made from {sets.SAMPLE}. {reason} Connect to the internet and run "{errors.command()}" with '
            "REPORT_REQUIRE_DATA=true, or publish it as it is with REPORT_REQUIRE_DATA=false."
        )
    publishing.publish(
        dataclasses.replace(pipeline.workspace, root=home()),  # the sources may lie outside the repository
        is_fresh=lambda: not pipeline.stale(),
        say=pipeline.console.say,
        address=pipeline.experiment.site.url,
        with_history=history,
    )
