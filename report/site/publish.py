"""The built site goes to the `gh-pages` branch of `origin`, from where GitHub Pages serves it.

Git's own plumbing makes the commit: the author's branch, index and files stay as they are, and nothing is changed
anywhere before the push has succeeded. What others have put on the branch, such as the host's CNAME, stays there: each
commit of ours names what it kept, so the next one knows which files of the last were the site's.
"""

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from report.errors import ReportError, command
from report.products import kept_files
from report.workspace import Workspace

BRANCH = "gh-pages"
REMOTE = "origin"
LARGEST = 100 * 2**20  # bytes; GitHub takes the whole push and then refuses a larger file
OURS = "Site built from"  # how the message of every commit of ours begins
KEPT = "Kept: "  # how a line of it names a file that is not the site's
SECRET = re.compile(r"(?<=://)[^/\s]*@")  # before the host of an address: a name, a password, a token
AS_IT_IS = ("core.autocrlf=false", "core.attributesFile=", "core.fileMode=false")  # the bytes, on every system
FILE = "100644"  # mode of a plain file

Say = Callable[[str], None]


def publish(
    workspace: Workspace,
    *,
    is_fresh: Callable[[], bool],
    say: Say,
    address: str = "",
    with_history: bool = True,
) -> None:
    """Put the site on the branch as one commit, and push it.

    Args:
        workspace: where the site is; its `root` is a clone of the repository.
        is_fresh: tells whether nothing has changed since the site was built.
        say: told where the site went.
        address: that the site was built for; empty when it was not told.
        with_history: whether the branch keeps the sites before this one; else it is this one commit.

    Raises:
        ReportError: when there is no site, a file of it is too large, or the site is older than its inputs; and when
            git refuses, in git's own words.
    """
    if not (workspace.site / "index.html").is_file():
        raise ReportError(f'There is no site in {workspace.site}. Run "{command()}" first.')
    _refuse_large(workspace.site)
    git = Git(workspace.root)
    git("rev-parse", "--absolute-git-dir")  # says what is wrong with the repository, if anything is
    if REMOTE not in git("remote").splitlines():
        raise ReportError(f'There is no remote "{REMOTE}" to publish to. Add one: git remote add {REMOTE} ADDRESS.')
    remote = hide_secret(git("remote", "get-url", "--push", REMOTE))
    if not is_fresh():
        raise ReportError(f'The site is older than what it is made from. Run "{command()}" first.')
    sources = git("rev-parse", "--short", "HEAD")
    if _is_dirty(git, workspace):
        sources += "-dirty"
        say(f"WARNING: not all sources are committed; the site is published as {sources}.")
    try:
        git("var", "GIT_COMMITTER_IDENT")
    except ReportError as error:
        raise ReportError("git does not know who you are: set user.name and user.email with git config.") from error
    before = _fetch(git)
    kept = _foreign(git, before) if before else {}
    commit, names = _commit(git, workspace, sources, kept, parent=before if with_history else "")
    lease = [] if with_history else [f"--force-with-lease=refs/heads/{BRANCH}:{before}"]
    git("push", "--quiet", *lease, REMOTE, f"{commit}:refs/heads/{BRANCH}", doing=f"refuses to push to {remote}")
    say(f"Published to {BRANCH} of {remote}.")
    if names:
        say(f"Kept what is on {BRANCH} and not the site's: {_listed(names)}.")
    if not address:
        say(
            "The site does not know its address, which search engines and previews of links ask for: set site.url "
            f'where the experiment is described, run "{command()}" and publish again.'
        )


def hide_secret(text: str) -> str:
    """Return `text` without what stands before the host of an address: git hides it, too."""
    return SECRET.sub("", text)


