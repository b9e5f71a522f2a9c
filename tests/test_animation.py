"""The animations: colours against the first article's own loops, pixels against geometry, files against Pillow."""

import dataclasses
import itertools
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import drawn
import numpy as np
import pytest
from conftest import ROOT, Build
from measured import by_run
from numpy.typing import NDArray
from PIL import Image
from recordings import ADAM, SGD, Rule, noise, record_cnn, write_recording

from report import files
from report.analysis.report import analyse
from report.drawing import scales
from report.drawing.animation import (
    clips,
    colour,
    films,
    flashes,
    geometry,
    gif,
    graph,
    matrix,
    palette,
    pixels,
    render,
)
from report.drawing.animation.clips import Pace
from report.drawing.animation.gif import Movie
from report.drawing.animation.overlay import LABEL_WIDTH, BatchLabel
from report.errors import ReportError
from report.products import CODE
from report.recording.study import Study
from report.site.words import Words
from report.training import workers
from report.workspace import Workspace

SCHEMES = ("light", "dark")
LANGUAGES = ("en", "ja")
PACE = Pace(frames=8, milliseconds=100, long_batches=60, long_step=10)  # as in tests/tiny.toml
Floats = NDArray[np.float64]
Shapes = Mapping[str, tuple[int, ...]]


def study_of(folder: Path, shapes: Shapes, steps: int = 2, **others: Any) -> Study:
    """Return a study of one recording on noise; `others` go to `write_recording`."""
    weights, gradients = noise(shapes, steps)
    write_recording(folder / "run", weights, gradients, **others)
    return Study.load(folder)


def plan_of(study: Study, drawn: tuple[str, ...] = (), pace: Pace = PACE) -> dict[str, clips.Clip]:
    """Return the clips of a study by name; every tensor has a colour scale."""
    return {clip.name: clip for clip in clips.plan(study, pace, drawn, study.main.tensors)}


def caption(language: str, entry: Mapping[str, Any]) -> str:
    """Return what is said below an animation."""
    return Words.load(ROOT / "templates", language).fill("animations", entry["kind"], "caption", entry["said"])


def adam(beta: float) -> tuple[Rule]:
    """Return the rules of a recording under Adam."""
    return (("Adam", {**ADAM[1], "betas": [beta, 0.999]}),)


@pytest.fixture(scope="module")
def law(tiny_build: Build) -> scales.Laws:
    """Return the colour scales of the tiny study."""
    return scales.read(tiny_build.workspace, tiny_build.study)[0]


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
    recording = tiny_build.recording
    found, layers = scales.read(tiny_build.workspace, tiny_build.study)
    changes = []
    for layer in layers:
        steps = np.diff(recording.weights(layer), axis=0)
        changes.append(np.moveaxis(steps.reshape(-1, *recording.tensors[layer].matrix), 0, -1))
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
    assert pixels.movie(amounts, range(1, 5), "l1", (9, 784), (28, 28)).poster == 2
    assert pixels.variety(np.repeat(np.arange(16) / 16, 49), 1.0) == pytest.approx(4)  # 16 strengths alike: 4 bits


