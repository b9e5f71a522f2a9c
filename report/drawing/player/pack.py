"""Pack recordings for the browser: what the player on the site reads, a few hundred kilobytes at a time.

`player/index.json` says what there is: layers, geometry, colours, and for each training run its loss, its colour law
and its shards. A shard, `player/<run>/<number>.bin`, holds some batches of one training run; all numbers are
little-endian.

| bytes | type | what |
| --- | --- | --- |
| 4 | text | magic, `WiMo` |
| 2 | u16 | version of this format, 1 |
| 2 | u16 | number of layers, L |
| 4 | u32 | first batch, counted from 1 |
| 4 | u32 | number of batches, B |
| 4 | u32 | fingerprint of the training run, the same in all its shards and in the index |
| 4 | u32 | bytes of the payload; with the header, the whole file |
| 32 · L | u32, u32, f64, f64, f64 | of each layer: outputs, inputs, weight step s, gradient floor f, gradient ratio r |
| payload | zlib (RFC 1950) | of each layer in turn the three rows below; E = outputs · inputs edges, row-major |
| 4 · E | i32 | weights before the first batch, in steps s |
| 3 · E · B | u8 | updates, one code an edge and batch, edge after edge: all low bytes, then all middle, then all high |
| 2 · E · B | u8 | gradients, one code an edge and batch, edge after edge: all low bytes, then all high |

A code is a whole number c. It is 0 exactly where the value is 0, and its sign is the value's; |c| − 1 is the magnitude:
in steps s for an update (less than one step is read as a quarter), and as f · r^(|c| − 1) for a gradient. A weight is
the weight before it plus the whole steps of its update. What is stored is, for an update, the difference to the code
of the batch before (momentum makes neighbours alike; 0 stands before the first), and then of either the zigzag: 2c for
c ≥ 0, else −2c − 1.

| value | how far what is read may lie from what was recorded |
| --- | --- |
| weight | half a step, 0.25 % of the layer's threshold τ |
| update | one step, 0.5 % of τ; zero and sign are exact |
| gradient | 2.5 % of itself; zero and sign are exact |

Where a layer hardly moves, and τ would make a step too small for the numbers of this format, the step is larger.
"""

import json
import math
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from report import files
from report.analysis import threshold
from report.analysis.updates import of as updates_of
from report.config import MOST_EDGES, Experiment
from report.drawing.animation import colour, geometry
from report.drawing.animation.palette import SCHEMES
from report.errors import ReportError
from report.freshness import Ledger, code_digest, digest
from report.recording import Recording
from report.workspace import Workspace

Progress = Callable[[int, int, str], None]
Floats = NDArray[np.float32]
Whole = NDArray[np.int64]

MAGIC: Final = b"WiMo"
VERSION: Final = 1
HEADER: Final = struct.Struct("<4sHHIIII")
LAYER: Final = struct.Struct("<IIddd")
STEP = 0.005  # of τ: an update is off by at most 0.5 % of τ, which no eye can tell from none
GRADIENT_RATIO = 1.05  # from one level of a gradient to the next: off by at most 2.5 %
LARGEST_CODE = 2**22  # two of them and a sign fit into three bytes
LARGEST_LEVEL = 2**30  # of a weight, which is kept in 32 bits
SHARD_VALUES = 120_000  # edges × batches of a shard: about 100 KB, so that the first picture comes soon
DIGITS = 4  # significant digits of the losses in the index


@dataclass(frozen=True)
class Layer:
    """Hold one layer of some batches of a training run.

    Attributes:
        weights: (batches + 1, outputs, inputs) float32.
        gradients: (batches, outputs, inputs) float32.
        step: of the weights and updates, in units of the weight.
        floor: magnitude of the smallest gradient of the training run that is not zero.
    """

    weights: Floats
    gradients: Floats
    step: float
    floor: float


