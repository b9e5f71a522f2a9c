"""Under which name and address, and in which languages, a site is published."""

from dataclasses import dataclass

# What pages go through on their way to the site, by the names under which it is installed.
LIBRARIES = ("mkdocs", "mkdocs-material", "markdown", "pymdown-extensions", "pygments")


@dataclass(frozen=True)
class Settings:
    """Name a site.

    Attributes:
        title: above its pages.
        url: where it is published; empty where that is not known.
        repository: address of the repository, for links to the code; empty for none.
        languages: folders of the templates; the pages of the first lie at the site's root, others below their name.
    """

    title: str
    url: str = ""
    repository: str = ""
    languages: tuple[str, ...] = ("en",)

    @property
    def base(self) -> str:
        """Return the address with a slash at its end, for paths to follow; empty where it is not known."""
        return f"{self.url.rstrip('/')}/" if self.url else ""
