"""The table of a finding's evidence: nothing is lost on the way, and nothing said of more than it is true of."""

import re

from report import files
from report.site import evidence


def piece(value: float, **more):
    """Return a piece of evidence as results.json has it."""
    shared = {"name": "mean run", "layer": "l3", "optimizer": "SGD", "unit": "batches", "n": 5, "window": "101-1000"}
    return {**shared, "value": value, "where": "tables/a.csv", **more}


def test_a_row_for_each_measure_and_optimizer_a_column_for_each_layer():
    """In the order of the evidence; a gap where there is none."""
    table = evidence.arrange(
        [piece(1, layer="l4"), piece(2), piece(3, optimizer="Adam"), piece(4, name="dwell", where="tables/b.csv")]
    )
    assert table["columns"] == ["l4", "l3"]
    cells = {
        (row["name"], row["optimizer"]): [each and each["value"] for each in row["cells"]] for row in table["rows"]
    }
    assert cells == {
        ("mean run", "SGD"): [1, 2],
        ("mean run", "Adam"): [None, 3],
        ("dwell", "SGD"): [None, 4],
    }
    assert table["tables"] == ["tables/a.csv", "tables/b.csv"]


def test_only_what_all_have_in_common_is_said_of_all():
    """A study in which one optimizer has lost a training run has no common n."""
    assert evidence.arrange([piece(1), piece(2, layer="l4")])["shared"] == {
        "unit": "batches", "n": 5, "window": "101-1000", "optimizer": "SGD"
    }  # fmt: skip
    assert evidence.arrange([piece(1), piece(2, optimizer="Adam", n=4)])["shared"] == {
        "unit": "batches", "window": "101-1000"
    }  # fmt: skip


def test_a_table_has_every_piece_of_evidence(tiny_build):
    """On the page as it is written: as many values as results.json has, and every interval of them."""
    text = (tiny_build.workspace.docs / "findings.md").read_text(encoding="utf-8")
    pieces = [
        each for finding in files.read_json(tiny_build.workspace.results)["findings"] for each in finding["evidence"]
    ]
    cells = [
        cell
        for table in re.findall(r"^\| Evidence \|.*\n\| --- .*\n((?:\|.*\n)+)", text, re.M)
        for row in table.splitlines()
        for cell in row.strip("| ").split(" | ")[1:]
    ]
    assert len([cell for cell in cells if cell != "–"]) == len(pieces) > 20
    assert sum("[" in cell for cell in cells) == sum(each["low"] is not None for each in pieces)
    assert sum("chance" in cell for cell in cells) == sum(each["predicted"] is not None for each in pieces)


def test_a_start_with_less_toss_is_told() -> None:
    """In every layer the interval at the start has to end below the share later; without a start there is nothing."""

    def share(layer: str, window: str, value: float, high: float | None) -> dict[str, object]:
        return {"unit": "fraction", "layer": layer, "window": window, "value": value, "high": high}

    later = [share("a", "101-1000", 1.0, 1.1), share("b", "101-1000", 0.8, 0.9)]
    for highs, told in (((0.9, 0.4), True), ((0.9, 0.85), False), ((1.2, 0.4), False), ((None, 0.4), False)):
        first = [share(layer, "1-100", 0.3, high) for layer, high in zip("ab", highs, strict=True)]
        assert evidence.is_less_at_first({"evidence": [*later, *first]}, "101-1000") is told
    assert not evidence.is_less_at_first({"evidence": later}, "101-1000")
    assert not evidence.is_less_at_first({"evidence": []}, "all")
