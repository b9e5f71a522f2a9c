"""The experiment: read from TOML, validated whole before anything runs, then never changed.

Every field's description is what an error message says is allowed, so the rule and its wording stand together.
"""

import difflib
import fnmatch
import math
import operator
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, model_validator

from report.errors import ConfigError
from report.recording.schema import slug

SIDE = 28  # of an image (pixels)
PIXELS = SIDE * SIDE
CLASSES = 10

Whole = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=1)]
# Keyword arguments that torch sets to 0 unless told otherwise; AdamW alone has another weight decay.
ZERO_BY_DEFAULT = ("dampening", "initial_accumulator_value", "lr_decay", "weight_decay")
LAYER_SIZE = "a list of whole numbers from 2 to 10,000, one a hidden layer"

BOUNDS = {  # keys, and those whose value they must not pass
    "animation.frames": "training.batches",
    "animation.long_batches": "training.batches",
    "animation.long_step": "animation.long_batches",
    "study.batches": "training.batches",
    "training.validations": "training.batches",
}
VARIABLES = {"url": "REPORT_SITE_URL", "repository": "REPORT_REPOSITORY_URL"}  # of the environment, for [site]


class Part(BaseModel):
    """Refuse unknown keys and silent conversions in every table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Data(Part):
    """Say where the digits come from and how they are divided."""

    source: Literal["auto", "mnist", "sample"] = Field(default="auto", description='"auto", "mnist" or "sample"')
    validation_fraction: float = Field(default=0.2, ge=0.01, le=0.9, description="a number from 0.01 to 0.9")


class Network(Part):
    """Describe the fully connected network between the 784 pixels and the 10 classes."""

    hidden: tuple[Annotated[int, Field(strict=True, ge=2, le=10_000)], ...] = Field(
        default=(1000, 100, 10, 10), strict=False, min_length=1, max_length=12, description=LAYER_SIZE
    )
    dropout: float = Field(default=0.2, ge=0, lt=1, description="a number from 0 to below 1")


class Training(Part):
    """Describe the training loop of one run."""

    batches: Count = Field(default=3000, le=1_000_000, description="a whole number from 1 to 1,000,000")
    batch_size: Count = Field(default=16, le=4096, description="a whole number from 1 to 4,096")
    seed: Whole = Field(default=10, ge=0, le=2**31 - 1, description="a whole number from 0 to 2,147,483,647")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(default="auto", description='"auto", "cpu", "cuda" or "mps"')
    threads: Count = Field(default=1, le=256, description="a whole number from 1 to 256")
    validations: Count = Field(default=3, le=1000, description="a whole number from 1 to 1,000")


class Optimizer(Part):
    """Name an optimizer of torch.optim and its keyword arguments, as the table of the file gives them."""

    name: str = Field(default="Adam", description="the name of an optimizer in torch.optim")
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
                label += f", {words}" if value is True else f", {words} {value}"
        return label


def _number(value: Any) -> float:
    """Return a number; NaN for what is none, which is refused later with the key's name (see optimizers.check)."""
    return float(value) if isinstance(value, int | float) else math.nan


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


class Study(Part):
    """List the training runs beside the main one: other optimizers, on the same seeds."""

    seeds: Count = Field(default=5, le=1000, description="a whole number from 1 to 1,000")
    batches: Count = Field(default=1000, le=1_000_000, description="a whole number from 1 to training.batches")
    optimizers: tuple[Optimizer, ...] = Field(
        default=tuple(Optimizer.model_validate(table) for table in CONTROLS),
        strict=False,
        max_length=100,
        description="a list of tables, each with the name of an optimizer in torch.optim and its keyword arguments",
    )


class Recording(Part):
    """Say which layers are kept whole at every batch, by name or pattern, and how much is kept of the others."""

    whole: tuple[str, ...] = Field(
        default=("l3", "l4", "l5"), strict=False, min_length=1, description="a list of layers, or of patterns of them"
    )
    sample: Count = Field(default=1024, le=1_000_000, description="a whole number from 1 to 1,000,000")


class Animation(Part):
    """Choose the batches that the animations show, and their pace."""

    frames: Count = Field(default=100, le=1000, description="a whole number from 1 to 1,000")
    milliseconds: Count = Field(default=100, ge=20, le=5000, description="a whole number from 20 to 5,000")
    long_batches: Count = Field(default=1000, le=1_000_000, description="a whole number from 1 to training.batches")
    long_step: Count = Field(default=10, le=1_000_000, description="a whole number from 1 to animation.long_batches")


class Site(Part):
    """Say under which name and address the site is published."""

    title: str = Field(default="Weights in Motion", min_length=1, description="a text that is not empty")
    url: str = Field(default="", pattern=r"^(https?://\S+)?$", description='"" or an address that starts with https://')
    repository: str = Field(
        default="", pattern=r"^(https?://\S+)?$", description='"" or an address that starts with https://'
    )
    languages: tuple[str, ...] = Field(
        default=("en", "ja"), strict=False, min_length=1, description="a list of folders of templates/, each once"
    )


