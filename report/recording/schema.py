"""What a recording says of itself: `run.json`, and the names of the files beside it.

| file | holds |
| --- | --- |
| `run.json` | everything below, in `Description` |
| `progress.json` | how many steps the other files hold for certain, and how many the training has taken |
| `weights-<k>.npy` | tensor k: (steps + 1, kept) float32; row t is the state after t recorded steps |
| `gradients-<k>.npy` | tensor k: (steps, kept) float32; row t - 1 is the gradient that step t used |
| `indices-<k>.npy` | a sampled tensor's kept entries: (kept,) int64, flat positions in its shape |
| `first-<k>.npy` | a sampled tensor's first states, whole: (first + 1, entries) float32 |
| `series-<k>.npy` | series k: (steps taken,) float64, NaN where nothing was logged |
| `before-<k>.npy` | the same, if it was logged before the steps: there until the recording is closed |
| `events.jsonl` | what changed at which step: settings of a group; a gradient that is absent, or there again |
| `attached.npz` | arrays that the client of the recorder added |
| `timings.json` | seconds that parts of the built-in training took, which it adds (`report/training/loop.py`) |
| `checksums.json` | what the other files hold, which it adds, too (`report/recording/seal.py`) |

The update of step t, counted from 1, is `weights[t] - weights[t - 1]`. An `.npy` file's header counts the rows that are
there, so each file can be read by NumPy alone, also while the recording grows and after a `kill -9`.
"""

import difflib
import functools
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from report.errors import ReportError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT = "weights-in-motion/recording"
VERSION = 3  # of the format

Kept = Literal["whole", "sample"]
Role = Literal["main", "control", "own"]
Ended = Literal["recording", "complete", "interrupted", "stopped"]
Setting = float | int | bool | tuple[float, ...] | None


@dataclass(frozen=True)
class Tensor:
    """Describe one recorded parameter.

    Attributes:
        name: as the model calls it, the first of `names`; with a number behind it when another one had the name before.
        names: all its names: a tied weight has several.
        kind: class of the module that it belongs to, such as "Linear"; "Parameter" where none is known.
        shape: of the parameter.
        matrix: (rows, columns) as which it reads: (outputs, inputs) of a Linear, (out, in · kh · kw) of a Conv2d, one
            row of a vector.
        kept: "whole", or a fixed random "sample" of its entries.
        count: entries that are kept of it at every step.
        dtype: of the parameter; recorded as float32.
        group: index into `Description.groups`.
        since: the number of recorded steps before the optimizer held it; its rows before that are absent (NaN).
    """

    name: str
    names: tuple[str, ...]
    kind: str
    shape: tuple[int, ...]
    matrix: tuple[int, int]
    kept: Kept
    count: int
    dtype: str
    group: int
    since: int = 0

    @property
    def size(self) -> int:
        """Return the number of entries of the parameter."""
        return self.matrix[0] * self.matrix[1]


@dataclass(frozen=True)
class Group:
    """Describe a parameter group: the optimizer that it belongs to.

    Attributes:
        optimizer: class of the optimizer, such as "Adam".
        position: of that optimizer among those that were given.
        index: of the group within that optimizer.
    """

    optimizer: str
    position: int
    index: int


@dataclass(frozen=True)
class Note:
    """Say one thing that a reader of the recording should know.

    Attributes:
        kind: a word that code can ask for: "unheld" and "frozen" (no optimizer holds a parameter), "left out" (complex
            or empty ones), "whole" (a pattern without effect), "non-finite", "skipped", "series" and "attached" (what
            was logged or attached is left out, and why), "stopped", "no step" (of all optimizers, or of one).
        text: a sentence.
        step: at which it was seen, counted from 1; None where it belongs to no step.
        tensors: the names of the tensors that it is about.
    """

    kind: str
    text: str
    step: int | None = None
    tensors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Description:
    """Hold what `run.json` says.

    Attributes:
        label: what the recording shows; recordings with one label differ in chance only.
        seed: tells recordings of one label apart; None where none was given.
        role: "main" and "control" in a study, else "own".
        every: steps from one recorded row to the next.
        first: recorded steps from the start for which every tensor is kept whole.
        tensors: what is recorded, in the order of the model.
        groups: the parameter groups.
        series: names of the logged series.
        notes: what a reader should know.
        ended: "recording" while it grows (or after a kill), "complete", "interrupted" by an exception in the loop, or
            "stopped" by the recorder, which could not go on.
        about: what the client of the recorder said of the training run.
        versions: of Python and the libraries.
        platform: system, machine, instruction set of the CPU that torch uses, device and threads.
    """

    label: str
    seed: int | None = None
    role: Role = "own"
    every: int = 1
    first: int = 0
    tensors: tuple[Tensor, ...] = ()
    groups: tuple[Group, ...] = ()
    series: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    ended: Ended = "recording"
    about: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, Any] = field(default_factory=dict)

    def summary(self, name: str, steps: int) -> str:
        """Say in a few words what a recording called `name` holds, with `steps` recorded steps."""
        what = f"label {self.label!r}, seed {self.seed}, {steps} steps, {len(self.tensors)} tensors"
        return f"{name}: {what}, {self.ended}"

    def as_json(self) -> dict[str, Any]:
        """Return the content of `run.json`."""
        return {"format": FORMAT, "version": VERSION, **asdict(self)}


