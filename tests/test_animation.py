"""The animations: colours against the first article's own loops, pixels against geometry, files against Pillow."""

import dataclasses
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Build
from numpy.typing import NDArray
from PIL import Image

from report import files
from report.config import Experiment, Optimizer
from report.drawing import animation
from report.drawing.animation import clips, colour, films, flashes, geometry, gif, graph, matrix, palette, pixels, words
from report.drawing.animation.gif import Movie
from report.errors import ReportError
from report.training import workers
from report.workspace import Workspace

SCHEMES = ("light", "dark")
Floats = NDArray[np.float64]


def literal_colours(changes: list[Any], batch: int, tf_lists: list[float], ave_lists: list[float]) -> list[list[float]]:
    """Colour every weight of every layer with loops, in the order and by the branches of the first article.

    Args:
        changes: of each layer, by output, input and batch, the change of a weight.
        batch: which batch, from 0.
        tf_lists: threshold of each layer.
        ave_lists: mean of each layer.

    Returns:
        Red, green, blue and alpha of every edge.
    """
    colours = []
    for layer, threshold, mean in zip(changes, tf_lists, ave_lists, strict=True):
        for output in layer:
            for series in output:
                deviation = float(series[batch]) - mean
                if deviation > threshold:
                    colours.append([1.0, 0.0, 0.0, 1.0])
                elif deviation > 0:
                    colours.append([1.0, 0.0, 0.0, (deviation / threshold) ** 2])
                elif deviation < -threshold:
                    colours.append([0.0, 0.0, 1.0, 1.0])
                elif deviation < 0:
                    colours.append([0.0, 0.0, 1.0, (deviation / threshold) ** 2])
                else:
                    colours.append([0.0, 0.0, 0.0, 0.0])
    return colours


def as_rgba(signed: Floats) -> Floats:
    """Return (n, 4) the colours that signed opacities stand for."""
    return np.stack([signed > 0, np.zeros_like(signed), signed < 0, np.abs(signed)], axis=1).astype(float)


def cover(pixels: NDArray[Any], scheme: str, hue: str) -> Floats:
    """Return how much of each (…, 3) pixel a hue covers, from the channel in which it differs most from the paper."""
    paper, full = (palette.rgb(palette.SCHEMES[scheme][name]) for name in ("paper", hue))
    channel = int(np.abs(full - paper).argmax())
    return (pixels[..., channel].astype(float) - paper[channel]) / (full[channel] - paper[channel])


def decode(data: bytes, folder: Path) -> NDArray[np.uint8]:
    """Return (frames, height, width, 3) as a viewer shows a GIF."""
    path = folder / "film.gif"
    path.write_bytes(data)
    with Image.open(path) as image:
        shown = []
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            shown.append(np.asarray(image.convert("RGB")))
    return np.array(shown)


def two_by_two(signed: list[list[float]], **options: Any) -> Movie:
    """Return the film of a layer with two inputs and two outputs; edges: 0→0, 1→0, 0→1, 1→1."""
    return graph.movie(np.array(signed), ["l1"], [(2, 2)], range(1, len(signed) + 1), **options)


# The colour law


def test_colours_are_those_of_the_first_articles_loops(tiny_build: Build) -> None:
    """On the recorded run every edge has, in every frame, the colour that the published loops give it."""
    experiment, recording = tiny_build.experiment, tiny_build.recording
    found = files.read_json(tiny_build.workspace.results)["threshold"][experiment.main_run]
    layers = experiment.recording.whole
    changes = [np.moveaxis(np.diff(recording.weights(layer), axis=0), 0, -1) for layer in layers]
    batches = range(1, 9)
    signed = clips.edges(recording, layers, batches, found)
    for frame, batch in enumerate(batches):
        wanted = literal_colours(
            changes,
            batch - 1,
            [found[layer]["threshold"] for layer in layers],
            [found[layer]["mean"] for layer in layers],
        )
        np.testing.assert_allclose(as_rgba(signed[frame]), wanted, rtol=1e-12, atol=0)


