"""What a report on one's own network states of its recordings: their steps, how they ended, groups of optimizers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from report.analysis import theory, toss
from report.analysis.own_tensor import MEMORIES, UNKNOWN, memories
from report.recording.reader import Recording
from report.recording.study import Study

Facts = dict[str, Any]

MOST_NOTES = 20  # of a label


def facts(results: Mapping[str, Any], study: Study) -> Facts:
    """Return what was recorded, `report` of `report.site.facts.own`."""
    main, every = study.main, study.recordings
    labels = [_label(study, label) for label in study.labels]
    shared = [{each.seed for each in study.of(label) if each.seed is not None} for label in study.labels]
    first = shared[0]
    return {
        "main": {"name": main.name, "label": main.label, "slug": study.slug(main.label)},
        "is_one": len(every) == 1,
        "has_seeds": any(len(study.of(label)) > 1 for label in study.labels),
        "has_labels": len(labels) > 1,
        "is_paired": any(len(first & other) > 1 for other in shared[1:]),
        "is_growing": any(each.description.ended == "recording" for each in every),
        "steps": _ends([each.steps for each in every]),
        "compared": study.steps,
        "every": main.description.every,
        "tensors": len(main.tensors),
        "trained": len(results["tensors"]),
        "weights": sum(each.size for each in main.tensors.values()),
        "kept": sum(each.count for each in main.tensors.values()),
        "is_sampled": any(each.kept == "sample" for each in main.tensors.values()),
        "labels": labels,
    }


def _label(study: Study, label: str) -> Facts:
    recordings = study.of(label)
    told = [_recording(each) for each in recordings]
    notes = [
        {"kind": note.kind, "text": note.text, "step": note.step, "tensors": list(note.tensors), "recording": each.name}
        for each in recordings
        for note in each.notes
    ]
    return {
        **{"label": label, "slug": study.slug(label), "is_main": label == study.main.label},
        "seeds": [each.seed for each in recordings],
        **{key: _ends([each[key] for each in told]) for key in ("steps", "taken", "skipped", "lost")},
        "recordings": told,
        "optimizers": _groups(recordings[0]),
        "notes": notes[:MOST_NOTES],
    }


def _recording(recording: Recording) -> Facts:
    every, ended = recording.description.every, recording.description.ended
    broken = [note.step for note in recording.notes if note.kind == "non-finite" and note.step is not None]
    # While it grows, the last steps may just not have been written yet.
    lost = 0 if ended == "recording" else max(recording.taken // every - recording.steps, 0)
    return {
        **{"name": recording.name, "seed": recording.seed, "steps": recording.steps, "taken": recording.taken},
        **{"skipped": recording.skipped, "lost": lost, "ended": ended, "is_growing": ended == "recording"},
        "stopped_at": min(broken, default=None),
    }


def _groups(recording: Recording) -> list[Facts]:
    """Return the parameter groups of a recording."""
    found = []
    for number, group in enumerate(recording.description.groups):
        names = [name for name, tensor in recording.tensors.items() if tensor.group == number]
        settings = recording.settings[number]
        rule = recording.rule(names[0]) if names else None
        beta, longest = memories(recording, names[0]) if names else (None, UNKNOWN)
        is_constant = beta is not None and len(beta) > 0 and float(np.ptp(beta)) == 0
        decoupled = group.optimizer in ("AdamW", "NAdamW", "Lion") or bool(
            rule and rule.settings.get("decoupled_weight_decay")
        )
        found.append(
            {
                **{"number": number + 1, "optimizer": group.optimizer, "position": group.position},
                **{"index": group.index, "tensors": len(names)},
                "momentum": _momentum(rule) if beta is None else float(beta[0]) if is_constant else None,
                "lr": _setting(settings.get("lr")),
                "weight_decay": _setting(settings.get("weight_decay")),
                "is_decoupled": decoupled,
                "formula": _formula(beta),
                "is_tossed": bool(names) and toss.course(recording, names[0]) is not None,
                "settled": round(MEMORIES / (1 - longest)) if longest < 1 else None,
            }
        )
    return found


def _momentum(rule: Any) -> float | None:
    """Return the momentum coefficient of an optimizer that no law describes, if it says one."""
    return None if rule is None or {"betas", "momentum"} & set(rule.varying) else float(rule.momentum)


def _formula(beta: Any) -> Facts | None:
    if beta is None or not len(beta):
        return None
    values, counts = np.unique(beta, return_counts=True)
    share = counts / counts.sum()
    flips = float(share @ [theory.flip_rate(float(each)) for each in values])
    agreement = float(share @ [theory.agreement(float(each)) for each in values])
    return {"run": 1 / flips, "agreement": agreement, "flip_rate": flips}


def _setting(values: Any) -> Facts | None:
    if values is None or values.ndim > 1:
        return None
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    ends = {"first": known[0], "last": known[-1], "lowest": known.min(), "highest": known.max()}
    return {**{key: float(each) for key, each in ends.items()}, "is_constant": bool((known == known[0]).all())}


def _ends(values: Sequence[int]) -> dict[str, int]:
    return {"low": min(values), "high": max(values)}
