"""The first article's whole job beside its own way of doing it, and beside what no way can do without."""

import itertools
import math
import statistics
from collections.abc import Iterator

import psutil

from benchmarks.material import Material
from benchmarks.measure import Cost, Line, alternate, mebibytes, watch

FLOOR, MEMORY = 1.35, 1 / 12
ROUNDS = 3  # of ours and the floor; the first article's way, several times slower, is taken once
ROOM = 3 * 2**30  # bytes that the first article's way takes beside its clones: lists of single numbers, torch


def compare(material: Material) -> Iterator[Line]:
    """Do the job, one training run with its accuracy, four figures and one animation: whole processes."""
    experiment = material.experiment
    batches = experiment.training.batches
    common = ["--experiment", str(material.experiment_file), "--build", str(material.workspace.build)]
    taken: list[Cost] = []

    def process(module: str, *more: str) -> Cost:
        out = material.folder / module / str(len(taken))
        return watch([["-m", f"benchmarks.{module}", *common, "--out", str(out), *more]])

    def ours() -> float:
        taken.append(process("our_way"))
        return taken[-1].seconds

    def floor() -> float:
        return float(process("our_way", "--floor").output.rpartition("floor ")[2])

    seconds, least, ratios = alternate(ours, floor, min(material.rounds, ROUNDS))
    what = f"job of {batches:,} batches, four figures, one animation"
    yield Line(
        f"{what} / torch's start, bare loop and validation",
        statistics.median(ratios),
        FLOOR,
        detail=f"{seconds:.1f} s / {least:.1f} s; {min(ratios):.2f} to {max(ratios):.2f}",
    )
    what += " / the first article's way"
    needed = clones(material) + ROOM
    free = psutil.virtual_memory().available
    if free < needed:
        fits = max(int((free - ROOM) / (clones(material) / batches)), 0) // 100 * 100
        advice = f"--batches {fits} would fit" if fits else "close other programs"
        yield Line(what, None, detail=f"That way takes {mebibytes(needed)}, {mebibytes(free)} are free; {advice}.")
        return
    first = process("first_way")
    yield Line(
        f"{what}, time",
        seconds / first.seconds,
        detail=f"{seconds:.1f} s / {first.seconds:.1f} s; ours draws for light and dark; "
        f"the limit is {least / first.seconds:.3f}",
    )
    memory = max(cost.memory for cost in taken)
    yield Line(
        f"{what}, most memory at any moment",
        memory / first.memory,
        MEMORY,
        detail=f"{mebibytes(memory)} / {mebibytes(first.memory)}",
    )


def clones(material: Material) -> int:
    """Return the bytes of a float32 clone of every layer's weights for every batch."""
    experiment = material.experiment
    images = material.images
    sizes = (math.prod(images.shape), *experiment.network.hidden, images.classes)
    weights = sum(inputs * outputs for inputs, outputs in itertools.pairwise(sizes))
    return 4 * weights * (experiment.training.batches + 1)
