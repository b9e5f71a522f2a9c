"""Train again what a receipt tells of, and say whether the same comes out: bit by bit, and finding by finding."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from numpy.typing import NDArray

from report import files
from report.config import Experiment
from report.errors import ReportError
from report.recording import chain, seal
from report.recording.reader import Recording
from report.recording.study import Study
from report.site import receipt
from report.training import data, runs
from report.workspace import Below, Workspace, home

SECONDS = 30  # that a site may take to hand out its receipt
PACKED = Path("downloads", "recording.npz")  # of a site: the main recording


@dataclass(frozen=True)
class Again(Workspace):
    """Name the places of a study that is trained once more: the data are those of the first."""

    first: Path

    data = Below("first", "data")


@dataclass(frozen=True)
class Difference:
    """Say where a training run parts from the one that the receipt tells of.

    Attributes:
        tensor: the first that differs.
        after: the last step at which it is the same; −1 where it begins otherwise.
        step: the first at which it is known to differ.
        largest: difference of a weight there; None where the receipt's own weights are not at hand.
    """

    tensor: str
    after: int
    step: int
    largest: float | None = None

    def __str__(self) -> str:
        """Return it as the end of a line."""
        if self.step == 0:
            where = "the initial weights differ"
        elif self.step == self.after + 1:
            where = f"step {self.step:,} is the first that differs"
        else:
            where = f"the first that differs is one of steps {self.after + 1:,} to {self.step:,}"
        much = "" if self.largest is None else f", by at most {self.largest:.3g}"
        return f"{where}, in {self.tensor}{much}"


def verify(
    where: str,
    workspace: Workspace,
    say: Callable[[str], None],
    progress: Callable[[], Any],
    *,
    name: str | None = None,
    steps: int | None = None,
    processes: int | None = None,
    dask: str | None = None,
) -> bool:
    """Train again and compare; return whether the same comes out.

    With all runs to their end that means: every finding. Of fewer runs or steps, or of a study without an article,
    there are no findings; then it means the same bits.

    Args:
        where: a site's folder or address, a folder of products, or a receipt.
        workspace: trains below its `build/verify`, which is removed at the end.
        say: told everything, line by line.
        progress: returns a context that gives what is told of the training.
        name: of the only run to train; None for all.
        steps: to train of each run; None for all.
        processes: see `runs.train`.
        dask: see `runs.train`.

    Raises:
        ReportError: when there is no receipt, it is damaged, or what it tells of cannot be trained here.
    """
    told = read(where, workspace)
    again = Again(workspace.root, workspace.build / "verify", workspace.build / "verify" / "site", workspace.build)
    file = again.build / "experiment.toml"
    experiment = _experiment(told, file, steps)
    wanted = [name] if name else list(told["runs"])
    if unknown := [each for each in wanted if each not in told["runs"]]:
        raise ReportError(f"The receipt has no run {unknown[0]}; it has {', '.join(told['runs'])}.")
    _compare_sources(told, say)
    choice = data.settle(again, experiment, say)
    if (found := data.read(again, choice).sha256) != told["data"].get("sha256"):
        raise ReportError(
            f"The receipt was made from other data, {told['data'].get('title')}: their SHA-256 is "
            f"{told['data'].get('sha256')}, and that of {choice.name} here is {found}."
        )
    files.write_text(file, told["experiment"]["text"])
    with progress() as shown:
        runs.train(again, experiment, file, say, shown, only=wanted, processes=processes, dask=dask)
    mine = {each: Recording.open(again.run(each)) for each in wanted if (again.run(each) / "run.json").is_file()}
    _compare_circumstances(told, mine.values(), say)
    same = [_compare_run(told, each, again, mine.get(each), Path(where), say) for each in wanted]
    say(f"{sum(same):,} of {len(same):,} training runs have the same bits.")
    holds = all(same) if name or steps or not told["findings"] else _compare_findings(told, again, experiment, say)
    shutil.rmtree(again.build, ignore_errors=True)
    return holds


def read(where: str, workspace: Workspace) -> dict[str, Any]:
    """Return a receipt.

    Raises:
        ReportError: when there is none, or it is none.
    """
    if where.startswith(("http://", "https://")):
        address = where if where.endswith(".json") else f"{where.rstrip('/')}/{receipt.NAME}"
        try:
            with urlopen(address, timeout=SECONDS) as answer:
                text = answer.read()
        except (URLError, OSError, ValueError) as error:
            raise ReportError(f"{address} cannot be had ({getattr(error, 'reason', None) or error}).") from error
        path = workspace.build / "verify" / receipt.NAME
        files.write_bytes(path, text)
    else:
        places = [Path(where), Path(where, receipt.NAME), Path(where, "docs", receipt.NAME)]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise ReportError(f"There is no {receipt.NAME} in {where}. Name the folder or the address of a site.")
        path = found
    told: dict[str, Any] = files.read_json(path, *receipt.KEYS)
    if (told["format"], told["version"]) != (receipt.FORMAT, receipt.VERSION):
        raise ReportError(f"{path} is no receipt that this program reads ({told['format']} {told['version']}).")
    try:
        for each in told["runs"].values():
            for links in each["chains"].values():
                {int(step): bytes.fromhex(link) for step, link in links.items()}
            dict(each["versions"])
        str.encode(told["experiment"]["text"])
        dict(told["data"])
        [(each["id"], each["verdict"], list(each["evidence"])) for each in told["findings"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReportError(f"{path} is damaged ({error}). Get it again.") from error
    return told


def _experiment(told: Mapping[str, Any], file: Path, steps: int | None) -> Experiment:
    experiment = Experiment.parse(told["experiment"]["text"].encode("utf-8"), file)
    if told["data"].get("source") == "sample":
        sample = experiment.data.model_copy(update={"source": "sample"})
        experiment = experiment.model_copy(update={"data": sample})
    if steps is None:
        return experiment
    training, study = experiment.training, experiment.study
    fewer = {
        "training": training.model_copy(update={"batches": min(steps, training.batches), "validations": 1}),
        "study": study.model_copy(update={"batches": min(steps, study.batches)}),
    }
    return experiment.model_copy(update=fewer)


def _compare_sources(told: Mapping[str, Any], say: Callable[[str], None]) -> None:
    commit = receipt.commit(home())
    if commit != told.get("commit"):
        say(f"Sources:  the receipt is of commit {told.get('commit')}, these are of {commit}.")


def _compare_circumstances(told: Mapping[str, Any], mine: Iterable[Recording], say: Callable[[str], None]) -> None:
    """Say with what else than the receipt's runs these were trained, which may round otherwise."""
    lines = set()  # of several runs the same is said once
    for recording in mine:
        there = told["runs"][recording.name]
        for title, part in (("Versions:", "versions"), ("Machine: ", "platform")):
            for name, value in getattr(recording.description, part).items():
                if (other := there.get(part, {}).get(name, value)) != value:
                    lines.add(f"{title} the receipt was made with {name} {other}, here is {value}.")
    for line in sorted(lines):
        say(line)


