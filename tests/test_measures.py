"""Every measure of a training run, against series made by hand and against slow, literal loops on a real recording."""

import dataclasses
import math
import re
from pathlib import Path
from statistics import fmean

import measured
import numpy as np
import pytest
from conftest import Build
from recordings import momentum, noise, write_recording

from report.analysis import agreement, measures, persistence, replay, threshold, updates, windows
from report.analysis.startup import Startup
from report.analysis.transplants import Applied
from report.recording.reader import Recording

LAYER = "l4"
Lists = list[list[float]]


@pytest.fixture(scope="module")
def recorded(tiny_build: Build) -> tuple[np.ndarray, np.ndarray, int]:
    """Return weights (batches + 1, n), gradients (batches, n) of a real short run, and how many batches it has."""
    recording = Recording.open(tiny_build.workspace.run("adam-b1-0.9-seed4"))
    weights, gradients = np.array(recording.weights(LAYER)), np.array(recording.gradients(LAYER))
    return weights, gradients, len(gradients)


@pytest.fixture(scope="module")
def series(recorded: tuple[np.ndarray, np.ndarray, int]) -> tuple[Lists, Lists]:
    """Return, weight by weight, plain lists of updates and of gradients."""
    weights, gradients, batches = recorded
    changes = []
    for weight in range(weights.shape[1]):
        column = [float(np.float32(weights[t + 1][weight] - weights[t][weight])) for t in range(batches)]
        changes.append(column)
    return changes, [[float(g) for g in gradients[:, weight]] for weight in range(weights.shape[1])]


def sign(value: float) -> int:
    """Return -1, 0 or 1."""
    return (value > 0) - (value < 0)


def test_flips_of_a_series_made_by_hand() -> None:
    """+ + - 0 - + has three pairs that count, two of them flips; a 0 makes no pair; the other weight never moves."""
    made = np.array([[1, 1, -1, 0, -1, 1], [0, 0, 0, 0, 0, 0]], np.float32).T
    found = measured.persisting(made)["all"]
    assert (found["pairs"], found["flips"], found["never_moved"]) == (3, 2, 1)
    assert found["mean_run"] == 1.5


def plainly(up: np.ndarray, down: np.ndarray, active: np.ndarray | None, span: slice) -> list[list[int]]:
    """Return pairs and flips of each series within a window, from (rows, series, n), looking at one after the other."""
    found = []
    for series in range(up.shape[1]):
        pairs = flips = 0
        for row in range(span.start + 1, span.stop):
            for weight in range(up.shape[2]):
                here, before = (up[r, series, weight] * 1 - down[r, series, weight] * 1 for r in (row, row - 1))
                if here * before and (active is None or active[row, series, weight]):
                    pairs += 1
                    flips += here != before
        found.append([pairs, flips])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("weights", [1, 7, 8, 9, 100])
@pytest.mark.parametrize("size", [1, 5, 130])
@pytest.mark.parametrize("with_active", [False, True])
def test_flips_are_counted_in_bits_as_one_by_one(weights: int, size: int, with_active: bool) -> None:
    """Whatever is left of the last byte, and wherever a chunk ends; series side by side, and pairs that may not end."""
    generator = np.random.default_rng(weights)
    sign = generator.choice([-1, 0, 1], (130, 2, weights), p=[0.4, 0.2, 0.4])
    up, down = sign > 0, sign < 0
    active = generator.random(sign.shape) < 0.7 if with_active else None
    spans = windows.rows(130)
    found = persistence.Flips(spans, (2,))
    for start in range(0, 130, size):
        rows = slice(start, start + size)
        found.add(start, up[rows], down[rows], None if active is None else active[rows])
    for window, span in spans.items():
        expected = plainly(up, down, active, span)
        assert [list(found.count(window, series)) for series in range(2)] == expected
        runs = [pairs / flips if flips else None for pairs, flips in expected]
        assert [found.mean_run(window, series) for series in range(2)] == runs


