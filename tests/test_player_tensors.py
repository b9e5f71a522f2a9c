"""Any tensor is packed for the player: what is read back is what was recorded, and what is left out is said."""

import json

import drawn
import numpy as np
import pytest
from conftest import ROOT
from filmed import PACE
from recordings import noise, write_recording
from test_player import decode, hold

from report import files
from report.analysis.report import analyse
from report.drawing.player import parts, shard
from report.recording.study import Study
from report.workspace import Workspace

SHAPES = {"conv": (4, 3, 3, 3), "bias": (4,), "head.weight": (5, 36), "late": (3, 6)}
KEPT = {"shapes": {"head.weight": (5, 36)}, "indices": {"head.weight": np.arange(1, 180, 4)}}


def record(folder, steps=30, seed=None, label="network"):
    """Write a recording of a network without a chain: of one tensor a sample, another one unfrozen after ten steps."""
    shapes = {**SHAPES, "head.weight": (1, 45)}
    weights, gradients = noise(shapes, steps)
    weights = {name: rows.reshape(len(rows), -1) for name, rows in weights.items()}
    gradients = {name: rows.reshape(len(rows), -1) for name, rows in gradients.items()}
    weights["late"][:10] = np.nan
    gradients["late"][:10] = np.nan
    gradients["conv"][4] = np.nan
    kept = {"shapes": {**SHAPES}, "indices": KEPT["indices"]}
    write_recording(folder, weights, gradients, seed=seed, label=label, series={"loss": np.arange(steps) + 1.0}, **kept)


def packed(folder, tensors=None):
    """Analyse and pack what was recorded below a folder, all tensors offered; return workspace, study and index."""
    workspace, study = Workspace(ROOT, folder / "build", folder / "site"), Study.load(folder / "runs")
    analyse(workspace, study, [])
    drawn.player(workspace, study, PACE, list(study.main.tensors) if tensors is None else tensors)
    return workspace, study, files.read_json(workspace.docs / "player" / "index.json")


def read(workspace, slug, place=0):
    """Return a tensor's index, and what is read of it in one recording, from all shards."""
    folder = workspace.docs / "player"
    index = files.read_json(folder / slug / "index.json")
    entry = index["runs"][place]
    shards = [
        decode((folder / entry["run"] / f"{number:03d}.bin").read_bytes()) for number in range(len(entry["shards"]))
    ]
    weights = np.concatenate([shards[0][2][0][0][:1], *(layers[0][0][1:] for _, _, layers in shards)])
    updates, gradients = (np.concatenate([layers[0][part] for _, _, layers in shards]) for part in (1, 2))
    return index, entry, (weights, updates, gradients)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a packed recording, its study and its index."""
    folder = tmp_path_factory.mktemp("tensors")
    record(folder / "runs" / "run")
    return packed(folder)


def test_every_tensor_is_read_back_as_it_was_recorded(made):
    """Whole ones, vectors, samples, and what was not there yet."""
    workspace, study, _ = made
    for number, name in enumerate(SHAPES, 1):
        index, entry, got = read(workspace, f"t{number}")
        law = entry["laws"][0]
        run = study.main
        hold(got, run.weights(name), run.gradients(name), shard.weight_step(run.weights(name), law["threshold"]))
        assert entry["batches"] == entry["recorded"] == 30
        assert index["layers"][0].get("entries") == (
            KEPT["indices"][name].tolist() if name in KEPT["indices"] else None
        )
        assert index["layers"][0]["shape"] == list(SHAPES[name])
        assert 1 <= index["opening_batch"] <= 30
        updates = np.diff(run.weights(name), axis=0)
        known = updates[np.isfinite(updates)].astype(np.float64)
        share = (np.abs(known - known.mean()) >= law["full"]).mean()
        assert share == pytest.approx(0.005, abs=1.5 / known.size + 1e-3)


def test_the_index_offers_every_tensor_and_says_what_is_shown(made):
    """Without a chain the player opens with the first tensor that is more than a row."""
    workspace, _, index = made
    assert "geometry" not in index
    assert index["opening"] == "t1"
    assert [(each["slug"], each["name"], each["rows"], each["columns"], each["kept"]) for each in index["tensors"]] == [
        ("t1", "conv", 4, 27, "whole"),
        ("t2", "bias", 1, 4, "whole"),
        ("t3", "head.weight", 5, 36, "sample"),
        ("t4", "late", 3, 6, "whole"),
    ]
    assert {each["entries"] for each in index["tensors"]} == {108, 4, 45, 18}
    (entry,) = files.read_json(workspace.docs / "player" / "t2" / "index.json")["runs"]
    assert json.loads((workspace.docs / "player" / entry["loss"]).read_text()) == [float(step) for step in range(1, 31)]


def test_any_two_recordings_can_be_compared(tmp_path):
    """Of any label and seed, the main one's seed first; one that kept other entries of a tensor is left out there."""
    for name, seed, label in [("a", 0, "one"), ("b", 1, "one"), ("c", 1, "two"), ("d", 0, "two")]:
        record(tmp_path / "runs" / name, steps=6, seed=seed, label=label)
    weights, gradients = noise({**SHAPES, "head.weight": (1, 44)}, 6)
    flat = [{name: rows.reshape(len(rows), -1) for name, rows in each.items()} for each in (weights, gradients)]
    other = {"head.weight": KEPT["indices"]["head.weight"][:44]}
    write_recording(tmp_path / "runs" / "e", *flat, seed=0, label="three", shapes=SHAPES, indices=other)
    workspace, _, _ = packed(tmp_path)
    folder = workspace.docs / "player"
    found = [
        (each["label"], each["seed"], each["slug"]) for each in files.read_json(folder / "t1" / "index.json")["runs"]
    ]
    assert found[0] == ("one", 0, "one")
    assert set(found) == {
        ("one", 0, "one"),
        ("two", 0, "two"),
        ("three", None, "three"),
        ("one", 1, "one-seed1"),
        ("two", 1, "two-seed1"),
    }
    assert len(files.read_json(folder / "t3" / "index.json")["runs"]) == 4


