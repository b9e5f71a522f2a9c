"""The animations: what a frame shows, and how frames become a GIF.

In the order the data goes: `clips` (which batches of which layers), `colour` (the first article's law), `geometry`
(where nodes and edges lie), `graph`, `pixels` and `matrix` (frames), `overlay`, `sheet` and `palette` (what they are
drawn with), `gif` (files), `words` (captions).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from report import workspace as files
from report.animation import clips, words
from report.animation.clips import Clip
from report.config import Experiment
from report.errors import ReportError
from report.freshness import Ledger, code_digest, digest
from report.recording import Recording
from report.workspace import Workspace

Progress = Callable[[int, int, str], None]

HERE = Path(__file__).parent
LAYER_SIZE = (640, 640)  # pixels of the graph of one layer, large enough to follow one edge
SCHEMES = {"light": "", "dark": "-dark"}  # what each scheme adds to a file's name


def render(workspace: Workspace, experiment: Experiment, report_progress: Progress) -> None:
    """Make every animation of the main run that is not fresh, and the manifest that pages read.

    Raises:
        ReportError: when there is no complete training run or no results.
    """
    recording = Recording.open(workspace.run(experiment.main_run))
    laws = _laws(workspace, experiment)
    ledger = Ledger(workspace.ledger)
    known = _known(workspace)
    # Words are written anew each time: a better sentence must not cost a new drawing.
    drawing = code_digest(*(path for path in sorted(HERE.glob("*.py")) if path.name not in ("words.py", "__init__.py")))
    plan = clips.plan(experiment)
    keys = {}
    for clip in plan:
        part = [clip.kind, clip.layers, list(clip.batches), experiment.animation.milliseconds, LAYER_SIZE]
        keys[clip.name] = digest(
            recording.path / "run.json", part, {layer: laws[layer] for layer in clip.layers}, drawing
        )
    stale = [
        clip
        for clip in plan
        if clip.name not in known
        or not ledger.is_fresh(_product(clip), keys[clip.name], _outputs(workspace, clip).values())
    ]
    for done, clip in enumerate(stale, 1):
        known[clip.name] = _draw(workspace, experiment, recording, clip, laws)
        # The manifest first: a ledger that is ahead of it would call a lost entry fresh.
        files.write_json(workspace.animations_manifest, known)
        ledger.record(_product(clip), keys[clip.name], list(_outputs(workspace, clip).values()))
        report_progress(done, len(stale), f"{clip.name}.gif")
    manifest = {clip.name: _entry(experiment, clip, known[clip.name], laws) for clip in plan}
    files.write_json(workspace.animations_manifest, manifest)
    _remove_strangers(workspace, plan)


def _draw(
    workspace: Workspace, experiment: Experiment, recording: Recording, clip: Clip, laws: dict[str, Any]
) -> dict[str, Any]:
    """Write the four files of an animation; return what the manifest says of them."""
    from report.animation import gif, graph, matrix, pixels

    shapes = [experiment.shape(layer) for layer in clip.layers]
    layer = clip.layers[0]
    if clip.kind == "pixels":
        movie = pixels.movie(clips.amounts(recording, layer, clip.batches), clip.batches, layer, shapes[0])
    elif clip.kind == "matrix":
        movie = matrix.movie(
            lambda: clips.matrices(recording, layer, clip.batches, laws[layer]), clip.batches, layer, shapes[0]
        )
    else:
        signed = clips.edges(recording, clip.layers, clip.batches, laws)
        size = {"size": LAYER_SIZE} if clip.name.startswith("layer-") else {}
        movie = graph.movie(signed, clip.layers, shapes, clip.batches, **size)
    pictures = gif.encode(movie, experiment.animation.milliseconds)
    outputs = _outputs(workspace, clip)
    for scheme in SCHEMES:
        files.write_bytes(outputs[f"gif-{scheme}"], pictures.gif[scheme])
        files.write_bytes(outputs[f"poster-{scheme}"], pictures.poster[scheme])
    return {
        "width": pictures.width,
        "height": pictures.height,
        "frames": pictures.frames,
        "poster_batch": clip.batches[movie.poster],
        "bytes": {scheme: len(pictures.gif[scheme]) for scheme in SCHEMES},
        "facts": movie.facts,
    }


def _entry(experiment: Experiment, clip: Clip, drawn: dict[str, Any], laws: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest's entry of an animation that has been drawn."""
    shapes = [experiment.shape(layer) for layer in clip.layers]
    return {
        **{key: drawn[key] for key in ("width", "height", "frames", "poster_batch", "bytes", "facts")},
        **words.describe(clip.kind, clip.layers, shapes, clip.batches, drawn, laws),
        "gif": {scheme: f"animations/{clip.name}{ending}.gif" for scheme, ending in SCHEMES.items()},
        "poster": {scheme: f"animations/{clip.name}{ending}.png" for scheme, ending in SCHEMES.items()},
        "milliseconds": experiment.animation.milliseconds,
        "first_batch": clip.batches[0],
        "last_batch": clip.batches[-1],
        "step": clip.batches.step,
        "layer": clip.layers[0] if clip.name.startswith("layer-") else None,
        "code": {"path": f"report/animation/{clip.kind}.py", "line": _line_of_movie(clip.kind)},
    }


def _laws(workspace: Workspace, experiment: Experiment) -> dict[str, Any]:
    """Return, for each layer of the main run, the mean and the threshold that the analysis found."""
    results = files.read_json(workspace.results)
    try:
        laws = results["threshold"][experiment.main_run]
        return {layer: {name: laws[layer][name] for name in ("mean", "threshold")} for layer in experiment.layers}
    except (KeyError, TypeError) as error:
        raise ReportError(
            f"{workspace.results} has no threshold of {experiment.main_run} ({error}). "
            'Run "python -m report analyse" first.'
        ) from error


def _known(workspace: Workspace) -> dict[str, Any]:
    """Return what the manifest already says; nothing where there is none that can be read."""
    try:
        known = files.read_json(workspace.animations_manifest)
    except ReportError:
        return {}
    return {name: entry for name, entry in known.items() if "facts" in entry} if isinstance(known, dict) else {}


def _outputs(workspace: Workspace, clip: Clip) -> dict[str, Path]:
    """Return the files of an animation."""
    return {
        f"{kind}-{scheme}": workspace.animations / f"{clip.name}{ending}{suffix}"
        for kind, suffix in (("gif", ".gif"), ("poster", ".png"))
        for scheme, ending in SCHEMES.items()
    }


def _product(clip: Clip) -> str:
    """Return the name of an animation in the ledger."""
    return f"animation {clip.name}"


def _remove_strangers(workspace: Workspace, plan: list[Clip]) -> None:
    """Remove pictures of an earlier experiment, which the site would otherwise publish."""
    wanted = {path for clip in plan for path in _outputs(workspace, clip).values()}
    for path in sorted(workspace.animations.glob("*.[gp][in][fg]")):
        if path not in wanted:
            path.unlink()


def _line_of_movie(kind: str) -> int:
    """Return the line where the drawing of a kind of animation starts, without importing what it draws with."""
    lines = (HERE / f"{kind}.py").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith("def movie("))
