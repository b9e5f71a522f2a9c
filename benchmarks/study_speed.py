"""The study with two processes beside the same study with one."""

import shutil
from collections.abc import Iterator

from benchmarks.material import Material
from benchmarks.measure import Line, timed
from report.config import Experiment
from report.cores import cores
from report.training import runs

WANTED = 1.85
PROCESSES = 2
QUICK_RUNS, QUICK_BATCHES = 4, 60


def compare(material: Material) -> Iterator[Line]:
    """Train every run of the study in a new folder, with one process and with two; each once, it takes minutes."""
    experiment = _study(material)
    what = f"study of {len(runs.planned(experiment))} training runs, one process / two"
    if cores() < PROCESSES:
        yield Line(what, None, detail="This machine has one core.")
        return
    seconds = {}
    for processes in (PROCESSES, 1):
        place = material.place(f"study-{processes}", "data")
        seconds[processes] = timed(
            lambda place=place, processes=processes: runs.train(  # type: ignore[misc]
                place, experiment, material.file, lambda line: None, lambda *done: None, processes=processes
            )
        )
        missing = runs.missing(place)
        shutil.rmtree(place.runs)  # up to a gigabyte
        if missing:
            yield Line(what, None, detail=f"{missing[0]['run']} is missing: {missing[0]['reason']}")
            return
    yield Line(
        what,
        seconds[1] / seconds[PROCESSES],
        WANTED,
        "at least",
        detail=f"{seconds[1]:.1f} s / {seconds[PROCESSES]:.1f} s, starting the processes included",
    )


def _study(material: Material) -> Experiment:
    """Return the experiment with its whole study, or with some short runs of equal length."""
    experiment = material.experiment
    if not material.quick:
        return Experiment.load(material.file).model_copy(update={"data": experiment.data})
    short = experiment.training.model_copy(update={"batches": QUICK_BATCHES, "validations": 1})
    small = experiment.study.model_copy(update={"seeds": QUICK_RUNS, "batches": QUICK_BATCHES})
    frames = experiment.animation.model_copy(update={"frames": 1})
    return experiment.model_copy(update={"training": short, "study": small, "animation": frames})
