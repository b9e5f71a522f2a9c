"""Every number on the Findings page, found again from the recordings alone: NumPy, files, and nothing of this package.

As a script it checks a build: `python tests/test_independent_findings.py build`.
"""

import csv
import itertools
import json
import math
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Key = tuple[str, str, str | None, str | None]  # finding, evidence, layer, optimizer
Found = dict[Key, dict[str, float | None]]
UNITS = {"opacity": "opacity", "absolute": "mean |Δ|", "relative": "‖Δ‖/‖w‖"}


class Run:
    """Read one training run: as its files lie on the disk."""

    def __init__(self, folder: Path) -> None:
        """Read what the run was."""
        self.folder = folder
        self.meta = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        self.seed, self.name = self.meta["seed"], self.meta["label"]
        self.optimizer = self.meta["groups"][0]["optimizer"]
        first = json.loads((folder / "events.jsonl").read_text(encoding="utf-8").splitlines()[0])
        self.settings = first["set"]
        self.is_main = (folder / "attached.npz").is_file()  # pictures for the article are kept with the main run only
        self.files = {tensor["name"]: number for number, tensor in enumerate(self.meta["tensors"])}
        self.shapes = {tensor["name"]: tensor["shape"] for tensor in self.meta["tensors"]}
        self.whole = [tensor["name"] for tensor in self.meta["tensors"] if tensor["kept"] == "whole"]
        self.steps = json.loads((folder / "progress.json").read_text(encoding="utf-8"))["steps"]

    @property
    def memory(self) -> float:
        """Return how much of the last direction the next update keeps."""
        return float(self.settings["betas"][0] if "betas" in self.settings else self.settings.get("momentum", 0))

    def weights(self, layer: str, batches: int) -> np.ndarray:
        """Return (batches + 1, n) float32."""
        return np.load(self.folder / f"weights-{self.files[layer]}.npy")[: batches + 1]

    def last(self, series: str) -> float:
        """Return the last number of a series."""
        values = np.load(self.folder / f"series-{self.meta['series'].index(series)}.npy")
        return float(values[~np.isnan(values)][-1])


def updates(weights: np.ndarray) -> np.ndarray:
    """Return (batches, n), the difference of neighbouring states, as float32 holds it."""
    return (weights[1:] - weights[:-1]).astype(np.float64)


def mean_run(change: np.ndarray) -> float | None:
    """Return pairs over flips."""
    before, after = change[:-1], change[1:]
    pairs = ((before != 0) & (after != 0)).sum()
    flips = ((before > 0) & (after < 0)).sum() + ((before < 0) & (after > 0)).sum()
    return float(pairs / flips) if flips else None


def law(change: np.ndarray, smallest: int) -> tuple[float, float, float]:
    """Return mean, τ and the share of updates that reach τ, by sorting everything."""
    mean = float(change.mean())
    sizes = np.sort(np.abs(change - mean).ravel())[::-1]
    rank = int(smallest * 0.0001 * math.sqrt(sizes.size / smallest))
    return mean, float(sizes[rank]), (rank + 1) / sizes.size


def dwell(change: np.ndarray, first: int, last: int, share: float, smallest: int) -> float | None:
    """Return the mean length of spells that begin in batches first … last (from 0, last excluded)."""
    mean, threshold, _ = law(change, smallest)
    lengths = []
    for series in (change - mean).T:
        signs = [math.copysign(1, v) if abs(v) >= share * threshold and v != 0 else 0 for v in series.tolist()]
        batch = 0
        for sign, group in itertools.groupby(signs):
            length = len(list(group))
            if sign and first <= batch < last:
                lengths.append(length)
            batch += length
    return float(np.mean(lengths)) if lengths else None


