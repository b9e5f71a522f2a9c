"""What machines read of a site: an RO-Crate of how it was made, and a description of the recording as a data set.

Sources: Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process/0.5) on RO-Crate 1.1, and Croissant 1.1
(http://mlcommons.org/croissant/1.1). Neither has a time stamp: the date is that of the release.
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from report.site.downloads import File
from report.site.settings import Settings

Entity = dict[str, Any]

CRATE, CROISSANT = "ro-crate-metadata.json", "croissant.json"  # at the root of the site
SPECIFICATION, PROFILE = "https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/wfrun/process/0.5"
SHA256 = "https://w3id.org/ro/terms/workflow-run#sha256"  # no term of RO-Crate's own
MIT = "https://spdx.org/licenses/MIT"
TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".npz": "application/zip",
    ".toml": "application/toml",
    ".cff": "application/yaml",
}
TERMS = (  # of Croissant's own
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject"),
    *("fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
    *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
    *("separator", "source", "subField", "transform"),
)
CONTEXT = {  # of Croissant 1.1, as its specification has it
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in TERMS},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}


def crate(settings: Settings, citation: bytes, offered: Iterable[File], data: Mapping[str, Any]) -> Entity:
    """Return the RO-Crate of a site: what was made from what, by which program, with checksums.

    Args:
        settings: title and addresses of the site.
        citation: CITATION.cff of the sources.
        offered: files for download.
        data: what the main recording says of its data.
    """
    cited: Mapping[str, Any] = yaml.safe_load(citation)
    every_file = sorted(offered, key=lambda each: each.path)
    made = [each.path for each in every_file if each.path != "downloads/experiment.toml"]
    used = [_reference("downloads/experiment.toml"), _reference("#data")]
    program_id = settings.repository or "#program"
    program = {
        "@id": program_id,
        "@type": "SoftwareApplication",
        "name": cited["title"],
        "softwareVersion": cited["version"],
        "license": _reference(MIT),
        "url": settings.repository or None,
    }
    action = {
        "@id": "#made",
        "@type": "CreateAction",
        "name": "make report",
        "description": f"make report: {cited['title']} {cited['version']}",
        "instrument": _reference(program_id),
        "object": used,
        "result": [_reference(path) for path in made],
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "agent": _reference("#authors"),
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": settings.title,
        "description": " ".join(cited["abstract"].split()),
        "datePublished": str(cited["date-released"]),
        "license": _reference(MIT),
        "author": _reference("#authors"),
        "publisher": _reference("#authors"),
        "conformsTo": _reference(PROFILE),
        "hasPart": [_reference(each.path) for each in every_file],
        "mentions": _reference("#made"),
        "url": settings.url or None,
    }
    described = {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": _reference("./"),
        "conformsTo": _reference(SPECIFICATION),
    }
    named = (
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": MIT, "@type": "CreativeWork", "name": "MIT"},
        {
            "@id": "#authors",
            "@type": "Organization",
            "name": cited["authors"][0]["name"],
            "url": settings.repository or None,
        },
        {
            "@id": "#data",
            "@type": "CreativeWork",
            "name": data.get("title"),
            "sha256": data.get("sha256"),
            "license": data.get("licence"),
        },
    )
    every: list[Entity] = [described, root, program, action, *named, *map(_file, every_file)]
    graph = [{key: value for key, value in entity.items() if value is not None} for entity in every]
    return {"@context": [f"{SPECIFICATION}/context", {"sha256": SHA256}], "@graph": graph}


def croissant(settings: Settings, citation: bytes, recording: File, shapes: Mapping[str, tuple[int, ...]]) -> Entity:
    """Return the packed recording, described as a data set.

    Args:
        settings: title and addresses of the site.
        citation: CITATION.cff of the sources.
        recording: the file.
        shapes: of its arrays, by name.
    """
    cited: Mapping[str, Any] = yaml.safe_load(citation)
    packed = {
        "@type": "cr:FileObject",
        "@id": recording.path,
        "name": PurePosixPath(recording.path).name,
        "description": ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in sorted(shapes.items())),
        "contentUrl": settings.base + recording.path,
        "contentSize": f"{recording.bytes} B",
        "encodingFormat": "application/zip",
        "sha256": recording.sha256,
    }
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": settings.title,
        "description": " ".join(cited["abstract"].split()),
        "license": MIT,
        "url": settings.url or settings.repository or recording.path,
        "version": cited["version"],
        "datePublished": str(cited["date-released"]),
        "creator": {"@type": "sc:Organization", "name": cited["authors"][0]["name"]},
        "citeAs": f"{cited['authors'][0]['name']}: {cited['title']}, {cited['version']}",
        "distribution": [packed],
    }


def _reference(identity: str) -> Entity:
    return {"@id": identity}


def _file(file: File) -> Entity:
    """Describe a file for download."""
    path = PurePosixPath(file.path)
    return {
        "@id": file.path,
        "@type": "File",
        "name": path.name,
        "contentSize": str(file.bytes),
        "encodingFormat": TYPES.get(path.suffix, "text/plain"),
        "sha256": file.sha256,
    }
