"""Which animations a study has, and of what kind; also of networks unlike the article's."""

from pathlib import Path
from typing import Any

import drawn
import numpy as np
import pytest
from conftest import Build
from filmed import PACE, Shapes, adam, plan_of, study_of
from recordings import SGD, Rule, noise, record_cnn, write_recording

from report import files
from report.analysis.report import analyse
from report.drawing import scales
from report.drawing.animation import clips, gif, graph
from report.recording.study import Study
from report.workspace import Workspace


def test_the_control_beside_the_main_run(tmp_path: Path) -> None:
    """The same optimizer with the least momentum; another kind only without one; none of another seed."""
    weights, gradients = noise({"a": (3, 2)}, 6)

    def add(label: str, rules: tuple[Rule], seed: int = 3, **others: Any) -> None:
        write_recording(tmp_path / f"{label} {seed}", weights, gradients, label=label, rules=rules, seed=seed, **others)

    def beside() -> str | None:
        found = clips.beside(Study.load(tmp_path), ("a",))
        return None if found is None else found.label

    add("main", adam(0.9), role="main")
    assert beside() is None
    assert "compare" not in plan_of(Study.load(tmp_path), ("a",))
    add("as much", (("SGD", {**SGD[1], "momentum": 0.9}),))
    add("none, of another seed", adam(0.0), seed=4)
    assert beside() is None
    add("none, of another kind", (SGD,))
    assert beside() == "none, of another kind"
    add("less", adam(0.5))
    assert beside() == "less"
    add("least", adam(0.1))
    assert beside() == "least"
    clip = plan_of(Study.load(tmp_path), ("a",))["compare"]
    assert clip.labels == ("main", "least")
    assert clip.batches == range(4, 7)
    assert [recording.label for recording in clip.recordings(Study.load(tmp_path))] == ["main", "least"]


def test_a_sampled_control_is_not_beside(tmp_path: Path) -> None:
    """Of it there are no lines to draw."""
    weights, gradients = noise({"a": (3, 2)}, 6)
    write_recording(tmp_path / "main", weights, gradients, label="main", role="main")
    some, others = ({"a": rows["a"].reshape(len(rows["a"]), -1)[:, :2]} for rows in (weights, gradients))
    kept = {"shapes": {"a": (3, 2)}, "indices": {"a": np.arange(2)}}
    write_recording(tmp_path / "control", some, others, label="control", rules=adam(0.0), **kept)
    assert clips.beside(Study.load(tmp_path), ("a",)) is None


def test_both_sides_have_the_same_share_in_full_colour(tiny_build: Build) -> None:
    """In each layer of either run, as many updates as promised reach the threshold."""
    recording = tiny_build.recording
    batches = range(5, 25)
    for layer in ("l3", "l4", "l5"):
        law = clips.equal_laws(recording, (layer,), batches)[layer]
        sizes = sorted(
            (
                abs(float(value) - law["mean"])
                for batch in batches
                for value in (recording.weights(layer)[batch] - recording.weights(layer)[batch - 1]).ravel()
            ),
            reverse=True,
        )
        reached = sum(size >= law["threshold"] for size in sizes)
        assert abs(reached - clips.FULL_SHARE * len(sizes)) <= 1


def test_what_is_drawn_has_no_words() -> None:
    """Above a pair stand the symbols that tell its sides apart, if there are any: one film serves every language."""
    assert clips.settings(["Adam, β1 = 0.9", "Adam, β1 = 0"]) == ["β1 = 0.9", "β1 = 0"]
    assert clips.settings(["Adam, β1 = 0.9", "SGD"]) == ["", ""]
    assert clips.settings(["Adam, β1 = 0.9", "Adam with clipping, β1 = 0.9"]) == ["", ""]


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [(2,), (3, 2), (4,) * 12, (300, 20)])
def test_any_network_is_drawn(hidden: tuple[int, ...], tmp_path: Path) -> None:
    """One hidden layer or twelve, two nodes or hundreds: every layer has its animation, and frames are made."""
    sizes = (784, *hidden, 10)
    shapes = {f"l{place + 1}": (sizes[place + 1], sizes[place]) for place in range(len(sizes) - 1)}
    layers = tuple(shapes)[1:]
    plan = plan_of(study_of(tmp_path, shapes), layers)
    assert [name for name in plan if name.startswith("layer-")] == [
        f"layer-{number}" for number in range(1, len(hidden) + 2)
    ]
    drawn = [shapes[layer] for layer in layers]
    edges = sum(outputs * inputs for outputs, inputs in drawn)
    rng = np.random.default_rng(0)
    pictures = gif.encode(graph.movie(rng.uniform(-1, 1, (2, edges)), layers, drawn, [1, 2]), 100)
    assert (pictures.width, pictures.height, pictures.frames) == (500, 1000, 2)
    both = graph.pair([rng.uniform(-1, 1, (2, edges))] * 2, ["An optimizer " * 9, "B"], layers, drawn, [1, 2])
    assert gif.encode(both, 100).frames == 2


