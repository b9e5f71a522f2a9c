"""Flash safety: hand-made pictures whose flashes are known, and the animations of the tiny experiment."""

from typing import Any

import numpy as np
import pytest
from conftest import Build
from numpy.typing import NDArray

from report import files
from report.drawing import scales
from report.drawing.animation import clips, flashes, graph

GREYS = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)  # index i is grey i
BLACK, WHITE = 0, 255


def pictures(
    frames: list[int], height: int = 300, width: int = 400, part: tuple[int, int] | None = None
) -> list[NDArray[np.uint8]]:
    """Return pictures of one index each; only the (height, width) `part` in the corner changes, the rest is black."""
    rows, columns = part or (height, width)
    made = []
    for index in frames:
        picture = np.zeros((height, width), np.uint8)
        picture[:rows, :columns] = index
        made.append(picture)
    return made


def measure(
    shown: list[NDArray[np.uint8]], colours: NDArray[np.uint8], milliseconds: float, *, loops: bool
) -> dict[str, Any]:
    """Return what flashes in pictures of indices into (256, 3) colours, seen once or without end."""
    meter = flashes.Meter(colours, milliseconds)
    watch, results = flashes.watcher({"": colours}, milliseconds)
    for picture in shown:
        (watch if loops else meter.add)(picture)
    return results()[""] if loops else meter.result()


def general(
    frames: list[int], milliseconds: float = 100, *, loops: bool = False, part: tuple[int, int] | None = None
) -> int:
    """Return how many general flashes a second are found."""
    found = measure(pictures(frames, part=part), GREYS, milliseconds, loops=loops)
    return int(found["general"]["per_second"])


def test_luminance_is_that_of_the_guideline() -> None:
    """White is 1, black 0, and the primaries have the guideline's weights."""
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [119, 119, 119]], np.uint8)
    assert flashes.luminance(colours) == pytest.approx([1, 0, 0.2126, 0.7152, 0.0722, 0.1845], abs=1e-4)


def test_black_and_white_ten_times_a_second_are_five_flashes() -> None:
    """A flash is a pair of opposing changes, so ten changes a second are five flashes: too many."""
    found = measure(pictures([BLACK, WHITE] * 10), GREYS, 100, loops=False)
    assert found["general"] == {"per_second": 5, "area": 1.0}
    assert not found["safe"]


def test_no_picture_can_flash_too_often_at_the_slow_pace() -> None:
    """The pace to which an unsafe animation is slowed keeps the worst one within the limit."""
    assert general([BLACK, WHITE] * 20, flashes.SLOW, loops=True) == flashes.MOST
    assert general([BLACK, WHITE] * 20, flashes.SLOW - 30, loops=True) > flashes.MOST


def test_three_flashes_in_a_second_are_allowed() -> None:
    """The limit is more than three."""
    found = measure(pictures([BLACK, WHITE] * 3 + [BLACK] * 20), GREYS, 100, loops=False)
    assert found["general"]["per_second"] == 3
    assert found["safe"]


def test_flashes_of_different_seconds_are_not_added() -> None:
    """One flash a second, for four seconds, is one flash a second."""
    assert general(([BLACK, WHITE] + [BLACK] * 8) * 4) == 1


def test_a_quarter_of_the_field_counts_and_less_does_not() -> None:
    """The field is 341 × 256 pixels; a quarter of that is 21,824."""
    frames = [BLACK, WHITE] * 6
    assert general(frames, part=(128, 171)) == 5  # 21,888 pixels
    assert general(frames, part=(128, 170)) == 0  # 21,760 pixels


def test_two_far_parts_are_not_one_area() -> None:
    """What lies outside one ten-degree field does not add to it."""
    picture = np.zeros((256, 1000), np.uint8)
    picture[:, :60] = picture[:, -60:] = WHITE  # 15,360 pixels at either end
    found = measure([np.zeros_like(picture), picture] * 6, GREYS, 100, loops=False)
    assert found["general"]["per_second"] == 0
    assert found["general"]["area"] == pytest.approx(15360 / (341 * 256), abs=1e-4)


def test_changes_among_bright_colours_do_not_count() -> None:
    """The darker of the two must be below 0.80 of relative luminance."""
    bright = int(np.flatnonzero(flashes.luminance(GREYS) >= 0.8)[0])
    assert general([bright, WHITE] * 6) == 0
    assert general([bright - 1, WHITE] * 6) == 5


