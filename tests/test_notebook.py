"""`report.show` in a notebook: one piece of HTML that needs nothing beside it."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import ROOT, Own
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import report
from report.errors import ReportError


class Elements(HTMLParser):
    """Gather every element, and see whether all are closed in the right order."""

    def __init__(self, text: str) -> None:
        """Read the piece."""
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Note an element."""
        self.found.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in ("br", "img", "hr", "input", "mspace"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Close it."""
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def displayed(own_report: Own, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what a cell of a notebook displays of a copy of the small report, which is fresh there, too."""
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copytree(own_report.recording, folder / "cnn")
    shell = InteractiveShell.instance()
    with capture_output() as captured:
        done = shell.run_cell(f"import report\nreport.show({str(folder / 'cnn')!r})")
    done.raise_error()
    assert done.result is not None
    data, _ = shell.display_formatter.format(done.result)
    assert "python -m report show" in data["text/plain"]
    assert "Traceback" not in captured.stdout
    assert not (folder / "cnn-report").exists()
    return data["text/html"]


@pytest.mark.slow
def test_it_needs_nothing_else(displayed: str) -> None:
    """No script, no file beside it, no other host but where a reader is sent to; every picture is in it."""
    elements = Elements(displayed)
    assert elements.open == []
    tags = {tag for tag, _ in elements.found}
    assert not tags & {"script", "link", "iframe", "object"}
    pictures = [given for tag, given in elements.found if tag == "img"]
    assert pictures
    assert all(re.match(r"data:image/(svg\+xml|png);base64,", given["src"]) for given in pictures)
    assert all(given["alt"] for given in pictures)
    assert all(given["href"].startswith("https://") for _, given in elements.found if "href" in given)
    assert not [given["id"] for _, given in elements.found if "id" in given]
    assert not re.search(r"url\(|@import", displayed)


@pytest.mark.slow
def test_its_styles_hold_within_it(displayed: str) -> None:
    """Every rule begins with the class of the piece."""
    (style,) = re.findall(r"<style>(.*?)</style>", displayed, re.S)
    selectors = [each.strip() for rule in re.findall(r"([^{}]+)\{", style) for each in rule.split(",")]
    assert len(selectors) > 10
    assert all(each.startswith(".wim-overview") for each in selectors)


@pytest.mark.slow
def test_it_says_what_the_overview_says(displayed: str, own_report: Own) -> None:
    """Headings and tables of the page, in the same order."""

    def headings(text: str) -> list[str]:
        return [
            re.sub(r"<[^>]+>|&para;", "", each).strip() for each in re.findall(r"<h[12][^>]*>(.*?)</h[12]>", text, re.S)
        ]

    page = (own_report.workspace.site / "index.html").read_text(encoding="utf-8")
    assert headings(displayed) == headings(page.split("<article")[1])
    assert displayed.count("<table") == page.count("<table")


def test_what_cannot_be_shown_is_one_line(tmp_path: Path) -> None:
    """As on the command line."""
    with pytest.raises(ReportError, match="No recording in"):
        report.show(tmp_path)
    with pytest.raises(ReportError, match="No recording was given"):
        report.show([])


@pytest.mark.slow
def test_a_program_in_a_file_runs_once(own_report: Own, tmp_path: Path) -> None:
    """What draws does so in processes of its own, and none of them begins with the program that trained."""
    shutil.copytree(own_report.recording, tmp_path / "cnn")
    program = tmp_path / "train.py"
    program.write_text(
        f"print('trains')\nimport report\nprint(report.show({str(tmp_path / 'cnn')!r}))\nprint(__file__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[::2] == ["trains", str(program)]
