"""Recordings to test with, made without the built-in experiment: written by NumPy alone, or by the real recorder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from report.recording import schema
from report.recording.schema import Description, Group, Note, Role, Tensor

Array = np.ndarray
Rule = tuple[str, Mapping[str, Any]]

ADAM: Rule = ("Adam", {"lr": 0.001, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0, "amsgrad": False})
SGD: Rule = ("SGD", {"lr": 0.1, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False})


def write_recording(
    folder: Path,
    weights: Mapping[str, Array],
    gradients: Mapping[str, Array],
    *,
    label: str = "made",
    seed: int | None = None,
    role: Role = "own",
    rules: Sequence[Rule] = (ADAM,),
    group_of: Mapping[str, int] | None = None,
    kinds: Mapping[str, str] | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    indices: Mapping[str, Array] | None = None,
    first: Mapping[str, Array] | None = None,
    events: Sequence[Mapping[str, Any]] = (),
    series: Mapping[str, Array] | None = None,
    about: Mapping[str, Any] | None = None,
    attached: Mapping[str, Array] | None = None,
    notes: Sequence[Note] = (),
    taken: int | None = None,
) -> Path:
    """Write the folder of a complete recording, file by file as `report.recording.schema` describes it.

    Args:
        folder: is made; must not exist.
        weights: by tensor, (steps + 1, *shape) float32; of a sampled tensor (steps + 1, n).
        gradients: by tensor, (steps, *shape) or (steps, n) float32; NaN rows where there was none.
        label: of the recording.
        seed: of the recording.
        role: of the recording.
        rules: of each parameter group, optimizer and settings by torch's names.
        group_of: by tensor, index into `rules`; 0 where it is not named.
        kinds: by tensor, class of its module; "Linear" where it is not named.
        shapes: of the tensors that are sampled.
        indices: of the tensors that are sampled, (n,) flat positions in the shape.
        first: of sampled tensors, (k + 1, entries): their first states, whole.
        events: beside those that state the rules at row 0, such as `{"row": 5, "tensor": 1, "present": False}`.
        series: by name, (taken,), NaN where nothing was logged.
        about: what the client says of the training run.
        attached: arrays beside the recording.
        notes: of the recording.
        taken: steps; by default those that are recorded.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    sampled, series, first = dict(indices or {}), dict(series or {}), dict(first or {})
    tensors, steps = [], 0
    for number, (name, rows) in enumerate(weights.items()):
        shape = (shapes or {}).get(name, rows.shape[1:])
        kept = rows.reshape(len(rows), -1)
        steps = len(rows) - 1
        np.save(folder / f"weights-{number}.npy", kept.astype(np.float32))
        np.save(folder / f"gradients-{number}.npy", gradients[name].reshape(steps, kept.shape[1]).astype(np.float32))
        if name in sampled:
            np.save(folder / f"indices-{number}.npy", np.asarray(sampled[name], np.int64))
        if name in first:
            np.save(folder / f"first-{number}.npy", first[name].reshape(len(first[name]), -1))
        tensors.append(
            Tensor(
                name=name,
                names=(name,),
                kind=(kinds or {}).get(name, "Linear"),
                shape=tuple(shape),
                matrix=schema.matrix(tuple(shape)),
                kept="sample" if name in sampled else "whole",
                count=kept.shape[1],
                dtype="float32",
                group=(group_of or {}).get(name, 0),
            )
        )
    for number, values in enumerate(series.values()):
        np.save(folder / f"series-{number}.npy", np.asarray(values, np.float64))
    if attached:
        np.savez(folder / "attached.npz", **attached)
    stated = [{"row": 0, "group": number, "set": dict(settings)} for number, (_, settings) in enumerate(rules)]
    lines = "".join(json.dumps(event) + "\n" for event in [*stated, *events])
    (folder / "events.jsonl").write_text(lines, encoding="utf-8")
    progress = {"steps": steps, "taken": steps if taken is None else taken, "skipped": 0}
    (folder / "progress.json").write_text(json.dumps(progress), encoding="utf-8")
    description = Description(
        label=label,
        seed=seed,
        role=role,
        first=max((len(rows) - 1 for rows in first.values()), default=0),
        tensors=tuple(tensors),
        groups=tuple(Group(name, 0, number) for number, (name, _) in enumerate(rules)),
        series=tuple(series),
        notes=tuple(notes),
        ended="complete",
        about=dict(about or {}),
        versions={"python": "3.11", "torch": "none", "numpy": np.__version__},
        platform={"system": "Linux", "machine": "x86_64", "device": "cpu", "threads": 1},
    )
    (folder / "run.json").write_text(json.dumps(description.as_json(), ensure_ascii=False), encoding="utf-8")
    return folder


