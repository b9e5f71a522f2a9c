"""The built site goes to the `gh-pages` branch of `origin`, from where GitHub Pages serves it."""

import contextlib
import subprocess
from collections.abc import Callable

import ghp_import

from report.errors import ReportError, command
from report.workspace import Workspace

BRANCH = "gh-pages"
REMOTE = "origin"


def publish(
    workspace: Workspace, *, is_fresh: Callable[[], bool], say: Callable[[str], None], address: str = ""
) -> None:
    """Put the site on the branch as one commit, and push it.

    Args:
        workspace: where the site is; its `root` is a clone of the repository.
        is_fresh: tells whether nothing has changed since the site was built.
        say: told where the site went.
        address: that the site was built for; empty when it was not told.

    Raises:
        ReportError: when there is no site, no remote, or the site is older than its inputs; and when git refuses.
    """
    if not (workspace.site / "index.html").is_file():
        raise ReportError(f'There is no site in {workspace.site}. Run "{command()}" first.')
    remote = _git(workspace, "remote", "get-url", REMOTE)
    if remote is None:
        raise ReportError(f'There is no remote "{REMOTE}" to publish to. Add one: git remote add {REMOTE} ADDRESS.')
    if not is_fresh():
        raise ReportError(f'The site is older than what it is made from. Run "{command()}" first.')
    if _git(workspace, "var", "GIT_COMMITTER_IDENT") is None:
        raise ReportError("git does not know who you are: set user.name and user.email with git config.")
    # What another clone has published since; fails harmlessly as long as there is no such branch.
    _git(workspace, "fetch", "--quiet", REMOTE, f"+{BRANCH}:refs/remotes/{REMOTE}/{BRANCH}")
    commit = _git(workspace, "rev-parse", "--short", "HEAD")
    try:
        with contextlib.chdir(workspace.root):  # ghp-import works in the repository it stands in
            ghp_import.ghp_import(
                str(workspace.site),
                remote=REMOTE,
                branch=BRANCH,
                mesg=f"Site built from {commit}",
                push=True,
                nojekyll=True,  # GitHub must not run its own generator
            )
    except ghp_import.GhpError as error:
        raise ReportError(f"git refuses to publish: {error.message}.") from error
    except subprocess.CalledProcessError as error:
        raise ReportError(f"git refuses to push {BRANCH} to {remote}; its own words stand above.") from error
    say(f"Published to {BRANCH} of {remote}.")
    if not address:
        say(
            "The site does not know its address, which search engines and previews of links ask for: set site.url "
            f'where the experiment is described, run "{command()}" and publish again.'
        )


def _git(workspace: Workspace, *arguments: str) -> str | None:
    """Return the answer of git in the repository, or None when it refuses."""
    done = subprocess.run(["git", *arguments], cwd=workspace.root, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
