"""From a recording to a film: which of the drawings an animation is, and what it is given."""

from collections.abc import Mapping, Sequence
from typing import Any

from report.drawing.animation import clips, flashes, graph, matrix, pixels
from report.drawing.animation.clips import Clip
from report.drawing.animation.gif import Movie
from report.drawing.animation.palette import SCHEMES
from report.recording import Recording

LAYER_SIZE = (640, 640)  # pixels of the graph of one layer, large enough to follow one edge


def most_bytes(clip: Clip) -> int:
    """Return how large a file of `clip` should be at most: what a phone loads in a few seconds."""
    return 2_000_000 if len(clip.layers) == 1 else 6_000_000


def film(clip: Clip, recordings: Sequence[Recording], laws: Mapping[str, Any], coarse: int = 1) -> Movie:
    """Return the film of `clip`; each call starts it anew.

    Args:
        clip: what is shown.
        recordings: its training runs, the main one first.
        laws: for each layer of the main one, the `mean` and `threshold` of all its batches.
        coarse: 1, or a power of 2 by which colours are held longer, for a smaller file.
    """
    main, layer, layers, batches = recordings[0], clip.layers[0], clip.layers, clip.batches
    shapes = [main.experiment.shape(name) for name in layers]
    if clip.kind == "pixels":
        return pixels.movie(clips.amounts(main, layer, batches), batches, layer, shapes[0], coarse)
    if clip.kind == "matrix":
        law = clips.visible_law(main, layer, batches, laws[layer])
        movie = matrix.movie(lambda: clips.matrices(main, layer, batches, law), batches, layer, shapes[0], coarse)
        movie.facts["limit"] = law["threshold"]
        return movie
    if clip.kind == "pair":
        equal = [clips.equal_laws(run, layers, batches) for run in recordings]
        signed = [clips.edges(run, layers, batches, own) for run, own in zip(recordings, equal, strict=True)]
        for opacities in signed:
            opacities[abs(opacities) < clips.LEFT_OUT] = 0
        movie = graph.pair(signed, [optimizer.label for optimizer in clip.optimizers], layers, shapes, batches, coarse)
        movie.facts["thresholds"] = [{name: own[name]["threshold"] for name in layers} for own in equal]
        movie.facts.update(full_share=clips.FULL_SHARE, left_out=clips.LEFT_OUT)
        return movie
    size = LAYER_SIZE if len(layers) == 1 else graph.SIZE
    return graph.movie(clips.edges(main, layers, batches, laws), layers, shapes, batches, size, coarse)


def player_flashes(recording: Recording, laws: Mapping[str, Any], milliseconds: float) -> dict[str, dict[str, Any]]:
    """Return for each scheme what flashes while the player shows every recorded batch, in the picture of network.gif.

    Args:
        recording: of the main training run.
        laws: as for `film`.
        milliseconds: that the player shows a batch at its usual speed.
    """
    layers, batches = recording.whole, range(1, recording.batches + 1)
    signed = clips.edges(recording, layers, batches, laws)
    movie = graph.movie(signed, layers, [recording.experiment.shape(layer) for layer in layers], batches)
    schemes = {scheme: movie.palette.colours(scheme) for scheme in SCHEMES}
    watch, results = flashes.watcher(schemes, milliseconds, loops=False)
    for picture in movie.frames:
        watch(picture)
    return results()
