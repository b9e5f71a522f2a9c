"""The table behind the pictures of digits: which image shows which class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def table(digits: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return one row an image: the first of the training set, then the first of each class, with all its pixels.

    Args:
        digits: `Recording.digits`: `first` (28, 28) and `examples` (10, 28, 28) uint8, with their labels.
    """
    images = np.concatenate([digits["first"][None], digits["examples"]]).reshape(1 + len(digits["examples"]), -1)
    return {
        "which": np.array(["first", *["example"] * len(digits["examples"])]),
        "label": np.array([int(digits["first_label"]), *digits["example_labels"].tolist()]),
        **{f"pixel_{place}": images[:, place] for place in range(images.shape[1])},
    }
