"""Our network.gif beside what matplotlib offers: FuncAnimation with its PillowWriter, drawing the same frames."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import Material
from benchmarks.measure import Line, alternate, mebibytes, timed
from report.analysis import chain, survey
from report.drawing.animation import clips, geometry, gif, graph

FASTER, SMALLER = 12.0, 1 / 4
Floats = NDArray[np.float64]


def compare(material: Material) -> Iterator[Line]:
    """Draw the same opacities both ways. Ours makes the light and the dark GIF and both posters in its time."""
    experiment, tensors = material.experiment, material.recording.tensors
    layers = chain.drawn(tensors)
    shapes = [tensors[layer].matrix for layer in layers]
    batches = range(1, experiment.animation.frames + 1)
    signed = opacities(material)
    milliseconds = experiment.animation.milliseconds
    sizes: dict[str, int] = {}
    target = material.folder / "func-animation.gif"

    def ours() -> None:
        movie = graph.movie(signed, layers, shapes, batches)
        sizes["ours"] = len(gif.encode(movie, milliseconds).gif["light"])

    def theirs() -> None:
        func_animation(signed, layers, shapes, batches, milliseconds, target)
        sizes["theirs"] = target.stat().st_size

    theirs_s, ours_s, ratios = alternate(lambda: timed(theirs), lambda: timed(ours), material.rounds)
    yield Line(
        f"FuncAnimation with PillowWriter / network.gif, time for {len(batches)} frames",
        statistics.median(ratios),
        FASTER,
        "at least",
        detail=f"{theirs_s:.2f} s / {ours_s:.2f} s, medians of {material.rounds}; single rounds {min(ratios):.2f} to "
        f"{max(ratios):.2f}; ours is light and dark, theirs light",
    )
    yield Line(
        "network.gif / FuncAnimation's, bytes",
        sizes["ours"] / sizes["theirs"],
        SMALLER,
        detail=f"{mebibytes(sizes['ours'])} / {mebibytes(sizes['theirs'])}",
    )


def opacities(material: Material) -> Floats:
    """Return (frames, edges) signed opacities of the recorded run, as network.gif shows them."""
    recording = material.recording
    layers = chain.drawn(recording.tensors)
    laws = {layer: law for layer in layers if (law := survey.law(recording, layer, layers)) is not None}
    plain = {layer: {"mean": law.mean, "threshold": law.threshold} for layer, law in laws.items()}
    return clips.edges(recording, layers, range(1, material.experiment.animation.frames + 1), plain)


def func_animation(
    signed: Floats,
    layers: tuple[str, ...],
    shapes: list[tuple[int, int]],
    batches: range,
    milliseconds: int,
    target: Path,
) -> None:
    """Write the frames as matplotlib's users would: a LineCollection whose colours change, saved by PillowWriter."""
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    places = geometry.network([shapes[0][1], *(outputs for outputs, _ in shapes)])
    figure = Figure(figsize=(places.width / 100, places.height / 100), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, places.width)
    axes.set_ylim(places.height, 0)
    edges = LineCollection(list(places.segments()), linewidths=0.72 * geometry.LINE_WIDTH)  # points
    axes.add_collection(edges)
    for x, column, radius in zip(places.columns, places.nodes, places.radii, strict=True):
        for y in column:
            axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor="black", linewidth=0.72, zorder=3))
    for index, layer in enumerate(layers):
        axes.text(sum(places.columns[index : index + 2]) / 2, places.height - 50, layer, ha="center")
    title = axes.text(36, 50, "")

    def show(frame: int) -> tuple[Any, ...]:
        colours = np.zeros((signed.shape[1], 4))
        colours[:, 0] = signed[frame] > 0
        colours[:, 2] = signed[frame] < 0
        colours[:, 3] = np.abs(signed[frame])
        edges.set_colors(list(map(tuple, colours)))
        title.set_text(f"batch {batches[frame]}")
        return edges, title

    animation = FuncAnimation(figure, show, frames=len(batches), interval=milliseconds)
    animation.save(target, writer=PillowWriter(fps=round(1000 / milliseconds)))
