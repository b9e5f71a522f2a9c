"""The player's files hold what was recorded, within the errors that they state; the browser's code reads the same."""

import json
import shutil
import struct
import tomllib
import zlib

import drawn
import numpy as np
import pytest
from conftest import ROOT, run_in_node
from filmed import PACE
from measured import by_run
from recordings import ADAM, SGD, noise, write_recording

from report import files
from report.analysis.report import analyse
from report.drawing.animation import geometry
from report.drawing.player import packing, parts, shard
from report.drawing.player.shard import Layer
from report.errors import ReportError
from report.recording.study import Study
from report.workspace import Workspace

FIRST_PICTURE = 100_000  # bytes of the first shard
WHOLE_RUN = 6_000_000
FIXTURE_SHARD = 440 * 16  # edges × batches: several shards of the tiny network


def decode(data):
    """Read a shard as the table says, slowly: one code after the other.

    Returns (first batch, fingerprint, [(weights (B + 1, E), updates (B, E), gradients (B, E)) of each layer]).
    """
    magic, version, count, first, batches, fingerprint, length = struct.unpack_from("<4sHHIIII", data)
    assert (magic, version) == (b"WiMo", 2)
    start = 24 + 32 * count
    assert len(data) == start + length
    raw = zlib.decompress(data[start:])
    layers, at = [], 0
    for number in range(count):
        outputs, inputs, step, floor, ratio = struct.unpack_from("<IIddd", data, 24 + 32 * number)
        edges = outputs * inputs
        weights, updates = np.zeros((batches + 1, edges)), np.zeros((batches, edges))
        gradients = np.zeros_like(updates)
        low, high = at + 4 * edges, at + (4 + 3 * batches) * edges
        for edge in range(edges):
            level = struct.unpack_from("<i", raw, at + 4 * edge)[0]
            codes, code = [], 0
            for batch in range(batches):
                place = edge * batches + batch
                number_ = sum(raw[low + place + plane * edges * batches] << (8 * plane) for plane in range(3))
                code += number_ // 2 if number_ % 2 == 0 else -(number_ + 1) // 2
                codes.append(code)
                number_ = raw[high + place] | raw[high + place + edges * batches] << 8
                other = number_ // 2 if number_ % 2 == 0 else -(number_ + 1) // 2
                if other == 2**14:
                    gradients[batch, edge] = np.nan
                elif other:
                    gradients[batch, edge] = np.sign(other) * floor * ratio ** (abs(other) - 1)
            unknown = [code == 2**22 for code in codes]
            for batch in range(batches + 1):
                beside = unknown[max(batch - 1, 0) : batch + 1]
                weights[batch, edge] = np.nan if beside and all(beside) else level * step
                if batch < batches and unknown[batch]:
                    updates[batch, edge] = np.nan
                elif batch < batches:
                    steps = max(abs(codes[batch]) - 1, 0) * (1 if codes[batch] > 0 else -1)
                    updates[batch, edge] = step * (steps if steps else 0.25 * np.sign(codes[batch]))
                    level += steps
        layers.append((weights, updates, gradients))
        at += (4 + 5 * batches) * edges
    assert at == len(raw)
    return first, fingerprint, layers


def hold(read, weights, gradients, step):
    """Assert that what was `read` lies within the stated errors of what was recorded."""
    batches = len(gradients)
    got_weights, got_updates, got_gradients = read
    exact = weights.reshape(batches + 1, -1)
    with np.errstate(invalid="ignore"):
        updates = np.diff(exact, axis=0)
    true_gradients = gradients.reshape(batches, -1).astype(np.float64)
    rounding = 1e-6 * np.abs(exact).max(where=np.isfinite(exact), initial=0)  # of float32: updates are differences
    for got, true, error in [
        (got_weights, exact, 0.5 * step * (1 + 1e-9) + rounding),
        (got_updates, updates, step * (1 + 1e-9) + rounding),
        (got_gradients, true_gradients, 0.025 * np.abs(true_gradients) * (1 + 1e-6)),
    ]:
        known = np.isfinite(true)
        assert (np.isfinite(got) == known).all()
        assert (np.abs(got - true)[known] <= np.broadcast_to(error, true.shape)[known]).all()
    for got, true in [(got_updates, updates), (got_gradients, true_gradients)]:
        known = np.isfinite(true)
        assert (np.sign(got[known]) == np.sign(true[known])).all()


