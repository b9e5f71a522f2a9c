"""Run the comparisons: `python -m benchmarks [NAME …] [--quick] [--check]`."""

import dataclasses
import importlib
import platform
import sys
import tempfile
from pathlib import Path

import click
import psutil

from benchmarks.material import Material
from benchmarks.measure import ROOT
from report.errors import ReportError

COMPARISONS = (
    "recording_cost",
    "network_gif",
    "main_job",
    "study_speed",
    "waiting",
    "device_steps",
    "analysis_speed",
    "player_frames",
    "sizes",
)
QUICK_BATCHES = 120


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(COMPARISONS), metavar="[NAME]...")
@click.option(
    "--quick", is_flag=True, help=f"{QUICK_BATCHES} batches, each side once: shows that it works, judges nothing."
)
@click.option("--batches", type=click.IntRange(min=1), help="Batches of the main job [default: the experiment's].")
@click.option("--rounds", type=click.IntRange(min=1), help="How often both sides take turns [default: 5; quick: 1].")
@click.option("--check", is_flag=True, help="End with exit code 1 when a bound is missed.")
@click.option("--experiment", "file", type=click.Path(path_type=Path), default=ROOT / "experiment.toml")
@click.option("--build", type=click.Path(path_type=Path), default=ROOT / "build", help="Products that are looked at.")
def main(
    names: tuple[str, ...],
    quick: bool,
    batches: int | None,
    rounds: int | None,
    check: bool,
    file: Path,
    build: Path,
) -> None:
    """Compare speed, memory and size with what one would use instead.

    NAME is one of: recording_cost, network_gif, main_job, study_speed, waiting, device_steps, analysis_speed,
    player_frames, sizes; all where none is given. A line says what is compared, the ratio, and the bound that is
    wanted.
    """
    if quick and check:
        raise click.UsageError("--quick is too short to judge by: leave out --check, or --quick.")
    load, cores = psutil.getloadavg()[0], psutil.cpu_count()
    click.echo(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {cores} cores")
    if cores and load > cores / 2:
        click.echo(f"The machine is busy (load {load:.1f}): ratios are rough, seconds mean little.")
    missed = 0
    with tempfile.TemporaryDirectory(prefix="weights-in-motion-") as folder:
        for name in names or COMPARISONS:
            # A folder each: no comparison finds the work of another already done.
            material = Material.of(
                file,
                Path(folder) / name,
                build.absolute(),
                batches or (QUICK_BATCHES if quick else None),
                rounds or (1 if quick else 5),
                quick,
            )
            module = importlib.import_module(f"benchmarks.{name}")
            click.echo((module.__doc__ or name).partition("\n")[0])
            for result in module.compare(material):
                # Quick: starting up outweighs the work, nothing to judge by.
                line = dataclasses.replace(result, bound=None) if quick else result
                click.echo(str(line))
                missed += line.missed
    if check and missed:
        click.echo(f"{missed} bound{'s' * (missed > 1)} missed.", err=True)
        raise click.exceptions.Exit(1)


def run() -> int:
    """Run the command; a mistake is one line."""
    try:
        return int(main(standalone_mode=False, prog_name="python -m benchmarks") or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ReportError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130


if __name__ == "__main__":
    sys.exit(run())