def test_the_law_at_its_edges() -> None:
    """At the mean nothing is drawn; at the threshold and beyond, in either direction, the colour is full."""
    mean, threshold = 0.25, 0.5
    updates = np.array([mean, mean + threshold, mean - threshold, mean + 9, mean - 9, mean + 0.25, mean - 0.125])
    signed = colour.signed_opacity(updates, mean, threshold)
    assert signed.tolist() == [0, 1, -1, 1, -1, 0.25, -0.0625]
    wanted = literal_colours([updates.reshape(1, -1, 1)], 0, [threshold], [mean])
    np.testing.assert_array_equal(as_rgba(signed), wanted)


def test_a_layer_that_hardly_moves_has_a_threshold_of_zero() -> None:
    """Then whatever moves is above it, and nothing divides by zero."""
    assert colour.signed_opacity([0.0, 1e-9, -1e-9], 0.0, 0.0).tolist() == [0, 1, -1]


def test_share_of_colours_that_stay() -> None:
    """Of the strong colours, those count that are strong and alike one frame later; the last frame has no next."""
    signed = np.array([[1.0, 0.3, -0.5, 0.1], [0.4, -0.3, -0.9, 0.9], [0.3, 0.0, 0.1, 0.2]])
    assert colour.stays(signed) == 3 / 7
    assert colour.stays(np.full((3, 2), 0.1)) is None


# Pixels


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("sign", "hue"), [(1, "increase"), (-1, "decrease")])
@pytest.mark.parametrize("strength", [1.0, 0.5, 0.1])
def test_a_lines_cross_section_holds_its_opacity(
    scheme: str, sign: int, hue: str, strength: float, tmp_path: Path
) -> None:
    """Down through a level edge, the pixels' cover adds up to opacity × width, in the right hue and place."""
    pictures = gif.encode(two_by_two([[sign * strength, 0, 0, 0]]), 100)
    places = geometry.network([2, 2])
    y, x = places.nodes[0][0], round(sum(places.columns) / 2)
    shown = decode(pictures.gif[scheme], tmp_path)[0]
    column = cover(shown[round(y) - 4 : round(y) + 4, x], scheme, hue)
    assert column.sum() == pytest.approx(strength * geometry.LINE_WIDTH, abs=0.04)
    # Around the other end of the picture nothing is drawn: node 0 is the lowest.
    other = shown[round(places.nodes[0][1]) - 4 : round(places.nodes[0][1]) + 4, x]
    assert (other == palette.rgb(palette.SCHEMES[scheme]["paper"])).all()


def test_every_edge_lies_where_its_weight_says(tmp_path: Path) -> None:
    """Edge (output, input) joins that input's node to that output's: a quarter of the way along it, it has its hue."""
    places = geometry.network([3, 2, 4])
    shapes, segments = [(2, 3), (4, 2)], places.segments()
    order = [(0, o, i) for o in range(2) for i in range(3)] + [(1, o, i) for o in range(4) for i in range(2)]
    movie = graph.movie(np.eye(len(order)), ["l1", "l2"], shapes, range(1, len(order) + 1))
    shown = decode(gif.encode(movie, 100).gif["light"], tmp_path)
    for edge, (layer, output, inputs) in enumerate(order):
        start = np.array([places.columns[layer], places.nodes[layer][inputs]])
        end = np.array([places.columns[layer + 1], places.nodes[layer + 1][output]])
        np.testing.assert_allclose(segments[edge], [end, start])
        x, y = start + 0.25 * (end - start)
        area = cover(shown[edge][round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3], "light", "increase")
        assert area.max() > 0.6
        others = cover(np.delete(shown, edge, axis=0)[:, round(y) - 1 : round(y) + 2, round(x)], "light", "increase")
        assert others.max() < 0.1


def test_an_edge_too_faint_to_see_is_not_drawn() -> None:
    """Below the faintest opacity a frame is that of a network in which nothing moved."""
    faint = colour.FAINTEST * 0.99
    nothing, little = (gif.encode(two_by_two([[strength] * 4]), 100).gif for strength in (0.0, faint))
    assert nothing == little
    assert gif.encode(two_by_two([[0.05] * 4]), 100).gif != nothing


