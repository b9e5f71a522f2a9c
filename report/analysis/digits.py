"""The table behind the pictures of examples: which image shows which class."""

from collections.abc import Mapping

import numpy as np

from report.analysis.columns import Column

ARRAYS = ("first", "first_label", "examples", "example_labels")


def table(attached: Mapping[str, Column]) -> dict[str, Column] | None:
    """Return one row an image: the first of the training set, then the first of each class, with all its pixels.

    Args:
        attached: to the recording: `first` (…) and `examples` (classes, …) of any shape, with their labels.

    Returns:
        None where they were not attached, or are something else.
    """
    if not attached.keys() >= set(ARRAYS):
        return None
    first, first_label, examples, labels = (attached[name] for name in ARRAYS)
    if examples.shape[1:] != first.shape or labels.shape != examples.shape[:1] or labels.dtype.kind not in "iu":
        return None
    images = np.concatenate([first[None], examples]).reshape(1 + len(examples), -1)
    return {
        "which": np.array(["first", *["example"] * len(examples)]),
        "label": np.array([int(first_label), *labels.tolist()]),
        **{f"pixel_{place}": images[:, place] for place in range(images.shape[1])},
    }