def pack(workspace: Workspace, experiment: Experiment, report_progress: Progress) -> None:
    """Write the index, and the shards of every training run that the player offers and that is not fresh.

    Offered are the main run and each control on the main run's seed.

    Raises:
        ReportError: when there is no complete main run or no results.
    """
    main = Recording.open(workspace.run(experiment.main_run))
    layers = drawn_layers(main)
    laws = {main.name: _main_laws(workspace, main.name, layers)}
    names = [experiment.run_name(optimizer, experiment.training.seed) for optimizer in experiment.optimizers]
    runs = [Recording.open(workspace.run(name)) for name in names if (workspace.run(name) / "run.json").is_file()]
    folder = workspace.docs / "player"
    ledger = Ledger(workspace.ledger)
    known = _known(folder / "index.json")
    code = code_digest(Path(__file__), Path(threshold.__file__), Path(colour.__file__))
    entries = []
    for done, run in enumerate(runs, 1):
        key = digest(run.path / "run.json", list(layers), laws.get(run.name), code)
        product, entry = f"player {run.name}", known.get(run.name)
        if entry is None or not ledger.is_fresh(product, key, _shard_paths(folder, entry)):
            entry = _pack_run(folder, run, layers, laws.get(run.name) or run_laws(run, layers))
            ledger.record(product, key, _shard_paths(folder, entry))
        entries.append(entry)
        report_progress(done, len(runs), f"player, {run.name}")
    index = _index(experiment, main, layers, _named(experiment, entries))
    index["opening_batch"] = opening_batch(main, layers, laws[main.name], experiment.animation.frames)
    # One line: indentation would be a third of what a reader waits for.
    files.write_text(folder / "index.json", json.dumps(index, sort_keys=True, allow_nan=False, separators=(",", ":")))
    _remove_strangers(folder, {path for entry in entries for path in _shard_paths(folder, entry)})


def description() -> str:
    """Return what the top of this file says of the format, as Markdown: the site shows the same words."""
    return (__doc__ or "").partition("\n\n")[2].strip()


def drawn_layers(recording: Recording) -> tuple[str, ...]:
    """Return the layers that the player draws: those kept whole, without the first of them if they are too many."""
    layers = recording.whole
    while sum(math.prod(recording.experiment.shape(layer)) for layer in layers) > MOST_EDGES:
        layers = layers[1:]
    return layers


def opening_batch(main: Recording, layers: tuple[str, ...], laws: dict[str, dict[str, float]], frames: int) -> int:
    """Return the batch that the player opens with: the most telling of the first film's, as on its poster.

    Args:
        main: the main run.
        layers: those that are drawn.
        laws: `mean` and `threshold` of each layer.
        frames: batches from the first on to choose from.
    """
    strength = np.zeros((min(frames, main.batches), 0))
    for layer in layers:
        updates = updates_of(main.weights(layer)[: len(strength) + 1]).reshape(len(strength), -1)
        strength = np.hstack([strength, np.abs(colour.signed_opacity(updates, **laws[layer]))])
    strong = (strength >= colour.STRONG).sum(axis=1)
    return colour.most_telling(strong, strength.sum(axis=1)) + 1