def test_a_change_of_less_than_a_tenth_does_not_count() -> None:
    """The change must be a tenth of the largest luminance."""
    tenth = int(np.flatnonzero(flashes.luminance(GREYS) >= 0.1)[0])
    assert general([BLACK, tenth] * 6) == 5
    assert general([BLACK, tenth - 1] * 6) == 0


def test_a_creeping_change_counts_as_a_sudden_one() -> None:
    """Up and down in three small steps each is still one flash."""
    light = flashes.luminance(GREYS)
    steps = [int(np.flatnonzero(light >= share)[0]) for share in (0.0, 0.06, 0.12, 0.18)]
    assert general([*steps, *steps[::-1]]) == 1


def test_the_jump_from_the_last_picture_to_the_first_counts() -> None:
    """A GIF loops: dark at its end and bright at its start, it flashes once each time."""
    frames = [WHITE] + [BLACK] * 12
    assert general(frames, loops=False) == 0
    assert general(frames, loops=True) == 1


def test_saturated_red_counts_without_a_change_of_luminance() -> None:
    """A red and a grey of equal luminance: no general flash, five red ones."""
    red = np.array([[200, 0, 0]], np.uint8)
    light = float(flashes.luminance(red)[0])
    grey = int(np.abs(flashes.luminance(GREYS) - light).argmin())
    colours = GREYS.copy()
    colours[1] = red[0]
    found = measure(pictures([grey, 1] * 6), colours, 100, loops=False)
    assert found["general"]["per_second"] == 0
    assert found["red"] == {"per_second": 5, "area": 1.0}
    assert not found["safe"]


def test_only_a_saturated_red_is_one() -> None:
    """Linear red must be at least 0.8 of linear red, green and blue together."""
    colours = np.array([[255, 0, 0], [255, 90, 90], [255, 200, 200], [0, 0, 0], [0, 0, 255], [255, 160, 0]], np.uint8)
    assert flashes.saturated_red(colours).tolist() == [True, True, False, False, False, False]


def test_swings_are_those_of_a_slow_literal_walk() -> None:
    """Followed pixel by pixel in plain Python, random pictures turn as often as the meter says."""
    rng = np.random.default_rng(3)
    frames = rng.integers(0, 256, (30, 300, 400), dtype=np.uint8)
    frames[:, 4:] = 0
    light = flashes.luminance(GREYS)
    turned = np.zeros((30, 300, 400), bool)
    for row, column in np.ndindex(4, 25):
        direction, high, low = 0, light[frames[0, row, column]], light[frames[0, row, column]]
        for frame in range(1, 30):
            now = light[frames[frame, row, column]]
            high, low = max(high, now), min(low, now)
            if direction >= 0 and high - now >= 0.1 and now < 0.8:
                direction, high, low = -1, now, now
            elif direction <= 0 and now - low >= 0.1 and low < 0.8:
                direction, high, low = 1, now, now
            else:
                continue
            turned[frame, row, column] = True
    meter = flashes.Meter(GREYS, 100)
    for number, frame in enumerate(frames):
        before = None if number == 0 else meter._direction.copy()
        meter.add(frame)
        if before is not None:
            found = (meter._direction != before).reshape(300, 400)
            assert (found[:4, :25] == turned[number, :4, :25]).all()


def test_every_animation_is_safe(tiny_build: Build) -> None:
    """No GIF of the site flashes more than three times a second over a quarter of the field, in either scheme."""
    manifest = files.read_json(tiny_build.workspace.animations_manifest)
    assert manifest
    for name, entry in manifest.items():
        for scheme in ("light", "dark"):
            found = entry["flashes"][scheme]
            assert found["safe"], (name, scheme, found)
            assert max(found[kind]["per_second"] for kind in ("general", "red")) <= flashes.MOST


@pytest.mark.slow
def test_the_player_is_safe_at_its_usual_speed(tiny_build: Build) -> None:
    """Played through all batches, the player's picture flashes no more often than is allowed."""
    recording, milliseconds = tiny_build.recording, tiny_build.experiment.animation.milliseconds
    law, layers = scales.read(tiny_build.workspace, tiny_build.study)
    batches = range(1, recording.steps + 1)
    shapes = [recording.tensors[layer].matrix for layer in layers]
    # The player draws what network.gif shows, of every batch.
    movie = graph.movie(clips.edges(recording, layers, batches, law), layers, shapes, batches)
    schemes = {scheme: movie.palette.colours(scheme) for scheme in ("light", "dark")}
    meters = [flashes.Meter(colours, milliseconds) for colours in schemes.values()]
    for picture in movie.frames:
        for meter in meters:
            meter.add(picture)
    assert all(meter.result()["safe"] for meter in meters)