@pytest.mark.parametrize("size", [1, 3, 50, 250])
def test_totals_sum_rows_or_pairs_within_a_window(size: int) -> None:
    """A row that says something of the next one counts only where both lie in the window."""
    numbers = np.arange(1, 251)
    rows = np.stack([numbers, numbers**2], axis=1)
    single, pairs = windows.Totals(windows.rows(250), (2,)), windows.Totals(windows.rows(250), (2,))
    for start in range(0, 250, size):
        single.add(start, rows[start : start + size])
        pairs.add(start, rows[start : start + size][: 249 - start], pairs=True)  # the last row has no next one
    for window, (first, last) in {"1-100": (1, 100), "101-1000": (101, 250), "all": (1, 250)}.items():
        inside = range(first, last + 1)
        assert single[window].tolist() == [sum(inside), sum(n**2 for n in inside)]
        assert pairs[window].tolist() == [sum(inside[:-1]), sum(n**2 for n in inside[:-1])]


def test_run_lengths_made_by_hand() -> None:
    """Runs of 1, 2 and 3 batches that all end with a flip come out as one third each; the cut last one does not."""
    made = np.array([[1, -1, -1, 1, 1, 1, -1]], np.float32).T
    found = measured.lengths(made)["all"]
    assert found[:3] == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert persistence.ages(persistence.signs(made))[:, 0].tolist() == [1, 1, 2, 1, 2, 3, 1]


def test_cut_runs_do_not_shorten_the_distribution() -> None:
    """Eleven runs, ten of them cut by the end: the one that flipped counts as an eleventh, not as all."""
    made = np.ones((5, 10), np.float32)
    made[1:, 0] = -1
    found = measured.lengths(made)["all"]
    assert found[0] == pytest.approx(1 / 11)


def test_persistence_by_loops(recorded: tuple, series: tuple[Lists, Lists]) -> None:
    """Flip rate and mean run, pair by pair."""
    weights, _, batches = recorded
    pairs = flips = still = 0
    for column in series[0]:
        still += not any(column)
        for t in range(batches - 1):
            if column[t] != 0 and column[t + 1] != 0:
                pairs += 1
                flips += sign(column[t]) != sign(column[t + 1])
    found = measured.persisting(updates.of(weights))["all"]
    assert (found["pairs"], found["flips"], found["never_moved"]) == (pairs, flips, still)
    assert found["flip_rate"] == pytest.approx(flips / pairs)
    assert found["mean_run"] == pytest.approx(pairs / flips)


def test_autocorrelation_by_loops(recorded: tuple, series: tuple[Lists, Lists]) -> None:
    """Σ x(t)·x(t + k) / √(Σ x(t)² · Σ x(t + k)²), term by term."""
    weights, gradients, batches = recorded
    found = {"updates": measured.correlated(updates.of(weights)), "gradients": measured.correlated(gradients)}
    for which, columns in zip(("updates", "gradients"), series, strict=True):
        for lag in (1, 2, 7, 30):
            pairs = [(column[t], column[t + lag]) for column in columns for t in range(batches - lag)]
            product = math.fsum(a * b for a, b in pairs)
            scale = math.sqrt(math.fsum(a * a for a, _ in pairs) * math.fsum(b * b for _, b in pairs))
            assert found[which]["all"][lag - 1] == pytest.approx(product / scale)


@pytest.mark.parametrize(("suffix", "share"), [("q1", 1.0), ("q05", 0.5), ("q025", 0.25)])
def test_dwell_by_loops(recorded: tuple, series: tuple[Lists, Lists], suffix: str, share: float) -> None:
    """From every large update, count on as long as sign and size last."""
    weights, _, batches = recorded
    law = threshold.law(updates.of(weights), batches * weights.shape[1])
    bound = share * law.threshold
    every, first = [], []
    for column in series[0]:
        deviations = [value - law.mean for value in column]
        for t in range(batches):
            if abs(deviations[t]) >= bound:
                length = 1
                while (
                    t + length < batches
                    and abs(deviations[t + length]) >= bound
                    and sign(deviations[t + length]) == sign(deviations[t])
                ):
                    length += 1
                every.append(length)
                begins = t == 0 or abs(deviations[t - 1]) < bound or sign(deviations[t - 1]) != sign(deviations[t])
                if begins:
                    first.append(length)
    found = measured.dwelling(updates.of(weights), law, 0.9)["all"]
    assert found[f"mean_{suffix}"] == pytest.approx(fmean(every))
    assert found[f"spell_{suffix}"] == pytest.approx(fmean(first))
    assert found[f"spells_{suffix}"] == len(first)


