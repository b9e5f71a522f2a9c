"""The claim that a big update goes on for several batches in the same direction."""

from report.analysis.findings.constants import DARK, DWELL_TABLE, LASTING, PERSISTENCE_TABLE, SEVERAL
from report.analysis.findings.records import NOTHING_DRAWN, Evidence, Finding, Lookup, Test, conclude


def persistence(study: Lookup) -> Finding:
    """Decide whether a big update goes on for several batches in the same direction."""
    tests: list[Test] = []
    evidence: list[Evidence] = []
    window, label = study.late, study.label(study.main)
    for layer in study.drawn:
        place = {"layer": layer, "window": window, "optimizer": label}
        run = Evidence.of(
            "mean same-sign run",
            study.table.get("persistence", "mean_run", study.main, layer, window),
            "batches",
            PERSISTENCE_TABLE,
            predicted=study.mean_run(study.main),
            test="direction",
            **place,
        )
        dwells = {
            suffix: Evidence.of(
                f"dwell at or above {share:g} τ",
                study.table.get("dwell", f"spell_{suffix}", study.main, layer, window),
                "batches",
                DWELL_TABLE,
                predicted=study.table.get("dwell", f"chance_{suffix}", study.main, layer, window).mean,
                test="dark" if share == DARK.value else None,
                **place,
            )
            for suffix, share in (("q1", 1.0), ("q05", 0.5), ("q025", 0.25))
        }
        about = f"Does an update of {layer} keep its sign for more than {SEVERAL.value:g} batches on average?"
        tests.append(Test("direction", about, run.is_above(SEVERAL.value), layer))
        about = f"Does a dark line of {layer} stay dark for more than {LASTING.value:g} batches on average?"
        tests.append(Test("dark", about, dwells["q05"].is_above(LASTING.value), layer))
        evidence += [run, *dwells.values()]
    return conclude(
        "persistence",
        "A big update goes on for several batches in the same direction.",
        f"In {study.batches(window)} of the main optimizer, two tests in each drawn layer. Direction: the 95 % "
        f"interval of the mean same-sign run lies above {SEVERAL.value:g} batches. Dark: that of the number of "
        f"consecutive batches that an update, once its deviation reaches {DARK.value:g} τ, stays there with the same "
        f"sign, lies above {LASTING.value:g}. Supported if all tests hold, not supported if none does, mixed "
        "otherwise.",
        (SEVERAL, DARK, LASTING),
        tests,
        evidence,
        None if study.drawn else NOTHING_DRAWN,
    )