def chance_dwell(beta: float, tail: float, share: float) -> float:
    """Return how long a Gaussian AR(1) series stays beyond a level, by integrating its density on a grid."""
    x = np.linspace(0, 9, 200_001)
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    above = np.cumsum(density[::-1])[::-1] * (x[1] - x[0])  # P(X > x)
    level = share * float(np.interp(-tail / 2, -above, x))
    inside = x[x >= level]
    weight = np.exp(-(inside**2) / 2)
    below = [0.5 * math.erfc((beta * v - level) / math.sqrt(2 * (1 - beta**2))) for v in inside[::50]]
    leaves = np.interp(inside, inside[::50], below)
    return float(weight.sum() / (weight * leaves).sum())


def sizes(weights: np.ndarray, smallest: int, rows: slice) -> dict[str, float]:
    """Return the size of a layer's updates in three units, within some batches."""
    change = updates(weights)
    mean, threshold, _ = law(change, smallest)
    opacity = np.minimum(((change - mean) / threshold) ** 2, 1)
    norms = np.linalg.norm(weights[:-1].astype(np.float64), axis=1)
    return {
        "opacity": float(opacity[rows].mean()),
        "absolute": float(np.abs(change[rows]).mean()),
        "relative": float((np.linalg.norm(change, axis=1) / norms)[rows].mean()),
    }


def interval(values: list[float]) -> dict[str, float | None]:
    """Return mean and bootstrap interval, by listing every ordered resample; up to six values."""
    if not values:
        return {"value": None, "low": None, "high": None, "n": 0}
    mean = float(np.mean(values))
    if len(values) < 2:
        return {"value": mean, "low": None, "high": None, "n": 1}
    means = np.sort([math.fsum(each) / len(values) for each in itertools.product(values, repeat=len(values))])
    ends = [means[max(math.ceil(share * len(means) - 1e-9) - 1, 0)] for share in (0.025, 0.975)]
    return {"value": mean, "low": float(ends[0]), "high": float(ends[1]), "n": len(values)}


def geometric(ratios: list[float]) -> dict[str, float | None]:
    """Return the same of a geometric mean."""
    found = interval([math.log(min(max(ratio, 0.001), 1000)) for ratio in ratios])
    return {name: v if name == "n" or v is None else math.exp(v) for name, v in found.items()}


def evidence(runs_folder: Path) -> Found:
    """Return every number of every finding."""
    runs = [Run(path.parent) for path in sorted(runs_folder.glob("*/run.json"))]
    main = next(run for run in runs if run.is_main)
    batches = min(run.steps for run in runs)
    late = slice(100, batches) if batches >= 200 else slice(0, batches)
    by_optimizer: dict[str, list[Run]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.seed):
        by_optimizer[run.name].append(run)
    own = by_optimizer[main.name]
    layers = main.whole
    smallest = min(math.prod(main.shapes[layer]) for layer in layers) * batches
    found: Found = {}
    for layer in layers:
        lengths: dict[str, dict[int, float | None]] = {}
        for name, group in by_optimizer.items():
            lengths[name] = {run.seed: mean_run(updates(run.weights(layer, batches))[late]) for run in group}
            numbers = interval([v for v in lengths[name].values() if v is not None])
            numbers["predicted"] = math.pi / math.acos(group[0].memory)
            found["momentum", "mean same-sign run", layer, name] = numbers
            if name == main.name:
                found["persistence", "mean same-sign run", layer, name] = numbers
        changes = [updates(run.weights(layer, batches)) for run in own]
        for share in (1.0, 0.5, 0.25):
            spells = [dwell(change, late.start, late.stop, share, smallest) for change in changes]
            numbers = interval([v for v in spells if v is not None])
            numbers["predicted"] = chance_dwell(main.memory, law(changes[0], smallest)[2], share)
            found["persistence", f"dwell at or above {share:g} τ", layer, main.name] = numbers
        family = sorted({(run.memory, run.name) for run in runs if run.optimizer == main.optimizer})
        steps = list(itertools.pairwise(family)) if len(family) > 2 else []
        sgd = sorted({(run.memory, run.name) for run in runs if run.optimizer == "SGD"})
        steps += [(sgd[0], sgd[-1])] if len(sgd) > 1 and sgd[0][0] == 0 else []
        for (less, lower), (more, upper) in steps:
            both = [(lengths[upper][seed], lengths[lower].get(seed)) for seed in sorted(lengths[upper])]
            numbers = interval([a - b for a, b in both if a is not None and b is not None])
            numbers["predicted"] = math.pi / math.acos(more) - math.pi / math.acos(less)
            found["momentum", "longer mean run", layer, f"{upper}, against {lower}"] = numbers
    if len(layers) == 3:
        first, middle, last = layers
        early = slice(0, min(100, batches))
        before = {n: [sizes(run.weights(n, batches), smallest, early) for run in own] for n in layers}
        after = {n: [sizes(run.weights(n, batches), smallest, late) for run in own] for n in layers}
        for unit, words in UNITS.items():
            seeds = range(len(own))
            quiet = [before[middle][s][unit] / min(before[first][s][unit], before[last][s][unit]) for s in seeds]
            name = f"update of {middle} / smaller of {first} and {last}, in {words}"
            found["layer-3-4-quiet", name, None, main.name] = geometric(quiet)
            if late.start:
                growth = {n: [after[n][s][unit] / before[n][s][unit] for s in seeds] for n in layers}
                name = f"{middle}: after batch 100 / before, in {words}"
                found["layer-3-4-late", name, None, main.name] = geometric(growth[middle])
                ratios = [growth[middle][s] / max(growth[first][s], growth[last][s]) for s in seeds]
                name = f"growth of {middle} / larger growth of {first} and {last}, in {words}"
                found["layer-3-4-late", name, None, main.name] = geometric(ratios)
    accuracies = [run.last("validation_accuracy") for run in own]
    found["accuracy", "validation accuracy", None, main.name] = interval(accuracies)
    return found


