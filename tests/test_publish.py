"""Publishing puts the built site on a branch of a bare repository on this machine, or says why it does not."""

import subprocess
from pathlib import Path

import pytest

from report.errors import ReportError
from report.site.publish import publish
from report.workspace import Workspace


def git(folder: Path, *arguments: str) -> str:
    """Run git and return what it prints."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Return a workspace in a clone of a bare repository, with a small site."""
    for name, value in {"NAME": "An Author", "EMAIL": "author@example.org"}.items():
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-config"))
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(tmp_path, "clone", "--quiet", "origin.git", "clone")
    root = tmp_path / "clone"
    (root / "source.txt").write_text("source")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "Source")
    place = Workspace(root, root / "build", root / "site")
    (place.site / "assets").mkdir(parents=True)
    (place.site / "index.html").write_text("first")
    (place.site / "assets" / "_style.css").write_text("body {}")
    return place


def published(place: Workspace) -> dict[str, str]:
    """Return the files on the branch of the bare repository."""
    bare = place.root.parent / "origin.git"
    names = git(bare, "ls-tree", "-r", "--name-only", "gh-pages").splitlines()
    return {name: git(bare, "show", f"gh-pages:{name}") for name in names}


def test_the_site_and_nothing_else_is_published(clone):
    """With .nojekyll, or GitHub would leave out what begins with an underscore; the author's branch stays as it was."""
    before = git(clone.root, "rev-parse", "HEAD"), git(clone.root, "symbolic-ref", "HEAD")
    said = []
    publish(clone, is_fresh=lambda: True, say=said.append)
    assert published(clone) == {".nojekyll": "", "assets/_style.css": "body {}", "index.html": "first"}
    assert (git(clone.root, "rev-parse", "HEAD"), git(clone.root, "symbolic-ref", "HEAD")) == before
    assert "gh-pages" in said[0]
    assert "set site.url" in said[1]
    assert git(clone.root, "rev-parse", "--short", "HEAD") in git(clone.root, "log", "-1", "--format=%s", "gh-pages")


def test_a_site_that_knows_its_address_needs_no_advice(clone):
    """One line, which says where it went."""
    said = []
    publish(clone, is_fresh=lambda: True, say=said.append, address="https://someone.example/weights/")
    assert len(said) == 1


def test_a_second_publication_replaces_the_first(clone):
    """What is no longer there disappears; the branch keeps its history, also what another clone has published."""
    publish(clone, is_fresh=lambda: True, say=lambda line: None)
    other = clone.root.parent / "other"
    git(other.parent, "clone", "--quiet", "--branch", "gh-pages", "origin.git", "other")
    (other / "index.html").write_text("from elsewhere")
    git(other, "commit", "--quiet", "-a", "-m", "Elsewhere")
    git(other, "push", "--quiet", "origin", "gh-pages")
    (clone.site / "assets" / "_style.css").unlink()
    (clone.site / "index.html").write_text("second")
    publish(clone, is_fresh=lambda: True, say=lambda line: None)
    assert published(clone) == {".nojekyll": "", "index.html": "second"}
    assert git(clone.root.parent / "origin.git", "rev-list", "--count", "gh-pages") == "3"


def test_without_a_site_nothing_is_published(clone):
    """The message says what to do."""
    (clone.site / "index.html").unlink()
    with pytest.raises(ReportError, match=r'There is no site in .* Run "make report" first'):
        publish(clone, is_fresh=lambda: True, say=print)


def test_without_a_remote_nothing_is_published(clone):
    """The message says how to add one."""
    git(clone.root, "remote", "remove", "origin")
    with pytest.raises(ReportError, match=r'no remote "origin".*git remote add origin'):
        publish(clone, is_fresh=lambda: True, say=print)


def test_a_site_older_than_its_inputs_is_not_published(clone):
    """Readers would see what the sources no longer say."""
    with pytest.raises(ReportError, match=r'older than what it is made from. Run "make report" first'):
        publish(clone, is_fresh=lambda: False, say=print)
    assert git(clone.root.parent / "origin.git", "branch", "--list") == ""


def test_a_remote_that_refuses_is_one_line(clone, capfd):
    """A repository that has moved, or a missing permission."""
    git(clone.root, "remote", "set-url", "origin", str(clone.root.parent / "moved.git"))
    with pytest.raises(ReportError, match=r"refuses to push gh-pages to .*moved\.git"):
        publish(clone, is_fresh=lambda: True, say=print)


def test_an_author_without_a_name_is_asked_for_it(clone, monkeypatch):
    """Git itself would fail with a page of advice."""
    for name in ("COMMITTER_NAME", "COMMITTER_EMAIL", "AUTHOR_NAME", "AUTHOR_EMAIL"):
        monkeypatch.delenv(f"GIT_{name}")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "")
    git(clone.root, "config", "user.useConfigOnly", "true")
    with pytest.raises(ReportError, match=r"set user\.name and user\.email"):
        publish(clone, is_fresh=lambda: True, say=print)
