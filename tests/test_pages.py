"""The pages say what the results say, name everything that the build holds, and leave nothing of yesterday behind."""

import collections
import csv
import html
import json
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import jinja2
import numpy as np
import pytest
import yaml
from conftest import ROOT, TINY, Build, maker_of, run_report
from PIL import Image

from report import files
from report.errors import ReportError
from report.site import article, pages, recording
from report.site.formula import formula
from report.site.settings import Settings
from report.site.words import KeepLineEnds
from report.workspace import DRAWN, Workspace

VERDICTS = ("supported", "not supported", "mixed", "not tested")
# The format of the player's files is a specification, written by hand.
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.*") if path.name != "_format.md.j2")
LANGUAGES = ("en", "ja")
# Names, not numbers: layers, hashes, headings, places in the literature, years of publications, versions.
NAMES = re.compile(
    r"\b[a-z]+-?\d+(-\d+)*\b|\bAR\(1\)|\blayers? \d( and \d)?|SHA-256|CC BY-SA [\d.]+|arXiv:[\d.]+"
    r"|[(（]?(19|20)\d\d[)）]|Kaplan and Meier 1958|Python 3\.\d+|(32|64)([- ]bits?|ビット)|95\s%( interval|信頼区間)"
    r"|β1|\b[0-9a-f]{40}\b|Rice 1945|CS231n|b?float(16|32)",
    re.I,
)
# What the first article and its program say, and what became of rules in the past: no experiment of ours changes it.
QUOTED = {
    "findings.toml": {"0.5", "0.25", "2", "4"},  # levels of the measure "dwell", a constant of the past, layer 3–4
    "figures.toml": {"100"},  # batches of the start, in Japanese
    "interface.toml": {"100"},  # batches that a key moves by, in Japanese
    "tables.toml": {"255"},
    "method.md.j2": {"0.14255", "16", "2.28", "0.01", "255", "100", "1,000", "0", "1"},
    "findings.md.j2": {"0", "1", "4", "2", "0.99", "85", "95", "10", "14", "26", "2026", "3", "5", "11"},
}


ONES = {"0", "1"}
JAPANESE = {"2", "3", "4", "8", "10"}  # what English writes out: two, a quarter, ten times


def copy_of(build: Build, folder: Path, *, templates: bool = False) -> Workspace:
    """Return a workspace with the tiny build's results and drawings but no pages yet."""
    root = ROOT
    if templates:
        root = folder / "root"
        for name in ("templates", "site_src"):
            shutil.copytree(ROOT / name, root / name)
        shutil.copy(ROOT / "mkdocs.yml", root)
    place = Workspace(root, folder / "build", folder / "site")
    old = build.workspace
    place.docs.mkdir(parents=True)
    for name in DRAWN:
        if (old.docs / name).exists():
            (place.docs / name).symlink_to(old.docs / name)
    for path in (old.results, old.facts, old.figures_manifest, old.animations_manifest, old.timings):
        shutil.copy(path, place.build / path.name)
    (place.docs / "downloads").mkdir()
    shutil.copy(old.docs / "downloads" / "recording.npz", place.docs / "downloads")
    place.card.parent.mkdir()
    shutil.copy(old.card, place.card)
    place.numbers.symlink_to(old.numbers)
    place.tables.symlink_to(old.tables)
    place.runs.symlink_to(old.runs)
    return place


def write(place: Workspace, settings: Settings) -> None:
    """Write the pages of the tiny experiment's article."""
    pages.write(place, settings, article.contents(place, settings, TINY.read_bytes()))