@pytest.mark.parametrize("shape", [(28, 28), (8, 8), (30, 7)])
def test_pixels_have_the_strength_of_their_amount(shape: tuple[int, int], tmp_path: Path) -> None:
    """Cell (row, column) of the picture is pixel columns · row + column of the input, whatever its size."""
    rows, columns = shape
    amounts = np.random.default_rng(2).uniform(0, 1, (2, rows * columns))
    movie = pixels.movie(amounts, [1, 2], "l1", (9, rows * columns), shape)
    shown = decode(gif.encode(movie, 100).gif["dark"], tmp_path)
    top = np.quantile(amounts, 0.995)
    cell = pixels.ACROSS // max(shape)
    left = (shown.shape[2] - cell * columns) // 2
    for row, column in np.ndindex(shape):
        place = (pixels.TOP + cell * row + cell // 2, left + cell * column + cell // 2)
        found = cover(shown[0][place], "dark", "amount")
        assert found == pytest.approx(min(amounts[0, columns * row + column] / top, 1), abs=0.02)


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


@pytest.mark.slow
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
    found, layers = scales.read(tiny_build.workspace, tiny_build.study)
    signed = clips.edges(tiny_build.recording, layers, range(1, 9), found)
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


@pytest.fixture
def copy(tiny_build: Build, place: Workspace) -> Workspace:
    """Return a workspace that has the tiny study's results and no animation yet."""
    place.build.mkdir()
    shutil.copy(tiny_build.workspace.results, place.results)
    shutil.copytree(tiny_build.workspace.numbers, place.numbers)
    return place


@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2])
def test_the_same_recording_gives_the_same_bytes(
    tiny_build: Build, copy: Workspace, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    """Drawn again elsewhere, in this process or in others, every file is the same; a third time nothing is done."""
    monkeypatch.setattr(workers, "cores", lambda: cores)
    done: list[str] = []
    drawn.animations(copy, tiny_build.study, PACE, lambda number, total, name: done.append(name))
    assert len(done) == 8
    assert len(set(done)) == 8
    assert copy.animations_manifest.read_bytes() == tiny_build.workspace.animations_manifest.read_bytes()
    made = {path.name: path.read_bytes() for path in copy.animations.iterdir()}
    assert made == {path.name: path.read_bytes() for path in tiny_build.workspace.animations.iterdir()}
    stranger = copy.animations / "layer-9.gif"
    stranger.write_bytes(b"of an earlier study")
    (copy.animations / "layer-4.png").unlink()
    done.clear()
    drawn.animations(copy, tiny_build.study, PACE, lambda number, total, name: done.append(name))
    assert done == ["layer-4.gif"]
    assert not stranger.exists()


def _die(*_: Any) -> None:
    """Take the whole process down where the system would when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_process_that_dies_while_drawing_is_one_line(
    tiny_build: Build, copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the animation; what is drawn stays noted."""
    monkeypatch.setattr(workers, "cores", lambda: 2)
    monkeypatch.setattr(films, "write", _die)
    with pytest.raises(ReportError, match=r"^The process that made [\w-]+\.gif died, .* Run the command again"):
        drawn.animations(copy, tiny_build.study, PACE)


def test_without_results_the_message_says_what_to_do(tiny_build: Build, place: Workspace) -> None:
    """A person who draws before analysing is told to analyse."""
    with pytest.raises(ReportError, match="make report"):
        drawn.animations(place, tiny_build.study, PACE)
    files.write_json(place.results, {"threshold": {}})
    with pytest.raises(ReportError, match="python -m report analyse"):
        drawn.animations(place, tiny_build.study, PACE)


def test_a_film_depends_on_all_the_code_that_makes_it() -> None:
    """Where the loop that slows and coarsens films changes, or what reads a recording, they are made again."""
    found = CODE.closure("report.drawing.animation.films")
    assert {f"report.drawing.animation.{name}" for name in ("films", "gif", "flashes")} <= set(found)
    assert {"report.analysis.threshold", "report.recording.reader", "report.drawing.choice"} <= set(found)
    assert "report.drawing.animation.render" not in found  # another fact for a caption must not cost a new drawing


def test_another_recording_of_the_same_name_is_drawn_anew(tmp_path: Path, place: Workspace) -> None:
    """What it says of itself may be the same to the letter: the weights tell."""
    done: list[str] = []
    for seed in (1, 2):
        shutil.rmtree(tmp_path / "runs", ignore_errors=True)
        weights, gradients = noise({"a": (3, 2)}, 4, seed)
        write_recording(tmp_path / "runs" / "run", weights, gradients)
        study = Study.load(tmp_path / "runs")
        analyse(place, study, [])
        law = scales.read(place, study)[0]
        clip = plan_of(study)["layer-1"]
        law = {key: {"mean": 0.0, "threshold": 1.0} for key in law}
        (product,) = render.products(place, study, [clip], law, PACE)
        done.append(CODE.key(product))
    assert done[0] != done[1]


# Too fast, too large


def test_an_unsafe_film_is_slowed_and_its_caption_says_so(
    tiny_build: Build, law: scales.Laws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film that flashes at its pace is made again, slower, and its caption says why; any other's does not."""
    black, white = np.zeros((300, 400), np.uint8), np.full((300, 400), 64, np.uint8)
    colours = palette.one_hue()

    def flashing(*_: Any) -> Movie:
        facts = {"outputs": 1, "rows": 1, "columns": 1, "pixels": 1, "still": 0, "top": 1.0, "beyond": 0.0}
        return Movie(colours, iter([black, white] * 6), 0, facts)

    monkeypatch.setattr(films, "film", flashing)
    study = tiny_build.study
    clip = plan_of(study)["layer-1"]
    _, found = films.develop(clip, [study.main], law, PACE.milliseconds)
    assert found["milliseconds"] == flashes.SLOW
    assert all(scheme["safe"] for scheme in found["flashes"].values())
    assert found["flashes"]["light"]["general"]["per_second"] == 3
    for language in LANGUAGES:
        slow = caption(language, render._entry(study, clip, found, law, PACE))
        usual = caption(language, render._entry(study, clip, {**found, "milliseconds": PACE.milliseconds}, law, PACE))
        assert f"{flashes.SLOW} ms" in slow
        assert slow.startswith(usual)
        assert " ms" not in usual


@pytest.mark.slow
def test_a_film_that_would_be_too_large_is_made_coarser(
    tiny_build: Build, law: scales.Laws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the limit the same film comes out smaller; within it, it is left as it is."""
    study = tiny_build.study
    clip = plan_of(study, ("l3", "l4", "l5"))["network"]

    def size() -> int:
        return len(films.develop(clip, [study.main], law, PACE.milliseconds)[0].gif["light"])

    usual = size()
    monkeypatch.setattr(films, "most_bytes", lambda _: usual)
    assert size() == usual
    monkeypatch.setattr(films, "most_bytes", lambda _: usual - 1)
    assert size() < usual


def test_sizes_keep_their_limits(tiny_build: Build) -> None:
    """No animation of a layer is larger than 2 MB, none of the network than 6 MB."""
    for entry in files.read_json(tiny_build.workspace.animations_manifest).values():
        assert entry["bytes"]["light"] <= (2_000_000 if entry["layer"] else 6_000_000)


# Which animations, and what is said of them


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


def test_captions_can_state_what_was_measured(tiny_build: Build) -> None:
    """Weights, thresholds and counts are those of the results; the code link is where drawing starts."""
    results = by_run(tiny_build.workspace)
    manifest = files.read_json(tiny_build.workspace.animations_manifest)
    laws = results["threshold"][results["main"]]
    said = manifest["network"]["said"]
    assert results["drawn"] == said["layers"] == ["l3", "l4", "l5"]
    thresholds = [laws[layer]["threshold"] for layer in said["layers"]]
    assert (said["low"], said["high"], said["one_limit"]) == (min(thresholds), max(thresholds), False)
    signed = clips.edges(tiny_build.recording, ("l3", "l4", "l5"), range(1, 9), laws)
    strong = (np.abs(signed) >= 0.25).sum(axis=1)
    assert (said["weights"], said["strong"]) == (440, strong.max())
    assert said["strong"] == strong[said["poster"] - 1]
    assert (said["window"], said["stays"]) == ("1-8", colour.stays(signed))
    pair = manifest["compare"]
    assert (pair["said"]["left"], pair["said"]["right"]) == ("Adam, β1 = 0.9", "Adam, β1 = 0")
    assert pair["runs"] == ["adam-b1-0.9-seed3", "adam-b1-0-seed3"]
    first = manifest["layer-1"]["said"]
    moved = np.diff(tiny_build.recording.whole_weights("l1")[:9], axis=0).reshape(8, first["outputs"], first["pixels"])
    assert first["still"] == (moved == 0).all(axis=(0, 1)).sum()
    for entry in manifest.values():
        lines = (ROOT / entry["code"]["path"]).read_text(encoding="utf-8").splitlines()
        assert any(line.startswith(f"def {entry['code']['function']}(") for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_its_words(tiny_build: Build, language: str) -> None:
    """Whatever a decision turns out to be, there is a text, and a caption is read in one breath."""
    words = Words.load(ROOT / "templates", language)
    manifest = files.read_json(tiny_build.workspace.animations_manifest)
    clip = clips.Clip("layer-2", "matrix", ("l2",), range(1, 9), ("A",))
    found = {"facts": {"weights": 9, "strong": 3, "limit": 0.002}, "poster_batch": 2, "milliseconds": 100}
    known = {entry["kind"]: entry["said"] for entry in manifest.values()}
    known["matrix"] = render._said(clip, found, {"l2": {"threshold": 0.004}}, PACE)
    assert set(known) == set(render.STARTS)
    for kind, said in known.items():
        decisions = [name for name, value in said.items() if isinstance(value, bool)]
        for values in itertools.product((False, True), repeat=len(decisions)):
            facts = said | dict(zip(decisions, values, strict=True))
            texts = {key: words.fill("animations", kind, key, facts) for key in ("finding", "caption", "alt")}
            assert all(text.endswith((".", "。")) for text in texts.values())
            if not facts["slowed"]:
                assert len(texts["caption"].split()) <= 60
                assert len(texts["caption"]) < (380 if language == "en" else 220)


def test_what_is_drawn_has_no_words() -> None:
    """Above a pair stand the symbols that tell its sides apart, if there are any: one film serves every language."""
    assert clips.settings(["Adam, β1 = 0.9", "Adam, β1 = 0"]) == ["β1 = 0.9", "β1 = 0"]
    assert clips.settings(["Adam, β1 = 0.9", "SGD"]) == ["", ""]
    assert clips.settings(["Adam, β1 = 0.9", "Adam with clipping, β1 = 0.9"]) == ["", ""]


def test_the_number_of_a_batch_fits_its_place() -> None:
    """However long the training: it is written smaller, and no letter is cut off."""
    for last in (8, 3000, 100_000):
        label = BatchLabel(0, last, palette.two_hues())
        picture = np.zeros((80, LABEL_WIDTH), np.uint8)
        label.stamp(picture, last)
        assert picture.any()
        assert not picture[:, -2:].any()


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


def test_long_names_stay_within_the_picture(tmp_path: Path) -> None:
    """They are written smaller, and in the end without their beginning: nothing is written over anything else."""
    name = "transformer.encoder.layers.11.self_attention.projection.weight"
    overlay = pixels.Overlay(400, 80, palette.two_hues())
    overlay.sheet.text_within(390, 46, name, 21, 150, bold=True, at="right")
    covered = np.flatnonzero(overlay.sheet.pixels[..., 0].any(axis=0))
    assert 230 <= covered[0] < 260
    assert covered[-1] < 392
    overlay = pixels.Overlay(400, 80, palette.two_hues())
    overlay.sheet.text_within(10, 46, "l1", 21, 150, bold=True)
    short = overlay.sheet.pixels.copy()
    overlay = pixels.Overlay(400, 80, palette.two_hues())
    overlay.sheet.text(10, 46, "l1", 21, bold=True)
    np.testing.assert_array_equal(overlay.sheet.pixels, short)


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
