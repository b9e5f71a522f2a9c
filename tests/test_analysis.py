"""Every number of the main training run, against slow, literal loops written for the test."""

import csv
import math
from collections.abc import Iterator

import numpy as np
import pytest
from conftest import Build
from measured import by_run, chunk, coasting, sizes

from report.analysis import columns, histogram, history, loss, threshold, update_size, updates, windows
from report.config import Experiment
from report.recording.reader import Recording

Array = np.ndarray


@pytest.fixture(scope="module")
def results(tiny_build: Build) -> dict:
    """Return what the tiny experiment came to."""
    return by_run(tiny_build.workspace)


def first_articles_changes(weights: Array) -> list[list[list[float]]]:
    """Return [output][input][batch] changes, gathered one by one as nested lists, first batch included."""
    changes: list[list[list[float]]] = []
    for i in range(weights.shape[1]):
        changes.append([])
        for j in range(weights.shape[2]):
            column = []
            for k in range(1, weights.shape[0]):
                column.append(float(weights[k][i][j]) - float(weights[k - 1][i][j]))
            changes[i].append(column)
    return changes


def matrices(recording: Recording, name: str) -> Array:
    """Return (steps + 1, outputs, inputs) of a tensor that was kept whole."""
    return recording.weights(name).reshape(recording.steps + 1, *recording.tensors[name].shape)


def flat(changes: list[list[list[float]]]) -> list[float]:
    """Return all changes of a layer in one list."""
    return [value for row in changes for column in row for value in column]


def test_thresholds_are_the_first_articles_definition(tiny_build: Build, results: dict) -> None:
    """Sort all deviations, take the one at int(N_min · 0.0001 · √(N / N_min)): on the recorded run, layer by layer."""
    recording = tiny_build.recording
    lists = {layer: flat(first_articles_changes(matrices(recording, layer))) for layer in results["drawn"]}
    smallest = min(len(each) for each in lists.values())
    for layer, values in lists.items():
        mean = sum(values) / len(values)
        descending = sorted((abs(value - mean) for value in values), reverse=True)
        tau = descending[int(smallest * 0.0001 * (len(values) / smallest) ** (1 / 2))]
        found = results["threshold"][recording.name][layer]
        assert found["threshold"] == pytest.approx(tau, rel=1e-6)
        assert found["mean"] == pytest.approx(mean, abs=1e-9)
        assert (found["deviations"], found["smallest"]) == (len(values), smallest)


@pytest.mark.parametrize(
    ("count", "smallest", "expected"),
    [(300_000, 300_000, 30), (3_000_000, 300_000, 94), (100, 100, 0), (3_072_000, 300_000, 96)],
)
def test_the_rank_of_the_threshold(count: int, smallest: int, expected: int) -> None:
    """For the first article's own sizes: l4 and l5 have 300,000 updates, l3 has ten times as many."""
    assert threshold.rank(count, smallest) == expected


def test_the_threshold_has_the_right_number_above_it() -> None:
    """Rank r of a descending sort: r values lie above it, and the law holds whatever the order."""
    generator = np.random.default_rng(0)
    array = generator.normal(size=(500, 600)).astype(np.float32)
    law = threshold.law(array, array.size)
    sizes = np.abs(array.astype(np.float64) - law.mean)
    assert int((sizes > law.threshold).sum()) == law.rank == 30
    assert threshold.law(generator.permutation(array.ravel())[:, None], array.size).threshold == law.threshold
    pieces = threshold.find(lambda: np.array_split(array, 171), law.mean, array.size, array.size)
    assert pieces == law


def test_opacity_is_the_first_articles_colour_law() -> None:
    """Its four branches written out: above τ, below, negative, zero."""
    tau = 0.5
    for value in (-2.0, -0.5, -0.25, 0.0, 0.1, 0.499, 0.5, 3.0):
        expected = 1.0 if abs(value) > tau else (value / tau) ** 2
        assert threshold.opacity(value, tau) == pytest.approx(expected)
    assert threshold.opacity([0.0, 1e-9, -1e-9], 0.0).tolist() == [0, 1, 1]
    assert threshold.opacity(1e300, 1e-300) == 1


