"""Every number of the findings, of the transplants and of togetherness, found again from the recordings.

As a script it checks a build: `python tests/test_independent_findings.py BUILD [RUNS]`.
"""

import csv
import itertools
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from independent import Measured, Numbers, Values, chance_dwell, difference, dwell, geometric, interval, threshold

import report

Key = tuple[str, ...]  # a table, and what tells its rows apart
Found = dict[Key, Numbers]

Row = tuple[str, str, str, str, Numbers]  # evidence, window, optimizer, the one that it is compared with, numbers

MAGNITUDES = ("opacity", "absolute", "relative")
TOGETHER = ("output", "input", "output_toss")
RESOLUTION = ("equal_share", "lost_share", "mean_run_float64")

# Relative: what two orders of adding float64 numbers leave. All that is counted in recordings agrees to this, and so
# do replays in float64 and those of SGD.
EXACT = 1e-9
TINY = 1e-13  # absolute: an interval's end may be next to 0, where the numbers that it comes from are not
# Of a mean run, or of a share: what two orders of rounding float32 numbers leave. Adam and RMSprop may be computed in
# several, torch's kernels fuse some operations besides, and an update of half the distance to the next number then
# moves a weight here and not there: one in 10^7, a flip or two in ten thousand. Seen on 35 recordings of 1,000 steps:
# 8e-5 of a mean, 2e-4 of an interval's end, and in none of 40 steps, where next to nothing coasts yet.
ROUNDED = 3e-4
ROUNDED_SHARE = 1e-5


def formula(momentum: float) -> float:
    """Return the mean same-sign run that chance predicts."""
    return math.pi / math.acos(momentum)


def middle(values: Values) -> float:
    """Return the mean over seeds; 0 of none."""
    return sum(values.values()) / max(len(values), 1)


def lean_scale(measured: Measured, gradients: str, label: str, tensor: str, window: str) -> float:
    """Return the size of the two runs that a lean is the difference of."""
    return sum(middle(measured.values[name, gradients, label, tensor, window]) for name in ("mean_run", "toss"))


def tables(measured: Measured) -> Found:
    """Return the rows of the transplants, of togetherness and of the resolution.

    `slack` is by how much a number may differ where float32 was rounded in another order.
    """
    found: Found = {}
    for (statistic, gradients, label, tensor, window), values in list(measured.values.items()):
        study, rounds = measured.study, measured.arithmetic[label, tensor].rounds
        place = (study.slug(gradients), study.slug(label), tensor, window)
        numbers = interval(list(values.values()))
        if statistic in ("mean_run", "toss", "lean"):
            row = found.setdefault(("transplants", *place), {})
            row["slack"] = rounds * ROUNDED * lean_scale(measured, gradients, label, tensor, window)
            if statistic == "mean_run":
                row |= {"mean_run": numbers.pop("value"), **numbers}
            elif statistic == "toss":
                row["toss"] = numbers["value"]
            else:
                row |= {"lean": numbers["value"], "lean_low": numbers["low"], "lean_high": numbers["high"]}
        elif statistic != "recorded_run":
            table = "resolution" if statistic in RESOLUTION else "togetherness"
            is_open = statistic in ("equal_share", "lost_share") or statistic.endswith("toss")
            row = {"mean": numbers.pop("value"), **numbers, "slack": rounds * is_open * ROUNDED_SHARE}
            found[table, statistic, *place[1:]] = row
    return found


def streaks(measured: Measured, layer: str) -> Iterator[Row]:
    """Give what the sign toss says of a layer."""
    label = measured.main
    for window in (measured.late, *(["1-100"] if measured.late == "101-1000" else [])):
        run, toss = (measured.own(name, layer, window, label) for name in ("mean_run", "toss"))
        slack = measured.optimizer(label).rounds * ROUNDED * (middle(run) + middle(toss))
        shares = [(toss[seed] - 2) / (run[seed] - 2) for seed in run if seed in toss]
        share = interval(shares) | {"slack": slack / abs(middle(run) - 2)}
        yield "toss_share", window, label, "", share
        yield "mean_run", window, label, "", interval(list(run.values())) | {"slack": slack}
        yield "mean_run_toss", window, label, "", interval(list(toss.values())) | {"slack": slack}