def test_agreement_and_coasting_by_loops(recorded: tuple, series: tuple[Lists, Lists]) -> None:
    """Update against its own batch's gradient, one by one."""
    weights, gradients, _ = recorded
    pairs = agreeing = zero = coasting_count = moving = 0
    for column, slopes in zip(*series, strict=True):
        for change, slope in zip(column, slopes, strict=True):
            zero += slope == 0
            moving += change != 0
            coasting_count += slope == 0 and change != 0
            if change != 0 and slope != 0:
                pairs += 1
                agreeing += sign(change) == -sign(slope)
    moves, slopes_sign = persistence.signs(updates.of(weights)), persistence.signs(gradients)
    found = measured.agreeing(moves, slopes_sign).found()["all"]
    assert found == {"share": pytest.approx(agreeing / pairs), "pairs": pairs}
    shares = measured.coasting(updates.of(weights), gradients)["all"]
    assert shares["zero_gradient_share"] == pytest.approx(zero / gradients.size)
    assert shares["coasting_share"] == pytest.approx(coasting_count / moving)
    assert shares["dead_weights"] == sum(not any(slopes) for slopes in series[1])


def curve(agreeing: np.ndarray, numbers: np.ndarray) -> list[tuple[float, float | None]]:
    """Return the curve of two weights, of which so many agree in each step, by its places."""
    sign = np.ones((len(numbers), 2), np.int8)
    slope = np.where(np.arange(2) < agreeing[:, None], -1, 1).astype(np.int8)
    found = measured.agreeing(sign, slope, numbers, 25, 3).curve()
    return list(zip(agreement.centres(25), found, strict=True))


def test_agreement_curve_bins_the_batches() -> None:
    """Ten batches make a point, the last what is left, at the centre of its batches."""
    agreeing = np.array([1] * 10 + [2] * 10 + [0] * 5)
    assert curve(agreeing, np.arange(1, 26)) == [(5.5, 0.5), (15.5, 1.0), (23.0, 0.0)]


def test_agreement_curve_knows_the_steps_that_have_no_gradient() -> None:
    """Steps 1–5 and 21–25 of 25: each in its own bin, and none in the one between."""
    numbers = np.array([1, 2, 3, 4, 5, 21, 22, 23, 24, 25])
    assert curve(np.array([1] * 5 + [2] * 5), numbers) == [(5.5, 0.5), (15.5, None), (23.0, 1.0)]


def test_update_rms_and_start_up_by_loops(recorded: tuple, series: tuple[Lists, Lists]) -> None:
    """Sizes over the learning rate, one by one; in batch 1 every live weight moves by it."""
    weights, gradients, _ = recorded
    every = [value for column in series[0] for value in column]
    live = [value for column in series[0] if any(column) for value in column]
    found = measured.sizes(weights).over_learning_rate(0.001)["all"]
    assert found["rms"] == pytest.approx(math.sqrt(fmean(v * v for v in every)) / 0.001)
    assert found["mean_absolute_live"] == pytest.approx(fmean(abs(v) for v in live) / 0.001)
    first = Startup(0.001)
    first.add(0, updates.of(weights), gradients)
    for batch in (0, 5):
        sizes = [abs(c[batch]) / 0.001 for c, s in zip(*series, strict=True) if s[batch] != 0]
        assert first.mean_absolute[batch] == pytest.approx(fmean(sizes))
    assert first.first["live"] == sum(column[0] != 0 for column in series[1])
    assert first.first["exact"] > 0.99 * first.first["live"]