def test_a_matrix_shows_each_weight_as_one_cell(tmp_path: Path) -> None:
    """Every cell has the hue and, to half a level, the strength of its weight, in the order that was chosen."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 1, (1, 20, 30))
    movie = matrix.movie(lambda: iter(values), [7], "l2", (20, 30))
    shown = decode(gif.encode(movie, 100).gif["light"], tmp_path)[0]
    rows = np.argsort(-np.abs(values[0]).sum(axis=0), kind="stable")
    columns = matrix.similar_together(values[0].sum(axis=1, keepdims=True))
    side = matrix.ACROSS // 20
    left = (matrix.ACROSS + 2 * matrix.LEFT - side * 20) // 2
    for row, column in np.ndindex(30, 20):
        value = values[0, columns[column], rows[row]]
        pixel = shown[matrix.TOP + side * row + side // 2, left + side * column + side // 2]
        found = cover(pixel, "light", "increase" if value > 0 else "decrease")
        assert abs(found - abs(value)) <= 0.5 / matrix.LEVELS + 0.02


def test_the_first_layers_poster_is_where_most_is_to_see() -> None:
    """A frame of many strengths is preferred to one in which all pixels move alike, or half of them and half not."""
    ramp = np.linspace(0, 1, 784)
    amounts = np.array([np.ones(784), (ramp > 0.5).astype(float), ramp, np.zeros(784)])
    assert pixels.movie(amounts, range(1, 5), "l1", (9, 784)).poster == 2
    assert pixels.variety(np.repeat(np.arange(16) / 16, 49), 1.0) == pytest.approx(4)  # 16 strengths alike: 4 bits


def test_pixels_have_the_strength_of_their_amount(tmp_path: Path) -> None:
    """Cell (row, column) of the picture is pixel 28 · row + column of the input."""
    amounts = np.random.default_rng(2).uniform(0, 1, (2, 784))
    shown = decode(gif.encode(pixels.movie(amounts, [1, 2], "l1", (9, 784)), 100).gif["dark"], tmp_path)
    top = np.quantile(amounts, 0.995)
    for row, column in np.ndindex(28, 28):
        place = (pixels.TOP + pixels.CELL * row + 8, pixels.LEFT + pixels.CELL * column + 8)
        found = cover(shown[0][place], "dark", "amount")
        assert found == pytest.approx(min(amounts[0, 28 * row + column] / top, 1), abs=0.02)


def test_rows_that_move_alike_stand_together() -> None:
    """Two groups of opposite direction, shuffled, come apart; what never moves comes last."""
    profiles = np.array([[1, 2, 1], [-1, -2, -1.1], [0, 0, 0], [1, 2.1, 1], [-1, -2, -1], [1.1, 2, 1]])
    order = matrix.similar_together(profiles).tolist()
    assert order[-1] == 2
    ups = [order.index(row) for row in (0, 3, 5)]
    assert max(ups) - min(ups) == 2


# Colours in the file


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_palette_fits_the_two_hues(scheme: str) -> None:
    """One hue alone is off by less than 3 of 255 levels, a mixture of both by less than 6 %."""
    found = palette.two_hues()
    colours = found.colours(scheme).astype(float)
    paper, up, down = (palette.rgb(palette.SCHEMES[scheme][name]) for name in ("paper", "increase", "decrease"))
    levels = np.arange(256) / 255
    for hue, indices in ((up, found.hues[:, 0]), (down, found.hues[0, :])):
        wanted = paper + levels[:, None] * (hue - paper)
        assert np.abs(colours[indices] - wanted).max() <= 2.5
    a, b = np.meshgrid(levels, levels, indexing="ij")
    inside = a + b <= 1  # more than all of a pixel cannot be covered
    wanted = paper + a[..., None] * (up - paper) + b[..., None] * (down - paper)
    error = np.abs(colours[found.hues] - wanted)[inside].max(axis=-1)
    assert error.max() <= 0.06 * 255
    assert error.mean() <= 0.025 * 255


def test_the_schemes_share_their_indices() -> None:
    """The dark GIF is the light one with other colours: all bytes but the palette's are the same."""
    pictures = gif.encode(two_by_two([[1, -1, 0.5, 0], [0, 1, -0.2, 0.9]]), 100)
    light, dark = pictures.gif["light"], pictures.gif["dark"]
    assert light[: gif.PALETTE_AT.start] == dark[: gif.PALETTE_AT.start]
    assert light[gif.PALETTE_AT.stop :] == dark[gif.PALETTE_AT.stop :]
    assert light != dark


