"""The figures: well-formed, small, the same bytes every time, in all languages, and described from their data."""

import ast
import base64
import io
import itertools
import json
import math
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Build, maker_of
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Rectangle
from measured import by_run
from numpy.typing import NDArray
from PIL import Image
from recordings import ADAM, SGD, Rule, noise, record_cnn, write_recording

from report import files, wording
from report.analysis import columns
from report.analysis import results as analysed
from report.analysis.intervals import Estimate
from report.analysis.report import analyse
from report.analysis.table import Key, Table
from report.drawing.choice import chosen
from report.drawing.figures import decomposition, draw, picture, transplants
from report.drawing.figures.draw import FIGURES
from report.drawing.figures.marks import dots
from report.drawing.figures.sources import look, rows, selection
from report.drawing.figures.style import FONTS, INKS, Ink, house, recoloured, sheet
from report.errors import ReportError
from report.products import CODE, Progress
from report.recording.study import Study
from report.site.words import Words
from report.workspace import Workspace

DEEP = {"in": (12, 20), "l2": (9, 12), "l3": (8, 9), "l4": (7, 8), "l5": (6, 7), "l6": (5, 6), "out": (3, 5)}
LANGUAGES = ("en", "ja")
LONE_INKS = ("paper", "ink", "muted", "grid", "increase", "decrease", "longer", "shorter", "others")
BLOCKS = 12  # of the model with many tensors: a matrix and a bias each


def draw_figures(
    workspace: Workspace, progress: Progress = lambda *_: None, languages: tuple[str, ...] = LANGUAGES
) -> None:
    """Draw the figures that are stale, and their manifest, as the stage "draw" does."""
    planned = draw.plan(workspace)
    maker_of(workspace).make(draw.products(workspace, planned, languages), progress)
    draw.describe(workspace, planned, languages)


@dataclass(frozen=True)
class Drawn:
    """Hold a build whose figures have been drawn, and their manifest."""

    workspace: Workspace

    @property
    def manifest(self) -> dict[str, Any]:
        """Return the entries of the figures."""
        found: dict[str, Any] = files.read_json(self.workspace.figures_manifest)
        return found

    def file(self, entry: dict[str, Any], scheme: str, language: str | None = None) -> Path:
        """Return the file of one variant, in the first language if none is named."""
        return self.workspace.docs / str(entry["files"][language or next(iter(entry["files"]))][scheme])

    def said(self, name: str) -> dict[str, Any]:
        """Return what the words of a figure are filled with."""
        found: dict[str, Any] = self.manifest[name]["said"]
        return found

    def words(self, name: str, language: str = "en") -> dict[str, str]:
        """Return the finding, the caption and the alternative text of a figure."""
        verdicts = {each["id"]: each["verdict"] for each in analysed.read(self.workspace)["findings"]}
        words = Words.load(self.workspace.templates, language)
        facts = {**self.said(name), "verdicts": verdicts}
        return {part: words.fill("figures", name, part, facts) for part in ("finding", "caption", "alt")}


def made(folder: Path, *languages: str) -> Drawn:
    """Analyse the recordings that lie in `folder`/runs, and draw them in these languages: large ones in one alone."""
    workspace = Workspace(ROOT, folder / "build", folder / "site")
    analyse(workspace, Study.load(folder / "runs"), [])
    draw_figures(workspace, languages=languages)
    return Drawn(workspace)


def adam(kind: str, beta: float) -> Rule:
    """Return the rule of an optimizer of Adam's family."""
    return kind, {**ADAM[1], "betas": [beta, 0.999]}


@pytest.fixture(scope="session")
def ordinary(tiny_build: Build) -> Drawn:
    """Return the tiny experiment's figures."""
    return Drawn(tiny_build.workspace)


@pytest.fixture(scope="session")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the figures of one short recording of plain gradient descent, of which nothing was logged."""
    folder = tmp_path_factory.mktemp("lonely")
    weights, gradients = noise({"a": (30,), "b": (4, 12)}, 9, beta=0)
    indices = {"a": np.arange(0, 90, 3)}
    write_recording(folder / "runs" / "alone", weights, gradients, rules=[SGD], shapes={"a": (15, 6)}, indices=indices)
    return made(folder, *LANGUAGES)


@pytest.fixture(scope="session")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the figures of a study that is larger and stranger than the default.

    Momentum that no theory covers, more of one kind than a panel holds, a deep network whose layers repeat their
    colours, a loss without accuracy and without validation.
    """
    folder = tmp_path_factory.mktemp("crowded")
    betas = (0.9, 0.0, 0.3, 0.5, 0.95)
    rules = {f"NAdam, β1 = {beta:g}": adam("NAdam", beta) for beta in betas}
    rules["SGD, Nesterov"] = ("SGD", {**SGD[1], "momentum": 0.9, "nesterov": True})
    for place, (label, rule) in enumerate(rules.items()):
        weights, gradients = noise(DEEP, 110, seed=3, beta=[*betas, 0.9][place])
        write_recording(
            folder / "runs" / f"{place}",
            weights,
            gradients,
            label=label,
            seed=0,
            rules=[rule],
            series={"train_loss": np.linspace(2, 1, 110)},
        )
    return made(folder, "en")


