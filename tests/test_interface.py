"""What the page's scripts say comes from interface.toml, in every language; none of it stands in a script."""

import re
import string
from pathlib import Path

import pytest
from conftest import ROOT

from report import wording

ASSETS = ROOT / "site_src" / "assets"
TEMPLATES = ROOT / "templates"
LANGUAGES = sorted(path.parent.parent.name for path in TEMPLATES.glob("*/words/interface.toml"))
SCRIPTS = {  # which scripts use a section
    "player": sorted((ASSETS / "player").glob("*.js")),
    "hand": sorted((ASSETS / "hand").glob("*.js")),
    "film": [ASSETS / "gif-player.js"],
    "enlarge": [ASSETS / "enlarge.js"],
    "access": [ASSETS / "access.js"],
}
# A comment, or a string in any of JavaScript's three ways to write one.
PIECE = re.compile(
    r"""/\*.*?\*/|(?<![:'"`])//[^\n]*|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)""", re.S
)
PLACE = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}")
# What has a space and letters, and is read by browsers, not by people.
NOT_SAID = (
    re.compile(r"<(svg|form|div|button|span)\b|<!doctype html>$"),  # HTML without a text
    re.compile(r"wp-[\w -]+"),  # classes
    re.compile(r"[.:\[]|input|select|figcaption strong|gif-player, weight-player|\(prefers-"),  # selectors and queries
    re.compile(r"M\d"),  # an outline
    re.compile(r"(bold |_)*(12)?px _$"),  # a font
    re.compile(r"--wp-plot"),
    re.compile(r"use strict"),
)


def literals(path: Path) -> list[str]:
    """Return the strings of a script without their quotes; of what is filled in, a low line is left."""
    found = (match["string"] for match in PIECE.finditer(path.read_text(encoding="utf-8")))
    return [PLACE.sub("_", text[1:-1]) for text in found if text]


def places(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_english_and_japanese_are_there() -> None:
    """Otherwise the tests below compare nothing."""
    assert LANGUAGES == ["en", "ja"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_things(language: str) -> None:
    """The same sections, keys and places: none is forgotten, and none is filled with nothing."""
    english, other = (wording.read(TEMPLATES, each, "interface") for each in ("en", language))
    assert {name: set(texts) for name, texts in other.items()} == {name: set(texts) for name, texts in english.items()}
    wrong = [
        (section, key)
        for section, texts in other.items()
        for key, text in texts.items()
        if places(text) != places(english[section][key])
    ]
    assert wrong == []


@pytest.mark.parametrize("section", SCRIPTS)
def test_scripts_use_what_there_is(section: str) -> None:
    """Every key is used, and none is asked for that is not there; a number of things has two keys."""
    keys = set(wording.read(TEMPLATES, "en", "interface")[section])
    plain = {re.sub("_(one|other)$", "", key) for key in keys} if section == "player" else keys
    text = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS[section])
    used = set(re.findall(r"""["'](\w+)["']""", text)) | set(re.findall(r"\b(?:TEXTS|texts)\.(\w+)", text))
    assert plain <= used
    asked = set(re.findall(r"""\b(?:say|counted|wrong)\(\s*["'](\w+)["']""", text))
    asked |= set(re.findall(r"""\bsay\([^"'`(),]+\? ["'](\w+)["'] :""", text))
    assert asked <= plain | keys
    for key in keys:
        if key.endswith("_one"):
            assert f"{key.removesuffix('_one')}_other" in keys


@pytest.mark.parametrize("path", sorted(ASSETS.rglob("*.js")), ids=lambda path: path.name)
def test_no_script_has_words_of_its_own(path: Path) -> None:
    """A string with a space and a letter is a selector, a class, an outline or a font."""
    said = [text for text in literals(path) if re.search(r"[A-Za-z]", text) and " " in text.strip()]
    assert [text for text in said if not any(shape.match(text) for shape in NOT_SAID)] == []
    # One word can be a label, too: names of keys and of headers are all that begin with a capital.
    single = [text for text in literals(path) if re.fullmatch(r"[A-Z][a-z]+", text)]
    assert set(single) <= {"Home", "End", "Escape"}