def _compare_run(
    told: Mapping[str, Any],
    name: str,
    again: Workspace,
    mine: Recording | None,
    where: Path,
    say: Callable[[str], None],
) -> bool:
    """Say of one run whether its bits are the same; return that."""
    if mine is None:
        reasons = {each["run"]: each["reason"] for each in runs.missing(again)}
        say(f"{name}: not trained: {reasons.get(name, 'no reason is known')}")
        return False
    found = difference(mine, told["runs"][name]["chains"], lambda tensor: _weights(where, told, name, tensor))
    steps = f"{mine.steps:,} steps of {len(mine.tensors)} tensors"
    say(f"{name}: {'same bits' if found is None else found}{f', {steps}' if found is None else ''}.")
    return found is None


def difference(
    mine: Recording,
    chains: Mapping[str, Mapping[str, str]],
    weights: Callable[[str], NDArray[np.float32] | None],
) -> Difference | None:
    """Return where a recording parts from the chains of a receipt; None where it does not.

    Args:
        mine: the recording.
        chains: {tensor: {step: SHA-256 of all states up to there}}.
        weights: returns the (steps + 1, kept) weights of a tensor that the receipt tells of, or None.
    """
    first: Difference | None = None
    if {*chains} != {*mine.tensors}:
        return Difference(sorted({*chains} ^ {*mine.tensors})[0], -1, 0)
    for name, links in chains.items():
        found, after = chain.links(mine, name), -1
        for step in sorted(found.keys() & {int(each) for each in links}):
            if found[step] != links[str(step)]:
                if first is None or step < first.step:
                    first = Difference(name, after, step)
                break
            after = step
    return first if first is None else _narrow(mine, first, weights(first.tensor))


