"""Training and recording, against the plain loop that a textbook shows."""

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import TINY, Build, run_report

from report.config import Experiment, Optimizer
from report.errors import ConfigError, TrainingDivergedError
from report.recording import CHUNK, Recording, Writer, kept_indices
from report.training import data, optimizers
from report.training import loop as train
from report.workspace import Workspace


@pytest.fixture(scope="module")
def digits() -> data.Digits:
    """Return the embedded sample."""
    images, labels, test_images, test_labels = data._read_sample()
    return data.Digits("sample", "", images, labels, test_images, test_labels, "0" * 64)


def changed(experiment: Experiment, **parts: dict[str, Any]) -> Experiment:
    """Return the experiment with some values changed, by table."""
    return experiment.model_copy(
        update={part: getattr(experiment, part).model_copy(update=values) for part, values in parts.items()}
    )


def record(experiment: Experiment, digits: data.Digits, folder: Path, clip: int = 0) -> Recording:
    """Train and open the recording."""
    train.run(experiment, digits, folder, "key", clip_batches=clip)
    return Recording.open(folder)


def test_the_recording_is_the_textbook_loop(tiny: Experiment, digits: data.Digits, tmp_path: Path) -> None:
    """Weights, gradients, losses equal those of a loop written anew with torch's own layers and Adam."""
    experiment = changed(tiny, training={"batches": 12, "validations": 1}, network={"dropout": 0.0})
    recording = record(experiment, digits, tmp_path / "run", clip=5)

    seeds = train.Seeds.of(experiment.training.seed)
    picked, _ = data.split(len(digits.train_labels), 0.2, seeds.split)
    images = torch.tensor(digits.train_images[picked] / 255.0, dtype=torch.float32)
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
            np.testing.assert_allclose(recording.kept_weights(name)[t], flat[kept_indices(experiment, name)], atol=2e-6)
            if t <= 5 and name in ("l1", "l2"):
                np.testing.assert_allclose(recording.clip_weights(name)[t], layer.weight.detach().numpy(), atol=2e-6)
        if t == 12:
            break
        positions = order[t * 16 : t * 16 + 16]
        adam.zero_grad()
        loss = torch.nn.CrossEntropyLoss()(network(images[positions]), labels[positions])
        loss.backward()
        for name, layer in zip(experiment.layers, layers, strict=True):
            gradient = layer.weight.grad.numpy()
            kept = gradient.reshape(-1)[kept_indices(experiment, name)]
            np.testing.assert_allclose(recording.kept_gradients(name)[t], kept, atol=1e-6)
            if t < 5 and name in ("l1", "l2"):
                np.testing.assert_allclose(recording.clip_gradients(name)[t], gradient, atol=1e-6)
        assert recording.series["train_loss"][t] == pytest.approx(loss.item(), abs=1e-5)
        adam.step()


def test_every_snapshot_is_a_copy(tiny_build: Build) -> None:
    """A history of references would be a history of one moment: each batch's state differs from the one before."""
    weights = tiny_build.recording.weights("l5")
    assert weights.shape == (61, 10, 10)
    assert all((weights[t] != weights[t - 1]).any() for t in range(1, 61))


def test_a_recording_has_the_documented_shapes(tiny_build: Build) -> None:
    """One row more of weights than of gradients; series per batch and per validation."""
    recording = tiny_build.recording
    assert recording.kept_weights("l1").shape == (61, 64)
    assert recording.kept_gradients("l1").shape == (60, 64)
    assert recording.clip_weights("l2").shape == (9, 24, 32)
    assert recording.series["train_loss"].shape == (60,)
    assert recording.series["validation_batch"].tolist() == [30, 60]
    assert recording.kept_weights("l3").dtype == np.float32
    indices = recording.kept_indices("l1")
    np.testing.assert_array_equal(
        recording.kept_weights("l1")[:9], recording.clip_weights("l1").reshape(9, -1)[:, indices]
    )


def test_the_first_loss_is_near_the_logarithm_of_the_classes(tiny_build: Build) -> None:
    """An untrained network guesses: the mean loss over a batch is near ln 10, not ln 10 / 16."""
    assert tiny_build.recording.series["train_loss"][0] == pytest.approx(np.log(10), abs=0.15)


def test_a_control_meets_the_same_network_images_and_masks(
    tiny: Experiment, digits: data.Digits, tmp_path: Path
) -> None:
    """Another optimizer, same seed: equal initial bits, equal first loss, equal dropout masks, equal order."""
    control = tiny.model_copy(update={"optimizer": Optimizer(name="SGD", arguments={"lr": 0.1})})
    one, other = record(tiny, digits, tmp_path / "main"), record(control, digits, tmp_path / "control")
    for layer in tiny.layers:
        np.testing.assert_array_equal(one.kept_weights(layer)[0], other.kept_weights(layer)[0])
        np.testing.assert_array_equal(one.kept_gradients(layer)[0], other.kept_gradients(layer)[0])
    assert one.series["train_loss"][0] == other.series["train_loss"][0]
    trainers = [train.Trainer(each, digits) for each in (tiny, control)]
    for _ in range(3):
        masks = [trainer.network.dropout(torch.ones(16, 32)) for trainer in trainers]
        assert torch.equal(*masks)
        assert 0 < (masks[0] == 0).float().mean() < 0.5
    orders = [train.batches(trainer.order, 100, 16) for trainer in trainers]
    assert all(torch.equal(next(orders[0]), next(orders[1])) for _ in range(20))


def test_every_source_of_chance_has_a_seed_of_its_own() -> None:
    """And another seed changes all of them."""
    one, two = dataclasses.astuple(train.Seeds.of(0)), dataclasses.astuple(train.Seeds.of(1))
    assert len({*one, *two}) == 8


