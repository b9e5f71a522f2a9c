"""Every path that is read or written.

The sources (templates/, site_src/, mkdocs.yml, the experiment files) lie beside the package in a checkout and inside it
in a wheel, where pyproject.toml puts them; `is_checkout` tells which.
"""

from dataclasses import dataclass
from pathlib import Path

from report.errors import ReportError

MARK = Path("assets", "player")  # what every site that was built here has
DRAWN = ("figures", "animations", "player")  # folders of build/docs that are drawn; its other files are pages

_PACKAGE = Path(__file__).resolve().parent
_CARRIED = _PACKAGE / "resources"


def is_checkout() -> bool:
    """Tell whether this package runs from a checkout, editable installations included.

    What a wheel carries decides, not what lies beside the package: that is anybody's after `pip install --target`.
    """
    return not _CARRIED.is_dir()


def sources() -> Path:
    """Return the folder with templates/, site_src/, mkdocs.yml and the experiment files."""
    return _PACKAGE.parent if is_checkout() else _CARRIED


def home() -> Path:
    """Return where build/ and site/ go, and where git works: the checkout, or else the current directory."""
    return _PACKAGE.parent if is_checkout() else Path.cwd()


@dataclass(frozen=True)
class Workspace:
    """Name the places of one experiment: sources below `root`, products below `build` and `site`."""

    root: Path
    build: Path
    site: Path

    def check(self) -> None:
        """Make sure that what is replaced whole, the site, is nobody's but ours.

        Raises:
            ReportError: when the site's folder holds something else, or the places overlap.
        """
        root, build, site = (path.resolve() for path in (self.root, self.build, self.site))
        for place, option in ((build, "--build"), (site, "--site")):
            if place == root or place in root.parents:
                raise ReportError(f"{option} {place} holds the sources. Choose a folder of its own.")
        if site == build or site in build.parents:
            raise ReportError(f"--site {site} is or holds the build folder, {build}. Choose a folder of its own.")
        if site.exists() and not site.is_dir():
            raise ReportError(f"--site {site} is a file. Choose a folder of its own.")
        if site.is_dir() and any(site.iterdir()) and not (site / MARK).is_dir():
            raise ReportError(f"--site {site} holds something else, which would be lost. Choose a folder of its own.")

    @property
    def templates(self) -> Path:
        """Return the folder of the Jinja templates, one folder a language."""
        return self.root / "templates"

    @property
    def languages(self) -> list[str]:
        """Return the languages that there are templates in."""
        return sorted(path.name for path in self.templates.iterdir() if path.is_dir())

    @property
    def site_src(self) -> Path:
        """Return the folder of hand-written site sources."""
        return self.root / "site_src"

    @property
    def package(self) -> Path:
        """Return the folder of this package's source."""
        return _PACKAGE

    @property
    def mkdocs_config(self) -> Path:
        """Return the settings of MkDocs."""
        return self.root / "mkdocs.yml"

    @property
    def data(self) -> Path:
        """Return the folder that holds MNIST."""
        return self.build / "data"

    @property
    def data_choice(self) -> Path:
        """Return the file that remembers what `source = "auto"` came to."""
        return self.data / "choice.json"

    @property
    def runs(self) -> Path:
        """Return the folder of the training runs."""
        return self.build / "runs"

    def run(self, name: str) -> Path:
        """Return the folder of one training run."""
        return self.runs / name

    @property
    def study(self) -> Path:
        """Return the file that says which training runs of the study failed, and why."""
        return self.build / "study.json"

    @property
    def ledger(self) -> Path:
        """Return the file that says which product was made from which inputs."""
        return self.build / "ledger.json"

    @property
    def code(self) -> Path:
        """Return the file that remembers what the package's sources mean."""
        return self.build / "code.json"

    @property
    def timings(self) -> Path:
        """Return the file with the seconds that each stage took when it last did something."""
        return self.build / "timings.json"

    @property
    def measures(self) -> Path:
        """Return the folder with the measures of each training run, kept so that a new run costs only itself."""
        return self.build / "measures"

    @property
    def results(self) -> Path:
        """Return the file with what the recordings say of themselves, and the findings."""
        return self.build / "results.json"

    @property
    def numbers(self) -> Path:
        """Return the folder of the one table of numbers, a file a quantity."""
        return self.build / "numbers"

    @property
    def tables(self) -> Path:
        """Return the folder of CSV tables."""
        return self.build / "tables"

    @property
    def docs(self) -> Path:
        """Return the folder that MkDocs reads."""
        return self.build / "docs"

    @property
    def figures(self) -> Path:
        """Return the folder of drawn figures."""
        return self.docs / "figures"

    @property
    def figures_manifest(self) -> Path:
        """Return the file with titles, captions, alt texts and sizes of the figures."""
        return self.build / "figures.json"

    @property
    def animations(self) -> Path:
        """Return the folder of GIFs and their posters."""
        return self.docs / "animations"

    @property
    def drawn(self) -> Path:
        """Return the folder of notes on what was found while animations and the player's data were made."""
        return self.build / "drawn"

    @property
    def animations_manifest(self) -> Path:
        """Return the file with titles, captions, alt texts and sizes of the animations."""
        return self.build / "animations.json"

    @property
    def site_settings(self) -> Path:
        """Return the file with what the site shows around its pages: the notice above, the picture for links."""
        return self.build / "site.json"
