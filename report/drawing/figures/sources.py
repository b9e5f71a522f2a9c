"""What a figure may look at: results and tables, and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from matplotlib.figure import Figure

from report.analysis.table import Table
from report.drawing.choice import chosen
from report.drawing.figures.style import Ink

Facts = dict[str, Any]
Columns = Mapping[str, Any]
Tables = Mapping[str, Columns]
Labels = Mapping[str, str]

MOST_LAYERS: Final = 8  # tensors in one figure


class Drawing(Protocol):
    """Say what a module with a figure holds.

    A figure of layers may have `MOST`, how many it draws in one picture; the others get pictures of their own.
    """

    TABLES: Sequence[str]

    def facts(self, results: Mapping[str, Any], table: Table) -> Facts | None:
        """Return what the figure uses of results and numbers; None where there is nothing to draw."""
        ...

    def draw(self, ink: Ink, tables: Tables, facts: Facts, labels: Labels) -> Figure:
        """Draw one variant, with the axis labels, headings and legends of one language."""
        ...

    def said(self, tables: Tables, facts: Facts) -> Facts:
        """Return the facts that the finding, the caption and the alternative text use, by name."""
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

    `layers` has by name the `shape` as a matrix, the `place`, which decides the colour, and whether it is `drawn`
    everywhere, in the order of the recording: all that were trained, or of more than `MOST_LAYERS` those of the
    network's graph, then other matrices, then vectors.
    """
    every, sizes = results["tensors"], results["network"]["layers"]
    drawn = [name for name in every if name in results["drawn"]]
    found = chosen([drawn, [name for name in every if sizes[name]["shape"][0] > 1], every], MOST_LAYERS)
    names = [name for name in every if name in found]
    layers = {
        name: {"shape": sizes[name]["shape"], "place": place, "drawn": name in drawn}
        for place, name in enumerate(names)
    }
    return {"layers": layers, "left_out": len(every) - len(names)}


def look(tree: Any, *path: str | int) -> Any:
    """Return what nested results hold at the end of `path`; None where there is no such thing, as for an idle layer."""
    for part in path:
        known = tree or {}
        tree = known.get(part) if isinstance(known, Mapping) else known[part]
    return tree


def in_parts(facts: Facts, most: int) -> list[Facts]:
    """Return the facts of each picture of a figure: its drawn layers first, at most `most` in one, then the others."""
    layers = facts["layers"]
    groups = ([name for name, row in layers.items() if row["drawn"] is drawn] for drawn in (True, False))
    return [
        {**facts, "layers": {name: layers[name] for name in group[first : first + most]}}
        for group in groups
        for first in range(0, len(group), most)
    ]


def reach(values: Iterable[float | None]) -> dict[str, float] | None:
    """Return the `low` and the `high` end of some numbers; None where there are none."""
    known = [value for value in values if value is not None and value == value]
    return {"low": float(min(known)), "high": float(max(known))} if known else None


def main_place(results: Mapping[str, Any], layer: str) -> tuple[str, str, int]:
    """Return where the table has the main recording's numbers of a layer: its label's slug, the layer, its place."""
    slug = results["study"]["main"]
    return slug, layer, results["study"]["runs"][slug].index(results["main"])


def main_label(results: Mapping[str, Any]) -> str:
    """Return the label of the main recording."""
    label: str = results["study"]["optimizers"][0]["label"]
    return label
