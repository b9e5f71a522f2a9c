"""Images and their classes as arrays, before the split into those to train on and those to validate with."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from report.errors import ConfigError
from report.training import named

Source = Literal["mnist", "sample", "other"]
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
WORDS = ("title", "licence", "credit")
MOST_EXAMPLES = 20  # classes of which one example each is kept: more do not fit into the picture of them


@dataclass(frozen=True)
class Images:
    """Hold a data set.

    Attributes:
        name: as `data.name` of the experiment has it.
        source: "mnist", all of MNIST; "sample", a part of it; "other".
        reason: why it is not what was hoped for; empty where it is.
        title: what a reader calls it.
        licence: under which it may be shown.
        credit: whose work it is.
        train_images, test_images: (n, …), n images of one shape: uint8 from 0 to 255, or float32, taken as they are.
        train_labels, test_labels: (n,) int64, classes counted from 0.
    """

    name: str
    source: Source
    reason: str
    title: str
    licence: str
    credit: str
    train_images: NDArray[Any]
    train_labels: NDArray[np.int64]
    test_images: NDArray[Any]
    test_labels: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one image."""
        return self.train_images.shape[1:]

    @property
    def classes(self) -> int:
        """Return how many classes there are."""
        return int(self.train_labels.max()) + 1

    @property
    def sha256(self) -> str:
        """Return the checksum of all four arrays."""
        return checksum(getattr(self, name) for name in ARRAYS)

    def examples(self) -> dict[str, NDArray[Any]]:
        """Return the first training image, as the first article shows it, and the first of each class.

        Returns:
            Nothing for what is no flat picture in grey levels, or has too many classes to show.
        """
        if len(self.shape) != 2 or self.train_images.dtype != np.uint8 or self.classes > MOST_EXAMPLES:
            return {}
        positions = [int(np.flatnonzero(self.train_labels == label)[0]) for label in range(self.classes)]
        return {
            "first": self.train_images[0],
            "first_label": self.train_labels[0],
            "examples": self.train_images[positions],
            "example_labels": self.train_labels[positions],
        }


def checksum(arrays: Any) -> str:
    """Return the SHA-256 of some arrays, one after the other."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()


def split(count: int, validation_fraction: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide `count` training images at random into training and validation; return the positions of each."""
    order = np.random.default_rng(seed).permutation(count)
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]


def _array(found: Mapping[str, Any], name: str, where: str) -> NDArray[Any]:
    """Return one of the arrays that a function of somebody's own returned.

    Raises:
        ConfigError: when NumPy makes no array of it.
    """
    try:
        return np.asarray(found[name])
    except Exception as error:  # a ragged list's, or a tensor's own
        raise ConfigError(
            f"{where}: {name} are no array ({named.told(error)}); wanted: one of NumPy's, or what it makes one of."
        ) from error


def check(found: Any, where: str) -> dict[str, Any]:
    """Return what a function of somebody's own returned, as `Images` wants it.

    Args:
        found: a mapping: `train_images`, `train_labels`, `test_images`, `test_labels`, arrays as `Images` describes
            them (labels of any whole numbers' type; images of any floating-point type, or bytes), `title` and
            `licence`, texts, and, where there is one to name, `credit`.
        where: names the function in the message.

    Raises:
        ConfigError: one line for what does not fit.
    """
    wanted = ", ".join((*ARRAYS, *WORDS[:2]))
    if not isinstance(found, Mapping):
        raise ConfigError(f"{where}: returned {type(found).__name__}; wanted: a mapping with {wanted}.")
    if missing := [name for name in (*ARRAYS, *WORDS[:2]) if name not in found]:
        raise ConfigError(f"{where}: returned no {', '.join(missing)}; wanted: a mapping with {wanted}.")
    given: dict[str, Any] = {name: found.get(name, "") for name in WORDS}
    if wrong := [name for name, text in given.items() if not isinstance(text, str) or (name in found and not text)]:
        raise ConfigError(f"{where}: {wrong[0]} is no text; wanted: what a reader is told, on one line.")
    given = {name: " ".join(text.split()) for name, text in given.items()}
    for part in ("train", "test"):
        images, labels = (_array(found, f"{part}_{what}", where) for what in ("images", "labels"))
        if images.dtype != np.uint8 and images.dtype.kind != "f":
            raise ConfigError(f"{where}: {part}_images are {images.dtype}; wanted: uint8, or floating-point numbers.")
        if images.ndim < 2 or not images.size or labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
            raise ConfigError(
                f"{where}: {part}_images have the shape {images.shape}, {part}_labels {labels.shape} ({labels.dtype}); "
                "wanted: (n, …) and (n,), whole numbers, n above 0."
            )
        with np.errstate(over="ignore"):
            images = images if images.dtype == np.uint8 else images.astype(np.float32)
        if not np.isfinite(images).all():
            raise ConfigError(
                f"{where}: as float32, a value of {part}_images is infinite or NaN; wanted: finite numbers."
            )
        given[f"{part}_images"] = images
        given[f"{part}_labels"] = labels.astype(np.int64)
    if given["test_images"].shape[1:] != given["train_images"].shape[1:]:
        raise ConfigError(f"{where}: images to train on and to test with differ in shape; wanted: one shape.")
    if given["test_images"].dtype != given["train_images"].dtype:
        raise ConfigError(f"{where}: images to train on and to test with differ in type; wanted: one type.")
    seen = np.unique(given["train_labels"])
    if len(seen) < 2 or seen[0] != 0 or seen[-1] != len(seen) - 1 or not np.isin(given["test_labels"], seen).all():
        raise ConfigError(
            f"{where}: labels to train on are {seen[0]} to {seen[-1]}, {len(seen)} different ones; wanted: classes "
            "counted from 0, at least two, each with an image to train on."
        )
    return given
