"""What a figure may look at: results, tables and the experiment, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from matplotlib.figure import Figure

from report.config import Experiment
from report.drawing.figures.style import Ink

Facts = dict[str, Any]
Columns = Mapping[str, Any]
Tables = Mapping[str, Columns]


@dataclass(frozen=True)
class Words:
    """Hold what is written beside a figure.

    Attributes:
        title: a heading.
        caption: what is seen and how it was made, a few sentences, with the numbers of this very experiment.
        alt: what someone who cannot see the figure should know of it.
    """

    title: str
    caption: str
    alt: str


class Drawing(Protocol):
    """Say what a module with a figure holds."""

    TABLES: Sequence[str]

    def facts(self, results: Mapping[str, Any], experiment: Experiment) -> Facts | None:
        """Return what the figure uses of results and experiment; None where there is nothing to draw."""
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
