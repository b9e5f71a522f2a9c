"""Pack recordings for the browser: what the player on the site reads, a few hundred kilobytes at a time."""

import functools
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.analysis import replay
from report.drawing import scales
from report.drawing.animation import clips, colour, geometry
from report.drawing.animation.clips import Pace
from report.drawing.animation.palette import SCHEMES
from report.drawing.player import shard
from report.drawing.scales import Laws
from report.products import Product, digest
from report.recording.reader import Recording
from report.recording.study import Study
from report.workspace import Workspace

SHARD_VALUES = 120_000  # edges × steps of a shard: about 100 KB, so that the first picture comes soon
MOST_VALUES = 50_000_000  # edges × steps of a recording: about 80 MB; of a longer one the beginning is packed
MOST_RUNS = 12  # recordings that are offered
DIGITS = 4  # significant digits of the losses in the index


def products(workspace: Workspace, study: Study, layers: Sequence[str]) -> list[Product]:
    """Return the recordings that the player offers as products: their shards, and a note of what these hold.

    Offered are the main recording and one of each other label, of the same seed, where a network is drawn.
    """
    found = []
    for run in _offered(study, layers):
        name = _name(study, run)
        own = scales.of(workspace, study, run, layers)
        found.append(
            Product(
                f"player, {name}",
                ("report.drawing.player.pack",),
                functools.partial(_inputs, run, layers, own),
                functools.partial(_files, workspace, name),
                functools.partial(_pack_run, workspace, name, run.path, layers, own),
            )
        )
    return found


def describe(workspace: Workspace, study: Study, layers: tuple[str, ...], laws: Laws, pace: Pace) -> None:
    """Write the index, and remove what belongs to other recordings. Where nothing is offered there is no index."""
    folder = workspace.docs / "player"
    entries = [
        # The words that the player calls it by, as they are now.
        {**files.read_json(_note(workspace, _name(study, run))), "slug": study.slug(run.label), "label": run.label}
        for run in _offered(study, layers)
    ]
    if entries:
        index = _index(study, pace, layers, laws, entries)
        # One line: indentation would be a third of what a reader waits for.
        text = json.dumps(index, sort_keys=True, allow_nan=False, separators=(",", ":"))
        files.write_text(folder / "index.json", text)
    else:
        (folder / "index.json").unlink(missing_ok=True)
    _remove_strangers(workspace, {path for entry in entries for path in _files(workspace, entry["run"])})


def opening_batch(main: Recording, layers: tuple[str, ...], laws: Laws, frames: int) -> int:
    """Return the batch that the player opens with: the most telling of the first film's, as on its poster.

    Args:
        main: the main recording.
        layers: those that are drawn.
        laws: `mean` and `threshold` of each layer.
        frames: batches from the first on to choose from.
    """
    strength = np.abs(clips.edges(main, layers, range(1, min(max(frames, 1), main.steps) + 1), laws))
    strong = (strength >= colour.STRONG).sum(axis=1)
    return colour.most_telling(strong, strength.sum(axis=1)) + 1


def _offered(study: Study, layers: Sequence[str]) -> list[Recording]:
    """Return the main recording and those of the same seed that can be shown like it, the main one first."""
    found = [study.find(label, study.main.seed) for label in study.labels]
    sound = [run for run in found if run is not None and run.steps and layers and _is_sound(run, layers)]
    return sound[:MOST_RUNS] if study.main in sound else []


def _is_sound(run: Recording, layers: Sequence[str]) -> bool:
    """Tell whether all weights of the layers are known and finite, from the first step to the last."""
    whole = all(run.tensors[layer].kept == "whole" for layer in layers)
    return whole and all(bool(np.isfinite(run.weights(layer)[[0, -1]]).all()) for layer in layers)


def _name(study: Study, run: Recording) -> str:
    """Return the name of a recording's folder of shards; its own may hold what an address cannot."""
    return study.slug(run.label) + ("" if run.seed is None else f"-seed{run.seed}")


def _inputs(run: Recording, layers: Sequence[str], own: Laws) -> list[Any]:
    """Return all that decides the shards of a recording, besides code."""
    return [clips.identity(run, layers, run.steps), list(layers), own]