def test_three_units_by_loops(recorded: tuple, series: tuple[Lists, Lists]) -> None:
    """Opacity, mean |Δ| and ‖Δ‖/‖w‖, one by one, over all weights and over those that move."""
    weights, _, batches = recorded
    law = threshold.law(updates.of(weights), batches * weights.shape[1])
    found = measured.sizes(weights, law).found()["all"]
    columns = series[0]
    moving = [number for number, column in enumerate(columns) if any(column)]
    for suffix, chosen in (("", range(len(columns))), ("_live", moving)):
        opacities = [min(((v - law.mean) / law.threshold) ** 2, 1) for n in chosen for v in columns[n]]
        assert found[f"opacity{suffix}"] == pytest.approx(fmean(opacities))
        assert found[f"absolute{suffix}"] == pytest.approx(fmean(abs(v) for n in chosen for v in columns[n]))
        relative = [
            math.sqrt(sum(columns[n][t] ** 2 for n in chosen))
            / math.sqrt(sum(float(weights[t][n]) ** 2 for n in chosen))
            for t in range(batches)
        ]
        assert found[f"relative{suffix}"] == pytest.approx(fmean(relative))
    assert found["live_share"] == len(moving) / len(columns)


def test_a_dead_layer_has_no_numbers_instead_of_an_error() -> None:
    """Nothing moves and no gradient comes: shares are known, everything that would divide by zero is None."""
    still, none = np.full((121, 6), 0.5, np.float32), np.zeros((120, 6), np.float32)
    change = updates.of(still)
    law = threshold.law(change, 720)
    assert measured.persisting(change)["all"]["mean_run"] is None
    assert measured.correlated(change)["all"] == [None] * 30
    assert measured.dwelling(change, law, 0.9)["all"]["spell_q1"] is None
    assert measured.coasting(change, none)["all"] == {
        "zero_gradient_share": 1.0,
        "coasting_share": None,
        "dead_weights": 6,
        "weights": 6,
    }
    assert measured.sizes(still, law).found()["all"]["opacity_live"] is None
    assert measured.sizes(still, law).over_learning_rate(0.001)["all"]["rms_live"] is None


def test_windows_add_up() -> None:
    """Pairs of both windows and across batch 100 make those of all; a lag does not reach into another window."""
    generator = np.random.default_rng(0)
    made = generator.standard_normal((300, 20)).astype(np.float32)
    found = measured.persisting(made)
    assert found["1-100"]["pairs"] + found["101-1000"]["pairs"] + 20 == found["all"]["pairs"]
    assert measured.correlated(made)["101-1000"] == pytest.approx(measured.correlated(made[100:])["all"])


@pytest.mark.parametrize("size", [1, 4, 37, 100])
def test_chunks_are_seen_as_the_whole(size: int) -> None:
    """Whatever stretches over the end of a chunk: pairs, ages, lags, spells."""
    generator = np.random.default_rng(size)
    weights = np.cumsum(generator.choice([-1, 0, 0.5, 1], (211, 7)), axis=0).astype(np.float32)
    weights[:, 3] = 0.25  # a weight that never moves
    change, gradients = updates.of(weights), generator.choice([-2, 0, 1], (210, 7)).astype(np.float32)
    moves, slopes = persistence.signs(change), persistence.signs(gradients)
    law = threshold.law(change, change.size)
    assert measured.persisting(change, size) == measured.persisting(change)
    assert measured.lengths(change, size) == measured.lengths(change)
    for window, found in measured.correlated(change).items():
        assert measured.correlated(change, size)[window] == pytest.approx(found)
    for scale in (1.0, 0.3):
        bound = dataclasses.replace(law, threshold=law.threshold * scale)
        assert measured.dwelling(change, bound, 0.9, size) == measured.dwelling(change, bound, 0.9)
    pieces, whole = measured.agreeing(moves, slopes, size=size), measured.agreeing(moves, slopes)
    assert (pieces.found(), pieces.curve()) == (whole.found(), whole.curve())
    assert measured.coasting(change, gradients, size) == measured.coasting(change, gradients)
    for window, sizes in measured.sizes(weights, law).found().items():
        assert measured.sizes(weights, law, size).found()[window] == pytest.approx(sizes)