class Git:
    """Run git in one repository."""

    def __init__(self, root: Path) -> None:
        """Keep where it is."""
        self._root = root

    def __call__(
        self,
        *arguments: str,
        doing: str = "refuses",
        given: str | None = None,
        folder: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Return what git answers, without the end of the line.

        Args:
            arguments: of git.
            doing: what it refuses, for the message.
            given: to its standard input.
            folder: where it is run; the repository where none is named.
            variables: of its environment.

        Raises:
            ReportError: one line, in git's own words, when it refuses or is not there.
        """
        try:
            done = subprocess.run(
                ["git", *(part for setting in AS_IT_IS for part in ("-c", setting)), *arguments],
                cwd=folder or self._root,
                env={**os.environ, **(variables or {})},
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",  # a file's name may be any bytes
                check=False,
            )
        except FileNotFoundError as error:
            raise ReportError("There is no command git here; publishing needs it.") from error
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if not line.startswith(("hint:", "To "))]
            words = " ".join(line for line in lines if line).removeprefix("fatal: ") or "it gives no reason"
            raise ReportError(f"git {doing}: {hide_secret(words)}")
        return done.stdout.removesuffix("\n")


def _refuse_large(site: Path) -> None:
    for path in kept_files(site):
        if (size := path.stat().st_size) > LARGEST:
            raise ReportError(
                f"{path}: {size / 1e6:.0f} MB, and GitHub takes no file of more than {LARGEST / 1e6:.0f} MB. "
                "Nothing is published."
            )


def _is_dirty(git: Git, workspace: Workspace) -> bool:
    """Tell whether anything but what is generated differs from the last commit."""
    root = workspace.root.resolve()
    generated = [folder.resolve() for folder in (workspace.build, workspace.site)]
    without = [f":(exclude,literal){path.relative_to(root).as_posix()}" for path in generated if root in path.parents]
    return bool(git("status", "--porcelain", "--", ".", *without))


def _fetch(git: Git) -> str:
    """Return the last commit of the branch, also of what another clone has published; empty where there is none."""
    branch = f"refs/heads/{BRANCH}"
    if not git("ls-remote", REMOTE, branch, doing=f"cannot read {REMOTE}"):
        return ""
    fetched = f"refs/remotes/{REMOTE}/{BRANCH}"
    git("fetch", "--quiet", REMOTE, f"+{branch}:{fetched}", doing=f"cannot read {BRANCH}")
    return git("rev-parse", fetched)


def _foreign(git: Git, before: str) -> dict[str, str]:
    """Return the files on the branch that no publication of ours put there, as names with git's mode and object."""
    now = _tree(git, before)
    last = git("log", "-1", f"--grep=^{OURS}", "--format=%H", before)
    if not last:
        return now
    message = git("log", "-1", "--format=%B", last)
    kept = {line.removeprefix(KEPT) for line in message.splitlines() if line.startswith(KEPT)}
    ours = _tree(git, last).keys() - kept
    return {name: entry for name, entry in now.items() if name not in ours}


def _tree(git: Git, commit: str) -> dict[str, str]:
    """Return a commit's files by name, as "mode,object"."""
    entries = git("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
    described = (entry.split("\t", 1) for entry in entries if entry)
    return {name: f"{about.split()[0]},{about.split()[2]}" for about, name in described}


def _commit(
    git: Git, workspace: Workspace, sources: str, kept: dict[str, str], *, parent: str
) -> tuple[str, list[str]]:
    """Return a new commit of the site with what is kept, and the names of that."""
    with _index(git) as index:
        where = {"GIT_DIR": git("rev-parse", "--absolute-git-dir"), "GIT_INDEX_FILE": str(index)}
        git(
            "add",
            "--all",
            "--force",
            ".",
            folder=workspace.site,
            variables={**where, "GIT_WORK_TREE": str(workspace.site)},
        )
        names = sorted(kept.keys() - set(git("ls-files", "-z", variables=where).split("\0")))
        # GitHub must not run its own generator.
        kept = {".nojekyll": f"{FILE},{git('hash-object', '-w', '--stdin', given='')}", **kept}
        for name in sorted({".nojekyll", *names}):
            git("update-index", "--add", "--cacheinfo", f"{kept[name]},{name}", variables=where)
        tree = git("write-tree", variables=where)
    names = [name for name in names if name != ".nojekyll"]
    message = "\n".join([f"{OURS} {sources}", *(["", *(f"{KEPT}{name}" for name in names)] if names else [])])
    return git("commit-tree", tree, *(["-p", parent] if parent else []), given=f"{message}\n"), names


@contextlib.contextmanager
def _index(git: Git) -> Iterator[Path]:
    """Give the path of an index of our own, beside the author's, which is left alone."""
    path = Path(git("rev-parse", "--absolute-git-dir")) / f"index.publish-{os.getpid()}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _listed(names: list[str], most: int = 5) -> str:
    more = [f"and {len(names) - most:,} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])