def noise(
    shapes: Mapping[str, tuple[int, ...]], steps: int, seed: int = 0, beta: float = 0.9, rate: float = 0.001
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return weights and gradients of a training run whose gradients are noise and whose optimizer is momentum.

    Args:
        shapes: of each tensor by its name.
        steps: how many.
        seed: of the noise.
        beta: the momentum coefficient.
        rate: the learning rate.

    Returns:
        weights (steps + 1, *shape) and gradients (steps, *shape) by name, float32.
    """
    generator = np.random.default_rng(seed)
    weights, gradients = {}, {}
    for name, shape in shapes.items():
        gradients[name] = generator.standard_normal((steps, *shape)).astype(np.float32)
        weights[name] = descend(gradients[name], generator.standard_normal(shape), beta, rate)
    return weights, gradients


def descend(gradients: Array, initial: Array, beta: float = 0.9, rate: float = 0.001) -> Array:
    """Return the weights that SGD with momentum walks through, (steps + 1, *shape) float32.

    Args:
        gradients: (steps, *shape).
        initial: (*shape), where it begins.
        beta: the momentum coefficient.
        rate: the learning rate.
    """
    states = np.empty((len(gradients) + 1, *gradients.shape[1:]), np.float32)
    states[0] = initial
    total = np.zeros(gradients.shape[1:])
    for step, gradient in enumerate(gradients):
        total = beta * total + gradient
        states[step + 1] = states[step] - np.float32(rate) * total
    return states


def momentum(beta: float, rate: float = 0.001) -> Rule:
    """Return the rule of SGD with so much momentum."""
    return "SGD", {**SGD[1], "lr": rate, "momentum": beta}


def record_cnn(folder: Path, *, label: str = "cnn", seed: int = 0, steps: int = 30, momentum: float = 0.9) -> Path:
    """Record a small convolutional network on noise: norms, biases, a frozen one, two groups and a schedule.

    Its dense head, "6.weight" and "8.weight", is kept whole.

    Args:
        folder: that the recording goes to.
        label: of the recording.
        seed: of initial weights and data.
        steps: how many.
        momentum: of SGD, in both groups.

    Returns:
        The folder.
    """
    import torch
    from torch import nn

    import report

    torch.manual_seed(seed)
    model = nn.Sequential(
        *(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(54, 16), nn.ReLU(), nn.Linear(16, 5)),
    )
    model[3].bias.requires_grad_(False)
    decayed = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in model.parameters() if parameter.dim() == 1 and parameter.requires_grad]
    groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": 0.01}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=0.05, momentum=momentum)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    keep: dict[str, Any] = {"whole": ("6.*", "8.*"), "sample": 64, "first": 3}
    with report.record(model, optimizer, folder, label=label, seed=seed, **keep) as recorder:
        for _ in range(steps):
            inputs, targets = torch.randn(8, 1, 9, 9), torch.randint(0, 5, (8,))
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
            schedule.step()
            recorder.log(loss=loss)
    return folder


def record_digits(folder: Path, *, label: str = "digits", seed: int = 0, steps: int = 30, beta: float = 0.9) -> Path:
    """Record a model whose tensors have names of digits alone ("0", "1", …): a mapping, kept whole, under Adam.

    Args:
        folder: that the recording goes to.
        label: of the recording.
        seed: of initial weights and data.
        steps: how many.
        beta: Adam's β1.

    Returns:
        The folder.
    """
    import torch
    from torch import nn

    import report

    torch.manual_seed(seed)
    layers = [nn.Linear(12, 8), nn.Linear(8, 6), nn.Linear(6, 4), nn.Linear(4, 3)]
    optimizer = torch.optim.Adam([layer.weight for layer in layers], 0.002, betas=(beta, 0.999))
    named = {str(number): layer.weight for number, layer in enumerate(layers)}
    with report.record(named, optimizer, folder, label=label, seed=seed) as recorder:
        for _ in range(steps):
            inputs, targets = torch.randn(8, 12), torch.randint(0, 3, (8,))
            optimizer.zero_grad()
            for layer in layers[:-1]:
                inputs = torch.relu(layer(inputs))
            loss = nn.functional.cross_entropy(layers[-1](inputs), targets)
            loss.backward()
            optimizer.step()
            recorder.log(train_loss=loss)
    return folder
