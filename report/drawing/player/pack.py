"""Pack recordings for the browser: what the player on the site reads, some kilobytes at a time."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from report import files
from report.drawing import scales
from report.drawing.animation import clips, colour, geometry
from report.drawing.animation.clips import Pace
from report.drawing.animation.palette import SCHEMES
from report.drawing.player import packing, parts, shard
from report.drawing.player.parts import View
from report.drawing.scales import Laws
from report.products import Product
from report.recording.reader import Recording
from report.recording.study import Study, each_once
from report.workspace import Workspace

DIGITS = 4  # significant digits of the losses
LOSSES = ("train_loss", "loss")  # what the loss is looked for as; else under a name that ends so


def products(workspace: Workspace, study: Study, layers: Sequence[str], tensors: Sequence[str] = ()) -> list[Product]:
    """Return every view of every recording that the player offers as a product: its shards, and a note on them.

    Args:
        workspace: where they go.
        study: all recordings.
        layers: those of the graph; none where none can be drawn.
        tensors: of the main recording, by name: those that are offered one by one, as matrices.
    """
    found = []
    for view, runs in parts.plan(study, layers, tensors).items():
        for run in runs:
            own = scales.of(workspace, study, run, view.layers)
            folder, note = _folder(workspace, study, view, run), _note(workspace, study, view, run)
            found.append(
                Product(
                    f"player, {' '.join(filter(None, [_name(study, run), view.slug]))}",
                    ("report.drawing.player.packing",),
                    functools.partial(packing.inputs, run, view, own),
                    functools.partial(_files, folder, note),
                    functools.partial(packing.pack, folder, note, run.path, view, own),
                )
            )
    return found


def describe(
    workspace: Workspace, study: Study, layers: tuple[str, ...], laws: Laws, pace: Pace, tensors: Sequence[str] = ()
) -> None:
    """Write the indices, and remove what belongs to other recordings. Where nothing is offered there is no index.

    Args:
        workspace: has what `products` made.
        study: all recordings.
        layers: those of the graph.
        laws: `mean` and `threshold` of each layer of the graph in the main recording.
        pace: how fast it plays at first, and among which steps the graph's first is chosen.
        tensors: as for `products`.
    """
    folder = workspace.docs / "player"
    planned = parts.plan(study, layers, tensors)
    contents = {view: _view(workspace, study, view, runs) for view, runs in planned.items()}
    written: dict[Path, Any] = {folder / view.slug / "index.json": contents[view] for view in planned if view.slug}
    if planned:
        matrices = [view for view in planned if view.slug]
        written[folder / "index.json"] = {
            **_common(pace),
            "tensors": [_offer(study.main, view) for view in matrices],
            "opening": _opening(study.main, matrices),
            "every": study.main.description.every,
            **next((_graph(study, view, laws, pace) | contents[view] for view in planned if not view.slug), {}),
        }
        every = {run for runs in planned.values() for run in runs}
        losses = {run: _loss(run) for run in every}
        written |= {folder / _name(study, run) / "loss.json": loss for run, loss in losses.items() if loss}
    for path, content in written.items():
        # One line: indentation would be a third of what a reader waits for.
        text = json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":"))
        files.write_text(path, text)
    packed = [
        path
        for view, runs in planned.items()
        for run in runs
        for path in _files(_folder(workspace, study, view, run), _note(workspace, study, view, run))
    ]
    _remove_strangers(workspace, {*written, *packed})


def opening_batch(main: Recording, layers: tuple[str, ...], laws: Laws, frames: int) -> int:
    """Return the batch that the graph opens with: the most telling of the first film's, as on its poster.

    Args:
        main: the main recording.
        layers: those that are drawn.
        laws: `mean` and `threshold` of each layer.
        frames: batches from the first on to choose from.
    """
    strength = np.abs(clips.edges(main, layers, range(1, min(max(frames, 1), main.steps) + 1), laws))
    strong = (strength >= colour.STRONG).sum(axis=1)
    return colour.most_telling(strong, strength.sum(axis=1)) + 1


def _common(pace: Pace) -> dict[str, Any]:
    """Return what the player reads first, whatever it shows."""
    return {
        "format": "weights-in-motion/player",
        "version": shard.VERSION,
        "colours": SCHEMES,
        "faintest": colour.FAINTEST,
        "full_share": clips.FULL_SHARE,
        "milliseconds": pace.milliseconds,
    }


def _graph(study: Study, view: View, laws: Laws, pace: Pace) -> dict[str, Any]:
    """Return where the network's nodes lie, and what it opens with."""
    shapes = [study.main.tensors[layer].matrix for layer in view.layers]
    return {
        "geometry": geometry.network([shapes[0][1], *(outputs for outputs, _ in shapes)]).as_json(),
        "margins": list(geometry.MARGINS),
        "opening_batch": opening_batch(study.main, view.layers, laws, pace.frames),
    }


def _offer(main: Recording, view: View) -> dict[str, Any]:
    """Return what a reader chooses a tensor by, and how much of it is shown."""
    tensor = main.tensors[view.layers[0]]
    rows, columns = tensor.matrix
    kept = "whole" if view.is_whole(tensor) else "sample"
    shown = {"entries": view.entries, "steps": min(view.steps, main.steps), "recorded": main.steps}
    return {"slug": view.slug, "name": tensor.name, "rows": rows, "columns": columns, "kept": kept, **shown}


