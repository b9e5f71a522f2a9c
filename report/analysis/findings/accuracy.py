"""The claim about the accuracy after one epoch."""

from report.analysis.findings.constants import ACCURACY_TABLE, EPOCH, NEAR, PUBLISHED
from report.analysis.findings.records import Evidence, Finding, Lookup, Test, conclude
from report.analysis.intervals import Estimate

NETWORK = {"kind": "mlp", "hidden": [1000, 100, 10, 10], "dropout": 0.2}  # of the first article
# Settings of the first article's optimizer, those that are not off.
ADAM = {"betas": [0.9, 0.999], "eps": 1e-8}


def accuracy(study: Lookup) -> Finding:
    """Decide whether one epoch brings about the validation accuracy that the first article reports."""
    reached = Estimate(**study.results["accuracy"]["validation"])
    found = Evidence.of("accuracy", reached, "fraction", ACCURACY_TABLE, optimizer=study.label(study.main), test="near")
    holds = overlaps = None
    if found.value is not None and found.low is not None and found.high is not None:
        holds = abs(found.value - PUBLISHED.value) <= NEAR.value
        overlaps = found.low - NEAR.value <= PUBLISHED.value <= found.high + NEAR.value
    # Neither asks what an interval shows: one that does not hold is refuted.
    tests = [Test("near", holds, refuted=None if holds is None else not holds)]
    if holds is False:
        tests.append(Test("overlaps", overlaps, refuted=not overlaps))
    reason = _another_experiment(study)
    return conclude(
        study,
        "accuracy",
        (PUBLISHED, NEAR, EPOCH),
        [] if reason else tests,
        [found],
        reason,
        about={"epochs": study.results["data"].get("epochs")},
    )


def _another_experiment(study: Lookup) -> str | None:
    """Return in what this experiment differs from the first article's, so that its accuracy proves nothing."""
    about, data = study.results["about"], study.results["data"]
    if data.get("source") != "mnist":
        return "sample" if data.get("source") == "sample" else "other_data"
    optimizer = study.optimizers[0]
    same = (
        (about.get("network") or {}).items() >= NETWORK.items()
        and about.get("training", {}).get("batch_size") == 16
        and (optimizer["name"], optimizer["learning_rate"]) == ("Adam", 0.001)
        and {key: value for key, value in optimizer["arguments"].items() if value} == ADAM
    )
    if not same or "epochs" not in data:
        return "other_experiment"
    return "other_length" if abs(data["epochs"] - 1) > EPOCH.value else None
