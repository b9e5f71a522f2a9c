"""The animations: what a frame shows, and how frames become a GIF.

In the order the data goes: `clips` (which batches of which layers), `colour` (the first article's law), `geometry`
(where nodes and edges lie), `graph`, `pixels` and `matrix` (frames), `overlay`, `sheet` and `palette` (what they are
drawn with), `films` (which drawing a clip is), `gif` (files), `flashes` (are they safe to look at), `words` (captions).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from report import files
from report.config import Experiment
from report.drawing.animation import clips, words
from report.drawing.animation.clips import Clip
from report.errors import ReportError
from report.freshness import Ledger, code_digest, digest
from report.recording import Recording
from report.training import workers
from report.workspace import Workspace

Progress = Callable[[int, int, str], None]

HERE = Path(__file__).parent
SCHEMES = {"light": "", "dark": "-dark"}  # what each scheme adds to a file's name
COARSEST = 4  # times coarser than wanted are the colours of an animation that would be too large; then it is as it is
STARTS = {  # where the drawing of each kind begins: file and function
    "graph": ("graph.py", "movie"),
    "matrix": ("matrix.py", "movie"),
    "pair": ("graph.py", "pair"),
    "pixels": ("pixels.py", "movie"),
}


def render(workspace: Workspace, experiment: Experiment, report_progress: Progress) -> None:
    """Make every animation that is not fresh, and the manifest that pages read.

    Raises:
        ReportError: when there is no complete training run or no results.
    """
    laws, control = _read_results(workspace, experiment)
    ledger = Ledger(workspace.ledger)
    known = _known(workspace)
    plan = clips.plan(experiment, control)
    keys = {clip.name: _key(workspace, experiment, clip, laws) for clip in plan}
    stale = [
        clip
        for clip in plan
        if clip.name not in known
        or not ledger.is_fresh(_product(clip), keys[clip.name], _outputs(workspace, clip).values())
    ]
    for done, (clip, drawn) in enumerate(_draw_all(workspace, experiment, stale, laws), 1):
        known[clip.name] = drawn
        # The manifest first: a ledger that is ahead of it would call a lost entry fresh.
        files.write_json(workspace.animations_manifest, known)
        ledger.record(_product(clip), keys[clip.name], list(_outputs(workspace, clip).values()))
        report_progress(done, len(stale), f"{clip.name}.gif")
    manifest = {clip.name: _entry(experiment, clip, known[clip.name], laws) for clip in plan}
    files.write_json(workspace.animations_manifest, manifest)
    _remove_strangers(workspace, plan)


def _key(workspace: Workspace, experiment: Experiment, clip: Clip, laws: Mapping[str, Any]) -> str:
    """Return the key of all that decides an animation's bytes."""
    from report.analysis import threshold

    recorded = [workspace.run(run) / "run.json" for run in clip.runs(experiment)]
    part = [clip.kind, clip.layers, list(clip.batches), experiment.animation.milliseconds]
    labels = [optimizer.label for optimizer in clip.optimizers]
    # Words are written anew each time: a better sentence must not cost a new drawing.
    drawing = [path for path in sorted(HERE.glob("*.py")) if path.name not in ("words.py", "__init__.py")]
    code = code_digest(*drawing, Path(threshold.__file__))
    return digest(*recorded, part, labels, {layer: laws[layer] for layer in clip.layers}, code)


def _draw_all(
    workspace: Workspace, experiment: Experiment, plan: Sequence[Clip], laws: Mapping[str, Any]
) -> Iterator[tuple[Clip, dict[str, Any]]]:
    """Draw animations side by side, as many as there are cores; yield each with what `_draw` returns, when it is done.

    Raises:
        ReportError: when a process died.
    """
    count = min(workers.cores(experiment), len(plan))
    if count < 2:
        yield from ((clip, _draw(workspace, experiment, clip, laws)) for clip in plan)
        return
    with workers.Processes(count) as processes:
        futures = {processes.submit(_draw, workspace, experiment, clip, laws): clip for clip in plan}
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except BrokenProcessPool:
                raise ReportError(
                    f"The process that drew {futures[future].name}.gif died, perhaps for want of memory. Run the "
                    "command again; what is drawn is kept."
                ) from None