def test_what_is_too_much_is_cut_and_said(tmp_path, monkeypatch):
    """A large tensor is a fixed sample, the same when packed again; of a long recording the beginning is there."""
    monkeypatch.setattr(parts, "MOST_TENSOR_VALUES", 18 * 30 + 4 * 30 + 45 * 20 + 60 * 15)
    monkeypatch.setattr(parts, "MOST_CELLS", 100)
    monkeypatch.setattr(parts, "SAMPLE", 60)
    monkeypatch.setattr(parts, "LEAST_STEPS", 10)
    record(tmp_path / "runs" / "run")
    workspace, study, index = packed(tmp_path)
    said = {each["name"]: (each["kept"], each["entries"], each["steps"]) for each in index["tensors"]}
    assert said["bias"] == ("whole", 4, 30)
    assert said["late"] == ("whole", 18, 30)
    assert said["conv"] == ("sample", 60, 15)
    assert said["head.weight"] == ("sample", 45, 20)
    tensor, entry, got = read(workspace, "t1")
    chosen = tensor["layers"][0]["entries"]
    assert chosen == sorted(set(chosen))
    weights, gradients = study.main.weights("conv")[:16, chosen], study.main.gradients("conv")[:15, chosen]
    hold(got, weights, gradients, shard.weight_step(weights, entry["laws"][0]["threshold"]))
    drawn.player(workspace, study, PACE, list(SHAPES))
    assert read(workspace, "t1")[0]["layers"][0]["entries"] == chosen


def test_a_large_report_stays_small():
    """Twelve tensors over a thousand steps, and two hundred over ten thousand: of each there is something to see."""
    for tensors, count, steps in [(12, 65_536, 1000), (12, 1024, 1000), (200, 1000, 10_000)]:
        shares = parts._shares([count * steps] * tensors)
        fits = [parts._fit(count, steps, share) for share in shares]
        assert sum(entries * held for entries, held in fits) <= parts.MOST_TENSOR_VALUES
        assert all(held >= min(steps, parts.LEAST_STEPS) for _, held in fits)


def test_a_tensor_that_is_no_longer_offered_is_removed(made, tmp_path):
    """Nothing of it is published."""
    workspace, study, _ = made
    drawn.player(workspace, study, PACE, ["bias"])
    folder = workspace.docs / "player"
    assert sorted(path.name for path in folder.iterdir()) == ["index.json", "network", "t2"]
    drawn.player(workspace, study, PACE, list(SHAPES))
