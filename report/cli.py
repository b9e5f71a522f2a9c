"""Run the stages: `python -m report [train | analyse | draw | write | all | … | show RUN]`."""

import dataclasses
import os
import re
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from report import files
from report.config import Experiment, read
from report.console import Console, heed_lost_interrupts
from report.errors import ConfigError, ReportError, command, is_checkout
from report.making.alone import alone
from report.making.stages import Article
from report.training import named, runs, sets
from report.workspace import Workspace, home, sources

COMMANDS = {
    "train": ("train",),
    "analyse": ("analyse",),
    "draw": ("draw",),
    "write": ("facts", "pages", "site"),
    "all": ("train", "analyse", "draw", "facts", "pages", "site"),
}

Places = dict[str, Path | None]  # what --experiment, --build and --site say


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--experiment", type=click.Path(path_type=Path), help="What to run [default: experiment.toml].")
@click.option("--build", type=click.Path(path_type=Path), help="Where generated files go [default: build].")
@click.option("--site", type=click.Path(path_type=Path), help="Where the site goes [default: site].")
@click.version_option(package_name="weights-in-motion")
@click.pass_context
def main(context: click.Context, /, **places: Path | None) -> None:
    """Train a network, record every weight update, and write an article about it.

    The stages follow one another and speak only through files below the build folder; a stage whose inputs have
    not changed does nothing. "all" is what "make report" runs.
    """
    context.obj = places


REQUIRE = click.Option(
    ["--require-data/--allow-sample"],
    default=None,
    envvar="REPORT_REQUIRE_DATA",
    help="Whether a set that cannot be downloaded is an error, or MNIST's sample may stand in for MNIST "
    "[default: an error where CI=true is set, and for publish].",
)


def _is_ci() -> bool:
    """Tell whether this is a hoster's machine, whose products are published unseen."""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def _command(name: str, help_text: str, *options: click.Parameter) -> Callable[[Callable[..., None]], None]:
    """Return what makes a command of a function, which is handed the pipeline and what the command's `options` say.

    The common options may stand after a command as well as before it. No second one works in the same build folder.
    """

    def add(work: Callable[..., None]) -> None:
        @main.command(name, help=help_text, params=[*options, REQUIRE, *main.params])
        @click.pass_context
        def command(
            context: click.Context,
            /,
            require_data: bool | None,
            processes: int | None = None,
            dask: str | None = None,
            **given: Any,
        ) -> None:
            context.obj = {key: given.pop(key) or place for key, place in context.obj.items()}
            require_data = (name == "publish" or _is_ci()) if require_data is None else require_data
            pipeline = _pipeline(Console(), context.obj, processes, dask, require_data=require_data)
            with alone(pipeline.workspace):
                work(pipeline, **given)

    return add


def _serve_command(places: Places) -> str:
    """Return the command that shows what these options build."""
    words = [word for key, place in places.items() if place is not None for word in (f"--{key}", str(place))]
    if not is_checkout():
        return shlex.join(["weights-in-motion", "serve", *words])
    return shlex.join([os.path.relpath(sys.executable), "-m", "report", "serve", *words]) if words else "make serve"


def _pipeline(
    console: Console, places: Places, processes: int | None, dask: str | None, *, require_data: bool
) -> Article:
    build, site = places["build"] or home() / "build", places["site"] or home() / "site"
    workspace = Workspace(sources(), build.absolute(), site.absolute())
    workspace.check()
    file = places["experiment"] or _default_experiment(console)
    said = read(file)
    experiment = Experiment.parse(said, file)
    _check_language(workspace, experiment, file)
    for key, name in experiment.functions.items():
        named.file_of(name, f"{file}: {key}")
    if require_data:
        experiment = experiment.requiring_data
    return Article(workspace, experiment, file, console, said=said, processes=processes, dask=dask)


def _default_experiment(console: Console) -> Path:
    """Return the experiment that is meant when none is named; say which where it could be either of two."""
    own, carried = home() / "experiment.toml", sources() / "experiment.toml"
    if is_checkout():
        return own
    if own.is_file():
        console.say(f"Experiment: {own}")
        return own
    console.say(f"Experiment: the built-in one; to run another, write {own} or name a file with --experiment.")
    return carried


def _check_language(workspace: Workspace, experiment: Experiment, file: Path) -> None:
    """Refuse a language without templates before anything runs."""
    for language in experiment.site.languages:
        if language not in workspace.languages:
            allowed = ", ".join(workspace.languages)
            raise ConfigError(f"{file}: site.languages: found {language!r}; allowed: {allowed}.")