def written(place: Workspace) -> dict[str, bytes]:
    """Return what the pages consist of: path and bytes."""
    paths = [path for path in sorted(place.docs.rglob("*")) if path.relative_to(place.docs).parts[0] not in DRAWN]
    return {path.relative_to(place.docs).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def prose_of(template: str) -> str:
    """Return what a person has typed for readers: no expression, code, address, attribute or front matter."""
    text = re.sub(r"\A---\n.*?\n---\n", "", template, flags=re.S)
    for noise in (
        r"\{#(?!\w).*?#\}(?!\})",
        r"""\{\{(?:"(?:\\.|[^"\\])*"|[^"}]|\}(?!\}))*\}\}""",
        r"\{%.*?%\}",
        r"^```.*?^```",
        r"`[^`\n]*`",
        r"\]\([^)\s]*\)",
        r"<[^>]*>",
        r"&#?\w+;",
        r"\{[:#. ][^}\n]*\}",
        r"^\d+\.(?= )",
    ):
        text = re.sub(noise, " ", text, flags=re.S | re.M)
    return NAMES.sub(" ", text)


def texts_of(path: Path) -> str:
    """Return a template, or the values of a file of words without the places that code fills."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".toml":
        return text
    values = [value for section in tomllib.loads(text).values() for value in section.values()]
    return "\n\n".join(re.sub(r"(?<!\{)\{\w+\}(?!\})", " ", value) for value in values)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_number_is_typed_by_hand(path):
    """A number in prose would stay when the experiment changes; all come from facts."""
    typed = re.findall(r"\d(?:[\d.,]*\d)?", prose_of(texts_of(path)))
    words = ONES if "ja" not in path.parts else ONES | JAPANESE
    assert set(typed) - QUOTED.get(path.name, set()) - words == set()


def test_the_search_for_typed_numbers_finds_them():
    """The test above would pass on anything if its filters were too generous."""
    text = (
        "---\ntitle: Top 10\n---\nLayer l3 has {{ n }} weights, `x = 3`, [see](a1.md) and 95.6 % of 12 images (2017).\n"
    )
    assert re.findall(r"[\d.]*\d", prose_of(text)) == ["95.6", "12"]


@pytest.mark.slow
def test_an_unknown_name_is_an_error_with_its_place(tiny_build, tmp_path):
    """A misspelt key would leave a gap in a sentence that nobody notices."""
    place = copy_of(tiny_build, tmp_path, templates=True)
    template = place.templates / "en" / "method.md.j2"
    text = template.read_text(encoding="utf-8")
    template.write_text(text + "\n{{ run.loss.no_such_number }}\n", encoding="utf-8")
    with pytest.raises(ReportError, match=rf"method\.md\.j2, line {len(text.splitlines()) + 2}.*no_such_number"):
        write(place, tiny_build.settings)
    assert not (place.docs / "method.md").exists()


@pytest.mark.slow
def test_a_slip_in_a_template_is_an_error_with_its_place(tiny_build, tmp_path):
    """An author sees the line, not a traceback."""
    place = copy_of(tiny_build, tmp_path, templates=True)
    template = place.templates / "en" / "method.md.j2"
    template.write_text("---\ntitle: x\n---\n{% if %}\n", encoding="utf-8")
    with pytest.raises(ReportError, match=r"method\.md\.j2, line 4"):
        write(place, tiny_build.settings)


def test_a_missing_language_is_named(tmp_path):
    """The message says which languages there are, before anything runs."""
    path = tmp_path / "french.toml"
    path.write_text(TINY.read_text(encoding="utf-8") + '\n[site]\nlanguages = ["en", "fr"]\n', encoding="utf-8")
    done = run_report("write", "--experiment", str(path), "--build", str(tmp_path / "build"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "site.languages: found 'fr'; allowed: en, ja." in done.stderr


def test_every_page_has_a_title_and_a_description(tiny_build):
    """They are what search engines and link previews show."""
    found = sorted(tiny_build.workspace.docs.glob("*.md"))
    assert found
    for path in found:
        matter = yaml.safe_load(path.read_text(encoding="utf-8").split("---\n")[1])
        assert set(matter) >= {"title", "description"}, path.name
        assert 40 <= len(matter["description"]) <= 250, (path.name, len(matter["description"]))


def test_every_figure_animation_table_and_number_reaches_a_page(tiny_build):
    """What is drawn for nobody would only cost time; a figure twice on a page would be a slip."""
    place = tiny_build.workspace
    texts = {path.name: path.read_text(encoding="utf-8") for path in place.docs.glob("*.md")}
    shown = [name for text in texts.values() for name in re.findall(r'<figure[^>]* id="([^"]+)"', text)]
    wanted = {f"figure-{name}" for name in files.read_json(place.figures_manifest)}
    wanted |= {f"animation-{name}" for name in files.read_json(place.animations_manifest)}
    assert wanted - set(shown) == set()
    for table in place.tables.glob("*.csv"):
        assert f"tables/{table.name}" in texts["reproduce.md"]
        assert (place.docs / "tables" / table.name).read_bytes() == table.read_bytes()
    assert json.loads((place.docs / "downloads/results.json").read_text()) == files.read_json(place.results)
    assert (place.docs / "downloads/experiment.toml").read_bytes() == TINY.read_bytes()


@pytest.mark.slow
def test_the_same_inputs_give_the_same_bytes(tiny_build, tmp_path):
    """And pages written again are not touched, so that nothing after them runs again."""
    place = copy_of(tiny_build, tmp_path)
    write(place, tiny_build.settings)
    first = written(place)
    assert first == written(tiny_build.workspace)
    times = {path: path.stat().st_mtime_ns for path in place.docs.rglob("*.md")}
    write(place, tiny_build.settings)
    assert written(place) == first
    assert {path: path.stat().st_mtime_ns for path in place.docs.rglob("*.md")} == times


def test_what_an_earlier_build_left_is_removed(tiny_build, tmp_path):
    """Pages, tables and scripts that no longer exist would still be published; drawings belong to another stage."""
    place = copy_of(tiny_build, tmp_path)
    for name in ("old.md", "tables/old.csv", "assets/old/old.js"):
        files.write_text(place.docs / name, "old")
    write(place, tiny_build.settings)
    assert not [name for name in written(place) if "old." in name]
    assert not (place.docs / "assets" / "old").exists()
    assert any((place.docs / "animations").iterdir())


@pytest.mark.slow
def test_the_notice_names_the_sample_and_the_reason(tiny_build, tmp_path):
    """In every language; with full MNIST there is none."""
    place = copy_of(tiny_build, tmp_path)
    facts = files.read_json(place.facts)
    facts["study"]["is_sample"] = True
    facts["study"]["data"]["reason"] = "No mirror <answers>."
    files.write_json(place.facts, facts)
    write(place, tiny_build.settings)
    notices = files.read_json(place.site_settings)["notice"]
    assert set(notices) == set(LANGUAGES)
    assert all("No mirror &lt;answers&gt;." in notice for notice in notices.values())
    facts["study"]["is_sample"] = False
    files.write_json(place.facts, facts)
    write(place, tiny_build.settings)
    assert set(files.read_json(place.site_settings)["notice"].values()) == {""}


@pytest.mark.slow
def test_prose_follows_the_verdict(tiny_build, tmp_path):
    """Every verdict turned round: the list, the page of findings and the text change with it, in every language."""
    place = copy_of(tiny_build, tmp_path)
    facts = files.read_json(place.facts)
    told = collections.defaultdict(set)
    said = collections.defaultdict(set)
    for turn in range(3):
        for number, record in enumerate(facts["findings"]["all"]):
            verdict = VERDICTS[(number + turn) % 3]
            facts["verdicts"][record["id"]] = verdict
            for part in ("all", "ours", "theirs"):
                for each in facts["findings"][part]:
                    if each["id"] == record["id"]:
                        each["verdict"] = verdict
        files.write_json(place.facts, facts)
        write(place, tiny_build.settings)
        for language, folder in zip(LANGUAGES, ("", "ja/"), strict=True):
            text = (place.docs / folder / "index.md").read_text(encoding="utf-8")
            listed = re.findall(r'class="claim claim--([a-z-]+)".*?findings\.md#([\w-]+)\)', text)
            assert listed == [(facts["verdicts"][key].replace(" ", "-"), key) for _, key in listed]
            assert len(listed) == len(facts["verdicts"])
            page = (place.docs / folder / "findings.md").read_text(encoding="utf-8")
            for verdict, identity in listed:
                told[language, identity].add(verdict)
                assert f"finding--{verdict}" in page
            said[language].add(re.sub(r"<li.*?</li>", "", text))
    assert all(len(different) == 3 for different in told.values())
    assert all(len(different) == 3 for different in said.values())


def test_editions_show_the_same(tiny_build):
    """The same pages, figures, anchors and numbers in every language: no number is written by hand."""
    docs = tiny_build.workspace.docs
    assert {path.name for path in docs.glob("*.md")} == {path.name for path in (docs / "ja").glob("*.md")}
    for path in sorted(docs.glob("*.md")):
        both = [each.read_text(encoding="utf-8") for each in (path, docs / "ja" / path.name)]
        figures, anchors = (
            [re.findall(pattern, text) for text in both]
            for pattern in (r'<figure[^>]* id="([^"]+)"', r"\{ #([\w-]+)[^}]*\}")
        )
        assert figures[0] == figures[1], path.name
        assert anchors[0] == anchors[1], path.name


def test_code_links_lead_to_the_line_in_the_configured_repository(tiny_build, tmp_path):
    """Without a repository there is no link; with one, every line that is linked to is a definition."""
    assert "](/" not in (tiny_build.workspace.docs / "index.md").read_text(encoding="utf-8")
    settings = replace(tiny_build.settings, repository="https://example.org/owner/repository")
    place = copy_of(tiny_build, tmp_path)
    write(place, settings)
    texts = "".join(path.read_text(encoding="utf-8") for path in place.docs.rglob("*.md"))
    links = re.findall(r"\(https://example\.org/owner/repository/blob/HEAD/([^#)]+)#L(\d+)\)", texts)
    assert len(links) >= len(files.read_json(place.figures_manifest))
    for path, line in links:
        assert 1 <= int(line) <= len((ROOT / path).read_text(encoding="utf-8").splitlines()), (path, line)


@pytest.mark.parametrize(
    ("latex", "tags"),
    [
        (r"\frac{a}{b}", ["mfrac"]),
        (r"\beta_1^k", ["msubsup"]),
        (r"\sqrt{1-\beta^2}", ["msqrt", "msup"]),
        ("a*b_c", ["msub"]),
    ],
)
def test_a_formula_is_mathml_that_markdown_leaves_alone(latex, tags):
    """Stars and underscores of a formula must not become emphasis, also not between two formulas."""
    import markdown

    text = markdown.markdown(f"{formula(latex)} and {formula(latex)}.", extensions=["md_in_html"])
    assert text.count("<math") == text.count("</math>") == 2
    assert all(f"<{tag}" in text for tag in tags)
    assert "<em>" not in text
    assert text.startswith("<p>")


def test_the_printed_example_reads_the_recording(tiny_build):
    """It runs as printed, in the folder of the download, and prints the number that the page states."""
    docs = tiny_build.workspace.docs
    text = (docs / "reproduce.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(import numpy.*?)```", text, re.S)
    assert code is not None
    done = subprocess.run(
        [sys.executable, "-c", code[1]], cwd=docs / "downloads", capture_output=True, text=True, check=True
    )
    with (docs / "tables" / "size.csv").open(encoding="utf-8", newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if (row["layer"], row["window"]) == ("l3", "all")]
    assert float(done.stdout) == pytest.approx(float(row["mean_absolute_update"]), rel=1e-3)


def test_the_downloaded_recording_is_the_run(tiny_build):
    """All weights and gradients of the layers kept whole, bit for bit."""
    main = tiny_build.recording
    with np.load(tiny_build.workspace.docs / "downloads" / "recording.npz") as archive:
        names = [name.removeprefix("weights_") for name in archive.files if name.startswith("weights_")]
        assert names == ["l3", "l4", "l5"]
        for name in names:
            shape = (-1, *main.tensors[name].shape)
            np.testing.assert_array_equal(archive[f"weights_{name}"], main.weights(name).reshape(shape))
            np.testing.assert_array_equal(archive[f"gradients_{name}"], main.gradients(name).reshape(shape))
        assert len(archive["train_loss"]) == main.steps


def test_the_downloaded_recording_holds_nothing_else(tiny_build, tmp_path, monkeypatch):
    """NumPy before 2.2 takes every keyword argument of savez for an array."""
    kept = []
    monkeypatch.setattr(np, "savez_compressed", lambda file, **arrays: kept.extend(arrays))
    recording._pack(tmp_path / "recording.npz", tiny_build.recording, ["l3"])
    assert sorted(kept) == ["gradients_l3", "train_accuracy", "train_loss", "weights_l3"]


def test_the_card_has_the_size_that_link_previews_want(tiny_build):
    """1.91 to 1, and no line of a long title runs into the picture."""
    with Image.open(tiny_build.workspace.docs / "assets" / "card.png") as picture:
        assert picture.size == (1200, 630)


def test_a_line_that_ends_with_a_tag_keeps_its_end():
    """Words must not be glued; lines of nothing but tags leave no empty line, which would end a table."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, extensions=[KeepLineEnds])
    prose = "in {% for n in (1, 2) %}l{{ n }}{% endfor %}\nare zero\n"
    table = "{% for n in (1, 2) %}\n| {{ n }} |\n{% endfor %}\n"
    assert environment.from_string(prose + table + "end").render() == "in l1l2\nare zero\n| 1 |\n| 2 |\nend"


def test_every_table_is_explained(tiny_build):
    """In a line of its own; one a training run says of what it is the same."""
    text = html.unescape((tiny_build.workspace.docs / "reproduce.md").read_text(encoding="utf-8"))
    rows = dict(re.findall(r"^\| \[(\w+)\.csv\][^|]*\| ([^|]*?) *\|$", text, re.M))
    assert set(rows) == {path.stem for path in tiny_build.workspace.tables.glob("*.csv")}
    assert [name for name, what in rows.items() if not what] == []
    assert all(name.removesuffix("_runs") in rows for name in rows)


@pytest.mark.slow
def test_a_page_whose_template_has_not_changed_is_not_filled_again(tiny_build, tmp_path):
    """A template of one page is of that page; words and macros are of all; what is known is of all, too."""
    place = copy_of(tiny_build, tmp_path, templates=True)
    maker, filled = maker_of(place), []

    def make(products):
        filled.append([each.name for each in maker.stale(products)])
        maker.make(products)

    def write_again():
        said = TINY.read_bytes()
        pages.write(place, tiny_build.settings, article.contents(place, tiny_build.settings, said), make)
        return filled[-1]

    every = write_again()
    assert set(every) == {path.relative_to(place.docs).as_posix() for path in place.docs.rglob("*.md")}
    assert write_again() == []
    add_line(place.templates / "ja" / "method.md.j2")
    assert write_again() == ["ja/method.md"]
    assert "added" in (place.docs / "ja" / "method.md").read_text(encoding="utf-8")
    (place.docs / "run.md").write_text("another's", encoding="utf-8")
    assert write_again() == ["run.md"]
    add_line(place.templates / "en" / "words" / "article.toml", "# added")
    assert write_again() == [name for name in every if not name.startswith("ja/")]
    add_line(place.templates / "_macros.md.j2")
    assert write_again() == every
    words = place.templates / "ja" / "words"
    (words / "tables.toml").rename(words / "tablets.toml")
    with pytest.raises(ReportError, match=r"tables\.toml"):
        write_again()
    (words / "tablets.toml").rename(words / "tables.toml")
    facts = files.read_json(place.facts)
    files.write_json(place.facts, facts | {"added": 1})
    assert write_again() == every


def add_line(path: Path, line: str = "added") -> None:
    """Add a line to a file."""
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
