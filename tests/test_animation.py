"""The animations' files: against Pillow, against the recording, pace and size, and what is said of them."""

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
from filmed import PACE, cover, decode, plan_of
from measured import by_run
from PIL import Image
from recordings import noise, write_recording

from report import files
from report.analysis.report import analyse
from report.drawing import scales
from report.drawing.animation import clips, colour, films, flashes, geometry, palette, render
from report.drawing.animation.gif import Movie
from report.errors import ReportError
from report.making import maker as making
from report.products import CODE
from report.recording.study import Study
from report.site.words import Words
from report.workspace import Workspace

SCHEMES = ("light", "dark")
LANGUAGES = ("en", "ja")


def caption(language: str, entry: Mapping[str, Any]) -> str:
    """Return what is said below an animation."""
    return Words.load(ROOT / "templates", language).fill("animations", entry["kind"], "caption", entry["said"])


@pytest.fixture(scope="module")
def law(tiny_build: Build) -> scales.Laws:
    """Return the colour scales of the tiny study."""
    return scales.read(tiny_build.workspace, tiny_build.study)[0]


# Files


def test_gifs_are_what_the_manifest_says(tiny_build: Build) -> None:
    """Pillow finds the frames, durations, size, bytes and endless loop that are written down, for every animation."""
    manifest = files.read_json(tiny_build.workspace.animations_manifest)
    names = {"network", f"network-{PACE.long_batches}", "compare", *(f"layer-{number}" for number in range(1, 6))}
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
    monkeypatch.setattr(making, "cores", lambda: cores)
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
    monkeypatch.setattr(making, "cores", lambda: 2)
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
