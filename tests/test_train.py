"""Training and recording, against the plain loop that a textbook shows."""

import dataclasses
import itertools
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT, TINY, Build, run_report
from filelock import FileLock

from report.config import Experiment, Optimizer
from report.errors import ConfigError, ReportError, TrainingDivergedError
from report.recording.reader import Recording
from report.recording.writer import Writer
from report.training import devices, jobs, loop, optimizers, runs, sets
from report.training.data import Choice
from report.training.images import Images, split
from report.workspace import Workspace


@pytest.fixture(scope="module")
def digits() -> Images:
    """Return the embedded sample."""
    return sets.read_sample()


def changed(experiment: Experiment, **parts: dict[str, Any]) -> Experiment:
    """Return the experiment with some values changed, by table."""
    return experiment.model_copy(
        update={part: getattr(experiment, part).model_copy(update=values) for part, values in parts.items()}
    )


def record(experiment: Experiment, digits: Images, folder: Path, first: int = 0) -> Recording:
    """Train and open the recording."""
    loop.run(experiment, digits, folder, "key", first=first)
    return Recording.open(folder)


def test_the_recording_is_the_textbook_loop(tiny: Experiment, digits: Images, tmp_path: Path) -> None:
    """Weights, gradients, losses equal those of a loop written anew with torch's own layers and Adam."""
    experiment = changed(tiny, training={"batches": 12, "validations": 1}, network={"dropout": 0.0})
    recording = record(experiment, digits, tmp_path / "run", first=5)

    seeds = loop.Seeds.of(experiment.training.seed)
    picked, _ = split(len(digits.train_labels), 0.2, seeds.split)
    images = torch.tensor(digits.train_images[picked].reshape(-1, 784) / 255.0, dtype=torch.float32)
    labels = torch.tensor(digits.train_labels[picked])
    sizes = [784, 32, 24, 10, 10, 10]
    layers = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    initial = torch.Generator().manual_seed(seeds.weights)
    for layer in layers:
        for parameter in (layer.weight, layer.bias):
            torch.nn.init.uniform_(parameter, -(layer.in_features**-0.5), layer.in_features**-0.5, generator=initial)
    network = torch.nn.Sequential(*(module for layer in layers[:-1] for module in (layer, torch.nn.ReLU())), layers[-1])
    adam = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.9, 0.999))
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seeds.order))
    for t in range(13):
        for name, layer in zip(experiment.layers, layers, strict=True):
            flat = layer.weight.detach().numpy().reshape(-1)
            np.testing.assert_allclose(recording.weights(name)[t], flat[recording.indices(name)], atol=2e-6)
            if t <= 5:
                np.testing.assert_allclose(recording.whole_weights(name)[t], flat, atol=2e-6)
        if t == 12:
            break
        positions = order[t * 16 : t * 16 + 16]
        adam.zero_grad()
        loss = torch.nn.CrossEntropyLoss()(network(images[positions]), labels[positions])
        loss.backward()
        for name, layer in zip(experiment.layers, layers, strict=True):
            kept = layer.weight.grad.numpy().reshape(-1)[recording.indices(name)]
            np.testing.assert_allclose(recording.gradients(name)[t], kept, atol=1e-6)
        assert recording.series["train_loss"][t] == pytest.approx(loss.item(), abs=1e-5)
        adam.step()


def test_every_snapshot_is_a_copy(tiny_build: Build, tiny: Experiment) -> None:
    """A history of references would be a history of one moment: each batch's state differs from the one before."""
    weights = tiny_build.recording.weights("l5")
    assert weights.shape == (tiny.training.batches + 1, 100)
    assert all((now != before).any() for before, now in itertools.pairwise(weights))


