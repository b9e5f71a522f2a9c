"""What a reader has to load: pictures, animations and the player's recording, as built."""

from collections.abc import Iterator

from benchmarks.material import Material
from benchmarks.measure import Line
from report import files
from report.workspace import Workspace

KB, MB = 1000, 1000**2
NETWORK_GIF, LAYER_GIF, FIGURE = 6 * MB, 2 * MB, 100 * KB
FIRST_PICTURE, WHOLE_RUN = 200 * KB, 6 * MB


def compare(material: Material) -> Iterator[Line]:
    """Look at the files of the build folder; no ratio, but sizes and their bounds."""
    place = Workspace(material.workspace.root, material.build, material.build / "site")
    if not place.animations_manifest.is_file():
        yield Line("sizes", None, detail=f'Nothing is drawn in {material.build}. Run "make report" first.')
        return
    for name, entry in files.read_json(place.animations_manifest).items():
        bound = NETWORK_GIF if name == "network" else LAYER_GIF if name.startswith("layer-") else None
        yield _line(f"{name}.gif", max(entry["bytes"].values()), bound)
    drawings = {path.name: path.stat().st_size for path in place.figures.glob("*.svg")}
    if drawings:
        largest = max(drawings, key=lambda name: (drawings[name], name))
        yield _line(f"largest of {len(drawings)} drawn figures, {largest}", drawings[largest], FIGURE)
    index = place.docs / "player" / "index.json"
    if not index.is_file():
        yield Line("the player's recording", None, detail="It is not packed.")
        return
    content = files.read_json(index)
    shards = next(run["shards"] for run in content["runs"] if run["slug"] == content["main"])  # bytes of each
    yield _line("player, first picture (index and first shard)", index.stat().st_size + shards[0], FIRST_PICTURE)
    yield _line("player, the whole main run", index.stat().st_size + sum(shards), WHOLE_RUN)


def _line(what: str, size: float, bound: float | None) -> Line:
    return Line(what, size / KB, None if bound is None else bound / KB, unit="kB")