def _narrow(mine: Recording, found: Difference, theirs: NDArray[np.float32] | None) -> Difference:
    """Return the difference with its step and size, where the weights of both are at hand."""
    if theirs is None or len(theirs) <= found.step or theirs.shape[1] != mine.weights(found.tensor).shape[1]:
        return found
    rows = slice(found.after + 1, found.step + 1)
    apart = mine.weights(found.tensor)[rows].view("<u4") != np.ascontiguousarray(theirs[rows]).view("<u4")
    if not apart.any():
        return found  # what is at hand is not what the receipt tells of
    step = found.after + 1 + int(apart.any(axis=1).argmax())
    largest = np.abs(mine.weights(found.tensor)[step].astype(float) - theirs[step]).max()
    return Difference(found.tensor, step - 1, step, float(largest))


def _weights(where: Path, told: Mapping[str, Any], name: str, tensor: str) -> NDArray[np.float32] | None:
    """Return the weights of a run that lies beside the receipt, (steps + 1, kept); None where it does not."""
    for folder in (where / "runs" / name, where.parent / "runs" / name, where.parent / "build" / "runs" / name):
        if (folder / seal.NAME).is_file():
            return Recording.open(folder).weights(tensor)
    packed = next((place for place in (where / PACKED, where.parent / PACKED) if place.is_file()), None)
    if packed is None or name != told["main"]:
        return None
    with np.load(packed) as arrays:
        key = f"weights_{tensor}"
        return arrays[key].reshape(len(arrays[key]), -1) if key in arrays else None


def _compare_findings(
    told: Mapping[str, Any], again: Workspace, experiment: Experiment, say: Callable[[str], None]
) -> bool:
    """Say of each finding whether it comes out the same; return whether all do."""
    from report.analysis.report import analyse

    say("analysing …")
    analyse(again, Study.load(runs.recordings(again, experiment)), runs.missing(again))
    found = {each["id"]: each for each in files.read_json(again.results)["findings"]}
    same = [_compare_finding(each, found.get(each["id"]), say) for each in told["findings"]]  # each is heard of
    return all(same)


def _compare_finding(told: Mapping[str, Any], found: Mapping[str, Any] | None, say: Callable[[str], None]) -> bool:
    """Say of one finding whether its verdict is the same, and every number within the receipt's interval."""
    if found is None or found["verdict"] != told["verdict"]:
        say(f"Finding {told['id']}: {told['verdict']} in the receipt, {found['verdict'] if found else 'absent'} here.")
        return False
    numbers = list(zip(told["evidence"], found["evidence"], strict=False))
    count, as_told = len(told["evidence"]), f"Finding {told['id']}: {told['verdict']}, as in the receipt"
    if len(found["evidence"]) != count:
        say(f"{as_told}, but it has {count} numbers there and {len(found['evidence'])} here.")
        return False
    outside = [(theirs, mine) for theirs, mine in numbers if not _is_within(theirs, mine)]
    if outside:
        theirs, mine = outside[0]
        interval = f"{theirs['value']} [{theirs['low']}, {theirs['high']}] there"
        say(f"{as_told}, but {len(outside)} of {count} numbers lie outside its intervals.")
        say(f"  The first is {theirs['id']}: {mine['value']} here, {interval}.")
        return False
    say(f"{as_told}; all {count} numbers within its intervals.")
    return True


def _is_within(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> bool:
    """Tell whether a number lies within the receipt's interval; without an interval, whether it is the same."""
    if theirs["id"] != mine["id"] or (theirs["value"] is None) != (mine["value"] is None):
        return False
    if theirs["value"] is None or theirs["value"] == mine["value"]:
        return True
    return theirs["low"] is not None and theirs["low"] <= mine["value"] <= theirs["high"]
