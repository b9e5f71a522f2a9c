"""Under which name, address and language a site is published."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Name a site.

    Attributes:
        title: above its pages.
        url: where it is published; empty where that is not known.
        repository: address of the repository, for links to the code; empty for none.
        language: folder of the templates.
    """

    title: str
    url: str = ""
    repository: str = ""
    language: str = "en"
