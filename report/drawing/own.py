"""The pictures of a report on one's own network: an overview, two pictures a tensor, and the player's data."""

from collections.abc import Sequence
from typing import Final, Protocol

from report.analysis import own, own_tables
from report.analysis import results as analysed
from report.drawing import scales
from report.drawing.animation import render
from report.drawing.animation.clips import Pace
from report.drawing.figures import draw as figures
from report.drawing.figures import own_heat, own_measures, own_persistence, own_rates, own_series, own_weights
from report.drawing.figures.draw import Plan
from report.drawing.player import pack
from report.products import Product, Progress
from report.recording.study import Study
from report.workspace import Workspace

OVERVIEW: Final = {"heat": own_heat, "persistence": own_persistence, "rates": own_rates, "series": own_series}
PACE: Final = Pace(frames=100, milliseconds=100, long_batches=1000, long_step=10)  # as the first article's film
TENSOR: Final = {"measures": own_measures, "weights": own_weights}


class Making(Protocol):
    """Say what makes products, `report.making.maker.Maker`."""

    def make(self, products: Sequence[Product], progress: Progress, *, side_by_side: bool = False) -> None:
        """Make those products that are stale."""
        ...


def draw(workspace: Workspace, study: Study, languages: Sequence[str], maker: Making, progress: Progress) -> None:
    """Draw all pictures that are stale, pack what the player shows, and describe both for pages.

    Args:
        workspace: says where.
        study: the recordings, analysed.
        languages: of the pages.
        maker: makes what is stale.
        progress: told after each picture.

    Raises:
        ReportError: when there are no results, or the disk refuses.
    """
    planned = plan(workspace, study)
    render.remove(workspace)  # those of a study that carried the article
    laws, layers = scales.read(workspace, study)
    tensors = analysed.read(workspace)["tensors"]
    shown = pack.products(workspace, study, layers, tensors)
    maker.make([*figures.products(workspace, planned, languages), *shown], progress, side_by_side=True)
    figures.describe(workspace, planned, languages)
    pack.describe(workspace, study, layers, laws, PACE, tensors)


def plan(workspace: Workspace, study: Study) -> dict[str, Plan]:
    """Return how each picture is drawn, by its name: those of the overview, then those of tensors in their order.

    Raises:
        ReportError: when there are no results.
    """
    results = analysed.read(workspace)
    table = analysed.numbers(workspace, results)
    found = {}
    for name, module in OVERVIEW.items():
        is_there = (workspace.tables / f"{module.TABLES[0]}.csv").is_file()
        facts = module.facts(results, table) if is_there else None
        if facts is not None:
            found[f"own-{name}"] = Plan(f"own_{name}", facts, words=name)
    for tensor in results["pictured"]:
        slug = own.slug(study.main, tensor)
        stems = {kind: f"{slug}-{kind}" for kind in own_tables.KINDS}
        for name, each in TENSOR.items():
            found[f"{slug}-{name}"] = Plan(f"own_{name}", each.of(results, tensor), stems, words=name)
    return found
