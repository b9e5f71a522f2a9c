"""Under which name and address, and in which languages, a site is published."""

from dataclasses import dataclass


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
