"""Numbers from recordings: here the order in which they are computed and written down.

`build/numbers/` holds the one table of numbers (`report.analysis.table`); `build/tables/` what a reader downloads, its
cuts and the histories of the main recording; `results.json` what is no row of a table:

- of the main recording: `main` (its name), `about` (what its client said of it), `steps`, `versions`, `platform`,
  `reference`, `data`, `network`, `tensors` (in the order of the recording, those that ever had a gradient), `drawn`
  (those that are drawn as a network); by run `loss`; by run and tensor `histogram`, `history`;
- of all recordings: `study`: `batches` (the steps that all of them have), `seeds`, `main` (slug of the main label),
  `late` (the window free of start-up), `optimizers` (a list, the main one first, see `rules.describe`), `runs` and
  `seeds_of` ({slug: [name or seed of each recording]}), `missing` ([{`run`, `reason`}]); `theory`[slug]: what chance
  predicts, or null where no theory describes the optimizer, or not the same for every tensor; `accuracy`; `one_weight`:
  which weight is shown under every optimizer; `raster`, by panel what it shows (`raster.seen`), or null; `coin`: the
  mean same-sign runs of noise, by momentum coefficient as in `coin.BETAS`;
- `findings`: a list of records (`findings.records.Finding`), one a claim, always in this order: streaks, together,
  loop, formula; and those of the first article: persistence, momentum, layer-3-4-quiet, layer-3-4-late, accuracy.

A tensor that never had a gradient is absent, a window without a step as well; a number that does not exist (nothing
flipped, one seed only, nothing logged) is null.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from report import files
from report.analysis import (
    chain,
    coin,
    columns,
    cuts,
    digits,
    estimates,
    history,
    intervals,
    loss,
    one_weight,
    overview,
    raster,
    rules,
    update_size,
)
from report.analysis.columns import Columns, Writer
from report.analysis.findings.claims import findings
from report.analysis.findings.records import Lookup
from report.analysis.histogram import Histogram
from report.analysis.updates import Track
from report.recording.reader import Recording
from report.recording.study import Study
from report.workspace import Workspace

Results = dict[str, Any]

HISTORIES = ("weight_history", "update_size", "histogram")  # tables of the main recording, step by step or bin by bin
FINAL = ("validation_accuracy", "validation_loss", "test_accuracy")  # series whose last number is compared


def analyse(workspace: Workspace, study: Study, missing: Sequence[Mapping[str, str]]) -> None:
    """Write the table of numbers, `results.json`, and the tables that figures are drawn from.

    Args:
        workspace: says where.
        study: the recordings.
        missing: training runs that failed, `run` and `reason`; they are named, and in no number.

    Raises:
        ReportError: when a recording is damaged or without a step, or two have one name.
    """
    overview.check(study)
    drawn = chain.drawn(study.main.tensors)
    results: Results = {}
    measured = estimates.measure(
        study, workspace.measures, drawn, lambda: results.update(_told(workspace.tables, study, drawn, missing))
    )
    predicted, shown, moved = results.pop("predicted"), results.pop("shown"), results["tensors"]
    table = estimates.table(study, measured, predicted)
    theories = {slug: rules.common(by_tensor) for slug, by_tensor in predicted.items()}
    results["theory"] = {slug: None if theory is None else asdict(theory) for slug, theory in theories.items()}
    results["one_weight"] = None if shown is None else asdict(shown)
    looked_up = Lookup(results, table, theories)
    found = findings(looked_up)
    results["findings"] = [each.as_dict() for each in found]
    momenta = {each["slug"]: each["momentum"] for each in results["study"]["optimizers"]}
    parts = tables(study, shown, results) | {
        name: [cut] for name, cut in cuts.cuts(study, table, momenta, found).items()
    }
    plain = next(
        (study.find(label, study.main.seed) for label in study.labels if study.slug(label) in looked_up.plain), None
    )
    panels = list(raster.tables(study, drawn[-1], plain)) if drawn and plain is not None else []
    parts |= {"raster": panels} if panels else {}
    results["raster"] = raster.seen(panels)
    results["coin"] = coin.mean_runs()
    parts["coin"] = coin.tables()
    for name, each in parts.items():
        columns.write(workspace.tables / f"{name}.csv", each)
    for path in workspace.tables.glob("*.csv"):
        if path.stem not in (*parts, *(HISTORIES if moved else ())):
            path.unlink()  # of an earlier analysis
    table.write(workspace.numbers)
    files.write_json(workspace.results, results)


def _told(folder: Path, study: Study, drawn: Sequence[str], missing: Sequence[Mapping[str, str]]) -> Results:
    """Return what needs no measured number, and write the histories of the main recording below `folder`."""
    main = study.main
    moved = [name for name in main.tensors if next(Track(main, name).chunks(), None) is not None]
    told = (
        describe(main, drawn)
        | overview.overview(study, drawn, missing)
        | {"tensors": moved, "accuracy": accuracy(study)}
    )
    chosen = {"predicted": rules.predicted(study), "shown": one_weight.choose(study, drawn)}
    return told | chosen | histories(folder, main, moved)


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
        "network": overview.network(recording.tensors, drawn),
        "drawn": list(drawn),
        "loss": {recording.name: loss.summary(recording.series)},
    }


def data(about: Mapping[str, Any], steps: int) -> Results:
    """Return what was trained on and how often it was gone through; empty where the recording does not tell."""
    known = about.get("data", {})
    batch = about.get("training", {}).get("batch_size")
    return {**known, "epochs": steps * batch / known["train"]} if batch and known.get("train") else dict(known)


def accuracy(study: Study) -> Results:
    """Return final accuracies (fractions): of the main optimizer over seeds, and of every training run.

    Returns:
        `validation` and `test`, estimates over the seeds of the main optimizer; `runs`, by name: `optimizer` (slug),
        `seed`, `batches` (steps taken), and, each None where it was not logged, `validation_accuracy`,
        `validation_loss` (nats), `test_accuracy`.
    """
    rows: dict[str, dict[str, Any]] = {
        each.name: {
            "optimizer": study.slug(each.label),
            "seed": each.seed,
            "batches": each.taken,
            **{name: loss.last(each.series, name) for name in FINAL},
        }
        for each in study.recordings
    }
    main = [rows[each.name] for each in study.of(study.main.label)]
    over_seeds = {
        name: asdict(intervals.estimate([row[f"{name}_accuracy"] for row in main])) for name in ("validation", "test")
    }
    return {**over_seeds, "runs": rows}


def tables(study: Study, shown: one_weight.Shown | None, results: Results) -> dict[str, Iterable[Columns]]:
    """Return, by name, what is a table of its own, in parts that stand below one another."""
    recording = study.main
    layers: list[dict[str, columns.Cell]] = [
        {"layer": name, "outputs": each.matrix[0], "inputs": each.matrix[1], "kept": each.kept, "count": each.count}
        for name, each in recording.tensors.items()
    ]
    found: dict[str, Columns | None] = {
        "layers": columns.columns(layers),
        "loss": loss.series(recording.series),
        "validation": loss.validation_table(recording.series),
        "digits": digits.table(recording.attached),
        "accuracy": columns.columns([{"run": name, **row} for name, row in results["accuracy"]["runs"].items()]),
    }
    parts: dict[str, Iterable[Columns]] = {name: [each] for name, each in found.items() if each is not None}
    return parts if shown is None else {**parts, "one_weight": one_weight.tables(study, shown)}


def histories(folder: Path, recording: Recording, names: Sequence[str]) -> Results:
    """Write what is seen of the main recording step by step; return what of it is no table.

    Args:
        folder: of the tables: `weight_history`, `update_size`, `histogram`.
        recording: the main one.
        names: of the tensors that ever had a gradient.

    Returns:
        By run and tensor `histogram` and `history`.

    Raises:
        ReportError: when the disk refuses.
    """
    told = next((name for name in [*chain.drawn(recording.tensors), *names] if name in names), None)
    counted: Results = {}
    walked: Results = {}
    with ExitStack() as stack:
        every = HISTORIES if names else ()
        put = {each: Writer(each, stack.enter_context(files.growing(folder / f"{each}.csv"))) for each in every}
        for name in names:
            track = Track(recording, name)
            ends = [(each.updates.min(), each.updates.max(), *each.numbers[[0, -1]]) for each in track.chunks()]
            low, high, firsts, lasts = zip(*ends, strict=True)
            histogram = Histogram(float(min(low)), float(max(high)))
            for chunk in track.chunks():
                histogram.add(chunk.updates)
                put["update_size"].add(update_size.table(name, chunk))
            put["histogram"].add(histogram.table(name))
            start, stop = int(firsts[0]) - 1, int(lasts[-1])
            walked[name] = {}
            shown = history.chosen(recording, name, start, stop)
            silence = history.waking(track) if name == told else None
            if silence is not None:
                shown["waking"] = silence[0]
            for which, position in shown.items():
                index = history.index_of(recording, name, position)
                walk = history.of(recording, name, position, start, stop)
                rows = history.table(walk, name, index, start)
                named = {"layer": rows["layer"], "which": columns.same(which, len(rows["layer"]))}
                put["weight_history"].add(named | rows)
                walked[name][which] = history.describe(walk, index, start)
                if which == "waking" and silence is not None:
                    rate = rules.learning_rate(recording, recording.rule(name))
                    walked[name][which]["story"] = history.story(walk, start, silence[1:], rate)
            if name == told:
                position, steps = history.steadiest(track)
                walked[name]["steady"] = {"index": history.index_of(recording, name, position), "gradients": steps}
            counted[name] = histogram.found()
    return {"histogram": {recording.name: counted}, "history": {recording.name: walked}}
