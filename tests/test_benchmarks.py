"""The comparisons measure what they say, and the first article's way does the article's job."""

import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from conftest import ROOT, TINY
from PIL import Image

from benchmarks import first_way, main_job, measure, our_way, waiting
from benchmarks.__main__ import main
from benchmarks.material import Material, as_toml
from benchmarks.measure import Cost, Line, alternate, watch
from report.analysis import threshold
from report.config import Experiment

pytestmark = pytest.mark.slow


def material(folder: Path, batches: int | None = None) -> Material:
    """Return the tiny experiment's material."""
    return Material.of(TINY, folder, folder / "nothing", batches, rounds=1, quick=True)


@pytest.mark.parametrize(
    ("value", "sense", "missed"), [(1.2, "at most", True), (1.0, "at most", False), (1.0, "at least", True)]
)
def test_a_bound_is_judged_by_its_sense(value: float, sense: str, missed: bool) -> None:
    """A ratio above or below its bound is a miss, as the bound means it; the bound itself is kept."""
    bound = 1.0 if sense == "at most" else 1.1
    line = Line("a / b", value, bound, sense)  # type: ignore[arg-type]
    assert line.missed is missed
    assert ("MISS" in str(line)) is missed


def test_what_was_not_measured_is_not_missed() -> None:
    """It says why instead."""
    line = Line("a / b", None, 1.0, detail="There is no b.")
    assert not line.missed
    assert "not measured. There is no b." in str(line)


