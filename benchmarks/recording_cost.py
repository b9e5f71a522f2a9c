"""What recording costs: the same training with a recording and without."""

from collections.abc import Iterator

from benchmarks.material import Material
from benchmarks.measure import Line, alternate, timed
from report.recording import Writer
from report.train import Trainer, threads

WANTED = 1.10


def compare(material: Material) -> Iterator[Line]:
    """Train alternately with and without a recording; the time of the steps alone, closing the files included."""
    batches = material.experiment.training.batches
    with_it, without, ratios = alternate(lambda: _with(material), lambda: _without(material), material.rounds)
    yield Line(
        f"training {batches:,} batches with recording / without",
        with_it / without,
        WANTED,
        detail=f"{with_it:.2f} s / {without:.2f} s, medians of {material.rounds}; "
        f"single rounds {min(ratios):.2f} to {max(ratios):.2f}",
    )


def _with(material: Material) -> float:
    experiment = material.experiment
    folder = material.workspace.runs / "benchmark"
    with threads(1):
        trainer = Trainer(experiment, material.digits)
        with Writer(folder, experiment, experiment.animation.frames) as writer:
            series = trainer.train(writer)
            closing = timed(lambda: writer.finish(series, {}, trainer.seconds))
    return trainer.seconds["training"] + closing


def _without(material: Material) -> float:
    with threads(1):
        trainer = Trainer(material.experiment, material.digits)
        trainer.train(None)
    return trainer.seconds["training"]
