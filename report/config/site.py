"""The table [site]: a title and addresses that can stand on any page, in any attribute, script or command."""

import ipaddress
import re
import unicodedata
from typing import Annotated
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pydantic import AfterValidator, Field

from report.config.part import Part

ADDRESS = '"" or an address that starts with https://, without a password, "?" or "#"'
TITLE = "a text of up to 200 letters that is not empty, without control characters"
MOST_TITLE = 200  # letters; more fit no card
UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # Unicode's categories of control characters, halves, ends of lines
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # that turn what follows around
PLAIN = "/%:@+,=~"  # what stays of a path, besides letters, digits and "-._": nothing that a page or a shell heeds
HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*\.?")


def checked_title(text: str) -> str:
    """Return `text` without space around it.

    Raises:
        ValueError: when nothing is left, it is too long, or it holds characters that cannot be seen.
    """
    found = text.strip()
    if not found or len(found) > MOST_TITLE or found != seen(found):
        raise ValueError(TITLE)
    return found


def seen(text: str) -> str:
    """Return `text` with a space for each character that cannot be seen."""
    return "".join(" " if unicodedata.category(char) in UNSEEN or char in TURNS else char for char in text)


def checked_address(text: str) -> str:
    """Return an address, taken apart and put together again, so that no part of it can be more than that part.

    Raises:
        ValueError: when it is none, or has more parts than scheme, host, port and path.
    """
    if not text:
        return ""
    if text != seen(text) or re.search(r"\s", text):
        raise ValueError(ADDRESS)
    parts = urlsplit(text)  # raises ValueError, too
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(ADDRESS)
    host = _host(parts.hostname or "")
    port = f":{parts.port}" if parts.port is not None else ""
    path = quote(parts.path, safe=PLAIN)
    if unquote(path) != unquote(parts.path) or "\\" in text:
        raise ValueError(ADDRESS)
    return urlunsplit((parts.scheme, f"{host}{port}", path, "", ""))


def _host(name: str) -> str:
    """Return a host as it is asked for: letters of other scripts as browsers write them."""
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name)}]"
    try:
        asked = name.encode("idna").decode("ascii").lower() if name else ""
    except UnicodeError as error:
        raise ValueError(ADDRESS) from error
    if not HOST.fullmatch(asked):
        raise ValueError(ADDRESS)
    return asked


Address = Annotated[str, AfterValidator(checked_address)]


class Site(Part):
    """Say under which name and address the site is published."""

    title: Annotated[str, AfterValidator(checked_title)] = Field(default="Weights in Motion", description=TITLE)
    url: Address = Field(default="", description=ADDRESS)
    repository: Address = Field(default="", description=ADDRESS)
    languages: tuple[str, ...] = Field(
        default=("en", "ja"), strict=False, min_length=1, description="a list of folders of templates/, each once"
    )