def made_up(batches=7, outputs=3, inputs=5, seed=0):
    """Return weights and gradients with everything that could go wrong in them."""
    generator = np.random.default_rng(seed)
    weights = generator.normal(0, 0.3, (batches + 1, outputs, inputs)).astype(np.float32)
    gradients = generator.normal(0, 1, (batches, outputs, inputs)).astype(np.float32)
    weights[:, 0, 0] = 0.1  # never moves
    weights[:, 0, 1] = 0.1 + 1e-8 * np.arange(batches + 1) % 2  # hardly
    weights[:, 0, 2] = np.linspace(5, -5, batches + 1)  # by leaps
    gradients[:, 0, 0] = 0
    gradients[::2, 0, 1] = -0.0
    gradients[0, 1, :5] = [
        1e-40,
        -1e-38,
        1e30,
        -3e38,
        1e-45,
    ]  # beyond float32's normal range
    return weights, gradients


@pytest.mark.parametrize("threshold", [1e-2, 1e-4, 0.0, 1e-30, 10.0])
def test_anything_is_read_back_within_the_stated_errors(threshold):
    """Exact zeros stay zeros, every sign is kept, whatever the threshold; the step only grows where it must."""
    weights, gradients = made_up()
    step = shard.weight_step(weights, threshold)
    assert step == pytest.approx(0.005 * threshold) or (threshold < 1e-3 and step < 1e-4)
    floor = float(np.abs(gradients[gradients != 0]).min())
    layer = Layer(weights, gradients, step, floor)
    first, fingerprint, (read,) = decode(shard.encode([layer], 41, 0xDEADBEEF))
    assert (first, fingerprint) == (41, 0xDEADBEEF)
    hold(read, weights, gradients, step)


def test_what_is_not_known_is_read_back_as_not_known():
    """Weights before and after they are there, a gradient that is absent or infinite; nothing else is lost."""
    weights, gradients = made_up(9)
    weights[:3, 1] = np.nan  # of a tensor that was unfrozen late
    weights[6:, 2, 1] = np.inf
    weights[7:, 2, 2] = np.nan
    weights[:, 2, 3] = np.nan
    weights[:9, 2, 4] = np.nan  # the last weight alone: no update is known, and so the weight is not read
    gradients[:4, 1] = np.nan
    gradients[5, 2] = np.inf
    step = shard.weight_step(weights, 1e-3)
    assert np.isfinite(step)
    _, _, (read,) = decode(shard.encode([Layer(weights, gradients, step, shard.gradient_floor(gradients))], 1, 0))
    weights[9:, 2, 4] = np.nan
    hold(read, weights, gradients, step)


def test_layers_follow_each_other():
    """Each with its own shape and step."""
    parts = [Layer(*made_up(4, *shape, seed), 0.001, 1e-46) for seed, shape in enumerate([(3, 5), (2, 5), (4, 7)])]
    _, _, read = decode(shard.encode(parts, 1, 0))
    for part, layer in zip(parts, read, strict=True):
        hold(layer, part.weights, part.gradients, part.step)


def test_the_table_states_the_constants():
    """What a person reads about the format is what the code does."""
    text = (ROOT / "templates" / "en" / "_format.md.j2").read_text(encoding="utf-8")
    assert f"one step, {100 * shard.STEP:g} % of τ" in text
    assert f"half a step, {50 * shard.STEP:g} % of" in text
    error = np.sqrt(shard.GRADIENT_RATIO) - 1
    assert 0.024 < error <= 0.025
    assert "2.5 % of itself" in text
    assert shard.HEADER.size == 24
    assert f"| {shard.LAYER.size} · L |" in text
    assert f"`{shard.MAGIC.decode()}`" in text
    assert f"version of this format, {shard.VERSION} |" in text


@pytest.fixture(scope="module")
def index(tiny_build):
    """Return the tiny build's index."""
    return files.read_json(tiny_build.workspace.docs / "player" / "index.json")


