"""Every path that is read or written.

The sources (templates/, site_src/, mkdocs.yml, the experiment files) lie beside the package in a checkout and inside it
in a wheel, where pyproject.toml puts them; `errors.is_checkout` tells which.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from report.errors import RESOURCES, ReportError, is_checkout

MARK = Path("assets", "player")  # what every site that was built here has
RECEIPT = "receipt.json"  # what the site of a study has besides
OWN = Path("tensors.html")  # what every report on one's own network has, and an article has not
BROUGHT = ("data", "runs", "study")  # what a person may bring into a new build folder
DRAWN = ("figures", "animations", "player")  # folders of build/docs that are drawn; its other files are pages

_PACKAGE = Path(__file__).resolve().parent


def sources() -> Path:
    """Return the folder with templates/, site_src/, mkdocs.yml and the experiment files."""
    return _PACKAGE.parent if is_checkout() else RESOURCES


def home() -> Path:
    """Return where build/ and site/ go, and where git works: the checkout, or else the current directory."""
    return _PACKAGE.parent if is_checkout() else Path.cwd()


class Below:
    """Name a path below another one of a workspace."""

    def __init__(self, place: str, name: str) -> None:
        """Keep which other one, and the name below it."""
        self.place, self.name = place, name

    def __get__(self, workspace: Any, kind: type) -> Path:
        """Return the path in this workspace."""
        place: Path = getattr(workspace, self.place)
        return place / self.name


@dataclass(frozen=True)
class Workspace:
    """Name the places of one experiment: sources below `root`, products below `build` and `site`."""

    root: Path
    build: Path
    site: Path

    lock = Below("build", ".lock")  # held by the command that works there; a folder without it was not made here
    templates = Below("root", "templates")  # Jinja templates, one folder a language
    site_src = Below("root", "site_src")  # hand-written site sources
    mkdocs_config = Below("root", "mkdocs.yml")
    package: ClassVar = _PACKAGE  # this package's source

    data = Below("build", "data")  # MNIST …
    data_choice = Below("data", "choice.json")  # … or what `source = "auto"` came to instead
    runs = Below("build", "runs")  # a folder a training run
    study = Below("build", "study.json")  # which training runs failed, and why
    ledger = Below("build", "ledger.json")  # which product was made from which inputs
    code = Below("build", "code.json")  # what the package's sources mean
    compiled = Below("build", "compiled")  # templates as Jinja compiled them, pages as Markdown became HTML
    timings = Below("build", "timings.json")  # seconds that each stage took when it last did something
    lacking = Below("build", "lacking.json")  # what the study lacks to carry the article
    measures = Below("build", "measures")  # of each training run, kept so that a new run costs only itself
    results = Below("build", "results.json")  # what the recordings say of themselves, and the findings
    numbers = Below("build", "numbers")  # the one table of numbers, a file a quantity
    tables = Below("build", "tables")  # CSV, for readers
    docs = Below("build", "docs")  # what MkDocs reads
    figures = Below("docs", "figures")
    figures_manifest = Below("build", "figures.json")  # files, sizes, and the facts that words use
    animations = Below("docs", "animations")  # GIFs and their posters
    recording = Below("docs", "downloads/recording.npz")  # the main recording, packed for readers
    card = Below("docs", "assets/card.png")  # what stands for the site where a link to it is shown
    animations_manifest = Below("build", "animations.json")
    drawn = Below("build", "drawn")  # notes on what was found while figures, animations and the player's data were made
    facts = Below("build", "facts.json")  # what pages say, by name
    examples = Below("build", "examples")  # recordings and reports of the programs in examples/
    gallery = Below("examples", "gallery.json")  # what the article's site says of them
    site_settings = Below("build", "site.json")  # what stands around pages: the notice above, the picture for links

    def check(self, *, own: bool = False) -> None:
        """Make sure that what is replaced, the site and products, is nobody's but ours, and that none becomes a source.

        Args:
            own: whether the site is to be a report on recordings that were named, and not that of a study.

        Raises:
            ReportError: when a folder holds something else, or the places overlap.
        """
        root, build, site = (path.resolve() for path in (self.root, self.build, self.site))
        for place, option in ((build, "--build"), (site, "--site")):
            if place == root or place in root.parents:
                raise ReportError(f"{option} {place} holds the sources. Choose a folder of its own.")
            for source in (self.templates, self.site_src, self.package):
                if place.is_relative_to(source.resolve()):
                    raise ReportError(f"{option} {place} is among the sources. Choose a folder of its own.")
        if site == build or site in build.parents:
            raise ReportError(f"--site {site} is or holds the build folder, {build}. Choose a folder of its own.")
        for place, option in ((build, "--build"), (site, "--site")):
            if place.exists() and not place.is_dir():
                raise ReportError(f"{option} {place} is a file. Choose a folder of its own.")
        for name in self.products():
            if site.is_relative_to(build / name):
                raise ReportError(f"--site {site} is among the products in {build}. Choose a folder of its own.")
            if (build / name).exists() and not self.lock.exists():
                raise ReportError(
                    f"--build {build} holds something else as {name}, which would be lost. Choose a folder of its own."
                )
        if site.is_dir() and any(site.iterdir()) and not self._is_ours(site, own):
            raise ReportError(f"--site {site} holds something else, which would be lost. Choose a folder of its own.")

    @staticmethod
    def _is_ours(site: Path, own: bool) -> bool:
        is_studys = (site / RECEIPT).exists() or not (site / OWN).exists()
        return (site / MARK).exists() and is_studys != own

    @classmethod
    def products(cls) -> list[str]:
        """Return the names of what is made in the build folder alone, and by nobody but us."""
        below = {name: each for name, each in vars(cls).items() if isinstance(each, Below) and each.place == "build"}
        return sorted({each.name for name, each in below.items() if name not in ("lock", *BROUGHT)})

    @property
    def languages(self) -> list[str]:
        """Return the languages that there are templates in."""
        return sorted(path.name for path in self.templates.iterdir() if path.is_dir())

    def run(self, name: str) -> Path:
        """Return the folder of one training run."""
        return self.runs / name