def test_updates_are_differences_of_neighbouring_states(tiny_build: Build) -> None:
    """Also the first and the last, which the first article dropped."""
    recording = tiny_build.recording
    weights = np.array(recording.weights("l4"))
    (found,) = updates.Track(recording, "l4").chunks()
    assert found.updates.shape == found.weights.shape == found.gradients.shape == (recording.steps, 100)
    for t in (0, 1, recording.steps // 2, recording.steps - 1):
        np.testing.assert_array_equal(found.updates[t], weights[t + 1] - weights[t])
        np.testing.assert_array_equal(found.weights[t], weights[t])
    assert found.numbers.tolist() == list(range(1, recording.steps + 1))


def slow_sizes(weights: Array, gradients: Array, batches: range) -> Iterator[tuple[str, float]]:
    """Yield mean |Δ|, mean ‖Δ‖ / ‖w‖ and the share of zero gradients of `batches`, one number at a time."""
    total, relative, zeros, count = 0.0, 0.0, 0, 0
    for batch in batches:
        step, norm = 0.0, 0.0
        for j in range(weights.shape[1]):
            change = float(weights[batch][j]) - float(weights[batch - 1][j])
            total += abs(change)
            step += change**2
            norm += float(weights[batch - 1][j]) ** 2
            zeros += gradients[batch - 1][j] == 0
            count += 1
        relative += math.sqrt(step) / math.sqrt(norm)
    yield "absolute", total / count
    yield "relative", relative / len(batches)
    yield "zero_gradient_share", zeros / count


def test_sizes_equal_slow_loops_in_each_window() -> None:
    """Batches 1–100, 101–1000 cut to those there are, and all."""
    generator = np.random.default_rng(1)
    weights = generator.normal(size=(131, 7)).astype(np.float32)
    weights[:, 3] = 0.25  # a weight that never moves
    gradients = generator.integers(-1, 2, (130, 7)).astype(np.float32)
    found, shares = sizes(weights).found(), coasting(updates.of(weights), gradients)
    for window, batches in {"1-100": range(1, 101), "101-1000": range(101, 131), "all": range(1, 131)}.items():
        for name, expected in slow_sizes(weights, gradients, batches):
            assert {**shares[window], **found[window]}[name] == pytest.approx(expected, rel=1e-6), (window, name)
        assert found[window]["live_share"] == 6 / 7
        assert found[window]["absolute_live"] / found[window]["absolute"] == pytest.approx(7 / 6)


def test_a_layer_that_never_moves_has_sizes_too() -> None:
    """No division by zero: the mean over moving weights is absent."""
    found = sizes(np.zeros((4, 2), np.float32)).found()["all"]
    assert (found["absolute_live"], found["relative"], found["live_share"]) == (None, 0, 0)


def test_windows_count_batches_from_one() -> None:
    """Row t - 1 is batch t; a window without any batch is absent."""
    assert windows.rows(3000) == {"1-100": slice(0, 100), "101-1000": slice(100, 1000), "all": slice(0, 3000)}
    assert windows.rows(150)["101-1000"] == slice(100, 150)
    assert windows.rows(100).keys() == {"1-100", "all"}


def test_the_histogram_counts_every_update_once(tiny_build: Build, results: dict) -> None:
    """A hundred bins from the smallest to the largest, the last closed, counted one by one."""
    recording = tiny_build.recording
    values = np.sort(updates.of(recording.weights("l5")).astype(np.float64).ravel())
    found = results["histogram"][recording.name]["l5"]
    table = columns.read(tiny_build.workspace.tables / "histogram.csv")
    here = table["layer"] == "l5"
    edges, counts = [*table["left"][here], table["right"][here][-1]], table["count"][here].tolist()
    assert len(counts) == histogram.BINS == 100
    assert (edges[0], edges[-1]) == (values[0], values[-1])
    for place in range(100):
        inside = [v for v in values if edges[place] <= v < edges[place + 1] or (place == 99 and v == edges[100])]
        assert counts[place] == len(inside)
    assert sum(counts) == found["count"] == len(values)
    assert found["zeros"] == sum(1 for value in values if value == 0)


def test_the_loss_summary_is_what_the_series_says(tiny_build: Build, results: dict) -> None:
    """Means and medians taken by hand; the loss is a mean over the batch, near ln 10 at first."""
    recording = tiny_build.recording
    losses = recording.series["train_loss"].tolist()
    found = results["loss"][recording.name]
    assert found["first_ten_mean"] == pytest.approx(sum(losses[:10]) / 10)
    ordered = sorted(losses[-100:])
    assert found["last_hundred_median"] == pytest.approx((ordered[49] + ordered[50]) / 2)
    assert [row["batch"] for row in found["validation"]] == [recording.taken // 2, recording.taken]
    assert found["final_validation_accuracy"] == recording.series["validation_accuracy"][-1]
    assert found["test_accuracy"] == recording.series["test_accuracy"][-1]


@pytest.mark.parametrize(("count", "width"), [(1, 1), (5, 9), (20, 5), (61, 3)])
def test_the_running_median_is_the_median_around_each_batch(count: int, width: int) -> None:
    """Of those there are near the ends."""
    values = np.random.default_rng(count).normal(size=count)
    found = loss.running_median(values, width)
    for place in range(count):
        around = sorted(values[max(0, place - width // 2) : place + width // 2 + 1])
        middle = len(around) // 2
        expected = around[middle] if len(around) % 2 else (around[middle - 1] + around[middle]) / 2
        assert found[place] == pytest.approx(expected)


def test_the_largest_mover_went_furthest(tiny_build: Build) -> None:
    """Found again by looking at each weight in turn."""
    recording = tiny_build.recording
    for layer, tensor in recording.tensors.items():
        weights = recording.weights(layer)
        distances = [abs(float(weights[-1][j]) - float(weights[0][j])) for j in range(weights.shape[1])]
        position = history.chosen(recording, layer, 0, recording.steps)["largest_mover"]
        assert distances[position] == max(distances)
        row, column = history.index_of(recording, layer, position)
        if tensor.kept == "whole":
            assert matrices(recording, layer)[-1, row, column] == weights[-1, position]


def test_update_sizes_are_quantiles_over_the_weights_of_a_batch() -> None:
    """Median and band by sorting, batch by batch."""
    weights = np.random.default_rng(3).normal(size=(5, 11)).astype(np.float32)
    found = update_size.table("l9", chunk(weights, np.ones((4, 11), np.float32)))
    for t in range(4):
        ordered = sorted(abs(float(weights[t + 1][j]) - float(weights[t][j])) for j in range(11))
        row = [found[name][t] for name in ("lower", "median", "upper")]
        assert row == pytest.approx([ordered[1], ordered[5], ordered[9]], rel=1e-6)
        assert found["mean_absolute"][t] == pytest.approx(sum(ordered) / 11, rel=1e-6)


def test_tables_hold_what_the_results_hold(tiny_build: Build, results: dict) -> None:
    """A reader who downloads a table finds the numbers of the page, to the last digit."""
    place, run = tiny_build.workspace.tables, results["main"]
    with (place / "thresholds.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert float(row["threshold"]) == results["threshold"][run][row["layer"]]["threshold"]
    with (place / "size.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found = results["size"][run][row["layer"]][row["window"]]
            assert float(row["mean_absolute_update"]) == found["mean_absolute_update"]
    read = columns.read(place / "loss.csv")
    np.testing.assert_array_equal(read["train_loss"], tiny_build.recording.series["train_loss"])
    assert np.isnan(columns.read(place / "weight_history.csv")["update"][0])
    pixels = columns.read(place / "digits.csv")
    assert [pixels[f"pixel_{n}"][0] for n in range(784)] == tiny_build.recording.attached["first"].ravel().tolist()


def test_the_results_say_what_was_trained_on(tiny: Experiment, results: dict) -> None:
    """The sample is gone through again until the batches are done; the results say how often."""
    assert results["data"]["source"] == "sample"
    assert results["data"]["epochs"] == pytest.approx(tiny.training.batches * 16 / 3200)
    assert results["network"]["edges_drawn"] == 24 * 10 + 100 + 100
    assert results["network"]["nodes_drawn"] == [24, 10, 10, 10]
    sizes = [(784, 32), (32, 24), (24, 10), (10, 10), (10, 10)]
    assert results["network"]["weights"] == sum(a * b for a, b in sizes)
    told = {"kind": "mlp", "dropout": 0.2, "hidden": [32, 24, 10, 10]}
    assert results["about"]["network"].items() >= told.items()
    assert "key" not in results["about"]
    assert (results["steps"], results["tensors"]) == (tiny.training.batches, ["l1", "l2", "l3", "l4", "l5"])
