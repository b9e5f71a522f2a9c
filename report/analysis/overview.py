"""What recordings say of themselves and of one another, before anything is measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from report.analysis import rules, windows
from report.errors import ReportError
from report.recording.reader import Recording
from report.recording.schema import Tensor
from report.recording.study import Study

Results = dict[str, Any]


def check(study: Study) -> None:
    """Make sure that recordings can be analysed.

    Raises:
        ReportError: when one has no step, or two have one name.
    """
    names: dict[str, Recording] = {}
    for each in study.recordings:
        if not each.steps:
            raise ReportError(f"{each.path} holds no step. Record at least one, or leave it out.")
        if names.setdefault(each.name, each) is not each:
            raise ReportError(f"{each.path} and {names[each.name].path} have one name. Give one folder another name.")


def network(tensors: Mapping[str, Tensor], drawn: Sequence[str]) -> Results:
    """Return the sizes of the tensors, and of the graph that is drawn of some."""
    layers = {
        name: {
            "shape": list(tensor.matrix),
            "kept": tensor.kept,
            "count": tensor.count,
            "weights": tensor.size,
            "kind": tensor.kind,
        }
        for name, tensor in tensors.items()
    }
    graph = [tensors[name] for name in drawn]
    return {
        "names": list(tensors),
        "layers": layers,
        "weights": sum(tensor.size for tensor in tensors.values()),
        "edges_drawn": sum(tensor.size for tensor in graph),
        "nodes_drawn": [graph[0].matrix[1], *(tensor.matrix[0] for tensor in graph)] if graph else [],
    }


def overview(study: Study, drawn: Sequence[str], missing: Sequence[Mapping[str, str]]) -> Results:
    """Return which training runs the study has, and which it lacks with the reason."""
    every = {study.slug(label): study.of(label) for label in study.labels}
    tensor = next(iter([*drawn, *study.main.tensors]))  # whose optimizer stands for all
    told = {
        "batches": study.steps,
        "seeds": list(study.seeds),
        "main": study.slug(study.main.label),
        "late": windows.late(windows.rows(study.steps)),
        "optimizers": [rules.describe(study, label, tensor) for label in study.labels],
        "runs": {slug: [each.name for each in recordings] for slug, recordings in every.items()},
        "seeds_of": {slug: [each.seed for each in recordings] for slug, recordings in every.items()},
        "missing": sorted(({"run": each["run"], "reason": each["reason"]} for each in missing), key=lambda e: e["run"]),
    }
    return {"study": told}
