"""The network and the names of its layers: l1, l2, … from the pixels to the classes."""

import math

import torch
from torch import Tensor, nn

from report.config import Experiment


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

    Shapes: (batch, 784) float32 in [0, 1] -> (batch, 10) float32 logits.
    """

    def __init__(self, experiment: Experiment, initial: torch.Generator, dropout: torch.Generator) -> None:
        """Draw the initial weights from `initial`; draw dropout masks from `dropout` while training."""
        super().__init__()
        self.names = experiment.layers
        for name in self.names:
            outputs, inputs = experiment.shape(name)
            layer = nn.Linear(inputs, outputs)
            # PyTorch's default for Linear, uniform within 1/√inputs, but from our generator instead of the global one.
            bound = 1 / math.sqrt(inputs)
            with torch.no_grad():
                layer.weight.uniform_(-bound, bound, generator=initial)
                layer.bias.uniform_(-bound, bound, generator=initial)
            self.add_module(name, layer)
        self.dropout = SeededDropout(experiment.network.dropout, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, (batch, 10), of images, (batch, 784)."""
        for name in self.names[:-1]:
            x = torch.relu(self.get_submodule(name)(x))  # (batch, units of this hidden layer)
            if name == self.names[0]:
                x = self.dropout(x)
        logits: Tensor = self.get_submodule(self.names[-1])(x)  # (batch, 10)
        return logits

    def weights(self) -> dict[str, nn.Parameter]:
        """Return the weight matrix of each layer, (outputs, inputs), by the layer's name."""
        every = dict(self.named_parameters())
        return {name: every[f"{name}.weight"] for name in self.names}