def _draw(workspace: Workspace, experiment: Experiment, clip: Clip, laws: Mapping[str, Any]) -> dict[str, Any]:
    """Write the four files of an animation; return what the manifest says of them.

    One that would flash too often at the wanted pace is made again, slow enough; one that would be too large is made
    again with coarser colours.
    """
    from report.drawing.animation import films, flashes, gif

    recordings = [Recording.open(workspace.run(run)) for run in clip.runs(experiment)]
    milliseconds, coarse = experiment.animation.milliseconds, 1
    while True:
        movie = films.film(clip, recordings, laws, coarse)
        colours = {scheme: movie.palette.colours(scheme) for scheme in SCHEMES}
        watch, found = flashes.watcher(colours, milliseconds, loops=True)
        pictures = gif.encode(movie, milliseconds, watch)
        flashing = found()
        if milliseconds < flashes.SLOW and not all(scheme["safe"] for scheme in flashing.values()):
            milliseconds = flashes.SLOW
        elif coarse < COARSEST and len(pictures.gif["light"]) > films.most_bytes(clip):
            coarse *= 2
        else:
            break
    outputs = _outputs(workspace, clip)
    for scheme in SCHEMES:
        files.write_bytes(outputs[f"gif-{scheme}"], pictures.gif[scheme])
        files.write_bytes(outputs[f"poster-{scheme}"], pictures.poster[scheme])
    return {
        "width": pictures.width,
        "height": pictures.height,
        "frames": pictures.frames,
        "milliseconds": pictures.milliseconds,
        "poster_batch": clip.batches[movie.poster],
        "bytes": {scheme: len(pictures.gif[scheme]) for scheme in SCHEMES},
        "flashes": flashing,
        "facts": movie.facts,
    }


def _entry(experiment: Experiment, clip: Clip, drawn: dict[str, Any], laws: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest's entry of an animation that has been drawn."""
    shapes = [experiment.shape(layer) for layer in clip.layers]
    file, function = STARTS[clip.kind]
    kept = ("width", "height", "frames", "milliseconds", "poster_batch", "bytes", "flashes", "facts")
    return {
        **{key: drawn[key] for key in kept},
        **words.describe(clip, shapes, drawn, laws, experiment.animation.milliseconds),
        "gif": {scheme: f"animations/{clip.name}{ending}.gif" for scheme, ending in SCHEMES.items()},
        "poster": {scheme: f"animations/{clip.name}{ending}.png" for scheme, ending in SCHEMES.items()},
        "runs": list(clip.runs(experiment)),
        "first_batch": clip.batches[0],
        "last_batch": clip.batches[-1],
        "step": clip.batches.step,
        "layer": clip.layers[0] if clip.name.startswith("layer-") else None,
        "code": {"path": f"report/animation/{file}", "line": _line_of(file, function)},
    }


def _read_results(workspace: Workspace, experiment: Experiment) -> tuple[dict[str, Any], Any]:
    """Return the main run's laws, by layer `mean` and `threshold`, and the optimizer to show beside it, or None."""
    results = files.read_json(workspace.results)
    try:
        found = results["threshold"][experiment.main_run]
        laws = {layer: {name: found[layer][name] for name in ("mean", "threshold")} for layer in experiment.layers}
        return laws, clips.beside(experiment, results["study"]["runs"])
    except (KeyError, TypeError) as error:
        raise ReportError(
            f"{workspace.results} does not hold what the animations of {experiment.main_run} need ({error}). "
            'Run "python -m report analyse" first.'
        ) from error


def _known(workspace: Workspace) -> dict[str, Any]:
    """Return what the manifest already says; nothing where there is none that can be read."""
    try:
        known = files.read_json(workspace.animations_manifest)
    except ReportError:
        return {}
    return {name: entry for name, entry in known.items() if "flashes" in entry} if isinstance(known, dict) else {}


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


def _line_of(file: str, function: str) -> int:
    """Return the line where a function of this package starts, without importing what it draws with."""
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(f"def {function}("))
