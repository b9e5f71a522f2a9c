"""The figures of a report on one's own network: there where there is something to show, not too high, with words."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, maker_of
from matplotlib.backends.backend_agg import FigureCanvasAgg
from recordings import ADAM, noise, write_recording

from report import files, wording
from report.analysis import columns
from report.analysis.own import analyse
from report.analysis.own_tables import KINDS
from report.analysis.standout import LARGE, SMALL, USUAL
from report.drawing import own
from report.drawing.figures import draw, own_axis, own_heat, own_measures, own_rates, own_series
from report.drawing.figures.draw import Plan
from report.drawing.figures.marks import Dots
from report.drawing.figures.style import HIGHEST, INKS, WIDTH, briefs, house
from report.recording.study import Study
from report.site.words import Words
from report.workspace import Workspace

SHAPES = {"body.0.weight": (8, 6), "body.0.bias": (8,), "head.weight": (3, 8), "scale": ()}
LANGUAGES = ("en", "ja")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a build with the figures of a short recording, of which two series were logged."""
    folder = tmp_path_factory.mktemp("own")
    weights, gradients = noise(SHAPES, 130)
    series = {"loss": np.geomspace(3, 0.01, 130), "accuracy": np.where(np.arange(130) % 50 == 49, 0.9, np.nan)}
    made = write_recording(folder / "run", weights, gradients, rules=[ADAM], series=series)
    workspace, study = Workspace(ROOT, folder / "build", folder / "site"), Study.load(made)
    analyse(workspace, study)
    files.write_text(workspace.animations_manifest, "{}")  # of a study that carried the article
    files.write_text(workspace.animations / "network.gif", "GIF")
    own.draw(workspace, study, LANGUAGES, maker_of(workspace), lambda *_: None)
    return workspace


def test_every_figure_is_there_small_and_well_formed(drawn: Workspace) -> None:
    """The overview's, and two a tensor; each in both languages, light and dark."""
    manifest: dict[str, Any] = files.read_json(drawn.figures_manifest)
    tensors = {f"t{number}-{kind}" for number in range(1, 5) for kind in ("measures", "weights")}
    assert set(manifest) == {"own-heat", "own-persistence", "own-rates", "own-series"} | tensors
    for name, entry in manifest.items():
        assert (entry["width"], entry["height"] <= HIGHEST) == (WIDTH, True), name
        assert (drawn.build / entry["data"]).is_file(), name
        for by_scheme in entry["files"].values():
            for path in by_scheme.values():
                if path.endswith(".svg"):
                    ET.parse(drawn.docs / path)
    assert not drawn.animations.exists()
    assert not drawn.animations_manifest.exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_has_its_words(drawn: Workspace, language: str) -> None:
    """Finding, caption and alternative text are filled from what is said, and name what is shown."""
    words = Words.load(drawn.templates, language)
    for name, entry in files.read_json(drawn.figures_manifest).items():
        for part in ("finding", "caption", "alt"):
            text = words.fill("own", entry["words"], part, entry["said"])
            assert len(text) > 5, (name, part)
    said = files.read_json(drawn.figures_manifest)["t1-measures"]["said"]
    assert "body.0.weight" in words.fill("own", "measures", "finding", said)