def stated(build: Path) -> tuple[Found, dict[str, list[dict[str, Any]]]]:
    """Return the numbers that results.json states, and the rows of the tables that they are said to stand in."""
    found: Found = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for record in json.loads((build / "results.json").read_text(encoding="utf-8"))["findings"]:
        for each in record["evidence"]:
            key = (record["id"], each["name"], each["layer"], each["optimizer"])
            found[key] = {name: each[name] for name in ("value", "low", "high", "n", "predicted")}
            with (build / each["where"]).open(encoding="utf-8", newline="") as file:
                rows[each["where"]] = list(csv.DictReader(file))
    return found, rows


def compare(build: Path) -> int:
    """Hold what is stated against what is found; return how many numbers agreed.

    Raises:
        AssertionError: naming the first number that differs.
    """
    theirs, _ = stated(build)
    ours = evidence(build / "runs")
    assert ours.keys() == theirs.keys(), ours.keys() ^ theirs.keys()
    count = 0
    for key, numbers in theirs.items():
        for name, value in numbers.items():
            mine = ours[key].get(name)
            assert (mine is None) == (value is None), (key, name, value, mine)
            if value is not None and mine is not None:
                # The dwell of noise is a sum over a grid here and Owen's function there.
                limit = 1e-3 if name == "predicted" else 1e-6
                assert math.isclose(mine, value, rel_tol=limit, abs_tol=1e-9), (key, name, value, mine)
                count += 1
    return count


def test_every_number_of_the_findings_is_found_again(tiny_build: Any) -> None:
    """Values, intervals, n and predictions agree, all of them, and each table that is named exists."""
    assert compare(tiny_build.workspace.build) > 50
    _, tables = stated(tiny_build.workspace.build)
    assert all(tables.values())


def test_a_number_that_was_changed_is_noticed(tiny_build: Any, tmp_path: Path) -> None:
    """The check fails when results.json states something else than the recordings say."""
    build = tiny_build.workspace.build
    (tmp_path / "runs").symlink_to(build / "runs")
    (tmp_path / "tables").symlink_to(build / "tables")
    results = json.loads((build / "results.json").read_text(encoding="utf-8"))
    results["findings"][0]["evidence"][0]["value"] *= 1.001
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    with pytest.raises(AssertionError, match="mean same-sign run"):
        compare(tmp_path)


if __name__ == "__main__":
    print(f"{compare(Path(sys.argv[1]))} numbers of the findings agree with the recordings.")
