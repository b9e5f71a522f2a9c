"""Titles, captions and alternative texts, written from what an animation shows."""

from collections.abc import Sequence
from typing import Any

from report.animation.numerals import number


def series(parts: Sequence[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def describe(
    kind: str,
    layers: Sequence[str],
    shapes: Sequence[tuple[int, int]],
    batches: range,
    entry: dict[str, Any],
    thresholds: dict[str, Any],
) -> dict[str, str]:
    """Return `title`, `caption` and `alt` of an animation.

    Args:
        kind: "graph", "pixels" or "matrix".
        layers: whose weights it shows.
        shapes: (outputs, inputs) of each.
        batches: one a frame.
        entry: its part of the manifest, with `poster_batch` and the `facts` found while drawing.
        thresholds: for each layer its `threshold`.
    """
    names = series([f"{layer} ({i:,} → {o:,})" for layer, (o, i) in zip(layers, shapes, strict=True)])
    when = _when(batches)
    facts, poster = entry["facts"], f"batch {entry['poster_batch']:,}"
    weights = f"{facts['weights']:,}"
    if kind == "pixels":
        return {
            "title": f"{names}: how much each pixel's weights move, {when}",
            "caption": (
                f"One cell is one pixel of the input image; the stronger its colour, the more the {shapes[0][0]:,} "
                f"weights that leave it moved in that batch, on average. A pixel that is blank in every image of a "
                f"batch gets no gradient from that batch. The scale is the same in all frames; "
                f"{_share(facts['beyond'])} of the cells lie beyond its end, {number(facts['top'])}."
            ),
            "alt": (
                f"Animation of a 28 by 28 grid, one cell for each pixel of the input, coloured by how much the "
                f"pixel's weights in {names} changed, {when}. The still picture shows {poster}."
            ),
        }
    limits = series([f"{number(thresholds[layer]['threshold'])} in {layer}" for layer in layers])
    law = (
        "red where the batch moved it up, blue where it moved it down, counted from the layer's mean update, and the "
        f"more opaque the larger the update; full colour from {limits} on."
    )
    share = f"{facts['strong']:,} of {weights}"
    if kind == "matrix":
        return {
            "title": f"{names}, cell by cell, {when}",
            "caption": (
                f"One cell is one of the {weights} weights of {names}: {law} Rows are inputs, those whose weights "
                "moved most in these batches on top; columns are outputs, those that move alike side by side."
            ),
            "alt": (
                f"Animation of the weight matrix of {names}, one cell a weight, red for up and blue for down, {when}. "
                f"In the still picture, {poster}, {share} cells deviate by half the threshold or more."
            ),
        }
    nodes = series([f"{size:,}" for size in (shapes[0][1], *(outputs for outputs, _ in shapes))])
    return {
        "title": f"{names}, weight by weight, {when}",
        "caption": f"One line is one of the {weights} weights of {names}: {law}",
        "alt": (
            f"Animation of a graph: columns of {nodes} nodes, joined by one line for each weight of {names}, red for "
            f"up and blue for down, {when}. In the still picture, {poster}, {share} lines deviate by half the "
            "threshold or more."
        ),
    }


def _when(batches: range) -> str:
    """Say which batches, in words."""
    first, last = batches[0], batches[-1]
    if first == last:
        return f"batch {first:,}"
    step = "" if batches.step == 1 else f", one in {batches.step:,}"
    return f"batches {first:,}–{last:,}{step}"


def _share(fraction: float) -> str:
    """Return a fraction as a percentage with at most two significant digits."""
    return f"{100 * fraction:.2g} %"
