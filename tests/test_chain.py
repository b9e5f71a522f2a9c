"""Which tensors are drawn as a network, from descriptions alone."""

import math

import pytest
from conftest import Build

from report.analysis.chain import MOST_EDGES, drawn
from report.recording import schema
from report.recording.schema import Kept, Tensor


def tensors(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    """Return descriptions of tensors that are kept whole; an underscore stands for the point in a name."""
    return {name.replace("_", "."): tensor(name.replace("_", "."), shape) for name, shape in shapes.items()}


def tensor(name: str, shape: tuple[int, ...], kept: Kept = "whole", kind: str = "Linear") -> Tensor:
    """Return the description of a tensor."""
    return Tensor(name, (name,), kind, shape, schema.matrix(shape), kept, math.prod(shape), "float32", 0)


def test_the_built_in_network_is_drawn_as_ever(tiny_build: Build) -> None:
    """Its last three matrices: the only ones that are kept whole."""
    assert drawn(tiny_build.recording.tensors) == ("l3", "l4", "l5")


def test_biases_between_matrices_do_not_break_the_chain() -> None:
    """A Sequential of Linear layers is recorded with a vector after each matrix; a scalar may be there too."""
    found = drawn(tensors(_0_weight=(8, 5), _0_bias=(8,), scale=(), _2_weight=(3, 8), _2_bias=(3,)))
    assert found == (".0.weight", ".2.weight")


def test_of_a_convolutional_network_the_dense_head_is_drawn() -> None:
    """A kernel has as many rows as a matrix, and joins no single inputs and outputs."""
    found = drawn(
        tensors(conv_weight=(16, 3, 3, 3), conv2_weight=(32, 16, 3, 3), fc1=(20, 64), fc1_b=(20,), fc2=(5, 20))
    )
    assert found == ("fc1", "fc2")


def test_a_convolution_between_matrices_parts_them() -> None:
    """What does not touch is not drawn as if it did."""
    assert drawn(tensors(a=(4, 4), conv=(4, 4, 3, 3), b=(4, 4), c=(4, 4))) == ("b", "c")


def test_sizes_must_meet() -> None:
    """The outputs of one are the inputs of the next, in this direction."""
    assert drawn(tensors(a=(7, 5), b=(6, 7), c=(6, 7), d=(2, 6))) == ("a", "b")
    assert drawn(tensors(a=(5, 7), b=(7, 6))) == ("b",)


def test_of_two_chains_the_longer_and_then_the_heavier_is_drawn() -> None:
    """Of equally long and heavy ones, the first."""
    assert drawn(tensors(a=(9, 9), b=(9, 9), c=(2, 3), d=(2, 2), e=(2, 2))) == ("c", "d", "e")
    assert drawn(tensors(a=(3, 4), b=(2, 3), c=(7, 9), d=(5, 7))) == ("c", "d")
    assert drawn(tensors(a=(3, 4), b=(2, 3), c=(3, 4), d=(2, 3))) == ("a", "b")


def test_a_sampled_tensor_is_not_drawn() -> None:
    """Most of its lines were not recorded."""
    known = {"a": tensor("a", (6, 6)), "b": tensor("b", (6, 6), "sample"), "c": tensor("c", (6, 6))}
    assert drawn(known) == ("a",)


def test_an_embedding_is_not_drawn() -> None:
    """Its rows are words, not outputs."""
    assert drawn({"tokens": tensor("tokens", (6, 6), kind="Embedding"), "out": tensor("out", (9, 6))}) == ("out",)


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ({"l1": (1000, 784), "l2": (100, 1000), "l3": (10, 100), "l4": (10, 10)}, ("l3", "l4")),
        ({"a": (4, 4), "b": (4, 4), "head": (50_000, 4)}, ("a", "b")),
        ({"a": (90, 91), "b": (90, 90)}, ("b",)),
        ({"huge": (1000, 784)}, ()),
        ({"exact": (64, 128)}, ("exact",)),
        ({"one more": (1, 8193)}, ()),
        ({}, ()),
        ({"vector": (9,)}, ()),
        ({"empty": (0, 5), "a": (3, 0)}, ()),
    ],
)
def test_no_more_lines_than_can_be_seen(shapes: dict[str, tuple[int, ...]], expected: tuple[str, ...]) -> None:
    """The larger end is left out until the rest fits; perhaps nothing is left."""
    known = {name: tensor(name, shape) for name, shape in shapes.items()}
    assert drawn(known) == expected
    assert sum(known[name].size for name in expected) <= MOST_EDGES
