"""Publishing puts the built site on a branch of a bare repository on this machine, or says why it does not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from report.errors import ReportError
from report.site import publish as publishing
from report.site.publish import LARGEST, hide_secret, publish
from report.workspace import Workspace


def git(folder: Path, *arguments: str) -> str:
    """Run git and return what it prints."""
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()


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
    git(root, "add", "source.txt")
    git(root, "commit", "--quiet", "-m", "Source")
    place = Workspace(root, root / "build", root / "site")
    (place.site / "assets").mkdir(parents=True)
    (place.site / "index.html").write_text("first")
    (place.site / "assets" / "_style.css").write_text("body {}")
    return place


def published(place: Workspace) -> dict[str, str]:
    """Return the files on the branch of the bare repository."""
    bare = place.root.parent / "origin.git"
    names = git(bare, "ls-tree", "-r", "-z", "--name-only", "gh-pages").split("\0")[:-1]
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
    bare = clone.root.parent / "origin.git"
    assert git(clone.root, "rev-parse", "--short", "HEAD") in git(bare, "log", "-1", "--format=%s", "gh-pages")


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


def test_a_repository_that_has_moved_is_named_by_git(clone):
    """In one line, before anything is made."""
    git(clone.root, "remote", "set-url", "origin", str(clone.root.parent / "moved.git"))
    with pytest.raises(ReportError, match=r"git cannot read origin: .*moved\.git") as refused:
        publish(clone, is_fresh=lambda: True, say=print)
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(os.name == "nt", reason="a hook is a script of a shell")
def test_a_push_that_is_refused_changes_nothing(clone):
    """Such as by a host's rule; in the host's words, without the password in the address."""
    bare = clone.root.parent / "origin.git"
    hook = bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'pages are closed today' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = git(clone.root, "for-each-ref"), (clone.root / ".git" / "index").read_bytes()
    with pytest.raises(ReportError, match=r"refuses to push to .*origin\.git: .*pages are closed today"):
        publish(clone, is_fresh=lambda: True, say=print)
    assert (git(clone.root, "for-each-ref"), (clone.root / ".git" / "index").read_bytes()) == before
    assert git(bare, "branch", "--list") == ""
    assert list((clone.root / ".git").glob("index.*")) == []


def elsewhere(place: Workspace, files: dict[str, str], *, orphan: bool = False) -> None:
    """Commit files to the branch from another clone, as the host's own pages of settings do."""
    other = place.root.parent / "elsewhere"
    shutil.rmtree(other, ignore_errors=True)
    git(place.root.parent, "clone", "--quiet", "origin.git", "elsewhere")
    git(other, "checkout", "--quiet", *(["--orphan"] if orphan else []), "gh-pages")
    for name, text in files.items():
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_text(text)
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "-m", "Create CNAME")
    git(other, "push", "--quiet", "origin", "gh-pages")


@pytest.mark.parametrize("with_history", [True, False])
def test_what_is_the_hosts_stays(clone, with_history):
    """CNAME and the like, through several publications; what was the site's and is gone, goes."""
    publish(clone, is_fresh=lambda: True, say=lambda line: None)
    theirs = {"CNAME": "weights.example", ".well-known/a file": "proof", "ä.txt": "ä"}
    elsewhere(clone, theirs)
    (clone.site / "assets" / "_style.css").unlink()
    for text in ("second", "third"):
        (clone.site / "index.html").write_text(text)
        said: list[str] = []
        publish(clone, is_fresh=lambda: True, say=said.append, address="https://x.example", with_history=with_history)
        assert published(clone) == {".nojekyll": "", "index.html": text, **theirs}
        assert "CNAME" in said[-1]
    count = git(clone.root.parent / "origin.git", "rev-list", "--count", "gh-pages")
    assert count == ("4" if with_history else "1")


def test_a_branch_that_was_there_before_us_is_kept(clone):
    """Somebody put it there; the site lies on top of it."""
    elsewhere(clone, {"CNAME": "weights.example", "index.html": "theirs"}, orphan=True)
    publish(clone, is_fresh=lambda: True, say=lambda line: None)
    assert published(clone)["CNAME"] == "weights.example"
    assert published(clone)["index.html"] == "first"


def test_without_history_nobody_is_overrun(clone, monkeypatch):
    """What another clone publishes between our look and our push is not lost."""
    publish(clone, is_fresh=lambda: True, say=lambda line: None)
    real = publishing._commit

    def slow(*given, **more):
        made = real(*given, **more)
        elsewhere(clone, {"CNAME": "weights.example"})
        return made

    monkeypatch.setattr(publishing, "_commit", slow)
    with pytest.raises(ReportError, match=r"refuses to push.*(stale|rejected)"):
        publish(clone, is_fresh=lambda: True, say=print, with_history=False)
    assert published(clone)["CNAME"] == "weights.example"


def test_bytes_are_published_as_they_are(clone):
    """Whatever a person's git does to the ends of lines."""
    git(clone.root, "config", "core.autocrlf", "true")
    (clone.site / "page.html").write_bytes(b"one\r\ntwo\n")
    publish(clone, is_fresh=lambda: True, say=lambda line: None)
    bare = clone.root.parent / "origin.git"
    shown = subprocess.run(["git", "show", "gh-pages:page.html"], cwd=bare, check=True, capture_output=True)
    assert shown.stdout == b"one\r\ntwo\n"