@dataclass(frozen=True)
class Rule:
    """Describe how an optimizer treats one tensor.

    Attributes:
        name: class of the optimizer.
        settings: of the tensor's group at the first recorded step, by torch's names: `lr`, `betas`, `momentum`, ….
        varying: names of the settings that changed later.
    """

    name: str
    settings: Mapping[str, Setting]
    varying: tuple[str, ...] = ()

    @property
    def learning_rate(self) -> float | None:
        """Return the learning rate; None where there is none, or where it changed."""
        rate = self.settings.get("lr")
        return float(rate) if isinstance(rate, int | float) and "lr" not in self.varying else None

    @property
    def beta1(self) -> float | None:
        """Return the decay of Adam's first moment; None for an optimizer that has none."""
        betas = self.settings.get("betas")
        return float(betas[0]) if isinstance(betas, tuple) and betas else None

    @property
    def momentum(self) -> float:
        """Return how much of the last update's direction is kept: β1, or the momentum of SGD and RMSprop."""
        if self.beta1 is not None:
            return self.beta1
        momentum = self.settings.get("momentum")
        return float(momentum) if isinstance(momentum, int | float) else 0.0

    @property
    def weight_decay(self) -> float:
        """Return the share by which weights shrink, or what is added to their gradients for it."""
        decay = self.settings.get("weight_decay")
        return float(decay) if isinstance(decay, int | float) else 0.0


def filenames(description: Description) -> list[str]:
    """Return the names of the files that a closed recording has for certain; what its client adds is not among them."""
    found = ["run.json", "progress.json", "events.jsonl"]
    for number, tensor in enumerate(description.tensors):
        found += [f"weights-{number}.npy", f"gradients-{number}.npy"]
        if tensor.kept == "sample":
            found.append(f"indices-{number}.npy")
            found += [f"first-{number}.npy"] if description.first and not tensor.since else []
    return [*found, *(f"series-{number}.npy" for number in range(len(description.series)))]


@functools.cache
def _validator() -> "TypeAdapter[Description]":
    """Return what checks a description; it takes a while to make, and only readers need it."""
    from pydantic import TypeAdapter

    return TypeAdapter(Description)


def parse(content: Any, where: str) -> Description:
    """Return what `run.json` says.

    Args:
        content: the parsed JSON.
        where: the file, for the message.

    Raises:
        ReportError: when it is no recording's, or another version's.
    """
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ReportError(f"{where} does not describe a recording. Name the folder of a recording.")
    if content.get("version") != VERSION:
        raise ReportError(
            f"{where} has version {content.get('version')} of the format, and this program reads version {VERSION}. "
            "Record it again, or read it with the version of weights-in-motion that wrote it."
        )
    from pydantic import ValidationError

    fields = {name: value for name, value in content.items() if name not in ("format", "version")}
    try:
        return _validator().validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ReportError(f"{where} is damaged ({place}: {first['msg']}). Record it again.") from error


def hint(found: str, known: Iterable[str], what: str, more: Iterable[str] = ()) -> str:
    """Return the end of a message on a name that is not known: the nearest ones, of `more` too, or some that are."""
    names = list(known)
    if near := difflib.get_close_matches(found, [*names, *more]):
        return f"did you mean {' or '.join(near)}?"
    return f"{what} {', '.join(names[:8])}{', …' if len(names) > 8 else ''}."


def matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (rows, columns) as which a parameter of `shape` reads: a vector is one row, a scalar one cell."""
    if len(shape) < 2:
        return 1, shape[0] if shape else 1
    columns = 1
    for size in shape[1:]:
        columns *= size
    return shape[0], columns


def sample_seed(name: str, shape: tuple[int, ...]) -> int:
    """Return the seed of the sample of a tensor: equal for equal names and shapes, whatever the training run."""
    text = f"{name}|{'x'.join(str(size) for size in shape)}"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "little")


RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")  # names of no file on Windows
GREEK = {"α": "a", "β": "b", "γ": "g", "ε": "eps", "η": "eta", "λ": "lambda", "μ": "mu", "ρ": "rho", "τ": "tau"}


def slug(text: str) -> str:
    """Return a name for files and addresses: `adam-b1-0.9` for `Adam, β1 = 0.9`.

    Of a text without a Latin letter or digit nothing would be left: it is named by its digest. What Windows keeps for
    devices, such as "con", gets a word before it.
    """
    latin = "".join(GREEK.get(letter, letter) for letter in text.lower())
    plain = re.sub(r"[^a-z0-9.]+", "-", latin).strip("-.")
    if RESERVED.fullmatch(plain):
        return f"label-{plain}"
    return plain or f"label-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
