"""Files are written whole or not at all, and only when they change."""

import os
from pathlib import Path

import pytest
from conftest import ROOT

from report import errors, files
from report.errors import ReportError
from report.making.alone import alone
from report.workspace import Workspace


def test_an_unchanged_file_is_not_touched(tmp_path: Path) -> None:
    """Its time of change stays, so nothing that depends on it is made again."""
    path = tmp_path / "a" / "file.txt"
    assert files.write_text(path, "one\n")
    os.utime(path, (1, 1))
    assert not files.write_text(path, "one\n")
    assert path.stat().st_mtime == 1
    assert files.write_text(path, "two\n")
    assert path.read_bytes() == b"two\n"


def test_a_failed_write_leaves_the_old_file_and_no_scraps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs the new content, never the old."""
    path = tmp_path / "file.txt"
    files.write_text(path, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ReportError, match=r"Cannot write .*No space left on device\. Free space"):
        files.write_text(path, "new content")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_file_where_a_folder_is_wanted_is_explained(tmp_path: Path) -> None:
    """As when --build names a file."""
    (tmp_path / "build").write_text("a file")
    with pytest.raises(ReportError, match="choose another folder with --build"):
        files.write_text(tmp_path / "build" / "x.json", "{}")


def test_json_is_sorted_and_refuses_what_json_lacks(tmp_path: Path) -> None:
    """Equal values give equal bytes; NaN never reaches a page."""
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    files.write_json(one, {"b": 1, "a": "τ"})
    files.write_json(two, {"a": "τ", "b": 1})
    assert one.read_bytes() == two.read_bytes()
    assert files.read_json(one) == {"a": "τ", "b": 1}
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(one, {"a": float("nan")})


def test_missing_and_damaged_files_say_what_to_do(tmp_path: Path) -> None:
    """Both can happen to a person who deletes or edits below build/."""
    with pytest.raises(ReportError, match='Run "make report" first'):
        files.read_json(tmp_path / "results.json")
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(ReportError, match="is damaged"):
        files.read_json(tmp_path / "results.json")


def test_where_there_is_no_makefile_another_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sources that a wheel carries tell where it runs."""
    monkeypatch.setattr(errors, "RESOURCES", tmp_path)
    with pytest.raises(ReportError, match='Run "weights-in-motion all" first'):
        files.read_json(tmp_path / "results.json")


@pytest.mark.parametrize(
    ("build", "site", "says"),
    [
        ("build", "thesis", "holds something else, which would be lost"),
        ("build", "thesis/chapter.txt", "is a file"),
        ("build", "build", "is or holds the build folder"),
        ("below/build", "below", "is or holds the build folder"),
        ("build", "source", "holds the sources"),
        ("source/..", "site", "holds the sources"),
        ("sphinx", "site", "--build .*sphinx holds something else as docs, which would be lost"),
        ("build", "build/docs/mine", "is among the products"),
        ("thesis/chapter.txt", "site", "is a file"),
        ("build", "own", "holds something else, which would be lost"),
    ],
)
def test_a_site_replaces_nothing_but_a_site(tmp_path: Path, build: str, site: str, says: str) -> None:
    """Its folder is replaced whole: whoever names the wrong one must not lose what is there."""
    (tmp_path / "source").mkdir()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").touch()
    (tmp_path / "sphinx" / "docs" / "html").mkdir(parents=True)
    (tmp_path / "own" / "assets" / "player").mkdir(parents=True)
    (tmp_path / "own" / "tensors.html").touch()
    with pytest.raises(ReportError, match=says):
        Workspace(tmp_path / "source", tmp_path / build, tmp_path / site).check()


@pytest.mark.parametrize("option", ["--build", "--site"])
@pytest.mark.parametrize("name", ["templates", "templates/en/new", "site_src", "report", "report/drawing/new"])
def test_nothing_is_made_among_the_sources(option: str, name: str) -> None:
    """A product among them would be an input of the next build, or be committed."""
    places = {"--build": ROOT / "build", "--site": ROOT / "site", option: ROOT / name}
    with pytest.raises(ReportError, match=rf"^{option} .* is among the sources\. Choose a folder of its own\.$"):
        Workspace(ROOT, places["--build"], places["--site"]).check()


def test_a_site_of_ours_an_empty_folder_and_none_are_replaced(tmp_path: Path) -> None:
    """The preview's lies below its build folder."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "build" / "old" / "assets" / "player").mkdir(parents=True)
    for site in ("empty", "none", "build/old"):
        Workspace(tmp_path / "source", tmp_path / "build", tmp_path / site).check()


def test_a_build_folder_of_ours_and_data_of_a_person_are_taken(tmp_path: Path) -> None:
    """The archives may have been put there before anything was made; a folder that was worked in has its lock."""
    (tmp_path / "build" / "data" / "MNIST" / "raw").mkdir(parents=True)
    place = Workspace(tmp_path / "source", tmp_path / "build", tmp_path / "site")
    place.check()
    place.lock.touch()
    place.runs.mkdir()
    place.check()


def test_a_report_of_ones_own_and_a_study_do_not_replace_each_other(tmp_path: Path) -> None:
    """A study that carries no article has the pages of a report, too: its receipt tells it."""
    (tmp_path / "site" / "assets" / "player").mkdir(parents=True)
    place = Workspace(tmp_path / "source", tmp_path / "build", tmp_path / "site")
    (place.site / "tensors.html").touch()
    place.check(own=True)
    with pytest.raises(ReportError, match="holds something else"):
        place.check()
    (place.site / "receipt.json").touch()
    place.check()
    with pytest.raises(ReportError, match="holds something else"):
        place.check(own=True)


def test_a_build_folder_that_stays_empty_is_not_left(tmp_path: Path) -> None:
    """Nor those above it that were made for it: as after a question, or a mistyped name."""
    place = Workspace(tmp_path / "source", tmp_path / "new" / "build", tmp_path / "site")
    with pytest.raises(KeyError), alone(place):
        raise KeyError
    assert not (tmp_path / "new").exists()
    with alone(place):
        place.ledger.write_text("{}")
    assert place.lock.exists()
    place.ledger.unlink()
    with alone(place):
        pass
    assert place.build.is_dir()
