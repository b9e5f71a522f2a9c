"""The animations: what each is made from, how it is drawn, and the facts that pages may say of it."""

import contextlib
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from report import files
from report.drawing.animation import clips, films
from report.drawing.animation.clips import Clip, Pace
from report.drawing.scales import Laws
from report.products import Product
from report.recording.study import Study
from report.workspace import Workspace

SCHEMES = {"light": "", "dark": "-dark"}  # what each scheme adds to a file's name
STARTS = {  # where the drawing of each kind begins: file and function
    "network": ("graph.py", "movie"),
    "network-long": ("graph.py", "movie"),
    "graph": ("graph.py", "movie"),
    "matrix": ("matrix.py", "movie"),
    "pair": ("graph.py", "pair"),
    "pixels": ("pixels.py", "movie"),
}


def products(workspace: Workspace, study: Study, planned: Sequence[Clip], laws: Laws, pace: Pace) -> list[Product]:
    """Return the animations as products, each of which can be made in a process of its own."""
    return [
        Product(
            f"{clip.name}.gif",
            ("report.drawing.animation.films",),
            functools.partial(_inputs, study, clip, laws, pace),
            functools.partial(_files, workspace, clip),
            functools.partial(
                films.write,
                _outputs(workspace, clip),
                _note(workspace, clip),
                clip,
                [each.path for each in clip.recordings(study)],
                laws,
                pace.milliseconds,
            ),
        )
        for clip in planned
    ]


def describe(workspace: Workspace, study: Study, planned: Sequence[Clip], laws: Laws, pace: Pace) -> None:
    """Write the manifest that pages read; remove other recordings' animations, which the site would publish."""
    found = {clip.name: files.read_json(_note(workspace, clip), "flashes") for clip in planned}
    manifest = {clip.name: _entry(study, clip, found[clip.name], laws, pace) for clip in planned}
    files.write_json(workspace.animations_manifest, manifest)
    _remove_others(workspace, {path for clip in planned for path in _files(workspace, clip)})


def remove(workspace: Workspace) -> None:
    """Remove all animations and what is said of them: nothing shows any."""
    _remove_others(workspace, set())
    workspace.animations_manifest.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # there is none, or somebody put something into it
        workspace.animations.rmdir()


def _remove_others(workspace: Workspace, wanted: set[Path]) -> None:
    for path in [*workspace.animations.glob("*.[gp][in][fg]"), *workspace.drawn.glob("*.gif.json")]:
        if path not in wanted:
            path.unlink()


def _inputs(study: Study, clip: Clip, laws: Laws, pace: Pace) -> list[Any]:
    """Return all that decides an animation's bytes, besides code."""
    shown = [clips.identity(recording, clip.layers, clip.batches[-1]) for recording in clip.recordings(study)]
    part = [clip.kind, clip.layers, list(clip.batches), clip.labels, pace.milliseconds]
    return [shown, part, {layer: laws[layer] for layer in clip.layers}]


def _entry(study: Study, clip: Clip, found: dict[str, Any], laws: Laws, pace: Pace) -> dict[str, Any]:
    """Return the manifest's entry of an animation that has been drawn."""
    file, function = STARTS[clip.kind]
    kept = ("width", "height", "frames", "milliseconds", "poster_batch", "bytes", "flashes")
    return {
        **{key: found[key] for key in kept},
        "kind": clip.kind,
        "said": _said(clip, found, laws, pace),
        "gif": {scheme: f"animations/{clip.name}{ending}.gif" for scheme, ending in SCHEMES.items()},
        "poster": {scheme: f"animations/{clip.name}{ending}.png" for scheme, ending in SCHEMES.items()},
        "seconds": found["frames"] * found["milliseconds"] / 1000,
        "runs": [recording.name for recording in clip.recordings(study)],
        "first_batch": clip.batches[0],
        "last_batch": clip.batches[-1],
        "step": clip.batches.step,
        "layer": clip.layers[0] if clip.name.startswith("layer-") else None,
        "code": {"path": f"report/drawing/animation/{file}", "function": function},
    }


def _said(clip: Clip, found: Mapping[str, Any], laws: Laws, pace: Pace) -> dict[str, Any]:
    """Return the named facts that captions state, or choose their sentences by."""
    facts, limits = found["facts"], [laws[layer]["threshold"] for layer in clip.layers]
    said = {
        **facts,
        "layer": clip.layers[0],
        "layers": list(clip.layers),
        "window": f"{clip.batches[0]}-{clip.batches[-1]}",
        "last": clip.batches[-1],
        "every": clip.batches.step,
        "poster": found["poster_batch"],
        "milliseconds": found["milliseconds"],
        "wanted": pace.milliseconds,
        "slowed": found["milliseconds"] > pace.milliseconds,
    }
    if clip.kind == "pixels":
        return {**said, "some_still": facts["still"] > 0}
    if clip.kind == "matrix":
        return {**said, "threshold": limits[0], "below_threshold": facts["limit"] < limits[0]}
    if clip.kind == "pair":
        strong = None not in (facts["left_stays"], facts["right_stays"])
        return {**said, "left": clip.labels[0], "right": clip.labels[1], "any_strong": strong}
    low, high = min(limits), max(limits)
    return {**said, "any_strong": facts["stays"] is not None, "low": low, "high": high, "one_limit": low == high}


def _note(workspace: Workspace, clip: Clip) -> Path:
    """Return the note of what was found while an animation was drawn."""
    return workspace.drawn / f"{clip.name}.gif.json"


def _files(workspace: Workspace, clip: Clip) -> list[Path]:
    """Return every file of an animation, its note included."""
    return [*_outputs(workspace, clip).values(), _note(workspace, clip)]


def _outputs(workspace: Workspace, clip: Clip) -> dict[str, Path]:
    """Return the files of an animation."""
    return {
        f"{kind}-{scheme}": workspace.animations / f"{clip.name}{ending}{suffix}"
        for kind, suffix in (("gif", ".gif"), ("poster", ".png"))
        for scheme, ending in SCHEMES.items()
    }
