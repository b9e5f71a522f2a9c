"""All training runs side by side: which there are, means over seeds, tables that say what results.json says."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, TINY, Build, run_report
from measured import by_run

from report import files
from report.analysis import estimates, intervals, measures
from report.analysis.columns import read
from report.analysis.findings.records import Finding
from report.analysis.report import analyse
from report.analysis.table import SCALARS
from report.config import Experiment
from report.recording.study import Study
from report.site.words import Words
from report.workspace import Workspace


@pytest.fixture(scope="module")
def results(tiny_build: Build) -> dict[str, Any]:
    """Return what the tiny study came to."""
    return by_run(tiny_build.workspace)


@pytest.fixture
def copy(tiny_build: Build, tmp_path: Path) -> Workspace:
    """Return a workspace with the tiny study's recordings, to take some away."""
    place = Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    shutil.copytree(tiny_build.workspace.runs, place.runs)
    return place


def test_every_run_has_every_measure(tiny_build: Build, tiny: Experiment, results: dict[str, Any]) -> None:
    """Each quantity holds each training run, layer and window; nothing is missing."""
    names = {each.name for each in Study.load(tiny_build.workspace.runs).recordings}
    assert len(names) == len(tiny.optimizers) * len(tiny.seeds)
    assert results["study"]["missing"] == []
    for quantity in (*SCALARS, "autocorrelation", "run_lengths"):
        assert set(results[quantity]) == names
        for by_layer in results[quantity].values():
            assert list(by_layer) == results["tensors"]
            assert all(set(by_window) >= {"1-100", "all"} for by_window in by_layer.values())


def test_a_summary_is_that_of_its_values(results: dict[str, Any]) -> None:
    """Mean and interval come from the numbers of the seeds, in their order."""
    study = results["study"]
    for slug, runs in study["runs"].items():
        found = results["summary"]["persistence"][slug]["l4"]["all"]["mean_run"]
        assert list(found.values) == [results["persistence"][run]["l4"]["all"]["mean_run"] for run in runs]
        assert dataclasses.replace(found, predicted=None) == intervals.estimate(found.values)
        lag = results["summary"]["autocorrelation"][slug]["l3"]["all"]["updates"]["mean"][0]
        assert lag == pytest.approx(np.mean([results["autocorrelation"][r]["l3"]["all"]["updates"][0] for r in runs]))


def test_controls_of_a_seed_begin_alike(results: dict[str, Any]) -> None:
    """Same seed, same split, weights, batch and masks: what the gradient of batch 1 leaves dead is the same."""
    for number in range(len(results["study"]["seeds"])):
        live = {results["first_step"][runs[number]]["l4"]["live"] for runs in results["study"]["runs"].values()}
        assert len(live) == 1


def test_tables_hold_what_results_say(tiny_build: Build, results: dict[str, Any]) -> None:
    """The row of a table is the number of results.json, with theory beside it."""
    place = tiny_build.workspace.tables
    table = read(place / "persistence.csv")
    row = ((table["optimizer"] == "adam-b1-0.9") & (table["layer"] == "l5") & (table["window"] == "all")) & (
        table["name"] == "mean_run"
    )
    stated = results["summary"]["persistence"]["adam-b1-0.9"]["l5"]["all"]["mean_run"]
    assert table["mean"][row].tolist() == [stated.mean]
    assert table["low"][row].tolist() == [stated.low]
    assert table["theory"][row].tolist() == [results["theory"]["adam-b1-0.9"]["mean_run"]]
    lags = read(place / "autocorrelation.csv")
    row = (lags["optimizer"] == "adam-b1-0.9") & (lags["layer"] == "l3") & (lags["series"] == "updates")
    assert lags["theory"][row & (lags["lag"] == 3)] == pytest.approx(0.9**3)
    assert set(read(place / "findings.csv")["finding"].tolist()) == {each["id"] for each in results["findings"]}
    for quantity in SCALARS:
        assert (place / f"{quantity}_runs.csv").is_file()


def test_the_table_of_transplants_has_every_pair(tiny_build: Build, results: dict[str, Any]) -> None:
    """Each optimizer meets the gradients of each; on the diagonal it does what it did, and lean is the difference."""
    table = read(tiny_build.workspace.tables / "transplants.csv")
    slugs = [each["slug"] for each in results["study"]["optimizers"]]
    here = (table["tensor"] == "l4") & (table["window"] == "all")
    pairs = zip(table["gradients"][here].tolist(), table["applied"][here].tolist(), strict=True)
    assert list(pairs) == [(gradients, applied) for gradients in slugs for applied in slugs]
    np.testing.assert_allclose(table["mean_run"] - table["toss"], table["lean"], atol=1e-9)
    for slug in slugs:
        row = here & (table["gradients"] == slug) & (table["applied"] == slug)
        (run,) = table["mean_run"][row].tolist()
        assert run == pytest.approx(results["summary"]["persistence"][slug]["l4"]["all"]["mean_run"].mean, rel=2e-3)
        for name in results["study"]["runs"][slug]:
            assert results["resolution"][name]["l4"]["all"]["equal_share"] >= 0.999
            assert results["transplants"][name]["l4"]["all"][slug]["lean"] is not None


