"""Make the animations, several at a time, and those alone that must be made again."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from report import files
from report.drawing import scales
from report.drawing.animation import clips, words
from report.drawing.animation.clips import Clip, Pace
from report.drawing.scales import Laws
from report.errors import ReportError
from report.freshness import Ledger, code_digest, digest, imported
from report.recording.reader import Recording
from report.recording.study import Study
from report.workspace import Workspace

Progress = Callable[[int, int, str], None]

HERE = Path(__file__).parent
SCHEMES = {"light": "", "dark": "-dark"}  # what each scheme adds to a file's name
DRAWN_WITH = ("matplotlib", "numpy", "pillow", "scipy")  # what else decides the bytes of a file
STARTS = {  # where the drawing of each kind begins: file and function
    "graph": ("graph.py", "movie"),
    "matrix": ("matrix.py", "movie"),
    "pair": ("graph.py", "pair"),
    "pixels": ("pixels.py", "movie"),
}


def render(workspace: Workspace, study: Study, pace: Pace, report_progress: Progress) -> None:
    """Make every animation that is not fresh, and the manifest that pages read.

    Raises:
        ReportError: when there are no results, or a process that draws died.
    """
    laws, drawn = scales.read(workspace, study)
    plan = clips.plan(study, pace, drawn, laws)
    ledger = Ledger(workspace.ledger)
    known = _known(workspace)
    keys = {clip.name: _key(study, clip, laws, pace) for clip in plan}
    stale = [
        clip
        for clip in plan
        if clip.name not in known
        or not ledger.is_fresh(_product(clip), keys[clip.name], _outputs(workspace, clip).values())
    ]
    for done, (clip, found) in enumerate(_draw_all(workspace, study, stale, laws, pace), 1):
        known[clip.name] = found
        # The manifest first: a ledger that is ahead of it would call a lost entry fresh.
        files.write_json(workspace.animations_manifest, known)
        ledger.record(_product(clip), keys[clip.name], list(_outputs(workspace, clip).values()))
        report_progress(done, len(stale), f"{clip.name}.gif")
    manifest = {clip.name: _entry(study, clip, known[clip.name], laws, pace) for clip in plan}
    files.write_json(workspace.animations_manifest, manifest)
    _remove_strangers(workspace, plan)


def _key(study: Study, clip: Clip, laws: Laws, pace: Pace) -> str:
    """Return the key of all that decides an animation's bytes."""
    shown = [clips.identity(recording, clip.layers, clip.batches[-1]) for recording in clip.recordings(study)]
    part = [clip.kind, clip.layers, list(clip.batches), clip.labels, pace.milliseconds]
    # Words are written anew each time: a better sentence must not cost a new drawing.
    code = code_digest(*imported(HERE / "films.py"))
    return digest(
        shown, part, {layer: laws[layer] for layer in clip.layers}, code, [version(name) for name in DRAWN_WITH]
    )


def _draw_all(
    workspace: Workspace, study: Study, plan: Sequence[Clip], laws: Laws, pace: Pace
) -> Iterator[tuple[Clip, dict[str, Any]]]:
    """Draw animations side by side, as many as there are cores; yield each with what `_draw` returns, when it is done.

    Raises:
        ReportError: when a process died.
    """
    jobs = {
        clip: (_outputs(workspace, clip), clip, [each.path for each in clip.recordings(study)], laws, pace.milliseconds)
        for clip in plan
    }
    count = min(cores(), len(jobs))
    if count < 2:
        yield from ((clip, _draw(*job)) for clip, job in jobs.items())
        return
    from pebble import ProcessExpired, ProcessPool  # here, because it loads asyncio, which a fresh build never needs

    resource_tracker.ensure_running()  # its start would let Ctrl-C through again
    pool = ProcessPool(count, context=multiprocessing.get_context("spawn"))
    # Processes and threads that start now, and those that replace them, never hear Ctrl-C: this thread answers it for
    # all.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        futures: dict[Future[dict[str, Any]], Clip] = {pool.schedule(_draw, job): clip for clip, job in jobs.items()}
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except (ProcessExpired, BrokenProcessPool):
                raise ReportError(
                    f"The process that drew {futures[future].name}.gif died, perhaps for want of memory. Run the "
                    "command again; what is drawn is kept."
                ) from None
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _draw(
    outputs: Mapping[str, Path], clip: Clip, folders: Sequence[Path], laws: Laws, milliseconds: int
) -> dict[str, Any]:
    """Write the four files of an animation; return what the manifest says of them."""
    from report.drawing.animation import films

    pictures, found = films.develop(clip, [Recording.open(folder) for folder in folders], laws, milliseconds)
    for scheme in SCHEMES:
        files.write_bytes(outputs[f"gif-{scheme}"], pictures.gif[scheme])
        files.write_bytes(outputs[f"poster-{scheme}"], pictures.poster[scheme])
    return found


def _entry(study: Study, clip: Clip, found: dict[str, Any], laws: Laws, pace: Pace) -> dict[str, Any]:
    """Return the manifest's entry of an animation that has been drawn."""
    shapes = [study.main.tensors[layer].matrix for layer in clip.layers]
    file, function = STARTS[clip.kind]
    kept = ("width", "height", "frames", "milliseconds", "poster_batch", "bytes", "flashes", "facts")
    return {
        **{key: found[key] for key in kept},
        **words.describe(clip, shapes, found, laws, pace.milliseconds),
        "gif": {scheme: f"animations/{clip.name}{ending}.gif" for scheme, ending in SCHEMES.items()},
        "poster": {scheme: f"animations/{clip.name}{ending}.png" for scheme, ending in SCHEMES.items()},
        "runs": [recording.name for recording in clip.recordings(study)],
        "first_batch": clip.batches[0],
        "last_batch": clip.batches[-1],
        "step": clip.batches.step,
        "layer": clip.layers[0] if clip.name.startswith("layer-") else None,
        "code": {"path": f"report/drawing/animation/{file}", "line": _line_of(file, function)},
    }


def _known(workspace: Workspace) -> dict[str, Any]:
    """Return what the manifest already says; nothing where there is none that can be read."""
    known = files.read_json(workspace.animations_manifest, default={})
    return {name: entry for name, entry in known.items() if "flashes" in entry}


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


def _remove_strangers(workspace: Workspace, plan: Sequence[Clip]) -> None:
    """Remove pictures of other recordings, which the site would otherwise publish."""
    wanted = {path for clip in plan for path in _outputs(workspace, clip).values()}
    for path in sorted(workspace.animations.glob("*.[gp][in][fg]")):
        if path not in wanted:
            path.unlink()


def _line_of(file: str, function: str) -> int:
    """Return the line where a function of this package starts, without importing what it draws with."""
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(f"def {function}("))