def _address(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Refuse what is no address before Dask waits for an answer from it."""
    if value is not None and not re.fullmatch(r"(\w+://)?[^\s/]+:\d+", value):
        raise click.BadParameter(f"found {value!r}; allowed: an address with a port, such as tcp://host:8786.")
    return value


TRAINING_OPTIONS = (
    click.Option(
        ["--processes"],
        type=click.IntRange(1),
        metavar="NUMBER",
        help="Training runs at a time, each in a process of its own [default: as many as cores].",
    ),
    click.Option(
        ["--dask"],
        metavar="ADDRESS",
        callback=_address,
        help="Train on the workers of this Dask scheduler instead, such as tcp://host:8786. They need this package, "
        "but no disk in common with this machine.",
    ),
)


def _stage_command(name: str, help_text: str) -> None:
    """Add the command that does the stages of `name`."""

    @_command(name, help_text, *(TRAINING_OPTIONS if "train" in COMMANDS[name] else ()))
    def command(pipeline: Article) -> None:
        started = time.perf_counter()
        pipeline.run(COMMANDS[name])
        if name == "all":
            serve = _serve_command(click.get_current_context().obj)
            _summarise(pipeline, time.perf_counter() - started, serve)
        if "train" in COMMANDS[name]:
            _name_missing(pipeline)


_stage_command(
    "train",
    "Train what is missing and record it, into build/runs.\n\nThe study's training runs go side by side. One that is "
    "finished is never trained again; one that fails is named at the end, and the others go on.",
)
_stage_command("analyse", "Compute every number, into build/results.json and build/tables.")
_stage_command("draw", "Draw figures and animations, into build/docs.")
_stage_command("write", "Fill the templates and build the site.")
_stage_command("all", "Do all stages, one after the other.")


@_command("findings", "Print what became of each claim of the first article, with the evidence.")
def findings(pipeline: Article) -> None:
    """Train and analyse what is stale, then print the findings."""
    from report.analysis.findings.records import Finding
    from report.site import printout
    from report.site.words import Words

    pipeline.run(("train", "analyse"))
    records = files.read_json(pipeline.workspace.results)["findings"]
    words = Words.load(pipeline.workspace.templates, pipeline.settings().languages[0])
    printout.write([Finding.of(each) for each in records], words, pipeline.console)


@_command("check", "Read every file that was made, and name those that do not hold what was made.")
def check(pipeline: Article) -> None:
    """Change nothing; end with exit code 1 when something is wrong."""
    found = pipeline.check()
    for line in found:
        pipeline.console.say(line)
    if found:
        raise ReportError(f'{len(found):,} found. "{command()}" makes anew what is wrong.')
    pipeline.console.say("Every file holds what was made.")


PORT = click.Option(
    ["--port"], type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port on localhost."
)


@_command("serve", "Show the site on localhost; rebuild it when templates or site sources change.", PORT)
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


SHOW_OPTIONS = (
    click.Argument(["runs"], metavar="RUN…", nargs=-1, required=True, type=click.Path(path_type=Path)),
    click.Option(["--title"], metavar="TEXT", help="Above the pages [default: the name of RUN]."),
    click.Option(["--language"], metavar="NAME", default="en", show_default=True, help="Of the pages: en or ja."),
    click.Option(["--watch"], is_flag=True, help="Show it on localhost, and rebuild it when steps were added."),
    PORT,
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


@_command("offline", "Pack the site as a ZIP that opens without a server.")
def offline(pipeline: Article) -> None:
    """Build what is stale, then pack."""
    from report.site import offline as packing

    pipeline.run(COMMANDS["all"])
    archive = packing.pack(pipeline.workspace, pipeline.settings())
    pipeline.console.say(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB; unpack it and open index.html.")


HISTORY = click.Option(["--history/--no-history"], default=True, help="Keep the sites before this one on the branch.")


@_command("publish", "Put the built site on the gh-pages branch of origin.", HISTORY)
def publish(pipeline: Article, history: bool) -> None:
    """Publish what "all" has built."""
    from report.site import publish as publishing

    reason = files.read_json(pipeline.workspace.results, default={}).get("data", {}).get("reason")
    if reason and pipeline.experiment == pipeline.experiment.requiring_data:
        raise ReportError(
            f'The site was made from {sets.SAMPLE}. {reason} Connect to the internet and run "{command()}" with '
            "REPORT_REQUIRE_DATA=true, or publish it as it is with REPORT_REQUIRE_DATA=false."
        )
    publishing.publish(
        dataclasses.replace(pipeline.workspace, root=home()),  # the sources may lie outside the repository
        is_fresh=lambda: not pipeline.stale(),
        say=pipeline.console.say,
        address=pipeline.experiment.site.url,
        with_history=history,
    )


def _summarise(pipeline: Article, seconds: float, serve: str) -> None:
    """Say where the site is, what it was built from, how good the network became, what took how long."""
    results = files.read_json(pipeline.workspace.results)
    loss = results["loss"][results["main"]]
    data = results["data"]
    times = files.read_json(pipeline.workspace.timings, default={})
    say = pipeline.console.say
    say(f"Site:      {pipeline.workspace.site / 'index.html'}   (look at it with: {serve})")
    say(f"Data:      {data['title']}" + (f". {data['reason']}" if data["reason"] else ""))
    say(f"Accuracy:  {loss['final_validation_accuracy']:.4f} on {data['validation']:,} validation images")
    stages = ", ".join(f"{name} {times[name]:.1f} s" for name in COMMANDS["all"] if name in times)
    say(f"Times:     {stages} (when last done); this command {seconds:.1f} s")


def _name_missing(pipeline: Article) -> None:
    """Name each training run that failed, with its reason."""
    for record in runs.missing(pipeline.workspace):
        pipeline.console.say(f"WARNING: training run {record['run']} is missing: {record['reason']}")


def run() -> int:
    """Run a command; a person's mistake is one line and an exit code, never a traceback."""
    heed_lost_interrupts()
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
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        console.error(f"The operating system refused: {error.strerror or error}{where}.")
        return 1
