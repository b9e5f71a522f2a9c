"""What the stage "draw" makes: figures, animations and the player's data, each piece a product of its own."""

from report.drawing import scales
from report.drawing.animation import clips, render
from report.drawing.animation.clips import Pace
from report.drawing.figures import draw
from report.drawing.player import pack
from report.making.maker import Maker
from report.products import Progress
from report.recording.study import Study
from report.workspace import Workspace


def figures(place: Workspace, maker: Maker, progress: Progress) -> None:
    """Draw the figures that are stale, and say in a manifest what pages need.

    Raises:
        ReportError: when there are no results.
    """
    planned = draw.plan(place)
    maker.make(draw.products(place, planned), progress)
    draw.describe(place, planned)


def animations(place: Workspace, study: Study, pace: Pace, maker: Maker, progress: Progress) -> None:
    """Make the animations that are stale, several at a time, and say in a manifest what pages need.

    Raises:
        ReportError: when there are no results, or a process that drew died.
    """
    laws, layers = scales.read(place, study)
    planned = clips.plan(study, pace, layers, laws)
    maker.make(render.products(place, study, planned, laws, pace), progress, side_by_side=True)
    render.describe(place, study, planned, laws, pace)


def player(place: Workspace, study: Study, pace: Pace, maker: Maker, progress: Progress) -> None:
    """Pack the recordings that are stale, and write the player's index.

    Raises:
        ReportError: when there are no results.
    """
    laws, layers = scales.read(place, study)
    maker.make(pack.products(place, study, layers), progress)
    pack.describe(place, study, layers, laws, pace)
