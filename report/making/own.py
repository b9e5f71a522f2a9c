"""The stages of a report on one's own network: from recordings to a site beside them.

The site lies beside the first recording that is named, as `<run>-report`; what is made on the way lies in a hidden
folder beside the site, `.<run>-report.build`. What looks for recordings in a folder finds neither.
"""

import contextlib
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report import files
from report.config.site import checked_title, seen
from report.console import Console
from report.errors import ConfigError, ReportError
from report.making.own_stages import OwnStages
from report.making.pipeline import Pipeline
from report.products import Product
from report.recording import snapshot, study
from report.recording.reader import Recording
from report.site.settings import Settings
from report.workspace import Workspace, sources

if TYPE_CHECKING:
    from report.recording.study import Study

STAGES = ("analyse", "draw", "facts", "pages", "site")
OVERVIEW = ("analyse", "draw", "facts")  # what the overview in a notebook is made of
LOOK_SECONDS = 1.0  # between two looks at whether steps were added
MOST_NAMES = 3  # in a title


def prepare(
    folders: Sequence[Path],
    console: Console,
    *,
    site: Path | None = None,
    build: Path | None = None,
    title: str | None = None,
    language: str = "en",
    dask: str | None = None,
) -> "OwnReport":
    """Return what makes the report on the recordings in `folders`; nothing is made yet.

    Args:
        folders: of recordings, or folders of such folders; at least one.
        console: whom to tell.
        site: where the report goes, if not beside the first folder.
        build: where generated files go, if not beside the site.
        title: of the report, if not the names of the folders.
        language: of its pages.
        dask: address of a Dask scheduler whose workers analyse; None for this machine.

    Raises:
        ReportError: when there is no recording, or a folder to write to is not free.
    """
    if not folders:
        raise ReportError("No recording was given. Name the folder of one, or a folder of recordings.")
    place = place_of(folders, site, build)
    if language not in place.languages:
        raise ConfigError(f"language: found {language!r}; allowed: {', '.join(place.languages)}.")
    try:
        named = title_of(folders) if title is None else checked_title(title)
    except ValueError as error:
        raise ConfigError(f"title: found {title!r}; allowed: {error}.") from error
    settings = Settings(title=named, languages=(language,))
    report = OwnReport(place, folders, settings, console, dask=dask)
    recordings = report.recordings()
    check(place, folders, recordings)
    if not place.results.is_file():
        load(recordings)  # what is refused leaves nothing behind
    return report


def title_of(folders: Sequence[Path]) -> str:
    """Return what a report is called when nobody says it: the names of the folders that were named."""
    names = [seen(each.name) for each in dict.fromkeys(folder.resolve() for folder in folders)]
    return ", ".join([*names[:MOST_NAMES], *("…" for _ in names[MOST_NAMES : MOST_NAMES + 1])])


def place_of(folders: Sequence[Path], site: Path | None = None, build: Path | None = None) -> Workspace:
    """Return where a report on the recordings in `folders` goes, `site` and `build` as far as they are given."""
    first = folders[0].expanduser().resolve()
    site = (site or first.with_name(f"{first.name}-report")).absolute()
    return Workspace(sources(), (build or site.with_name(f".{site.name}.build")).absolute(), site)


def check(workspace: Workspace, folders: Iterable[Path], recordings: Iterable[Path]) -> None:
    """Make sure that neither site nor build folder is, holds or lies in a recording, or belongs to something else.

    Raises:
        ReportError: one line that says which folder to choose anew.
    """
    workspace.check(own=True)
    for option, place in (("--site", workspace.site.resolve()), ("--build", workspace.build.resolve())):
        for recording in (each.resolve() for each in recordings):
            if place.is_relative_to(recording) or recording.is_relative_to(place):
                raise ReportError(
                    f"{option} {place} is, holds or lies in the recording {recording}. Choose another one."
                )
        if place in (each.resolve() for each in folders):
            raise ReportError(f"{option} {place} is the folder of the recordings. Choose another one.")
    build = workspace.build
    if build.exists() and any(build.iterdir()) and not workspace.lock.exists():
        raise ReportError(f"{build} holds something else. Move it, or name another folder with --build.")


