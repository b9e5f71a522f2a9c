"""From a clip to its files: which of the drawings it is, what that is given, and how it becomes safe and small."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from report import files
from report.drawing.animation import clips, flashes, gif, graph, matrix, pixels
from report.drawing.animation.clips import Clip
from report.drawing.animation.gif import Movie, Pictures
from report.drawing.animation.palette import SCHEMES
from report.recording.reader import Recording

LAYER_SIZE = (500, 560)  # pixels of the graph of one layer: no wider than what a phone shows with words of 11 pixels
COARSEST = 4  # times coarser than wanted are the colours of an animation that would be too large; then it is as it is


def write(
    outputs: Mapping[str, Path], note: Path, clip: Clip, folders: Sequence[Path], laws: Mapping[str, Any], wanted: int
) -> None:
    """Write the four files of an animation, and a note of what was found while it was drawn.

    Args:
        outputs: where its GIF and its poster go, `gif-light` and so on.
        note: where the note goes.
        clip: what is shown.
        folders: of its recordings, the main one first.
        laws: see `develop`.
        wanted: how long a frame should stay, milliseconds.
    """
    pictures, found = develop(clip, [Recording.open(folder) for folder in folders], laws, wanted)
    for scheme in SCHEMES:
        files.write_bytes(outputs[f"gif-{scheme}"], pictures.gif[scheme])
        files.write_bytes(outputs[f"poster-{scheme}"], pictures.poster[scheme])
    files.write_json(note, found)


def develop(
    clip: Clip, recordings: Sequence[Recording], laws: Mapping[str, Any], milliseconds: int
) -> tuple[Pictures, dict[str, Any]]:
    """Return the files of `clip`, and what the manifest says of them.

    One that would flash too often at the wanted pace is made again, slow enough; one that would be too large is made
    again with coarser colours.

    Args:
        clip: what is shown.
        recordings: its recordings, the main one first.
        laws: for each layer of the main one, the `mean` and `threshold` of all its batches.
        milliseconds: how long a frame should stay.
    """
    coarse = 1
    while True:
        with warnings.catch_warnings():
            # A name may have letters that the font lacks: a box stands for each.
            warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
            movie = film(clip, recordings, laws, coarse)
            colours = {scheme: movie.palette.colours(scheme) for scheme in SCHEMES}
            watch, found = flashes.watcher(colours, milliseconds)
            pictures = gif.encode(movie, milliseconds, watch)
        flashing = found()
        if milliseconds < flashes.SLOW and not all(scheme["safe"] for scheme in flashing.values()):
            milliseconds = flashes.SLOW
        elif coarse < COARSEST and len(pictures.gif["light"]) > most_bytes(clip):
            coarse *= 2
        else:
            break
    return pictures, {
        "width": pictures.width,
        "height": pictures.height,
        "frames": pictures.frames,
        "milliseconds": pictures.milliseconds,
        "poster_batch": clip.batches[movie.poster],
        "bytes": {scheme: len(pictures.gif[scheme]) for scheme in SCHEMES},
        "flashes": flashing,
        "facts": movie.facts,
    }


def most_bytes(clip: Clip) -> int:
    """Return how large a file of `clip` should be at most: what a phone loads in a few seconds."""
    return 2_000_000 if len(clip.layers) == 1 else 6_000_000


def film(clip: Clip, recordings: Sequence[Recording], laws: Mapping[str, Any], coarse: int = 1) -> Movie:
    """Return the film of `clip`; each call starts it anew.

    Args:
        clip: what is shown.
        recordings: its recordings, the main one first.
        laws: as for `develop`.
        coarse: 1, or a power of 2 by which colours are held longer, for a smaller file.
    """
    main, layer, layers, batches = recordings[0], clip.layers[0], clip.layers, clip.batches
    shapes = [main.tensors[name].matrix for name in layers]
    if clip.kind == "pixels":
        amounts = clips.amounts(main, layer, batches)
        return pixels.movie(amounts, batches, layer, shapes[0], clips.picture(main), coarse)
    if clip.kind == "matrix":
        law = clips.visible_law(main, layer, batches, laws[layer])
        movie = matrix.movie(lambda: clips.matrices(main, layer, batches, law), batches, layer, shapes[0], coarse)
        movie.facts["limit"] = law["threshold"]
        return movie
    if clip.kind == "pair":
        signed = [clips.edges(run, layers, batches, clips.equal_laws(run, layers, batches)) for run in recordings]
        for opacities in signed:
            opacities[abs(opacities) < clips.LEFT_OUT] = 0
        movie = graph.pair(signed, clips.settings(clip.labels), layers, shapes, batches, coarse)
        movie.facts.update(full_share=clips.FULL_SHARE, left_out=clips.LEFT_OUT)
        return movie
    size = LAYER_SIZE if len(layers) == 1 else graph.SIZE
    return graph.movie(clips.edges(main, layers, batches, laws), layers, shapes, batches, size, coarse)