def test_a_recording_has_the_documented_shapes(tiny_build: Build, tiny: Experiment) -> None:
    """One row more of weights than of gradients; one value a batch of every series."""
    recording, steps, whole = tiny_build.recording, tiny.training.batches, tiny.animation.frames + 1
    assert list(recording.tensors) == ["l1", "l2", "l3", "l4", "l5"]
    assert recording.weights("l1").shape == (steps + 1, 64)
    assert recording.gradients("l1").shape == (steps, 64)
    assert recording.whole_weights("l2").shape == (whole, 24 * 32)
    assert recording.series["train_loss"].shape == (steps,)
    validated = np.flatnonzero(np.isfinite(recording.series["validation_loss"])) + 1
    assert validated.tolist() == [steps // 2, steps]
    assert (np.flatnonzero(np.isfinite(recording.series["test_accuracy"])) + 1).tolist() == [steps]
    assert recording.weights("l3").dtype == np.float32
    np.testing.assert_array_equal(
        recording.weights("l1")[:whole], recording.whole_weights("l1")[:, recording.indices("l1")]
    )


def test_a_recording_says_what_it_was_made_of(tiny_build: Build, tiny: Experiment) -> None:
    """Who reads it needs no experiment file: data, network and training stand in it, and pictures of the digits."""
    recording, about = tiny_build.recording, tiny_build.recording.about
    assert (recording.label, recording.seed, recording.description.role) == ("Adam, β1 = 0.9", 3, "main")
    sizes = itertools.pairwise([784, 32, 24, 10, 10, 10])
    parameters = sum((inputs + 1) * outputs for inputs, outputs in sizes)
    network = {"kind": "mlp", "hidden": [32, 24, 10, 10], "dropout": 0.2, "parameters": parameters}
    assert about["network"] == network
    told = {"name": "MNIST", "source": "sample", "licence": "CC BY-SA 3.0", "reason": "", "examples": True}
    assert about["data"].items() >= told.items()
    assert (about["training"]["batches"], about["training"]["device"]) == (tiny.training.batches, "cpu")
    assert (about["data"]["train"], about["data"]["validation"], about["data"]["test"]) == (3200, 800, 1000)
    assert (about["data"]["shape"], about["data"]["classes"]) == ([28, 28], 10)
    assert recording.rule("l3").settings["betas"] == (0.9, 0.999)
    assert recording.attached["examples"].shape == (10, 28, 28)
    assert recording.attached["example_labels"].tolist() == list(range(10))


def test_the_first_loss_is_near_the_logarithm_of_the_classes(tiny_build: Build) -> None:
    """An untrained network guesses: the mean loss over a batch is near ln 10, not ln 10 / 16."""
    assert tiny_build.recording.series["train_loss"][0] == pytest.approx(np.log(10), abs=0.15)


def test_a_control_meets_the_same_network_images_and_masks(tiny: Experiment, digits: Images, tmp_path: Path) -> None:
    """Another optimizer, same seed: equal initial bits, equal first loss, equal dropout masks, equal order."""
    control = tiny.model_copy(update={"optimizer": Optimizer(name="SGD", arguments={"lr": 0.1})})
    one, other = record(tiny, digits, tmp_path / "main"), record(control, digits, tmp_path / "control")
    for layer in tiny.layers:
        np.testing.assert_array_equal(one.weights(layer)[0], other.weights(layer)[0])
        np.testing.assert_array_equal(one.gradients(layer)[0], other.gradients(layer)[0])
    assert one.series["train_loss"][0] == other.series["train_loss"][0]
    trainers = [loop.Trainer(each, digits) for each in (tiny, control)]
    for _ in range(3):
        masks = [trainer.network.dropout(torch.ones(16, 32)) for trainer in trainers]
        assert torch.equal(*masks)
        assert 0 < (masks[0] == 0).float().mean() < 0.5
    orders = [loop.batches(trainer.order, 100, 16) for trainer in trainers]
    assert all(torch.equal(next(orders[0]), next(orders[1])) for _ in range(20))


def test_every_source_of_chance_has_a_seed_of_its_own() -> None:
    """And another seed changes all of them."""
    one, two = dataclasses.astuple(loop.Seeds.of(0)), dataclasses.astuple(loop.Seeds.of(1))
    assert len({*one, *two}) == 8


def test_all_images_are_gone_through_before_any_comes_again() -> None:
    """Reshuffled each time round; an incomplete last batch is left out."""
    picked = loop.batches(torch.Generator().manual_seed(1), images=35, batch_size=16)
    first, second = (torch.cat([next(picked), next(picked)]) for _ in range(2))
    assert len(set(first.tolist())) == len(set(second.tolist())) == 32
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("rate", "what"), [(1e30, "loss became nan|loss became inf|weight became infinite or NaN")])
def test_a_run_that_diverges_is_kept_where_nothing_trusts_it(
    tiny: Experiment, digits: Images, tmp_path: Path, rate: float, what: str
) -> None:
    """The line says at which batch; the run's own name stays free."""
    wild = tiny.model_copy(update={"optimizer": Optimizer(name="SGD", arguments={"lr": rate})})
    with pytest.raises(TrainingDivergedError, match=rf"^diverged: .*({what}).* in batch \d+"):
        loop.run(wild, digits, tmp_path / "run", "key")
    assert [path.name for path in tmp_path.iterdir()] == ["run.diverged"]
    assert not Recording.open(tmp_path / "run.diverged").is_complete


