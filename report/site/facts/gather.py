"""All facts of a build, in one file, and what the site needs to know of the build itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from report import files
from report.analysis import results as analysed
from report.analysis.findings import claims
from report.analysis.table import Table
from report.recording.study import Study
from report.site import evidence
from report.site.facts import article, run
from report.site.facts import study as whole
from report.site.facts.numbers import Facts, Numbers
from report.workspace import Workspace


def write(workspace: Workspace, study: Study) -> None:
    """Find all facts, and write them to `build/facts.json`.

    Raises:
        ReportError: when an earlier stage has not run.
    """
    results = analysed.read(workspace)
    files.write_json(workspace.facts, gather(results, analysed.numbers(workspace, results), study))


def gather(results: Mapping[str, Any], table: Table, study: Study) -> Facts:
    """Return the facts: `study`, `article`, `run`, `findings`, `verdicts`, `made`."""
    numbers = Numbers(results, table)
    return {
        "study": whole.facts(numbers, study),
        "article": article.facts(numbers),
        "run": run.facts(numbers),
        "verdicts": {each["id"]: each["verdict"] for each in results["findings"]},
        "findings": _parted(evidence.page(results)),
        "made": made(results, study),
    }


def _parted(findings: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """Return this project's own claims, those of the Qiita article, and all."""
    own = len(claims.OURS)
    return {"ours": findings[:own], "theirs": findings[own:], "all": findings}


def made(results: Mapping[str, Any], study: Study) -> Facts:
    """Return with what the recordings were made, how many there are, and how large the main one is."""
    main, runs = study.main, results["study"]["runs"]
    seconds = [sum(_seconds(each.path).values()) for each in study.recordings]
    threads = [each.description.platform.get("threads", 1) for each in study.recordings]
    return {
        "platform": main.description.platform,
        "versions": main.description.versions,
        "about": main.description.about,
        "seeds": results["study"]["seeds"],
        "count": sum(len(names) for names in runs.values()),
        "runs": [
            {"label": each["label"], "count": len(runs[each["slug"]]), "rate": each["learning_rate"]}
            for each in results["study"]["optimizers"]
            if runs.get(each["slug"])
        ],
        "core_hours": sum(each * count for each, count in zip(seconds, threads, strict=True)) / 3600,
        "training_seconds": _seconds(main.path)["training"],
        # Not timings.json, whose size is a matter of chance.
        "bytes": sum(path.stat().st_size for path in main.path.glob("*.np?")),
        "whole_bytes": 4 * results["network"]["weights"] * results["steps"],
    }


def _seconds(folder: Any) -> dict[str, float]:
    found: dict[str, float] = files.read_json(folder / "timings.json", "seconds")["seconds"]
    return found
