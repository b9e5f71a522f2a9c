"""Numbers from recordings: one file a quantity, here the order in which they are computed and written down."""

import math
from collections.abc import Mapping
from typing import Any

from report import workspace as files
from report.config import CLASSES, Experiment
from report.recording import Recording
from report.workspace import Workspace


def analyse(workspace: Workspace, experiment: Experiment) -> None:
    """Write `results.json`, every number that a page states, and the tables that figures are drawn from.

    Raises:
        ReportError: when there is no complete training run.
    """
    recording = Recording.open(workspace.run(experiment.main_run))
    results = main_run(recording, experiment)
    files.write_json(workspace.results, results)
    write_tables(workspace, recording, results)


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
