"""Train a small network some of whose parameters no optimizer was given, and record the others.

    python examples/forgotten_parameter.py [FOLDER] [--steps N]

The default folder is a new one each time: runs/forgotten_parameter-1, runs/forgotten_parameter-2, ….

Weight decay is meant for matrices and not for biases, so the parameters are sorted into two groups, and the weights of
the LayerNorms, which are neither, fall between them. Nothing fails: they keep the value 1, and the network learns all
the same. The remedy is one question for both groups, such as `parameter.ndim > 1`.

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
    return torch.tensor(images / 8 - 1, dtype=torch.float32), torch.tensor(digits)


def make_optimizer(model: nn.Module) -> torch.optim.Optimizer:
    """Return AdamW, whose weight decay is for matrices; here is the mistake."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    biases = [parameter for name, parameter in model.named_parameters() if name.endswith("bias")]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": biases, "weight_decay": 0.0}])


def main() -> None:
    """Train, and say where the recording lies."""
    parser = argparse.ArgumentParser(description="Train a network whose norms no optimizer holds, and record it.")
    paths = (f"runs/forgotten_parameter-{number}" for number in count(1))
    parser.add_argument("folder", nargs="?", default=next(path for path in paths if not Path(path).exists()))
    parser.add_argument("--steps", type=int, default=400)
    arguments = parser.parse_args()
    if arguments.steps < 1:
        raise SystemExit(f"--steps: found {arguments.steps}; wanted: 1 or more.")

    torch.manual_seed(0)
    images, digits = load()
    model = nn.Sequential(
        *(nn.Linear(64, 48), nn.LayerNorm(48), nn.GELU()),
        *(nn.Linear(48, 32), nn.LayerNorm(32), nn.GELU()),
        nn.Linear(32, 10),
    )
    optimizer = make_optimizer(model)
    with report.record(model, optimizer, arguments.folder, label="MLP, AdamW", seed=0) as recorder:  # ← recording
        for step in range(1, arguments.steps + 1):
            picked = torch.randint(len(digits), (64,))
            optimizer.zero_grad()
            loss = cross_entropy(model(images[picked]), digits[picked])
            loss.backward()
            optimizer.step()
            recorder.log(loss=loss)  # ← recording
            if step % 100 == 0 or step == arguments.steps:
                print(f"step {step}: loss {loss.item():.3f}")
    print(f'The recording lies in {arguments.folder}; report.Recording.open("{arguments.folder}") reads it.')


if __name__ == "__main__":
    main()
