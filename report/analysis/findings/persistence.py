"""The claim that a big update goes on for several batches in the same direction."""

from report.analysis.findings.constants import COIN, DARK, DWELL_TABLE, LASTING, PERSISTENCE_TABLE, SEVERAL
from report.analysis.findings.records import NOTHING_DRAWN, Evidence, Finding, Lookup, Test, conclude


def persistence(study: Lookup) -> Finding:
    """Decide whether a big update goes on for several batches in the same direction."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    window, label = study.late, study.label(study.main)
    for layer in study.drawn:
        place = {"layer": layer, "window": window, "optimizer": label}
        run = Evidence.of(
            "mean_run",
            study.table.get("persistence", "mean_run", study.main, layer, window),
            "batches",
            PERSISTENCE_TABLE,
            predicted=study.mean_run(study.main),
            test="direction",
            **place,
        )
        dwells = {
            suffix: Evidence.of(
                f"dwell_{suffix}",
                study.table.get("dwell", f"spell_{suffix}", study.main, layer, window),
                "batches",
                DWELL_TABLE,
                predicted=study.table.get("dwell", f"chance_{suffix}", study.main, layer, window).mean,
                test="dark" if share == DARK.value else None,
                **place,
            )
            for suffix, share in (("q1", 1.0), ("q05", 0.5), ("q025", 0.25))
        }
        for identity, looked_at, bound in (("direction", run, SEVERAL.value), ("dark", dwells["q05"], LASTING.value)):
            is_above, is_below = looked_at.is_above(bound), looked_at.is_below(bound)
            tests.append(Test(identity, is_above, layer, refuted=is_below))
        evidence += [run, *dwells.values()]
    reason = None if study.drawn else NOTHING_DRAWN
    return conclude(study, "persistence", (SEVERAL, DARK, LASTING), tests, evidence, reason, about={"coin": COIN})
