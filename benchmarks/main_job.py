"""The whole main job beside the first article's way of doing it: time on the clock and memory of whole processes."""

import itertools
import math
from collections.abc import Iterator

import psutil

from benchmarks.material import Material
from benchmarks.measure import Line, mebibytes, watch

TIME, MEMORY = 1 / 4, 1 / 8
ROOM = 3 * 2**30  # bytes that the first article's way takes beside its clones: lists of single numbers, torch


def compare(material: Material) -> Iterator[Line]:
    """Do both once: they take minutes, and what is compared differs by more than a machine's noise."""
    experiment = material.experiment
    batches = experiment.training.batches
    needed = clones(material) + ROOM
    free = psutil.virtual_memory().available
    what = f"main job of {batches:,} batches / the first article's way"
    if free < needed:
        fits = max(int((free - ROOM) / (clones(material) / batches)), 0) // 100 * 100
        advice = f"--batches {fits} would fit" if fits else "close other programs"
        yield Line(what, None, detail=f"That way takes {mebibytes(needed)}, {mebibytes(free)} are free; {advice}.")
        return
    common = ["--experiment", str(material.experiment_file), "--build", str(material.workspace.build)]
    own = ["--site", str(material.workspace.site)]
    ours = watch([["-m", "report", stage, *common, *own] for stage in ("train", "analyse", "draw")])
    pictures = material.folder / "first-way"
    first = watch([["-m", "benchmarks.first_way", *common, "--out", str(pictures), "--all-pictures"]])
    article = float(first.output.rpartition("\narticle ")[2].split()[0])
    yield Line(
        f"{what}, time, with the same animations on both sides",
        ours.seconds / first.seconds,
        TIME,
        detail=f"{ours.seconds:.1f} s / {first.seconds:.1f} s; ours draws them and the figures for light and dark",
    )
    yield Line(
        f"{what}, time, until its one animation and four figures are there",
        ours.seconds / article,
        detail=f"{ours.seconds:.1f} s / {article:.1f} s",
    )
    yield Line(
        f"{what}, most memory at any moment",
        ours.memory / first.memory,
        MEMORY,
        detail=f"{mebibytes(ours.memory)} / {mebibytes(first.memory)}",
    )


def clones(material: Material) -> int:
    """Return the bytes of a float32 clone of every layer's weights for every batch."""
    experiment = material.experiment
    images = material.images
    sizes = (math.prod(images.shape), *experiment.network.hidden, images.classes)
    weights = sum(inputs * outputs for inputs, outputs in itertools.pairwise(sizes))
    return 4 * weights * (experiment.training.batches + 1)
