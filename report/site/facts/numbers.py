"""Where facts come from: the results and the one table, asked by name."""

from collections.abc import Iterable, Mapping
from typing import Any

from report.analysis.intervals import Estimate
from report.analysis.results import control
from report.analysis.table import Table

Facts = dict[str, Any]
ByLayer = dict[str, float | None]


class Numbers:
    """Look up what the study's main optimizer and its controls did.

    Attributes:
        results: as `results.json` has them.
        table: the numbers.
        main: slug of the main optimizer.
        late: the window free of start-up.
        drawn: the tensors that the film shows.
        optimizers: those with a training run, the main one first.
        place: of the main training run among those of its label.
    """

    def __init__(self, results: Mapping[str, Any], table: Table) -> None:
        """Take the names that every fact needs."""
        self.results, self.table = results, table
        study = results["study"]
        self.main: str = study["main"]
        self.late: str = study["late"]
        self.drawn: list[str] = results["drawn"]
        self.optimizers: list[Facts] = [each for each in study["optimizers"] if study["runs"].get(each["slug"])]
        self.place: int = study["runs"][self.main].index(results["main"])

    @property
    def chief(self) -> Facts:
        """Return the main optimizer."""
        return self.optimizers[0]

    @property
    def seeds(self) -> int:
        """Return how many training runs the main optimizer has."""
        return len(self.results["study"]["runs"][self.main])

    @property
    def plain(self) -> Facts | None:
        """Return the control without momentum: of the main one's class, or else the first that there is."""
        return control(self.results)

    def theory(self, slug: str) -> Facts | None:
        """Return what chance predicts for an optimizer; None where no theory describes it."""
        found: Facts | None = self.results["theory"][slug]
        return found

    def coefficient(self, slug: str) -> float | None:
        """Return the momentum coefficient of an optimizer; None where no theory describes it."""
        theory = self.theory(slug)
        return None if theory is None else theory["memory"]

    def estimate(
        self, quantity: str, statistic: str, slug: str, layer: str, window: str, at: float | None = None, on: str = ""
    ) -> Estimate:
        """Return a row of the table; without a number where there is none. `on`: the optimizer that is applied."""
        return self.table.get(quantity, statistic, slug, layer, window, at, on)

    def means(
        self, quantity: str, statistic: str, slug: str, window: str = "", at: float | None = None, on: str = ""
    ) -> ByLayer:
        """Return the mean over seeds in each drawn layer."""
        window = window or self.late
        return {layer: self.estimate(quantity, statistic, slug, layer, window, at, on).mean for layer in self.drawn}

    def own(self, quantity: str, statistic: str, layer: str, window: str = "") -> float | None:
        """Return a number of the main training run alone."""
        values = self.table.get(quantity, statistic, self.main, layer, window).values
        return values[self.place] if values else None

    def finding(self, identity: str) -> Facts:
        """Return a finding by its id."""
        return next(each for each in self.results["findings"] if each["id"] == identity)


def span(numbers: Iterable[float | None] | ByLayer) -> Facts:
    """Return the least and the greatest of some numbers; None for both where there is no number."""
    values = numbers.values() if isinstance(numbers, dict) else numbers
    known = [value for value in values if value is not None]
    return {"low": min(known, default=None), "high": max(known, default=None)}