def _opening(main: Recording, views: Sequence[View]) -> str:
    """Return the tensor that is shown first where there is no graph: the first that is more than a row."""
    several = [view for view in views if main.tensors[view.layers[0]].matrix[0] > 1]
    return next((view.slug for view in [*several, *views]), "")


def _view(workspace: Workspace, study: Study, view: View, runs: Sequence[Recording]) -> dict[str, Any]:
    """Return what the player reads of a view: its layers and its recordings."""
    main, rule = runs[0], runs[0].rule(view.layers[0])
    slugs = {run: _slug(study, run) for run in runs}
    same = [run for run in runs[1:] if run.seed == main.seed]
    # Momentum is what the article is about: the same optimizer without it is offered first.
    rules = {run: run.rule(view.layers[0]) for run in same}
    without_momentum = [run for run in same if rules[run].name == rule.name and rules[run].momentum == 0]
    first = next(iter([*without_momentum, *same, *runs[1:]]), None)
    entries = [_entry(workspace, study, view, run, runs) for run in runs]
    found: dict[str, Any] = {
        "main": slugs[main],
        "compare_first": None if first is None else slugs[first],
        "layers": [_layer(main, view, layer) for layer in view.layers],
        "runs": entries,
    }
    if view.slug:
        found["opening_batch"] = entries[0]["opening"]
    return found


def _layer(main: Recording, view: View, layer: str) -> dict[str, Any]:
    """Return name and shape of a layer, and of a sample which entries it has, as flat positions."""
    tensor = main.tensors[layer]
    outputs, inputs = tensor.matrix
    found = {"name": layer, "outputs": outputs, "inputs": inputs}
    if not view.slug:
        return found
    found |= {"slug": view.slug, "shape": list(tensor.shape)}
    if not view.is_whole(tensor):
        found["entries"] = main.indices(layer)[view.columns(main)].tolist()
    return found


def _entry(workspace: Workspace, study: Study, view: View, run: Recording, runs: Sequence[Recording]) -> dict[str, Any]:
    """Return what the player reads of a recording, with the words that it calls it by as they are now."""
    several = sum(other.label == run.label for other in runs) > 1
    name = _name(study, run)
    return {
        **files.read_json(_note(workspace, study, view, run)),
        **{"slug": _slug(study, run), "label": run.label, "seed": run.seed if several else None},
        "run": "/".join(filter(None, [view.slug, name])),
        "loss": f"{name}/loss.json" if _loss(run) else None,
    }


def _loss(run: Recording) -> list[float]:
    """Return the loss of each step; nothing where it was not logged at every one."""
    every = run.description.every
    names = [*LOSSES, *(name for name in sorted(run.series) if name.lower().endswith("loss"))]
    for found in (run.series[name][every - 1 :: every][: run.steps] for name in names if name in run.series):
        if len(found) == run.steps and np.isfinite(found).all():
            return [float(f"{loss:.{DIGITS}g}") for loss in found.tolist()]
    return []


def _name(study: Study, run: Recording) -> str:
    """Return the name of a recording's folder; its own may hold what an address cannot."""
    return _names(study)[0][run.name]


def _slug(study: Study, run: Recording) -> str:
    """Return what an address calls a recording: one of the main recording's seed needs none."""
    return _names(study)[1][run.name]


@functools.lru_cache(maxsize=2)
def _names(study: Study) -> tuple[dict[str, str], dict[str, str]]:
    """Return what folders and addresses are called, by name of the recording; the main one has no number."""
    runs = [study.main, *(each for each in study.recordings if each is not study.main)]
    slugs = {label: study.slug(label) for label in study.labels}
    seeded = [slugs[each.label] + ("" if each.seed is None else f"-seed{each.seed}") for each in runs]
    plain = [
        slugs[each.label] if each.seed == study.main.seed else name for each, name in zip(runs, seeded, strict=True)
    ]
    every = [each.name for each in runs]
    folders, addresses = (dict(zip(every, each_once(names), strict=True)) for names in (seeded, plain))
    return folders, addresses


def _folder(workspace: Workspace, study: Study, view: View, run: Recording) -> Path:
    """Return the folder of a recording's shards."""
    return workspace.docs / "player" / view.slug / _name(study, run)


def _note(workspace: Workspace, study: Study, view: View, run: Recording) -> Path:
    """Return the note on the shards of a recording."""
    return workspace.drawn / f"{'_'.join(filter(None, [_name(study, run), view.slug]))}.player.json"


def _files(folder: Path, note: Path) -> list[Path]:
    """Return the note on a recording and the shards that it names; of one that is not packed, the note's place."""
    count = len(files.read_json(note, default={}).get("shards", ()))
    return [note, *(packing.shard_path(folder, number) for number in range(count))]


def _remove_strangers(workspace: Workspace, wanted: set[Path]) -> None:
    """Remove what belongs to other recordings, which the site would otherwise publish."""
    folder = workspace.docs / "player"
    for path in [*(each for each in folder.rglob("*") if each.is_file()), *workspace.drawn.glob("*.player.json")]:
        if path not in wanted:
            path.unlink()
    for path in sorted((each for each in folder.rglob("*") if each.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
