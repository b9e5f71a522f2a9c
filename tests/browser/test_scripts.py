"""Scripts go out without comments and spaces, and are the same programs."""

import shutil
import subprocess
from pathlib import Path

from conftest import ROOT

from .conftest import CHECKS, missing

# Reads pairs of addresses, a line each, and says which of them are not one program, however it is written.
SAME = """
const {parse} = require("acorn"), {readFileSync} = require("fs");
const tree = (path) => JSON.stringify(parse(readFileSync(path, "utf8"), {ecmaVersion: "latest", sourceType: "module"}),
    (key, value) => key === "start" || key === "end" ? undefined : value);
for (const pair of readFileSync(0, "utf8").trim().split("\\n")) {
    const [source, sent] = pair.split("\\t");
    if (tree(source) !== tree(sent)) console.log(sent);
}
"""


def test_scripts_are_shorter_and_the_same(address: str, folder: Path) -> None:
    """By a parser that has nothing to do with what shortened them."""
    if not (CHECKS / "node_modules" / "acorn").is_dir() or shutil.which("node") is None:
        missing('acorn is not installed ("make test" installs it)')
    sources = ROOT / "site_src" / "assets"
    pairs = [(path, folder / "assets" / path.relative_to(sources)) for path in sorted(sources.rglob("*.js"))]
    assert len(pairs) > 30
    listed = "".join(f"{source}\t{sent}\n" for source, sent in pairs)
    found = subprocess.run(["node", "-e", SAME], input=listed, cwd=CHECKS, capture_output=True, text=True, check=True)
    assert found.stdout == ""
    before, after = (sum(path.stat().st_size for path in each) for each in zip(*pairs, strict=True))
    assert after < 0.7 * before