PIXELS = {"data": {"shape": [28, 28]}}


@pytest.mark.parametrize(
    ("shapes", "about", "kinds"),
    [
        # A layer with more weights than lines can show is a matrix; the one that sees the pixels is a picture.
        ({"a": (99, 784), "b": (64, 99), "c": (8, 64)}, PIXELS, {1: "pixels", 2: "matrix", 3: "graph"}),
        # 784 inputs alone do not make a picture: not without one, not deeper in the network, not in colours.
        ({"a": (2, 784)}, {}, {1: "graph"}),
        ({"a": (2, 784)}, {"data": {"shape": [784]}}, {1: "graph"}),
        ({"a": (2, 784)}, {"data": {"shape": [4, 14, 14]}}, {1: "graph"}),
        ({"a": (784, 9), "b": (5, 784)}, PIXELS, {1: "matrix", 2: "graph"}),
        ({"a": (5, 64)}, {"data": {"shape": [8, 8]}}, {1: "pixels"}),
        # A convolution reads as a matrix; a vector has no film, and what is too wide for a screen has none either.
        ({"a": (4, 3, 3, 3), "b": (4,), "c": (3, 5000), "d": (1, 6)}, {}, {1: "graph", 4: "graph"}),
    ],
)
def test_which_layers_have_a_film_and_of_what_kind(
    shapes: Shapes, about: dict[str, Any], kinds: dict[int, str], tmp_path: Path
) -> None:
    """By its size, and by what the network looks at; named by its place in the recording."""
    plan = plan_of(study_of(tmp_path, shapes, about=about))
    assert {name: clip.kind for name, clip in plan.items()} == {f"layer-{place}": kind for place, kind in kinds.items()}


def test_a_sampled_layer_has_a_film_of_what_was_kept_whole(tmp_path: Path) -> None:
    """Its first states, if there are any; without them there is nothing to draw."""
    weights, gradients = noise({"a": (3, 4), "b": (5, 4)}, 6)
    sampled = {name: rows.reshape(len(rows), -1)[:, :3] for name, rows in weights.items()}
    used = {name: rows.reshape(len(rows), -1)[:, :3] for name, rows in gradients.items()}
    write_recording(
        tmp_path / "run",
        sampled,
        used,
        shapes={"a": (3, 4), "b": (5, 4)},
        indices={"a": np.arange(3), "b": np.arange(3)},
        first={"a": weights["a"][:5], "b": weights["b"][:5]},
    )
    plan = plan_of(Study.load(tmp_path))
    assert [(name, clip.batches) for name, clip in plan.items()] == [("layer-1", range(1, 5)), ("layer-2", range(1, 5))]
    shown = np.array(list(clips.updates(Study.load(tmp_path).main, "b", plan["layer-2"].batches)))
    np.testing.assert_array_equal(shown, np.diff(weights["b"], axis=0)[:4])
    write_recording(
        tmp_path / "without" / "run",
        {"a": sampled["a"]},
        {"a": used["a"]},
        shapes={"a": (3, 4)},
        indices={"a": np.arange(3)},
    )
    assert plan_of(Study.load(tmp_path / "without")) == {}


