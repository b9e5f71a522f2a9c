"""What the article's pipeline and that of an own report share: stages that are done when they are stale, by name."""

import abc
import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from report import files
from report.console import Console
from report.making.maker import Maker
from report.products import CODE, Product
from report.site.settings import LIBRARIES, Settings
from report.workspace import DRAWN, Workspace

DOING = {
    "train": "training",
    "analyse": "analysing",
    "draw": "drawing",
    "facts": "gathering facts",
    "pages": "writing pages",
    "site": "building the site",
}
NAMED = 3  # files that are not as they were made, before the others are only counted


class Pipeline(abc.ABC):
    """Hold what all stages need: where files are, and whom to tell.

    What a build with nothing to do never needs is imported where it is used.

    Attributes:
        offline: whether the site opens from the file system, too.
    """

    offline = False

    def __init__(self, workspace: Workspace, console: Console) -> None:
        """Keep what is given, and recall what the code means: keys are asked for before anything is made."""
        self.workspace = workspace
        self.console = console
        CODE.recall(workspace.code)

    @abc.abstractmethod
    def stages(self) -> dict[str, Product]:
        """Return all stages, by name, in the order in which data goes through them."""

    @abc.abstractmethod
    def settings(self) -> Settings:
        """Return the title, addresses and languages of the site."""

    def stale(self) -> list[str]:
        """Return the stages whose inputs have changed since they were last done."""
        return [name for name, stage in self.stages().items() if not self.is_fresh(stage)]

    def run(self, names: Sequence[str]) -> None:
        """Do the stages `names` that are stale, and note how long each took.

        Raises:
            ReportError: as the stages do.
        """
        waiting = iter(names)
        while found := self._next(waiting):
            stage, key = found
            self.console.say(f"{DOING[stage.name]} …")
            started = time.perf_counter()
            stage.work()
            self._note_time(stage.name, time.perf_counter() - started)
            self.maker().record(stage, key)
            CODE.remember(self.workspace.code)
        self.maker().checksums.keep()
        if not self.workspace.code.is_file():
            CODE.remember(self.workspace.code)

    def _next(self, waiting: Iterator[str]) -> tuple[Product, str] | None:
        """Return the next of the stages that are `waiting` which is to be done, and its key; None when there is none.

        The stages are asked for each time: what is trained decides what follows.
        """
        with self.maker().looking():
            stages = self.stages()
            for stage in map(stages.__getitem__, waiting):
                self._remove_altered(stage)
                if self.is_wanted(stage):
                    return stage, self.maker().key(stage)
        return None

    def altered(self, stage: Product) -> list[Path]:
        """Return the files of a stage that do not hold what was made, or that nobody made."""
        return self.maker().altered(stage)

    def differing(self, stage: Product) -> list[Path]:
        """Return the same, also of a stage that has to be done anew."""
        return self.maker().differing(stage)

    def _remove_altered(self, stage: Product) -> None:
        """Name what does not hold what was made, and remove it: it would be taken for what belongs there."""
        found = self.altered(stage)
        for path in found[:NAMED]:
            self.console.say(f"WARNING: {path} does not hold what was made: removed, and made again if it is ours.")
        if found[NAMED:]:
            self.console.say(f"WARNING: and {len(found) - NAMED:,} other files.")
        with files.person_readable(self.workspace.build):
            for path in found:
                path.unlink(missing_ok=True)
        if found:
            self.maker().look_again()

    def check(self) -> list[str]:
        """Read every file again, whatever it looks like; return what is wrong, a line each."""
        maker = self.maker()
        maker.checksums.forget()
        found = []
        for name, stage in self.stages().items():
            altered, lost = self.differing(stage), maker.lost(stage)
            found += [f"{path} does not hold what was made." for path in altered]
            found += [f"{path} is gone." for path in lost]
            if not (altered or lost or self.is_fresh(stage)):
                found.append(f'Not made from what is there now: the stage "{name}".')
        return found

    @functools.cache  # noqa: B019 - a command has one pipeline
    def maker(self) -> Maker:
        """Return what decides whether a product is stale."""
        return Maker(self.workspace.ledger, CODE)

    def is_fresh(self, stage: Product) -> bool:
        """Tell whether a stage would come to what is there."""
        return self.maker().is_fresh(stage)

    def is_wanted(self, stage: Product) -> bool:
        """Tell whether a stage that was asked for is done."""
        return not self.is_fresh(stage)

    def analysed(self) -> list[Path]:
        """Return every file that the analysis writes."""
        place = self.workspace
        folders = (place.numbers, place.tables, place.measures)
        return [place.results, *(path for folder in folders for path in files.below(folder))]

    def drawn(self) -> list[Path]:
        """Return the notes on what is drawn, and every file of it."""
        place = self.workspace
        folders = [*(place.docs / name for name in DRAWN), place.drawn]
        return [path for folder in folders for path in files.below(folder)]

    def written(self) -> list[Path]:
        """Return every file that the pages consist of: all of the folder but what was drawn."""
        docs = self.workspace.docs
        paths = [path for path in files.below(docs) if path.relative_to(docs).parts[0] not in DRAWN]
        return [docs / "index.md", self.workspace.site_settings, *paths]

    def site(self) -> Product:
        """Return the stage that builds the site from the pages."""
        place = self.workspace
        return Product(
            name="site",
            modules=("report.site.mkdocs",),
            inputs=lambda: [
                *(place.docs, place.site_settings, place.mkdocs_config, place.site_src / "overrides"),
                *(place.gallery, asdict(self.settings())),
            ],
            outputs=lambda: [place.site / "index.html", *files.below(place.site)],
            work=self._site,
            libraries=LIBRARIES,
        )

    def _site(self) -> None:
        from report.site import mkdocs

        place, checksums = self.workspace, self.maker().checksums

        def is_same(one: Path, other: Path) -> bool:
            return checksums.of(one) == checksums.of(other)

        taken = mkdocs.build(place, self.settings(), offline=self.offline, is_same=is_same)
        for name, each in taken.items():
            checksums.note(place.site / name, each.seen, checksums.of(each.source))

    def _note_time(self, name: str, seconds: float) -> None:
        noted = files.read_json(self.workspace.timings, default={})
        files.write_json(self.workspace.timings, {**noted, name: round(seconds, 1)})