def together(measured: Measured, layer: str) -> Iterator[Row]:
    """Give the same of weights that move together, with the main optimizer and without momentum."""
    family = measured.family(measured.optimizer(measured.main).name)
    for label in {measured.main, family.get(0.0, measured.main)}:
        for statistic in TOGETHER:
            numbers = interval(list(measured.own(statistic, layer, measured.late, label).values()))
            is_open = measured.optimizer(label).rounds and statistic.endswith("toss")
            yield statistic, measured.late, label, "", numbers | {"slack": is_open * ROUNDED_SHARE}


def loop(measured: Measured, layer: str) -> Iterator[Row]:
    """Give the same of what momentum does to gradients."""
    for family in (measured.family(measured.optimizer(measured.main).name), measured.family("SGD")):
        for momentum, label in family.items():
            if momentum >= 0.9 and 0 in family:
                places = [(each, label, layer, measured.late) for each in (label, family[0])]
                numbers = difference(*(measured.values[("lean", *place)] for place in places))
                scale = sum(lean_scale(measured, *place) for place in places)
                numbers["slack"] = measured.optimizer(label).rounds * ROUNDED * scale
                yield "lean_difference", measured.late, label, family[0], numbers


def runs(measured: Measured, layer: str) -> Iterator[Row]:
    """Give the same of the mean same-sign runs of recorded updates, optimizer by optimizer."""
    for label in measured.study.labels:
        numbers = interval(list(measured.own("recorded_run", layer, measured.late, label).values()))
        predicted = formula(measured.optimizer(label).momentum)
        yield "mean_run", measured.late, label, "", numbers | {"predicted": predicted}


def longer(measured: Measured, layer: str) -> Iterator[Row]:
    """Give the same of what more momentum adds to them, seed by seed."""
    family, sgd = measured.family(measured.optimizer(measured.main).name), measured.family("SGD")
    steps = list(itertools.pairwise(family.items())) if len(family) > 2 else []
    steps += [((0.0, sgd[0.0]), max(sgd.items()))] if len(sgd) > 1 and 0.0 in sgd else []
    for (less, lower), (more, upper) in steps:
        after, before = (measured.own("recorded_run", layer, measured.late, label) for label in (upper, lower))
        numbers = difference(after, before) | {"predicted": formula(more) - formula(less)}
        yield "run_difference", measured.late, upper, lower, numbers


def updates(measured: Measured, layer: str) -> Iterator[tuple[report.Recording, np.ndarray, np.ndarray]]:
    """Give each recording of the main optimizer, its weights, and its updates as float32 holds them."""
    for recording in measured.study.of(measured.main):
        weights = np.asarray(recording.weights(layer)[: measured.batches + 1])
        yield recording, weights, (weights[1:] - weights[:-1]).astype(np.float64)


def smallest(measured: Measured) -> int:
    """Return how many updates the smallest drawn layer has."""
    return min(math.prod(measured.tensors[layer].shape) for layer in measured.drawn) * measured.batches


def dwells(measured: Measured, layer: str) -> Iterator[Row]:
    """Give the same of spells beyond a share of τ."""
    span, beta = measured.windows[measured.late], measured.optimizer(measured.main).momentum
    for name, share in (("q1", 1.0), ("q05", 0.5), ("q025", 0.25)):
        spells, chances = [], []
        for _, _, change in updates(measured, layer):
            centre, level, tail = threshold(change, smallest(measured))
            spells.append(dwell(change - centre, share * level, span))
            chances.append(chance_dwell(beta, tail, share))
        numbers = interval(spells) | {"predicted": sum(chances) / len(chances)}
        yield f"dwell_{name}", measured.late, measured.main, "", numbers


