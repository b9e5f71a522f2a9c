"""A report on anyone's own network, up to its facts: numbers against torch and NumPy, and odd recordings."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT, maker_of
from recordings import ADAM, SGD, momentum, noise, write_recording

import report
from report import files
from report.analysis import columns, own, own_tensor, theory, threshold, toss
from report.analysis.own import analyse, choose
from report.analysis.sweep import sweep
from report.drawing import own as pictures
from report.drawing.figures import own_persistence
from report.recording.reader import Recording
from report.recording.schema import Note
from report.recording.study import Study
from report.site.facts import own as facts
from report.workspace import Workspace

Make = Callable[[Iterable[torch.nn.Parameter]], torch.optim.Optimizer]
STEPS = 80


def studied(folder: Path, *recordings: Path) -> dict[str, Any]:
    """Return the results of an analysis, with the facts as `facts`."""
    workspace = Workspace(ROOT, folder / "build", folder / "site")
    study = Study.load(list(recordings))
    analyse(workspace, study)
    facts.write(workspace, study)
    found: dict[str, Any] = files.read_json(workspace.results)
    return {**found, "facts": files.read_json(workspace.facts)}


def trained(folder: Path, make: Make, dtype: torch.dtype = torch.float32, cycle: bool = False) -> Recording:
    """Return the recording of a small network, in which some gradients are exactly zero."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).to(dtype)
    optimizer = make(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=STEPS) if cycle else None
    with report.record(model, optimizer, folder):
        for _ in range(STEPS):
            optimizer.zero_grad()
            model(torch.randn(5, 6, dtype=dtype)).square().mean().backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
    return Recording.open(folder)


FOLLOWED: dict[str, tuple[Make, bool]] = {
    "Adam": (lambda given: torch.optim.Adam(given, lr=0.003), False),
    "Adam with decay": (lambda given: torch.optim.Adam(given, lr=0.003, weight_decay=0.1), False),
    "AdamW on a cycle": (lambda given: torch.optim.AdamW(given, lr=0.003), True),
    "SGD": (lambda given: torch.optim.SGD(given, lr=0.05), False),
    "SGD with decay": (lambda given: torch.optim.SGD(given, lr=0.05, momentum=0.9, weight_decay=0.1), False),
    "Nesterov": (lambda given: torch.optim.SGD(given, lr=0.05, momentum=0.9, nesterov=True), False),
    "dampened": (lambda given: torch.optim.SGD(given, lr=0.05, momentum=0.9, dampening=0.5), False),
    "uphill": (lambda given: torch.optim.SGD(given, lr=0.0001, momentum=0.5, maximize=True), False),
    "RMSprop": (lambda given: torch.optim.RMSprop(given, lr=0.003, momentum=0.5), False),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_following_an_optimizer_gives_back_what_it_did(tmp_path: Path, name: str) -> None:
    """Whatever torch did, decay in the gradients and momentum on a cycle too, its signs come out again."""
    recording = trained(tmp_path / "run", FOLLOWED[name][0], cycle=FOLLOWED[name][1])
    for tensor in recording.tensors:
        seen, how = sweep(recording, tensor, None), toss.course(recording, tensor)
        assert seen is not None
        assert how is not None
        found = toss.follow(recording, tensor, how, seen.numbers, (seen.weights, seen.updates, seen.gradients))
        assert found.equal > 0.999, tensor


def test_without_momentum_no_gradient_is_swallowed_by_the_last_one(tmp_path: Path) -> None:
    """Adam with β1 = 0 asks for a change wherever there is a gradient, also after one a billion times larger."""
    model = torch.nn.Linear(3, 2, bias=False)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, betas=(0.0, 0.999))
    with report.record(model, optimizer, tmp_path / "run"):
        for step in range(20):
            model.weight.grad = torch.full_like(model.weight, 1e-9 if step % 2 else 1.0)
            optimizer.step()
    recording = Recording.open(tmp_path / "run")
    seen, how = sweep(recording, "weight", None), toss.course(recording, "weight")
    assert seen is not None
    assert how is not None
    assert toss.follow(recording, "weight", how, seen.numbers, (seen.weights, seen.updates, seen.gradients)).asked.all()


def test_bfloat16_is_rounded_as_torch_rounds(tmp_path: Path) -> None:
    """Of weights in bfloat16 most updates at a small learning rate are lost, and the signs of the others come out."""
    values = torch.randn(2000) * torch.logspace(-20, 20, 2000)
    rounded = toss.fitting("bfloat16")(values.numpy())
    assert np.array_equal(rounded, values.bfloat16().float().numpy())
    recording = trained(tmp_path / "run", lambda given: torch.optim.AdamW(given, lr=1e-4), torch.bfloat16)
    job = own_tensor.Job(recording.path, "0.weight", "own", STEPS, None)
    info = job.make().info
    weights, gradients = recording.weights("0.weight"), recording.gradients("0.weight")
    stood = (np.diff(weights, axis=0) == 0) & (gradients != 0)  # Adam asks wherever there is a gradient
    assert info["lost_driven"] == pytest.approx(stood.sum() / (gradients != 0).sum(), abs=0.01)
    assert info["lost_driven"] > 0.5
    assert info["equal_share"] > 0.97


