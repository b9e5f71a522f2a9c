"""The one table, cut: what a reader downloads and what figures of several optimizers are drawn from."""

from collections.abc import Iterator, Mapping, Sequence

from report.analysis.columns import Cell, Columns, columns
from report.analysis.findings.records import Evidence, Finding
from report.analysis.intervals import Estimate
from report.analysis.table import SCALARS, SCHEMA, Key, Table
from report.analysis.windows import ALL, WHOLE, WINDOWS
from report.recording.study import Study

Row = dict[str, Cell]
Numbers = dict[str, float]

# Tables of a series: the quantity, the column of its place, and whether it has windows.
SERIES = {
    "autocorrelation": ("lag", True),
    "run_lengths": ("length", True),
    "startup": ("batch", False),
    "agreement_batches": ("batch", False),
}
LAW = ("mean", "threshold", "rank", "deviations", "smallest", "full_colour")


def cuts(
    study: Study, table: Table, momenta: Mapping[str, float | None], findings: Sequence[Finding]
) -> dict[str, Columns]:
    """Return every table of the study by its name; none that would have no row.

    Args:
        study: names the recordings.
        table: the numbers.
        momenta: of the optimizers, by slug.
        findings: the verdicts.
    """
    labels = {study.slug(label): label for label in study.labels}
    main = study.slug(study.main.label), study.of(study.main.label).index(study.main)
    found = {
        **{quantity: _summaries(table, quantity, labels, momenta) for quantity in SCALARS},
        **{f"{quantity}_runs": _per_run(study, table, quantity) for quantity in SCALARS},
        **{quantity: _series(table, quantity, labels, momenta) for quantity in SERIES},
        "transplants": _transplants(table),
        "thresholds": _thresholds(table, *main),
        "size": _sizes(table, *main),
        "findings": _findings(findings),
    }
    every = {name: list(rows) for name, rows in found.items()}
    return {name: columns(rows) for name, rows in every.items() if rows}


def whole(table: Table, label: str, tensor: str, place: int) -> dict[str, str]:
    """Return the windows of all steps of a recording, and what each is called in the table; none of an idle tensor.

    Args:
        table: the numbers.
        label: slug of the recording's label.
        tensor: one of its tensors.
        place: of the recording among those of its label.
    """
    found = {}
    for window in WINDOWS:
        for name in (WHOLE + window, window):
            values = table.get("windows", "steps", label, tensor, name).values
            if values and values[place] is not None:
                found[window] = name
                break
    return found


def _ends(row: Estimate) -> Row:
    return {"mean": row.mean, "low": row.low, "high": row.high, "n": row.n, "theory": row.predicted}


def _summaries(
    table: Table, quantity: str, labels: Mapping[str, str], momenta: Mapping[str, float | None]
) -> Iterator[Row]:
    """Yield mean and interval of each number of a quantity."""
    for key, row in table.quantity(quantity).items():
        if not key.window.startswith(WHOLE):
            head = {"optimizer": key.label, "label": labels[key.label], "momentum": momenta[key.label]}
            yield {**head, "layer": key.tensor, "window": key.window, "name": key.statistic, **_ends(row)}


def _per_run(study: Study, table: Table, quantity: str) -> Iterator[Row]:
    """Yield the numbers of each training run, one row a tensor and window."""
    if not table.quantity(quantity):
        return
    for label in study.labels:
        slug = study.slug(label)
        for place, recording in enumerate(study.of(label)):
            for tensor in table.tensors:
                for window in WINDOWS:
                    steps = table.get("windows", "steps", slug, tensor, window).values
                    if not steps or steps[place] is None:
                        continue
                    found = {name: table.get(quantity, name, slug, tensor, window).values for name in SCHEMA[quantity]}
                    head = {"run": recording.name, "optimizer": slug, "seed": recording.seed}
                    numbers = {name: values[place] if values else None for name, values in found.items()}
                    yield {**head, "layer": tensor, "window": window, **numbers}


