"""What several comparisons work on: an experiment, its images, one recorded training run in a folder of its own."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT
from report.config import Experiment
from report.recording.reader import Recording
from report.training import data, loop
from report.training.images import Images
from report.workspace import Workspace

QUICK_FRAMES = 8


@dataclass(frozen=True)
class Material:
    """Hold what is measured, how thoroughly, and where the products go.

    Attributes:
        file: the experiment file, with the study in it.
        experiment: the main run alone, with fewer batches if wanted.
        folder: temporary; everything that a comparison makes lies below it.
        build: finished products of `make report`, which some comparisons only read.
        rounds: how often the two sides of a comparison take turns.
        quick: whether it is enough to see that a comparison works.
    """

    file: Path
    experiment: Experiment
    folder: Path
    build: Path
    rounds: int
    quick: bool

    @classmethod
    def of(cls, file: Path, folder: Path, build: Path, batches: int | None, rounds: int, quick: bool) -> "Material":
        """Read the experiment; leave the study out of it and shorten it to `batches`."""
        experiment = Experiment.load(file)
        settings = experiment.model_dump(mode="json")
        if batches is not None:
            settings["training"]["batches"] = batches
            settings["animation"]["frames"] = min(settings["animation"]["frames"], QUICK_FRAMES if quick else batches)
            settings["animation"]["long_batches"] = min(settings["animation"]["long_batches"], batches)
            settings["animation"]["long_step"] = min(settings["animation"]["long_step"], batches)
            settings["training"]["validations"] = min(settings["training"]["validations"], batches)
        if "study" in settings:
            # The main run alone: what the first article did.
            batches = min(settings["study"]["batches"], settings["training"]["batches"])
            settings["study"] |= {"seeds": 1, "optimizers": [], "batches": batches}
        if settings["data"]["source"] == "auto" and not (build / "data" / "MNIST" / "raw").is_dir():
            settings["data"]["source"] = "sample"  # a benchmark downloads nothing
        return cls(file, Experiment.model_validate(settings), folder, build, rounds, quick)

    @functools.cached_property
    def workspace(self) -> Workspace:
        """Return a workspace of its own that shares the downloaded MNIST."""
        return self.place("main", "data")

    def place(self, name: str, *shared: str) -> Workspace:
        """Return a workspace, with links to what it shares with the finished products."""
        place = Workspace(ROOT, self.folder / name / "build", self.folder / name / "site")
        place.build.mkdir(parents=True, exist_ok=True)
        for part in shared:
            if (self.build / part).exists() and not (place.build / part).exists():
                (place.build / part).symlink_to((self.build / part).resolve())
        return place

    @functools.cached_property
    def images(self) -> Images:
        """Return the images, read once."""
        return data.read(self.workspace, data.settle(self.workspace, self.experiment, lambda line: None))

    @functools.cached_property
    def experiment_file(self) -> Path:
        """Write the experiment as a file that `python -m report` can be given."""
        path = self.folder / "experiment.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_toml(self.experiment.model_dump(mode="json")), encoding="utf-8")
        return path

    @functools.cached_property
    def recording(self) -> Recording:
        """Return the main training run, trained and recorded when it is first asked for."""
        folder = self.workspace.run(self.experiment.main_run)
        loop.run(self.experiment, self.images, folder, "benchmark", first=self.experiment.animation.frames)
        return Recording.open(folder)


def as_toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return settings as TOML: JSON's texts, numbers and lists of them are TOML's too."""
    lines = []
    for name, table in tables.items():
        plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in plain.items())]
        for key, value in table.items():
            if isinstance(value, Mapping):
                lines += [f"[{name}.{key}]", *(f"{inner} = {json.dumps(item)}" for inner, item in value.items())]
    return "\n".join(lines) + "\n"
