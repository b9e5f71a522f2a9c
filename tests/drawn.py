"""Draw parts of the site alone, as the stage "draw" does."""

from collections.abc import Sequence

from conftest import maker_of

from report.drawing import scales
from report.drawing.animation import clips, render
from report.drawing.animation.clips import Pace
from report.drawing.player import pack
from report.products import Progress
from report.recording.study import Study
from report.workspace import Workspace


def animations(place: Workspace, study: Study, pace: Pace, progress: Progress = lambda *_: None) -> None:
    """Make the animations that are stale, several at a time, and their manifest."""
    laws, layers = scales.read(place, study)
    planned = clips.plan(study, pace, layers, laws)
    maker_of(place).make(render.products(place, study, planned, laws, pace), progress, side_by_side=True)
    render.describe(place, study, planned, laws, pace)


def player(place: Workspace, study: Study, pace: Pace, tensors: Sequence[str] = ()) -> None:
    """Pack the recordings that are stale, and write the player's index."""
    laws, layers = scales.read(place, study)
    maker_of(place).make(pack.products(place, study, layers, tensors), lambda *_: None)
    pack.describe(place, study, layers, laws, pace, tensors)
