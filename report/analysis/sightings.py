"""From what the rules see in each recording to the items that stand out of a study: one for each rule and label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from report.analysis.standout import EVERY, LEVELS, RULES, Seen, Sight
from report.recording.reader import Recording
from report.recording.study import Study


@dataclass(frozen=True)
class Item:
    """Hold one thing that stands out.

    Attributes:
        rule: its name.
        level: "error", "warning" or "note".
        label: of the recordings.
        tensors: it is seen in, the worst first; none where it is about no tensor, or one that is not recorded.
        weight: how bad it is, among items of one rule.
        numbers: of the worst tensor in the recording where it is worst, and the constants.
        recording: the name of that recording.
        each: `numbers`, `recording` and `holds` of every tensor, by its name.
        holds: in how many of the label's recordings it is seen, of `of`.
        likewise: other labels under which the same is seen of the same tensors, less badly.
        source: title and address, or None.
    """

    rule: str
    level: str
    label: str
    tensors: tuple[str, ...]
    weight: float
    numbers: dict[str, Any]
    recording: str
    each: dict[str, dict[str, Any]] = field(default_factory=dict)
    holds: int = 1
    of: int = 1
    likewise: tuple[str, ...] = ()
    source: tuple[str, str] | None = None


def find(study: Study, seen: Seen) -> tuple[list[Item], tuple[str, ...]]:
    """Return what stands out, worst first, and the names of the rules that found nothing.

    Args:
        study: the recordings.
        seen: what was measured of each tensor, by name of the recording; absent where it had no gradient.
    """
    items = [item for label in study.labels for item in _of_label(study.of(label), seen)]
    items.sort(key=lambda each: (RULES.index(each.rule), -each.weight, study.labels.index(each.label)))
    found = {each.rule for each in items}
    return _merged(items), tuple(rule for rule in RULES if rule not in found)


def _merged(items: Sequence[Item]) -> list[Item]:
    """Return the items with one in place of those in which a rule says the same, but for numbers, of several labels."""
    alike: dict[tuple[str, Any], list[Item]] = {}
    for each in items:
        every = {"": each.numbers, **{name: own["numbers"] for name, own in each.each.items()}}
        words = sorted((name, [v for v in numbers.values() if _is_said(v)]) for name, numbers in every.items())
        count = each.numbers.get("count") if each.rule == "unheld" else None
        alike.setdefault((each.rule, repr((words, count))), []).append(each)
    return [replace(worst, likewise=tuple(each.label for each in rest)) for worst, *rest in alike.values()]


def _is_said(value: Any) -> bool:
    """Tell whether a number of a rule is none, but chooses the words; that there is none does, too."""
    is_list_of_words = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return value is None or isinstance(value, bool | str) or is_list_of_words


def _of_label(recordings: Sequence[Recording], seen: Seen) -> Iterator[Item]:
    """Yield what stands out under a label: an item a rule, of all its tensors and recordings."""
    by_rule: dict[str, list[tuple[str, Sight]]] = {}
    for recording in recordings:
        for rule in EVERY:
            for sight in rule(recording, seen[recording.name]):
                by_rule.setdefault(sight.rule, []).append((recording.name, sight))
    for name, sights in by_rule.items():
        sights.sort(key=lambda each: -each[1].weight)
        by_tensor: dict[str | None, list[tuple[str, Sight]]] = {}
        for place, sight in sights:
            by_tensor.setdefault(sight.tensor, []).append((place, sight))
        each = {
            tensor: {"numbers": found[0][1].numbers, "recording": found[0][0], "holds": len({run for run, _ in found})}
            for tensor, found in by_tensor.items()
            if tensor is not None
        }
        place, worst = sights[0]
        item = Item(name, LEVELS[name], recordings[0].label, tuple(each), worst.weight, worst.numbers, place, each)
        holds = len({run for run, _ in by_tensor[worst.tensor]})
        yield replace(item, holds=holds, of=len(recordings), source=worst.source)