def test_tossed_noise_is_noise_and_the_formula_holds(tmp_path: Path) -> None:
    """Of gradients that are noise a toss changes nothing: run, toss and formula agree."""
    weights, gradients = noise({"w": (20, 30)}, 1200, beta=0.8)
    made = write_recording(tmp_path / "noise", weights, gradients, rules=[momentum(0.8)])
    info = studied(tmp_path, made)["seen"]["noise"]["w"]
    expected = theory.mean_run(0.8)
    assert info["is_settled"]
    assert (info["first"], info["last"]) == (51, 1200)
    for found in (info["run"], info["toss"], info["chance"]["settled"]["run"]):
        assert found == pytest.approx(expected, rel=0.02)


def test_one_pass_finds_what_numpy_finds_of_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes, zeros, the law of colours and what is dead, block by block as at once."""
    monkeypatch.setattr("report.analysis.sweep.CHUNK", 400)
    weights, gradients = noise({"w": (10, 12)}, 90)
    gradients["w"][:, 3] = 0
    gradients["w"][40:, :, 5] = 0
    made = write_recording(
        tmp_path / "run",
        weights,
        gradients,
        events=[{"row": 10, "tensor": 0, "present": False}, {"row": 13, "tensor": 0, "present": True}],
    )
    seen = sweep(Recording.open(made), "w", None)
    assert seen is not None
    used = np.r_[0:10, 13:90]
    change = np.diff(weights["w"].reshape(91, -1), axis=0)[used]
    assert seen.numbers.tolist() == (used + 1).tolist()
    assert seen.size == pytest.approx(np.sqrt((change.astype(float) ** 2).mean(axis=1)))
    assert seen.ratio == pytest.approx(
        seen.size / np.sqrt((weights["w"].reshape(91, -1)[:-1][used].astype(float) ** 2).mean(axis=1))
    )
    law = threshold.law(change, None)
    assert (seen.law.mean, seen.law.threshold) == pytest.approx((law.mean, law.threshold))
    assert seen.full == threshold.full_colour(change, law)
    assert seen.zeros.tolist() == (gradients["w"].reshape(90, -1)[used] == 0).sum(axis=1).tolist()
    last = seen.last_gradient.reshape(10, 12)
    assert (last[3] == -1).all()
    assert last[0, 5] == 36  # the 40th step is the 37th with a gradient
    assert last[0, 0] == len(used) - 1


def test_one_step_is_enough(tmp_path: Path) -> None:
    """A recording of one step has sizes, and no streak; its pictures are drawn and its facts complete."""
    weights, gradients = noise({"w": (4, 5), "b": (4,)}, 1)
    made = write_recording(tmp_path / "short", weights, gradients)
    found = studied(tmp_path, made)
    values = found["facts"]["tensors"][0]["numbers"][0]["values"]
    assert values["rms"]["mean"] == pytest.approx(float(np.sqrt((np.diff(weights["w"], axis=0) ** 2).mean())))
    assert values["run"] is None
    assert found["standout"] == []
    workspace = Workspace(ROOT, tmp_path / "build", tmp_path / "site")
    pictures.draw(workspace, Study.load(made), ["en"], maker_of(workspace), lambda *_: None)
    assert {"own-heat", "t1-measures", "t2-weights"} <= set(files.read_json(workspace.figures_manifest))


def test_odd_tensors_stand_beside_sound_ones(tmp_path: Path) -> None:
    """One without gradients, one that came late, one that broke, one of a single entry, one whose name is odd."""
    shapes = {"a": (3, 4), "late": (2, 6), "broken": (5,), "single": (1,), 'x,"y"\n': (2, 2)}
    weights, gradients = noise(shapes, 30)
    gradients["a"][:] = np.nan
    gradients["late"][:12] = np.nan
    weights["late"][:13] = weights["late"][12]
    gradients["broken"][20:] = np.inf
    weights["broken"][21:] = np.nan
    off = [{"row": 0, "tensor": number, "present": False} for number in (0, 1)]
    made = write_recording(
        tmp_path / "odd",
        weights,
        gradients,
        events=[*off, {"row": 12, "tensor": 1, "present": True}],
        notes=[Note("non-finite", "…", 21, ("broken",)), Note("unheld", "…", None, ("lost.weight",))],
    )
    found = studied(tmp_path, made)
    assert found["tensors"] == ["late", "broken", "single", 'x,"y"\n']
    seen = found["seen"]["odd"]
    assert (seen["late"]["from"], seen["late"]["gradient_steps"]) == (13, 18)
    assert seen["broken"]["gradient_steps"] == 20
    told = found["facts"]
    assert [each["has_gradient"] for each in told["tensors"]] == [False, True, True, True, True]
    assert [(each["rule"], each["tensor"]) for each in told["standout"]] == [
        ("broken", "broken"),
        ("unheld", None),
        ("no_gradient", "a"),
    ]
    assert "step 21" in told["standout"][0]["said"]["en"].replace("\N{NO-BREAK SPACE}", " ")
    assert all(each["said"]["ja"] and each["reason"]["ja"] for each in told["standout"])
    json.dumps(told, allow_nan=False)


def test_seeds_give_intervals_and_labels_stand_side_by_side(tmp_path: Path) -> None:
    """Two labels with two seeds each, of different length: numbers cover the steps that all have."""
    made = []
    for label, beta in (("plain", 0.0), ("heavy", 0.9)):
        for seed in (1, 2):
            weights, gradients = noise({"w": (12, 10)}, 40 + seed, seed=seed, beta=beta)
            folder = tmp_path / f"{label}-{seed}"
            made.append(write_recording(folder, weights, gradients, label=label, seed=seed, rules=[momentum(beta)]))
    found = studied(tmp_path, *made)
    told = found["facts"]["report"]
    assert (told["compared"], told["steps"], told["is_paired"]) == (41, {"low": 41, "high": 42}, True)
    numbers = found["facts"]["tensors"][0]["numbers"]
    assert [each["formula"] for each in numbers] == pytest.approx([2, theory.mean_run(0.9)])
    groups = [label["optimizers"][0]["formula"] for label in told["labels"]]
    assert groups == pytest.approx([2, theory.mean_run(0.9)])
    plain, heavy = (each["values"]["run"] for each in numbers)
    assert plain["n"] == heavy["n"] == 2
    assert plain["low"] < plain["mean"] < plain["high"]
    for each in found["facts"]["tensors"][0]["numbers"]:
        # Two seeds put Student's t beyond what can be; the page has no share below zero and no streak below a step.
        for name, (least, most) in own.BOUNDS.items():
            if (estimate := each["values"][name]) is not None:
                assert least <= estimate["low"] <= estimate["mean"] <= estimate["high"] <= most
                assert estimate["high"] <= 120 or name not in own.COUNTS
    assert heavy["mean"] > 1.5 * plain["mean"]


def test_the_same_recording_gives_the_same_bytes(tmp_path: Path) -> None:
    """Results, tables and facts do not depend on when or where they are made."""
    weights, gradients = noise({"w": (6, 5), "b": (6,)}, 40)
    made = write_recording(tmp_path / "run", weights, gradients, rules=[ADAM])
    every = []
    for place in ("one", "two"):
        studied(tmp_path / place, made)
        paths = sorted(path for path in (tmp_path / place).rglob("*.*") if path.is_file())
        every.append({path.relative_to(tmp_path / place).as_posix(): path.read_bytes() for path in paths})
    assert every[0] == every[1]


def test_of_many_tensors_those_that_stand_out_and_the_ends_are_pictured() -> None:
    """The order is that of the network; nothing is chosen twice."""
    names = [f"t{place}" for place in range(100)]
    chosen = choose(names, ["t50", "t50", "gone"], most=5)
    assert chosen == ["t0", "t1", "t50", "t98", "t99"]
    assert choose(names[:3], [], most=5) == names[:3]


def test_numbers_have_names_in_the_schema() -> None:
    """What facts ask the table for is there."""
    from report.analysis.table import SCHEMA

    assert all(statistic in SCHEMA[quantity] for quantity, statistic in own.NUMBERS.values())


def test_a_streak_longer_than_the_recording_was_not_seen(tmp_path: Path) -> None:
    """Eight weights drift and one turns once: in the 110 steps after start-up, 109 × 8 pairs a turn are no length."""
    updates = np.full((120, 2, 4), 0.01, np.float32)
    updates[60:, 0, 0] *= -1
    weights = np.concatenate([np.zeros((1, 2, 4), np.float32), np.cumsum(updates, axis=0, dtype=np.float32)])
    found = studied(tmp_path, write_recording(tmp_path / "run", {"a": weights}, {"a": -updates}, rules=[SGD]))
    values = found["facts"]["tensors"][0]["numbers"][0]["values"]
    assert (values["run"]["mean"], values["run"]["beyond"]) == (109 * 8, 110)
    assert values["toss"]["beyond"] is None
    assert values["rms"]["beyond"] is None
    tables = {"own_tensors": columns.read(tmp_path / "build" / "tables" / "own_tensors.csv")}
    assert tables["own_tensors"]["steps"].tolist() == [110]
    assert own_persistence.said(tables, {"names": ["a"], "labels": ["made"], "left_out": 0})["run"] == {
        "low": 110,
        "high": 110,
    }
