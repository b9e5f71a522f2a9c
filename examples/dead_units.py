"""Train a small network with a learning rate that kills its hidden units, and record when they die.

    python examples/dead_units.py [FOLDER] [--steps N]

The default folder is a new one each time: runs/dead_units-1, runs/dead_units-2, ….

A step that is too large can leave a unit's bias so low that no image brings it above zero. ReLU then passes nothing on,
nor back: the gradients of the unit's weights are zero, and so they stay where they are. Try a
RATE of 0.05, at which it learns, or LeakyReLU.

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

RATE = 1.0  # twenty times what this network learns well with


def load() -> tuple[Tensor, Tensor]:
    """Return images, (n, 64) in [-1, 1], and digits, (n,)."""
    images, digits = load_digits(return_X_y=True)
    return torch.tensor(images / 8 - 1, dtype=torch.float32), torch.tensor(digits)


def main() -> None:
    """Train, count the dead, and say where the recording lies."""
    parser = argparse.ArgumentParser(description="Train at too large a learning rate, and record it.")
    fresh = next(path for path in (f"runs/dead_units-{number}" for number in count(1)) if not Path(path).exists())
    parser.add_argument("folder", nargs="?", default=fresh)
    parser.add_argument("--steps", type=int, default=400)
    arguments = parser.parse_args()
    if arguments.steps < 1:
        raise SystemExit(f"--steps: found {arguments.steps}; wanted: 1 or more.")

    torch.manual_seed(0)
    images, digits = load()
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 24), nn.ReLU(), nn.Linear(24, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    with report.record(  # ← recording
        model, optimizer, arguments.folder, label=f"MLP, SGD at {RATE:g}", seed=0, whole="*"
    ) as recorder:
        for step in range(1, arguments.steps + 1):
            picked = torch.randint(len(digits), (64,))
            optimizer.zero_grad()
            loss = cross_entropy(model(images[picked]), digits[picked])
            loss.backward()
            optimizer.step()
            recorder.log(loss=loss)  # ← recording
            if step % 100 == 0 or step == arguments.steps:
                print(f"step {step}: loss {loss.item():.3f}")
    for layers in (2, 4):
        alive = (model[:layers](images) > 0).any(0)
        print(f"{model[layers - 2]}: {(~alive).sum()} of {len(alive)} units are 0 for every image")
    print(f'The recording lies in {arguments.folder}; report.Recording.open("{arguments.folder}") reads it.')


if __name__ == "__main__":
    main()