def test_one_weight_is_the_recorded_one(tiny_build: Build, results: dict[str, Any]) -> None:
    """Every optimizer starts the weight from the same value; its updates are the differences of the states."""
    table = read(tiny_build.workspace.tables / "one_weight.csv")
    assert len(set(table["weight"][table["batch"] == 0].tolist())) == 1
    assert set(table["optimizer"].tolist()) == set(results["study"]["runs"])
    for slug in results["study"]["runs"]:
        one = table["optimizer"] == slug
        assert np.diff(table["weight"][one]) == pytest.approx(table["update"][one][1:], abs=1e-7)


def test_a_missing_run_is_named_and_left_out(copy: Workspace, tiny: Experiment) -> None:
    """A run that failed is in no mean; with one seed left there is no interval, and a control without any is absent."""
    control, sgd = tiny.study.optimizers
    lost = [tiny.run_name(sgd, seed) for seed in tiny.seeds[1:]]
    lost += [tiny.run_name(control, seed) for seed in tiny.seeds]
    for name in lost:
        shutil.rmtree(copy.run(name))
    analyse(copy, Study.load(copy.runs), [{"run": name, "reason": "it diverged.", "key": "k"} for name in lost])
    found = files.read_json(copy.results)
    assert found["study"]["missing"] == [{"run": name, "reason": "it diverged."} for name in sorted(lost)]
    summary = by_run(copy)["summary"]["persistence"]
    one = summary["sgd-with-momentum-0.9"]["l4"]["all"]["mean_run"]
    assert (one.n, one.low) == (1, None)
    assert "adam-b1-0" not in summary
    assert {each["id"]: each["verdict"] for each in found["findings"]}["momentum"] == "not tested"


@pytest.mark.slow
def test_only_a_new_run_is_measured(copy: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another analysis reads what is kept; one training run that is made anew costs itself alone."""
    analyse(copy, Study.load(copy.runs), [])
    first = copy.results.read_bytes()
    name = "adam-b1-0-seed4"
    meta = files.read_json(copy.run(name) / "run.json")
    files.write_json(copy.run(name) / "run.json", {**meta, "about": {**meta["about"], "key": "another"}})
    measured: list[str] = []
    original = measures.of

    def count(recording: Any, *rest: Any) -> measures.Numbers:
        measured.append(recording.name)
        return original(recording, *rest)

    monkeypatch.setattr(measures, "of", count)
    analyse(copy, Study.load(copy.runs), [])
    assert measured == [name]
    assert copy.results.read_bytes() == first


@pytest.mark.slow
def test_several_processes_measure_the_same(
    tiny_build: Build, copy: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured by a pool of processes or by this one: the same bytes."""
    monkeypatch.setattr(estimates, "WORTH_A_POOL", 0)
    monkeypatch.setattr(estimates, "cores", lambda: 2)
    analyse(copy, Study.load(copy.runs), [])
    assert_same(copy, tiny_build.workspace)


@pytest.mark.slow
def test_the_same_bytes_whether_measures_are_kept_or_made(tiny_build: Build, copy: Workspace) -> None:
    """Results and tables, to the order of their columns: after a first analysis, and after one that reads it all."""
    for _ in range(2):
        analyse(copy, Study.load(copy.runs), [])
        assert_same(copy, tiny_build.workspace)


def assert_same(first: Workspace, second: Workspace) -> None:
    """Hold two analyses side by side: every byte of results and tables."""
    assert first.results.read_bytes() == second.results.read_bytes()
    for one, other in ((first.tables, second.tables), (first.numbers, second.numbers)):
        names = sorted(path.name for path in one.iterdir())
        assert names == sorted(path.name for path in other.iterdir())
        for name in names:
            assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.slow
def test_tables_of_an_earlier_analysis_are_removed(copy: Workspace) -> None:
    """They would be offered beside results that they do not belong to."""
    for folder in (copy.tables, copy.numbers):
        folder.mkdir(parents=True)
        (folder / "old.csv").write_text("value\n1\n", encoding="utf-8")
    analyse(copy, Study.load(copy.runs), [])
    assert not [*copy.build.glob("*/old.csv")]


def test_results_are_small(tiny_build: Build) -> None:
    """Facts and findings; the numbers are in the table."""
    assert tiny_build.workspace.results.stat().st_size < 200_000


def test_results_are_plain_json(tiny_build: Build) -> None:
    """No NaN, no infinity: any program can read them."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(tiny_build.workspace.results.read_text(encoding="utf-8"), parse_constant=refuse)


@pytest.mark.slow
def test_findings_are_printed(tiny_build: Build) -> None:
    """`python -m report findings` names each claim, its verdict and its evidence, and trains nothing again."""
    place = tiny_build.workspace
    options = (
        "--experiment",
        str(TINY),
        "--build",
        str(place.build),
        "--site",
        str(place.site),
    )
    done = run_report("findings", *options, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert "training" not in done.stdout
    words = Words.load(place.templates, tiny_build.settings.languages[0])
    for record in files.read_json(place.results)["findings"]:
        assert words.fill("findings", record["id"], "claim", Finding.of(record).facts) in done.stdout
        assert f"→ {words.fill('findings', 'verdicts', record['verdict'], {})}." in done.stdout
    assert words.fill("findings", "evidence", "mean_run", {}) in done.stdout


def test_analysis_needs_no_torch() -> None:
    """Measuring, deciding and writing tables work where torch is not installed."""
    import subprocess

    code = "import sys; sys.modules['torch'] = None; sys.modules['matplotlib'] = None\nimport report.analysis.report"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