def test_all_images_are_gone_through_before_any_comes_again() -> None:
    """Reshuffled each time round; an incomplete last batch is left out."""
    picked = train.batches(torch.Generator().manual_seed(1), images=35, batch_size=16)
    first, second = (torch.cat([next(picked), next(picked)]) for _ in range(2))
    assert len(set(first.tolist())) == len(set(second.tolist())) == 32
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("rate", "what"), [(1e30, "loss became nan|loss became inf|weight became infinite or NaN")])
def test_a_run_that_diverges_is_kept_where_nothing_trusts_it(
    tiny: Experiment, digits: data.Digits, tmp_path: Path, rate: float, what: str
) -> None:
    """The line says at which batch; the run's own name stays free."""
    wild = tiny.model_copy(update={"optimizer": Optimizer(name="SGD", arguments={"lr": rate})})
    with pytest.raises(TrainingDivergedError, match=rf"^diverged: .*({what}).* in batch \d+"):
        train.run(wild, digits, tmp_path / "run", "key")
    assert not (tmp_path / "run").exists()
    assert (tmp_path / "run.diverged" / "weights-l3.npy").is_file()
    assert not (tmp_path / "run.diverged" / "run.json").exists()


def test_a_weight_that_becomes_infinite_is_found_at_its_batch(tiny: Experiment, tmp_path: Path) -> None:
    """Also when the loss stays finite, which a dead unit behind the weight can bring about."""

    def write_all() -> None:
        with Writer(tmp_path / "run", tiny, 0) as writer:
            for t in range(CHUNK + 1):
                writer.row("weights")[:] = np.inf if t >= 7 else 1.0

    with pytest.raises(TrainingDivergedError, match="batch 7"):
        write_all()


def test_memory_does_not_grow_with_the_number_of_batches(tiny: Experiment, tmp_path: Path) -> None:
    """The writer holds one chunk of rows, however many batches there are."""
    long = changed(tiny, training={"batches": 100_000})

    def look_and_stop() -> None:
        with Writer(tmp_path / "run", long, 0) as writer:
            held = sum(array.nbytes for array in writer._chunks.values())
            assert held == 2 * CHUNK * writer.width * 4
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look_and_stop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("name = 'Adma'", "optimizer.name: found 'Adma'; allowed: .*Did you mean \"Adam"),
        ("name = 'LBFGS'", "optimizer.name: found 'LBFGS'"),
        ("name = 'SGD'\nbetas = [0.9, 0.99]", "optimizer.betas: unknown key; SGD allows: lr, momentum"),
        ("name = 'Adam'\nlr = 'fast'", "optimizer.lr: found 'fast'; allowed: a number"),
        ("name = 'Adam'\nlr = -1.0", "optimizer.lr: found -1.0; allowed: a number above 0"),
        ("name = 'Adam'\nbetas = 5", r"optimizer.betas: found 5; allowed: two numbers"),
        ("name = 'Adam'\nbetas = []", r"optimizer.betas: found \[\]; allowed: two numbers"),
        ("name = 'Adam'\nbetas = ['a', 'b']", r"optimizer.betas: found \['a', 'b'\]; allowed: "),
        ("name = 'SGD'\nmomentum = '0.9'", "optimizer.momentum: found '0.9'; allowed: a number"),
        ("name = 'Muon'", "optimizer.name: found 'Muon'"),
        ("name = 'Adam'\nbetas = [1.5, 0.9]", r"optimizer.betas: found \[1.5, 0.9\]; allowed: two numbers"),
        ("name = 'Adam'\nweight_decay = -1.0", "torch refuses these values for Adam: Invalid weight_decay"),
    ],
)
def test_a_wrong_optimizer_is_an_error_before_anything_is_written(tmp_path: Path, optimizer: str, message: str) -> None:
    """One line, exit code 2, no file."""
    path = tmp_path / "wrong.toml"
    path.write_text(TINY.read_text(encoding="utf-8") + f"\n[optimizer]\n{optimizer}\n", encoding="utf-8")
    done = run_report("all", "--processes", "1", "--experiment", str(path), "--build", str(tmp_path / "build"))
    assert done.returncode == 2, done.stderr
    import re

    assert re.search(message, done.stderr), done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert [path for path in (tmp_path / "build").rglob("*") if path.name != ".lock"] == []


@pytest.mark.parametrize("name", sorted(optimizers.keywords()))
def test_the_keywords_read_from_the_source_are_those_of_the_class(name: str) -> None:
    """Compared with Python's own view of the imported class."""
    import inspect

    names = list(inspect.signature(getattr(torch.optim, name).__init__).parameters)[2:]
    assert list(optimizers.keywords()[name]) == names


def test_a_device_that_is_not_there_is_a_configuration_error(tiny: Experiment) -> None:
    """With the devices that are."""
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    with pytest.raises(ConfigError, match='found "cuda", which this machine does not have; allowed: auto'):
        train.device_of(changed(tiny, training={"device": "cuda"}))


def test_a_batch_larger_than_the_data_is_a_configuration_error(tiny: Experiment, digits: data.Digits) -> None:
    """Rather than an empty batch and a division by zero."""
    few = dataclasses.replace(digits, train_images=digits.train_images[:15], train_labels=digits.train_labels[:15])
    with pytest.raises(ConfigError, match="at most 12, the training images"):
        train.Trainer(tiny, few)


def test_two_commands_do_not_work_in_one_folder(place: Workspace) -> None:
    """The second says so and changes nothing."""
    import fcntl

    place.build.mkdir(parents=True)
    with (place.build / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run_report("train", "--experiment", str(TINY), "--build", str(place.build))
    assert (done.returncode, "Another command is working" in done.stderr) == (1, True)
