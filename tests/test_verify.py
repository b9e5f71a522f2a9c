"""A stranger trains again what a site was made from, and hears whether the same comes out."""

import dataclasses
import functools
import http.server
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, TINY, Build, run_report

from report import files
from report.errors import ReportError
from report.making import verify
from report.recording import chain
from report.recording.reader import Recording
from report.site import receipt
from report.workspace import Workspace


@pytest.fixture
def told(tiny_build: Build) -> dict[str, Any]:
    """Return the receipt of the tiny build."""
    found: dict[str, Any] = files.read_json(tiny_build.workspace.site / receipt.NAME)
    return found


def checked(where: Path, build: Path, *options: str) -> tuple[int, str]:
    """Return the exit code, and all that `verify` says."""
    done = run_report("verify", str(where), *options, "--experiment", str(TINY), "--build", str(build))
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_receipt_says_what_the_site_was_made_from(tiny_build: Build, told: dict[str, Any]) -> None:
    """Experiment, data, versions, every run, the findings; and its chains are those of the recordings."""
    assert told["experiment"]["text"] == TINY.read_text(encoding="utf-8")
    assert told["findings"] == files.read_json(tiny_build.workspace.results)["findings"]
    assert told["data"]["sha256"] == tiny_build.recording.about["data"]["sha256"]
    assert {each["versions"]["numpy"] for each in told["runs"].values()} == {np.__version__}
    assert sorted(told["runs"]) == sorted(each.name for each in tiny_build.study.recordings)
    for recording in tiny_build.study.recordings:
        run = told["runs"][recording.name]
        assert run["steps"] == recording.steps
        for name, links in run["chains"].items():
            assert {int(step): link for step, link in links.items()} == chain.links(recording, name)


def test_a_chain_covers_every_step_before_it(tiny_build: Build, tmp_path: Path) -> None:
    """Against hashlib by hand; one weight of one step changes all later links and no earlier one."""
    import hashlib

    folder = tmp_path / "run"
    shutil.copytree(tiny_build.workspace.run(tiny_build.experiment.main_run), folder)
    before = chain.links(Recording.open(folder), "l4")
    weights = np.asarray(Recording.open(folder).weights("l4"))
    assert list(before) == [0, 100, 200, 210]
    assert all(before[step] == hashlib.sha256(weights[: step + 1].tobytes()).hexdigest() for step in before)
    number = list(Recording.open(folder).tensors).index("l4")
    path = folder / f"weights-{number}.npy"
    data = bytearray(path.read_bytes())
    row = 4 * weights.shape[1]
    data[len(data) - row * (len(weights) - 150)] ^= 1  # the lowest bit of the first weight after step 150
    path.write_bytes(data)
    after = chain.links(Recording.open(folder), "l4")
    assert [step for step in before if after[step] != before[step]] == [200, 210]


@pytest.mark.slow
def test_the_same_comes_out(tiny_build: Build, tmp_path: Path) -> None:
    """All runs, all findings; nothing is left behind, and nothing of the build is touched."""
    code, said = checked(tiny_build.workspace.site, tmp_path / "build")
    runs = len(tiny_build.study.recordings)
    assert code == 0, said
    assert f"{runs} of {runs} training runs have the same bits." in said
    assert said.count("as in the receipt; all ") == len(files.read_json(tiny_build.workspace.results)["findings"])
    assert said.rstrip().endswith("The same comes out.")
    assert not (tmp_path / "build" / "verify").exists()


