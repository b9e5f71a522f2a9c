"""Numbers from recordings: here the order in which they are computed and written down.

`results.json` holds, of the main recording and all its steps: `main` (its name), `about` (what its client said of it),
`steps`, `versions`, `platform`, `reference`, `data`, `network`, `tensors` (in the order of the recording, those that
ever had a gradient), `drawn` (those that are drawn as a network); by run `loss`; by run and tensor `threshold`,
`histogram`, `history`; by run, tensor and window `size`.

Of every recording, and of the steps that all of them have, the main one's as well:

- `study`: `batches` (those steps), `seeds`, `main` (slug of the main label), `late` (the window free of start-up),
  `optimizers` (a list, the main one first, see `rules.describe`), `runs` and `seeds_of` ({slug: [name or seed of each
  recording]}), `missing` ([{`run`, `reason`}]);
- `persistence`, `run_lengths`, `autocorrelation`, `dwell`, `agreement`, `coasting`, `update_rms`, `units`,
  `decomposition`: [run][tensor][window], what their `describe` returns; `startup`: [run][tensor];
- `summary`[quantity][slug][tensor][window][name]: `mean`, `low`, `high` (bootstrap 95 % over seeds), `n`, `values` (one
  a recording); for `autocorrelation` (`updates`, `gradients`) and `run_lengths` (`probability`) lists, without
  `values`;
- `curves`: `startup` and `agreement`, [slug][tensor]: `batch`, `mean`, `low`, `high` (lists), `n`;
- `theory`[slug]: `theory.describe`, or null where no theory describes the optimizer, or not the same for every tensor;
- `accuracy`: `validation` and `test` (summaries over the seeds of the main label), `runs` (every recording);
- `one_weight`: which weight is shown under every optimizer;
- `findings`: a list of records (`findings.records.Finding`), one a claim of the first article, always in this order:
  persistence, momentum, layer-3-4-quiet, layer-3-4-late, accuracy.

A tensor that never had a gradient is absent, a window without a step as well; a number that does not exist (nothing
flipped, one seed only, nothing logged) is null.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from report import files
from report.analysis import (
    chain,
    comparison,
    comparison_tables,
    digits,
    histogram,
    history,
    loss,
    size,
    threshold,
    update_size,
    updates,
)
from report.analysis.findings.claims import findings
from report.analysis.tables import Columns, from_records, stack, write_tables
from report.errors import ReportError
from report.recording.reader import Recording
from report.recording.schema import Tensor
from report.recording.study import Study
from report.workspace import Workspace

Results = dict[str, Any]


def analyse(workspace: Workspace, study: Study, missing: Sequence[Mapping[str, Any]]) -> None:
    """Write `results.json`, every number that a page states, and the tables that figures are drawn from.

    Args:
        workspace: says where.
        study: the recordings.
        missing: training runs that failed, `run` and `reason`; they are named, and in no number.

    Raises:
        ReportError: when a recording is damaged or without a step, or two have one name.
    """
    _check(study)
    drawn = chain.drawn(study.main.tensors)
    results = describe(study.main, drawn)
    measured, tables = main_run(study.main, drawn)
    compared, predicted = comparison.compare(study, workspace.measures, drawn, missing)
    results |= measured | compared
    results["findings"] = findings(results)
    tables |= comparison_tables.tables(study, results, predicted)
    files.write_json(workspace.results, results)
    write_tables(workspace.tables, tables)


def _check(study: Study) -> None:
    names: dict[str, Recording] = {}
    for each in study.recordings:
        if not each.steps:
            raise ReportError(f"{each.path} holds no step. Record at least one, or leave it out.")
        if names.setdefault(each.name, each) is not each:
            raise ReportError(f"{each.path} and {names[each.name].path} have one name. Give one folder another name.")


def describe(recording: Recording, drawn: Sequence[str]) -> Results:
    """Return what the main recording says of itself."""
    about = {key: value for key, value in recording.about.items() if key != "key"}
    classes = about.get("data", {}).get("classes")
    return {
        "main": recording.name,
        "about": about,
        "steps": recording.steps,
        "versions": dict(recording.description.versions),
        "platform": dict(recording.description.platform),
        "reference": {"ln_classes": math.log(classes) if classes else None},
        "data": data(about, recording.steps),
        "network": network(recording.tensors, drawn),
        "drawn": list(drawn),
        "loss": {recording.name: loss.summary(recording.series)},
    }


def data(about: Mapping[str, Any], steps: int) -> Results:
    """Return what was trained on and how often it was gone through; empty where the recording does not tell."""
    known = about.get("data", {})
    batch = about.get("training", {}).get("batch_size")
    return {**known, "epochs": steps * batch / known["train"]} if batch and known.get("train") else dict(known)


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
        "layers": layers,
        "weights": sum(tensor.size for tensor in tensors.values()),
        "edges_drawn": sum(tensor.size for tensor in graph),
        "nodes_drawn": [graph[0].matrix[1], *(tensor.matrix[0] for tensor in graph)] if graph else [],
    }


def main_run(recording: Recording, drawn: Sequence[str]) -> tuple[Results, dict[str, Columns]]:
    """Return results and tables that the main recording alone gives, tensor by tensor."""
    smallest = threshold.smallest(recording, drawn)
    by_tensor: dict[str, Results] = {name: {} for name in ("threshold", "size", "histogram", "history")}
    parts: dict[str, list[Columns]] = {name: [] for name in ("weight_history", "update_size", "histogram")}
    for name in recording.tensors:
        seen = updates.trajectory(recording, name)
        if not len(seen.numbers):
            continue
        law = threshold.law(seen.updates, smallest)
        counted = histogram.describe(seen.updates)
        shown = {
            which: history.columns(recording, name, position, seen.numbers)
            for which, position in history.chosen(recording, name, seen.numbers).items()
        }
        by_tensor["threshold"][name] = threshold.describe(law, seen.updates)
        by_tensor["size"][name] = size.describe(seen)
        by_tensor["histogram"][name] = counted
        by_tensor["history"][name] = {which: history.describe(rows) for which, rows in shown.items()}
        for which, rows in shown.items():
            named = {"layer": rows["layer"], "which": np.full(len(rows["layer"]), which)}
            parts["weight_history"].append(named | rows)
        parts["update_size"].append(update_size.table(name, seen))
        parts["histogram"].append(histogram.table(name, counted))
    layers = {
        name: {"outputs": tensor.matrix[0], "inputs": tensor.matrix[1], "kept": tensor.kept, "count": tensor.count}
        for name, tensor in recording.tensors.items()
    }
    windows = {(name, window): row for name, found in by_tensor["size"].items() for window, row in found.items()}
    tables: dict[str, Columns | None] = {
        **{name: stack(each) for name, each in parts.items() if each},
        "layers": from_records(layers, "layer"),
        "thresholds": from_records(by_tensor["threshold"], "layer"),
        "size": from_records(windows, "layer", "window"),
        "loss": loss.series(recording.series),
        "validation": loss.validation_table(recording.series),
        "digits": digits.table(recording.attached),
    }
    results: Results = {quantity: {recording.name: found} for quantity, found in by_tensor.items()}
    results["tensors"] = list(by_tensor["threshold"])
    return results, {name: columns for name, columns in tables.items() if columns}
