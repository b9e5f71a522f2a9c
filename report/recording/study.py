"""Recordings side by side, grouped by label and seed."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from report.errors import ReportError
from report.recording.reader import Recording
from report.recording.schema import slug

Shapes = Mapping[str, tuple[int, ...]]  # of a model's tensors, by name


class Study:
    """Recordings of one model, grouped by label and seed, as far as each had come when it was opened.

    Attributes:
        recordings: all of them, label by label, each by rising seed.
        labels: in the order in which they were given; that of the main recording first.
        main: the recording with the role "main", or else the first.
        steps: how many all of them have.
        seeds: every seed, the main recording's first.
    """

    def __init__(self, recordings: Sequence[Recording]) -> None:
        """Group recordings, at least one.

        Raises:
            ReportError: when they are not of one model, or two have the same label and seed.
        """
        if not recordings:
            raise ReportError("No recording was given. Name the folder of one, or a folder of recordings.")
        self.main = next((each for each in recordings if each.description.role == "main"), recordings[0])
        self.labels = tuple(dict.fromkeys([self.main.label, *(each.label for each in recordings)]))
        ordered = sorted(recordings, key=lambda each: (self.labels.index(each.label), _rank(each.seed)))
        self.recordings = tuple(ordered)
        shapes = {name: tensor.shape for name, tensor in self.main.tensors.items()}
        seen: dict[tuple[str, int | None], Recording] = {}
        for each in ordered:
            other_shapes = {name: tensor.shape for name, tensor in each.tensors.items()}
            if told := _difference(shapes, other_shapes):
                raise ReportError(
                    f"{self.main.path} and {each.path} are recordings of different models: {told}. A report shows "
                    "recordings of one model: show these two one by one."
                )
            if each.description.every != self.main.description.every:
                raise ReportError(f"{each.path} and {self.main.path} differ in every=. Show them one by one.")
            other = seen.setdefault((each.label, each.seed), each)
            if other is not each:
                raise ReportError(
                    f"{each.path} and {other.path} have the same label, {each.label!r}, and the same seed, "
                    f"{each.seed}. Give report.record another label= or seed=."
                )

    def __repr__(self) -> str:
        """Return what it holds, in a few words."""
        labels, seeds = ", ".join(map(repr, self.labels)), ", ".join(map(str, self.seeds))
        what = f"labels {labels}, seeds {seeds}, {self.steps} steps, {len(self.main.tensors)} tensors"
        return f"<Study of {len(self.recordings)}: {what}>"

    @classmethod
    def load(cls, folders: str | Path | Iterable[str | Path]) -> "Study":
        """Open recordings.

        Args:
            folders: the folder of a recording, a folder of such folders, or several of either. In a folder of folders
                those whose names begin with a dot, or end with ".diverged", are left out.

        Raises:
            ReportError: one line, when a folder holds no recording, or a recording is damaged.
        """
        return cls([Recording.open(path) for path in find(folders)])

    @property
    def steps(self) -> int:
        """Return the number of steps that all recordings have."""
        return min(each.steps for each in self.recordings)

    @property
    def seeds(self) -> tuple[int | None, ...]:
        """Return every seed, the main recording's first."""
        rising = sorted({each.seed for each in self.recordings}, key=_rank)
        return tuple(dict.fromkeys([self.main.seed, *rising]))

    def of(self, label: str) -> tuple[Recording, ...]:
        """Return the recordings with `label`, by rising seed."""
        return tuple(each for each in self.recordings if each.label == label)

    def find(self, label: str, seed: int | None) -> Recording | None:
        """Return the recording with `label` and `seed`, if there is one."""
        return next((each for each in self.of(label) if each.seed == seed), None)

    def slug(self, label: str) -> str:
        """Return the name of `label` in files and addresses, another one for each label."""
        return dict(zip(self.labels, each_once(map(slug, self.labels)), strict=True))[label]


def each_once(names: Iterable[str]) -> list[str]:
    """Return names of which none is there twice: one that another has already gets a number."""
    found: dict[str, None] = {}
    for plain in names:
        numbered = (plain if number == 1 else f"{plain}-{number}" for number in itertools.count(1))
        found[next(name for name in numbered if name not in found)] = None
    return list(found)


def find(folders: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return the folder of each recording that `folders` name, as `Study.load` takes them, each once.

    Raises:
        ReportError: when a folder holds no recording.
    """
    given = [folders] if isinstance(folders, str | Path) else list(folders)
    paths: list[Path] = []
    for folder in (Path(each).expanduser() for each in given):
        if (folder / "run.json").is_file():
            paths.append(folder)
            continue
        inner = [path.parent for path in folder.glob("*/run.json")]
        found = sorted(each for each in inner if not each.name.startswith(".") and each.suffix != ".diverged")
        if not found:
            raise ReportError(f"No recording in {folder.absolute()}. Name the folder that report.record was given.")
        paths += found
    return list({path.resolve(): path for path in paths}.values())


def _difference(one: Shapes, other: Shapes) -> str:
    """Say of the first tensor that two models do not have alike in what they differ; nothing where they are alike."""
    name = next((name for name in {**one, **other} if one.get(name) != other.get(name)), None)
    if name is None:
        return ""
    if name not in one or name not in other:
        return f"only the {'first' if name in one else 'second'} has a tensor {name!r}"
    first, second = (" × ".join(map(str, each[name])) or "a single number" for each in (one, other))
    return f"the tensor {name!r} is {first} in the first, and {second} in the second"


def _rank(seed: int | None) -> tuple[bool, int]:
    """Return what seeds are sorted by: none comes first."""
    return seed is not None, seed or 0
