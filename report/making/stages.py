"""The stages in their order, each with the key of its inputs: what is fresh is not done again.

The stages speak only through files below `build/`; here is written down which files decide which.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from report import files
from report.config import Experiment
from report.console import Console
from report.errors import ReportError
from report.freshness import Ledger, code_digest, digest
from report.training import runs
from report.workspace import DRAWN, Workspace

if TYPE_CHECKING:  # what a build with nothing to do never needs is imported where it is used
    from report.drawing.animation.clips import Pace
    from report.recording.study import Study
    from report.site.settings import Settings


@dataclass(frozen=True)
class Stage:
    """Name a stage, tell when it is stale, and do its work."""

    name: str
    doing: str
    key: Callable[[], str]
    outputs: Callable[[], list[Path]]
    work: Callable[[], None]


class Pipeline:
    """Hold what all stages need: where files are, what is wanted, whom to tell."""

    def __init__(
        self,
        workspace: Workspace,
        experiment: Experiment,
        experiment_file: Path,
        console: Console,
        *,
        processes: int | None = None,
        dask: str | None = None,
    ) -> None:
        """Keep what is given; nothing is read or run yet.

        Args:
            workspace: where files are.
            experiment: what is wanted.
            experiment_file: named in messages.
            console: whom to tell.
            processes: of this machine that train; None for one a core.
            dask: address of a Dask scheduler whose workers train instead.
        """
        self.workspace = workspace
        self.experiment = experiment
        self.experiment_file = experiment_file
        self.console = console
        self.processes = processes
        self.dask = dask

    def stages(self) -> dict[str, Stage]:
        """Return all stages, in the order in which data goes through them."""
        every = (
            Stage("train", "training", self._train_key, self._trained, self._train),
            Stage("analyse", "analysing", self._analyse_key, self._analysed, self._analyse),
            Stage("draw", "drawing", self._draw_key, self._drawn, self._draw),
            Stage("pages", "writing pages", self._pages_key, self._written, self._pages),
            Stage("site", "building the site", self._site_key, self._built, self._site),
        )
        return {stage.name: stage for stage in every}

    def stale(self, names: tuple[str, ...] = ("train", "analyse", "draw", "pages", "site")) -> list[str]:
        """Return the stages among `names` whose inputs have changed since they were last done."""
        ledger = Ledger(self.workspace.ledger)
        stages = self.stages()
        return [name for name in names if not self._is_fresh(ledger, stages[name])]

    def run(self, names: tuple[str, ...]) -> None:
        """Do the stages `names` that are stale, and note how long each took.

        Raises:
            ReportError: as the stages do.
        """
        stages = self.stages()
        for name in names:
            stage = stages[name]
            again = name == "train" and not runs.is_complete(self.workspace, self.experiment, giving_up=False)
            if not again and self._is_fresh(Ledger(self.workspace.ledger), stage):
                continue
            self.console.say(f"{stage.doing} …")
            started = time.perf_counter()
            stage.work()
            self._note_time(name, time.perf_counter() - started)
            # Opened anew: the stage may have noted pieces of its own in the same file.
            Ledger(self.workspace.ledger).record(name, stage.key(), stage.outputs())

    def _is_fresh(self, ledger: Ledger, stage: Stage) -> bool:
        if stage.name == "train" and not runs.is_complete(self.workspace, self.experiment):
            return False
        return ledger.is_fresh(stage.name, stage.key(), stage.outputs())

    def _note_time(self, name: str, seconds: float) -> None:
        noted = files.read_json(self.workspace.timings, default={})
        files.write_json(self.workspace.timings, {**noted, name: round(seconds, 1)})

    def _run_files(self) -> list[Path]:
        """Return the `run.json` of every training run that there is, and the word on those that there are not."""
        recordings = runs.recordings(self.workspace, self.experiment)
        return [*(folder / "run.json" for folder in recordings), self.workspace.study]

    def _study(self) -> "Study":
        """Open the recordings that the experiment asks for, and no others.

        Raises:
            ReportError: when there are none.
        """
        from report.recording.study import Study

        recordings = runs.recordings(self.workspace, self.experiment)
        if not recordings or recordings[0] != self.workspace.run(self.experiment.main_run):
            raise ReportError(
                f'No complete training run of this experiment in {self.workspace.runs}. Run "make report" first.'
            )
        return Study.load(recordings)

    def _pace(self) -> "Pace":
        from report.drawing.animation.clips import Pace

        animation = self.experiment.animation
        return Pace(animation.frames, animation.milliseconds, animation.long_batches, animation.long_step)

    def settings(self) -> "Settings":
        """Return the title, addresses and language of the site."""
        from report.site.settings import Settings

        site = self.experiment.site
        return Settings(site.title, site.url, site.repository, site.language)

    def _code(self, *names: str) -> str:
        """Return the digest of modules and packages below report/."""
        package = self.workspace.package
        paths = [
            path for name in names for path in sorted(package.glob(f"{name}/**/*.py" if "." not in name else name))
        ]
        return code_digest(*paths)

    def _train_key(self) -> str:
        return digest(runs.keys(self.workspace, self.experiment))

    def _trained(self) -> list[Path]:
        return self._run_files()

    def _train(self) -> None:
        with self.console.progress() as progress:
            runs.train(
                self.workspace,
                self.experiment,
                self.experiment_file,
                self.console.say,
                progress,
                processes=self.processes,
                dask=self.dask,
            )

    def _analyse_key(self) -> str:
        return digest(*self._run_files(), self._code("analysis", "recording", "wording.py"))

    def _analysed(self) -> list[Path]:
        return [self.workspace.results, *sorted(self.workspace.tables.glob("*.csv"))]

    def _analyse(self) -> None:
        from report.analysis.report import analyse

        analyse(self.workspace, self._study(), runs.missing(self.workspace))

    def _draw_key(self) -> str:
        place = self.workspace
        styles = sorted(place.package.rglob("*.mplstyle"))
        code = self._code("drawing", "analysis", "recording", "wording.py")
        pace = asdict(self._pace())
        drawn_with = [version("matplotlib"), version("pillow")]
        return digest(place.results, place.tables, *self._run_files(), pace, *styles, code, drawn_with)

    def _drawn(self) -> list[Path]:
        """Return the manifests and every file that they name."""
        place = self.workspace
        manifests = [place.figures_manifest, place.animations_manifest]
        folders = [place.docs / name for name in DRAWN]
        return [*manifests, *(path for folder in folders for path in sorted(folder.rglob("*.*")))]

    def _draw(self) -> None:
        from report.drawing.animation.render import render
        from report.drawing.figures.draw import draw
        from report.drawing.player.pack import pack

        study, pace = self._study(), self._pace()
        with self.console.progress() as progress:
            draw(self.workspace, progress)
        with self.console.progress() as progress:
            render(self.workspace, study, pace, progress)
        with self.console.progress() as progress:
            pack(self.workspace, study, pace, progress)

    def _pages_key(self) -> str:
        place = self.workspace
        made = [place.results, place.tables, place.figures_manifest, place.animations_manifest, *self._run_files()]
        sources = [place.templates, place.site_src, self.experiment_file, place.mkdocs_config]
        # The page that explains the player's files quotes this one.
        legal = [place.root / "CITATION.cff", place.root / "LICENSE", place.package / "drawing" / "player" / "format.md"]
        code = self._code("site", "drawing", "wording.py")
        return digest(*made, asdict(self.settings()), *sources, *legal, code)

    def _written(self) -> list[Path]:
        """Return every file that the pages consist of: all of the folder but what was drawn."""
        docs = self.workspace.docs
        paths = [path for path in sorted(docs.rglob("*")) if path.relative_to(docs).parts[0] not in DRAWN]
        return [docs / "index.md", self.workspace.site_settings, *(path for path in paths if path.is_file())]

    def _pages(self) -> None:
        from report.site import pages

        pages.write(self.workspace, self._study(), self.settings(), self.experiment_file)

    def _site_key(self) -> str:
        place = self.workspace
        overrides = place.site_src / "overrides"
        made = [place.docs, place.site_settings]
        return digest(
            *made,
            place.mkdocs_config,
            overrides,
            asdict(self.settings()),
            self._code("site/mkdocs.py"),
            version("mkdocs-material"),
        )

    def _built(self) -> list[Path]:
        """Return every file of the site: a page that someone has deleted must come back."""
        site = self.workspace.site
        return [site / "index.html", *(path for path in sorted(site.rglob("*")) if path.is_file())]

    def _site(self) -> None:
        from report.site import mkdocs

        mkdocs.build(self.workspace, self.settings())
