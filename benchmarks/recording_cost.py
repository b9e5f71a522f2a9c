"""What recording costs: the same training with a recording and without."""

import statistics
import time
from collections.abc import Iterator

from benchmarks.material import Material
from benchmarks.measure import Line, alternate, timed
from report.recording import Writer
from report.training.loop import Trainer, threads

WANTED = 1.10


def compare(material: Material) -> Iterator[Line]:
    """Train alternately with and without a recording; the steps alone count, and closing the files.

    The processor's time is printed too, for a machine that has other things to do: the thread that writes is in it.
    """
    batches = material.experiment.training.batches
    busy: dict[bool, list[float]] = {True: [], False: []}

    def run(recorded: bool) -> float:
        seconds, processor = _train(material, recorded)
        busy[recorded].append(processor)
        return seconds

    with_it, without, ratios = alternate(lambda: run(True), lambda: run(False), material.rounds)
    what = f"training {batches:,} batches with recording / without"
    yield Line(
        what,
        with_it / without,
        WANTED,
        detail=f"{with_it:.2f} s / {without:.2f} s, medians of {material.rounds}; "
        f"single rounds {min(ratios):.2f} to {max(ratios):.2f}",
    )
    processor = [statistics.median(busy[recorded]) for recorded in (True, False)]
    yield Line(
        f"{what}, processor time",
        processor[0] / processor[1],
        detail=f"{processor[0]:.2f} s / {processor[1]:.2f} s",
    )


def _train(material: Material, recorded: bool) -> tuple[float, float]:
    """Train once; return seconds of the steps, on the clock and of the processor."""
    experiment = material.experiment
    folder = material.workspace.runs / "benchmark"
    with threads(1):
        trainer = Trainer(experiment, material.digits)
        evaluate, elsewhere = trainer.evaluate, 0.0

        def watched(*arguments: object) -> tuple[float, float]:
            nonlocal elsewhere
            started = time.process_time()
            found = evaluate(*arguments)  # type: ignore[arg-type]
            elsewhere += time.process_time() - started
            return found

        trainer.evaluate = watched  # type: ignore[assignment, method-assign]
        started, closing = time.process_time(), 0.0
        if recorded:
            with Writer(folder, experiment, experiment.animation.frames) as writer:
                series = trainer.train(writer)
                closing = timed(lambda: writer.finish(series, {}, trainer.seconds))
        else:
            trainer.train(None)
        processor = time.process_time() - started - elsewhere
    return trainer.seconds["training"] + closing, processor
