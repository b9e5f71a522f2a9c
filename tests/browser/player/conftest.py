"""Serve pages that hold nothing but a player."""

import json
import shutil

import drawn
import numpy as np
import pytest
from conftest import ROOT
from filmed import PACE
from recordings import noise, write_recording

from benchmarks.serving import serve
from report import files, wording
from report.analysis.report import analyse
from report.drawing.player import packing
from report.recording.study import Study
from report.workspace import Workspace

SHARD = 440 * 16  # edges × batches: several shards of the tiny network
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Player</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/player/weight-player.css">
<style>body { margin: 0; font-family: sans-serif } img { display: block }
.after { height: 3000px } [data-mode="hero"] { width: 500px }</style></head>
<body data-md-color-scheme="default"><main><h1>Explore</h1>
<weight-player src="player/index.json" data-mode="MODE"><a href="animations/network.gif"><img
src="animations/network.png" width="500" height="1000" alt="The film"></a></weight-player>
<h2 id="try">After</h2><div class="after"></div></main>
<script type="application/json" id="words">WORDS</script>
<script type="module" src="assets/player/weight-player.js"></script></body></html>"""


@pytest.fixture(scope="session")
def site(tiny_build, tmp_path_factory):
    """Serve two pages that hold nothing but a player, over the tiny build in several shards; return the address."""
    build = tmp_path_factory.mktemp("player") / "build"
    build.mkdir()
    shutil.copy(tiny_build.workspace.results, build)
    shutil.copytree(tiny_build.workspace.numbers, build / "numbers")
    place = Workspace(ROOT, build, build / "site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "SHARD_VALUES", SHARD)
        drawn.player(place, tiny_build.study, tiny_build.experiment.animation)
    shutil.copytree(tiny_build.workspace.animations, place.animations)
    shutil.copytree(ROOT / "site_src" / "assets" / "player", place.docs / "assets" / "player")
    words = {language: json.dumps(wording.read(ROOT / "templates", language, "interface")) for language in ("en", "ja")}
    for name, mode, said in (
        ("index", "full", words["en"]),
        ("hero", "hero", words["en"]),
        ("ja", "full", words["ja"]),
        ("hero-ja", "hero", words["ja"]),
        ("silent", "full", "{}"),
    ):
        files.write_text(place.docs / f"{name}.html", PAGE.replace("MODE", mode).replace("WORDS", said))
    files.write_text(place.docs / "404.html", "<!doctype html><title>Not found</title>")
    with serve(place.docs, "/") as address:
        yield address


@pytest.fixture(scope="session")
def own(tmp_path_factory):
    """Serve a page over recordings of a network without a chain, of two seeds, with all tensors; return the address.

    t1 is whole, t2 a vector, t3 a sample, t4 is there from the eleventh step on, t17 is a single number.
    """
    folder = tmp_path_factory.mktemp("own")
    shapes = {"conv": (6, 2, 3, 3), "bias": (6,), "embedding": (80, 64), "late": (4, 5)}
    others = {**{f"norm.{number}": (3,) for number in range(12)}, "temperature": (1,)}
    chosen = np.arange(3, 5120, 5)
    for seed, steps in ((0, 60), (1, 50)):
        weights, gradients = noise({**shapes, "embedding": (1, len(chosen)), **others}, steps, seed)
        flat = [{name: rows.reshape(len(rows), -1) for name, rows in each.items()} for each in (weights, gradients)]
        for rows in flat:
            rows["late"][:10] = np.nan
        loss = {"loss": 1 / (1 + np.arange(steps))}
        run = folder / "runs" / str(seed)
        made = {"label": "mine", "seed": seed, "series": loss, "shapes": {**shapes, **others}}
        write_recording(run, *flat, **made, indices={"embedding": chosen})
    study, place = Study.load(folder / "runs"), Workspace(ROOT, folder / "build", folder / "site")
    analyse(place, study, [])
    drawn.player(place, study, PACE, list(study.main.tensors))
    shutil.copytree(ROOT / "site_src" / "assets" / "player", place.docs / "assets" / "player")
    for language in ("en", "ja"):
        said = wording.read(ROOT / "templates", language, "interface")
        words = json.dumps({"player": {**said["player"], **said["player_own"]}})
        files.write_text(place.docs / f"{language}.html", PAGE.replace("MODE", "full").replace("WORDS", words))
    files.write_text(place.docs / "404.html", "<!doctype html><title>Not found</title>")
    with serve(place.docs, "/") as address:
        yield address, study.main


@pytest.fixture(scope="session")
def updates(tiny_build):
    """Return (batches, edges): every recorded update of the main run."""
    run = tiny_build.recording
    return np.concatenate([np.diff(run.weights(layer), axis=0) for layer in ("l3", "l4", "l5")], axis=1)
