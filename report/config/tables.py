"""The tables of an experiment file.

Every field's description is what an error message says is allowed, so the rule and its wording stand together.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from report.config.optimizers import CONTROLS, Optimizer
from report.config.part import Part

DATA_SETS = ("MNIST", "FashionMNIST", "KMNIST", "QMNIST")  # whose archives training/sets.py knows
SAMPLED = "MNIST"  # of which a sample is always there
OWN = r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*"  # a function of somebody's own: package.module:function
OWN_WORDS = 'or a function of your own, "package.module:function"'

Whole = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1)]
LAYER_SIZE = "a list of whole numbers from 2 to 10,000, one a hidden layer"
CHANNELS = "a list of whole numbers from 1 to 1,000, one a convolution"
MOST_SEED = 2**31 - 1


class Data(Part):
    """Say which images there are to learn from and how they are divided."""

    name: str = Field(
        default="MNIST", pattern=rf"^({'|'.join(DATA_SETS)}|{OWN})$", description=f"{', '.join(DATA_SETS)}, {OWN_WORDS}"
    )
    source: Literal["auto", "whole", "sample"] = Field(default="auto", description='"auto", "whole" or "sample"')
    validation_fraction: float = Field(default=0.2, ge=0.01, le=0.9, description="a number from 0.01 to 0.9")

    @property
    def is_own(self) -> bool:
        """Tell whether a function of somebody's own returns the data."""
        return ":" in self.name


class Network(Part):
    """Describe the network between an image and its class: dense layers, perhaps after convolutions, or one's own."""

    kind: str = Field(default="mlp", pattern=rf"^(mlp|cnn|{OWN})$", description=f'"mlp", "cnn", {OWN_WORDS}')
    channels: tuple[Annotated[int, Field(strict=True, ge=1, le=1000)], ...] = Field(
        default=(8, 16), strict=False, min_length=1, max_length=8, description=CHANNELS
    )
    hidden: tuple[Annotated[int, Field(strict=True, ge=2, le=10_000)], ...] = Field(
        default=(1000, 100, 10, 10), strict=False, min_length=1, max_length=12, description=LAYER_SIZE
    )
    dropout: float = Field(default=0.2, ge=0, lt=1, description="a number from 0 to below 1")

    @property
    def is_own(self) -> bool:
        """Tell whether a function of somebody's own returns the network."""
        return ":" in self.kind

    @property
    def convolutions(self) -> tuple[int, ...]:
        """Return the channels of each convolution; none where the network has none."""
        return self.channels if self.kind == "cnn" else ()

    @property
    def settings(self) -> dict[str, Any]:
        """Return the keys that describe a network of this kind, with their values."""
        left_out = {"hidden", "channels", "dropout"} if self.is_own else set() if self.kind == "cnn" else {"channels"}
        return self.model_dump(mode="json", exclude=left_out)


class Training(Part):
    """Describe the training loop of one run."""

    batches: Count = Field(default=3000, le=1_000_000, description="a whole number from 1 to 1,000,000")
    batch_size: Count = Field(default=16, le=4096, description="a whole number from 1 to 4,096")
    seed: Whole = Field(default=10, ge=0, le=MOST_SEED, description="a whole number from 0 to 2,147,483,647")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(default="auto", description='"auto", "cpu", "cuda" or "mps"')
    threads: Count = Field(default=1, le=256, description="a whole number from 1 to 256")
    validations: Count = Field(default=3, le=1000, description="a whole number from 1 to 1,000")


class Study(Part):
    """List the training runs beside the main one: other optimizers, on the same seeds."""

    seeds: Count = Field(default=5, le=1000, description="a whole number from 1 to 1,000")
    batches: Count = Field(default=1000, le=1_000_000, description="a whole number from 1 to training.batches")
    optimizers: tuple[Optimizer, ...] = Field(
        default=tuple(Optimizer.model_validate(table) for table in CONTROLS),
        strict=False,
        max_length=100,
        description="a list of tables, each with the name of an optimizer in torch.optim and its keyword arguments",
    )


class Recording(Part):
    """Say which layers are kept whole at every batch, by name or pattern, and how much is kept of the others."""

    whole: tuple[str, ...] = Field(
        default=("l3", "l4", "l5"), strict=False, min_length=1, description="a list of layers, or of patterns of them"
    )
    sample: Count = Field(default=1024, le=1_000_000, description="a whole number from 1 to 1,000,000")


class Animation(Part):
    """Choose the batches that the animations show, and their pace."""

    frames: Count = Field(default=100, le=1000, description="a whole number from 1 to 1,000")
    milliseconds: Count = Field(default=100, ge=20, le=5000, description="a whole number from 20 to 5,000")
    long_batches: Count = Field(default=1000, le=1_000_000, description="a whole number from 1 to training.batches")
    long_step: Count = Field(default=10, le=1_000_000, description="a whole number from 1 to animation.long_batches")
