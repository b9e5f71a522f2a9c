"""Train a small convolutional network on scikit-learn's digits and record what every step does to its weights.

    python examples/cnn.py [FOLDER] [--steps N]

The default folder is a new one each time: runs/cnn-1, runs/cnn-2, ….

Three lines are there for the recording; they are marked.
"""

import argparse
from itertools import count
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import report  # ← recording


class Network(nn.Module):
    """Two convolutions, a norm after each, and two Linear layers; 8 × 8 grey levels in, ten scores out."""

    def __init__(self, width: int = 16, hidden: int = 64) -> None:
        """Make the layers, the convolutions with `width` and 2 · `width` channels."""
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1, bias=False),  # (batch, width, 8, 8)
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.MaxPool2d(2),  # (batch, 2 · width, 4, 4)
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(32 * width, hidden), nn.ReLU(), nn.Linear(hidden, 10))

    def forward(self, images: Tensor) -> Tensor:
        """Return scores, (batch, 10), of images, (batch, 1, 8, 8)."""
        scores: Tensor = self.head(self.body(images))
        return scores


def load() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return images, (n, 1, 8, 8) in [0, 1], and digits, (n,): those to train on, and 300 to validate with."""
    images, digits = load_digits(return_X_y=True)
    images, digits = torch.tensor(images / 16, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(digits)
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))
    return (images[order[300:]], digits[order[300:]]), (images[order[:300]], digits[order[:300]])


def make_optimizer(network: nn.Module) -> torch.optim.Optimizer:
    """Return AdamW, whose weight decay leaves vectors (biases, norms) alone."""
    matrices = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in network.parameters() if parameter.ndim == 1]
    return torch.optim.AdamW([{"params": matrices}, {"params": vectors, "weight_decay": 0.0}], weight_decay=0.05)


@torch.no_grad()
def accuracy(network: nn.Module, images: Tensor, digits: Tensor) -> float:
    """Return the fraction of images whose digit gets the highest score."""
    network.eval()
    hits = network(images).argmax(1) == digits
    network.train()
    return hits.float().mean().item()


def main() -> None:
    """Train, and say where the recording lies."""
    parser = argparse.ArgumentParser(description="Train a small network on digits, and record it.")
    fresh = next(path for path in (f"runs/cnn-{number}" for number in count(1)) if not Path(path).exists())
    parser.add_argument("folder", nargs="?", default=fresh)
    parser.add_argument("--steps", type=int, default=400)
    arguments = parser.parse_args()
    if arguments.steps < 1:
        raise SystemExit(f"--steps: found {arguments.steps}; wanted: 1 or more.")

    torch.manual_seed(0)
    (images, digits), validation = load()
    network = Network()
    optimizer = make_optimizer(network)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.003, total_steps=arguments.steps)
    with report.record(network, optimizer, arguments.folder, label="CNN, AdamW", seed=0) as recorder:  # ← recording
        for step in range(1, arguments.steps + 1):
            picked = torch.randint(len(digits), (64,))
            optimizer.zero_grad()
            loss = cross_entropy(network(images[picked]), digits[picked])
            loss.backward()
            optimizer.step()
            schedule.step()
            recorder.log(loss=loss)  # ← recording
            if step % 100 == 0 or step == arguments.steps:
                validated = accuracy(network, *validation)
                recorder.log(validation_accuracy=validated)
                print(f"step {step}: loss {loss.item():.3f}, validation accuracy {validated:.3f}")
    print(f'The recording lies in {arguments.folder}; report.Recording.open("{arguments.folder}") reads it.')


if __name__ == "__main__":
    main()
