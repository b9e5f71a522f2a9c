"""The colour scales of recordings, and which layers are drawn, as the analysis found them."""

from collections.abc import Mapping, Sequence

from report.analysis import cuts, results
from report.errors import ReportError
from report.recording.reader import Recording
from report.recording.study import Study
from report.workspace import Workspace

Laws = Mapping[str, Mapping[str, float]]

IDLE = {"mean": 0.0, "threshold": 0.0}


def read(workspace: Workspace, study: Study) -> tuple[Laws, tuple[str, ...]]:
    """Return the main recording's colour scales, by layer `mean` and `threshold`, and the layers that are drawn.

    Raises:
        ReportError: when there are no results of this recording.
    """
    known = results.read(workspace)
    if known.get("main") != study.main.name:
        raise ReportError(
            f"{workspace.results} does not hold what is drawn of {study.main.name} (it is of {known.get('main')}). "
            'Run "python -m report analyse" first.'
        )
    drawn = tuple(known["drawn"])
    every = list(dict.fromkeys([*known["tensors"], *drawn]))
    return of(workspace, study, study.main, every), drawn


def of(workspace: Workspace, study: Study, recording: Recording, layers: Sequence[str]) -> Laws:
    """Return the colour scales of a recording over all its steps, by layer `mean` and `threshold`.

    A layer that has no update has no colour scale; here it has one that nothing reaches.

    Raises:
        ReportError: when the recording was not analysed.
    """
    known, slug = results.read(workspace), study.slug(recording.label)
    runs = known["study"]["runs"].get(slug, [])
    if recording.name not in runs:
        raise ReportError(f'{workspace.results} knows no {recording.name}. Run "python -m report analyse" first.')
    table, place = results.numbers(workspace, known), runs.index(recording.name)
    found = {layer: cuts.law(table, slug, layer, place) for layer in layers}
    return {
        layer: IDLE if law is None else {key: law[key] for key in ("mean", "threshold")} for layer, law in found.items()
    }
