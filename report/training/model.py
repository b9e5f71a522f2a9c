"""The networks that an experiment can name: dense, convolutional, or one of somebody's own."""

import itertools
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from report.config import Experiment
from report.errors import ConfigError
from report.training import named

KEY = "network.kind"  # of the experiment file, in messages
KERNEL, STRIDE, PADDING = 3, 2, 1  # of every convolution: each halves the picture


class SeededDropout(nn.Module):
    """Drop units by a generator of its own, so that a control training run can draw the very same masks."""

    def __init__(self, probability: float, generator: torch.Generator) -> None:
        """Keep the probability that a unit is silenced, and the generator that draws."""
        super().__init__()
        self.probability = probability
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Silence units of `x` at random and scale up the others, while training; else return `x`."""
        if not self.training or self.probability == 0:
            return x
        mask = torch.empty_like(x).bernoulli_(1 - self.probability, generator=self.generator)
        return x * mask.div_(1 - self.probability)


class Network(nn.Module):
    """Map images to class scores by Linear layers with ReLU between them, dropout after the first.

    Convolutions, if there are any, come before them, each with a ReLU.
    Shapes: (batch, …) float32 -> (batch, classes) float32 logits.
    """

    def __init__(
        self,
        experiment: Experiment,
        shape: tuple[int, ...],
        classes: int,
        initial: torch.Generator,
        dropout: torch.Generator,
    ) -> None:
        """Draw the initial weights from `initial`; draw dropout masks from `dropout` while training.

        Args:
            experiment: says how many layers there are, of which size.
            shape: of an image; for convolutions (rows, columns) or (channels, rows, columns).
            classes: how many there are.
            initial: draws the weights.
            dropout: draws the masks.

        Raises:
            ConfigError: when images of this shape cannot be convolved.
        """
        super().__init__()
        settings = experiment.network
        self.names = experiment.layers
        inputs = math.prod(shape)
        made: list[nn.Linear | nn.Conv2d] = []
        if settings.convolutions:
            if len(shape) not in (2, 3):
                raise ConfigError(
                    f'{KEY}: found "cnn", and the images have the shape {shape}; allowed: "mlp", or images of the '
                    "shape (rows, columns) or (channels, rows, columns)."
                )
            sides = [-(-side // STRIDE ** len(settings.convolutions)) for side in shape[-2:]]
            inputs = settings.convolutions[-1] * math.prod(sides)
            widths = (shape[0] if len(shape) == 3 else 1, *settings.convolutions)
            made = [nn.Conv2d(*each, KERNEL, STRIDE, PADDING) for each in itertools.pairwise(widths)]
        self.convolutions = self.names[: len(made)]
        made += [nn.Linear(*each) for each in itertools.pairwise((inputs, *settings.hidden, classes))]
        for name, layer in zip(self.names, made, strict=True):
            # PyTorch's default for both, uniform within 1/√inputs, but from our generator instead of the global one.
            bound = 1 / math.sqrt(layer.weight[0].numel())
            assert layer.bias is not None
            with torch.no_grad():
                layer.weight.uniform_(-bound, bound, generator=initial)
                layer.bias.uniform_(-bound, bound, generator=initial)
            self.add_module(name, layer)
        self.dropout = SeededDropout(settings.dropout, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, (batch, classes), of images, (batch, …)."""
        if self.convolutions and x.dim() == 3:
            x = x.unsqueeze(1)  # (batch, 1, rows, columns)
        for name in self.convolutions:
            x = torch.relu(self.get_submodule(name)(x))
        x = x.flatten(1)
        dense = self.names[len(self.convolutions) :]
        for name in dense[:-1]:
            x = torch.relu(self.get_submodule(name)(x))  # (batch, units of this hidden layer)
            if name == dense[0]:
                x = self.dropout(x)
        logits: Tensor = self.get_submodule(dense[-1])(x)  # (batch, classes)
        return logits

    def weights(self) -> dict[str, nn.Parameter]:
        """Return the weights of each layer, (outputs, inputs, …), by the layer's name."""
        every = dict(self.named_parameters())
        return {name: every[f"{name}.weight"] for name in self.names}


def build(
    experiment: Experiment, shape: tuple[int, ...], classes: int, seeds: tuple[int, int], device: torch.device
) -> nn.Module:
    """Return the network of an experiment on a device, its initial weights drawn.

    A function of somebody's own is called with `shape` and `classes`, and returns the module. It draws its weights, and
    later its dropout masks, from torch's own generator, which is seeded here: so every optimizer meets the same. Where
    several training runs share a process, as threads of a Dask worker do, that holds for other networks alone.

    Args:
        experiment: says which.
        shape: of an image.
        classes: how many there are.
        seeds: of the initial weights, and of what is drawn while training.
        device: to train on.

    Raises:
        ConfigError: when the network is none, or does not fit the images.
    """
    if not experiment.network.is_own:
        # Drawn on the CPU, so that a seed means the same initial weights on every device.
        initial, dropout = torch.Generator().manual_seed(seeds[0]), torch.Generator(device).manual_seed(seeds[1])
        return Network(experiment, shape, classes, initial, dropout).to(device)
    kind = experiment.network.kind
    made = named.call(kind, KEY, seeds[0], shape, classes)
    if not isinstance(made, nn.Module) or not any(each.requires_grad for each in made.parameters()):
        raise ConfigError(f"{KEY}: {kind} returned {type(made).__name__}; wanted: a torch.nn.Module with parameters.")
    made = made.to(device)
    torch.manual_seed(seeds[1])
    return made


def names(network: nn.Module) -> list[str]:
    """Return what the tensors of a network are called where they are recorded."""
    return [*(network.weights() if isinstance(network, Network) else dict(network.named_parameters()))]


def recorded(network: nn.Module) -> nn.Module | Mapping[str, nn.Parameter]:
    """Return what is recorded of a network: the weights by the names of their layers; of somebody's own, everything."""
    return network.weights() if isinstance(network, Network) else network