def magnitudes(measured: Measured, window: str) -> dict[str, dict[str, list[float]]]:
    """Return the mean size of updates by magnitude, layer and seed, in some batches."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    rows = measured.windows[window]
    for layer in measured.drawn:
        for _, weights, change in updates(measured, layer):
            centre, level, _ = threshold(change, smallest(measured))
            opacity = np.minimum(((change - centre) / level) ** 2, 1)
            relative = np.linalg.norm(change, axis=1) / np.linalg.norm(weights[:-1].astype(np.float64), axis=1)
            found["opacity"][layer].append(float(opacity[rows].mean()))
            found["absolute"][layer].append(float(np.abs(change[rows]).mean()))
            found["relative"][layer].append(float(relative[rows].mean()))
    return found


def beside(measured: Measured) -> Iterator[Row]:
    """Give finding, name, window and numbers of the middle layer against its neighbours."""
    if len(measured.drawn) != 3:
        return
    early, late = magnitudes(measured, "1-100"), magnitudes(measured, measured.late)
    for magnitude in MAGNITUDES:
        before, after = early[magnitude], late[magnitude]
        ratios = [m / min(a, b) for a, m, b in zip(*before.values(), strict=True)]
        yield "layer-3-4-quiet", f"beside_{magnitude}", "1-100", geometric(ratios)
        if measured.late != "all":
            growth = [[b / a for a, b in zip(before[layer], after[layer], strict=True)] for layer in measured.drawn]
            yield "layer-3-4-late", f"growth_{magnitude}", measured.late, geometric(growth[1])
            gains = [m / max(a, b) for a, m, b in zip(*growth, strict=True)]
            yield "layer-3-4-late", f"gain_{magnitude}", measured.late, geometric(gains)


def findings(measured: Measured) -> Found:
    """Return every number of every finding."""
    found: Found = {}
    main = measured.main
    family = measured.family(measured.optimizer(main).name)
    with_momentum = {label for momentum, label in family.items() if momentum > 0}
    for layer in measured.drawn:
        given = {each.__name__: list(each(measured, layer)) for each in (streaks, together, loop)}
        every = list(runs(measured, layer))
        given["momentum"] = [*every, *longer(measured, layer)]
        given["formula"] = [row for row in every if row[2] in with_momentum]
        given["persistence"] = [*(row for row in every if row[2] == main), *dwells(measured, layer)]
        for finding, rows in given.items():
            for name, window, label, against, numbers in rows:
                found["findings", finding, name, layer, window, label, against] = numbers
    for finding, name, window, numbers in beside(measured):
        found["findings", finding, name, "", window, main, ""] = numbers
    series = [recording.series["validation_accuracy"] for recording in measured.study.of(main)]
    reached = interval([float(each[~np.isnan(each)][-1]) for each in series])
    found["findings", "accuracy", "accuracy", "", "", main, ""] = reached
    return found


def stated(build: Path) -> Found:
    """Return what results.json and the tables of a build state."""
    found: Found = {}

    def add(key: Key, row: Mapping[str, Any], columns: str) -> None:
        assert key not in found, key
        cells = {column: row[column] for column in columns.split()}
        found[key] = {column: None if cell in ("", None) else float(cell) for column, cell in cells.items()}

    for record in json.loads((build / "results.json").read_text(encoding="utf-8"))["findings"]:
        for each in record["evidence"]:
            assert (build / each["where"]).is_file()
            place = [each[name] or "" for name in ("id", "layer", "window", "optimizer", "against")]
            add(("results", record["id"], *place), each, "value low high n predicted")
    for table in ("findings", "transplants", "togetherness", "resolution"):
        with (build / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if table == "transplants":
                    pair = (row["gradients"], row["applied"], row["tensor"], row["window"])
                    add((table, *pair), row, "mean_run low high toss lean lean_low lean_high n")
                elif table != "findings":
                    cell = (row["name"], row["optimizer"], row["layer"], row["window"])
                    add((table, *cell), row, "mean low high n theory")
                elif row["evidence"]:  # a finding without evidence has a row, too
                    names = ("finding", "evidence", "layer", "window", "optimizer", "against")
                    add((table, *(row[name] for name in names)), row, "value low high n predicted")
    return found


def found_again(build: Path, recordings: Path) -> Found:
    """Return the same as the recordings have it, those that the build was made of."""
    study = json.loads((build / "results.json").read_text(encoding="utf-8"))["study"]
    names = [name for runs in study["runs"].values() for name in runs]
    measured = Measured([report.Recording.open(recordings / name) for name in names])
    found = findings(measured)
    return found | {("results", *key[1:]): numbers for key, numbers in found.items()} | tables(measured)


def differences(theirs: Found, ours: Found, is_exact: bool) -> Iterator[tuple[Key, str, float, bool]]:
    """Give every number's row and column, by how much it differs, relatively, and whether it may.

    `is_exact` allows nothing for float32 that was rounded in another order.
    """
    assert theirs.keys() == ours.keys(), sorted(theirs.keys() ^ ours.keys())
    for key, row in theirs.items():
        slack = 0 if is_exact else ours[key].get("slack") or 0
        for column, value in row.items():
            mine = ours[key].get(column)
            if value is None or mine is None:
                yield key, column, math.inf if value != mine else 0, value == mine
                continue
            apart = abs(value - mine) / max(abs(value), abs(mine)) if value != mine else 0
            yield key, column, apart, math.isclose(value, mine, rel_tol=EXACT, abs_tol=max(slack, TINY))


def beyond(theirs: Found, ours: Found, is_exact: bool = True) -> list[tuple[Key, str]]:
    """Return where numbers differ by more than they may."""
    return [(key, column) for key, column, _, is_near in differences(theirs, ours, is_exact) if not is_near]


@pytest.fixture(scope="module")
def both(tiny_build: Any) -> tuple[Found, Found]:
    """Return what the tiny build states, and what its recordings say."""
    build = tiny_build.workspace.build
    return stated(build), found_again(build, build / "runs")


def test_every_number_is_found_again(both: tuple[Found, Found], tiny: Any) -> None:
    """Values, intervals, n and predictions agree, all of them, and no row is missing on either side."""
    assert not beyond(*both)
    counts = Counter(key[0] for key, _, _, _ in differences(*both, is_exact=True))
    # Pairs of labels, tensors, windows, columns.
    assert counts["transplants"] == len(tiny.optimizers) ** 2 * len(tiny.layers) * 3 * 8
    assert min(counts[table] for table in ("results", "findings", "togetherness", "resolution")) > 200


@pytest.mark.parametrize("table", ["results", "findings", "transplants", "togetherness", "resolution"])
def test_a_number_that_was_changed_is_noticed(both: tuple[Found, Found], table: str) -> None:
    """A number that is off by 2e-9 of itself is named, and so is one that is missing."""
    theirs, ours = both
    for key, row in theirs.items():
        for column, value in row.items() if key[0] == table else ():
            off = 1e-9 if value is None else value + 2e-9 * abs(value) + 1e-12
            for other in {off, None} - {value}:
                assert beyond({key: {**row, column: other}}, {key: ours[key]}) == [(key, column)]


def main(build: Path, recordings: Path) -> int:
    """Say how well a build agrees with its recordings; return 1 if it does not."""
    theirs, ours = stated(build), found_again(build, recordings)
    by_column: dict[tuple[str, str], list[float]] = defaultdict(list)
    for key, column, apart, _ in differences(theirs, ours, is_exact=False):
        by_column[key[0], column].append(apart)
    print(f"{'table':14}{'column':12}{'numbers':>8}  beyond {EXACT:g}  largest relative difference")
    for (table, column), every in by_column.items():
        print(f"{table:14}{column:12}{len(every):8}{sum(apart > EXACT for apart in every):14}  {max(every):.2g}")
    wrong = beyond(theirs, ours, is_exact=False)
    for key, column in wrong:
        print("WRONG", *key, column, theirs[key][column], "and not", ours[key].get(column), sep=" | ")
    print(f"{sum(map(len, by_column.values()))} numbers, {len(wrong)} of them wrong.")
    return int(bool(wrong))


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    sys.exit(main(given[0], given[1] if len(given) > 1 else given[0] / "runs"))
