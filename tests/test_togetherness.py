"""Pairs of weights of one unit that move together, against counting them one by one."""

import itertools
from pathlib import Path

import measured
import numpy as np
import pytest
from recordings import descend, momentum, write_recording

from report.analysis import measures, replay, transplants, updates, windows
from report.analysis.measures import Name
from report.analysis.replay import Coins
from report.analysis.togetherness import Togetherness
from report.analysis.transplants import Applied
from report.recording.reader import Recording

Shares = dict[str, dict[str, float | None]]


def counted(sign: np.ndarray, entries: np.ndarray, matrix: tuple[int, int]) -> Shares:
    """Return the shares of pairs that agree, by looking at every pair in every row of every window."""
    found: Shares = {}
    for window, rows in windows.rows(len(sign)).items():
        found[window] = {}
        for place, name in enumerate(("output", "input")):
            units = [divmod(int(entry), matrix[1])[place] for entry in entries]
            mates = [(a, b) for a, b in itertools.combinations(range(len(units)), 2) if units[a] == units[b]]
            pairs = same = 0
            for row in sign[rows].tolist():
                for a, b in mates:
                    if row[a] and row[b]:
                        pairs += 1
                        same += row[a] == row[b]
            found[window][name] = same / pairs if pairs else None
    return found


def together(sign: np.ndarray, entries: np.ndarray, matrix: tuple[int, int], size: int | None = None) -> Shares:
    """Return what the class counts, `size` rows at a time."""
    found = Togetherness(windows.rows(len(sign)), entries, matrix)
    for start in range(0, len(sign), size or len(sign)):
        found.add(start, sign[start : start + (size or len(sign))])
    return found.found()


def signs(rows: int, count: int, seed: int = 0) -> np.ndarray:
    """Return signs of which a third is 0, and more are +1 than -1, (rows, count) int8."""
    return np.random.default_rng(seed).choice([-1, 0, 1], (rows, count), p=[0.2, 0.3, 0.5]).astype(np.int8)


@pytest.mark.parametrize("matrix", [(4, 5), (1, 7), (7, 1), (1, 1)])
def test_whole_tensors_by_pairs(matrix: tuple[int, int]) -> None:
    """Every entry is measured; a matrix with one column has no pair into one output unit."""
    sign = signs(130, matrix[0] * matrix[1])
    entries = np.arange(sign.shape[1])
    assert together(sign, entries, matrix) == counted(sign, entries, matrix)


@pytest.mark.parametrize("order", ["rising", "mixed"])
def test_sampled_tensors_by_pairs(order: str) -> None:
    """Some entries are measured: units with several of them, with one, with none; in whatever order they stand."""
    matrix = (9, 8)
    entries = np.random.default_rng(1).choice(72, 25, replace=False)
    if order == "rising":
        entries.sort()
    sign = signs(120, 25, 2)
    found = together(sign, entries, matrix)
    assert found == counted(sign, entries, matrix)
    assert len(np.unique(entries // 8)) < 25


@pytest.mark.parametrize("size", [1, 7, 100])
def test_chunks_are_counted_as_the_whole(size: int) -> None:
    """Wherever a chunk ends."""
    sign, entries = signs(230, 20, 3), np.arange(20)
    assert together(sign, entries, (4, 5), size) == together(sign, entries, (4, 5))


def test_coins_agree_in_half_of_all_pairs() -> None:
    """Both shares are 0.5 where every sign is drawn alone."""
    found = together(Coins(1).toss(2000, 400), np.arange(400), (20, 20))["all"]
    assert found == {"output": pytest.approx(0.5, abs=0.001), "input": pytest.approx(0.5, abs=0.001)}


def test_units_that_move_as_one() -> None:
    """All weights into one output unit share a sign: 1.0 for them, and 0.5 for those that share an input unit."""
    sign = np.repeat(Coins(2).toss(4000, 30), 10, axis=1)
    found = together(sign, np.arange(300), (30, 10))["all"]
    assert found == {"output": 1.0, "input": pytest.approx(0.5, abs=0.005)}
    turned = np.tile(Coins(2).toss(4000, 10), (1, 30))
    assert together(turned, np.arange(300), (30, 10))["all"]["input"] == 1.0


def test_what_stands_still_makes_no_pair() -> None:
    """One weight that moves in a step has nobody to agree with."""
    sign = np.zeros((5, 6), np.int8)
    assert together(sign, np.arange(6), (2, 3))["all"] == {"output": None, "input": None}
    sign[:, 0] = 1
    assert together(sign, np.arange(6), (2, 3))["all"] == {"output": None, "input": None}
    sign[2, 1] = -1
    assert together(sign, np.arange(6), (2, 3))["all"] == {"output": 0.0, "input": None}


def test_a_recording_is_measured_and_tossed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded signs and those of the first toss, of the entries that are kept of a matrix and measured of those."""
    monkeypatch.setattr(updates, "MOST_ENTRIES", 30)
    kept = np.sort(np.random.default_rng(4).choice(160, 50, replace=False))
    gradients = np.random.default_rng(5).standard_normal((120, 50)).astype(np.float32) + np.float32(0.3)
    weights = descend(gradients, np.zeros(50))
    path = write_recording(
        tmp_path / "run",
        {"w": weights},
        {"w": gradients},
        rules=[momentum(0.9)],
        seed=6,
        shapes={"w": (8, 20)},
        indices={"w": kept},
    )
    recording = Recording.open(path)
    numbers = measures.of(recording, (), 120, Applied("own", {"own": replay.by_tensor(recording, 120)}))
    track = updates.Track(recording, "w")
    entries = kept[track.entries]
    assert len(entries) == 30
    sign = np.sign(np.diff(weights[:, track.entries], axis=0))
    tossed = gradients[:, track.entries] * transplants.coins(recording, "w", 0).toss(120, 30)
    toss = np.sign(np.diff(descend(tossed, np.zeros(30)), axis=0))
    for suffix, each in (("", sign), ("_toss", toss)):
        for window, row in counted(each, entries, (8, 20)).items():
            for name, share in row.items():
                found = numbers[Name("togetherness", name + suffix, "w", window)]
                assert found == [pytest.approx(share, abs=0.002)], (name, suffix, window)
    none = measures.of(recording, (), 120, Applied("own"))
    assert Name("togetherness", "output_toss", "w", "all") not in none
    assert measured.replayed(path, applied=Applied("own")).found() == {}