def test_what_is_shown_differs_from_what_is_wanted_by_less_than_is_held(tmp_path: Path) -> None:
    """Small changes are not sent, but they do not add up either, and what has gone leaves no trace."""
    rng = np.random.default_rng(1)
    signed = np.clip(np.cumsum(rng.normal(0, 0.02, (30, 4)), axis=0), -1, 1)
    wanted = list(two_by_two(signed.tolist()).frames)
    made = two_by_two(signed.tolist())
    shown = decode(gif.encode(made, 100).gif["light"], tmp_path)
    colours = made.palette.colours("light").astype(int)
    span = max(
        np.abs(palette.rgb(c) - 255).max() for c in (palette.SCHEMES["light"][n] for n in ("increase", "decrease"))
    )
    for frame, indices in zip(shown, wanted, strict=True):
        assert np.abs(frame.astype(int) - colours[indices]).max() <= 2 * palette.HELD * span + 1
        assert (frame[indices == 0] == colours[0]).all()


def test_frames_that_change_nothing_are_kept(tmp_path: Path) -> None:
    """A frame like the one before stands for its time all the same."""
    pictures = gif.encode(two_by_two([[1, 0, 0, 0]] * 3), 100)
    assert pictures.frames == 3
    assert len(decode(pictures.gif["light"], tmp_path)) == 3


# Files


def test_gifs_are_what_the_manifest_says(tiny_build: Build) -> None:
    """Pillow finds the frames, durations, size, bytes and endless loop that are written down, for every animation."""
    manifest = files.read_json(tiny_build.workspace.animations_manifest)
    names = {"network", "network-60", "compare", *(f"layer-{number}" for number in range(1, 6))}
    assert set(manifest) == names
    assert (manifest["network"]["width"], manifest["network"]["height"]) == (500, 1000)
    for name, entry in manifest.items():
        batches = range(entry["first_batch"], entry["last_batch"] + 1, entry["step"])
        assert entry["frames"] == len(batches)
        for scheme in SCHEMES:
            path = tiny_build.workspace.docs / entry["gif"][scheme]
            assert path.stat().st_size == entry["bytes"][scheme]
            with Image.open(path) as image:
                assert image.size == (entry["width"], entry["height"])
                assert image.n_frames == entry["frames"], name
                assert image.info["loop"] == 0
                for frame in range(image.n_frames):
                    image.seek(frame)
                    assert image.info["duration"] == entry["milliseconds"] == 100


def test_posters_are_frames_of_their_gifs(tiny_build: Build) -> None:
    """Pixel for pixel the poster is the frame of the batch that the manifest names."""
    for entry in files.read_json(tiny_build.workspace.animations_manifest).values():
        frame = range(entry["first_batch"], entry["last_batch"] + 1, entry["step"]).index(entry["poster_batch"])
        for scheme in SCHEMES:
            docs = tiny_build.workspace.docs
            with Image.open(docs / entry["gif"][scheme]) as film, Image.open(docs / entry["poster"][scheme]) as poster:
                film.seek(frame)
                np.testing.assert_array_equal(np.asarray(film.convert("RGB")), np.asarray(poster.convert("RGB")))


def test_the_network_film_shows_the_recorded_run(tiny_build: Build, tmp_path: Path) -> None:
    """In the GIF on disk the edge with the strongest colour of each frame has that colour where it runs."""
    experiment, recording = tiny_build.experiment, tiny_build.recording
    found = files.read_json(tiny_build.workspace.results)["threshold"][experiment.main_run]
    layers = experiment.recording.whole
    signed = clips.edges(recording, layers, range(1, 9), found)
    data = (tiny_build.workspace.animations / "network.gif").read_bytes()
    shown = decode(data, tmp_path)
    segments = geometry.network([24, 10, 10, 10]).segments()
    for frame in range(8):
        edge = int(np.abs(signed[frame]).argmax())
        strength = abs(signed[frame, edge])
        hue = "increase" if signed[frame, edge] > 0 else "decrease"
        # Along the line the largest cover within a pixel of it; other lines cross some of the places.
        along = segments[edge, 0] + np.linspace(0.1, 0.9, 60)[:, None] * (segments[edge, 1] - segments[edge, 0])
        peaks = [
            cover(shown[frame, int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2], "light", hue).max() for x, y in along
        ]
        assert np.median(peaks) == pytest.approx(strength, abs=0.15 + 0.3 * strength)
        assert np.median(peaks) > 0.5 * strength


