"""The experiment: its tables as one, read from a file, validated whole before anything runs, then never changed."""

import difflib
import fnmatch
import operator
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from report.config.optimizers import Optimizer, wrong_values
from report.config.part import Part
from report.config.site import Site
from report.config.tables import MOST_SEED, SAMPLED, Animation, Data, Network, Recording, Study, Training
from report.errors import ConfigError
from report.recording.schema import slug

MOST_NAME = 180  # letters of a training run's name: a folder's has at most 255, and more is added to it
MOST_SHOWN = 60  # letters of what was found, in a message
# What a parser breaks off at: a number of thousands of digits, brackets within brackets.
TOO_MUCH = re.compile(r"\d[\d_]{4000}|(?:[\[{][\w \t=]{0,20}){50}")
BOUNDS = {  # keys, and those whose value they must not pass
    "animation.frames": "training.batches",
    "animation.long_batches": "training.batches",
    "animation.long_step": "animation.long_batches",
    "study.batches": "training.batches",
    "training.validations": "training.batches",
}
VARIABLES = {"url": "REPORT_SITE_URL", "repository": "REPORT_REPOSITORY_URL"}  # of the environment, for [site]


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
        """Return the names of the layers, from the image on: c1, … of convolutions, then l1, l2, … of dense ones.

        Those of a network of somebody's own are known when it is made: none here.
        """
        if self.network.is_own:
            return ()
        convolutions = [f"c{number}" for number in range(1, len(self.network.convolutions) + 1)]
        return (*convolutions, *(f"l{number}" for number in range(1, len(self.network.hidden) + 2)))

    @property
    def tables(self) -> tuple[tuple[str, Optimizer], ...]:
        """Return each table that describes an optimizer, by its name in the file; the main one first."""
        controls = ((f"study.optimizers.{place}", each) for place, each in enumerate(self.study.optimizers))
        return (("optimizer", self.optimizer), *controls)

    @property
    def optimizers(self) -> tuple[Optimizer, ...]:
        """Return every optimizer of the study: the main one first, then its controls, none twice."""
        every: dict[str, Optimizer] = {}
        for _, optimizer in self.tables:
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

    @property
    def functions(self) -> dict[str, str]:
        """Return the functions of somebody's own that the experiment names, by key."""
        named = {"data.name": self.data.name} if self.data.is_own else {}
        return named | ({"network.kind": self.network.kind} if self.network.is_own else {})

    @property
    def requiring_data(self) -> "Experiment":
        """Return the experiment in which no sample stands in for a set that cannot be had."""
        if self.data.source != "auto":
            return self
        return self.model_copy(update={"data": self.data.model_copy(update={"source": "whole"})})

    @classmethod
    def load(cls, path: Path) -> "Experiment":
        """Read and validate the file at `path`; the environment may name the address and the repository.

        Raises:
            ConfigError: one line for each mistake: file, key, what was found, what is allowed.
        """
        return cls.parse(read(path), path)

    @classmethod
    def parse(cls, raw: bytes, path: Path) -> "Experiment":
        """Validate what the file at `path` said when it was read.

        Raises:
            ConfigError: as `load` does.
        """
        content = _parse(raw, path)
        try:
            experiment = cls.model_validate(content)
        except ValidationError as error:
            details = error.errors()
            # A list of which an entry is refused is called too short as well.
            inner = {detail["loc"][:-1] for detail in details}
            lines = [_explain(path, dict(detail)) for detail in details if detail["loc"] not in inner]
            raise ConfigError("\n".join(lines)) from error
        if lines := [f"{path}: {line}" for line in experiment._contradictions()]:
            raise ConfigError("\n".join(lines))
        return experiment._with_environment()

    def _contradictions(self) -> list[str]:
        """List what no single key shows to be wrong, one line each."""
        if lines := [
            f"{table}.{key}: found {_shown(value)}; allowed: {allowed}."
            for table, optimizer in self.tables
            for key, value, allowed in wrong_values(optimizer)
        ]:
            return lines  # nothing else can be said of such optimizers
        if self.data.source == "sample" and self.data.name != SAMPLED:
            lines.append(f'data.source: found "sample"; allowed for {self.data.name}: "auto" or "whole".')
        for key, field in Network.model_fields.items():
            if key not in self.network.settings and getattr(self.network, key) != field.default:
                lines.append(f"network.{key}: a network of the kind {self.network.kind} has none; leave this key out.")
        layers = ", ".join(self.layers)
        unknown = [pattern for pattern in self.recording.whole if not fnmatch.filter(self.layers, pattern)]
        if unknown and not self.network.is_own:
            lines.append(f"recording.whole: found {', '.join(unknown)}; allowed: layers of this network, {layers}.")
        for key, most in BOUNDS.items():
            found, bound = (operator.attrgetter(name)(self) for name in (key, most))
            if found > bound:
                lines.append(f"{key}: found {found}; allowed: at most {most}, {bound}.")
        if self.seeds[-1] > MOST_SEED:
            last = MOST_SEED - self.study.seeds + 1
            lines.append(
                f"training.seed: found {self.training.seed}; allowed for {self.study.seeds} seeds: up to {last}."
            )
        if len(set(self.site.languages)) < len(self.site.languages):
            lines.append(f"site.languages: found {list(self.site.languages)}; allowed: each language once.")
        first: dict[str, Optimizer] = {}
        for table, optimizer in self.tables:
            if len(self.run_name(optimizer, self.seeds[-1])) > MOST_NAME:
                lines.append(f"{table}: found too many settings to name a folder by; allowed: fewer, or rounder ones.")
            if first.setdefault(slug(optimizer.label), optimizer) != optimizer:
                lines.append(
                    f"{table}: found another {optimizer.label}; allowed: optimizers that differ in more than the "
                    "learning rate."
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
    return f"{path}: {key}: found {_shown(detail['input'])}; allowed: {allowed}."


def _shown(value: Any) -> str:
    """Return what was found, cut where it is long."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 2]} …"


def read(path: Path) -> bytes:
    """Return what an experiment file holds.

    Raises:
        ConfigError: when it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; name an existing one with --experiment.") from None
    except (OSError, ValueError) as error:  # a ValueError for a name that no file can have
        raise ConfigError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}).") from error


def _parse(raw: bytes, path: Path) -> dict[str, Any]:
    """Return the tables of an experiment file.

    Raises:
        ConfigError: when it is not TOML, or has what no machine can hold.
    """
    try:
        text = raw.decode("utf-8-sig")
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.") from error
    except (ValueError, RecursionError) as error:  # of int(), and of brackets within brackets
        found = TOO_MUCH.search(text)
        line = f", line {text.count(chr(10), 0, found.start()) + 1}" if found else ""
        what = "a number has too many digits" if isinstance(error, ValueError) else "too many brackets in each other"
        raise ConfigError(f"{path}{line}: {what}.") from error
