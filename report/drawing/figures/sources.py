"""What a figure may look at: results and tables, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.choice import chosen
from report.drawing.figures.style import Ink
from report.wording import plural

Facts = dict[str, Any]
Columns = Mapping[str, Any]
Tables = Mapping[str, Columns]

MOST_LAYERS: Final = 8  # tensors in one figure: more panels than that nobody scrolls through


@dataclass(frozen=True)
class Words:
    """Hold what is written beside a figure.

    Attributes:
        title: a heading.
        caption: what is seen and how it was made, a few sentences, with the numbers of this very recording.
        alt: what someone who cannot see the figure should know of it.
    """

    title: str
    caption: str
    alt: str


class Drawing(Protocol):
    """Say what a module with a figure holds."""

    TABLES: Sequence[str]

    def facts(self, results: Mapping[str, Any], table: Table) -> Facts | None:
        """Return what the figure uses of results and numbers; None where there is nothing to draw."""
        ...

    def draw(self, ink: Ink, tables: Tables, facts: Facts) -> Figure:
        """Draw one variant."""
        ...

    def words(self, tables: Tables, facts: Facts) -> Words:
        """Write title, caption and alternative text."""
        ...


def rows(table: Columns, **wanted: Any) -> dict[str, Any]:
    """Return the rows of a table in which each column named has the value given."""
    chosen = None
    for column, value in wanted.items():
        matches = table[column] == value
        chosen = matches if chosen is None else chosen & matches
    return {name: values[chosen] if chosen is not None else values for name, values in table.items()}


def selection(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return which tensors a figure shows, and how many are left out: `layers` and `left_out`.

    `layers` has by name the `shape` as a matrix and the `place`, which decides the colour, in the order of the
    recording: all that were trained, or of more than `MOST_LAYERS` those of the network's graph, then other matrices,
    then vectors.
    """
    every, sizes = results["tensors"], results["network"]["layers"]
    drawn = [name for name in every if name in results["drawn"]]
    found = chosen([drawn, [name for name in every if sizes[name]["shape"][0] > 1], every], MOST_LAYERS)
    names = [name for name in every if name in found]
    layers = {name: {"shape": sizes[name]["shape"], "place": place} for place, name in enumerate(names)}
    return {"layers": layers, "left_out": len(every) - len(names)}


def look(tree: Any, *path: str | int) -> Any:
    """Return what nested results hold at the end of `path`; None where there is no such thing, as for an idle layer."""
    for part in path:
        known = tree or {}
        tree = known.get(part) if isinstance(known, Mapping) else known[part]
    return tree


def others(facts: Facts) -> str:
    """Say in a caption how many tensors of the model a figure does not show; nothing where it shows all."""
    count = facts["left_out"]
    return f" Left out: {plural(count, 'other tensor')} of the model." if count else ""


def main_place(results: Mapping[str, Any], layer: str) -> tuple[str, str, int]:
    """Return where the table has the main recording's numbers of a layer: its label's slug, the layer, its place."""
    slug = results["study"]["main"]
    return slug, layer, results["study"]["runs"][slug].index(results["main"])


def main_label(results: Mapping[str, Any]) -> str:
    """Return the label of the main recording."""
    label: str = results["study"]["optimizers"][0]["label"]
    return label