@pytest.mark.parametrize("cores", [1, 2])
def test_the_same_recording_gives_the_same_bytes(
    tiny_build: Build, place: Workspace, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    """Drawn again elsewhere, in this process or in others, every file is the same; a third time nothing is done."""
    monkeypatch.setattr(workers, "cores", lambda _: cores)
    shutil.copytree(tiny_build.workspace.runs, place.runs)
    shutil.copy(tiny_build.workspace.results, place.results)
    done: list[str] = []
    animation.render(place, tiny_build.experiment, lambda number, total, name: done.append(name))
    assert len(done) == 8
    assert len(set(done)) == 8
    assert place.animations_manifest.read_bytes() == tiny_build.workspace.animations_manifest.read_bytes()
    made = {path.name: path.read_bytes() for path in place.animations.iterdir()}
    assert made == {path.name: path.read_bytes() for path in tiny_build.workspace.animations.iterdir()}
    stranger = place.animations / "layer-9.gif"
    stranger.write_bytes(b"of an earlier experiment")
    (place.animations / "layer-4.png").unlink()
    done.clear()
    animation.render(place, tiny_build.experiment, lambda number, total, name: done.append(name))
    assert done == ["layer-4.gif"]
    assert not stranger.exists()


def _die(*_: Any) -> None:
    """Take the whole process down where the system would when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_while_drawing_is_one_line(
    tiny_build: Build, place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the animation; what is drawn stays noted."""
    shutil.copytree(tiny_build.workspace.runs, place.runs)
    shutil.copy(tiny_build.workspace.results, place.results)
    monkeypatch.setattr(workers, "cores", lambda _: 2)
    monkeypatch.setattr(animation, "_draw", _die)
    with pytest.raises(ReportError, match=r"^The process that drew [\w-]+\.gif died, .* Run the command again"):
        animation.render(place, tiny_build.experiment, lambda *_: None)


def test_without_results_the_message_says_what_to_do(tiny_build: Build, place: Workspace) -> None:
    """A person who draws before analysing is told to analyse."""
    shutil.copytree(tiny_build.workspace.runs, place.runs)
    with pytest.raises(ReportError, match="make report"):
        animation.render(place, tiny_build.experiment, lambda *_: None)
    files.write_json(place.results, {"threshold": {}})
    with pytest.raises(ReportError, match="python -m report analyse"):
        animation.render(place, tiny_build.experiment, lambda *_: None)


# Too fast, too large


def test_an_unsafe_film_is_slowed_and_says_so(
    tiny_build: Build, place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film that flashes at its pace is made again, slower, and its caption says why."""
    black, white = np.zeros((300, 400), np.uint8), np.full((300, 400), 64, np.uint8)
    colours = palette.one_hue()

    def flashing(*_: Any) -> Movie:
        return Movie(colours, iter([black, white] * 6), 0, {"weights": 1, "top": 1.0, "beyond": 0.0})

    monkeypatch.setattr(films, "film", flashing)
    shutil.copytree(tiny_build.workspace.runs, place.runs)
    clip = next(clip for clip in clips.plan(tiny_build.experiment, None) if clip.kind == "pixels")
    laws = files.read_json(tiny_build.workspace.results)["threshold"][tiny_build.experiment.main_run]
    drawn = animation._draw(place, tiny_build.experiment, clip, laws)
    assert drawn["milliseconds"] == flashes.SLOW
    assert all(scheme["safe"] for scheme in drawn["flashes"].values())
    assert drawn["flashes"]["light"]["general"]["per_second"] == 3
    entry = animation._entry(tiny_build.experiment, clip, drawn, laws)
    assert f"{flashes.SLOW} ms instead of 100" in entry["caption"]


def test_a_film_that_would_be_too_large_is_made_coarser(
    tiny_build: Build, place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the limit the same film comes out smaller; within it, it is left as it is."""
    shutil.copytree(tiny_build.workspace.runs, place.runs)
    clip = clips.plan(tiny_build.experiment, None)[0]
    laws = files.read_json(tiny_build.workspace.results)["threshold"][tiny_build.experiment.main_run]
    usual = animation._draw(place, tiny_build.experiment, clip, laws)["bytes"]["light"]
    monkeypatch.setattr(films, "most_bytes", lambda _: usual)
    assert animation._draw(place, tiny_build.experiment, clip, laws)["bytes"]["light"] == usual
    monkeypatch.setattr(films, "most_bytes", lambda _: usual - 1)
    assert animation._draw(place, tiny_build.experiment, clip, laws)["bytes"]["light"] < usual


def test_sizes_keep_their_limits(tiny_build: Build) -> None:
    """No animation of a layer is larger than 2 MB, none of the network than 6 MB."""
    for entry in files.read_json(tiny_build.workspace.animations_manifest).values():
        assert entry["bytes"]["light"] <= (2_000_000 if entry["layer"] else 6_000_000)


# Which animations, and what is said of them


def test_the_control_beside_the_main_run(tiny: Experiment) -> None:
    """The same optimizer with the least momentum; another kind only without one; none without a recording."""
    seed = tiny.training.seed
    runs = {optimizer.slug: [tiny.run_name(optimizer, seed)] for optimizer in tiny.optimizers}
    found = clips.beside(tiny, runs)
    assert found is not None
    assert (found.name, found.momentum) == ("Adam", 0.0)
    assert [clip.name for clip in clips.plan(tiny, found)][-1] == "compare"
    assert "compare" not in [clip.name for clip in clips.plan(tiny, None)]
    # Its training run failed; the other control has as much momentum as the main optimizer.
    assert clips.beside(tiny, {**runs, found.slug: []}) is None
    # Of another seed it would not have seen the same batches.
    assert clips.beside(tiny, {**runs, found.slug: [tiny.run_name(found, seed + 1)]}) is None
    slower = tiny.model_copy(update={"optimizer": tiny.optimizers[2]})
    other = clips.beside(slower, {each.slug: [slower.run_name(each, seed)] for each in slower.optimizers})
    assert other == Optimizer(name="Adam", arguments={"lr": 0.001, "betas": [0.0, 0.999]})


def test_both_sides_have_the_same_share_in_full_colour(tiny_build: Build) -> None:
    """In each layer of either run, as many updates as promised reach the threshold."""
    experiment, recording = tiny_build.experiment, tiny_build.recording
    batches = range(5, 25)
    for layer in experiment.recording.whole:
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


def test_captions_state_what_was_measured(tiny_build: Build) -> None:
    """Weights, thresholds and counts in the words are those of the results; the code link is where drawing starts."""
    results = files.read_json(tiny_build.workspace.results)
    manifest = files.read_json(tiny_build.workspace.animations_manifest)
    laws = results["threshold"][results["main"]]
    network = manifest["network"]
    assert f"{results['network']['edges_drawn']:,} weights" in network["caption"]
    for layer in ("l3", "l4", "l5"):
        assert f"{words.number(laws[layer]['threshold'])} in {layer}" in network["caption"]
    signed = clips.edges(tiny_build.recording, ("l3", "l4", "l5"), range(1, 9), laws)
    strong = int((np.abs(signed[network["poster_batch"] - 1]) >= 0.25).sum())
    assert strong == (np.abs(signed) >= 0.25).sum(axis=1).max()
    assert f"{strong} of {signed.shape[1]:,} lines" in network["alt"]
    pair = manifest["compare"]
    assert "Adam, β1 = 0.9" in pair["title"]
    assert "Adam, β1 = 0:" in pair["title"]
    assert pair["runs"] == ["adam-b0.9-seed3", "adam-b0.0-seed3"]
    for entry in manifest.values():
        lines = (animation.HERE.parent.parent / entry["code"]["path"]).read_text(encoding="utf-8").splitlines()
        assert lines[entry["code"]["line"] - 1].startswith("def ")
        assert all(entry[text] for text in ("title", "caption", "alt"))


def test_the_words_follow_the_share_that_stays(tiny: Experiment) -> None:
    """Another share gives another sentence, and no share none."""
    clip = clips.plan(tiny, tiny.optimizers[1])[-1]
    own = dict.fromkeys(clip.layers, 0.001)
    facts = {
        "names": ["A", "B"],
        "weights": 9,
        "strong": [3, 4],
        "stays": [0.5, 0.125],
        "thresholds": [own, own],
        "full_share": 0.01,
        "left_out": 0.1,
    }
    entry = {"facts": facts, "poster_batch": 6, "milliseconds": 100}
    shapes = [tiny.shape(layer) for layer in clip.layers]
    assert "50 % (A) and 12 % (B)" in words.describe(clip, shapes, entry, {}, 100)["caption"]
    facts["stays"] = [None, None]
    assert "next batch" not in words.describe(clip, shapes, entry, {}, 100)["caption"]


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (0.00391, "0.0039"), (0.0000264, "2.6 × 10⁻⁵"), (150, "1.5 × 10²"), (1, "1")],
)
def test_small_numbers_are_written_as_people_do(value: float, written: str) -> None:
    """No 2.6e-05 in a sentence."""
    assert words.number(value) == written


