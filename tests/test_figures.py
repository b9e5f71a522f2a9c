"""The figures: well-formed, small, the same bytes every time, in two variants, and described from their data."""

import io
import itertools
import json
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
from measured import by_run
from numpy.typing import NDArray
from recordings import ADAM, SGD, Rule, noise, record_cnn, write_recording

from report import files
from report.analysis.report import analyse
from report.drawing.choice import chosen
from report.drawing.figures import picture
from report.drawing.figures.draw import FIGURES
from report.drawing.figures.sources import look, rows, selection
from report.drawing.figures.style import INKS, dots, house, recoloured, sheet
from report.making import drawn as drawn_again
from report.products import CODE
from report.recording.study import Study
from report.workspace import Workspace

DEEP = {"in": (12, 20), "l2": (9, 12), "l3": (8, 9), "l4": (7, 8), "l5": (6, 7), "l6": (5, 6), "out": (3, 5)}
BLOCKS = 20  # of the model with many tensors: a matrix and a bias each


def silent(done: int, total: int, what: str) -> None:
    """Take the progress of a drawing and say nothing."""


@dataclass(frozen=True)
class Drawn:
    """Hold a build whose figures have been drawn, and their manifest."""

    workspace: Workspace

    @property
    def manifest(self) -> dict[str, Any]:
        """Return the entries of the figures."""
        found: dict[str, Any] = files.read_json(self.workspace.figures_manifest)
        return found

    def file(self, entry: dict[str, Any], scheme: str) -> Path:
        """Return the file of one variant."""
        return self.workspace.docs / str(entry["files"][scheme])


def made(folder: Path) -> Drawn:
    """Analyse and draw the recordings that lie in `folder`/runs."""
    workspace = Workspace(ROOT, folder / "build", folder / "site")
    analyse(workspace, Study.load(folder / "runs"), [])
    drawn_again.figures(workspace, maker_of(workspace), silent)
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
    return made(folder)


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
    return made(folder)