def test_a_weight_that_becomes_infinite_is_found_at_its_batch(
    tiny: Experiment, digits: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the loss stays finite: here because the batch is the last."""
    make = optimizers.build

    def build(*arguments: Any) -> torch.optim.Optimizer:
        made = make(*arguments)
        steps = itertools.count(1)

        def spoil(optimizer: torch.optim.Optimizer, *_: Any) -> None:
            if next(steps) == tiny.training.batches:
                with torch.no_grad():
                    optimizer.param_groups[0]["params"][4][0, 0] = float("inf")  # of l3

        made.register_step_post_hook(spoil)
        return made

    monkeypatch.setattr(optimizers, "build", build)
    reason = rf"^diverged: a weight became infinite or NaN in batch {tiny.training.batches}\.$"
    with pytest.raises(TrainingDivergedError, match=reason):
        loop.run(tiny, digits, tmp_path / "run", "key")
    assert [path.name for path in tmp_path.iterdir()] == ["run.diverged"]


@pytest.mark.parametrize("left", [None, 1], ids=["in the middle", "at the very end"])
def test_a_full_disk_ends_the_run_and_leaves_nothing(
    tiny: Experiment, digits: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int | None
) -> None:
    """The recorder would let the training go on; here nobody wants it without its recording."""
    write, row = Writer._write, tiny.training.batches - left if left else 0

    def refuse(writer: Writer, batch: Any) -> None:
        if writer.taken + len(batch.ticks) > row:
            raise OSError(28, "No space left on device")
        write(writer, batch)

    monkeypatch.setattr(Writer, "_write", refuse)
    with pytest.raises(ReportError, match=r"^Cannot write .*: No space left on device\. Free space or"):
        loop.run(tiny, digits, tmp_path / "run", "key")
    assert list(tmp_path.iterdir()) == []


def test_every_dense_first_order_optimizer_of_torch_can_be_named() -> None:
    """Those that the documentation of torch lists, but for the three that take no dense step on every parameter."""
    assert {"Adam", "AdamW", "NAdam", "RAdam", "RMSprop", "Rprop", "SGD"} <= optimizers.KINDS.keys()
    assert not {"LBFGS", "SparseAdam", "Muon", "Optimizer"} & optimizers.KINDS.keys()
    for name in optimizers.KINDS:
        optimizers.check("file: optimizer", Optimizer(name=name, arguments={"lr": 0.001}))


@pytest.mark.parametrize("name", optimizers.KINDS)
def test_without_torchs_compiler_the_steps_are_the_same(name: str) -> None:
    """As those of torch's own class, to the bit, with its hooks; also where a group comes later."""
    ours, theirs = [], []
    for found, make in ((ours, optimizers.KINDS[name]), (theirs, getattr(torch.optim, name))):
        torch.manual_seed(0)
        early, late = (torch.nn.Parameter(torch.randn(3, 4)) for _ in range(2))
        made = make([early], lr=0.01)
        calls: list[str] = []
        made.register_step_pre_hook(lambda *_, calls=calls: calls.append("before"))
        made.register_step_post_hook(lambda *_, calls=calls: calls.append("after"))
        for step in range(6):
            if step == 3:
                made.add_param_group({"params": [late], "lr": 0.1})
            made.zero_grad()
            ((early + late) ** 3).sum().backward()
            made.step()
        assert calls == ["before", "after"] * 6
        assert isinstance(made, getattr(torch.optim, name))
        found += [type(made).__name__, early.detach().numpy().tobytes(), late.detach().numpy().tobytes()]
    assert ours == theirs


@pytest.mark.slow
def test_nothing_that_trains_loads_torchs_compiler(tmp_path: Path) -> None:
    """It would take as long as torch itself, in every process of a study."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom report.config import Experiment\n"
        "from report.training import data, loop\nfrom report.workspace import Workspace\n"
        "experiment, build = Experiment.load(Path(sys.argv[1])), Path(sys.argv[2])\n"
        "place = Workspace(Path.cwd(), build, build / 'site')\n"
        "digits = data.read(place, data.settle(place, experiment, print))\n"
        "loop.run(experiment, digits, build / 'run', 'key')\n"
        "print('torch' in sys.modules, 'torch._dynamo' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(TINY), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("True False\n"), done.stdout + done.stderr
    assert Recording.open(tmp_path / "run").is_complete


def test_a_device_that_is_not_there_is_a_configuration_error(tiny: Experiment) -> None:
    """With the devices that are."""
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    with pytest.raises(ConfigError, match='found "cuda", which this machine does not have; allowed: auto'):
        devices.allowed(changed(tiny, training={"device": "cuda"}))


@pytest.mark.slow
def test_the_faster_device_is_chosen(monkeypatch: pytest.MonkeyPatch, tiny: Experiment, digits: Images) -> None:
    """By real steps on each; here the processor under two names, one of which is made to dawdle."""
    step = loop.Trainer.step

    def dawdle(trainer: loop.Trainer, positions: torch.Tensor) -> tuple[float, int]:
        if trainer.device.index == slow:
            time.sleep(0.05)
        return step(trainer, positions)

    monkeypatch.setattr(loop.Trainer, "step", dawdle)
    monkeypatch.setattr(devices, "allowed", lambda _: [torch.device("cpu", 0), torch.device("cpu")])
    slow: int | None = None
    assert loop.fastest(tiny, digits) == torch.device("cpu", 0)
    slow = 0
    assert loop.fastest(tiny, digits) == torch.device("cpu")


def test_a_single_device_is_not_measured(monkeypatch: pytest.MonkeyPatch, tiny: Experiment, digits: Images) -> None:
    """Nobody waits where there is no choice."""
    monkeypatch.setattr(loop.Trainer, "pace", lambda _: pytest.fail("measured"))
    assert loop.fastest(changed(tiny, training={"device": "cpu"}), digits) == torch.device("cpu")


def test_the_device_of_earlier_runs_is_taken_again(tiny: Experiment, place: Workspace) -> None:
    """Where this machine has it; a run is told its device, and nothing else of it changes."""
    choice = Choice("MNIST", is_sample=True)
    assert jobs.check_network(tiny, place, choice, "cpu") == ("", "cpu")
    assert jobs.check_network(tiny, place, choice, "no longer here") == ("", str(devices.allowed(tiny)[0]))
    run = runs.planned(tiny)[0].on("cpu")
    assert run.experiment.training.device == "cpu"
    assert run.experiment.optimizer == tiny.optimizer


def test_a_batch_larger_than_the_data_is_a_configuration_error(tiny: Experiment, digits: Images) -> None:
    """Rather than an empty batch and a division by zero."""
    few = dataclasses.replace(digits, train_images=digits.train_images[:15], train_labels=digits.train_labels[:15])
    with pytest.raises(ConfigError, match="at most 12, the training images"):
        loop.Trainer(tiny, few)


def test_two_commands_do_not_work_in_one_folder(place: Workspace) -> None:
    """The second says so and changes nothing."""
    place.build.mkdir(parents=True)
    with FileLock(place.build / ".lock"):
        done = run_report("train", "--experiment", str(TINY), "--build", str(place.build))
    assert (done.returncode, "Another command is working" in done.stderr) == (1, True)