@pytest.mark.slow
def test_a_long_recording_is_gone_through_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers are those of all its rows at once; the sums of many floats may differ in their last digits."""
    shapes = {"a": (4, 3), "b": (5,), "c": (40, 50)}
    recording = Recording.open(write_recording(tmp_path / "run", *noise(shapes, 300)))
    plain = Recording.open(write_recording(tmp_path / "plain", *noise(shapes, 300), rules=[momentum(0.0)]))
    applied = Applied("own", {"own": replay.by_tensor(recording, 250), "plain": replay.by_tensor(plain, 250)})
    whole = measures.of(recording, ("a",), 250, applied)
    monkeypatch.setattr(updates, "CHUNK", 240)
    pieces = measures.of(recording, ("a",), 250, applied)
    assert pieces.keys() == whole.keys()
    assert {name.window for name in whole} >= {"1-100", "101-1000", "all", "whole 101-1000", "whole all"}
    for name, values in whole.items():
        assert pieces[name] == [None if value is None else pytest.approx(value) for value in values], name


KEPT = (
    "",
    "[]",
    "{}",
    "NaN",
    "null",
    "1",
    '{"key": "nonsense"',
    "[" * 100_000,
    '{"key": 1, "numbers": []}',
    b"\xff\x00\xfe",
)


@pytest.fixture
def kept(tiny_build: Build, tmp_path: Path) -> measures.Kept:
    """Return where the measures of one training run would be kept."""
    recording = Recording.open(tiny_build.workspace.run("adam-b1-0-seed3"))
    applied = Applied("adam-b1-0", {"adam-b1-0": replay.by_tensor(recording, 40)})
    return measures.kept(tmp_path, recording, ("l3", "l4", "l5"), 40, applied)


def test_kept_measures_are_those_that_would_be_made(kept: measures.Kept) -> None:
    """They come back from the disk to the last digit, and only under their own key."""
    assert kept.read() is None
    kept.make()
    assert kept.read() == measures.of(Recording.open(kept.source), kept.drawn, kept.steps, kept.applied)
    assert dataclasses.replace(kept, key="another").read() is None


@pytest.mark.parametrize("content", KEPT)
def test_a_damaged_file_of_measures_is_made_anew(kept: measures.Kept, content: str | bytes) -> None:
    """Whatever stands there costs a second, not an error."""
    kept.path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert kept.read() is None
    kept.make()
    assert kept.read() is not None


def test_a_kept_number_that_is_none_is_made_anew(kept: measures.Kept) -> None:
    """A NaN in a file that is whole otherwise would stop the writing of results."""
    kept.make()
    text = kept.path.read_text(encoding="utf-8")
    text, count = re.subn(r'("persistence", "mean_run", "l1", "all", "", )\[[\d.]+\]', r"\1[NaN]", text, count=1)
    assert count == 1
    kept.path.write_text(text, encoding="utf-8")
    assert kept.read() is None


def test_another_recording_with_the_same_description_has_another_key(tmp_path: Path) -> None:
    """Trained again on other data, `run.json` may stay as it was: what the weights came to tells."""
    keys = set()
    for seed in (0, 1):
        weights, gradients = noise({"a": (4, 3)}, 5, seed)
        recording = Recording.open(write_recording(tmp_path / str(seed) / "run", weights, gradients))
        keys.add(measures.kept(tmp_path, recording, (), 5, Applied("made")).key)
        described = (recording.path / "run.json").read_bytes()
    assert described == (tmp_path / "0" / "run" / "run.json").read_bytes()
    assert len(keys) == 2


def test_other_optimizers_have_another_key(tmp_path: Path) -> None:
    """Transplants are measured anew when another label joins the study, or one changes its learning rate."""
    recording = Recording.open(write_recording(tmp_path / "run", *noise({"a": (4, 3)}, 5), rules=[momentum(0.9)]))
    own = replay.by_tensor(recording, 5)
    slower = {name: dataclasses.replace(how, rates=(0.5,) * 5) for name, how in own.items()}
    every: list[dict[str, dict[str, replay.Arithmetic]]] = [{}, {"made": own}, {"made": slower}]
    every += [{"made": own, "other": slower}, {"other": own}]
    keys = {measures.kept(tmp_path, recording, (), 5, Applied("made", each)).key for each in every}
    assert len(keys) == len(every)
