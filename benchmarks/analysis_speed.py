"""Analysing the whole study: time on the clock and memory of the process."""

from collections.abc import Iterator

from benchmarks.material import Material
from benchmarks.measure import Line, watch
from report.config import Experiment
from report.training import runs
from report.workspace import Workspace

SECONDS, MEBIBYTES = 10.0, 1024


def compare(material: Material) -> Iterator[Line]:
    """Analyse the finished training runs of the build folder anew, in a process of its own."""
    experiment = Experiment.load(material.file)
    built = Workspace(material.workspace.root, material.build, material.build / "site")
    what = f"analysing {len(runs.planned(experiment))} training runs"
    if not runs.is_complete(built, experiment):
        yield Line(what, None, detail=f'The study in {material.build} is not complete. Run "make report" first.')
        return
    place = material.place("analysis", "data", "runs", "study.json")
    cost = watch(
        [["-m", "report", "analyse", "--experiment", str(material.file.absolute()), "--build", str(place.build)]]
    )
    yield Line(f"{what}, time", cost.seconds, SECONDS, unit="s", detail="starting Python included")
    yield Line(f"{what}, memory", cost.memory / 2**20, MEBIBYTES, unit="MiB", detail="resident, mapped files included")