def run_laws(run: Recording, layers: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return mean and threshold of each layer over all recorded batches of a training run."""
    smallest = min(run.batches * math.prod(run.experiment.shape(layer)) for layer in layers)
    laws = {layer: threshold.law(updates_of(run.weights(layer)), smallest) for layer in layers}
    return {layer: {"mean": law.mean, "threshold": law.threshold} for layer, law in laws.items()}


def weight_step(weights: Floats, law_threshold: float) -> float:
    """Return the step of a layer's weights: 0.5 % of τ, or what the numbers of the format can hold.

    Args:
        weights: (batches + 1, …) float32 of a whole training run.
        law_threshold: τ of the layer.
    """
    largest_update = max((float(np.abs(after - before).max()) for before, after in pairwise(weights)), default=0.0)
    least = max(largest_update / (LARGEST_CODE // 2), float(np.abs(weights).max()) / LARGEST_LEVEL)
    return max(STEP * law_threshold, least) or 1.0


def encode(layers: list[Layer], first_batch: int, fingerprint: int) -> bytes:
    """Return a shard; the table at the top of this file describes its bytes.

    Args:
        layers: at least one; all with the same number of batches.
        first_batch: counted from 1.
        fingerprint: of the training run, 32 bits.
    """
    head, body = [], []
    batches = len(layers[0].gradients)
    for layer in layers:
        outputs, inputs = layer.gradients.shape[1:]
        head.append(LAYER.pack(outputs, inputs, layer.step, layer.floor, GRADIENT_RATIO))
        weights = layer.weights.reshape(batches + 1, -1)  # (B + 1, E)
        gradients = layer.gradients.reshape(batches, -1)  # (B, E)
        levels = np.rint(weights.astype(np.float64) / layer.step).astype(np.int64)  # (B + 1, E)
        updates = _signed_codes(np.diff(levels, axis=0), updates_of(weights))  # (B, E)
        body.append(levels[0].astype("<i4").tobytes())
        body.append(_planes(_zigzag(np.diff(updates, axis=0, prepend=0)), 3))
        body.append(_planes(_zigzag(_signed_codes(_gradient_levels(gradients, layer.floor), gradients)), 2))
    payload = zlib.compress(b"".join(body), 9)
    header = HEADER.pack(MAGIC, VERSION, len(layers), first_batch, batches, fingerprint, len(payload))
    return b"".join([header, *head, payload])


def _gradient_levels(gradients: Floats, floor: float) -> Whole:
    """Return the nearest level of each gradient's magnitude on a logarithmic scale that starts at `floor`."""
    sizes = np.maximum(np.abs(gradients.astype(np.float64)), floor)
    levels: Whole = np.rint(np.log(sizes / floor) / math.log(GRADIENT_RATIO)).astype(np.int64)
    return levels


def _signed_codes(levels: Whole, values: Floats) -> Whole:
    """Return (1 + |level|) with the sign of the value: 0 for a value that is exactly 0, and for no other."""
    codes: Whole = np.sign(values).astype(np.int64) * (1 + np.abs(levels))
    return codes


def _zigzag(numbers: Whole) -> Whole:
    """Return 0, 1, 2, 3, 4 for 0, -1, 1, -2, 2: small numbers of either sign become small numbers."""
    return np.where(numbers >= 0, 2 * numbers, -2 * numbers - 1)


def _planes(numbers: Whole, count: int) -> bytes:
    """Return (batches, edges) numbers edge after edge, all their low bytes first: what is alike lies together."""
    by_edge = numbers.T
    return b"".join(((by_edge >> (8 * plane)) & 255).astype(np.uint8).tobytes() for plane in range(count))


def _pack_run(
    folder: Path, run: Recording, layers: tuple[str, ...], laws: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """Write the shards of a training run; return its entry in the index."""
    weights = {layer: run.weights(layer) for layer in layers}
    gradients = {layer: run.gradients(layer) for layer in layers}
    steps = {layer: weight_step(weights[layer], laws[layer]["threshold"]) for layer in layers}
    floors = {layer: _smallest_size(gradients[layer]) for layer in layers}
    identity = digest(run.path / "run.json", laws, steps, floors, VERSION)
    fingerprint = int(identity[:8], 16)
    edges = sum(math.prod(run.experiment.shape(layer)) for layer in layers)
    size = min(max(SHARD_VALUES // edges, 1), run.batches)

    def write(start: int) -> int:
        stop = min(start + size, run.batches)
        part = [
            Layer(weights[name][start : stop + 1], gradients[name][start:stop], steps[name], floors[name])
            for name in layers
        ]
        data = encode(part, start + 1, fingerprint)
        files.write_bytes(_shard_path(folder, run.name, start // size), data)
        return len(data)

    # zlib lets go of the interpreter while it works: two threads are twice as fast.
    with ThreadPoolExecutor(2) as pool:
        sizes = list(pool.map(write, range(0, run.batches, size)))
    return {
        "run": run.name,
        "fingerprint": fingerprint,
        "batches": run.batches,
        "batches_per_shard": size,
        "shards": sizes,
        "laws": [laws[layer] for layer in layers],
        "loss": [float(f"{loss:.{DIGITS}g}") for loss in run.series["train_loss"][: run.batches].tolist()],
    }


def _smallest_size(gradients: Floats) -> float:
    """Return the smallest magnitude that is not zero; 1 where there is none."""
    sizes = np.abs(gradients)
    return float(sizes.min(where=sizes > 0, initial=np.inf)) if sizes.any() else 1.0


def _named(experiment: Experiment, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each entry the short name and the words that the player calls it by, as the experiment has them now."""
    optimizers = {experiment.run_name(item, experiment.training.seed): item for item in experiment.optimizers}
    return [
        {**entry, "slug": optimizers[entry["run"]].slug, "label": optimizers[entry["run"]].label} for entry in entries
    ]


def _index(
    experiment: Experiment, main: Recording, layers: tuple[str, ...], entries: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what the player reads first."""
    shapes = [experiment.shape(layer) for layer in layers]
    places = geometry.network([shapes[0][1], *(outputs for outputs, _ in shapes)])
    others = [entry["slug"] for entry in entries if entry["run"] != main.name]
    without_momentum = [
        item.slug for item in experiment.optimizers if item.name == experiment.optimizer.name and item.momentum == 0
    ]
    return {
        "format": "weights-in-motion/player",
        "version": VERSION,
        "main": experiment.optimizer.slug,
        # Momentum is what the article is about: the same optimizer without it is offered first.
        "compare_first": next((slug for slug in [*without_momentum, *others] if slug in others), None),
        "layers": [
            {"name": layer, "outputs": outputs, "inputs": inputs}
            for layer, (outputs, inputs) in zip(layers, shapes, strict=True)
        ],
        "geometry": places.as_json(),
        "margins": list(geometry.MARGINS),
        "colours": SCHEMES,
        "faintest": colour.FAINTEST,
        "milliseconds": experiment.animation.milliseconds,
        "runs": entries,
    }


def _main_laws(workspace: Workspace, run: str, layers: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return the main run's laws as the analysis found them, which the animations use too."""
    results = files.read_json(workspace.results)
    try:
        found = results["threshold"][run]
        return {layer: {name: found[layer][name] for name in ("mean", "threshold")} for layer in layers}
    except (KeyError, TypeError) as error:
        raise ReportError(
            f'{workspace.results} has no threshold of {run} ({error}). Run "python -m report analyse" first.'
        ) from error


def _known(path: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of an index that is already there, by training run; nothing where none can be read."""
    try:
        return {entry["run"]: entry for entry in files.read_json(path)["runs"]}
    except (ReportError, KeyError, TypeError):
        return {}


def _shard_path(folder: Path, run: str, number: int) -> Path:
    """Return the file of a shard."""
    return folder / run / f"{number:03d}.bin"


def _shard_paths(folder: Path, entry: dict[str, Any]) -> list[Path]:
    """Return the files of all shards of a training run."""
    return [_shard_path(folder, entry["run"], number) for number in range(len(entry["shards"]))]


def _remove_strangers(folder: Path, wanted: set[Path]) -> None:
    """Remove shards of an earlier experiment, which the site would otherwise publish."""
    for path in sorted(folder.glob("*/*.bin")):
        if path not in wanted:
            path.unlink()
    for path in sorted(folder.glob("*/")):
        if not any(path.iterdir()):
            path.rmdir()