def test_the_tiny_build_is_read_back_whole(tiny_build, index):
    """Every training run that the player offers, every shard, against the recording."""
    folder = tiny_build.workspace.docs / "player"
    names = ["adam-b1-0.9-seed3", "adam-b1-0-seed3", "sgd-with-momentum-0.9-seed3"]
    assert [entry["run"] for entry in index["runs"]] == names
    for entry in index["runs"][::2]:
        run = tiny_build.study.find(entry["label"], 3)
        assert entry["run"] == run.name
        assert entry["batches"] == run.steps
        loss = json.loads((folder / entry["loss"]).read_text())
        np.testing.assert_allclose(loss, run.series["train_loss"][: run.steps], rtol=5e-4)
        start = 0
        for number, size in enumerate(entry["shards"]):
            data = (folder / entry["run"] / f"{number:03d}.bin").read_bytes()
            assert len(data) == size
            first, fingerprint, layers = decode(data)
            assert (first, fingerprint) == (start + 1, entry["fingerprint"])
            stop = start + len(layers[0][1])
            for law, layer, read in zip(entry["laws"], index["layers"], layers, strict=True):
                weights = run.weights(layer["name"])
                step = shard.weight_step(weights, law["threshold"])
                hold(read, weights[start : stop + 1], run.gradients(layer["name"])[start:stop], step)
            start = stop
        assert start == run.steps


def test_a_whole_main_run_stays_small(tiny_build, index):
    """So many bytes a value, for the 3,000 batches and 1,200 edges of the default experiment, and a first shard."""
    for entry in index["runs"]:
        edges = sum(layer["outputs"] * layer["inputs"] for layer in index["layers"])
        per_value = sum(entry["shards"]) / (entry["batches"] * edges)
        assert per_value * 3000 * 1200 < WHOLE_RUN
        assert per_value * packing.SHARD_VALUES < FIRST_PICTURE  # these batches, the first, are the liveliest
    assert (tiny_build.workspace.docs / "player" / "index.json").stat().st_size < 10_000


def test_the_index_says_what_others_draw_with(tiny_build, index):
    """Geometry, thresholds and the first picture are those of the films; the article's comparison is offered first."""
    build = tiny_build
    shapes = [build.recording.tensors[layer["name"]].matrix for layer in index["layers"]]
    assert index["geometry"] == geometry.network([shapes[0][1], *(shape[0] for shape in shapes)]).as_json()
    laws = by_run(build.workspace)["threshold"][build.recording.name]
    for layer, law in zip(index["layers"], index["runs"][0]["laws"], strict=True):
        assert {name: law[name] for name in ("mean", "threshold")} == {
            name: laws[layer["name"]][name] for name in ("mean", "threshold")
        }
    films = files.read_json(build.workspace.animations_manifest)
    assert index["opening_batch"] == films["network"]["poster_batch"]
    assert (index["main"], index["compare_first"]) == ("adam-b1-0.9", "adam-b1-0")


def test_the_index_says_how_gradients_became_updates(index):
    """What the browser replays them with: the optimizer's own settings."""
    adam = {"averaged": True, "decay": 0.999, "epsilon": 1e-8, "weight_decay": 0.0, "rate": 0.001}
    sgd = {"averaged": False, "decay": None, "epsilon": 0.0, "weight_decay": 0.0, "rate": 0.01}
    assert [entry["arithmetic"] for entry in index["runs"]] == [
        {**adam, "momentum": 0.9},
        {**adam, "momentum": 0.0},
        {**sgd, "momentum": 0.9},
    ]


def test_a_control_has_the_law_of_its_own_updates(tiny_build, index):
    """The threshold is the size of one of its own deviations, with as many above it as the definition asks for."""
    entry = index["runs"][1]
    run = tiny_build.study.find(entry["label"], 3)
    for layer, law in zip(index["layers"], entry["laws"], strict=True):
        updates = np.diff(run.weights(layer["name"]), axis=0).astype(np.float64).ravel()
        smallest = run.steps * 100
        rank = int(smallest * 0.0001 * np.sqrt(len(updates) / smallest))
        sizes = np.sort(np.abs(updates - updates.mean()))[::-1]
        assert law["mean"] == pytest.approx(updates.mean(), rel=1e-9)
        assert law["threshold"] == pytest.approx(sizes[rank], rel=1e-9)
        assert (sizes >= law["full"]).mean() == pytest.approx(index["full_share"], rel=0.02)


@pytest.fixture
def copy(tiny_build, tmp_path):
    """Return a workspace that has the tiny build's results, but no player yet."""
    (tmp_path / "build").mkdir()
    shutil.copy(tiny_build.workspace.results, tmp_path / "build")
    shutil.copytree(tiny_build.workspace.numbers, tmp_path / "build" / "numbers")
    return Workspace(ROOT, tmp_path / "build", tmp_path / "site")


