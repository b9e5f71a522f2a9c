"""Train a small network whose weights are bfloat16, with a small learning rate, and record where the updates go.

    python examples/mlp_bf16.py [FOLDER] [--steps N]

The default folder is a new one each time: runs/mlp_bf16-1, runs/mlp_bf16-2, ….

A bfloat16 has 8 bits of precision: next to 0.1 the numbers are 0.0005 apart. Adam asks for steps of about the learning
rate, 0.0001, and most of them are rounded away: the weight stays where it was. The usual remedies are float32 weights
(torch.autocast computes in bfloat16 all the same) or stochastic rounding.

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


def load() -> tuple[Tensor, Tensor]:
    """Return images, (n, 64) in [-1, 1], and digits, (n,)."""
    images, digits = load_digits(return_X_y=True)
    return torch.tensor(images / 8 - 1, dtype=torch.bfloat16), torch.tensor(digits)


def main() -> None:
    """Train, and say where the recording lies."""
    parser = argparse.ArgumentParser(description="Train a network of bfloat16 weights on digits, and record it.")
    fresh = next(path for path in (f"runs/mlp_bf16-{number}" for number in count(1)) if not Path(path).exists())
    parser.add_argument("folder", nargs="?", default=fresh)
    parser.add_argument("--steps", type=int, default=400)
    arguments = parser.parse_args()
    if arguments.steps < 1:
        raise SystemExit(f"--steps: found {arguments.steps}; wanted: 1 or more.")

    torch.manual_seed(0)
    images, digits = load()
    model = nn.Sequential(nn.Linear(64, 48), nn.GELU(), nn.Linear(48, 32), nn.GELU(), nn.Linear(32, 10))
    model.to(torch.bfloat16)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.0001)
    with report.record(model, optimizer, arguments.folder, label="bfloat16 weights", seed=0) as recorder:  # ← recording
        for step in range(1, arguments.steps + 1):
            picked = torch.randint(len(digits), (64,))
            optimizer.zero_grad()
            loss = cross_entropy(model(images[picked]).float(), digits[picked])
            loss.backward()
            optimizer.step()
            recorder.log(loss=loss)  # ← recording
            if step % 100 == 0 or step == arguments.steps:
                print(f"step {step}: loss {loss.item():.3f}")
    print(f'The recording lies in {arguments.folder}; report.Recording.open("{arguments.folder}") reads it.')


if __name__ == "__main__":
    main()