def _pack_run(workspace: Workspace, name: str, path: Path, layers: Sequence[str], laws: Laws) -> None:
    """Write the shards of the recording at `path`, and the note that becomes its entry in the index."""
    folder, run = workspace.docs / "player", Recording.open(path)
    edges = sum(run.tensors[layer].size for layer in layers)
    steps = min(run.steps, MOST_VALUES // edges)
    weights = {layer: _matrices(run, layer, run.weights(layer)[: steps + 1]) for layer in layers}
    gradients = {layer: _matrices(run, layer, run.gradients(layer)[:steps]) for layer in layers}
    sizes = {layer: shard.weight_step(weights[layer], laws[layer]["threshold"]) for layer in layers}
    floors = {layer: shard.gradient_floor(gradients[layer]) for layer in layers}
    full = clips.equal_laws(run, tuple(layers), range(1, steps + 1))
    fingerprint = int(digest(clips.identity(run, layers, run.steps), laws, sizes, floors, shard.VERSION)[:8], 16)
    size = min(max(SHARD_VALUES // edges, 1), steps)

    def write(start: int) -> int:
        stop = min(start + size, steps)
        # A gradient that the step did not use is packed as 0.
        used = {layer: np.nan_to_num(gradients[layer][start:stop]) for layer in layers}
        part = [
            shard.Layer(weights[layer][start : stop + 1], used[layer], sizes[layer], floors[layer]) for layer in layers
        ]
        data = shard.encode(part, start + 1, fingerprint)
        files.write_bytes(_shard_path(folder, name, start // size), data)
        return len(data)

    # zlib lets go of the interpreter while it works: two threads are twice as fast.
    with ThreadPoolExecutor(2) as pool:
        lengths = list(pool.map(write, range(0, steps, size)))
    note = {
        "run": name,
        "fingerprint": fingerprint,
        "batches": steps,
        "batches_per_shard": size,
        "shards": lengths,
        "laws": [{**laws[layer], "full": full[layer]["threshold"]} for layer in layers],
        "arithmetic": _arithmetic(run, layers, steps),
        "loss": _loss(run, steps),
    }
    files.write_json(_note(workspace, name), note)


def _matrices(run: Recording, layer: str, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows.reshape(len(rows), *run.tensors[layer].matrix)


def _arithmetic(run: Recording, layers: Sequence[str], steps: int) -> dict[str, Any] | None:
    """Return how the optimizer made updates of gradients; None where that is not replayed, or differs by layer."""
    found = {replay.arithmetic(run, layer, steps) for layer in layers}
    how = found.pop() if len(found) == 1 else None
    if how is None or len(set(how.rates)) > 1:
        return None
    parts = {key: value for key, value in asdict(how).items() if key != "rates"}
    return {**parts, "rate": how.rates[0]}


def _loss(run: Recording, steps: int) -> list[float]:
    """Return the loss of each step; nothing where it was not logged at every one."""
    every = run.description.every
    found = run.series.get("train_loss", np.empty(0))[every - 1 :: every][:steps]
    if len(found) < steps or not np.isfinite(found).all():
        return []
    return [float(f"{loss:.{DIGITS}g}") for loss in found.tolist()]


def _index(
    study: Study, pace: Pace, layers: tuple[str, ...], laws: Laws, entries: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what the player reads first."""
    main = study.main
    shapes = [main.tensors[layer].matrix for layer in layers]
    rule = main.rule(layers[0])
    others = [entry["slug"] for entry in entries[1:]]
    rules = {study.slug(label): run.rule(layers[0]) for label in study.labels for run in study.of(label)}
    without_momentum = [slug for slug in others if rules[slug].name == rule.name and rules[slug].momentum == 0]
    return {
        "format": "weights-in-motion/player",
        "version": shard.VERSION,
        "main": study.slug(main.label),
        # Momentum is what the article is about: the same optimizer without it is offered first.
        "compare_first": next(iter([*without_momentum, *others]), None),
        "layers": [
            {"name": layer, "outputs": outputs, "inputs": inputs}
            for layer, (outputs, inputs) in zip(layers, shapes, strict=True)
        ],
        "geometry": geometry.network([shapes[0][1], *(outputs for outputs, _ in shapes)]).as_json(),
        "margins": list(geometry.MARGINS),
        "colours": SCHEMES,
        "faintest": colour.FAINTEST,
        "full_share": clips.FULL_SHARE,
        "milliseconds": pace.milliseconds,
        "opening_batch": opening_batch(main, layers, laws, pace.frames),
        "runs": list(entries),
    }


def _note(workspace: Workspace, name: str) -> Path:
    """Return the note on the shards of a recording."""
    return workspace.drawn / f"{name}.player.json"


def _files(workspace: Workspace, name: str) -> list[Path]:
    """Return the note on a recording and the shards that it names; of one that is not packed, the note's place."""
    note = _note(workspace, name)
    count = len(files.read_json(note, default={}).get("shards", ()))
    return [note, *(_shard_path(workspace.docs / "player", name, number) for number in range(count))]


def _shard_path(folder: Path, run: str, number: int) -> Path:
    """Return the file of a shard."""
    return folder / run / f"{number:03d}.bin"


def _remove_strangers(workspace: Workspace, wanted: set[Path]) -> None:
    """Remove shards of other recordings, which the site would otherwise publish."""
    folder = workspace.docs / "player"
    for path in [*folder.glob("*/*.bin"), *workspace.drawn.glob("*.player.json")]:
        if path not in wanted:
            path.unlink()
    for path in sorted(folder.glob("*/")):
        if not any(path.iterdir()):
            path.rmdir()