def _series(
    table: Table, quantity: str, labels: Mapping[str, str], momenta: Mapping[str, float | None]
) -> Iterator[Row]:
    """Yield mean and interval at each place of a series."""
    column, has_windows = SERIES[quantity]
    for key, row in table.quantity(quantity).items():
        head: Row = {"optimizer": key.label, "label": labels[key.label]}
        if has_windows:
            head |= {"momentum": momenta[key.label]}
        head |= {"layer": key.tensor}
        if has_windows:
            head |= {"window": key.window}
        if len(SCHEMA[quantity]) > 1:
            head |= {"series": key.statistic}
        yield {**head, column: key.at, **_ends(row)}


def _transplants(table: Table) -> Iterator[Row]:
    """Yield what each optimizer makes of the gradients of each label, beside what it makes of them tossed."""
    for key, run in table.quantity("transplants").items():
        if key.statistic == "mean_run":
            toss, lean = (table[key._replace(statistic=name)] for name in ("toss", "lean"))
            yield {
                **{"applied": key.applied, "gradients": key.label, "tensor": key.tensor, "window": key.window},
                **{"mean_run": run.mean, "low": run.low, "high": run.high, "toss": toss.mean},
                **{"lean": lean.mean, "lean_low": lean.low, "lean_high": lean.high, "n": run.n},
            }


def law(table: Table, label: str, tensor: str, place: int) -> Numbers | None:
    """Return mean and τ of a recording's tensor over all its steps, with what else is known; None where it has none.

    Arguments as those of `whole`.
    """
    window = whole(table, label, tensor, place).get(ALL)
    if window is None:
        return None
    found = {name: table[Key("threshold", name, label, tensor, window)].values[place] for name in LAW}
    row = {name: value for name, value in found.items() if value is not None}
    return {**row, "full_colour_share": row["full_colour"] / row["deviations"]}


def sizes(table: Table, label: str, tensor: str, place: int) -> dict[str, dict[str, float | None]]:
    """Return, by window, the sizes of one tensor's updates in a recording, over all its steps.

    Arguments as those of `whole`.
    """
    found: dict[str, dict[str, float | None]] = {}
    for window, name in whole(table, label, tensor, place).items():
        of = {
            (quantity, statistic): table[Key(quantity, statistic, label, tensor, name)].values[place]
            for quantity in ("coasting", "units", "windows")
            for statistic in SCHEMA[quantity]
        }
        weights, share = of["coasting", "weights"], of["units", "live_share"]
        assert weights is not None
        assert share is not None
        found[window] = {
            "mean_absolute_update": of["units", "absolute"],
            "mean_absolute_update_moving": of["units", "absolute_live"],
            "relative_update": of["units", "relative"],
            "zero_gradient_share": of["coasting", "zero_gradient_share"],
            "moving_weights": round(share * weights),
            "weights": weights,
            "batches": of["windows", "steps"],
        }
    return found


def _thresholds(table: Table, label: str, place: int) -> Iterator[Row]:
    for tensor in table.tensors:
        row = law(table, label, tensor, place)
        if row is not None:
            yield {"layer": tensor, **row}


def _sizes(table: Table, label: str, place: int) -> Iterator[Row]:
    """Yield the sizes of the main recording's updates, over all its steps."""
    for tensor in table.tensors:
        for window, row in sizes(table, label, tensor, place).items():
            yield {"layer": tensor, "window": window, **row}


def _findings(findings: Sequence[Finding]) -> Iterator[Row]:
    """Yield one row a piece of evidence, with the verdict on its claim."""
    for finding in findings:
        # A finding that was not tested may have no evidence: its verdict still belongs in the table.
        every: list[Evidence | None] = [*finding.evidence]
        for each in every or [None]:
            texts = ("id", "test", "layer", "window", "optimizer", "against", "unit", "where")
            told: Row = {name: "" if each is None else getattr(each, name) or "" for name in texts}
            numbers = ("value", "low", "high", "n", "predicted")
            told |= {name: None if each is None else getattr(each, name) for name in numbers}
            yield {"finding": finding.id, "verdict": finding.verdict, "evidence": told.pop("id"), **told}