def content(workspace):
    """Return the player's files by name, with what is in them and when they were written."""
    folder = workspace.docs / "player"
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_packing_again_gives_the_same_bytes_and_writes_nothing(tiny_build, copy):
    """In another folder, and in the same."""
    drawn.player(copy, tiny_build.study, PACE)
    assert content(copy) == content(tiny_build.workspace)
    times = {path: path.stat().st_mtime_ns for path in copy.docs.rglob("*")}
    drawn.player(copy, tiny_build.study, PACE)
    assert {path: path.stat().st_mtime_ns for path in copy.docs.rglob("*")} == times


def test_a_lost_shard_is_made_again_and_a_strange_one_removed(tiny_build, copy):
    """Nothing of an earlier experiment is published."""
    drawn.player(copy, tiny_build.study, PACE)
    before = content(copy)
    folder = copy.docs / "player"
    next(folder.glob("adam-b1-0-*/000.bin")).unlink()
    (folder / "gone-seed0").mkdir()
    (folder / "gone-seed0" / "000.bin").write_bytes(b"old")
    drawn.player(copy, tiny_build.study, PACE)
    assert content(copy) == before
    assert not (folder / "gone-seed0").exists()


def test_without_results_it_says_what_to_do(tiny_build, copy):
    """One line, no traceback."""
    files.write_json(copy.results, {"threshold": {}})
    with pytest.raises(ReportError, match=r'of adam-b1-0\.9-seed3 .* Run "python -m report analyse" first'):
        drawn.player(copy, tiny_build.study, PACE)


def packed(folder, study):
    """Analyse and pack a study below a folder; return the workspace and the index, None where there is none."""
    workspace = Workspace(ROOT, folder / "build", folder / "site")
    analyse(workspace, study, [])
    drawn.player(workspace, study, PACE)
    path = workspace.docs / "player" / "index.json"
    return workspace, files.read_json(path) if path.is_file() else None


def test_without_a_chain_there_is_no_player(tmp_path, tiny_build):
    """Convolutions and vectors make no graph: nothing is packed, and what was is removed."""
    weights, gradients = noise({"conv": (4, 3, 3, 3), "bias": (4,)}, 5)
    write_recording(tmp_path / "runs" / "run", weights, gradients)
    shutil.copytree(tiny_build.workspace.docs / "player", tmp_path / "build" / "docs" / "player")
    (tmp_path / "build" / "docs" / "player" / "t1" / "gone").mkdir(parents=True)
    workspace, index = packed(tmp_path, Study.load(tmp_path / "runs"))
    assert index is None
    assert list((workspace.docs / "player").iterdir()) == []


def test_one_label_without_a_loss_is_packed(tmp_path):
    """Names that an address cannot hold, a loss with gaps, a step without a gradient: there is a player."""
    weights, gradients = noise({"0": (4, 3), "重み #1": (2, 4)}, 6)
    gradients["0"][2] = np.nan
    events = [{"row": 2, "tensor": 0, "present": False}, {"row": 3, "tensor": 0, "present": True}]
    loss = {"train_loss": np.array([1, 2, np.nan, 1, 1, 1])}
    folder = tmp_path / "runs" / "日本 語 #?"
    write_recording(folder, weights, gradients, label="日本 ?", events=events, series=loss)
    study = Study.load(tmp_path / "runs")
    workspace, index = packed(tmp_path, study)
    (entry,) = index["runs"]
    assert entry["run"] == entry["slug"] == index["main"] == study.slug("日本 ?")
    assert entry["run"].isascii()
    assert entry["loss"] is None
    assert index["compare_first"] is None
    assert [layer["name"] for layer in index["layers"]] == ["0", "重み #1"]
    _, _, layers = decode((workspace.docs / "player" / entry["run"] / "000.bin").read_bytes())
    for name, law, read in zip(weights, entry["laws"], layers, strict=True):
        hold(read, weights[name], gradients[name], shard.weight_step(weights[name], law["threshold"]))


@pytest.mark.parametrize("named", [[("adam", None), ("adam", 0)], [("adam", 1), ("adam-seed1", None)]])
def test_no_two_recordings_have_one_name(tmp_path, named):
    """One without a seed beside one that has some; and a label that ends as another's seed does."""
    made = noise({"l.weight": (4, 3)}, 20)
    folders = [
        write_recording(tmp_path / f"r{place}", *made, label=label, seed=seed, rules=[ADAM])
        for place, (label, seed) in enumerate(named)
    ]
    study, place = Study.load(folders), Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    analyse(place, study, [])
    drawn.player(place, study, PACE, ["l.weight"])  # with tensors, recordings of every seed are offered
    entries = json.loads((place.docs / "player" / "index.json").read_text())["runs"]
    for key in ("slug", "run"):
        assert len({entry[key] for entry in entries}) == len(named)
    assert all((place.docs / "player" / entry["run"] / "000.bin").is_file() for entry in entries)
    assert study.main.name == "r0"
    assert entries[0]["slug"] == "adam"