def changed(told: dict[str, Any], folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Write a changed receipt, and return where."""
    copy = json.loads(json.dumps(told))
    change(copy)
    files.write_json(folder / receipt.NAME, copy)
    return folder


def seed(told: dict[str, Any]) -> None:
    """Another seed: the run of that name is another one."""
    runs, main = told["runs"], told["main"]
    other = next(name for name in runs if name != main and runs[name]["label"] == runs[main]["label"])
    runs[main], runs[other] = runs[other], runs[main]


def rate(told: dict[str, Any]) -> None:
    """Another learning rate."""
    told["experiment"]["text"] += '\n[optimizer]\nname = "Adam"\nlr = 0.002\n'


def bit(told: dict[str, Any]) -> None:
    """One bit of the chain at step 100."""
    links = told["runs"][told["main"]]["chains"]["l4"]
    links["100"] = f"{int(links['100'], 16) ^ 1:064x}"


def version(told: dict[str, Any]) -> None:
    """Another version of torch, and what it computes is the same."""
    told["runs"][told["main"]]["versions"]["torch"] = "1.13.1"


def device(told: dict[str, Any]) -> None:
    """Another device, which rounds otherwise; the bits are the same here."""
    told["runs"][told["main"]]["platform"]["device"] = "cuda:0"


CASES = [
    (seed, 1, "{}: the initial weights differ, in l1."),
    (rate, 1, "{}: the first that differs is one of steps 1 to 100, in l1."),
    (bit, 1, "{}: the first that differs is one of steps 1 to 100, in l4."),
    (version, 0, "Versions: the receipt was made with torch 1.13.1, here is "),
    (device, 0, "Machine:  the receipt was made with device cuda:0, here is cpu."),
]


@pytest.mark.slow
@pytest.mark.parametrize(("change", "code", "line"), CASES, ids=lambda each: getattr(each, "__name__", None))
def test_what_differs_is_named(
    told: dict[str, Any], tmp_path: Path, change: Callable[[dict[str, Any]], None], code: int, line: str
) -> None:
    """Run, step and tensor, without the recordings beside the receipt; in a check of a hundred steps."""
    where = changed(told, tmp_path / "site", change)
    found, said = checked(where, tmp_path / "build", "--run", told["main"], "--steps", "100", "--processes", "1")
    assert (found, line.format(told["main"]) in said) == (code, True), said


def test_beside_the_recordings_step_and_size_are_known(tiny_build: Build, told: dict[str, Any]) -> None:
    """The first step and tensor that differ, and by how much."""
    mine = tiny_build.recording
    theirs = {name: np.array(mine.weights(name)) for name in mine.tensors}
    theirs["l4"][150, 3] = mine.weights("l4")[150, 3] * 2
    theirs["l4"][151:] += 1

    @dataclasses.dataclass
    class Other:
        """Stand for the recording that the receipt tells of."""

        def weights(self, name: str) -> Any:
            return theirs[name]

    chains = {
        name: {str(step): link for step, link in chain.links(Other(), name).items()}  # type: ignore[arg-type]
        for name in mine.tensors
    }
    assert verify.difference(mine, told["runs"][mine.name]["chains"], lambda name: None) is None
    far = verify.difference(mine, chains, lambda name: None)
    assert far == verify.Difference("l4", 100, 200)
    near = verify.difference(mine, chains, lambda name: theirs[name])
    apart = abs(float(mine.weights("l4")[150, 3]))
    assert near == verify.Difference("l4", 149, 150, apart)
    assert str(near) == f"step 150 is the first that differs, in l4, by at most {apart:.3g}"
    fewer = {name: links for name, links in chains.items() if name != "l5"}
    assert verify.difference(mine, fewer, lambda name: None) == verify.Difference("l5", -1, 0)


def test_findings_are_compared_by_their_intervals(told: dict[str, Any]) -> None:
    """A verdict that differs, a number outside, a number within, one without an interval."""
    lines: list[str] = []
    finding = next(each for each in told["findings"] if each["id"] == "persistence")
    same = json.loads(json.dumps(finding))
    assert verify._compare_finding(finding, same, lines.append)
    number = next(each for each in same["evidence"] if each["low"] is not None)
    number["value"] = number["high"]
    assert verify._compare_finding(finding, same, lines.append)
    number["value"] = number["high"] + 1e-6
    assert not verify._compare_finding(finding, same, lines.append)
    assert not verify._compare_finding(finding, {**finding, "verdict": "mixed*"}, lines.append)
    assert not verify._compare_finding(finding, {**finding, "evidence": finding["evidence"][1:]}, lines.append)
    assert not verify._compare_finding(finding, None, lines.append)
    assert all(line.startswith(("Finding persistence: ", "  The first is ")) for line in lines)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "There is no receipt.json in "),
        ("", "is damaged"),
        ("[]", "is damaged"),
        ('{"format": "weights-in-motion/receipt"}', "is damaged"),
        ("version 9", "is no receipt that this program reads"),
        ("chains", "is damaged"),
        ("data", "The receipt was made from other data"),
        ("run", "The receipt has no run other; it has "),
    ],
)
def test_odd_receipts_are_one_line(told: dict[str, Any], tmp_path: Path, content: str | None, line: str) -> None:
    """Before anything is trained."""
    where, name = tmp_path / "site", None
    where.mkdir()
    if content == "version 9":
        changed(told, where, lambda each: each.update(version=9))
    elif content == "chains":
        changed(told, where, lambda each: each["runs"][each["main"]]["chains"].update(l4={"0": "xyz"}))
    elif content == "data":
        changed(told, where, lambda each: each["data"].update(sha256="0" * 64))
    elif content == "run":
        changed(told, where, lambda each: None)
        name = "other"
    elif content is not None:
        (where / receipt.NAME).write_text(content)
    place = Workspace(ROOT, tmp_path / "build", tmp_path / "elsewhere")
    with pytest.raises(ReportError) as error:
        verify.verify(str(where), place, lambda text: None, lambda: None, name=name)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_site_may_be_elsewhere(tiny_build: Build, tmp_path: Path) -> None:
    """Its address will do; one where nothing answers is one line."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tiny_build.workspace.site))
    place = Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        assert verify.read(f"{address}/", place) == verify.read(str(tiny_build.workspace.site), place)
        with pytest.raises(ReportError, match="cannot be had"):
            verify.read(f"{address}/nothing", place)
        server.shutdown()
    with pytest.raises(ReportError, match="cannot be had"):
        verify.read(address, place)
