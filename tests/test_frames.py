"""Frames: colours against the first article's own loops, pixels against geometry, and the palette of their files."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Build
from filmed import Floats, cover, decode

from report.drawing import scales
from report.drawing.animation import clips, colour, geometry, gif, graph, matrix, palette, pixels
from report.drawing.animation.gif import Movie
from report.drawing.animation.overlay import LABEL_WIDTH, BatchLabel

SCHEMES = ("light", "dark")


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


def test_the_number_of_a_batch_fits_its_place() -> None:
    """However long the training: it is written smaller, and no letter is cut off."""
    for last in (8, 3000, 100_000):
        label = BatchLabel(0, last, palette.two_hues())
        picture = np.zeros((80, LABEL_WIDTH), np.uint8)
        label.stamp(picture, last)
        assert picture.any()
        assert not picture[:, -2:].any()


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