@pytest.fixture(scope="session")
def convolutional(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the figures of a convolutional network with norms and biases, whose graph is its head alone."""
    folder = tmp_path_factory.mktemp("convolutional")
    record_cnn(folder / "runs" / "a", label="SGD with momentum 0.9", steps=20)
    record_cnn(folder / "runs" / "b", label="SGD", momentum=0.0, steps=20)
    return made(folder)


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the figures of tensors, and of labels, whose names are digits alone."""
    folder = tmp_path_factory.mktemp("numbered")
    for label, beta in (("1", 0.9), ("2", 0.0)):
        weights, gradients = noise({"0": (5, 6), "1": (4, 5), "10": (3, 4)}, 40, beta=beta)
        write_recording(folder / "runs" / label, weights, gradients, label=label, rules=[adam("Adam", beta)])
    return made(folder)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the figures of forty tensors with long names under fourteen optimizers, some names in other letters."""
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
    return made(folder)


@pytest.fixture(params=["ordinary", "lonely", "crowded", "convolutional", "numbered", "many"])
def drawn(request: pytest.FixtureRequest) -> Drawn:
    """Return each of the builds in turn."""
    found: Drawn = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def redrawn(ordinary: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the tiny experiment's figures, drawn a second time from a copy of its results and tables."""
    folder = tmp_path_factory.mktemp("redrawn")
    workspace = Workspace(ROOT, folder / "build", folder / "site")
    workspace.build.mkdir()
    shutil.copytree(ordinary.workspace.tables, workspace.tables)
    shutil.copytree(ordinary.workspace.numbers, workspace.numbers)
    shutil.copy(ordinary.workspace.results, workspace.results)
    drawn_again.figures(workspace, maker_of(workspace), silent)
    return Drawn(workspace)


@pytest.fixture
def copied(redrawn: Drawn, tmp_path: Path) -> Drawn:
    """Return a copy of a build with all its figures, to be changed and drawn into."""
    shutil.copytree(redrawn.workspace.build, tmp_path / "build")
    return Drawn(Workspace(ROOT, tmp_path / "build", tmp_path / "site"))


def variants(drawn: Drawn) -> Iterator[tuple[str, Path, Path]]:
    """Yield name, light file and dark file of each figure."""
    for name, entry in drawn.manifest.items():
        yield name, drawn.file(entry, "light"), drawn.file(entry, "dark")


def test_every_figure_of_the_tiny_study_is_there(ordinary: Drawn) -> None:
    """The study of the tests is large enough for all of them."""
    assert set(ordinary.manifest) == set(FIGURES)


def test_what_has_no_data_is_left_out(lonely: Drawn) -> None:
    """One optimizer, one drawn layer, no digits, no loss: figures of them would be empty."""
    missing = set(FIGURES) - set(lonely.manifest)
    assert missing == {"digits", "loss", "persistence", "run_lengths", "one_weight", "units"}


def test_a_study_of_any_size_is_drawn(crowded: Drawn) -> None:
    """More optimizers and layers than there are colours, and no theory of most."""
    assert {"persistence", "run_lengths", "one_weight", "agreement", "loss"} <= set(crowded.manifest)
    # No theory covers NAdam: there is nothing to take its runs apart with.
    assert "decomposition" not in crowded.manifest
    loss = crowded.manifest["loss"]
    assert (loss["title"], loss["height"]) == ("Loss over the batches", 250)
    assert not re.search("validation|guessing|accuracy|images", loss["caption"] + loss["alt"])


def test_a_convolutional_network_is_drawn(convolutional: Drawn) -> None:
    """Convolutions, norms and biases are tensors like any other; one that nothing trains is not shown."""
    # A schedule leaves no learning rate to measure by, and the loss was logged under a name of its own.
    assert set(FIGURES) - set(convolutional.manifest) == {"digits", "loss", "startup"}
    alt = convolutional.manifest["persistence"]["alt"]
    for name in ("0.weight", "0.bias", "1.weight", "3.weight", "6.weight", "8.bias"):
        assert f"in {name}" in alt
    assert "3.bias" not in alt
    units = convolutional.manifest["units"]["caption"].replace("\N{NO-BREAK SPACE}", " ")
    assert units.startswith("6.weight (54 → 16) and 8.weight (16 → 5) under")


def test_names_made_of_digits_are_names(numbered: Drawn) -> None:
    """Read back from a table as numbers, layers and optimizers would match nothing: panels would be empty."""
    results = by_run(numbered.workspace)
    late = results["study"]["late"]
    for slug in ("1", "2"):
        for layer in ("0", "1", "10"):
            run = results["summary"]["persistence"][slug][layer][late]["mean_run"].mean
            assert f"{run:.1f} in {layer}" in numbered.manifest["persistence"]["alt"]
    # A dot a layer and optimizer: without them the drawing is the empty axes.
    drawing = numbered.file(numbered.manifest["persistence"], "light").read_text(encoding="utf-8")
    for colour in INKS["light"].layers[:3]:
        assert drawing.count(f"stroke: {colour}") >= 2


def test_many_tensors_and_optimizers_are_thinned_out(many: Drawn) -> None:
    """A figure stays as high as a reader scrolls, and its caption says what is missing."""
    for name, entry in many.manifest.items():
        assert entry["height"] <= 1500, name
        if name not in ("weight_history", "one_weight"):
            left_out = 12 if name == "units" else 32
            assert f"Left out: {left_out}\N{NO-BREAK SPACE}other tensors of the model." in entry["caption"], name
    assert "Left out: 2\N{NO-BREAK SPACE}other optimizers." in many.manifest["persistence"]["caption"]
    # The graph's tensors, from its first to its last.
    caption = many.manifest["histogram"]["caption"]
    assert "in 重み $x$ <i>.weight" in caption
    assert f"in transformer.encoder.layers.{BLOCKS - 1}.self_attention.projection.weight" in caption
    assert "bias" not in caption


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
        for scheme in ("light", "dark"):
            path = drawn.file(entry, scheme)
            assert path.stat().st_size < 100_000, name
            if path.suffix == ".svg":
                root = ET.fromstring(path.read_text(encoding="utf-8"))
                assert (root.get("width"), root.get("height")) == (str(entry["width"]), str(entry["height"])), name
                # 96 CSS pixels are 72 points: nothing is stretched.
                assert [float(each) for each in root.get("viewBox", "").split()][2:] == pytest.approx(
                    [0.75 * entry["width"], 0.75 * entry["height"]], abs=1
                )
            else:
                assert picture.size(path) == (entry["width"], entry["height"])


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
        blank = [re.sub(r"#[0-9a-f]{6}\b", "#", text) for text in texts]
        assert blank[0] == blank[1], name


def test_only_the_inks_of_a_variant_are_used(drawn: Drawn) -> None:
    """A colour that is none of them would stay as it is when the scheme changes."""
    for name, *paths in variants(drawn):
        for scheme, path in zip(("light", "dark"), paths, strict=True):
            if path.suffix == ".svg":
                ink = INKS[scheme]
                known = {*ink.layers, *ink.optimizers}
                known |= {getattr(ink, each) for each in ("paper", "ink", "muted", "grid", "increase", "decrease")}
                used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", path.read_text(encoding="utf-8")))
                assert used <= known, name
                assert ink.paper in used, name


def test_letters_are_at_least_nine_pixels_on_a_phone(drawn: Drawn) -> None:
    """A letter of size s points is s · 96 / 72 CSS pixels at 560, and is shown at 358."""
    for name, light, _ in variants(drawn):
        if light.suffix == ".svg":
            sizes = {float(size) for size in re.findall(r"scale\((0\.\d+) -0", light.read_text(encoding="utf-8"))}
            assert sizes, name
            assert min(sizes) * 100 * 96 / 72 * 358 / 560 >= 9, name


def test_words_are_there_and_hold_numbers_of_the_data(drawn: Drawn) -> None:
    """Nothing missing, nothing that a person would not write."""
    for name, entry in drawn.manifest.items():
        for part in ("title", "caption", "alt"):
            assert entry[part].strip(), (name, part)
            assert not re.search(r"\bnan\b|None|inf\b|[-−]0\.0+\b|\{|\}", entry[part]), (name, entry[part])
        assert re.search(r"\d", entry["caption"]), name
        assert re.search(r"\d", entry["alt"]), name
        assert not re.search(r"(?<![\w–])-\d", entry["caption"] + entry["alt"]), "a hyphen for a minus sign"


def test_captions_state_what_the_results_state(ordinary: Drawn) -> None:
    """Numbers in captions are those of results.json, rounded."""
    results = by_run(ordinary.workspace)
    loss = results["loss"][results["main"]]
    caption = ordinary.manifest["loss"]["caption"]
    assert f"{loss['first']:.2f} nats" in caption
    assert f"{100 * loss['final_validation_accuracy']:.1f}" in caption
    late = results["study"]["late"]
    run = results["summary"]["persistence"][results["study"]["main"]]["l3"][late]["mean_run"].mean
    assert f"{run:.1f} in l3" in ordinary.manifest["persistence"]["alt"]
    threshold = results["threshold"][results["main"]]["l4"]["threshold"]
    assert f"{threshold:.3g}" in ordinary.manifest["histogram"]["caption"].replace("0 in", " in")


def test_another_experiment_is_described_by_its_own_numbers(ordinary: Drawn, lonely: Drawn) -> None:
    """A typed number would be the same in both."""
    for name in set(ordinary.manifest) & set(lonely.manifest):
        assert ordinary.manifest[name]["alt"] != lonely.manifest[name]["alt"], name


def test_links_lead_to_the_table_and_the_code(drawn: Drawn) -> None:
    """The data can be downloaded, and the code is there."""
    for name, entry in drawn.manifest.items():
        assert (drawn.workspace.build / entry["data"]).is_file(), name
        lines = (ROOT / entry["code"]["path"]).read_text(encoding="utf-8").splitlines()
        assert any(line.startswith(f"def {entry['code']['function']}(") for line in lines), name


def test_two_draws_give_the_same_bytes(ordinary: Drawn, redrawn: Drawn) -> None:
    """Drawn in another process and another folder."""
    assert redrawn.manifest == ordinary.manifest
    for name, *paths in variants(ordinary):
        for path in paths:
            assert (redrawn.workspace.figures / path.name).read_bytes() == path.read_bytes(), name


def test_only_the_figures_of_a_changed_table_are_drawn_again(copied: Drawn) -> None:
    """A changed table or a lost file costs one figure, not all."""
    made: list[str] = []
    drawn_again.figures(copied.workspace, maker_of(copied.workspace), lambda done, total, what: made.append(what))
    assert made == []
    table = copied.workspace.tables / "histogram.csv"
    table.write_text(table.read_text(encoding="utf-8").rstrip() + "5\n", encoding="utf-8")  # the last count
    (copied.workspace.figures / "loss-dark.svg").unlink()
    drawn_again.figures(copied.workspace, maker_of(copied.workspace), lambda done, total, what: made.append(what))
    assert made == ["figure loss", "figure histogram"]


def test_figures_of_an_earlier_experiment_are_removed(copied: Drawn) -> None:
    """The site would publish them."""
    (copied.workspace.figures / "gone.svg").write_text("<svg/>", encoding="utf-8")
    drawn_again.figures(copied.workspace, maker_of(copied.workspace), silent)
    assert not (copied.workspace.figures / "gone.svg").exists()
    assert (copied.workspace.figures / "loss.svg").exists()


def test_a_figure_too_large_as_vectors_becomes_an_image_at_twice_its_size(
    copied: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both variants, under the names that pages link to."""
    monkeypatch.setattr(picture, "LARGEST_SVG", 1000)
    monkeypatch.setattr("report.drawing.figures.draw.FIGURES", ("autocorrelation",))
    copied.workspace.ledger.unlink()
    drawn_again.figures(copied.workspace, maker_of(copied.workspace), silent)
    entry = copied.manifest["autocorrelation"]
    light, dark = (copied.file(entry, scheme) for scheme in ("light", "dark"))
    assert light.suffix == dark.suffix == ".png"
    with picture.Image.open(light) as image:
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
    with picture.Image.open(io.BytesIO(content)) as image:
        colours = [image.convert("RGB").getpixel((round(x), image.height - round(y))) for x, y in places]
    wanted = tuple(int(ink.increase[place : place + 2], 16) for place in (1, 3, 5))
    assert colours == [wanted, wanted]


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
        f"fill: {colour}" for colour in (*light.layers, *light.optimizers, light.paper, light.ink, light.grid)
    )
    assert recoloured(text, light, dark) != text
    assert recoloured(recoloured(text, light, dark), dark, light) == text


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
@pytest.mark.parametrize("kind", ["layers", "optimizers"])
def test_colours_stay_apart_for_every_reader(scheme: str, kind: str) -> None:
    """The palette of Okabe and Ito, made for this, keeps its colours at least 0.076 apart by the same measure."""
    colours = getattr(INKS[scheme], kind)
    for view, matrix in VIEWS.items():
        for one, other in itertools.combinations(colours, 2):
            distance = np.linalg.norm(perceived(matrix @ linear(one)) - perceived(matrix @ linear(other)))
            assert distance >= 0.076, (view, one, other)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_and_words_stand_out_from_the_paper(scheme: str) -> None:
    """3 : 1 for what is drawn and 4.5 : 1 for what is written, as WCAG 2.2 asks."""
    ink = INKS[scheme]
    for colour in (*ink.layers, *ink.optimizers, ink.increase, ink.decrease):
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
            "2": {"shape": [5, 6], "place": 0},
            "10": {"shape": [4, 5], "place": 1},
            "head": {"shape": [3, 4], "place": 2},
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
    wanted = {"files", "width", "height", "title", "caption", "alt", "data", "code"}
    assert all(set(entry) == wanted for entry in drawn.manifest.values())
