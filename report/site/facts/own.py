"""What a report on anyone's own network states: `build/facts.json`, from results, tables and notes of its recordings.

Everything is there in every report; what does not exist is null, and what there is none of is an empty list. Numbers
are plain numbers (shares are fractions, sizes are weight units, lengths are steps); words are the templates'. An
*estimate* is {`mean`, `low`, `high`, `n`}: over the recordings of a label, the ends (95 %, Student's t) null where
there is one recording. Facts, sections and figures of tensors stand in the order of the main recording.

`report`, what was recorded:

- `main` {`name`, `label`}: the recording that histories and pictures are of;
- `is_one`: one recording in all; `has_labels`: several labels; `is_paired`: at least two labels share two seeds or
  more;
- `is_growing`: a recording still grows, or was killed; `steps` {`low`, `high`}: of the recordings; `compared`: steps
  that all of them have, over which streaks are measured; `every`: steps from one recorded row to the next;
- `tensors`, `weights` (entries of the model), `kept` (recorded entries), `is_sampled`; `is_limited`: more steps were
  taken than the recorder was asked for;
- `labels` [...], the main one first: `label`, `recordings` [{`name`, `seed`, `steps`, `taken`, `skipped` (by a
  GradScaler, as far as the recorder could see), `ended`, `is_counted` (`taken` is all; else the last ones are not
  known), `is_limited` (the recorder was asked for fewer), `stopped_at` (the step with the first number that is not
  finite, or null)}], `optimizers` [group, ...], `notes` [{`text`, `step`}]:
  what the recorder noted, in its words, English;
- a group of an optimizer: `number` (from 1), `optimizer` (class), `tensors` (how many), `momentum` (β, 0 without; null
  where it varies), `lr` and `weight_decay` {`first`, `last`, `lowest`, `highest`, `is_constant`} or null, `formula`
  (the mean same-sign run that chance predicts, steps; null where no formula describes the optimizer).

`standout` [...], worst first, each by a rule of `report.analysis.standout`:

- `rule`: its name, and the key of its words: [standout] `<rule>` and `<rule>_reason` in own.toml, filled with all of
  this;
- `level`: "error", "warning" or "note"; `tensor`: name, or null; `anchor`: "t12", or null;
- `label`, `is_labelled` (the report has several labels); `holds`, `of`: in how many of the label's recordings;
  `recording`: that of the numbers, where it is worst; `likewise`: other labels of which the same can be said;
- `more` [{`tensor`, `anchor`}]: other tensors of the label for which the rule speaks, less badly; `said` counts them;
  `each` {tensor: {language: the sentence of this tensor alone}};
- `numbers` {...}: those of the rule, its constants among them; `source` {`title`, `url`} or null;
- `said`, `reason`: {language: the sentence}, plain text. Nothing else is to be worded by a template.

`checked`: names of the rules that found nothing.

`tensors` [...]:

- `name`, `names`, `number` (from 1), `anchor` ("t12"), `kind` (class of the module), `shape` [sizes], `size` (entries),
  `kept` ("whole" or "sample"), `count` (entries recorded), `dtype`, `group` (number), `since` (steps before it was
  held), `has_gradient`, `standout` [{language: what stands out of this tensor, as a sentence of plain text}];
- `numbers` [{`label`, `formula`, `values`}], a label each: `formula`, the mean same-sign run (steps) that chance
  predicts, or null; `values` has estimates, null where there is none, of `rms` (of
  updates), `ratio` (RMS(Δ)/RMS(w), geometric mean over all steps), `ratio_last` (over the last tenth), `run` (mean
  same-sign run), `toss` (of its sign toss), `over` (run / toss), `lag_1`, `lag_10` (correlation of updates),
  `gradients_lag_1`, `agreement`, `zero_gradients` (share), `coasting` (share of updates), `lost` (share of wished-for
  updates), `never_moved` (entries, over all steps), `dead` (entries without any gradient), `dead_rows`, `dead_columns`
  (null of vectors and samples);
- `figures` {`measures`, `weights`}: names in the manifest ("t12-measures", "t12-weights"), or null: not pictured;
- `tables` [{`kind`, `path`}]: its CSV files below build/, `kind` one of "steps", "histogram", "correlation",
  "lengths", "raster", "weights"; [] where it is not pictured. `tables/own_tensors.csv` has the numbers of every
  tensor.

`modules` [{`name`, `tensors` [number]}]: the tensors by module, for folding.

`figures` {`heat`, `persistence`, `rates`, `series`}: names in the manifest ("own-heat", "own-persistence",
"own-rates", "own-series"), null where there is nothing to draw. `pictures` {`count`, `is_all`}: how many
tensors are pictured.

`series` [{`name`, `recording`, `count`, `first`, `last`, `lowest`, `highest`}]: what was logged.

`chance` {`kinds`: ["formula", "toss"] those that there are, `untossed` [names of tensors of which no sign toss can be
replayed], `undescribed` [names without a formula]}.

`rules` {name: constant}: the constants of `report.analysis.standout`, which the page Method states.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from report import files
from report.analysis import own, own_tables, standout
from report.analysis import results as analysed
from report.analysis.own_tensor import SETTLED
from report.analysis.table import Table
from report.analysis.windows import ALL
from report.recording.reader import Recording
from report.recording.study import Study
from report.site.facts import own_recordings
from report.site.words import Words
from report.workspace import Workspace

Facts = dict[str, Any]

STREAKS = ("correlation", "lengths", "raster")  # tables that there are only where steps are compared
MOST_MORE = 4  # tensors that a sentence names besides the worst


def write(workspace: Workspace, study: Study) -> None:
    """Find all facts, and write them to `build/facts.json`.

    Raises:
        ReportError: when an earlier stage has not run, or a sentence lacks a fact.
    """
    results = analysed.read(workspace)
    words = [Words.load(workspace.templates, language) for language in workspace.languages]
    figures = files.read_json(workspace.figures_manifest, default={})
    files.write_json(workspace.facts, gather(results, analysed.numbers(workspace, results), study, figures, words))


def gather(
    results: Mapping[str, Any], table: Table, study: Study, figures: Mapping[str, Any], words: Sequence[Words]
) -> Facts:
    """Return all facts, see above.

    Args:
        results: of the analysis.
        table: its numbers.
        study: the recordings.
        figures: the manifest of the pictures.
        words: of each language, for the sentences of what stands out.
    """
    out = [_standout(item, study, words) for item in results["standout"]]
    main = study.main
    tensors = [_tensor(results, table, study, name, out) for name in main.tensors]
    modules: dict[str, list[int]] = {}
    for each in tensors:
        modules.setdefault(each["name"].rpartition(".")[0], []).append(each["number"])
    return {
        "report": own_recordings.facts(study),
        "standout": out,
        "checked": results["checked"],
        "tensors": tensors,
        "modules": [{"name": name, "tensors": numbers} for name, numbers in modules.items()],
        "figures": {
            name: f"own-{name}" if f"own-{name}" in figures else None
            for name in ("heat", "persistence", "rates", "series")
        },
        "pictures": {
            "count": len(results["pictured"]),
            "is_all": len(results["pictured"]) == len(results["tensors"]),
        },
        "series": [each for recording in study.recordings for each in _series(recording)],
        "chance": _chance(results, study),
        "rules": standout.constants(),
    }


def _standout(item: Mapping[str, Any], study: Study, words: Sequence[Words]) -> Facts:
    """Return something that stands out, with its sentences."""
    names = item["tensors"]
    anchors = [{"tensor": name, "anchor": own.slug(study.main, name)} for name in names]
    facts = {
        **{key: item[key] for key in ("rule", "level", "label", "numbers", "holds", "of", "recording", "likewise")},
        "tensor": names[0] if names else None,
        "anchor": anchors[0]["anchor"] if names else None,
        "more": anchors[1:],
        **{
            "more_count": len(names[1:]),
            "more_named": names[1 : 1 + MOST_MORE],
            "more_is_cut": len(names) > 1 + MOST_MORE,
        },
        "has_seeds": item["of"] > 1,
        "is_labelled": len(study.labels) > 1,
        "source": None if item["source"] is None else dict(zip(("title", "url"), item["source"], strict=True)),
    }
    filled = {
        key: {each.language: each.fill("own", "standout", item["rule"] + ending, facts) for each in words}
        for key, ending in (("said", ""), ("reason", "_reason"))
    }

    def joined(language: Words, said: str, scope: Facts) -> str:
        within = language.fill("own", "standout", "scope", scope)
        return language.fill("own", "standout", "join", {"said": said, "scope": within})

    every = {
        name: {each.language: joined(each, each.fill("own", "standout", item["rule"], alone), alone) for each in words}
        for name, found in item["each"].items()
        for alone in [{**facts, **found, "tensor": name, "more": []}]
    }
    said = {each.language: joined(each, filled["said"][each.language], facts) for each in words}
    return {**facts, "said": said, "reason": filled["reason"], "each": every}


def _tensor(results: Mapping[str, Any], table: Table, study: Study, name: str, out: Sequence[Facts]) -> Facts:
    """Return the facts of a tensor."""
    main, seen = study.main, results["seen"]
    tensor, info = main.tensors[name], seen[main.name].get(name)
    slug, number = own.slug(main, name), list(main.tensors).index(name) + 1
    is_pictured = name in results["pictured"]
    kinds = [kind for kind in own_tables.KINDS if is_pictured and (kind not in STREAKS or info["has_streaks"])]
    return {
        **{"name": name, "names": list(tensor.names), "number": number, "anchor": slug},
        **{"kind": tensor.kind, "shape": list(tensor.shape), "size": tensor.size},
        **{"kept": tensor.kept, "count": tensor.count, "dtype": tensor.dtype},
        **{"group": tensor.group + 1, "since": tensor.since, "has_gradient": info is not None},
        "standout": [each["each"][name] for each in out if name in each["each"]],
        "numbers": [_numbers(table, study, seen, label, name) for label in study.labels],
        "figures": {key: f"{slug}-{key}" for key in ("measures", "weights")} if is_pictured else None,
        "tables": [{"kind": kind, "path": f"tables/{slug}-{kind}.csv"} for kind in kinds],
    }


def _numbers(table: Table, study: Study, seen: Mapping[str, Any], label: str, name: str) -> Facts:
    """Return the estimates of a tensor under a label, and what the formula predicts there."""
    info = own.info_of(study, seen, label, name)
    if info is None:
        return {"label": label, "formula": None, "values": dict.fromkeys(own.NUMBERS)}
    window = SETTLED if info["is_settled"] else ALL
    values = {key: own.estimate(table, study.slug(label), name, info, key) for key in own.NUMBERS}
    return {"label": label, "formula": info["chance"].get(window, {}).get("run"), "values": values}


def _series(recording: Recording) -> list[Facts]:
    """Return what was logged in a recording."""
    found = []
    for name, values in recording.series.items():
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            each = values[known]
            ends = {"first": each[0], "last": each[-1], "lowest": each.min(), "highest": each.max()}
            found.append(
                {
                    **{"name": name, "recording": recording.name, "count": len(known)},
                    **{key: float(value) for key, value in ends.items()},
                }
            )
    return found


def _chance(results: Mapping[str, Any], study: Study) -> Facts:
    """Return with what streaks can be compared."""
    infos = results["seen"][study.main.name]
    runs = {name: infos[name]["chance"].get(ALL, {}).get("run") for name in results["tensors"]}
    untossed = [name for name in results["tensors"] if not infos[name]["is_tossed"]]
    undescribed = [name for name, run in runs.items() if run is None]
    return {
        "kinds": [
            *(["formula"] if len(undescribed) < len(runs) else []),
            *(["toss"] if len(untossed) < len(runs) else []),
        ],
        "untossed": untossed,
        "undescribed": undescribed,
    }
