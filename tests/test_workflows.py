"""What the host of the repository runs: actions pinned by commit, every system and Python, no red mark for nothing."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USE = re.compile(r"uses: (\S+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$")
# The first major version of each that runs on a Node.js which hosts still have.
OLDEST = {
    "actions/cache": 5,
    "actions/checkout": 5,
    "actions/configure-pages": 6,
    "actions/deploy-pages": 5,
    "actions/setup-node": 5,
    "actions/setup-python": 6,
    "actions/upload-artifact": 6,
    "actions/upload-pages-artifact": 5,
}


def jobs(name: str) -> dict[str, Any]:
    """Return the jobs of a workflow."""
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))["jobs"]
    return found


def test_actions_are_pinned_by_commit_and_new_enough() -> None:
    """A tag can be moved to other code; the version stands beside the commit, one for each action."""
    lines = [line.strip() for path in WORKFLOWS for line in path.read_text(encoding="utf-8").splitlines()]
    uses = [line.removeprefix("- ") for line in lines if "uses:" in line]
    pins = [USE.fullmatch(line) for line in uses]
    assert [line for line, pin in zip(uses, pins, strict=True) if pin is None] == []
    found = {pin.groups() for pin in pins if pin is not None}
    assert {name for name, _, _ in found} == set(OLDEST)
    assert len(found) == len(OLDEST), "two versions of one action"
    assert [name for name, _, version in found if int(version[1:].split(".")[0]) < OLDEST[name]] == []


def test_every_system_and_python_is_tested() -> None:
    """Three systems, every Python from the oldest that pyproject.toml allows; without make, which Windows lacks."""
    job = jobs("ci.yml")["everywhere"]
    matrix = job["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["system"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert [step["run"] for step in job["steps"] if step.get("run", "").startswith("make")] == []


def test_no_job_may_write_but_the_one_that_deploys() -> None:
    """Each has what it needs, and no more."""
    for path in WORKFLOWS:
        whole = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert whole["permissions"] == {"contents": "read"}
        writing = {name for name, job in whole["jobs"].items() if "write" in job.get("permissions", {}).values()}
        assert writing <= {"deploy"}
        assert [name for name, job in whole["jobs"].items() if "timeout-minutes" not in job] == []


@pytest.mark.parametrize(
    ("answer", "code", "source", "ends"),
    [
        ("workflow", 0, "workflow", 0),
        ("legacy", 0, "legacy", 0),
        ('{"message":"Not Found"}gh: Not Found (HTTP 404)', 1, "off", 0),
        ("error connecting to api", 1, "", 1),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the step runs in the shell of a Linux machine")
def test_a_fork_without_pages_is_not_red(tmp_path: Path, answer: str, code: int, source: str, ends: int) -> None:
    """The step says what to choose where; only when nothing can be learnt does it fail."""
    step = jobs("pages.yml")["look"]["steps"][0]
    command = tmp_path / "gh"
    command.write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n")
    command.chmod(0o755)
    bash, output = shutil.which("bash"), tmp_path / "output"
    assert bash is not None
    places = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "GITHUB_OUTPUT": str(output)}
    done = subprocess.run(
        [bash, "-e", "-c", step["run"]],
        env={**places, "GITHUB_REPOSITORY": "someone/fork"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ends, done.stderr
    if source:
        assert output.read_text() == f"source={source}\n"
        assert ("::notice::" in done.stdout) == (source != "workflow")
    for name, before in (("build", "look"), ("deploy", "build")):
        assert jobs("pages.yml")[name]["needs"] == before
    assert jobs("pages.yml")["build"]["if"] == "needs.look.outputs.source == 'workflow'"


def test_what_is_installed_there_is_looked_at_and_small() -> None:
    """Known vulnerabilities are looked for in the pins, each of which stands there once; PyTorch comes without CUDA."""
    steps = [step.get("run", "") for step in jobs("ci.yml")["everything"]["steps"]]
    assert any(step.startswith("pipx run pip-audit==") and "constraints.txt" in step for step in steps)
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = [re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines if line and not line.startswith("#")]
    assert sorted(names) == sorted(set(names))
    for path in WORKFLOWS:
        assert "PIP_EXTRA_INDEX_URL: https://download.pytorch.org/whl/cpu" in path.read_text(encoding="utf-8")
