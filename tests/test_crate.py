"""What machines read of a site: every file that it names is there and holds what it says; one version, one date."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import ROOT, Build

from report import files
from report.site import crate
from report.site.downloads import describe
from report.site.settings import Settings


@pytest.fixture
def site(tiny_build: Build) -> Path:
    """Return the tiny site."""
    return tiny_build.workspace.site


def of_type(graph: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return the entities of a type."""
    return [each for each in graph if each["@type"] == kind]


def test_the_crate_names_what_is_there(site: Path) -> None:
    """Each file with its size and checksum; references lead somewhere; no time stamp but the release's date."""
    told = files.read_json(site / crate.CRATE)
    graph = {each["@id"]: each for each in told["@graph"]}
    assert len(graph) == len(told["@graph"])
    described = of_type(told["@graph"], "File")
    assert {"receipt.json", "downloads/results.json", "downloads/recording.npz"} <= {each["@id"] for each in described}
    for each in described:
        content = (site / each["@id"]).read_bytes()
        assert (each["contentSize"], each["sha256"]) == (str(len(content)), hashlib.sha256(content).hexdigest())
    for entity in graph.values():
        for value in entity.values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    assert each["@id"] in graph or each["@id"] == crate.SPECIFICATION
    (made,) = of_type(told["@graph"], "CreateAction")
    assert {each["@id"] for each in made["object"]} == {"downloads/experiment.toml", "#data"}
    assert "endTime" not in made
    assert graph["./"]["datePublished"] == str(cited()["date-released"])


def test_the_recording_is_described_as_it_is(site: Path, tiny_build: Build) -> None:
    """Checksum, size and the shape of every array of weights and gradients."""
    told = files.read_json(site / crate.CROISSANT)
    (packed,) = told["distribution"]
    content = (site / packed["contentUrl"]).read_bytes()
    assert packed["sha256"] == hashlib.sha256(content).hexdigest()
    assert packed["contentSize"] == f"{len(content)} B"
    with np.load(site / packed["contentUrl"]) as arrays:
        said = {name: arrays[name].shape for name in arrays if name.startswith(("weights_", "gradients_"))}
    assert packed["description"] == ", ".join(f"{name} {'×'.join(map(str, said[name]))}" for name in sorted(said))


def test_addresses_are_those_of_the_site() -> None:
    """A published one has whole addresses."""
    citation = (ROOT / "CITATION.cff").read_bytes()
    settings = Settings("Title", "https://example.org/page/", "https://example.org/repository")
    told = crate.croissant(settings, citation, describe("downloads/recording.npz", b"x"), {"weights_a": (2, 3)})
    assert told["distribution"][0]["contentUrl"] == "https://example.org/page/downloads/recording.npz"
    assert told["url"] == "https://example.org/page/"
    offered = [describe("a.csv", b"1"), describe("downloads/experiment.toml", b"")]
    graph = crate.crate(settings, citation, offered, {})["@graph"]
    (program,) = of_type(graph, "SoftwareApplication")
    assert program["@id"] == program["url"] == "https://example.org/repository"


def cited() -> dict[str, Any]:
    """Return what CITATION.cff says."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return found


def test_one_version_one_date_one_name() -> None:
    """In the package, the citation, and what Zenodo reads."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    zenodo = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    assert zenodo["version"] == cited()["version"] == project["version"]
    assert zenodo["publication_date"] == str(cited()["date-released"])
    assert zenodo["title"] == cited()["title"]
    assert zenodo["description"] == " ".join(cited()["abstract"].split())
    assert zenodo["keywords"] == cited()["keywords"]
    assert [each["name"] for each in zenodo["creators"]] == [each["name"] for each in cited()["authors"]]
    assert zenodo["license"] == cited()["license"] == "MIT"


def test_what_a_checker_reproduces_is_there(site: Path) -> None:
    """Every file of codecheck.yml is one that `make report` makes."""
    told = yaml.safe_load((ROOT / "codecheck.yml").read_text(encoding="utf-8"))
    for each in told["manifest"]:
        path = Path(each["file"])
        assert path.parts[0] == "site"
        assert (site / path.relative_to("site")).is_file(), path
        assert each["comment"]
    assert told["paper"]["title"] == cited()["title"]
    assert [each["name"] for each in told["paper"]["authors"]] == [each["name"] for each in cited()["authors"]]
