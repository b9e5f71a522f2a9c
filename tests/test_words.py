"""Each language's words: found by file, section and key, filled with facts, and a mistake is one line."""

import re

import pytest
from conftest import ROOT

from report import wording
from report.errors import ReportError
from report.site.words import Words, join_lines, one_line

WORDING = (ROOT / "templates" / "en" / "words" / "interface.toml").read_text(encoding="utf-8")


def load(tmp_path, text: str) -> Words:
    """Return the words of a language with the captions `text`."""
    folder = tmp_path / "en" / "words"
    folder.mkdir(parents=True)
    (folder / "interface.toml").write_text(WORDING, encoding="utf-8")
    (folder / "figures.toml").write_text(text, encoding="utf-8")
    return Words.load(tmp_path, "en")


def test_a_text_chooses_by_facts_and_writes_numbers_as_its_language_does(tmp_path):
    """On one line, however it is broken in the file; spaces that must not break stay."""
    text = '''
[raster]
caption = """
{{ layers | series }}
{% if has_control %}
beside {{ control }}, in {{ "11-1000" | window(1000) }};
{% endif %}
{{ share | percent(0) }} of {{ count | thousands }}.
"""
'''
    words = load(tmp_path, text)
    facts = {"layers": ["l3", "l4"], "has_control": True, "control": "SGD", "share": 0.25, "count": 48000}
    expected = "l3 and l4 beside SGD, in batches 11–\u20601,000; 25\u202f% of 48,000."
    assert words.fill("figures", "raster", "caption", facts) == expected
    plain = words.fill("figures", "raster", "caption", {**facts, "has_control": False})
    assert plain == "l3 and l4 25\u202f% of 48,000."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[raster]\nalt = 'x'", r'figures\.toml: \[raster\] has no "caption"\.'),
        ("[loss]\ncaption = 'x'", r"figures\.toml: there is no section \[raster\]\."),
        ("[raster]\ncaption = '{{ layer }}'", r"figures\.toml: \[raster\] caption: 'layer' is undefined\."),
        ("[raster]\ncaption = '{% if %}'", r"figures\.toml: \[raster\] caption: Expected an expression"),
        ("[raster]\ncaption = '{{ \"a\" | thousands }}'", r"figures\.toml: \[raster\] caption: "),
        ("[raster]\ncaption = 3", r"figures\.toml: \[raster\] caption is not a text\."),
        ("caption = 'x'", r"figures\.toml: caption stands outside any section\."),
        ("[raster", r"figures\.toml: not valid TOML: "),
    ],
)
def test_a_mistake_is_one_line(tmp_path, text, reason):
    """With the file, the section and the key."""
    with pytest.raises(ReportError, match=reason) as caught:
        load(tmp_path, text).fill("figures", "raster", "caption", {})
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_is_named(tmp_path):
    """Also the one that numbers need."""
    with pytest.raises(ReportError, match=re.escape("findings.toml: there is no such file")):
        load(tmp_path, "").section("findings", "streaks")
    with pytest.raises(ReportError, match=re.escape("interface.toml: there is no such file")):
        Words.load(tmp_path, "ja")


def test_japanese_lines_join_without_a_space():
    """A browser shows a line end as a space, which Japanese does not put between words."""
    assert join_lines("重みは\n動く。\nAdam は") == "重みは動く。\nAdam は"
    assert one_line("\n  重みは、\n  動く。\n  Adam moves\n  it.\n") == "重みは、動く。Adam moves it."


@pytest.mark.parametrize(
    ("language", "name", "given", "text"),
    [
        ("en", "series", [["l3", "l4", "l5"]], "l3, l4 and l5"),
        ("ja", "series", [["l3", "l4", "l5"]], "l3、l4、l5"),
        ("ja", "series", [["l3", "l4"], "or"], "l3またはl4"),
        ("ja", "series", [["l3"]], "l3"),
        ("ja", "window", ["101-1000", 1000], "バッチ101〜\u20601,000"),
        ("ja", "window", ["101-1000", 150], "バッチ101〜\u2060150"),
        ("ja", "window", ["all", 1000], "全1,000バッチ"),
        ("en", "window", ["101-1000", 1000], "batches 101–\u20601,000"),
        ("en", "window", ["101-1000", 150], "batches 101–\u2060150"),
        ("en", "window", ["all", 1000], "all 1,000\u00a0batches"),
        ("en", "window", ["all", 1], "all 1\u00a0batch"),
        ("en", "plural", [1, "batch", "batches"], "1\u00a0batch"),
        ("en", "plural", [3000, "batch", "batches"], "3,000\u00a0batches"),
        ("en", "plural", [5, "seed"], "5\u00a0seeds"),
        ("en", "span", [{"low": 1.9, "high": 2.5}], "1.9 to 2.5"),
        ("en", "span", [{"low": 0.251, "high": 0.254}, 0, "percent"], "25\u202f%"),
        ("ja", "by_layer", [{"l3": 1.9, "l4": 2.1}], "l3で1.9、l4で2.1"),
        ("ja", "duration", [200], "3分20秒"),
        ("en", "duration", [0.44], "0.4\u00a0s"),
        ("en", "duration", [59.7], "1\u00a0min 0\u00a0s"),
        ("en", "file_size", [999], "999\u00a0bytes"),
        ("en", "file_size", [999_500], "1.0\u00a0MB"),
        ("en", "interval", [6.914, 7.022], "[6.91, 7.02]"),
        ("ja", "file_size", [999], "999バイト"),
        ("ja", "file_size", [4_260_000], "4.3\u00a0MB"),
        ("ja", "fixed", [-1234.5, 1], "\N{MINUS SIGN}1,234.5"),
        ("ja", "interval", [6.914, 7.022], "[6.91, 7.02]"),
        ("ja", "interval", [None, 7.0], "–"),
        ("de", "fixed", [-1234.5, 1], "\N{MINUS SIGN}1.234,5"),
        ("de", "interval", [6.914, 7.022], "[6,91, 7,02]"),
    ],
)
def test_quantities_follow_the_language(language, name, given, text):
    """Words around numbers come from its file, marks within them from the Unicode Consortium's data."""
    known = language if language in ("en", "ja") else "en"
    words = wording.read(ROOT / "templates", known, "interface")["wording"]
    assert wording.filters(language, words)[name](*given) == text


def test_a_folder_that_is_no_language_is_named():
    """Before a number is written in it."""
    with pytest.raises(ReportError, match='"klingon" is not the code of a language'):
        wording.filters("klingon", {})
