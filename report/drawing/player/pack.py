"""Pack recordings for the browser: what the player on the site reads, a few hundred kilobytes at a time."""

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report import files
from report.analysis import threshold, updates
from report.drawing import scales
from report.drawing.animation import clips, colour, geometry
from report.drawing.animation.clips import Pace
from report.drawing.animation.palette import SCHEMES
from report.drawing.player import shard
from report.drawing.scales import IDLE, Laws
from report.freshness import Ledger, code_digest, digest, imported
from report.recording.reader import Recording
from report.recording.study import Study
from report.workspace import Workspace

Progress = Callable[[int, int, str], None]

FORMAT = Path(__file__).with_name("format.md")
SHARD_VALUES = 120_000  # edges × steps of a shard: about 100 KB, so that the first picture comes soon
MOST_VALUES = 50_000_000  # edges × steps of a recording: about 80 MB; of a longer one the beginning is packed
MOST_RUNS = 12  # recordings that are offered
DIGITS = 4  # significant digits of the losses in the index


def pack(workspace: Workspace, study: Study, pace: Pace, report_progress: Progress) -> None:
    """Write the index, and the shards of every recording that the player offers and that is not fresh.

    Offered are the main recording and one of each other label, of the same seed. Where no network is drawn there is
    nothing to play: then there is no index.

    Raises:
        ReportError: when there are no results.
    """
    folder = workspace.docs / "player"
    laws, layers = scales.read(workspace, study)
    runs = _offered(study, layers)
    ledger, known = Ledger(workspace.ledger), _known(folder / "index.json")
    code = code_digest(*imported(Path(__file__)))
    entries = []
    for done, run in enumerate(runs, 1):
        own = {layer: laws[layer] for layer in layers} if run is study.main else None
        key = digest(clips.identity(run, layers, run.steps), layers, own, code)
        name = _name(study, run)
        product, entry = f"player {name}", known.get(name)
        if entry is None or not ledger.is_fresh(product, key, _shard_paths(folder, entry)):
            entry = _pack_run(folder, name, run, layers, own or run_laws(run, layers))
            ledger.record(product, key, _shard_paths(folder, entry))
        # The words that the player calls it by, as they are now.
        entries.append({**entry, "slug": study.slug(run.label), "label": run.label})
        report_progress(done, len(runs), f"player, {name}")
    if entries:
        index = _index(study, pace, layers, laws, entries)
        # One line: indentation would be a third of what a reader waits for.
        text = json.dumps(index, sort_keys=True, allow_nan=False, separators=(",", ":"))
        files.write_text(folder / "index.json", text)
    else:
        (folder / "index.json").unlink(missing_ok=True)
    _remove_strangers(folder, {path for entry in entries for path in _shard_paths(folder, entry)})


def description() -> str:
    """Return what is to be known of the format, as Markdown."""
    return FORMAT.read_text(encoding="utf-8").strip()


def run_laws(run: Recording, layers: Sequence[str]) -> Laws:
    """Return mean and threshold of each layer over all steps of a recording."""
    smallest = threshold.smallest(run, layers)
    found: dict[str, Mapping[str, float]] = {}
    for layer in layers:
        changes = updates.trajectory(run, layer).updates
        law = threshold.law(changes, smallest) if changes.size else None
        found[layer] = IDLE if law is None else {"mean": law.mean, "threshold": law.threshold}
    return found


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


def _pack_run(folder: Path, name: str, run: Recording, layers: Sequence[str], laws: Laws) -> dict[str, Any]:
    """Write the shards of a recording; return its entry in the index."""
    edges = sum(run.tensors[layer].size for layer in layers)
    steps = min(run.steps, MOST_VALUES // edges)
    weights = {layer: _matrices(run, layer, run.weights(layer)[: steps + 1]) for layer in layers}
    gradients = {layer: _matrices(run, layer, run.gradients(layer)[:steps]) for layer in layers}
    sizes = {layer: shard.weight_step(weights[layer], laws[layer]["threshold"]) for layer in layers}
    floors = {layer: shard.gradient_floor(gradients[layer]) for layer in layers}
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
    return {
        "run": name,
        "fingerprint": fingerprint,
        "batches": steps,
        "batches_per_shard": size,
        "shards": lengths,
        "laws": [laws[layer] for layer in layers],
        "loss": _loss(run, steps),
    }


def _matrices(run: Recording, layer: str, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows.reshape(len(rows), *run.tensors[layer].matrix)


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
        "milliseconds": pace.milliseconds,
        "opening_batch": opening_batch(main, layers, laws, pace.frames),
        "runs": list(entries),
    }


def _known(path: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of an index that is already there, by training run; nothing where none can be read."""
    try:
        return {entry["run"]: entry for entry in files.read_json(path, default={})["runs"]}
    except (KeyError, TypeError):
        return {}


def _shard_path(folder: Path, run: str, number: int) -> Path:
    """Return the file of a shard."""
    return folder / run / f"{number:03d}.bin"


def _shard_paths(folder: Path, entry: Mapping[str, Any]) -> list[Path]:
    """Return the files of all shards of a training run."""
    return [_shard_path(folder, entry["run"], number) for number in range(len(entry["shards"]))]


def _remove_strangers(folder: Path, wanted: set[Path]) -> None:
    """Remove shards of other recordings, which the site would otherwise publish."""
    for path in sorted(folder.glob("*/*.bin")):
        if path not in wanted:
            path.unlink()
    for path in sorted(folder.glob("*/")):
        if not any(path.iterdir()):
            path.rmdir()