def test_what_is_lost_or_sampled_is_not_offered(tmp_path):
    """Of a control that diverged, or that was sampled, the player could not show every weight."""
    weights, gradients = noise({"a": (4, 3)}, 6)
    rules = [("Adam", {**ADAM[1], "betas": [0.0, 0.999]})]
    write_recording(tmp_path / "runs" / "main", weights, gradients, label="main", role="main")
    write_recording(tmp_path / "runs" / "other", weights, gradients, label="other", rules=[SGD])
    write_recording(tmp_path / "runs" / "without", weights, gradients, label="without momentum", rules=rules)
    write_recording(tmp_path / "runs" / "seed", weights, gradients, label="of another seed", seed=1)
    lost = {"a": weights["a"].copy()}
    lost["a"][5:] = np.nan
    write_recording(tmp_path / "runs" / "lost", lost, gradients, label="lost")
    some, others = ({"a": rows["a"].reshape(len(rows["a"]), -1)[:, :5]} for rows in (weights, gradients))
    kept = {"shapes": {"a": (4, 3)}, "indices": {"a": np.arange(5)}}
    write_recording(tmp_path / "runs" / "sampled", some, others, label="sampled", **kept)
    _, index = packed(tmp_path, Study.load(tmp_path / "runs"))
    assert [entry["label"] for entry in index["runs"]] == ["main", "other", "without momentum"]
    assert index["compare_first"] == "without-momentum"


def test_the_beginning_of_a_long_recording_is_packed(tmp_path, monkeypatch):
    """Nobody loads gigabytes into a page."""
    monkeypatch.setattr(parts, "MOST_EDGE_VALUES", 12 * 20)
    weights, gradients = noise({"a": (4, 3)}, 50)
    write_recording(tmp_path / "runs" / "run", weights, gradients, series={"train_loss": np.ones(50)})
    _, index = packed(tmp_path, Study.load(tmp_path / "runs"))
    (entry,) = index["runs"]
    assert (entry["batches"], entry["recorded"]) == (20, 50)


@pytest.fixture
def fixtures(tiny_build, copy, monkeypatch):
    """Return a folder for JavaScript's tests: the tiny build in several shards, and what must come out of them."""
    monkeypatch.setattr(packing, "SHARD_VALUES", FIXTURE_SHARD)
    drawn.player(copy, tiny_build.study, PACE)
    folder = copy.docs / "player"
    run = tiny_build.recording
    index = files.read_json(folder / "index.json")
    layers = [layer["name"] for layer in index["layers"]]
    shapes = [run.tensors[layer].matrix for layer in layers]
    weights = np.concatenate([run.weights(layer) for layer in layers], axis=1)  # (batches + 1, edges)
    gradients = np.concatenate([run.gradients(layer) for layer in layers], axis=1)  # (batches, edges)
    laws = index["runs"][0]["laws"]
    parts = [np.full(np.prod(shape), number) for number, shape in enumerate(shapes)]
    of_edge = np.concatenate(parts)
    mean, threshold = (np.array([law[name] for law in laws])[of_edge] for name in ("mean", "threshold"))
    updates = np.diff(weights, axis=0)
    deviation = updates - mean
    segments = geometry.network([shapes[0][1], *(outputs for outputs, _ in shapes)])
    files.write_json(
        folder / "expected.json",
        {
            "weights": weights.astype(float).tolist(),
            "updates": updates.astype(float).tolist(),
            "gradients": gradients.astype(float).tolist(),
            "signed": (np.sign(deviation) * np.minimum((deviation / threshold) ** 2, 1)).tolist(),
            "steps": [0.005 * float(value) for value in threshold],
            "segments": segments.segments().reshape(-1, 4).tolist(),
        },
    )
    texts = (ROOT / "templates" / "en" / "words" / "interface.toml").read_text(encoding="utf-8")
    files.write_json(folder / "words.json", tomllib.loads(texts))
    return folder


@pytest.mark.slow
def test_javascript_reads_what_python_wrote(fixtures):
    """The tests in tests/player, in Node, on these very files."""
    run_in_node("player", PLAYER_FIXTURES=fixtures)
    assert json.loads((fixtures / "index.json").read_text())["runs"][0]["shards"]  # the files are still there