@pytest.mark.parametrize("kind", ["measures", "weights"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("last", [1, 3000, 300_000])
def test_nothing_is_cut_off(drawn: Workspace, kind: str, language: str, last: int) -> None:
    """However long the recording is: numbers, headings and labels lie within the picture."""
    plan = Plan(f"own_{kind}", {}, {each: f"t1-{each}" for each in KINDS})
    tables = draw._tables(drawn, plan)
    for table in tables.values():
        for name in {"step", "first_step", "last_step"} & table.keys():
            table[name] = np.rint(table[name] * (last / table[name].max())).astype(int)
    with house(INKS["light"]):
        figure = draw._module(plan.module).draw(INKS["light"], tables, {}, draw._labels(drawn, plan.module, language))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        needed = figure.get_tightbbox(canvas.get_renderer())  # inches
    wide, high = figure.get_size_inches()
    assert -0.01 < needed.x0 < needed.x1 < wide + 0.01
    assert -0.01 < needed.y0 < needed.y1 < high + 0.01


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_drawn_is_counted(drawn: Workspace, language: str) -> None:
    """Of eight recordings of a series six have a line, and of eight groups those with the first six rates."""
    step, eight = np.array([1, 9]), [f"run{number}" for number in range(8)]
    logged = [("loss", run) for run in eight] + [("accuracy", run) for run in eight[:2]]
    series = {
        "run": np.repeat([run for _, run in logged], 2),
        "series": np.repeat([name for name, _ in logged], 2),
        "step": np.tile(step, len(logged)),
        "value": np.ones(2 * len(logged)),
    }
    rates = {"label": np.full(16, "own"), "group": np.repeat(np.arange(1, 9), 2), "step": np.tile(step, 8)}
    rates["rate"] = np.repeat([1, 1, 2, 3, 4, 5, 6, 7], 2).astype(float)
    words = Words.load(drawn.templates, language)
    said = own_series.said({"own_series": series}, {"main": "run0", "runs": eight})
    assert (said["is_several"], said["runs_left_out"]) == (True, 2)
    assert "2" in words.fill("own", "series", "caption", said)
    said = own_rates.said({"own_rates": rates}, {"label": "own", "of": None})
    assert (said["groups"], said["left_out"]) == (7, 1)
    assert "1" in words.fill("own", "rates", "caption", said)


def test_the_heat_map_has_the_ratio_of_each_step(drawn: Workspace) -> None:
    """A cell is log10 of the ratio in its step; what was not there has no colour of the scale."""
    table = {
        "tensor": np.array(["a", "a", "b"]),
        "first_step": np.array([1, 6, 6]),
        "last_step": np.array([5, 10, 10]),
        "ratio": np.array([1e-3, 1e-1, np.nan]),
    }
    found = own_heat.matrix({"own_heat": table}, ["a", "b"], 10)
    assert found[0].tolist() == [-3.0] * 5 + [-1.0] * 5
    assert np.isnan(found[1]).all()
    for ink in INKS.values():
        colours = own_heat.pixels(np.log10([SMALL, USUAL, LARGE, np.nan]), ink)
        assert len({tuple(colour) for colour in colours.tolist()}) == 4


@pytest.mark.parametrize("count", [1, 22, 40, 200])
def test_names_beside_rows_do_not_touch(count: int) -> None:
    """Every tensor has its name, or the beginnings of modules have, as far apart as a line is high."""
    names = [f"blocks.{place // 5}.part{place % 5}.weight" for place in range(count)]
    inside = own_axis.high(count)
    places = own_axis.labelled(names, inside)
    assert 0 in places
    assert len(places) == count if count <= 22 else 10 <= len(places) < count
    apart = np.diff(sorted(places)) * inside / count
    assert (apart >= own_axis.ROW - 1.01).all()


def _draw(folder: Path, *runs: Path) -> Workspace:
    """Make the figures of recordings."""
    workspace, study = Workspace(ROOT, folder / "build", folder / "site"), Study.load(list(runs))
    analyse(workspace, study)
    own.draw(workspace, study, LANGUAGES, maker_of(workspace), lambda *_: None)
    return workspace


def _said(place: Workspace, name: str, part: str = "finding") -> str:
    """Return what is said of a figure, in English."""
    entry = files.read_json(place.figures_manifest)[name]
    return str(Words.load(place.templates, "en").fill("own", entry["words"], part, entry["said"]))


BARE = ("Custom", {"momentum": 0})  # an optimizer without a learning rate


@pytest.mark.slow
def test_rates_are_those_of_a_label_that_has_some(tmp_path: Path) -> None:
    """The first label may be of an optimizer that has none; where none has, there is no figure."""
    made = noise({"w": (3, 4)}, 30)
    bare = write_recording(tmp_path / "bare", *made, label="bare", rules=[BARE])
    rated = write_recording(tmp_path / "rated", *made, label="rated", rules=[ADAM])
    both = _draw(tmp_path / "both", bare, rated)
    assert _said(both, "own-rates") == "The learning rate is 0.0010 throughout."
    assert "rated" in _said(both, "own-rates", "caption")
    alone = _draw(tmp_path / "alone", bare)
    assert "own-rates" not in files.read_json(alone.figures_manifest)


@pytest.mark.slow
def test_a_tensor_that_never_moves_is_said_to(tmp_path: Path) -> None:
    """Bins have a width where every update is zero, and say nothing of its size."""
    weights, gradients = noise({"w": (3, 4), "s": ()}, 30)
    weights["w"][:] = weights["w"][0]
    place = _draw(tmp_path, write_recording(tmp_path / "run", weights, gradients, rules=[ADAM]))
    assert _said(place, "t1-measures") == "w does not move."
    assert "the largest 0;" in _said(place, "t1-measures", "alt")
    assert "does not move" not in _said(place, "t2-measures")
    assert "the weight from the first step to the last" in _said(place, "t2-weights", "caption")
    panels = own_measures.draw(INKS["light"], *_parts(place, "t1-measures")).axes
    assert [list(panel.get_xticks()) for panel in panels[:1]] == [[0]]
    assert panels[1].get_yscale() == "linear"


def _parts(place: Workspace, name: str) -> tuple[Any, Any, Any]:
    """Return tables, facts and labels of the picture of a tensor."""
    slug = name.partition("-")[0]
    tables = {kind: columns.read(place.tables / f"{slug}-{kind}.csv") for kind in ("steps", "histogram")}
    labels = wording.read(place.templates, "en", "labels")
    return tables, files.read_json(place.figures_manifest)[name]["said"], {**labels["common"], **labels["own_measures"]}


@pytest.mark.slow
def test_a_single_step_has_a_place_on_its_axes(tmp_path: Path) -> None:
    """A dot in the middle, one number below it."""
    series = {"loss": np.array([2.0])}
    place = _draw(
        tmp_path, write_recording(tmp_path / "run", *noise({"w": (3, 4)}, 1), rules=[ADAM], series=series, taken=1)
    )
    rates = {"own_rates": columns.read(place.tables / "own_rates.csv")}
    labels = wording.read(place.templates, "en", "labels")
    figure = own_rates.draw(INKS["light"], rates, {"label": "made", "of": None}, labels["common"] | labels["own_rates"])
    (panel,) = figure.axes
    low, high = panel.get_xlim()
    assert [tick for tick in panel.get_xticks() if low <= tick <= high] == [1]
    assert any(isinstance(each, Dots) for each in panel.lines)


def test_colour_is_promised_where_there_is_some() -> None:
    """The main recording may have logged nothing, or other series than those that are shown."""

    def caption(runs: list[str], main: str) -> str:
        table = {"run": np.array(runs), "series": np.full(len(runs), "loss")}
        table |= {"step": np.ones(len(runs)), "value": np.ones(len(runs))}
        said = own_series.said({"own_series": table}, {"main": main, "runs": sorted({*runs, main})})
        return str(Words.load(ROOT / "templates", "en").fill("own", "series", "caption", said))

    assert caption(["a"], "a").startswith("As logged")
    assert caption(["a", "b"], "a").startswith("In colour a")
    assert caption(["b", "c"], "a").startswith("In grey")


@pytest.mark.parametrize(
    "names",
    [
        [f"encoder.layers.{block}.attention.{part}" for block in range(3) for part in ("in_proj_weight", "out.weight")],
        [f"layers.{stage}.blocks.{block}.attention.weight" for stage in range(2) for block in range(2)],
        [f"lr={rate}, batch size 128, weight decay 0.01" for rate in ("0.1", "0.01", "0.001")],
        [f"a_very_long_name_of_one_part_that_is_number_{number}_of_all_of_these" for number in range(3)],
    ],
)
def test_names_that_differ_are_told_apart_when_they_are_cut(names: list[str]) -> None:
    """Their ends are the same; two that are the same stay so."""
    found = briefs([*names, names[0], "short"], 17)
    assert len(set(found)) == len(names) + 1
    assert found[-2:] == [found[0], "short"]
    assert all(len(each) <= 17 for each in found)
