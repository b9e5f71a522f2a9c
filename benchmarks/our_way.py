"""The first article's job with this package, in one process: `python -m benchmarks.our_way`.

The job is one training run, its accuracy, four figures and one animation. `--floor` does the part that no way can do
without, and prints its seconds: loading torch, training, going through the held-out images.
"""

import time
from pathlib import Path

import click

from benchmarks.measure import ROOT
from report.config import Experiment
from report.training import data
from report.training.images import Images
from report.workspace import Workspace

FIGURES = ("digits", "loss", "weight_history", "histogram")


@click.command()
@click.option("--experiment", "file", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--build", type=click.Path(path_type=Path), required=True, help="Where data/ is.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where recording and pictures go.")
@click.option("--floor", is_flag=True, help="Train and validate alone.")
def main(file: Path, build: Path, out: Path, floor: bool) -> None:
    """Do the first article's job, or the part of it that is nobody's choice."""
    started = time.perf_counter()
    from report.training import devices, loop  # torch

    loaded = time.perf_counter() - started
    experiment = Experiment.load(file)
    digits = read(build, experiment)
    if floor:
        started = time.perf_counter()
        with devices.threads(experiment.training.threads):
            loop.Trainer(experiment, digits).train(None)
        click.echo(f"floor {loaded + time.perf_counter() - started:.3f}")
        return
    place = Workspace(ROOT, out, out / "site")
    folder = place.run(experiment.main_run)
    loop.run(experiment, digits, folder, key="", first=1)  # with one whole state come examples of the images
    del digits
    draw(place, folder, experiment)


def read(build: Path, experiment: Experiment) -> Images:
    """Return the images below the folder `build`."""
    place = Workspace(ROOT, build, build / "site")
    return data.read(place, data.settle(place, experiment, click.echo))


def draw(place: Workspace, folder: Path, experiment: Experiment) -> None:
    """Draw the article's four figures and its animation of the recording in `folder`, light and dark."""
    from report.analysis.report import analyse
    from report.drawing import scales
    from report.drawing.animation import clips, render
    from report.drawing.figures import draw as figures
    from report.recording.study import Study

    study = Study.load([folder])
    analyse(place, study, [])
    planned = {name: plan for name, plan in figures.plan(place).items() if name in FIGURES}
    laws, layers = scales.read(place, study)
    pace = clips.Pace(**experiment.animation.model_dump())
    films = [clip for clip in clips.plan(study, pace, layers, laws) if clip.kind == "network"]
    for product in (*figures.products(place, planned, ["en"]), *render.products(place, study, films, laws, pace)):
        product.work()
    click.echo(f"validation accuracy {study.main.series['validation_accuracy'][-1]:.4f}")


if __name__ == "__main__":
    main()
