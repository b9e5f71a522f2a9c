"""The colour scales of the main recording, and which layers its graph shows, as the analysis found them."""

from collections.abc import Mapping

from report import files
from report.errors import ReportError
from report.recording.study import Study
from report.workspace import Workspace

Laws = Mapping[str, Mapping[str, float]]

IDLE = {"mean": 0.0, "threshold": 0.0}


def read(workspace: Workspace, study: Study) -> tuple[Laws, tuple[str, ...]]:
    """Return the main recording's colour scales, by layer `mean` and `threshold`, and the layers that are drawn.

    A layer that has no update has no colour scale; where it is drawn all the same, one that nothing reaches.

    Raises:
        ReportError: when there are no results of this recording.
    """
    results = files.read_json(workspace.results)
    try:
        found, drawn = results["threshold"][study.main.name], tuple(results["drawn"])
        laws = {name: {key: law[key] for key in ("mean", "threshold")} for name, law in found.items()}
        return {**dict.fromkeys(drawn, IDLE), **laws}, drawn
    except (KeyError, TypeError) as error:
        raise ReportError(
            f"{workspace.results} does not hold what is drawn of {study.main.name} ({error}). "
            'Run "python -m report analyse" first.'
        ) from error
