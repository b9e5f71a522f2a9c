"""Which data an experiment means, and how they come within reach: downloaded, carried along, or made by a function."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from report import files
from report.config import Experiment
from report.errors import ReportError
from report.recording.schema import slug
from report.training import download, images, named, sets
from report.training.images import Images
from report.workspace import Workspace

KEY = "data.name"  # of the experiment file, in messages
SEED = 0  # of what a function draws from torch: no training.seed, for it is called once for all
OWN_ARRAYS, OWN_WORDS = "arrays.npz", "about.json"  # what is kept of a function's data


@dataclass(frozen=True)
class Choice:
    """Say which data an experiment means.

    Attributes:
        name: as `data.name` has it.
        is_sample: the sample stands in for the whole set.
        reason: why it does, where that was not asked for.
        sha256: of the arrays that a function of somebody's own returned; empty for a published set.
    """

    name: str
    is_sample: bool = False
    reason: str = ""
    sha256: str = ""


def choose(workspace: Workspace, experiment: Experiment) -> Choice | None:
    """Return which data an experiment means, as far as that is known without a download.

    None means that it has not been settled yet. What "auto" once came to is kept, so that a run that is complete does
    not become stale with the weather of the network; so is what a function returned, until its file changes.

    Raises:
        ConfigError: when the experiment names a function whose module is not there.
    """
    name, source = experiment.data.name, experiment.data.source
    if experiment.data.is_own:
        about = files.read_json(_own(workspace, name) / OWN_WORDS, default={})
        is_known = about.get("code") == named.digest(name, KEY) and (_own(workspace, name) / OWN_ARRAYS).is_file()
        return Choice(name, sha256=about["sha256"]) if is_known else None
    if source == "sample":
        return Choice(name, is_sample=True)
    may_fall_back = source == "auto" and name == sets.SAMPLED
    if not may_fall_back or all((_raw(workspace, name) / file).is_file() for file in sets.SETS[name].checksums):
        return Choice(name)
    if workspace.data_choice.is_file():
        return Choice(name, is_sample=True, reason=files.read_json(workspace.data_choice, "reason")["reason"])
    return None


def identity(choice: Choice) -> str:
    """Return a name for the bytes of the data that costs nothing to know."""
    if choice.is_sample:
        return sets.sample_identity()
    return f"{choice.name}:" + (choice.sha256 or ",".join(sets.SETS[choice.name].checksums.values()))


def settle(workspace: Workspace, experiment: Experiment, say: Callable[[str], None]) -> Choice:
    """Bring the data that the experiment names within reach, downloading or making them where it must.

    Args:
        workspace: where `build/data` is.
        experiment: what is wanted.
        say: told, in one line each, of a download, a corrupt file, a fall back to the sample.

    Returns:
        What it came to.

    Raises:
        ReportError: when they cannot be had, and no sample may stand in.
    """
    name, source = experiment.data.name, experiment.data.source
    choice = choose(workspace, experiment)
    if experiment.data.is_own:
        return choice or _make(workspace, name)
    where = f"Put the {len(sets.SETS[name].archives)} archives into {_raw(workspace, name)}, or connect to the internet"
    if choice is None or not choice.is_sample:
        try:
            _fetch(workspace, name, say)
            choice = Choice(name)
        except download.UnavailableError as error:
            reason = f"{name} cannot be downloaded: {error}."
            if source != "auto" or name != sets.SAMPLED:
                raise ReportError(f"{reason} {where}; then run the command again.") from error
            # What the author can do about it is no business of the site's readers, nor is a path on this machine.
            choice = Choice(name, is_sample=True, reason=reason)
            files.write_json(workspace.data_choice, {"reason": reason})
    if choice.reason:
        advice = f'{where} and set data.source = "whole"; then run the command again.'
        say(f"WARNING: using {sets.SAMPLE} instead of all 70,000. {choice.reason} {advice}")
    return choice


def read(workspace: Workspace, choice: Choice) -> Images:
    """Read data that are within reach.

    Raises:
        ReportError: when they are damaged.
    """
    if choice.is_sample:
        return sets.read_sample(choice.reason)
    if not choice.sha256:
        return sets.read(choice.name, _raw(workspace, choice.name))
    folder = _own(workspace, choice.name)
    about = files.read_json(folder / OWN_WORDS, *images.WORDS)
    damage = ReportError(f"{folder / OWN_ARRAYS} is damaged. Delete it, and run the command again.")
    with (folder / OWN_ARRAYS).open("rb") as file:  # NumPy would leave a damaged one open
        try:
            stored = np.load(file)
            arrays = {name: stored[name] for name in images.ARRAYS}
        except MemoryError:
            raise
        except Exception as error:  # NumPy has another one for each kind of damage
            raise damage from error
    if images.checksum(arrays.values()) != choice.sha256:
        raise damage
    return Images(choice.name, "other", "", *(about[word] for word in images.WORDS), **arrays)


def _make(workspace: Workspace, name: str) -> Choice:
    """Call the function that returns the data, and keep what it returned: every training run gets the same bytes."""
    code = named.digest(name, KEY)
    found = images.check(named.call(name, KEY, SEED), f"{KEY}: {name}")
    folder = _own(workspace, name)
    arrays = {part: found[part] for part in images.ARRAYS}
    with files.person_readable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{OWN_ARRAYS}"
        np.savez(partial, **arrays)
        files.patiently(lambda: os.replace(partial, folder / OWN_ARRAYS))
    words = {word: found[word] for word in images.WORDS}
    total = images.checksum(arrays.values())
    files.write_json(folder / OWN_WORDS, {**words, "code": code, "sha256": total})
    return Choice(name, sha256=total)


def _own(workspace: Workspace, name: str) -> Path:
    """Return where what a function returned is kept."""
    return workspace.data / f"{slug(name)}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _raw(workspace: Workspace, name: str) -> Path:
    """Return where the archives of a set are: where torchvision looks, too."""
    return workspace.data / name / "raw"


def _mirrors(name: str) -> Sequence[str]:
    """Return the addresses that a set is fetched from; the environment may name others."""
    given = os.environ.get("REPORT_MIRRORS")
    return sets.SETS[name].mirrors if given is None else given.split()


def _fetch(workspace: Workspace, name: str, say: Callable[[str], None]) -> None:
    """Bring the archives of a set into `build/data`, with the right checksums.

    Raises:
        UnavailableError: when no mirror has them.
        ReportError: when the disk refuses.
    """
    raw, known = _raw(workspace, name), sets.SETS[name].checksums
    missing: dict[str, Any] = {}
    for file, checksum in known.items():
        path = raw / file
        if path.is_file():
            with path.open("rb") as content:
                found = hashlib.file_digest(content, "md5").hexdigest()
            if found == checksum:
                continue
            say(f"{path} is corrupt (MD5 {found}, should be {checksum}); fetching it again.")
            path.unlink()
        missing[file] = checksum
    if missing:
        say(f"Downloading {name} ({len(missing)} of {len(known)} archives) …")
        download.fetch(raw, missing, _mirrors(name))
