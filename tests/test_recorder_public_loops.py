"""Loops built as well-known public training scripts are, recorded with two added lines, against a record by hand.

Their structure is rebuilt in small, with code of our own: nanoGPT's `train.py`, the DCGAN of pytorch/examples, and
modded-nanogpt's `train_gpt2.py`.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from by_hand import ByHand
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, cross_entropy, linear, rms_norm

import report

LETTERS, LENGTH, WIDTH = 11, 6, 8


class Model(nn.Module):
    """Guess each next letter from the one before it, with parameters of all shapes that a GPT has."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        self.wte, self.lm_head = nn.Embedding(LETTERS, WIDTH), nn.Linear(WIDTH, LETTERS, bias=False)
        self.h = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(2))
        self.skip = nn.Parameter(torch.ones(()))

    def forward(self, letters: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of (batch, length) letters."""
        x = rms_norm(self.wte(letters).float(), (WIDTH,))
        for layer in self.h:
            x = x * self.skip + torch.relu(linear(x, layer.weight, layer.bias))
        return cross_entropy(linear(x, self.lm_head.weight).flatten(0, 1), targets.flatten())


def make_loader(batch: int = 4) -> Callable[[], tuple[Tensor, Tensor]]:
    """Return a function that gives random batches of letters, and the letters after them."""
    text = torch.randint(LETTERS, (500,))

    def get_batch() -> tuple[Tensor, Tensor]:
        starts = torch.randint(len(text) - LENGTH - 1, (batch, 1)) + torch.arange(LENGTH)
        return text[starts], text[starts + 1]

    return get_batch


@pytest.mark.parametrize("is_fused", [False, True])
def test_as_nanogpt_does(tmp_path: Path, is_fused: bool) -> None:
    """Accumulated, unscaled and clipped gradients, skipped steps.

    The next batch is fetched before this one's gradients are computed, the schedule is written into the groups, float16
    overflows until the scale has come down, and an evaluation comes in between.
    """
    torch.manual_seed(0)
    accumulation, warmup, most = 3, 4, 18
    model, get_batch = Model(), make_loader()
    decayed = [each for each in model.parameters() if each.dim() >= 2]
    others = [each for each in model.parameters() if each.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.95), fused=is_fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**24)  # too large at first
    hand = ByHand(model)
    wanted_rates, wanted_losses, skipped = [], [], 0

    def rate_at(iteration: int) -> float:
        if iteration < warmup:
            return 0.01 * (iteration + 1) / warmup
        return 0.001 + 0.0045 * (1 + math.cos(math.pi * (iteration - warmup) / (most - warmup)))

    inputs, targets = get_batch()
    iteration = 0
    with report.record(model, optimizer, tmp_path / "run", whole="*") as recorder:  # added
        while True:
            rate = rate_at(iteration)
            for group in optimizer.param_groups:
                group["lr"] = rate
            if iteration % 5 == 0:
                model.eval()
                with torch.no_grad():
                    evaluated = torch.stack([model(*get_batch()) for _ in range(2)]).mean()
                model.train()
            for _ in range(accumulation):
                with torch.autocast("cpu", dtype=torch.float16):
                    loss = model(inputs, targets) / accumulation
                inputs, targets = get_batch()
                scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            hand.before()
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
            recorder.log(loss=loss * accumulation, evaluated=evaluated)  # added
            if all(each.isfinite().all() for each in hand.gradients[-1].values() if each is not None):
                hand.after()
                wanted_rates.append(rate)
                wanted_losses.append((loss * accumulation).item())
            else:
                hand.forget()
                skipped += 1
            iteration += 1
            if iteration > most:
                break
    recording = hand.check(tmp_path / "run")
    assert 0 < skipped < 10
    assert recording.steps == most + 1 - skipped
    assert recording.skipped == (skipped if is_fused else 0)  # of a plain optimizer, a skip calls no hook
    assert recording.settings[0]["lr"].tolist() == recording.settings[1]["lr"].tolist() == wanted_rates
    assert [each["weight_decay"][-1] for each in recording.settings] == [0.1, 0.0]
    assert recording.series["loss"].tolist() == wanted_losses


def test_as_the_dcgan_example_does(tmp_path: Path) -> None:
    """Two optimizers; the generator's loss adds to the discriminator's gradients, which are those of its own step."""
    torch.manual_seed(0)
    generator = nn.Sequential(
        *(nn.ConvTranspose2d(5, 6, 2, bias=False), nn.BatchNorm2d(6), nn.ReLU(True)),
        *(nn.ConvTranspose2d(6, 1, 2, 2, bias=False), nn.Tanh()),
    )
    discriminator = nn.Sequential(
        *(nn.Conv2d(1, 6, 2, 2, bias=False), nn.BatchNorm2d(6), nn.LeakyReLU(0.2, inplace=True)),
        *(nn.Conv2d(6, 1, 2, bias=False), nn.Flatten(0), nn.Sigmoid()),
    )
    for module in (*generator, *discriminator):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0, 0.02)
    both = nn.ModuleDict({"generator": generator, "discriminator": discriminator})
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=0.002, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=0.002, betas=(0.5, 0.999))
    images, real, unreal = torch.rand(40, 1, 4, 4), torch.ones(8), torch.zeros(8)
    hand = ByHand(both)
    with report.record(both, [optimizer_d, optimizer_g], tmp_path / "run") as recorder:  # added
        for _ in range(2):
            for batch in images.split(8):
                discriminator.zero_grad()
                loss_real = binary_cross_entropy(discriminator(batch), real)
                loss_real.backward()
                made = generator(torch.randn(8, 5, 1, 1))
                loss_made = binary_cross_entropy(discriminator(made.detach()), unreal)
                loss_made.backward()
                hand.before()
                optimizer_d.step()
                generator.zero_grad()
                loss_generator = binary_cross_entropy(discriminator(made), real)
                loss_generator.backward()
                hand.gradients[-1] |= {
                    f"generator.{name}": None if each.grad is None else each.grad.clone()
                    for name, each in generator.named_parameters()
                }
                optimizer_g.step()
                hand.after()
                recorder.log(discriminator=loss_real + loss_made, generator=loss_generator)  # added
    recording = hand.check(tmp_path / "run")
    assert recording.steps == 10
    assert [each.position for each in recording.description.groups] == [0, 1]
    assert recording.rule("generator.0.weight").momentum == 0.5
    assert len(recording.series["generator"]) == 10


class Orthogonal(torch.optim.Optimizer):
    """SGD with Nesterov momentum whose updates are made orthogonal, as Muon's are; its step takes no closure."""

    def __init__(self, parameters: Any, lr: float, momentum: float) -> None:
        """Keep the settings."""
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Change all matrices."""
        for group in self.param_groups:
            for each in group["params"]:
                buffer = self.state[each].setdefault("momentum_buffer", torch.zeros_like(each))
                buffer.mul_(group["momentum"]).add_(each.grad)
                left, _, right = torch.linalg.svd(each.grad.add(buffer, alpha=group["momentum"]), full_matrices=False)
                each.data.add_(left @ right, alpha=-group["lr"])


def test_as_modded_nanogpt_does(tmp_path: Path) -> None:
    """One optimizer for each kind of parameter, each with a schedule.

    One is home-made, and its momentum warms up; gradients are divided by hand; the embedding is bfloat16.
    """
    torch.manual_seed(0)
    accumulation, most = 2, 12
    model, get_batch = Model(), make_loader()
    model.wte.bfloat16()
    matrices = [each for each in model.h.parameters() if each.ndim == 2]
    scalars = [each for each in model.h.parameters() if each.ndim < 2] + [model.skip]
    optimizers = [
        torch.optim.Adam([model.wte.weight], lr=0.3, betas=(0.9, 0.95), fused=True),
        torch.optim.Adam([model.lm_head.weight], lr=0.008, betas=(0.9, 0.95), fused=True),
        Orthogonal(matrices, lr=0.02, momentum=0.95),
        torch.optim.Adam(scalars, lr=0.02, betas=(0.9, 0.95), fused=True),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(each, lambda step: min((step + 1) / 3, 1, (most - step) / 4))
        for each in optimizers
    ]
    hand, momenta = ByHand(model), []
    letters, targets = get_batch()
    with report.record(model, optimizers, tmp_path / "run") as recorder:  # added
        for step in range(most):
            for _ in range(accumulation):
                loss = model(letters, targets)
                kept = loss.detach()
                letters, targets = get_batch()
                loss.backward()
            for each in model.parameters():
                each.grad /= accumulation
            part = min(step / 8, 1)
            momenta.append((1 - part) * 0.85 + part * 0.95)
            optimizers[2].param_groups[0]["momentum"] = momenta[-1]
            hand.before()
            for optimizer, schedule in zip(optimizers, schedules, strict=True):
                optimizer.step()
                schedule.step()
            hand.after()
            model.zero_grad(set_to_none=True)
            recorder.log(loss=kept)  # added
    recording = hand.check(tmp_path / "run")
    assert recording.steps == most
    groups = {name: tensor.group for name, tensor in recording.tensors.items()}
    assert groups == {
        **{"wte.weight": 0, "lm_head.weight": 1},
        **{"h.0.weight": 2, "h.1.weight": 2},
        **{"h.0.bias": 3, "h.1.bias": 3, "skip": 3},
    }
    assert recording.tensors["wte.weight"].dtype == "bfloat16"
    assert [each.optimizer for each in recording.description.groups] == ["Adam", "Adam", "Orthogonal", "Adam"]
    assert recording.settings[2]["momentum"].tolist() == momenta
    rates = [min((step + 1) / 3, 1, (most - step) / 4) for step in range(most)]
    for settings, rate in zip(recording.settings, (0.3, 0.008, 0.02, 0.02), strict=True):
        assert settings["lr"].tolist() == [rate * each for each in rates]
