"""What a report on one's own network states of its recordings: their steps, how they ended, groups of optimizers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.analysis import toss
from report.analysis.own_tensor import chance
from report.recording.reader import Recording
from report.recording.schema import Rule
from report.recording.study import Study

Facts = dict[str, Any]

MOST_NOTES = 20  # of a label


def facts(study: Study) -> Facts:
    """Return what was recorded, `report` of `report.site.facts.own`."""
    main, every = study.main, study.recordings
    labels = [_label(study, label) for label in study.labels]
    shared = [{each.seed for each in study.of(label) if each.seed is not None} for label in study.labels]
    first = shared[0]
    return {
        "main": {"name": main.name, "label": main.label},
        "is_one": len(every) == 1,
        "has_labels": len(labels) > 1,
        "is_paired": any(len(first & other) > 1 for other in shared[1:]),
        "is_growing": any(each.description.ended == "recording" for each in every),
        "steps": _ends([each.steps for each in every]),
        "compared": study.steps,
        "every": main.description.every,
        "tensors": len(main.tensors),
        "weights": sum(each.size for each in main.tensors.values()),
        "kept": sum(each.count for each in main.tensors.values()),
        "is_limited": any(each["is_limited"] for label in labels for each in label["recordings"]),
        "is_sampled": any(each.kept == "sample" for each in main.tensors.values()),
        "labels": labels,
    }


def _label(study: Study, label: str) -> Facts:
    recordings = study.of(label)
    # Of numbers that are not finite the first says enough: what stands out counts the tensors that follow.
    first = [next((note for note in each.notes if note.kind == "non-finite"), None) for each in recordings]
    said = [note for each in recordings for note in each.notes if note.kind != "non-finite" or note in first]
    notes = [{"text": note.text, "step": note.step} for note in said]
    return {
        "label": label,
        "recordings": [_recording(each) for each in recordings],
        "optimizers": _groups(recordings[0]),
        "notes": notes[:MOST_NOTES],
    }


def _recording(recording: Recording) -> Facts:
    every, ended = recording.description.every, recording.description.ended
    is_counted = ended in ("complete", "interrupted")  # else nobody counted the last steps
    broken = [note.step for note in recording.notes if note.kind == "non-finite" and note.step is not None]
    return {
        **{"name": recording.name, "seed": recording.seed, "steps": recording.steps, "taken": recording.taken},
        **{"skipped": recording.skipped, "ended": ended},
        "is_counted": is_counted,
        "is_limited": is_counted and recording.taken // every > recording.steps,
        "stopped_at": min(broken, default=None),
    }


def _groups(recording: Recording) -> list[Facts]:
    """Return the parameter groups of a recording."""
    found = []
    for number, group in enumerate(recording.description.groups):
        names = [name for name, tensor in recording.tensors.items() if tensor.group == number]
        settings = recording.settings[number]
        rule = recording.rule(names[0]) if names else None
        beta = toss.memory(recording, names[0]) if names else None
        is_constant = beta is not None and len(beta) > 0 and float(np.ptp(beta)) == 0
        predicted = chance(beta)
        found.append(
            {
                **{"number": number + 1, "optimizer": group.optimizer, "tensors": len(names)},
                "momentum": _momentum(rule) if beta is None else float(beta[0]) if is_constant else None,
                "lr": _setting(settings.get("lr")),
                "weight_decay": _setting(settings.get("weight_decay")),
                "formula": None if predicted is None else predicted["run"],
            }
        )
    return found


def _momentum(rule: Rule | None) -> float | None:
    """Return the momentum coefficient of an optimizer that no law describes, if it says one."""
    return None if rule is None or {"betas", "momentum"} & set(rule.varying) else rule.momentum


def _setting(values: NDArray[np.float64] | None) -> Facts | None:
    if values is None or values.ndim > 1:
        return None
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    ends = {"first": known[0], "last": known[-1], "lowest": known.min(), "highest": known.max()}
    return {
        **{key: float(each) for key, each in ends.items()},
        "is_constant": bool((known == known[0]).all()),
        "is_beyond": {ends["first"], ends["last"]} != {ends["lowest"], ends["highest"]},  # its ends say less than that
    }


def _ends(values: Sequence[int]) -> dict[str, int]:
    return {"low": min(values), "high": max(values)}
