"""Train a small transformer to write Python's documentation, letter by letter, and record every step.

    python examples/transformer.py [FOLDER] [--steps N]

The default folder is a new one each time: runs/transformer-1, runs/transformer-2, ….

The text is the one behind `help()`, which every Python has. Three lines are there for the recording; they are marked.
"""

import argparse
from itertools import count
from pathlib import Path
from pydoc_data.topics import topics

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention

import report  # ← recording

LENGTH = 64  # letters that the model sees


class Block(nn.Module):
    """One layer: causal attention, then a small network for each letter."""

    def __init__(self, width: int, heads: int) -> None:
        """Make the layer, with `heads` heads."""
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, length, width), like `x`."""
        batch, length, width = x.shape
        parts = self.attention(self.norm1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(*parts, is_causal=True)  # (batch, heads, length, width / heads)
        x = x + self.project(attended.transpose(1, 2).reshape(batch, length, width))
        added: Tensor = x + self.mlp(self.norm2(x))
        return added


class Transformer(nn.Module):
    """Guess each next letter."""

    def __init__(self, letters: int, width: int = 64, layers: int = 3, heads: int = 4) -> None:
        """Make the layers; letters are read and written with the same embedding."""
        super().__init__()
        self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(LENGTH, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters, bias=False)
        nn.init.normal_(self.letters.weight, std=width**-0.5)
        self.head.weight = self.letters.weight

    def forward(self, text: Tensor) -> Tensor:
        """Return scores, (batch, length, letters), of letters, (batch, length)."""
        x = self.letters(text) + self.places.weight[: text.shape[1]]
        scores: Tensor = self.head(self.norm(self.blocks(x)))
        return scores


def load() -> tuple[Tensor, str]:
    """Return the text as numbers, (n,), and the letters that they stand for."""
    text = "".join(topics[name] for name in sorted(topics))
    letters = "".join(sorted(set(text)))
    number = {letter: place for place, letter in enumerate(letters)}
    return torch.tensor([number[letter] for letter in text]), letters


@torch.no_grad()
def write(model: nn.Module, letters: str, count: int = 200) -> str:
    """Let the model write."""
    text = torch.tensor([[letters.index("\n")]])
    for _ in range(count):
        scores = model(text[:, -LENGTH:])[:, -1]
        text = torch.cat([text, scores.softmax(1).multinomial(1)], dim=1)
    return "".join(letters[number] for number in text[0])


def main() -> None:
    """Train, show what was learned, and say where the recording lies."""
    parser = argparse.ArgumentParser(description="Train a small transformer, and record it.")
    fresh = next(path for path in (f"runs/transformer-{number}" for number in count(1)) if not Path(path).exists())
    parser.add_argument("folder", nargs="?", default=fresh)
    parser.add_argument("--steps", type=int, default=600)
    arguments = parser.parse_args()
    if arguments.steps < 1:
        raise SystemExit(f"--steps: found {arguments.steps}; wanted: 1 or more.")

    torch.manual_seed(0)
    text, letters = load()
    model = Transformer(len(letters))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.002, betas=(0.9, 0.95))
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 50))
    # What the first layer's attention ends with, its projection, is kept whole; of other large tensors, a fixed sample.
    with report.record(
        model, optimizer, arguments.folder, seed=0, whole="blocks.0.project.*"
    ) as recorder:  # ← recording
        for step in range(1, arguments.steps + 1):
            start = torch.randint(len(text) - LENGTH - 1, (16, 1))
            letters_in = text[start + torch.arange(LENGTH + 1)]  # (batch, LENGTH + 1)
            optimizer.zero_grad()
            loss = cross_entropy(model(letters_in[:, :-1]).flatten(0, 1), letters_in[:, 1:].flatten())
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            warm_up.step()
            recorder.log(loss=loss, gradient_norm=norm)  # ← recording
            if step % 100 == 0 or step == arguments.steps:
                print(f"step {step}: loss {loss.item():.3f} nats a letter")
    print(write(model, letters))
    print(f'The recording lies in {arguments.folder}; report.Recording.open("{arguments.folder}") reads it.')


if __name__ == "__main__":
    main()
