"""Titles, captions and alternative texts, written from what an animation shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from report.drawing.animation.clips import Clip
from report.wording import digits, percent, series

Shapes = Sequence[tuple[int, int]]

COLOURS = (
    "red where the batch moved it up, blue where it moved it down, counted from the layer's mean update, and the more "
    "opaque the larger the update"
)


def describe(
    clip: Clip, shapes: Shapes, entry: Mapping[str, Any], laws: Mapping[str, Any], milliseconds: int
) -> dict[str, str]:
    """Return `title`, `caption` and `alt` of an animation.

    Args:
        clip: what it shows.
        shapes: (outputs, inputs) of each of its layers.
        entry: its part of the manifest: `poster_batch`, `milliseconds` and the `facts` found while drawing.
        laws: for each layer its `threshold`.
        milliseconds: that a frame was wanted to stay.
    """
    kinds = {"pixels": _pixels, "matrix": _matrix, "graph": _graph, "pair": _pair}
    text = kinds[clip.kind](clip, shapes, entry, laws)
    if entry["milliseconds"] > milliseconds:
        text["caption"] += (
            f" Each frame stays for {entry['milliseconds']} ms instead of {milliseconds}, so that nothing flashes more "
            "than three times a second."
        )
    return text


def _pixels(clip: Clip, shapes: Shapes, entry: Mapping[str, Any], laws: Mapping[str, Any]) -> dict[str, str]:
    facts, name, when = entry["facts"], _names(clip, shapes), _when(clip.batches)
    rows, columns = facts["picture"]
    return {
        "title": f"{name}: how much each pixel's weights move, {when}",
        "caption": (
            f"One cell is one pixel of the input image; the stronger its colour, the more the {shapes[0][0]:,} "
            f"weights that leave it moved in that batch, on average. A pixel that is blank in every image of a "
            f"batch gets no gradient from that batch. The scale is the same in all frames; "
            f"{percent(facts['beyond'])} of the cells lie beyond its end, {digits(facts['top'], 2)}."
        ),
        "alt": (
            f"Animation of a {rows} by {columns} grid, one cell for each pixel of the input, coloured by how much the "
            f"pixel's weights in {name} changed, {when}. The still picture shows batch {entry['poster_batch']:,}."
        ),
    }


def _matrix(clip: Clip, shapes: Shapes, entry: Mapping[str, Any], laws: Mapping[str, Any]) -> dict[str, str]:
    facts, name, when = entry["facts"], _names(clip, shapes), _when(clip.batches)
    threshold = laws[clip.layers[0]]["threshold"]
    why = (
        f" That is less than the layer's threshold τ, {digits(threshold, 2)}, at which hardly a cell would be seen."
        if facts["limit"] < threshold
        else ""
    )
    return {
        "title": f"{name}, cell by cell, {when}",
        "caption": (
            f"One cell is one of the {facts['weights']:,} weights of {name}: {COLOURS}; full colour from "
            f"{digits(facts['limit'], 2)} on.{why} Rows are inputs, those whose weights moved most in these batches on "
            "top; columns are outputs, those that move alike side by side."
        ),
        "alt": (
            f"Animation of the weight matrix of {name}, one cell a weight, red for up and blue for down, {when}. "
            f"In the still picture, batch {entry['poster_batch']:,}, {facts['strong']:,} of {facts['weights']:,} cells "
            "have a quarter of the full colour or more."
        ),
    }


def _graph(clip: Clip, shapes: Shapes, entry: Mapping[str, Any], laws: Mapping[str, Any]) -> dict[str, str]:
    facts, name, when = entry["facts"], _names(clip, shapes), _when(clip.batches)
    limits = _limits(clip.layers, {layer: laws[layer]["threshold"] for layer in clip.layers})
    return {
        "title": f"{name}, weight by weight, {when}",
        "caption": (
            f"One line is one of the {facts['weights']:,} weights of {name}: {COLOURS}; full colour from {limits} on."
        ),
        "alt": (
            f"Animation of a graph: columns of {_nodes(shapes)} nodes, joined by one line for each weight of {name}, "
            f"red for up and blue for down, {when}. In the still picture, batch {entry['poster_batch']:,}, "
            f"{facts['strong']:,} of {facts['weights']:,} lines deviate by half the threshold or more."
        ),
    }


def _pair(clip: Clip, shapes: Shapes, entry: Mapping[str, Any], laws: Mapping[str, Any]) -> dict[str, str]:
    """Say what the two sides share and what they do not; each has laws of its own, so `laws` are not needed."""
    facts, when = entry["facts"], _when(clip.batches)
    names, thresholds = facts["names"], facts["thresholds"]
    beside = f"{names[0]}, beside {names[1]}"
    limits = "; ".join(f"{name}: {_limits(clip.layers, own)}" for name, own in zip(names, thresholds, strict=True))
    stays = [
        f"{percent(kept, 0)} ({name})" for name, kept in zip(names, facts["stays"], strict=True) if kept is not None
    ]
    staying = (
        " Of the lines with a quarter of the full colour or more, so many have it in the next batch too, in the same "
        f"colour: {series(stays)}."
        if stays
        else ""
    )
    return {
        "title": f"{beside}: the same batches, {when}",
        "caption": (
            "Two training runs with the same initial weights, the same batches and the same dropout masks, in step; "
            f"only the optimizer differs. One line is one of the {facts['weights']:,} weights of "
            f"{_names(clip, shapes)}: {COLOURS}. Sizes of updates cannot be compared between optimizers, directions "
            f"can: on either side, {percent(facts['full_share'])} of each layer's updates in these batches has the "
            f"full colour, that is from here on ({limits}); what has less than {percent(facts['left_out'], 0)} of it "
            f"is left out.{staying}"
        ),
        "alt": (
            f"Animation of two graphs side by side, {beside}: in each, columns of {_nodes(shapes)} nodes, joined by "
            f"one line for each weight, red for up and blue for down, {when}. In the still picture, batch "
            f"{entry['poster_batch']:,}, {facts['strong'][0]:,} lines on the left and {facts['strong'][1]:,} on the "
            "right deviate by half the threshold or more."
        ),
    }


def _names(clip: Clip, shapes: Shapes) -> str:
    """Name the layers with their shapes: `l4 (10 → 10)`."""
    return series([f"{layer} ({i:,} → {o:,})" for layer, (o, i) in zip(clip.layers, shapes, strict=True)])


def _nodes(shapes: Shapes) -> str:
    """Say how many nodes each column has."""
    return series([f"{size:,}" for size in (shapes[0][1], *(outputs for outputs, _ in shapes))])


def _limits(layers: Sequence[str], thresholds: Mapping[str, float]) -> str:
    """Say from which size on a colour is full, in each layer."""
    return series([f"{digits(thresholds[layer], 2)} in {layer}" for layer in layers])


def _when(batches: range) -> str:
    """Say which batches, in words."""
    first, last = batches[0], batches[-1]
    if first == last:
        return f"batch {first:,}"
    step = "" if batches.step == 1 else f", one in {batches.step:,}"
    return f"batches {first:,}–{last:,}{step}"
