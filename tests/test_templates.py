"""Templates hold words: they choose a sentence by a fact's name, and never calculate, compare sizes, count or sort."""

import contextlib
import itertools
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from conftest import ROOT
from jinja2 import nodes

from report.site.words import KeepLineEnds

TEMPLATES = ROOT / "templates"
LANGUAGES = sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir())
ENVIRONMENT = jinja2.Environment(extensions=[KeepLineEnds], trim_blocks=True, lstrip_blocks=True)
ENVIRONMENT.filters = dict.fromkeys(
    (
        *("bibtex", "by_layer", "digits", "duration", "e", "file_size", "fixed", "indent", "interval", "join", "lower"),
        *(
            "md",
            "breakable",
            "percent",
            "plural",
            "replace",
            "scientific",
            "series",
            "shape",
            "span",
            "table_lines",
            "thousands",
        ),
        *("fenced", "safe", "tojson", "window"),
    ),
    str,
)
CALCULATIONS = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Neg)
TESTS = {"defined", "none", "undefined"}
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def sources() -> Iterator[tuple[str, str]]:
    """Yield every template by its path, and every text of a file of words by its path, section and key."""
    for path in sorted(TEMPLATES.rglob("*.j2")):
        yield str(path.relative_to(TEMPLATES)), path.read_text(encoding="utf-8")
    for path in sorted(TEMPLATES.rglob("*.toml")):
        for section, texts in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for key, text in texts.items():
                yield f"{path.relative_to(TEMPLATES)} [{section}] {key}", text


def is_word(node: nodes.Node) -> bool:
    """Tell whether a node of a syntax tree is a text."""
    """Tell whether a node is a string that is written out."""
    return isinstance(node, nodes.Const) and isinstance(node.value, str)


def decisions(text: str) -> list[str]:
    """Return what a template does besides choosing by name and writing down."""
    tree = ENVIRONMENT.parse(text)
    found = [type(node).__name__ for node in tree.find_all(CALCULATIONS)]
    for compare in tree.find_all(nodes.Compare):
        for operand in compare.ops:
            words = is_word(operand.expr) or is_word(compare.expr)
            if operand.op not in ("eq", "ne", "in", "notin") or (operand.op in ("eq", "ne") and not words):
                found.append(f"compares by {operand.op}")
    found += ["builds a list" for _ in tree.find_all((nodes.List, nodes.Dict))]
    found += [
        "builds a list"
        for each in tree.find_all(nodes.Tuple)
        if each.ctx == "load" and not all(map(is_word, each.items))
    ]
    found += ["asks the loop" for each in tree.find_all(nodes.Name) if each.name == "loop"]
    found += ["takes a slice" for _ in tree.find_all(nodes.Slice)]
    found += [
        "takes a place"
        for each in tree.find_all(nodes.Getitem)
        if isinstance(each.arg, nodes.Const) and isinstance(each.arg.value, int)
    ]
    found += [f"filters by {each.name}" for each in tree.find_all(nodes.Filter) if each.name not in ENVIRONMENT.filters]
    found += [f"tests by {each.name}" for each in tree.find_all(nodes.Test) if each.name not in TESTS]
    return found


def test_templates_choose_words_and_decide_nothing() -> None:
    """Arithmetic, sizes, counting and sorting belong to tested functions."""
    every = {name: decisions(text) for name, text in sources()}
    assert {name: found for name, found in every.items() if found} == {}


@pytest.mark.parametrize(
    "text",
    [
        "{{ a + 1 }}", "{% if a > 2 %}x{% endif %}", "{% if a == 3 %}x{% endif %}", "{{ a | length }}",
        "{{ a | sort }}", "{% for x in a %}{{ loop.index }}{% endfor %}",
        "{% set b = [] %}", "{{ a[0] }}", "{{ a[:2] }}", "{{ -a }}",
        "{{ a | selectattr('b') }}", "{% if a is odd %}x{% endif %}", "{% if a == b %}x{% endif %}",
    ],
)  # fmt: skip
def test_the_watch_sees_decisions(text: str) -> None:
    """Each of these would be one."""
    with contextlib.suppress(jinja2.TemplateAssertionError):  # a filter or test that is not on the list
        assert decisions(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_article_is_words(language: str) -> None:
    """At most 250 lines, and at most a fifth of its room Jinja's; a character of Japanese takes the room of two."""
    text = (TEMPLATES / language / "index.md.j2").read_text(encoding="utf-8")
    room = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
    assert len(text.splitlines()) <= 250
    assert sum(map(len, JINJA.findall(text))) <= 0.2 * room


def pages(language: str) -> dict[str, str]:
    """Return the templates of a language's pages, of the article and of an own report, by name."""
    paths = sorted((TEMPLATES / language).rglob("*.j2"))
    return {path.relative_to(TEMPLATES / language).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def skeleton(text: str) -> dict[str, object]:
    """Return what two editions of a page share: the facts they name, their figures in order, their anchors in order."""
    tree = ENVIRONMENT.parse(text)
    names = set()
    for node in itertools.chain(tree.find_all(nodes.Getattr), tree.find_all(nodes.Getitem)):
        parts, at = [], node
        while isinstance(at, nodes.Getattr | nodes.Getitem):
            parts.append(at.attr if isinstance(at, nodes.Getattr) else str(getattr(at.arg, "value", "")))
            at = at.node
        names.add(".".join([getattr(at, "name", ""), *reversed(parts)]))
    structure = ("figure", "animation", "player", "claims", "knob", "game")
    calls = [
        (call.node.name, *(arg.value for arg in call.args if isinstance(arg, nodes.Const)))
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in structure
    ]
    return {"facts": names, "figures": calls, "anchors": re.findall(r"\{ #([\w{. }-]+?) \}", text)}


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
@pytest.mark.parametrize("name", sorted(pages("en")))
def test_editions_agree(language: str, name: str) -> None:
    """Every page has the same facts, figures and anchors in each language."""
    other = pages(language)
    assert name in other
    assert skeleton(other[name]) == skeleton(pages("en")[name])


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
@pytest.mark.parametrize("path", sorted((TEMPLATES / "en" / "words").glob("*.toml")), ids=lambda path: path.stem)
def test_words_agree(language: str, path: Path) -> None:
    """Every text has one in each language."""
    keys = []
    for each in ("en", language):
        sections = tomllib.loads((TEMPLATES / each / "words" / path.name).read_text(encoding="utf-8"))
        keys.append({name: sorted(texts) for name, texts in sections.items()})
    assert keys[0] == keys[1]


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_no_english_sentence_is_left(language: str) -> None:
    """Six Latin words in a row are one, outside code, formulas, links and the literature."""
    for name, text in pages(language).items():
        prose = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|<[^>]*>", " ", JINJA.sub(" ", text), flags=re.DOTALL)
        prose = re.sub(r"\[[^\]]*\]|\*[^*\n]*\*|^\|.*\|$", " ", prose, flags=re.MULTILINE)
        assert re.findall(r"(?:\b[A-Za-z][a-z’']+\b[ ,]+){5,}[a-z]+", prose) == [], name