def load(recordings: Sequence[Path]) -> "Study":
    """Open recordings.

    Raises:
        ReportError: one line, when one is damaged, or they do not belong together.
    """
    for folder in recordings:
        for name in ("progress.json", "run.json"):
            if not files.read_json(folder / name, default={}):
                raise ReportError(f"{(folder / name).absolute()} is missing or damaged. Record it again.")
    return study.Study.load(recordings)


class OwnReport(Pipeline):
    """Make the report on recordings."""

    offline = True  # nobody serves it

    def __init__(
        self,
        workspace: Workspace,
        folders: Sequence[Path],
        settings: Settings,
        console: Console,
        *,
        dask: str | None = None,
    ) -> None:
        """Keep what is given; nothing is read or run yet.

        Args:
            workspace: where files go.
            folders: of recordings, or folders of such folders.
            settings: the title and the languages of the site.
            console: whom to tell.
            dask: address of a Dask scheduler whose workers analyse; None for this machine.
        """
        super().__init__(workspace, console)
        self.folders, self.dask = folders, dask
        self._settings = settings
        self._snapshots: dict[Path, Path] = {}
        self._signature: list[Any] = []

    def settings(self) -> Settings:
        """Return the title and the languages of the site."""
        return self._settings

    def recordings(self) -> list[Path]:
        """Return the folders of the recordings, as they are now.

        Raises:
            ReportError: when there is none.
        """
        return study.find(self.folders)

    def progress(self) -> str:
        """Return how far the recordings have come, and how they ended: another text when there is more to show.

        What cannot be read at this moment is left out: it is being written.
        """
        found = []
        for folder in self.recordings():
            progress = files.read_json(folder / "progress.json", default={})
            ended = files.read_json(folder / "run.json", default={}).get("ended")
            found.append(f"{folder}: {progress.get('steps')} {ended}\n")
        return "".join(found)

    def make(self, names: Sequence[str] = STAGES) -> None:
        """Do the stages `names` that are stale, with the recordings as they are now.

        Raises:
            ReportError: when there is no recording, one is damaged or without a step, or they do not belong together.
        """
        recordings = self.recordings()
        self._snapshots = snapshot.take(recordings, self.workspace.runs)
        self._signature = snapshot.signature(self._snapshots)
        if not self.is_fresh(self.stages()["analyse"]):
            # Here, so that a message names the recording and not its snapshot.
            for each in load(recordings).recordings:
                if not each.steps:
                    raise ReportError(f"{each.path.absolute()} has no step yet that was kept. Show it when it has one.")
        try:
            self.run(names)
        except ReportError as error:
            text = str(error)
            # The longest first: "run" is the beginning of "run-2".
            for place, recording in sorted(self._snapshots.items(), reverse=True):
                text = text.replace(f"{place}/", f"{recording}/").replace(str(place), str(recording))
            raise ReportError(text) from error

    def stages(self) -> dict[str, Product]:
        """Return all stages, by name."""
        return OwnStages(self, lambda: list(self._snapshots), lambda: self._signature, dask=self.dask).stages()


def watch(report: OwnReport, port: int) -> None:
    """Make the report, show it on localhost until Ctrl-C, and make it anew when steps were added.

    Between two times it rests for as long as the last one took: the training goes on beside it.

    Raises:
        ReportError: as `OwnReport.make` does at first, or when the port is taken.
    """
    from report.site import mkdocs

    signal = report.workspace.build / "steps.txt"  # what the server watches: it changes when the report is to be made
    ended, took, shown = threading.Event(), 0.0, ""

    def make() -> None:
        nonlocal took, shown
        seen, started = report.progress(), time.monotonic()
        report.make()
        took, shown = time.monotonic() - started, seen

    def look() -> None:
        while not ended.wait(max(LOOK_SECONDS, took)):
            with contextlib.suppress(ReportError):  # a recording that is gone is named by who makes the report anew
                if (now := report.progress()) != shown:
                    files.write_text(signal, now)

    _wait_for_steps(report)
    make()
    files.write_text(signal, shown)
    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        note = "steps that are added are shown"
        mkdocs.serve(report.workspace, report.settings(), make, watched=[signal], note=note, port=port)
    finally:
        ended.set()
        looking.join()


def _wait_for_steps(report: OwnReport) -> None:
    """Wait until every recording has a step; a person who watches may be earlier than the training."""
    is_told = False
    while not all(Recording.open(each).steps for each in report.recordings()):
        if not is_told:
            report.console.say("waiting for the first step …")
            is_told = True
        time.sleep(LOOK_SECONDS)