@pytest.mark.parametrize("hidden", [(2,), (3, 2), (4,) * 12, (300, 20)])
def test_any_network_is_drawn(hidden: tuple[int, ...], tiny: Experiment) -> None:
    """One hidden layer or twelve, two nodes or hundreds: every layer has its animation, and frames are made."""
    network = tiny.network.model_copy(update={"hidden": hidden})
    layers = tuple(f"l{number}" for number in range(2, len(hidden) + 2))
    recording = tiny.recording.model_copy(update={"whole": layers})
    experiment = tiny.model_copy(update={"network": network, "recording": recording})
    plan = clips.plan(experiment, None)
    assert [clip.name for clip in plan if clip.name.startswith("layer-")] == [
        f"layer-{number}" for number in range(1, len(hidden) + 2)
    ]
    shapes = [experiment.shape(layer) for layer in layers]
    edges = sum(outputs * inputs for outputs, inputs in shapes)
    rng = np.random.default_rng(0)
    pictures = gif.encode(graph.movie(rng.uniform(-1, 1, (2, edges)), layers, shapes, [1, 2]), 100)
    assert (pictures.width, pictures.height, pictures.frames) == (500, 1000, 2)
    both = graph.pair([rng.uniform(-1, 1, (2, edges))] * 2, ["An optimizer " * 9, "B"], layers, shapes, [1, 2])
    assert gif.encode(both, 100).frames == 2


