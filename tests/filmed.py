"""Studies to be filmed, the clips that they have, and what a film shows, decoded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from conftest import TINY
from numpy.typing import NDArray
from PIL import Image
from recordings import ADAM, Rule, noise, write_recording

from report.config import Experiment
from report.drawing.animation import clips, palette
from report.drawing.animation.clips import Pace
from report.recording.study import Study

PACE = Experiment.load(TINY).animation
Floats = NDArray[np.float64]
Shapes = Mapping[str, tuple[int, ...]]


def study_of(folder: Path, shapes: Shapes, steps: int = 2, **others: Any) -> Study:
    """Return a study of one recording on noise; `others` go to `write_recording`."""
    weights, gradients = noise(shapes, steps)
    write_recording(folder / "run", weights, gradients, **others)
    return Study.load(folder)


def plan_of(study: Study, drawn: tuple[str, ...] = (), pace: Pace = PACE) -> dict[str, clips.Clip]:
    """Return the clips of a study by name; every tensor has a colour scale."""
    return {clip.name: clip for clip in clips.plan(study, pace, drawn, study.main.tensors)}


def adam(beta: float) -> tuple[Rule]:
    """Return the rules of a recording under Adam."""
    return (("Adam", {**ADAM[1], "betas": [beta, 0.999]}),)


def cover(pixels: NDArray[Any], scheme: str, hue: str) -> Floats:
    """Return how much of each (…, 3) pixel a hue covers, from the channel in which it differs most from the paper."""
    paper, full = (palette.rgb(palette.SCHEMES[scheme][name]) for name in ("paper", hue))
    channel = int(np.abs(full - paper).argmax())
    return (pixels[..., channel].astype(float) - paper[channel]) / (full[channel] - paper[channel])


def decode(data: bytes, folder: Path) -> NDArray[np.uint8]:
    """Return (frames, height, width, 3) as a viewer shows a GIF."""
    path = folder / "film.gif"
    path.write_bytes(data)
    with Image.open(path) as image:
        shown = []
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            shown.append(np.asarray(image.convert("RGB")))
    return np.array(shown)
