"""The claim about the accuracy after one epoch."""

from report.analysis.findings.constants import ACCURACY_TABLE, EPOCH, NEAR, PUBLISHED
from report.analysis.findings.records import Evidence, Finding, Study, Test, conclude


def accuracy(study: Study) -> Finding:
    """Decide whether one epoch brings about the validation accuracy that the first article reports."""
    reached = study.results["accuracy"]["validation"]
    found = Evidence.of(
        "validation accuracy", reached, "fraction", ACCURACY_TABLE, optimizer=study.label(study.main), test="near"
    )
    holds = overlaps = None
    if found.value is not None and found.low is not None and found.high is not None:
        holds = abs(found.value - PUBLISHED.value) <= NEAR.value
        overlaps = found.low - NEAR.value <= PUBLISHED.value <= found.high + NEAR.value
    about = f"Is the mean within {NEAR.value:g} of {PUBLISHED.value:g}?"
    tests = [Test("near", about, holds)]
    if holds is False:
        tests.append(Test("overlaps", f"Does the interval come within {NEAR.value:g} of it?", overlaps))
    reason = _another_experiment(study)
    return conclude(
        "accuracy",
        "The validation accuracy is about 0.956 after one epoch.",
        f"Final validation accuracy over the seeds of the main optimizer. Supported if the mean lies within "
        f"{NEAR.value:g} of {PUBLISHED.value:g}; mixed if only the 95 % interval comes that near; not supported "
        "otherwise. Not tested on other data, another network or another length than the first article's.",
        (PUBLISHED, NEAR, EPOCH),
        [] if reason else tests,
        [found],
        reason,
    )


def _another_experiment(study: Study) -> str | None:
    """Return in what this experiment differs from the first article's, so that its accuracy proves nothing."""
    experiment, data = study.results["experiment"], study.results["data"]
    if data["source"] != "mnist":
        return "The claim is about full MNIST; this report was built from the embedded sample."
    adam = {"lr": 0.001, "betas": [0.9, 0.999]}
    same = (
        list(experiment["network"]["hidden"]) == [1000, 100, 10, 10]
        and experiment["network"]["dropout"] == 0.2
        and experiment["training"]["batch_size"] == 16
        and experiment["optimizer"] == {"name": "Adam", "arguments": adam}
    )
    if not same:
        return "The claim is about the first article's network, batch size and optimizer; this experiment has others."
    if abs(data["epochs"] - 1) > EPOCH.value:
        return f"The claim is about one epoch; this training run went through the images {data['epochs']:.2f} times."
    return None
