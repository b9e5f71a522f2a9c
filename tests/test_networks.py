"""Other data and other networks in the built-in study: shapes and classes come from the data, nowhere written down."""

import dataclasses
import html
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import run_report

from report.config import Experiment
from report.errors import ConfigError
from report.recording.reader import Recording
from report.training import fitting, loop, model
from report.training.images import Images

MODULE = """
import numpy as np
from torch import nn

def colours():
    generator = np.random.default_rng(1)
    labels = np.arange(90) % 3
    images = (generator.random((90, 3, 6, 5)) * 255).astype(np.uint8)
    return {
        "train_images": images[:80], "train_labels": labels[:80],
        "test_images": images[80:], "test_labels": labels[80:],
        "title": "noise in <b>colours</b>", "licence": "CC0", "credit": "nobody",
    }

def net(shape, classes):
    inputs = 4 * shape[1] * shape[2]
    return nn.Sequential(
        nn.Conv2d(shape[0], 4, 3, padding=1), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(inputs, classes)
    )

def too_few(shape, classes):
    return net(shape, classes - 1)

def nothing(shape, classes):
    return None

def blind(shape, classes):
    return nn.Linear(7, classes)

class Restless(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.layers = net(shape, classes)

    def forward(self, x):
        if self.training:
            raise NotImplementedError("no training,\\nnot yet")
        return self.layers(x)

class Halved(Restless):
    def forward(self, x):
        return self.layers(x)[: len(x) // 2] if self.training else self.layers(x)

def normed(shape, classes):
    inputs = shape[0] * shape[1] * shape[2]
    made = nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, classes)
    )
    made.kept = made[1].weight * 1  # as weight_norm has it; such a module cannot be copied
    return made
"""
STUDY = """
[data]
name = "networks_of_mine:colours"
[network]
kind = "networks_of_mine:net"
[training]
batches = 24
batch_size = 8
validations = 1
device = "cpu"
[study]
seeds = 1
batches = 24
optimizers = [{ name = "SGD", lr = 0.1 }]
[recording]
whole = ["0.*"]
sample = 32
[animation]
frames = 4
long_batches = 24
long_step = 12
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write a module of somebody's own and an experiment that names it; forget it afterwards."""
    (tmp_path / "networks_of_mine.py").write_text(MODULE, encoding="utf-8")
    path = tmp_path / "study.toml"
    path.write_text(STUDY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield path
    sys.modules.pop("networks_of_mine", None)


def images(shape: tuple[int, ...], classes: int, kind: Any = np.uint8) -> Images:
    """Return noise of a shape."""
    generator = np.random.default_rng(0)
    noise = (generator.random((60, *shape)) * 255).astype(kind)
    labels = np.arange(60) % classes
    return Images("noise", "other", "", "noise", "CC0", "", noise[:50], labels[:50], noise[50:], labels[50:])


def changed(experiment: Experiment, **parts: dict[str, Any]) -> Experiment:
    """Return the experiment with some values changed, by table."""
    return experiment.model_copy(
        update={part: getattr(experiment, part).model_copy(update=values) for part, values in parts.items()}
    )


@pytest.mark.parametrize(
    ("shape", "classes", "kind"), [((7,), 2, np.uint8), ((5, 4), 3, np.float32), ((3, 6, 5), 4, np.uint8)]
)
def test_any_shape_and_any_classes(
    tiny: Experiment, tmp_path: Path, shape: tuple[int, ...], classes: int, kind: Any
) -> None:
    """The first matrix has an input a number of the image, the last an output a class."""
    few = changed(tiny, training={"batches": 4, "validations": 1, "batch_size": 8})
    given = images(shape, classes, kind)
    loop.run(few, given, tmp_path / "run", "key", first=2)
    recording = Recording.open(tmp_path / "run")
    assert recording.tensors["l1"].shape == (32, int(np.prod(shape)))
    assert recording.tensors["l5"].shape == (classes, 10)
    told = recording.about["data"]
    assert (told["shape"], told["classes"], told["type"]) == (list(shape), classes, np.dtype(kind).name)
    assert told["examples"] is ((tmp_path / "run" / "attached.npz").is_file()) is False


def test_the_convolutional_network_is_torchs_own(tiny: Experiment) -> None:
    """Layers of torch with the same weights, put one after the other, give the same scores."""
    settings = changed(tiny, network={"kind": "cnn", "channels": (4, 6), "hidden": (12, 10)})
    assert settings.layers == ("c1", "c2", "l1", "l2", "l3")
    generators = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
    network = model.Network(settings, (3, 9, 8), 5, *generators).eval()
    theirs = [
        torch.nn.Conv2d(3, 4, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(4, 6, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(6 * 3 * 2, 12),
        torch.nn.ReLU(),
        torch.nn.Linear(12, 10),
        torch.nn.ReLU(),
        torch.nn.Linear(10, 5),
    ]
    ours = [network.get_submodule(name) for name in settings.layers]
    for own, other in zip(ours, [each for each in theirs if list(each.parameters())], strict=True):
        other.load_state_dict(own.state_dict())
        bound = float(np.prod(own.weight.shape[1:])) ** -0.5  # type: ignore[union-attr,arg-type]
        assert 0.8 * bound < own.weight.abs().max() <= bound  # type: ignore[operator,union-attr]
    given = torch.rand(2, 3, 9, 8)
    torch.testing.assert_close(network(given), torch.nn.Sequential(*theirs)(given))
    grey = model.Network(settings, (9, 8), 5, *generators)
    assert grey(torch.rand(2, 9, 8)).shape == (2, 5)


def test_vectors_cannot_be_convolved(tiny: Experiment) -> None:
    """One line that names the key."""
    settings = changed(tiny, network={"kind": "cnn"})
    with pytest.raises(ConfigError, match=r'^network\.kind: found "cnn", and the images have the shape \(7,\)'):
        loop.Trainer(settings, images((7,), 2))


def test_a_network_of_ones_own_meets_the_same_start_and_masks_again(mine: Path, tmp_path: Path) -> None:
    """Under another optimizer, too: weights before, the first loss and the first gradients are the same bits."""
    experiment = changed(Experiment.load(mine), training={"batches": 3})
    given = images((3, 6, 5), 3)
    found = []
    for place, optimizer in enumerate([*experiment.optimizers, experiment.optimizer]):
        torch.rand(place)  # whatever was drawn before
        single = experiment.model_copy(update={"optimizer": optimizer})
        loop.run(single, given, tmp_path / f"run{place}", "key")
        found.append(Recording.open(tmp_path / f"run{place}"))
    assert list(found[0].tensors) == ["0.weight", "0.bias", "4.weight", "4.bias"]
    for one, other in itertools.pairwise(found):
        for name in one.tensors:
            np.testing.assert_array_equal(one.weights(name)[0], other.weights(name)[0])
            np.testing.assert_array_equal(one.gradients(name)[0], other.gradients(name)[0])
    np.testing.assert_array_equal(found[0].weights("4.weight"), found[-1].weights("4.weight"))


def test_what_the_module_of_a_network_draws_counts_for_nothing(mine: Path) -> None:
    """It does so once a process, which may train several runs: a control would begin with other weights."""
    (mine.parent / "networks_of_mine.py").write_text(f"{MODULE}\nimport torch\ntorch.rand(1)\n", encoding="utf-8")
    one, other = (loop.Trainer(Experiment.load(mine), images((3, 6, 5), 3)).network.state_dict() for _ in range(2))
    torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("kind", "whole", "says"),
    [
        ("too_few", "0.*", "returned scores of the shape (2, 2); wanted: (2, 3)."),
        ("nothing", "0.*", "returned NoneType; wanted: a torch.nn.Module with parameters."),
        ("blind", "*", "refuses two images: RuntimeError: "),
        ("absent", "*", "there is no function absent in networks_of_mine."),
        (
            "net",
            "l3",
            "recording.whole: found l3; allowed: layers of this network, 0.weight, 0.bias, 4.weight, 4.bias.",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_refused(mine: Path, kind: str, whole: str, says: str) -> None:
    """Before any training, in one line that names the key."""
    named = {"kind": f"networks_of_mine:{kind}"}
    experiment = changed(Experiment.load(mine), network=named, recording={"whole": (whole,)})
    with pytest.raises(ConfigError) as caught:
        fitting.check(experiment, images((3, 6, 5), 3))
    assert says in str(caught.value)
    assert str(caught.value).startswith(("network.kind: ", "recording.whole: "))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_study_of_somebody_elses_images_and_network_has_a_site(mine: Path, tmp_path: Path) -> None:
    """From the file to the pages: those that `show` makes, in both languages; nothing is done twice."""
    places = ("--experiment", str(mine), "--build", str(tmp_path / "build"), "--site", str(tmp_path / "site"))
    around = {"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = run_report("all", "--processes", "1", *places, **around)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a report on the network, because the article is about images of MNIST" in done.stdout
    main = Recording.open(tmp_path / "build" / "runs" / Experiment.load(mine).main_run)
    assert f"{main.series['validation_accuracy'][-1]:.4f} on 16 validation images" in done.stdout
    for folder, heading in (("", "## What stands out"), ("ja/", "## 目立つ点")):
        pages = {
            path.name: path.read_text(encoding="utf-8") for path in (tmp_path / f"build/docs/{folder}").glob("*.md")
        }
        assert {*pages} == {"index.md", "tensors.md", "explore.md", "method.md", "downloads.md"}
        assert heading in pages["index.md"]
        assert "0.weight" in pages["tensors.md"]
        told = html.unescape(pages["downloads.md"]).replace("\\", "")
        assert "networks_of_mine:net" in told
        assert "CC0" in told
        for wrong in ("MNIST", "digit", "手書き", "<b>"):
            assert wrong not in "".join(pages.values()), (folder, wrong)
    assert (tmp_path / "site/downloads/experiment.toml").read_text(encoding="utf-8") == STUDY
    receipt = json.loads((tmp_path / "site/receipt.json").read_text(encoding="utf-8"))
    assert (receipt["findings"], {*receipt["runs"]}) == ([], {each.name for each in main.path.parent.iterdir()})
    again = run_report("all", "--processes", "1", *places, **around)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "…" not in again.stdout
    checked = run_report("check", *places, **around)
    assert (checked.returncode, checked.stdout) == (0, "Every file holds what was made.\n"), checked.stderr
    asked = run_report("findings", *places, **around)
    assert (asked.returncode, asked.stderr) == (1, "There are no findings: the article is about images of MNIST.\n")
    verified = run_report("verify", *places, **around)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "2 of 2 training runs have the same bits." in verified.stdout


@pytest.mark.parametrize(
    ("kind", "batch_size", "says"),
    [
        ("normed", 1, "refuses a batch of 1 (training.batch_size) in training mode: ValueError: Expected more than 1"),
        (
            "Restless",
            8,
            "refuses a batch of 8 (training.batch_size) in training mode: NotImplementedError: no training,",
        ),
        ("Halved", 8, "returned scores of the shape (4, 3); wanted: (8, 3)."),
    ],
)
def test_a_network_that_fails_in_training_alone_is_refused(mine: Path, kind: str, batch_size: int, says: str) -> None:
    """Before any training, too, in one line."""
    named = {"kind": f"networks_of_mine:{kind}"}
    settings = {"batch_size": batch_size}
    experiment = changed(Experiment.load(mine), network=named, training=settings, recording={"whole": ()})
    with pytest.raises(ConfigError) as caught:
        fitting.check(experiment, images((3, 6, 5), 3))
    assert str(caught.value).startswith(f"network.kind: networks_of_mine:{kind} {says}")
    assert "\n" not in str(caught.value)


def test_a_network_that_was_tried_out_trains_to_the_same_bits(mine: Path, tmp_path: Path) -> None:
    """With masks that torch draws, and means over batches; one that cannot be copied is tried out as well."""
    named, given = {"kind": "networks_of_mine:normed"}, images((3, 6, 5), 3)
    experiment = changed(Experiment.load(mine), network=named, training={"batches": 3}, recording={"whole": ()})
    loop.run(experiment, given, tmp_path / "before", "key")
    fitting.check(experiment, given)
    loop.run(experiment, given, tmp_path / "after", "key")
    before, after = (Recording.open(tmp_path / name) for name in ("before", "after"))
    for name in before.tensors:
        np.testing.assert_array_equal(before.weights(name), after.weights(name))
    np.testing.assert_array_equal(before.series["test_loss"], after.series["test_loss"])


def test_something_is_held_out(tiny: Experiment) -> None:
    """Rather than a division by zero after the training."""
    few = changed(tiny, data={"validation_fraction": 0.01}, training={"batch_size": 8})
    with pytest.raises(ConfigError, match=r"^data\.validation_fraction: found 0\.01; allowed: a share of 40 images"):
        loop.Trainer(few, few_images())


def few_images() -> Images:
    """Return forty images to train on."""
    given = images((4, 4), 2)
    return dataclasses.replace(given, train_images=given.train_images[:40], train_labels=given.train_labels[:40])
