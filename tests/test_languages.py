"""The built site in two languages: each page within its own, and one link away from itself in the other."""

import json
import re
import shutil
from dataclasses import replace
from urllib.parse import urljoin

import editions
import pytest
from markup import Page
from PIL import Image

from report import files
from report.errors import ReportError
from report.site import card
from report.site import mkdocs as site
from report.workspace import Workspace

ADDRESS = "https://someone.example/weights/"


@pytest.fixture(scope="module")
def bilingual(tmp_path_factory):
    """Return the small site in two languages, built for an address."""
    place = editions.write(tmp_path_factory.mktemp("bilingual"))
    site.build(place, replace(editions.SETTINGS, url=ADDRESS))
    return place


def edition(place: Workspace, name: str) -> tuple[str, Page]:
    """Return a page of the built site, as text and taken apart."""
    text = (place.site / name).read_text(encoding="utf-8")
    return text, Page(text)


@pytest.mark.parametrize(
    ("name", "language", "locale"), [("method.html", "en", "en_US"), ("ja/method.html", "ja", "ja_JP")]
)
def test_a_page_is_in_one_language(bilingual, name, language, locale):
    """Its markup says so, and all words of the theme, of the notice and for scripts are in that language."""
    text, page = edition(bilingual, name)
    assert f'<html lang="{language}"' in text
    assert page.meta["og:locale"] == locale
    assert page.meta["og:locale:alternate"] == {"en": "ja_JP", "ja": "en_US"}[language]
    said = files.read_json(bilingual.site_settings)
    words = said["words"][language]
    assert said["notice"][language] in text
    assert [words["site"][key] for key in ("to_light", "to_dark", "to_system")] == [
        attributes["aria-label"] for attributes in page.inputs if attributes.get("name") == "__palette"
    ]
    assert f'title="{words["site"]["section_link"]}"' in text
    other = said["words"]["en" if language == "ja" else "ja"]["site"]
    assert not [key for key in ("to_light", "to_dark", "to_system", "section_link") if other[key] in text]
    scripts = json.loads(re.search(r'<script type="application/json" id="words">(.*?)</script>', text, re.S)[1])
    assert scripts == {key: words[key] for key in ("film", "enlarge", "access")}
    home, _ = edition(bilingual, name.replace("method", "index"))
    scripts = json.loads(re.search(r'<script type="application/json" id="words">(.*?)</script>', home, re.S)[1])
    assert scripts["player"] == words["player"]


@pytest.mark.parametrize("folder", ["", "ja/"])
def test_the_navigation_stays_within_its_language(bilingual, folder):
    """Sidebar, next page, previous page and the way home; only the switch leads to the other."""
    names = {path.name for path in (bilingual.site / folder).glob("*.html")} - {"404.html"}
    assert names == {"index.html", "method.html"} | ({"reproduce.html"} if not folder else set())
    for name in names:
        _, page = edition(bilingual, folder + name)
        inside = {
            urljoin(folder + name, link).split("#")[0]
            for tag, link, attributes in page.links
            if tag == "a" and "hreflang" not in attributes
        }
        assert inside == {folder + other for other in names}
        order = [each for each in ("index.html", "method.html", "reproduce.html") if each in names]
        place = order.index(name)
        chained = {
            attributes["rel"]: link for tag, link, attributes in page.links if attributes.get("rel") in ("prev", "next")
        }
        around = {
            "prev": order[place - 1] if place else None,
            "next": order[place + 1] if place + 1 < len(order) else None,
        }
        assert chained == {key: value for key, value in around.items() if value}
    text, _ = edition(bilingual, f"{folder}method.html")
    assert ("Article" if not folder else "記事") in text  # what the navigation calls the home page