def test_large_layers_are_matrices(tiny: Experiment) -> None:
    """A layer with more weights than lines can show is a matrix; the layer that sees the pixels is a picture."""
    network = tiny.network.model_copy(update={"hidden": (1000, 100, 10, 10)})
    kinds = [clip.kind for clip in clips.plan(tiny.model_copy(update={"network": network}), None)]
    assert kinds == ["graph", "pixels", "matrix", "graph", "graph", "graph", "graph"]


def test_geometry_is_the_first_articles() -> None:
    """Node i of n stands at i / (n - 1) of the height, the lowest first, in evenly spaced columns."""
    places = geometry.network([100, 10, 10, 10])
    gaps = np.diff(places.columns)
    assert gaps == pytest.approx([gaps[0]] * 3)
    for column in places.nodes:
        low, high = places.nodes[0][0], places.nodes[0][-1]
        assert column == pytest.approx([low + (high - low) * i / (len(column) - 1) for i in range(len(column))])
        assert low > high
    assert geometry.network([5, 1]).nodes[1][0] == pytest.approx(geometry.network([5, 1]).nodes[0][2])
    left, right = geometry.pair([5, 3])
    shift = right.columns[0] - left.columns[0]
    assert dataclasses.replace(right, columns=tuple(x - shift for x in right.columns)) == left
    assert right.columns[0] > left.columns[-1]
