"""The stages of a report on a network, from recordings to pages: those of `show`, and of a study without an article."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.making.pipeline import Pipeline
from report.products import Product
from report.recording import snapshot, study

if TYPE_CHECKING:  # what a build with nothing to do never needs is imported where it is used
    from report.recording.study import Study
    from report.site.own import Ran


@dataclass(frozen=True)
class OwnStages:
    """Say of which recordings a pipeline makes the report.

    Attributes:
        pipeline: whose stages they are.
        folders: returns the folder of each recording.
        signature: returns what tells whether their arrays have changed.
        ran: returns what was run, for the page of downloads; None where the recordings are all that is known.
        quoted: returns the files that `ran` reads.
        dask: address of a Dask scheduler whose workers analyse; None for this machine.
    """

    pipeline: Pipeline
    folders: Callable[[], Sequence[Path]]
    signature: Callable[[], Sequence[Any]]
    ran: Callable[[], "Ran | None"] = lambda: None
    quoted: Callable[[], Sequence[Any]] = lambda: ()
    dask: str | None = None

    def stages(self) -> dict[str, Product]:
        """Return the stages, by name, the one that builds the site among them."""
        pipeline, place = self.pipeline, self.pipeline.workspace
        languages = pipeline.settings().languages
        labels = [place.templates / each / "words" / "labels.toml" for each in languages]
        figures = place.package / "drawing" / "figures"
        made = [place.results, place.numbers, place.tables]
        every = (
            Product(
                name="analyse",
                modules=("report.analysis.own",),
                inputs=lambda: [*self._descriptions(), self.signature()],
                outputs=pipeline.analysed,
                work=self._analyse,
            ),
            Product(
                name="draw",
                modules=("report.drawing.own",),
                inputs=lambda: [
                    *(*made, *self._descriptions(), *labels),
                    *(self.signature(), languages, figures / "house.mplstyle"),
                ],
                outputs=lambda: [place.figures_manifest, *pipeline.drawn()],
                work=self._draw,
            ),
            Product(
                name="facts",
                modules=("report.site.facts.own",),
                inputs=lambda: [
                    *(*made, *self._descriptions(), self.signature()),
                    *(place.figures_manifest, languages, place.templates),
                ],
                outputs=lambda: [place.facts],
                work=self._facts,
            ),
            Product(
                name="pages",
                modules=("report.site.pages", "report.site.own"),
                inputs=lambda: [
                    *(place.facts, place.results, place.tables, place.figures_manifest, *self.quoted()),
                    *(place.templates, place.site_src, place.mkdocs_config, asdict(pipeline.settings())),
                ],
                outputs=pipeline.written,
                work=self._pages,
            ),
            pipeline.site(),
        )
        return {stage.name: stage for stage in every}

    def study(self) -> "Study":
        """Open the recordings."""
        return study.Study.load(self.folders())

    def _descriptions(self) -> list[Path]:
        return [folder / name for folder in self.folders() for name in snapshot.COPIED]

    def _analyse(self) -> None:
        from report.analysis.own import analyse

        analyse(self.pipeline.workspace, self.study(), self.dask)

    def _draw(self) -> None:
        from report.drawing import own

        pipeline = self.pipeline
        with pipeline.console.progress() as progress:
            own.draw(pipeline.workspace, self.study(), pipeline.settings().languages, pipeline.maker(), progress)

    def _facts(self) -> None:
        from report.site.facts import own

        own.write(self.pipeline.workspace, self.study())

    def _pages(self) -> None:
        from report.site import own, pages

        place, settings = self.pipeline.workspace, self.pipeline.settings()
        pages.write(place, settings, own.contents(place, settings, self.ran()), self.pipeline.maker().make)
