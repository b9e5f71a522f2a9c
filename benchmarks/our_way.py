"""The first article's job with this package, in one process: `python -m benchmarks.our_way`.

The job is one training run, its accuracy, four figures and one animation. `--floor` does the part that no way can do
without, and prints its seconds: loading torch, training, going through the held-out images.
"""

import importlib
import time
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.measure import ROOT
from report.config import Experiment
from report.training import data
from report.training.images import Images
from report.workers.local import pool
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
    with pool(1) as beside:
        beside.submit(get_ready)  # while the network is trained
        loop.run(experiment, digits, folder, key="", first=1)  # with one whole state come examples of the images
        del digits
        draw(place, folder, experiment, beside)


def get_ready() -> None:
    """Load what reads a recording and draws a film of it."""
    from PIL import Image

    for name in ("report.drawing.animation.films", "pydantic.type_adapter"):
        importlib.import_module(name)
    Image.preinit()


def read(build: Path, experiment: Experiment) -> Images:
    """Return the images below the folder `build`."""
    place = Workspace(ROOT, build, build / "site")
    return data.read(place, data.settle(place, experiment, click.echo))


def draw(place: Workspace, folder: Path, experiment: Experiment, beside: Executor) -> None:
    """Draw the article's four figures of the recording in `folder`, and meanwhile its animation; light and dark."""
    from report.analysis import chain, columns, digits, estimates, loss, overview, report, threshold
    from report.analysis.measures import Name
    from report.analysis.survey import law
    from report.analysis.updates import Track
    from report.analysis.windows import ALL
    from report.drawing.animation import clips, render
    from report.drawing.figures import draw as figures
    from report.recording.study import Study

    study = Study.load([folder])
    main, layers = study.main, chain.drawn(study.main.tensors)
    laws, numbers = {}, {}
    for layer in layers:
        found = law(main, layer, layers)
        assert found is not None
        updates = [chunk.updates for chunk in Track(main, layer).chunks()]
        opacities = (threshold.opacity(threshold.deviation(each, found.mean), found.threshold) for each in updates)
        row = {**asdict(found), "full_colour": sum(int((each >= 1).sum()) for each in opacities)}
        laws[layer] = {name: row[name] for name in ("mean", "threshold")}
        numbers |= {Name("threshold", name, layer, ALL): [value] for name, value in row.items()}
        numbers[Name("windows", "steps", layer, ALL)] = [main.steps]
    pace = clips.Pace(**experiment.animation.model_dump())
    (film,) = (clip for clip in clips.plan(study, pace, layers, laws) if clip.kind == "network")
    (product,) = render.products(place, study, [film], laws, pace)
    drawn = beside.submit(product.work)
    results = report.describe(main, layers) | overview.overview(study, layers, []) | {"tensors": [*layers]}
    results |= report.histories(place.tables, main, layers) | {"theory": {study.slug(main.label): None}}
    series = {"loss": loss.series(main.series), "validation": loss.validation_table(main.series)}
    for name, table in (*series.items(), ("digits", digits.table(main.attached))):
        if table is not None:
            columns.write(place.tables / f"{name}.csv", [table])
    table = estimates.table(study, {main.name: numbers}, {study.slug(main.label): {}})
    modules = {name: importlib.import_module(f"report.drawing.figures.{name}") for name in FIGURES}
    known = {name: module.facts(results, table) for name, module in modules.items()}
    planned = {name: figures.Plan(name, facts) for name, facts in known.items() if facts is not None}
    for figure in figures.products(place, planned, ["en"]):
        figure.work()
    drawn.result()
    click.echo(f"validation accuracy {main.series['validation_accuracy'][-1]:.4f}")


if __name__ == "__main__":
    main()
