"""Optimizers as tables of the experiment file: a class of torch.optim by its name, and its keyword arguments."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import Field, ValidatorFunctionWrapHandler, model_validator

from report.config.part import Part

# Keyword arguments that torch sets to 0 unless told otherwise; AdamW alone has another weight decay.
ZERO_BY_DEFAULT = ("dampening", "initial_accumulator_value", "lr_decay", "weight_decay")


class Optimizer(Part):
    """Name an optimizer of torch.optim and its keyword arguments, as the table of the file gives them."""

    name: str = Field(
        default="Adam", pattern=r"^[A-Za-z]\w{0,49}$", description="the name of an optimizer in torch.optim"
    )
    arguments: dict[str, Any] = Field(default_factory=lambda: {"lr": 1e-3, "betas": [0.9, 0.999]})

    @model_validator(mode="wrap")
    @classmethod
    def _gather_arguments(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        """Take every key but the name as a keyword argument."""
        if isinstance(value, Mapping) and value and "arguments" not in value:
            rest = {key: item for key, item in value.items() if key != "name"}
            value = {**({"name": value["name"]} if "name" in value else {}), "arguments": rest}
        made: Self = handler(value)
        return made

    @property
    def label(self) -> str:
        """Return the name in prose, in figures and of its recordings: `Adam, β1 = 0.9`."""
        given = self.arguments.get("betas")
        betas = given if isinstance(given, list) and given else [0.9, 0.999] if "adam" in self.name.lower() else []
        momentum = _number(self.arguments.get("momentum", 0))
        if betas:
            label = f"{self.name}, β1 = {_number(betas[0]):g}"
        else:
            label = f"{self.name} with momentum {momentum:g}" if momentum else self.name
        if betas[1:] not in ([], [0.999]):
            label += "".join(f", β{place} = {_number(beta):g}" for place, beta in enumerate(betas[1:], 2))
        for key, value in sorted(self.arguments.items()):
            is_default = value is False or (value == 0 and key in ZERO_BY_DEFAULT and self.name != "AdamW")
            if key not in ("lr", "betas", "momentum") and not is_default:
                words = key.replace("_", " ")
                label += f", {words}" if value is True else f", {words} {_shown(value)}"
        return label


def _shown(value: Any) -> str:
    """Return a value as labels have it; 0 and 0.0 are one setting."""
    return str(value) if isinstance(value, list) else f"{_number(value):g}"


def _number(value: Any) -> float:
    """Return a number; NaN for what is none, which is refused with the key's name."""
    try:
        return float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return math.inf


def wrong_values(optimizer: Optimizer) -> Iterator[tuple[str, Any, str]]:
    """Yield key, value and what is allowed of every keyword argument that no optimizer takes."""
    for key, value in optimizer.arguments.items():
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, int | float) for item in items):
            yield key, value, "a number, true or false, or a list of numbers"
        elif key == "lr" and (isinstance(value, bool | list) or not 0 < _number(value) < math.inf):
            yield key, value, "a finite number above 0"
        elif key == "betas" and not (
            isinstance(value, list)
            and len(items) > 1
            and all(not isinstance(item, bool) and 0 <= item < 1 for item in items)
        ):
            yield key, value, "two numbers from 0 to below 1"
        elif not all(math.isfinite(_number(item)) for item in items):
            yield key, value, "a finite number"


# Learning rates are chosen so that every control learns: Adam's own where only the momentum differs; RMSprop divides by
# the same root mean square, so it takes Adam's; SGD needs a hundred times that without the division, and a tenth of its
# own with momentum 0.9, which makes steps 1 / (1 - 0.9) times as long.
CONTROLS: tuple[dict[str, Any], ...] = (
    {"name": "Adam", "lr": 0.001, "betas": [0.0, 0.999]},
    {"name": "Adam", "lr": 0.001, "betas": [0.5, 0.999]},
    {"name": "Adam", "lr": 0.001, "betas": [0.99, 0.999]},
    {"name": "RMSprop", "lr": 0.001},
    {"name": "SGD", "lr": 0.1},
    {"name": "SGD", "lr": 0.01, "momentum": 0.9},
)
