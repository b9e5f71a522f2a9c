"""Numbers from recordings: one file a quantity, here the order in which they are computed and written down.

`results.json` holds, of the main training run and all its batches: `main` (its name), `reference`, `experiment`,
`data`, `network`; by run `loss`; by run and layer `threshold`, `histogram`, `history`; by run, layer and window `size`.

Of every training run, and of the first `study.batches` batches of each, the main one's as well:

- `study`: `batches`, `seeds`, `main` (slug of the main optimizer), `late` (the window free of start-up),
  `optimizers` (a list, the main one first: `slug`, `label`, `name`, `momentum`, `beta1`, `learning_rate`, `arguments`),
  `runs` and `seeds_of` ({slug: [name or seed of each training run that exists]}), `missing` ([{`run`, `reason`}]);
- `persistence`, `run_lengths`, `autocorrelation`, `dwell`, `agreement`, `coasting`, `update_rms`, `units`,
  `decomposition`: [run][layer][window], what their `describe` returns; `startup`: [run][layer];
- `summary`[quantity][slug][layer][window][name]: `mean`, `low`, `high` (bootstrap 95 % over seeds), `n`, `values` (one
  a training run); for `autocorrelation` (`updates`, `gradients`) and `run_lengths` (`probability`) lists, without
  `values`;
- `curves`: `startup` and `agreement`, [slug][layer]: `batch`, `mean`, `low`, `high` (lists), `n`;
- `theory`[slug]: `theory.describe`, or null where no theory describes the optimizer;
- `accuracy`: `validation` and `test` (summaries over the seeds of the main optimizer), `runs` (every training run);
- `one_weight`: which weight is shown under every optimizer;
- `findings`: a list of records (`findings.records.Finding`), one a claim of the first article, always in this order:
  persistence, momentum, layer-3-4-quiet, layer-3-4-late, accuracy.

A window without a batch is absent; a number that does not exist (nothing flipped, one seed only) is null.
"""

import math
from collections.abc import Mapping
from typing import Any

from report import files
from report.config import CLASSES, Experiment
from report.recording import Recording
from report.workspace import Workspace


def analyse(workspace: Workspace, experiment: Experiment) -> None:
    """Write `results.json`, every number that a page states, and the tables that figures are drawn from.

    Raises:
        ReportError: when there is no complete training run.
    """
    from report.analysis import comparison, comparison_tables
    from report.analysis.tables import write_table

    recording = Recording.open(workspace.run(experiment.main_run))
    results = main_run(recording, experiment)
    results |= comparison.compare(workspace, experiment, results)
    files.write_json(workspace.results, results)
    write_tables(workspace, recording, results)
    for name, columns in comparison_tables.tables(workspace, experiment, results).items():
        write_table(workspace.tables / f"{name}.csv", columns)


def main_run(recording: Recording, experiment: Experiment) -> dict[str, Any]:
    """Return the results that the main training run alone gives, nested by quantity, then training run, then layer."""
    from report.analysis import histogram, history, loss, size, threshold, updates

    run = recording.name
    changes = {layer: updates.kept(recording, layer) for layer in recording.layers}
    laws = threshold.laws(changes, recording.whole)
    return {
        "main": run,
        "reference": {"ln_classes": math.log(CLASSES)},
        "experiment": experiment.model_dump(mode="json"),
        "data": data(recording),
        "network": network(recording),
        "loss": {run: loss.summary(recording.series)},
        "threshold": {run: {layer: threshold.describe(laws[layer], changes[layer]) for layer in recording.layers}},
        "size": {
            run: {
                layer: size.describe(recording.kept_weights(layer), recording.kept_gradients(layer))
                for layer in recording.layers
            }
        },
        "histogram": {run: {layer: histogram.describe(changes[layer]) for layer in recording.layers}},
        "history": {run: {layer: history.describe(recording, layer) for layer in recording.layers}},
    }


def data(recording: Recording) -> dict[str, Any]:
    """Return what the digits were and how often they were gone through."""
    known = recording.meta["data"]
    images = recording.batches * recording.batch_size
    return {**known, "images_seen": images, "epochs": images / known["train"]}


def network(recording: Recording) -> dict[str, Any]:
    """Return the sizes of the network and of the graph that is drawn of it."""
    layers = {
        layer: {**recording.meta["layers"][layer], "weights": math.prod(recording.experiment.shape(layer))}
        for layer in recording.layers
    }
    weights = sum(layer["weights"] for layer in layers.values())
    drawn = [recording.experiment.shape(layer) for layer in recording.whole]
    return {
        "layers": layers,
        "weights": weights,
        "parameters": weights + sum(recording.experiment.shape(layer)[0] for layer in recording.layers),
        "edges_drawn": sum(math.prod(shape) for shape in drawn),
        "nodes_drawn": [drawn[0][1], *(shape[0] for shape in drawn)],
    }


def write_tables(workspace: Workspace, recording: Recording, results: Mapping[str, Any]) -> None:
    """Write the tables of the main training run as CSV."""
    from report.analysis import digits, histogram, history, loss, update_size
    from report.analysis.tables import from_records, stack, write_table

    run, layers = recording.name, recording.layers
    shapes = {
        layer: {"outputs": row["shape"][0], "inputs": row["shape"][1], "kept": row["kept"], "count": row["count"]}
        for layer, row in results["network"]["layers"].items()
    }
    windows = {(layer, window): row for layer, found in results["size"][run].items() for window, row in found.items()}
    tables: dict[str, Any] = {
        "digits": digits.table(recording.digits),
        "loss": loss.series(recording.series),
        "validation": loss.validation_table(recording.series),
        "weight_history": stack([history.table(recording, layer) for layer in layers]),
        "update_size": stack([update_size.table(layer, recording.kept_weights(layer)) for layer in layers]),
        "histogram": stack([histogram.table(layer, results["histogram"][run][layer]) for layer in layers]),
        "thresholds": from_records(results["threshold"][run], "layer"),
        "layers": from_records(shapes, "layer"),
        "size": from_records(windows, "layer", "window"),
    }
    for name, columns in tables.items():
        write_table(workspace.tables / f"{name}.csv", columns)
