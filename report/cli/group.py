"""The group of commands: what its options say, and how a command comes by the pipeline that they describe."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from report.config import Experiment, read
from report.console import Console
from report.errors import ConfigError, is_checkout
from report.making.alone import alone
from report.making.stages import Article
from report.training import named
from report.workspace import Workspace, home, sources

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


def command(name: str, help_text: str, *options: click.Parameter) -> Callable[[Callable[..., None]], None]:
    """Return what makes a command of a function, which is handed the pipeline and what the command's `options` say.

    The common options may stand after a command as well as before it. No second one works in the same build folder.
    """

    def add(work: Callable[..., None]) -> None:
        @main.command(name, help=help_text, params=[*options, REQUIRE, *main.params])
        @click.pass_context
        def started(
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


def dask_address(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Refuse what is no address before Dask waits for an answer from it."""
    if value is not None and not re.fullmatch(
        r"(tcp://)?[^\s/:]+:[0-9]{1,5}|(tcp://)?\[[0-9a-fA-F:.]+\]:[0-9]{1,5}", value
    ):
        raise click.BadParameter(f"found {value!r}; allowed: tcp://host:port, such as tcp://localhost:8786.")
    return value


TRAINING = (
    click.Option(
        ["--processes"],
        type=click.IntRange(1),
        metavar="NUMBER",
        help="Training runs at a time, each in a process of its own [default: as many as cores].",
    ),
    click.Option(
        ["--dask"],
        metavar="ADDRESS",
        callback=dask_address,
        help="Train on the workers of this Dask scheduler instead, such as tcp://host:8786. They need this package, "
        "but no disk in common with this machine.",
    ),
)

PORT = click.Option(
    ["--port"], type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port on localhost."
)