def test_what_is_ignored_in_the_sources_is_published(clone):
    """A person's .gitignore names site/, and perhaps *.png; build/ and site/ are no changed sources."""
    (clone.root / ".gitignore").write_text("*.css\n")
    git(clone.root, "add", ".gitignore")
    git(clone.root, "commit", "--quiet", "-m", "Ignore")
    (clone.site / ".gitignore").write_text("*\n")
    clone.build.mkdir()
    (clone.build / "results.json").write_text("{}")
    said: list[str] = []
    publish(clone, is_fresh=lambda: True, say=said.append, address="https://x.example")
    assert set(published(clone)) == {".gitignore", ".nojekyll", "assets/_style.css", "index.html"}
    assert len(said) == 1


@pytest.mark.parametrize("name", ["source.txt", "new.txt"])
def test_uncommitted_sources_are_named(clone, name):
    """Nobody looks for the sources of a site in a commit that does not hold them."""
    (clone.root / name).write_text("changed")
    said: list[str] = []
    publish(clone, is_fresh=lambda: True, say=said.append)
    subject = git(clone.root.parent / "origin.git", "log", "-1", "--format=%s", "gh-pages")
    assert subject == f"Site built from {git(clone.root, 'rev-parse', '--short', 'HEAD')}-dirty"
    assert "not all sources are committed" in said[0]


def test_a_file_too_large_for_the_host_is_named_before_anything_happens(clone):
    """The host would say so after the whole push."""
    with (clone.site / "assets" / "film.gif").open("wb") as film:
        film.truncate(LARGEST + 1)
    with pytest.raises(ReportError, match=r"film\.gif: 105 MB.*Nothing is published"):
        publish(clone, is_fresh=lambda: pytest.fail("asked"), say=print)
    assert git(clone.root.parent / "origin.git", "branch", "--list") == ""


def test_no_repository_is_said_by_git(tmp_path):
    """And not that there is no remote."""
    place = Workspace(tmp_path, tmp_path / "build", tmp_path / "site")
    place.site.mkdir()
    (place.site / "index.html").write_text("first")
    with pytest.raises(ReportError, match="git refuses: not a git repository"):
        publish(place, is_fresh=lambda: True, say=print)


def test_an_owner_that_git_doubts_is_said_by_git(clone, monkeypatch):
    """With what git advises, in one line."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(ReportError, match=r"dubious ownership.*safe\.directory") as refused:
        publish(clone, is_fresh=lambda: True, say=print)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:secret@host.example/me/site.git", "https://host.example/me/site.git"),
        ("https://me:se@cret@host.example/site.git", "https://host.example/site.git"),
        ("https://secret@host.example/me/site.git", "https://host.example/me/site.git"),
        ("ssh://git:secret@host.example/me/site.git", "ssh://host.example/me/site.git"),
        ("git@host.example:me/site.git", "git@host.example:me/site.git"),
        ("https://host.example/a@b/site.git", "https://host.example/a@b/site.git"),
        ("C:\\my sites\\#1.git", "C:\\my sites\\#1.git"),
    ],
)
def test_the_password_of_a_remote_is_hidden(address, shown):
    """As git hides it."""
    assert hide_secret(address) == shown


def test_a_secret_in_an_address_is_said_to_nobody(clone):
    """Neither when it goes well nor when it fails."""
    secret = "https://me:hunt@er2@127.0.0.1:1/site.git"
    git(clone.root, "remote", "set-url", "origin", secret)
    with pytest.raises(ReportError, match="127") as refused:
        publish(clone, is_fresh=lambda: True, say=print)
    assert "er2" not in str(refused.value)
    git(clone.root, "config", f"url.{clone.root.parent / 'origin.git'}.insteadOf", secret)
    said: list[str] = []
    publish(clone, is_fresh=lambda: True, say=said.append)
    assert "er2" not in "".join(said)


def test_folders_with_spaces_and_signs(tmp_path, monkeypatch):
    """A remote and a site in folders as people name them."""
    for name, value in {"NAME": "An Author", "EMAIL": "author@example.org"}.items():
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
    root = tmp_path / "my sites #1 ü"
    root.mkdir()
    git(root, "init", "--quiet", "--bare", "origin.git")
    git(root, "clone", "--quiet", "origin.git", "a clone")
    place = Workspace(root / "a clone", root / "a clone" / "my build", root / "a clone" / "#site")
    (place.site / "a folder").mkdir(parents=True)
    for name in ("index.html", "a folder/ü #1.svg"):
        (place.site / name).write_text("first")
    (place.root / "source.txt").write_text("source")
    git(place.root, "add", "source.txt")
    git(place.root, "commit", "--quiet", "-m", "Source")
    said: list[str] = []
    publish(place, is_fresh=lambda: True, say=said.append, address="https://x.example")
    assert published(place) == {".nojekyll": "", "a folder/ü #1.svg": "first", "index.html": "first"}
    assert len(said) == 1


def test_an_author_without_a_name_is_asked_for_it(clone, monkeypatch):
    """Git itself would fail with a page of advice."""
    for name in ("COMMITTER_NAME", "COMMITTER_EMAIL", "AUTHOR_NAME", "AUTHOR_EMAIL"):
        monkeypatch.delenv(f"GIT_{name}")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "")
    git(clone.root, "config", "user.useConfigOnly", "true")
    with pytest.raises(ReportError, match=r"set user\.name and user\.email"):
        publish(clone, is_fresh=lambda: True, say=print)
