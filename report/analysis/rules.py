"""What the optimizers of a study do to its tensors, as far as recordings say, and what chance predicts of that."""

import functools
import math
from collections.abc import Mapping
from typing import TypedDict

from report.analysis import theory
from report.analysis.theory import Theory
from report.recording.reader import Recording
from report.recording.schema import Rule, Setting
from report.recording.study import Study

STATED = (*theory.SETTINGS, "eps", "weight_decay")  # settings that results.json names, besides the learning rate

Predicted = dict[str, dict[str, Theory | None]]  # by slug of the label and tensor


class Optimizer(TypedDict):
    """Say of an optimizer what `results.json` does; `label` is what it is called, `name` its class."""

    slug: str
    label: str
    name: str
    momentum: float
    beta1: float | None
    weight_decay: float
    learning_rate: float | None
    arguments: dict[str, Setting | list[float]]


def momentum_coefficient(recording: Recording, rule: Rule) -> float | None:
    """Return β, what one update keeps of the last one's direction; None where no AR(1) law describes the updates.

    That is so, too, where a schedule changes β, and where the rows of a recording are several steps apart.
    """
    if recording.description.every > 1 or set(theory.SETTINGS) & set(rule.varying):
        return None
    return theory.memory(rule.name, rule.settings)


def learning_rate(recording: Recording, rule: Rule) -> float | None:
    """Return what updates are measured against; None where it changes, or a row holds the updates of several steps."""
    rate = rule.learning_rate
    return rate if recording.description.every == 1 and rate is not None and 0 < rate < math.inf else None


def by_tensor(recording: Recording) -> dict[str, Rule]:
    """Return the rule of each tensor; it is read once a group."""
    one = {tensor.group: name for name, tensor in recording.tensors.items()}
    rules = {group: recording.rule(name) for group, name in one.items()}
    return {name: rules[tensor.group] for name, tensor in recording.tensors.items()}


def predicted(study: Study) -> Predicted:
    """Return what chance predicts (see `theory.describe`), by slug of the label and tensor.

    None where no theory describes the tensor's rule, or recordings of the label differ in it.
    """
    found: dict[str, dict[str, Theory | None]] = {}
    for label in study.labels:
        every = [_predicted(recording) for recording in study.of(label)]
        found[study.slug(label)] = {
            name: theory if all(each.get(name) == theory for each in every) else None
            for name, theory in every[0].items()
        }
    return found


def common(theories: Mapping[str, Theory | None]) -> Theory | None:
    """Return what chance predicts of every tensor alike; None where it does not."""
    every = list(theories.values())
    return every[0] if all(each == every[0] for each in every) else None


def describe(study: Study, label: str, tensor: str) -> Optimizer:
    """Return the optimizer of a label as `results.json` has it: that of one tensor, in its first recording."""
    recording = study.of(label)[0]
    rule = recording.rule(tensor)
    arguments = {key: rule.settings[key] for key in STATED if key in rule.settings}
    return {
        "slug": study.slug(label),
        "label": label,
        "name": rule.name,
        "momentum": rule.momentum,
        "beta1": rule.beta1,
        "weight_decay": rule.weight_decay,
        "learning_rate": learning_rate(recording, rule),
        "arguments": {key: list(value) if isinstance(value, tuple) else value for key, value in arguments.items()},
    }


def _predicted(recording: Recording) -> dict[str, Theory | None]:
    found: dict[str, Theory | None] = {}
    for name, rule in by_tensor(recording).items():
        settings = tuple((key, rule.settings[key]) for key in theory.SETTINGS if key in rule.settings)
        is_described = momentum_coefficient(recording, rule) is not None
        found[name] = _cached(rule.name, settings) if is_described else None
    return found


@functools.cache
def _cached(name: str, settings: tuple[tuple[str, Setting], ...]) -> Theory | None:
    return theory.describe(name, dict(settings))