def test_a_page_leads_to_itself_in_the_other_language(bilingual):
    """By a link that needs no script, and for search engines; a page that is in one language alone says nothing."""
    for name, other in (
        ("method.html", "ja/method.html"),
        ("ja/method.html", "method.html"),
        ("ja/index.html", "index.html"),
    ):
        _, page = edition(bilingual, name)
        switch = [(link, found) for tag, link, found in page.links if tag == "a" and "hreflang" in found]
        assert [urljoin(name, link) for link, _ in switch] == [other]
        assert switch[0][1]["hreflang"] == switch[0][1]["lang"] == ("ja" if other.startswith("ja/") else "en")
        english = other if name.startswith("ja/") else name
        found = {found["hreflang"]: link for tag, link, found in page.links if tag == "link" and "hreflang" in found}
        assert found == {"en": ADDRESS + english, "ja": f"{ADDRESS}ja/{english}", "x-default": ADDRESS + english}
        canonical = [link for tag, link, found in page.links if found.get("rel") == "canonical"]
        assert canonical == [ADDRESS + name]
    text, page = edition(bilingual, "reproduce.html")
    assert not [found for _, _, found in page.links if "hreflang" in found]
    assert "og:locale:alternate" not in text


def test_an_address_that_leads_nowhere_shows_all_languages(bilingual):
    """In the first one's frame; the sitemap names every page of each."""
    text, page = edition(bilingual, "404.html")
    assert '<html lang="en"' in text
    paths = {path.relative_to(bilingual.site).as_posix() for path in bilingual.site.rglob("*.html")} - {"404.html"}
    assert {f"/weights/{path}" for path in paths} <= {link for tag, link, _ in page.links if tag == "a"}
    sitemap = (bilingual.site / "sitemap.xml").read_text(encoding="utf-8")
    assert set(re.findall(r"<loc>([^<]+)</loc>", sitemap)) == {ADDRESS + path for path in paths}


def test_each_language_is_searched_alone(bilingual):
    """Addresses are relative to the home that its pages name, and words are taken apart as the language does."""
    for language, folder in (("en", ""), ("ja", "ja/")):
        index = json.loads((bilingual.site / folder / "search" / "search_index.json").read_text(encoding="utf-8"))
        assert index["config"]["lang"] == [language]
        found = {entry["location"].split("#")[0] for entry in index["docs"]}
        assert found == {path.name for path in (bilingual.site / folder).glob("*.html")} - {"404.html"}
        text, _ = edition(bilingual, f"{folder}method.html")
        base = json.loads(re.search(r'<script id="__config" type="application/json">(.*?)</script>', text)[1])["base"]
        assert urljoin(f"{ADDRESS}{folder}method.html", base) == ADDRESS + folder
    japanese = (bilingual.site / "ja" / "search" / "search_index.json").read_text(encoding="utf-8")
    assert "なぜ重みは" in japanese
    assert "Why a weight" not in japanese


def test_one_language_has_no_switch(tmp_path):
    """Nor any mark of another."""
    place = editions.write(tmp_path)
    shutil.rmtree(place.docs / "ja")
    site.build(place, replace(editions.SETTINGS, languages=("en",), url=ADDRESS))
    text, page = edition(place, "method.html")
    assert not [found for _, _, found in page.links if "hreflang" in found]
    assert "og:locale:alternate" not in text
    assert not (place.site / "ja").exists()


def test_the_first_language_is_at_the_root(tmp_path):
    """Whichever it is."""
    place = editions.write(tmp_path)
    for path in (place.docs / "ja").iterdir():
        path.rename(place.docs / path.name)
    (place.docs / "ja").rmdir()
    (place.docs / "reproduce.md").unlink()
    site.build(place, replace(editions.SETTINGS, languages=("ja",)))
    text, _ = edition(place, "method.html")
    assert '<html lang="ja"' in text
    index = json.loads((place.site / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert index["config"]["lang"] == ["ja"]


def test_the_card_has_the_letters_of_a_japanese_title(tmp_path):
    """A font without them draws the same box for each; a title without spaces is broken into lines all the same."""
    pytest.importorskip("matplotlib_fontja")
    poster = tmp_path / "poster.png"
    Image.new("RGB", (600, 630), "white").save(poster)
    assert card.draw(poster, "動く") != card.draw(poster, "重み")
    assert card.draw(poster, "重みの動きを一歩ずつ") == card.draw(poster, "重みの動き を一歩ずつ")


def test_a_language_that_the_theme_does_not_know_is_named(tmp_path):
    """In one line, not with a traceback."""
    place = editions.write(tmp_path)
    with pytest.raises(ReportError, match=r"partials/languages/la\.html"):
        site.build(place, replace(editions.SETTINGS, languages=("la",)))