@pytest.fixture(scope="session")
def convolutional(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the figures of a convolutional network with norms and biases, whose graph is its head alone."""
    folder = tmp_path_factory.mktemp("convolutional")
    record_cnn(folder / "runs" / "a", label="SGD with momentum 0.9", steps=20)
    record_cnn(folder / "runs" / "b", label="SGD", momentum=0.0, steps=20)
    return made(folder, "en")


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the figures of tensors, and of labels, whose names are digits alone."""
    folder = tmp_path_factory.mktemp("numbered")
    for label, beta in (("1", 0.9), ("2", 0.0)):
        weights, gradients = noise({"0": (5, 6), "1": (4, 5), "10": (3, 4)}, 40, beta=beta)
        write_recording(folder / "runs" / label, weights, gradients, label=label, rules=[adam("Adam", beta)])
    return made(folder, "ja")


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the figures of many tensors with long names, some in other letters, under fourteen optimizers."""
    folder = tmp_path_factory.mktemp("many")
    shapes: dict[str, tuple[int, ...]] = {"重み $x$ <i>.weight": (6, 6), "重み $x$ <i>.bias": (6,)}
    for block in range(1, BLOCKS):
        name = f"transformer.encoder.layers.{block}.self_attention.projection"
        shapes |= {f"{name}.weight": (6, 6), f"{name}.bias": (6,)}
    for place in range(14):
        weights, gradients = noise(shapes, 8, beta=place / 20)
        label = f"Adam with a learning rate of 0.001 and {place / 20:g} of the past"
        rule = adam("Adam", place / 20)
        write_recording(folder / "runs" / f"{place}", weights, gradients, label=label, seed=0, rules=[rule])
    return made(folder, "ja")


MORE = [
    pytest.param(name, marks=pytest.mark.slow) for name in ("lonely", "numbered", "crowded", "convolutional", "many")
]


@pytest.fixture(params=["ordinary", *MORE])
def drawn(request: pytest.FixtureRequest) -> Drawn:
    """Return each of the builds in turn."""
    found: Drawn = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def copied(ordinary: Drawn, tmp_path: Path) -> Drawn:
    """Return a copy of the tiny experiment's figures and what they are made from, to be changed and drawn into."""
    here, place = ordinary.workspace, Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    for folder in ("tables", "numbers", "figures", "drawn"):
        shutil.copytree(getattr(here, folder), getattr(place, folder))
    for file in ("results", "ledger", "figures_manifest"):
        shutil.copy(getattr(here, file), getattr(place, file))
    return Drawn(place)


def pictures(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pictures of a figure: one, or one for every few layers."""
    found: list[dict[str, Any]] = entry.get("layers", [entry])
    return found


def layers_of(entry: dict[str, Any]) -> list[str]:
    """Return the layers of a figure that is drawn in parts."""
    return [name for each in entry["layers"] for name in each["names"]]


def variants(drawn: Drawn) -> Iterator[tuple[str, Path, Path]]:
    """Yield name, light file and dark file of each picture in each language."""
    for name, entry in drawn.manifest.items():
        for each, language in itertools.product(pictures(entry), entry["files"]):
            yield name, drawn.file(each, "light", language), drawn.file(each, "dark", language)


def test_every_figure_of_the_tiny_study_is_there(ordinary: Drawn) -> None:
    """The study of the tests is large enough for all of them."""
    assert set(ordinary.manifest) == set(FIGURES)


@pytest.mark.slow
def test_what_has_no_data_is_left_out(lonely: Drawn) -> None:
    """One optimizer, one drawn layer, no digits, no loss: figures of them would be empty."""
    missing = set(FIGURES) - set(lonely.manifest)
    assert missing == {
        "digits",
        "loss",
        "persistence",
        "raster",
        "guess",
        "run_lengths",
        "one_weight",
        "transplants",
        "units",
    }


@pytest.mark.slow
def test_a_study_of_any_size_is_drawn(crowded: Drawn) -> None:
    """More optimizers and layers than there are colours, and no theory of most."""
    assert {"persistence", "run_lengths", "one_weight", "agreement", "loss"} <= set(crowded.manifest)
    # No theory covers NAdam: there is nothing to take its runs apart with, and it is not replayed.
    assert not {"decomposition", "raster", "guess", "transplants"} & set(crowded.manifest)
    assert crowded.manifest["loss"]["height"] == 246
    assert not re.search("held-out|guess|accuracy|images", " ".join(crowded.words("loss").values()))


@pytest.mark.slow
def test_a_convolutional_network_is_drawn(convolutional: Drawn) -> None:
    """Convolutions, norms and biases are tensors like any other; one that nothing trains is not shown."""
    # A schedule leaves no learning rate to measure by, and the loss was logged under a name of its own.
    # Weight decay is not replayed: there is no sign toss of the head.
    assert set(FIGURES) - set(convolutional.manifest) == {"digits", "guess", "loss", "raster", "startup", "transplants"}
    assert layers_of(convolutional.manifest["persistence"])[:2] == ["6.weight", "8.weight"]
    assert {"0.weight", "0.bias", "1.weight", "3.weight", "8.bias"} <= set(
        layers_of(convolutional.manifest["persistence"])
    )
    assert "3.bias" not in layers_of(convolutional.manifest["persistence"])
    assert convolutional.said("units")["layers"] == ["6.weight", "8.weight"]


@pytest.mark.slow
def test_names_made_of_digits_are_names(numbered: Drawn) -> None:
    """Read back from a table as numbers, layers and optimizers would match nothing: panels would be empty."""
    results = by_run(numbered.workspace)
    late = results["study"]["late"]
    for slug, row in zip(("2", "1"), numbered.said("persistence")["optimizers"], strict=True):
        runs = [results["summary"]["persistence"][slug][layer][late]["mean_run"].mean for layer in ("0", "1", "10")]
        assert (row["run"]["low"], row["run"]["high"]) == (min(runs), max(runs))
    # A dot a layer and optimizer: without them the drawing is the empty axes.
    drawings = [
        numbered.file(each, "light").read_text(encoding="utf-8") for each in pictures(numbered.manifest["persistence"])
    ]
    for colour in INKS["light"].layers[:3]:
        assert "".join(drawings).count(f"stroke: {colour}") >= 2


@pytest.mark.slow
def test_many_tensors_and_optimizers_are_thinned_out(many: Drawn) -> None:
    """And the facts say what is missing, for the caption."""
    for name in many.manifest:
        if name not in ("weight_history", "one_weight", "coin", "guess"):
            left_out = {"units": BLOCKS - 8, "transplants": 2 * BLOCKS - 3}.get(name, 2 * BLOCKS - 8)
            assert many.said(name)["left_out"] == left_out, name
            assert f"The data have {left_out}\N{NO-BREAK SPACE}more tensors." in many.words(name)["caption"], name
    for name, left_out in (("persistence", 7), ("transplants", 9)):
        assert f"The data have {left_out}\N{NO-BREAK SPACE}more optimizers." in many.words(name)["caption"]
    # The graph's tensors, from its first to its last.
    layers = layers_of(many.manifest["histogram"])
    assert "重み $x$ <i>.weight" in layers
    assert f"transformer.encoder.layers.{BLOCKS - 1}.self_attention.projection.weight" in layers
    assert not any("bias" in name for name in layers)


def test_layers_are_chosen_by_groups_and_from_end_to_end() -> None:
    """The first group goes first; what does not fit is thinned out evenly."""
    names = [f"{number}" for number in range(10)]
    assert chosen([names], 20) == set(names)
    assert chosen([["7"], names], 4) == {"7", "0", "4", "9"}
    assert chosen([names, ["x"]], 3) == {"0", "4", "9"}
    assert chosen([[], []], 3) == set()


def test_files_are_well_formed_small_and_as_large_as_the_manifest_says(drawn: Drawn) -> None:
    """A page reserves the room that the manifest states."""
    for name, entry in drawn.manifest.items():
        for each, scheme, language in itertools.product(pictures(entry), ("light", "dark"), entry["files"]):
            path, size = drawn.file(each, scheme, language), (each["width"], each["height"])
            assert path.stat().st_size < 100_000, name
            assert picture.size(path) == size, name
            if path.suffix == ".svg":
                root = ET.fromstring(path.read_text(encoding="utf-8"))
                assert (int(root.get("width", "")), int(root.get("height", ""))) == size, name
                # 96 CSS pixels are 72 points: nothing is stretched.
                box = [float(each) for each in root.get("viewBox", "").split()][2:]
                assert box == pytest.approx([0.75 * length for length in size], abs=1)


def test_a_figure_is_taken_in_at_once(drawn: Drawn) -> None:
    """As high as a desktop shows it without scrolling, at most three panels of layers, those that are drawn first."""
    shown = analysed.read(drawn.workspace)["drawn"]
    for name, entry in drawn.manifest.items():
        assert all(each["height"] <= 480 for each in pictures(entry)), name
        if "layers" in entry:
            assert all(1 <= len(each["names"]) <= 3 for each in entry["layers"]), name
            assert {key: entry["layers"][0][key] for key in ("files", "width", "height")} == {
                key: entry[key] for key in ("files", "width", "height")
            }
            names = layers_of(entry)
            assert len(set(names)) == len(names)
            assert sorted(names, key=lambda layer: layer not in shown) == names, name


def test_nothing_in_a_figure_changes_with_time_place_or_program(drawn: Drawn) -> None:
    """Two builds on two days must give the same bytes."""
    for name, *paths in variants(drawn):
        for path in paths:
            content = path.read_bytes()
            assert not re.search(rb"<metadata|dc:date|Matplotlib v|Software|tEXt|tIME", content), name
            assert str(drawn.workspace.build).encode() not in content, name


def test_variants_differ_in_colours_alone(drawn: Drawn) -> None:
    """The toggle must not move anything."""
    for name, light, dark in variants(drawn):
        if light.suffix == ".png":
            assert light.read_bytes() != dark.read_bytes()
            continue
        texts = [path.read_text(encoding="utf-8") for path in (light, dark)]
        assert texts[0] != texts[1], name
        blank = [re.sub(r"#[0-9a-f]{6}\b|base64,[^\"]*", "", text) for text in texts]
        assert blank[0] == blank[1], name


def test_only_the_inks_of_a_variant_are_used(drawn: Drawn) -> None:
    """A colour that is none of them would stay as it is when the scheme changes."""
    for name, *paths in variants(drawn):
        for scheme, path in zip(("light", "dark"), paths, strict=True):
            if path.suffix == ".svg":
                ink = INKS[scheme]
                known = {*ink.layers, *ink.ramp}
                known |= {getattr(ink, each) for each in LONE_INKS}
                used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", path.read_text(encoding="utf-8")))
                assert used <= known, name
                assert ink.paper in used, name


def test_letters_are_at_least_eleven_pixels_on_a_phone(drawn: Drawn) -> None:
    """A letter of size s points is s · 96 / 72 CSS pixels at the figure's width, and is shown at 358."""
    for name, entry in drawn.manifest.items():
        for each, language in itertools.product(pictures(entry), entry["files"]):
            path = drawn.file(each, "light", language)
            if path.suffix == ".svg":
                sizes = {float(size) for size in re.findall(r"scale\((0\.\d+) -0", path.read_text(encoding="utf-8"))}
                assert sizes, name
                assert min(sizes) * 100 * 96 / 72 * 358 / each["width"] >= 11, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_there_and_hold_numbers_of_the_data(drawn: Drawn, language: str) -> None:
    """Nothing missing, nothing that a person would not write; a finding is one sentence, a caption a short text."""
    for name in drawn.manifest:
        words = drawn.words(name, language)
        for part, text in words.items():
            assert text.strip(), (name, part)
            assert not re.search(r"\bnan\b|None|inf\b|[-−]0\.0+\b|\{|\}", text), (name, text)
            assert not re.search(r"(?<![\w–])-\d", text), "a hyphen for a minus sign"
            assert " ." not in text, (name, text)
        assert re.search(r"\d", words["alt"]), name
        assert not re.search(r"[.?!] |。.", words["finding"]), (name, words["finding"])
        assert len(words["caption"].split()) <= 75, (name, words["caption"])


def test_captions_state_what_the_results_state(ordinary: Drawn) -> None:
    """Numbers in captions are those of results.json, rounded."""
    results = by_run(ordinary.workspace)
    loss = results["loss"][results["main"]]
    finding = ordinary.words("loss")["finding"]
    assert f"{loss['first']:.2f} nats" in finding
    assert f"{100 * loss['final_validation_accuracy']:.1f}" in finding
    main, late = results["study"]["main"], results["study"]["late"]
    runs = [row[late]["mean_run"].mean for row in results["summary"]["persistence"][main].values() if late in row]
    label = results["study"]["optimizers"][0]["label"]
    assert f"{label}: {min(runs):.1f} to {max(runs):.1f};" in ordinary.words("persistence")["alt"]
    threshold = results["threshold"][results["main"]]["l4"]["threshold"]
    said = {row["layer"]: row["threshold"] for row in ordinary.said("histogram")["layers"]}
    assert said["l4"] == threshold


def test_languages_have_the_same_words() -> None:
    """The same figures, the same labels, the same names in braces."""
    first, second = (
        {name: wording.read(ROOT / "templates", language, name) for name in ("figures", "labels")}
        for language in LANGUAGES
    )
    assert set(first["figures"]) == set(FIGURES)
    for name, sections in first.items():
        assert {key: set(texts) for key, texts in sections.items()} == {
            key: set(texts) for key, texts in second[name].items()
        }
    for section, texts in first["labels"].items():
        for key, text in texts.items():
            names = [sorted(re.findall(r"\{(\w+)\}", each)) for each in (text, second["labels"][section][key])]
            assert names[0] == names[1], (section, key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_of_a_label_has_a_shape(language: str) -> None:
    """Otherwise a box would stand for it."""
    with house(INKS["light"]):
        fonts = [get_font(findfont(FontProperties(family=[name]), fallback_to_default=False)) for name in FONTS]
    known = {chr(code) for font in fonts for code in font.get_charmap()}
    for section, texts in wording.read(ROOT / "templates", language, "labels").items():
        assert not set("".join(texts.values())) - known, section


# What matplotlib calls things and warns of, the names of fonts, and what is looked for in an optimizer's name.
NO_WORDS = {
    *("offset points", "axes fraction", "lower right", "DejaVu Sans", " with momentum "),
    r"Glyph \d+ .* missing from font",
}


def test_no_words_are_left_in_what_draws() -> None:
    """They are in templates/<language>/words, labels.toml and figures.toml."""
    for path in sorted((ROOT / "report" / "drawing" / "figures").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = {
            node.body[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            if isinstance(node.body[0], ast.Expr)
        }
        errors = {inner for node in ast.walk(tree) if isinstance(node, ast.Raise) for inner in ast.walk(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said | errors:
                text = re.sub(r"<[^>]*>", "", node.value)
                words = text not in NO_WORDS and re.search(r"[A-Za-z]{2,},? [A-Za-z]{2,}", text)
                assert not words, f"{path.name}, line {node.lineno}: {node.value!r}"


def images_of(drawn: Drawn, scheme: str, name: str = "raster") -> list[NDArray[np.uint8]]:
    """Return the images inside a figure of cells, (rows, columns, 3) each, in the file's order."""
    text = drawn.file(drawn.manifest[name], scheme).read_text(encoding="utf-8")
    encoded = re.findall(r'<image xlink:href="data:image/png;base64,([^"]*)"', text)
    assert text.count("image-rendering:pixelated") == len(encoded), "smoothed where it is enlarged"
    images = [Image.open(io.BytesIO(base64.b64decode(each))) for each in encoded]
    return [np.asarray(each.convert("RGB")) for each in images]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_raster_has_one_pixel_a_cell_in_the_colour_of_its_sign(ordinary: Drawn, scheme: str) -> None:
    """A row a weight in matrix order, a column a batch: read literally from the table, cell by cell."""
    table, ink = columns.read(ordinary.workspace.tables / "raster.csv"), INKS[scheme]
    paper, up, down = (
        [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        for colour in (ink.paper, ink.increase, ink.decrease)
    )
    images = images_of(ordinary, scheme)
    full = dict.fromkeys(("up", "down", "none"), 0)
    for panel, image in zip(("recorded", "tossed", "without_momentum"), images, strict=False):
        found = rows(table, panel=panel)
        weights = sorted(set(zip(found["out"], found["in"], strict=True)))
        batches = sorted(set(found["batch"]))
        assert image.shape == (len(weights), len(batches), 3)
        for batch, *weight, update in zip(*(found[name] for name in ("batch", "out", "in", "update")), strict=True):
            colour = image[weights.index(tuple(weight)), batches.index(batch)].tolist()
            if abs(update) >= 2:
                assert colour == (up if update > 0 else down)
                full["up" if update > 0 else "down"] += 1
            elif update == 0:
                assert colour == paper
                full["none"] += 1
            else:
                share = np.array(colour) - paper
                towards = np.array(up if update > 0 else down) - paper
                assert np.abs(np.cross(share, towards)).max() <= 2 * 255, "between paper and the sign's ink"
                assert share @ towards >= 0
    assert min(full["up"], full["down"]) > 0
    assert len(images) == 4, "three panels and the scale"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_to_be_guessed_is_a_piece_of_the_raster(ordinary: Drawn, scheme: str) -> None:
    """The coin's on the left, the recorded on the right: whole units from the top, the last batches."""
    recorded, tossed = images_of(ordinary, scheme)[:2]
    found = images_of(ordinary, scheme, "guess")
    said = ordinary.said("guess")
    assert len(found) == 2
    for image, whole in zip(found, (tossed, recorded), strict=True):
        np.testing.assert_array_equal(image, whole[: said["weights"], -said["batches"] :])
    table = rows(columns.read(ordinary.workspace.tables / "raster.csv"), panel="recorded")
    units = sorted(table["out"][table["batch"] == table["batch"].min()])
    assert said["weights"] == len(units) or units[said["weights"]] != units[said["weights"] - 1]


def test_noise_has_the_streaks_of_the_formula(ordinary: Drawn) -> None:
    """Without momentum and with it, in the words of the figure; the two are drawn from one table."""
    none, momentum = ordinary.said("coin")["cases"]
    assert (none["beta"], none["formula"], momentum["beta"]) == ("0", 2, "0.9")
    for case in (none, momentum):
        assert case["run"] == pytest.approx(math.pi / math.acos(float(case["beta"])), rel=0.03)
    assert set(columns.read(ordinary.workspace.tables / "coin.csv")["beta"]) == {0, 0.9}


def test_a_raster_says_runs_and_togetherness_of_the_table(ordinary: Drawn) -> None:
    """Of the main optimizer, of its toss and of its control, each in its place."""
    results = analysed.read(ordinary.workspace)
    table = analysed.numbers(ordinary.workspace, results)
    study = results["study"]
    main, late, layer = study["main"], study["late"], results["drawn"][-1]
    control = next(each["slug"] for each in study["optimizers"] if each["momentum"] == 0 and each["name"] == "Adam")
    assert control != main
    run, toss = (table.get("transplants", name, main, layer, late, applied=main).mean for name in ("mean_run", "toss"))
    plain = table.get("persistence", "mean_run", control, layer, late).mean
    said = ordinary.said("raster")["panels"].values()
    assert [each["run"] for each in said] == [run, toss, plain]
    assert [each["together"] for each in said] == [
        table.get("togetherness", name, slug, layer, late).mean
        for name, slug in (("output", main), ("output_toss", main), ("output", control))
    ]
    # Of the batches that are drawn, counted again from the table one pair after the other.
    shown = columns.read(ordinary.workspace.tables / "raster.csv")
    runs, together = [], []
    for panel in ("recorded", "tossed", "without_momentum"):
        series: dict[tuple[int, int], list[float]] = {}
        for which, out, source, update in zip(*(shown[name] for name in ("panel", "out", "in", "update")), strict=True):
            if which == panel:
                series.setdefault((int(out), int(source)), []).append(float(update))
        steps = [pair for each in series.values() for pair in itertools.pairwise(each) if 0 not in pair]
        runs.append(len(steps) / sum(now * then < 0 for now, then in steps))
        moves = [
            (now, then)
            for (one, first), (other, second) in itertools.combinations(series.items(), 2)
            if one[0] == other[0]
            for now, then in zip(first, second, strict=True)
            if now and then
        ]
        together.append(sum(now * then > 0 for now, then in moves) / len(moves))
    assert [each["shown_run"] for each in said] == pytest.approx(runs)
    assert [each["shown_together"] for each in said] == pytest.approx(together)
    alt = ordinary.words("raster")["alt"]
    assert all(
        f"{run:.1f} batches" in alt and f"{100 * share:.0f}\N{NARROW NO-BREAK SPACE}%" in alt
        for run, share in zip(runs, together, strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize(("quantity", "statistic"), [("togetherness", "output_toss"), ("transplants", "lean")])
def test_a_row_that_a_figure_needs_and_lacks_is_an_error(copied: Drawn, quantity: str, statistic: str) -> None:
    """Never an empty picture."""
    path = copied.workspace.numbers / f"{quantity}.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    main = analysed.read(copied.workspace)["study"]["main"]
    # Of transplants those alone that are not the optimizer's own: whether it is replayed must not be in doubt.
    kept = [
        line
        for line in lines
        if not (line.startswith(f"{statistic},{main},") and f",{main}," not in line[len(main) + len(statistic) + 1 :])
    ]
    assert len(kept) < len(lines)
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with pytest.raises(ReportError, match=f"The table has no row quantity='{quantity}', statistic='{statistic}'"):
        draw.plan(copied.workspace)


def transplanted(optimizers: list[tuple[str, str, float]], layers: list[str]) -> tuple[dict[str, Any], Table]:
    """Return made-up results and numbers of optimizers (slug, name, momentum); runs count up, tosses are 10."""
    slugs = [slug for slug, *_ in optimizers]
    made: dict[Key, Estimate] = {}
    for layer, gradients, applied in itertools.product(layers, slugs, slugs):
        run = 10.0 + slugs.index(applied) - slugs.index(gradients)
        for name, value in (("mean_run", run), ("toss", 10.0), ("lean", run - 10)):
            key = Key("transplants", name, gradients, layer, "all", None, applied)
            made[key] = Estimate(value, None, None, 1, (value,))
    study = {
        "main": slugs[0],
        "late": "all",
        "batches": 40,
        "optimizers": [
            {"slug": slug, "label": slug, "name": name, "momentum": momentum} for slug, name, momentum in optimizers
        ],
        "runs": {slug: [slug] for slug in slugs},
    }
    results = {
        "study": study,
        "theory": {slug: {"memory": momentum} for slug, _, momentum in optimizers},
        "tensors": layers,
        "drawn": layers[1:],
        "network": {"layers": {layer: {"shape": [4, 5]} for layer in layers}},
    }
    return results, Table(slugs, layers, made)


SEVEN = [
    *(("A9", "Adam", 0.9), ("A0", "Adam", 0.0), ("A5", "Adam", 0.5), ("A99", "Adam", 0.99)),
    *(("R", "RMSprop", 0.0), ("S", "SGD", 0.0), ("S9", "SGD", 0.9)),
]


def test_transplants_show_the_ends_of_each_family_by_rising_momentum() -> None:
    """The main optimizer is among them, whatever it is called; the rest is named."""
    results, table = transplanted(SEVEN, ["a", "b", "c", "d", "e"])
    found = transplants.facts(results, table)
    assert found is not None
    assert [each["slug"] for each in found["optimizers"]] == ["A0", "A9", "A99", "S", "S9"]
    assert found["optimizers_left_out"] == ["A5", "R"]
    assert list(found["layers"]) == ["b", "d", "e"]  # three of the four that are drawn, from end to end
    assert found["left_out"] == 2
    assert found["cells"]["d"]["A99"]["S"] == {"mean_run": 8.0, "toss": 10.0, "lean": -2.0}
    renamed = [(slug.replace("A", "x"), name.replace("Adam", "Lion"), momentum) for slug, name, momentum in SEVEN]
    other = transplants.facts(*transplanted(renamed, ["a", "b"]))
    assert other is not None
    assert [each["slug"] for each in other["optimizers"]] == ["x0", "x9", "x99", "S", "S9"]


def test_transplants_need_two_optimizers_and_a_drawn_layer() -> None:
    """One on its own gradients is no comparison."""
    assert transplants.facts(*transplanted(SEVEN[:1], ["a", "b"])) is None
    assert transplants.facts(*transplanted(SEVEN, ["a"])) is None
    results, table = transplanted(SEVEN[:2], ["a", "b"])
    assert transplants.facts(results, table) is not None
    assert transplants.facts(results, Table(table.labels, table.tensors)) is None


def test_cells_of_transplants_have_a_bar_as_long_as_the_lean_and_are_framed_where_they_are_own() -> None:
    """To the right where the run is longer than its toss, to the left where it is shorter; half a cell for half."""
    results, table = transplanted(SEVEN[:3], ["a", "b"])
    found = transplants.facts(results, table)
    cells = [(key, row.mean) for key, row in table.rows.items() if key.statistic == "mean_run"]
    keys = [key for key, _ in cells]
    made = {
        "applied": np.array([key.applied for key in keys]),
        "gradients": np.array([key.label for key in keys]),
        "tensor": np.array([key.tensor for key in keys]),
        "window": np.array([key.window for key in keys]),
        "mean_run": np.array([run for _, run in cells]),
        "toss": np.full(len(keys), 10.0),
        "lean": np.array([run - 10 for _, run in cells if run is not None]),
    }
    assert found is not None
    with house(INKS["light"]):
        labels = {name: name for name in ("optimizer", "gradients", "lean")}
        figure = transplants.draw(INKS["light"], {"transplants": made}, found, labels)
    patches = [each for each in figure.axes[0].patches if isinstance(each, Rectangle)]
    cells_of = [each for each in patches if not each.get_fill() and each.get_linewidth() < 1][:9]
    bars = [each for each in patches if each.get_fill()][:9]
    runs = {(key.applied, key.label): run for key, run in cells if key.tensor == "b"}
    order = [each["slug"] for each in found["optimizers"]]
    for cell, bar, pair in zip(cells_of, bars, itertools.product(order, order), strict=True):
        run = runs[pair]
        assert run is not None
        ends = np.array([bar.get_x(), bar.get_x() + bar.get_width()])
        middle, half = cell.get_x() + cell.get_width() / 2, cell.get_width() / 2
        share = (run - 10) / 10 / 0.5
        assert np.sort((ends - middle) / half) == pytest.approx(sorted([0, max(-1, min(share, 1))]))
        assert cell.get_y() < bar.get_y() < bar.get_y() + bar.get_height() < cell.get_y() + cell.get_height()
    frames = [each for each in patches if not each.get_fill() and each.get_linewidth() > 1]
    assert [each.get_xy() for each in frames] == [cells_of[4 * place].get_xy() for place in range(3)]


def test_the_parts_of_a_run_are_those_of_the_late_window_and_make_up_the_toss(ordinary: Drawn) -> None:
    """Chance, uneven gradients and coasting are the sign toss, and with lean the measured run."""
    results = analysed.read(ordinary.workspace)
    table = analysed.numbers(ordinary.workspace, results)
    main, late = results["study"]["main"], results["study"]["late"]
    found = decomposition.facts(results, table)
    assert found is not None
    assert set(results["drawn"]) <= set(found["layers"])
    for layer, row in found["layers"].items():
        toss = table.get("transplants", "toss", main, layer, late, applied=main).mean
        assert row["toss"] == pytest.approx(toss)
        assert row["toss"] + row["parts"]["lean"] == pytest.approx(row["parts"]["measured"])
        parts = next(each for each in ordinary.said("decomposition")["layers"] if each["layer"] == layer)
        assert parts == {"layer": layer, "toss": row["toss"], **row["parts"]}
        assert f"{layer}: {wording.fixed(parts['measured'], 1)} = chance" in ordinary.words("decomposition")["alt"]


@pytest.mark.slow
def test_runs_of_every_optimizer_are_held_against_their_sign_toss(ordinary: Drawn, crowded: Drawn) -> None:
    """The toss of the same optimizer's own gradients, a mark a layer; the formula alone where nothing is replayed."""
    results = analysed.read(ordinary.workspace)
    table = analysed.numbers(ordinary.workspace, results)
    late, said = results["study"]["late"], ordinary.said("persistence")
    labels = {each["slug"]: each["label"] for each in results["study"]["optimizers"]}
    shown = {each["label"]: each for each in said["optimizers"]}
    for slug in results["study"]["runs"]:
        tosses = [
            table.get("transplants", "toss", slug, layer, late, applied=slug).mean for layer in results["tensors"]
        ]
        known = [toss for toss in tosses if toss is not None]
        assert shown[labels[slug]]["toss"] == {"low": min(known), "high": max(known)}
    assert said["has_toss"]
    assert said["has_formula"]
    assert not crowded.said("persistence")["has_toss"]
    rows = {each["label"]: each for each in crowded.said("persistence")["optimizers"]}
    assert rows["NAdam, β1 = 0.95"]["toss"] is None
    assert "toss" not in crowded.words("persistence")["alt"]
    assert "coin" not in crowded.words("persistence")["caption"]


def test_an_image_inside_a_drawing_keeps_its_pixels() -> None:
    """With a palette it is smaller; what does not fit into one is refused."""
    pixels = np.random.default_rng(2).integers(0, 6, (40, 30, 3)).astype(np.uint8) * 51

    def encoded(image: NDArray[np.uint8]) -> str:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format="PNG")
        return base64.b64encode(buffer.getvalue()).decode("ascii")

    with Image.open(io.BytesIO(base64.b64decode(picture.packed(encoded(pixels))))) as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image.convert("RGB")), pixels)
    with pytest.raises(ValueError, match="a palette has room for 256"):
        picture.packed(encoded(np.random.default_rng(3).integers(0, 256, (40, 30, 3)).astype(np.uint8)))


def test_another_experiment_is_described_by_its_own_numbers(ordinary: Drawn, lonely: Drawn) -> None:
    """A typed number would be the same in both."""
    for name in set(ordinary.manifest) & set(lonely.manifest) - {"coin"}:  # no experiment is in that
        assert ordinary.words(name)["alt"] != lonely.words(name)["alt"], name


def test_links_lead_to_the_table_and_the_code(drawn: Drawn) -> None:
    """The data can be downloaded, and the code is there."""
    for name, entry in drawn.manifest.items():
        assert (drawn.workspace.build / entry["data"]).is_file(), name
        lines = (ROOT / entry["code"]["path"]).read_text(encoding="utf-8").splitlines()
        assert any(line.startswith(f"def {entry['code']['function']}(") for line in lines), name


@pytest.mark.slow
def test_only_the_figures_of_a_changed_table_are_drawn_again(copied: Drawn) -> None:
    """A changed table or a lost file costs one figure, not all."""
    made: list[str] = []
    draw_figures(copied.workspace, lambda done, total, what: made.append(what))
    assert made == []
    table = copied.workspace.tables / "histogram.csv"
    table.write_text(table.read_text(encoding="utf-8").rstrip() + "5\n", encoding="utf-8")  # the last count
    (copied.workspace.figures / "ja" / "loss-dark.svg").unlink()
    draw_figures(copied.workspace, lambda done, total, what: made.append(what))
    assert made == ["figure loss", "figure histogram"]


def test_figures_of_an_earlier_experiment_are_removed(copied: Drawn) -> None:
    """The site would publish them."""
    gone = copied.workspace.figures / "en" / "gone.svg"
    gone.write_text("<svg/>", encoding="utf-8")
    draw_figures(copied.workspace)
    assert not gone.exists()
    assert (copied.workspace.figures / "en" / "loss.svg").exists()


@pytest.mark.slow
def test_a_figure_too_large_as_vectors_becomes_an_image_at_twice_its_size(
    copied: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both variants, under the names that pages link to."""
    monkeypatch.setattr(picture, "LARGEST_SVG", 1000)
    monkeypatch.setattr("report.drawing.figures.draw.FIGURES", ("autocorrelation",))
    copied.workspace.ledger.unlink()
    draw_figures(copied.workspace, languages=("ja",))
    entry = copied.manifest["autocorrelation"]
    light, dark = (copied.file(entry, scheme) for scheme in ("light", "dark"))
    assert light.suffix == dark.suffix == ".png"
    with Image.open(light) as image:
        assert (image.width, image.height) == (2 * entry["width"], 2 * entry["height"])


@pytest.mark.parametrize("kind", [".svg", ".png"])
def test_dots_show_in_vectors_and_in_images(kind: str) -> None:
    """They are lines without length, which renderers treat differently."""
    ink = INKS["light"]
    with house(ink):
        figure, (panel,) = sheet([200])
        dots(panel, [1, 2, 3], [1, np.nan, 2], ink.increase, 6)
        if kind == ".svg":
            ending, content = picture.encode(figure)
            assert ending == kind
            path = re.search(rf'd="([^"]+)"[^>]*stroke: {ink.increase}; [^"]*stroke-linecap: round', content.decode())
            assert path is not None
            assert len(np.unique(points(path[1]).round(1), axis=0)) == 2
            return
        content = picture.image(figure)
        places = panel.transData.transform([(1, 1), (3, 2)]) * picture.SHARPNESS
    with Image.open(io.BytesIO(content)) as image:
        colours = [image.convert("RGB").getpixel((round(x), image.height - round(y))) for x, y in places]
    wanted = tuple(int(ink.increase[place : place + 2], 16) for place in (1, 3, 5))
    assert colours == [wanted, wanted]


@pytest.mark.slow
def test_drawing_needs_no_torch() -> None:
    """Nor pyplot, which would look for a screen."""
    names = ", ".join(f"report.drawing.figures.{name}" for name in FIGURES)
    code = f"import sys, {names}; print('torch' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def points(path: str) -> NDArray[np.float64]:
    """Return the points of SVG path data, absolute, by reading it literally, one command at a time."""
    tokens = re.findall(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?", path)
    found: list[tuple[float, float]] = []
    x = y = start_x = start_y = 0.0
    command = ""
    place = 0
    while place < len(tokens):
        if tokens[place].isalpha():
            command = tokens[place]
            place += 1
            if command in "zZ":
                x, y = start_x, start_y
                continue
        count = {"m": 1, "l": 1, "q": 2, "c": 3, "v": 0}[command.lower()]
        if command == "v":
            y += float(tokens[place])
            place += 1
            found.append((x, y))
            continue
        base = (x, y) if command.islower() else (0.0, 0.0)
        for _ in range(count):
            x, y = base[0] + float(tokens[place]), base[1] + float(tokens[place + 1])
            found.append((x, y))
            place += 2
        if command in "mM":
            start_x, start_y = x, y
    return np.array(found)


def test_short_paths_go_where_the_long_ones_go() -> None:
    """Rounding does not add up along a line; checked with a literal reader of paths."""
    random = np.random.default_rng(5)
    for _ in range(50):
        pieces, kinds = [], random.choice(list("MLQCLLz"), 40)
        for kind in ("M", *kinds):
            numbers = random.normal(0, 100, 2 * {"M": 1, "L": 1, "Q": 2, "C": 3, "z": 0}[kind])
            pieces.append(f"{kind} {' '.join(f'{number:.6f}' for number in numbers)}".strip())
        long = " \n".join(pieces)
        short = picture.shorten(long)
        assert np.abs(points(short) - points(long)).max() <= 0.005 + 1e-9  # half a unit of the last place, and no more
        assert len(short) < len(long)


def test_a_recoloured_drawing_goes_back() -> None:
    """No two inks of a variant become one in the other."""
    light, dark = INKS["light"], INKS["dark"]
    text = " ".join(
        f"fill: {colour}" for colour in (*light.layers, *light.ramp, light.others, light.paper, light.ink, light.grid)
    )
    assert recoloured(text, light, dark) != text
    assert recoloured(recoloured(text, light, dark), dark, light) == text


@pytest.mark.parametrize("name", ["raster", "guess", "loss", "digits"])
def test_what_is_painted_again_is_what_would_have_been_drawn(ordinary: Drawn, name: str) -> None:
    """With cells or without; and an image whose colours are not known is not taken for cells."""
    plan = draw.plan(ordinary.workspace)[name]
    labels = draw._labels(ordinary.workspace, name, "en")
    how = {"tables": draw._tables(ordinary.workspace, plan), "facts": draw._parts(plan)[0], "labels": labels}
    drawn = []

    def one(ink: Ink) -> Figure:
        drawn.append(ink.scheme)
        return draw._module(name).draw(ink, **how)

    (_, painted), schemes = picture.variants(one)["dark"], [*drawn]
    assert schemes == (["light", "dark"] if name == "digits" else ["light"])
    with house(INKS["dark"]):
        _, again = picture.encode(one(INKS["dark"]))
    markers = re.compile(rb"\bm[0-9a-f]{10}\b")  # their names are hashes of their colours, too
    assert markers.sub(b"", painted) == markers.sub(b"", again)


# Linear RGB as seen with no green-sensitive and no red-sensitive cones (Machado, Oliveira and Fernandes 2009).
VIEWS = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def linear(colour: str) -> NDArray[np.float64]:
    """Return linear red, green and blue, 0 to 1, of `#rrggbb`."""
    value = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def perceived(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Oklab coordinates, in which distances are near what the eye sees (Ottosson 2020)."""
    cones = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ np.clip(rgb, 0, 1)
    )
    lab: NDArray[np.float64] = (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ cones
    )
    return lab


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    values = sorted(float(weights @ linear(colour)) for colour in (one, other))
    return (values[1] + 0.05) / (values[0] + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kinds", [("layers",), ("ramp", "others")])
def test_colours_stay_apart_for_every_reader(scheme: str, kinds: tuple[str, ...]) -> None:
    """The palette of Okabe and Ito, made for this, keeps its colours at least 0.076 apart by the same measure."""
    found = [getattr(INKS[scheme], kind) for kind in kinds]
    colours = [colour for each in found for colour in ([each] if isinstance(each, str) else each)]
    for view, matrix in VIEWS.items():
        for one, other in itertools.combinations(colours, 2):
            distance = np.linalg.norm(perceived(matrix @ linear(one)) - perceived(matrix @ linear(other)))
            assert distance >= 0.076, (view, one, other)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_more_momentum_is_a_stronger_colour(scheme: str) -> None:
    """Of one hue: the further from the paper, the more momentum."""
    ink = INKS[scheme]
    contrasts = [contrast(colour, ink.paper) for colour in ink.ramp]
    assert contrasts == sorted(contrasts)
    hues = [math.degrees(math.atan2(lab[2], lab[1])) for lab in (perceived(linear(colour)) for colour in ink.ramp)]
    assert max(hues) - min(hues) < 15


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_and_words_stand_out_from_the_paper(scheme: str) -> None:
    """3 : 1 for what is drawn and 4.5 : 1 for what is written, as WCAG 2.2 asks."""
    ink = INKS[scheme]
    for colour in (*ink.layers, *ink.ramp, ink.others, ink.increase, ink.decrease):
        assert contrast(colour, ink.paper) >= 3, colour
    for colour in (ink.ink, ink.muted):
        assert contrast(colour, ink.paper) >= 4.5, colour


def test_rows_selects_what_all_columns_ask_for() -> None:
    """And everything where nothing is asked for."""
    table = {"layer": np.array(["l1", "l1", "l2"]), "lag": np.array([1, 2, 1]), "mean": np.array([0.1, 0.2, 0.3])}
    assert rows(table, layer="l1", lag=1)["mean"].tolist() == [0.1]
    assert rows(table)["mean"].tolist() == [0.1, 0.2, 0.3]


def test_the_order_of_layers_is_that_of_the_recording() -> None:
    """JSON sorts names; a network runs from its input to its output."""
    layers = {"head": {"shape": [3, 4]}, "10": {"shape": [4, 5]}, "2": {"shape": [5, 6]}, "idle": {"shape": [1, 1]}}
    found = selection({"tensors": ["2", "10", "head"], "drawn": ["10", "head"], "network": {"layers": layers}})
    assert found == {
        "layers": {
            "2": {"shape": [5, 6], "place": 0, "drawn": False},
            "10": {"shape": [4, 5], "place": 1, "drawn": True},
            "head": {"shape": [3, 4], "place": 2, "drawn": True},
        },
        "left_out": 0,
    }


def test_look_finds_what_is_there_and_none_else() -> None:
    """A layer without a step in a window has no number there."""
    tree = {"a": {"all": [1.5, 2.5]}, "b": None}
    assert look(tree, "a", "all", 1) == 2.5
    assert look(tree, "a", "1-100", 0) is None
    assert look(tree, "b", "all", 0) is None


def test_a_figure_depends_on_all_the_code_that_it_imports() -> None:
    """A change of what draws it draws it anew; one of another figure does not."""
    found = CODE.closure("report.drawing.figures.persistence")
    assert {"report.drawing.figures.comparison", "report.drawing.choice", "report.wording"} <= set(found)
    assert "report.drawing.figures.loss" not in found


def test_the_manifest_is_json_that_a_template_can_read(drawn: Drawn) -> None:
    """With the keys that pages use, and no others."""
    text = drawn.workspace.figures_manifest.read_text(encoding="utf-8")
    assert json.loads(text) == drawn.manifest
    wanted = {"files", "width", "height", "said", "data", "code"}
    assert all(set(entry) - {"layers"} == wanted for entry in drawn.manifest.values())