def test_both_sides_take_turns() -> None:
    """The one that goes first changes every round, and medians leave one bad round out."""
    order = []
    seconds = iter([1.0, 2.0, 3.0, 9.0, 1.0, 2.0])

    def side(name: str) -> float:
        order.append(name)
        return next(seconds)

    first, second, ratios = alternate(lambda: side("a"), lambda: side("b"), 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert (first, second) == (1.0, 2.0)  # a: 1, 9, 1; b: 2, 3, 2
    assert ratios == [0.5, 3.0, 0.5]


def test_watching_sees_memory_and_time_of_children_too() -> None:
    """A process whose child holds 100 MiB for a moment is charged with them."""
    child = "import time; block = bytearray(b'x' * (100 * 2**20)); time.sleep(0.6)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print('done')"
    alone = watch([["-c", "pass"]])
    cost = watch([["-c", program]])
    assert cost.output == "done\n"
    assert 100 * 2**20 < cost.memory < 100 * 2**20 + 4 * alone.memory
    assert 0.6 < cost.seconds < 30


def test_a_process_that_fails_is_no_measurement() -> None:
    """What it printed is told."""
    with pytest.raises(measure.ReportError, match="ended with 3:\nso sorry"):
        watch([["-c", "print('so sorry'); raise SystemExit(3)"]])


def test_an_experiment_survives_being_written(tmp_path: Path) -> None:
    """The file that a benchmark hands to the command says what the benchmark means."""
    experiment = material(tmp_path, 40).experiment
    path = tmp_path / "again.toml"
    path.write_text(as_toml(experiment.model_dump(mode="json")), encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["training"]["batches"] == 40
    assert Experiment.load(path) == experiment


def test_first_way_finds_the_same_updates() -> None:
    """Its lists of single numbers come to what a difference of arrays comes to."""
    snapshots = [torch.from_numpy(array) for array in np.random.default_rng(0).normal(size=(6, 3, 4)).astype("f4")]
    course, changes = first_way.histories(snapshots)
    whole = np.array([snapshot.numpy() for snapshot in snapshots])
    np.testing.assert_array_equal(course, whole.transpose(1, 2, 0))
    np.testing.assert_array_equal(changes, np.diff(whole, axis=0).transpose(1, 2, 0))


def test_first_way_has_the_same_colours() -> None:
    """Red above the mean, blue below it, with the opacity that the report computes."""
    updates = np.random.default_rng(1).normal(0.1, 1, size=(50, 6)).astype("f4")
    law = threshold.law(updates, 50)
    found = np.array(first_way.colours([updates.T.reshape(2, 3, 50)], [law.threshold], [law.mean], 7))
    deviations = threshold.deviation(updates[7], law.mean)
    np.testing.assert_allclose(found[:, 3], threshold.opacity(deviations, law.threshold), rtol=1e-6)
    np.testing.assert_array_equal(found[:, 0] == 1, deviations > 0)
    np.testing.assert_array_equal(found[:, 2] == 1, deviations < 0)


def test_main_job_is_refused_where_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Better a line that says how many batches would fit than a machine that swaps."""
    free = main_job.ROOM + main_job.clones(material(tmp_path, 1000)) // 2
    monkeypatch.setattr(main_job, "watch", lambda commands: Cost(10.0, 300, "floor 8.0\n"))
    monkeypatch.setattr(main_job.psutil, "virtual_memory", lambda: SimpleNamespace(available=free))
    _, line = main_job.compare(material(tmp_path, 1000))
    assert line.value is None
    assert "--batches 500 would fit" in line.detail


def test_clones_are_counted_as_they_are_kept(tmp_path: Path) -> None:
    """Four bytes a weight of every layer, before the first batch and after each."""
    weights = 784 * 32 + 32 * 24 + 24 * 10 + 10 * 10 + 10 * 10
    assert main_job.clones(material(tmp_path, 120)) == 4 * weights * 121


def test_main_job_divides_ours_by_the_floor_and_the_first_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The floor is what the program says, without its reading of images; the article's way is taken once."""
    costs = [Cost(12.0, 300, "accuracy"), Cost(11.0, 200, "floor 10.00\n"), Cost(60.0, 3600, "accuracy")]
    monkeypatch.setattr(main_job, "watch", lambda commands: costs.pop(0))
    monkeypatch.setattr(main_job.psutil, "virtual_memory", lambda: SimpleNamespace(available=2**60))
    floor, time, memory = main_job.compare(material(tmp_path, 16))
    assert (floor.value, time.value, memory.value) == (12 / 10, 12 / 60, 300 / 3600)
    assert (floor.bound, time.bound, memory.bound) == (1.35, None, 1 / 12)
    assert not floor.missed
    assert not memory.missed


@pytest.mark.parametrize(
    ("way", "figures"),
    [("first_way", ("digit.png", "histogram.png", "loss.png", "weight.png")), ("our_way", our_way.FIGURES)],
)
def test_both_ways_do_the_articles_job(tmp_path: Path, way: str, figures: tuple[str, ...]) -> None:
    """They train, say their accuracy, and draw four figures and one animation."""
    short = material(tmp_path, 12)
    command = [*("--experiment", str(short.experiment_file)), *("--build", str(short.workspace.build))]
    cost = watch([["-m", f"benchmarks.{way}", *command, "--out", str(tmp_path / "out")]])
    assert "validation accuracy 0." in cost.output
    made = {path.name: path for path in (tmp_path / "out").rglob("*") if path.suffix in (".png", ".svg", ".gif")}
    drawn = {name.removesuffix(".svg").partition("-")[0] for name in made if not name.startswith("network")}
    assert drawn == {*figures}
    with Image.open(made["network.gif"]) as animation:
        assert animation.n_frames == 8
        assert animation.size == (500, 1000)


def test_the_floor_trains_and_draws_nothing(tmp_path: Path) -> None:
    """It says what it took without its reading of images."""
    short = material(tmp_path, 12)
    command = [*("--experiment", str(short.experiment_file)), *("--build", str(short.workspace.build))]
    cost = watch([["-m", "benchmarks.our_way", *command, "--out", str(tmp_path / "out"), "--floor"]])
    assert 0 < float(cost.output.rpartition("floor ")[2]) < cost.seconds
    assert not (tmp_path / "out").exists()


def test_the_command_prints_a_line_for_each_comparison(tmp_path: Path) -> None:
    """Quickly, and without judging; both sides really run."""
    names = ["recording_cost", "network_gif", "sizes"]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", *names, "--quick"),
            *("--experiment", str(TINY), "--build", str(tmp_path / "nothing")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "built-in network, 120 batches: with recorder / without: ",
        "FuncAnimation with PillowWriter / network.gif, time for 8 frames: ",
        "network.gif / FuncAnimation's, bytes: ",
        "sizes: not measured. Nothing is drawn in ",
    ):
        assert words in done.stdout
    assert "MISS" not in done.stdout


def test_what_is_changed_is_built_again_in_a_copy(tmp_path: Path) -> None:
    """A template, a figure, or nothing; the sources themselves stay as they are."""
    method, loss = ROOT / "templates" / "en" / "method.md.j2", ROOT / "report" / "drawing" / "figures" / "loss.py"
    before = method.read_bytes(), loss.read_bytes()
    first, *again = waiting.compare(material(tmp_path))
    assert [line.bound for line in (first, *again)] == [None, 0.7, 1.2, 3.0]
    assert all(line.value is not None and 0 < line.value < 300 for line in (first, *again))
    site = tmp_path / "checkout" / "site"
    assert "Sentence 0." in (site / "method.html").read_text(encoding="utf-8")
    changed = (tmp_path / "checkout" / "report" / "drawing" / "figures" / "loss.py").read_text(encoding="utf-8")
    assert changed.endswith("CHANGED_0 = 0\n")
    assert (method.read_bytes(), loss.read_bytes()) == before


def test_quick_does_not_judge() -> None:
    """A bound that is checked needs a real measurement."""
    done = CliRunner().invoke(main, ["--quick", "--check"])
    assert done.exit_code == 2
    assert "too short to judge" in done.stderr