def test_there_are_no_more_films_than_a_site_can_carry(tmp_path: Path) -> None:
    """Of many layers those of the graph first, then others from end to end."""
    shapes = {f"{number}": (2, 2) for number in range(60)}
    plan = plan_of(study_of(tmp_path, shapes), ("30", "31"))
    films = [int(name.removeprefix("layer-")) for name in plan if name.startswith("layer-")]
    assert len(films) == clips.MOST_FILMS
    assert {31, 32, 1, 60} <= set(films)  # counted from 1


@pytest.mark.slow
def test_whole_over_a_huge_layer_draws_no_huge_graph(tmp_path: Path, place: Workspace) -> None:
    """885,200 lines are neither drawn nor counted: the graph is what fits."""
    study = study_of(tmp_path, {"a": (300, 784), "b": (30, 300), "c": (10, 30)}, about=PIXELS)
    analyse(place, study, [])
    drawn.animations(place, study, PACE)
    manifest = files.read_json(place.animations_manifest)
    assert files.read_json(place.results)["drawn"] == ["c"]
    assert manifest["network"]["said"]["layers"] == ["c"]
    assert manifest["network"]["said"]["weights"] == 300
    assert {name: clip.kind for name, clip in plan_of(study, ("c",)).items()} == {
        "network": "network",
        "layer-1": "pixels",
        "layer-2": "matrix",
        "layer-3": "graph",
    }


@pytest.mark.slow
def test_without_a_chain_there_is_no_network(tmp_path: Path, place: Workspace) -> None:
    """Convolutions and vectors have films of their own, or none; there is no graph, and nothing to compare."""
    shapes = {"conv": (4, 3, 3, 3), "bias": (4,), "重み": (6, 2, 3)}
    for label, beta in (("A", 0.9), ("B", 0.0)):
        weights, gradients = noise(shapes, 6)
        write_recording(tmp_path / label, weights, gradients, label=label, seed=0, rules=adam(beta))
    study = Study.load(tmp_path)
    analyse(place, study, [])
    drawn.animations(place, study, PACE)
    manifest = files.read_json(place.animations_manifest)
    assert set(manifest) == {"layer-1", "layer-3"}
    assert manifest["layer-1"]["said"]["weights"] == 4 * 27
    assert manifest["layer-3"]["layer"] == "重み"


@pytest.mark.slow
def test_a_convolutional_network_is_filmed(tmp_path: Path, place: Workspace) -> None:
    """Its head is the graph; sampled layers are shown for as long as they were kept whole."""
    record_cnn(tmp_path / "run", steps=12)
    study = Study.load(tmp_path)
    analyse(place, study, [])
    drawn.animations(place, study, PACE)
    manifest = files.read_json(place.animations_manifest)
    layers = {entry["layer"]: entry["frames"] for entry in manifest.values() if entry["layer"]}
    assert layers == {"0.weight": 8, "3.weight": 3, "6.weight": 8, "8.weight": 8}
    assert manifest["network"]["said"]["layers"] == ["6.weight", "8.weight"]
    assert manifest["network"]["said"]["weights"] == 54 * 16 + 16 * 5


@pytest.mark.slow
def test_weights_that_nothing_moves_or_that_are_lost_are_not_drawn(tmp_path: Path, place: Workspace) -> None:
    """A layer without a gradient stands still; one that became infinite is drawn as far as it is known."""
    weights, gradients = noise({"idle": (3, 2), "a": (4, 3), "lost": (2, 4)}, 12)
    weights["idle"][:] = weights["idle"][0]
    gradients["idle"][:] = np.nan
    weights["lost"][5:] = np.inf
    weights["lost"][6:] = np.nan
    events = [{"row": 0, "tensor": 0, "present": False}]
    write_recording(tmp_path / "run", weights, gradients, events=events)
    study = Study.load(tmp_path)
    analyse(place, study, [])
    law, layers = scales.read(place, study)
    assert layers == ("idle", "a", "lost")
    signed = clips.edges(study.main, layers, range(1, 13), law)
    assert np.isfinite(signed).all()
    assert not signed[:, :6].any()
    assert signed[:, 6:18].any(axis=1).all()
    assert (signed[4, 18:] == 1).all()  # infinitely far up: full colour
    assert not signed[6:, 18:].any()
    drawn.animations(place, study, PACE)
    assert "network" in files.read_json(place.animations_manifest)
