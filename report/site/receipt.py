"""The receipt of a study: what it was made from, and chained checksums that show whether it comes out again."""

import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from report import files
from report.analysis import results as analysed
from report.recording import chain, seal
from report.workspace import RECEIPT, Workspace, home

NAME = RECEIPT  # at the root of the site
TOLD = ("label", "seed", "versions", "platform")  # of what a run says of itself
KEYS = ("format", "version", "experiment", "data", "main", "runs", "findings")  # that a reader asks for
FORMAT, VERSION = "weights-in-motion/receipt", 1


def packed(workspace: Workspace, experiment: bytes) -> bytes:
    """Return the receipt as its file holds it."""
    return files.compact_json(content(workspace, experiment)).encode("utf-8")


def content(workspace: Workspace, experiment: bytes) -> dict[str, Any]:
    """Return the receipt.

    Args:
        workspace: has results and sealed training runs.
        experiment: the experiment file, as it was run.

    Returns:
        `format`, `version`; `commit` of the sources, with "-dirty" where they were changed since, or null;
        `experiment` {`text`, `sha256`}; `data`, what the main recording says of it, with checksums; `main`, the name of
        the main run; `every`, steps from one link to the next; `runs`, by name: `label`, `seed`, `steps`, `versions`,
        `platform`, `chains` {tensor: {step: SHA-256 up to there}}; `findings`, as in results.json, or [].

    Raises:
        ReportError: when an earlier stage has not run, or a run is damaged.
    """
    results = analysed.read(workspace)
    main = files.read_json(workspace.run(results["main"]) / "run.json", "about")
    names = [name for every in results["study"]["runs"].values() for name in every]
    return {
        "format": FORMAT,
        "version": VERSION,
        "commit": commit(home()),
        "experiment": {"text": experiment.decode("utf-8"), "sha256": hashlib.sha256(experiment).hexdigest()},
        "data": main["about"].get("data", {}),
        "main": results["main"],
        "every": chain.EVERY,
        "runs": {name: _run(workspace.run(name)) for name in names},
        "findings": results.get("findings", []),
    }


def _run(folder: Path) -> Mapping[str, Any]:
    told = files.read_json(folder / "run.json", *TOLD)
    chains = seal.chains(folder)
    return {
        **{name: told[name] for name in TOLD},
        "steps": max(max(links) for links in chains.values()),
        "chains": {name: {str(step): link for step, link in links.items()} for name, links in chains.items()},
    }


def commit(root: Path) -> str | None:
    """Return the commit that is checked out at `root`, with "-dirty" where files that it knows were changed since."""
    try:
        asked = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
        done = subprocess.run(asked, cwd=root, capture_output=True, encoding="utf-8", check=False)
    except OSError:  # no git here
        return None
    return done.stdout.strip() if done.returncode == 0 else None
