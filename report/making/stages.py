"""The article's stages, in the order in which data goes through them: what each is made from, and by which code.

Stages speak through files below `build/` alone. A stage whose inputs have not changed does nothing.
"""

import functools
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report import files
from report.config import Experiment, read
from report.console import Console
from report.errors import ReportError, command
from report.making.own_stages import OwnStages
from report.making.pipeline import Pipeline
from report.products import Product
from report.recording import seal
from report.site.settings import Settings
from report.training import runs
from report.workspace import Workspace, home

if TYPE_CHECKING:  # what a build with nothing to do never needs is imported where it is used
    from report.drawing.animation.clips import Pace
    from report.recording.study import Study
    from report.site.own import Ran


class Article(Pipeline):
    """Hold what the stages need besides: what is wanted, and who trains."""

    def __init__(
        self,
        workspace: Workspace,
        experiment: Experiment,
        experiment_file: Path,
        console: Console,
        *,
        said: bytes | None = None,
        processes: int | None = None,
        dask: str | None = None,
    ) -> None:
        """Keep what is given; nothing is read or run yet.

        Args:
            workspace: where files are.
            experiment: what is wanted.
            experiment_file: named in messages.
            console: whom to tell.
            said: what the file held when it was read, which pages show whatever becomes of it; None to read it now.
            processes: of this machine that train; None for one a core.
            dask: address of a Dask scheduler whose workers train instead.
        """
        super().__init__(workspace, console)
        self.experiment = experiment
        self.experiment_file = experiment_file
        self.said = read(experiment_file) if said is None else said
        self.processes = processes
        self.dask = dask

    def stages(self) -> dict[str, Product]:
        """Return all stages, by name: those of the article, or of a report on the network where there can be none."""
        train = Product(
            name="train",
            modules=(),  # each run's key knows the code that trains
            # The name of the seals: a build whose ledger does not know them takes them in, and trains nothing anew.
            inputs=lambda: [runs.keys(self.workspace, self.experiment), seal.NAME],
            outputs=self._trained,
            work=self._train,
            settles=True,
        )
        after = self._own().stages() if self.lacking() else self._article()
        return {train.name: train, **after}

    def lacking(self) -> tuple[str, ...]:
        """Return what the study lacks to carry the article, see `report.analysis.carries`; () until it is trained."""
        folders = tuple(self._recordings())
        if not folders or folders[0] != self.main or not self._is_complete():
            return ()
        try:
            return self._asked(folders)
        except ReportError:  # a damaged one, which the stage of training finds and replaces
            return ()

    @functools.cache  # noqa: B019 - a command has one pipeline
    def _asked(self, folders: tuple[Path, ...]) -> tuple[str, ...]:
        """Return the answer, which is kept: to find it takes longer than all else where there is nothing to do."""
        kept = self.workspace.lacking

        def ask() -> None:
            from report.analysis.carries import lacking
            from report.recording.study import Study

            files.write_json(kept, {"lacking": lacking(Study.load(folders))})

        answer = Product(
            name="lacking",
            modules=("report.analysis.carries",),
            inputs=lambda: [folder / name for folder in folders for name in ("run.json", seal.NAME)],
            outputs=lambda: [kept],
            work=ask,
        )
        self.maker().make([answer])
        return tuple(files.read_json(kept, "lacking")["lacking"])

    @property
    def main(self) -> Path:
        """Return the folder of the main training run."""
        return self.workspace.run(self.experiment.main_run)

    def _own(self) -> OwnStages:
        """Return the stages of a report on the network."""
        sealed = functools.partial(runs.keys, self.workspace, self.experiment)
        return OwnStages(self, self._recordings, lambda: [sealed()], self._ran, self._ran_from)

    def _article(self) -> dict[str, Product]:
        """Return the stages of the article after the training, by name."""
        place = self.workspace
        folder = place.package / "drawing" / "figures"
        figures = [f"report.drawing.figures.{path.stem}" for path in folder.glob("[a-z]*.py")]
        drawing = ("report.drawing.animation.films", "report.drawing.player.pack", *sorted(figures))
        every = (
            Product(
                name="analyse",
                modules=("report.analysis.report",),
                inputs=self._run_files,
                outputs=self.analysed,
                work=self._analyse,
            ),
            Product(
                name="draw",
                modules=("report.drawing.animation.render", *drawing),
                inputs=lambda: [
                    *(place.results, place.numbers, place.tables, *self._run_files()),
                    *(asdict(self._pace()), self.settings().languages, folder / "house.mplstyle"),
                    *(place.templates / language / "words" / "labels.toml" for language in self.settings().languages),
                ],
                outputs=lambda: [place.figures_manifest, place.animations_manifest, *self.drawn()],
                work=self._draw,
            ),
            Product(
                name="facts",
                modules=("report.site.facts.gather", "report.site.recording", "report.site.card"),
                inputs=lambda: [
                    *(place.results, place.numbers, *self._run_files(), place.package / "site/exploratory.csv"),
                    *(place.animations_manifest, place.animations, self.settings().title),
                ],
                outputs=lambda: [place.facts, place.recording, place.card],
                work=self._facts,
            ),
            Product(
                name="pages",
                modules=("report.site.pages", "report.site.article"),
                inputs=self._page_inputs,
                outputs=self.written,
                work=self._pages,
            ),
            self.site(),
        )
        return {stage.name: stage for stage in every}

    def is_fresh(self, stage: Product) -> bool:
        """Tell whether a stage would come to what is there; training runs may have been given up."""
        if stage.name == "train" and not self._is_complete():
            return False
        return super().is_fresh(stage)

    def altered(self, stage: Product) -> list[Path]:
        """Return the files that do not hold what was made; those of a training run its seal knows."""
        return self._with_broken(stage, super().altered(stage))

    def differing(self, stage: Product) -> list[Path]:
        """Return the same, also of a stage that has to be done anew."""
        return self._with_broken(stage, super().differing(stage))

    def _with_broken(self, stage: Product, found: list[Path]) -> list[Path]:
        if stage.name != "train":
            return found
        return [*dict.fromkeys([*found, *runs.broken(self.workspace, self.experiment, self.maker().checksums.of)])]

    def _trained(self) -> list[Path]:
        """Return what tells what was trained: the seal of every training run that is wanted, complete or not."""
        names = runs.keys(self.workspace, self.experiment)
        seals = [path for name in names if (path := self.workspace.run(name) / seal.NAME).is_file()]
        return [*self._run_files(), *seals]

    def is_wanted(self, stage: Product) -> bool:
        """Tell whether a stage that was asked for is done; a training run that was given up is tried again."""
        again = stage.name == "train" and not self._is_complete(giving_up=False)
        return again or super().is_wanted(stage)

    def _recordings(self) -> list[Path]:
        """Return the folders of the training runs that there are, see `runs.recordings`."""
        return self.maker().once(lambda: runs.recordings(self.workspace, self.experiment), "recordings")

    def _is_complete(self, *, giving_up: bool = True) -> bool:
        """Tell whether every training run is there, see `runs.is_complete`."""

        def see() -> bool:
            return runs.is_complete(self.workspace, self.experiment, giving_up=giving_up)

        return self.maker().once(see, "complete", str(giving_up))

    def _run_files(self) -> list[Path]:
        """Return the `run.json` of every training run that there is, and the word on those that there are not."""
        recordings = self._recordings()
        return [*(folder / "run.json" for folder in recordings), self.workspace.study]

    def _study(self) -> "Study":
        """Open the recordings that the experiment asks for, and no others.

        Raises:
            ReportError: when there are none.
        """
        from report.recording.study import Study

        recordings = self._recordings()
        if not recordings or recordings[0] != self.main:
            raise ReportError(
                f'No complete training run of this experiment in {self.workspace.runs}. Run "{command()}" first.'
            )
        return Study.load(recordings)

    def _pace(self) -> "Pace":
        from report.drawing.animation.clips import Pace

        return Pace(**self.experiment.animation.model_dump())

    def settings(self) -> Settings:
        """Return the title, addresses and languages of the site."""
        return Settings(**self.experiment.site.model_dump())

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

    def _analyse(self) -> None:
        from report.analysis.report import analyse

        analyse(self.workspace, self._study(), runs.missing(self.workspace))

    def _draw(self) -> None:
        from report.drawing import scales
        from report.drawing.animation import clips, render
        from report.drawing.figures import draw
        from report.drawing.player import pack

        place, study, pace, maker = self.workspace, self._study(), self._pace(), self.maker()
        planned, languages = draw.plan(place), self.settings().languages
        laws, layers = scales.read(place, study)
        films = clips.plan(study, pace, layers, laws)
        products = [  # what takes longest comes first, so that no process ends long before the others
            *render.products(place, study, films, laws, pace),
            *draw.products(place, planned, languages),
            *pack.products(place, study, layers),
        ]
        with self.console.progress() as progress:
            maker.make(products, progress, side_by_side=True)
        draw.describe(place, planned, languages)
        render.describe(place, study, films, laws, pace)
        pack.describe(place, study, layers, laws, pace)

    def _page_inputs(self) -> list[Any]:
        from report.site import receipt
        from report.site.links import source_lines

        # Not timings.json: that a stage took another time makes no page stale; pages state what they find there.
        place = self.workspace
        made = [place.facts, place.results, place.tables, place.recording, place.card, place.gallery]
        drawn = [place.figures_manifest, place.animations_manifest]
        sources = [place.templates, place.site_src, self.said.decode("utf-8"), place.mkdocs_config]
        quoted = [place.root / "CITATION.cff", place.root / "LICENSE"]
        sealed = [folder / seal.NAME for folder in self._recordings()]
        changing = [asdict(self.settings()), source_lines(place), receipt.commit(home())]
        return [*made, *drawn, *sources, *quoted, *sealed, *changing]

    def _ran(self) -> "Ran":
        from report.site.own import Ran

        about = files.read_json(self.main / "run.json", "about")["about"]
        return Ran(self.said, about, runs.missing(self.workspace))

    def _ran_from(self) -> list[Any]:
        from report.site import receipt

        recordings = self._recordings()
        sealed = [folder / name for folder in recordings for name in (seal.NAME, "run.json")]
        return [self.said.decode("utf-8"), self.workspace.study, receipt.commit(home()), *sealed]

    def _facts(self) -> None:
        from report.site import card, recording
        from report.site.facts import gather

        study = self._study()
        gather.write(self.workspace, study)
        drawn = files.read_json(self.workspace.results, "drawn")["drawn"]
        with self.console.progress() as progress:
            packed = recording.product(self.workspace, study.main, drawn)
            self.maker().make([packed, card.product(self.workspace, self.settings().title)], progress)

    def _pages(self) -> None:
        from report.site import article, pages

        contents = article.contents(self.workspace, self.settings(), self.said)
        pages.write(self.workspace, self.settings(), contents, self.maker().make)