class Experiment(Part):
    """Hold everything that decides what `make report` does. Immutable; equal files give equal experiments."""

    data: Data = Data()
    network: Network = Network()
    training: Training = Training()
    optimizer: Optimizer = Optimizer()
    study: Study = Study()
    recording: Recording = Recording()
    animation: Animation = Animation()
    site: Site = Site()

    @property
    def layers(self) -> tuple[str, ...]:
        """Return the names of the Linear layers, from the pixels on: l1, l2, …."""
        return tuple(f"l{number}" for number in range(1, len(self.network.hidden) + 2))

    def shape(self, layer: str) -> tuple[int, int]:
        """Return (outputs, inputs) of the weight matrix of `layer`."""
        sizes = (PIXELS, *self.network.hidden, CLASSES)
        number = self.layers.index(layer)
        return sizes[number + 1], sizes[number]

    @property
    def optimizers(self) -> tuple[Optimizer, ...]:
        """Return every optimizer of the study: the main one first, then its controls, none twice."""
        every: dict[str, Optimizer] = {}
        for optimizer in (self.optimizer, *self.study.optimizers):
            every.setdefault(slug(optimizer.label), optimizer)
        return tuple(every.values())

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the seeds of the study: the main training run's, and those that follow it."""
        return tuple(range(self.training.seed, self.training.seed + self.study.seeds))

    @staticmethod
    def run_name(optimizer: Optimizer, seed: int) -> str:
        """Return the name of a training run, which is also its folder's: `adam-b1-0.9-seed0`."""
        return f"{slug(optimizer.label)}-seed{seed}"

    @property
    def main_run(self) -> str:
        """Return the name of the main training run, which is also its folder's."""
        return self.run_name(self.optimizer, self.training.seed)

    @classmethod
    def load(cls, path: Path) -> "Experiment":
        """Read and validate the file at `path`; the environment may name the address and the repository.

        Raises:
            ConfigError: one line for each mistake: file, key, what was found, what is allowed.
        """
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            raise ConfigError(f"{path}: there is no such file; name an existing one with --experiment.") from None
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not valid TOML: {error}.") from error
        try:
            experiment = cls.model_validate(content)
        except ValidationError as error:
            lines = [_explain(path, dict(detail)) for detail in error.errors()]
            raise ConfigError("\n".join(lines)) from error
        if lines := [f"{path}: {line}" for line in experiment._contradictions()]:
            raise ConfigError("\n".join(lines))
        return experiment._with_environment()

    def _contradictions(self) -> list[str]:
        """List what no single key shows to be wrong, one line each."""
        lines = []
        layers = ", ".join(self.layers)
        unknown = [pattern for pattern in self.recording.whole if not fnmatch.filter(self.layers, pattern)]
        if unknown:
            lines.append(f"recording.whole: found {', '.join(unknown)}; allowed: layers of this network, {layers}.")
        for key, most in BOUNDS.items():
            found, bound = (operator.attrgetter(name)(self) for name in (key, most))
            if found > bound:
                lines.append(f"{key}: found {found}; allowed: at most {most}, {bound}.")
        if len(set(self.site.languages)) < len(self.site.languages):
            lines.append(f"site.languages: found {list(self.site.languages)}; allowed: each language once.")
        first = {slug(self.optimizer.label): self.optimizer}
        for place, optimizer in enumerate(self.study.optimizers):
            if first.setdefault(slug(optimizer.label), optimizer) != optimizer:
                lines.append(
                    f"study.optimizers.{place}: found another {optimizer.label}; allowed: optimizers that differ in "
                    "more than the learning rate."
                )
        return lines

    def _with_environment(self) -> "Experiment":
        """Let a publishing workflow say where the site goes without editing the file.

        Raises:
            ConfigError: for what would be refused in the file, too.
        """
        given = {key: os.environ[name] for key, name in VARIABLES.items() if os.environ.get(name)}
        try:
            site = Site.model_validate({**self.site.model_dump(), **given})
        except ValidationError as error:
            key = str(error.errors()[0]["loc"][0])
            allowed = Site.model_fields[key].description
            raise ConfigError(f"{VARIABLES[key]}: found {given[key]!r}; allowed: {allowed}.") from error
        return self.model_copy(update={"site": site.model_copy(update={"repository": site.repository.rstrip("/")})})


def _explain(path: Path, detail: dict[str, Any]) -> str:
    """Say one of pydantic's findings in one line a person can act on."""
    location = [str(part) for part in detail["loc"]]
    model: Any = Experiment
    allowed = ""
    for name in location:
        if not (isinstance(model, type) and issubclass(model, BaseModel)) or name not in model.model_fields:
            break
        allowed = model.model_fields[name].description or "a table of settings"
        model = model.model_fields[name].annotation
    key = ".".join(part for part in location if part != "arguments")
    if detail["type"] == "extra_forbidden":
        keys = list(model.model_fields)
        near = difflib.get_close_matches(location[-1], keys, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        return f"{path}: {key}: unknown key; allowed here: {', '.join(keys)}.{hint}"
    found = detail["input"]
    return f"{path}: {key}: found {found!r}; allowed: {allowed}."
