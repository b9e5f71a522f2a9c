"""What the reader's hand waits for: the player's scrubber and its other optimizer, and the article's slider."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import chromium
from benchmarks.material import Material
from benchmarks.measure import Line
from benchmarks.serving import serve
from report import wording
from report.workspace import Workspace

MOST = 1.0  # ms for 1,200 edges: a sixteenth of a sixtieth of a second; the rest is the browser's
MOST_CELLS = 4.0  # ms: a quarter of a sixtieth of a second
MOST_SLIDER = 16.0  # ms, with its layout: a sixtieth of a second
MOST_REPLAY = 60.0  # ms: what is seen at once
PATIENCE = 300_000.0  # ms for a page to open: how busy the machine is, is no fault of the player
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Frames</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="assets/player/weight-player.css">
<link rel="stylesheet" href="assets/hand/hand.css"></head>
<body data-md-color-scheme="default"><weight-player src="player/index.json"></weight-player>
<momentum-knob></momentum-knob>
<script type="application/json" id="words">WORDS</script>
<script type="module" src="assets/player/weight-player.js"></script>
<script type="module" src="assets/hand/momentum-knob.js"></script></body></html>"""
# Moves the scrubber as a finger does, one input event a frame, and times each drawing.
SCRUB = """async (frames) => {
    const {content: player} = document.querySelector("weight-player");
    await player.loader.all(player.shownRuns, 1);
    const {input} = player.view.scrubber;
    const render = player.render.bind(player);
    const times = [];
    player.render = () => {
        const start = performance.now();
        render();
        times.push(performance.now() - start);
    };
    const next = () => new Promise(requestAnimationFrame);
    for (let frame = 0; frame < frames; frame++) {
        input.value = 1 + Math.round((frame / (frames - 1)) * (player.last - 1));
        input.dispatchEvent(new Event("input"));
        await next();
    }
    delete player.render;
    return times.sort((a, b) => a - b);
}"""
# Turns the momentum coefficient of the other optimizer, and draws.
REPLAY = """async (turns) => {
    const {content: player} = document.querySelector("weight-player");
    await player.loader.all(player.shownRuns, 1);
    const times = [];
    for (let turn = 0; turn < turns; turn++) {
        const start = performance.now();
        player.choose({replay: {kind: "adam", momentum: (turn % 20) / 20}}, false);
        player.render();
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b);
}"""
# Changes the slider of the article, and lays it out.
SLIDER = """(turns) => {
    const slider = document.querySelector("momentum-knob input");
    const times = [];
    for (let turn = 0; turn < turns; turn++) {
        slider.value = (turn % 100) / 100;
        const start = performance.now();
        slider.dispatchEvent(new Event("input"));
        slider.getBoundingClientRect();
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b);
}"""
# Shades the 65,536 cells of a matrix of the reader's own, draws them, and finds the largest.
CELLS = """async (frames) => {
    const [{Matrix}, {shade, strongest}] =
        await Promise.all(["matrix", "colour"].map((name) => import(`./assets/player/${name}.js`)));
    const canvas = document.body.appendChild(document.createElement("canvas"));
    const layers = [{name: "matrix", inputs: 256, outputs: 256, shape: [256, 256]}];
    const matrix = new Matrix(canvas, {layers});
    const colours = {paper: "#ffffff", ink: "#000000", increase: "#c8102e", decrease: "#1d4ed8"};
    matrix.fit(600, 600, {colours, density: 2, family: "sans-serif"}, frames);
    const laws = [{mean: 0, threshold: 0.5}];
    const signed = new Float32Array(65536);
    const times = [];
    for (let frame = 1; frame <= frames; frame++) {
        const updates = signed.map(() => (2 * Math.random() - 1) ** 5);
        const start = performance.now();
        shade(updates, layers, laws, {share: 1, shown: [true]}, signed);
        matrix.draw(signed, frame, [], true);
        strongest(updates, layers, laws, [true], 6);
        times.push(performance.now() - start);
        await new Promise(requestAnimationFrame);
    }
    return times.sort((a, b) => a - b);
}"""
VIEWS = {"one graph": "", "two graphs, two edges pinned": "#batch=1&compare={compare}&edge={edges}"}


def compare(material: Material) -> Iterator[Line]:
    """Use the packed recording in headless Chromium at two device pixels a CSS pixel."""
    folder, command = material.build / "docs" / "player", chromium.command()
    if not (folder / "index.json").is_file() or command is None:
        missing = 'no packed recording; run "make report" first' if command else chromium.MISSING
        yield Line("player, script a frame", None, detail=f"There is {missing}.")
        return
    frames = 60 if material.quick else 600
    served = material.folder / "player-frames"
    prepare(served, folder, material.workspace)
    with serve(served, "/") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=command, args=chromium.FLAGS)
        try:
            for name, view in VIEWS.items():
                page = open_page(browser)
                found = scrub(page, address, view, frames)
                page.close()
                if found is not None:
                    yield Line(
                        f"player, script a frame while scrubbing, {name}",
                        found["all"],
                        MOST,
                        unit="ms",
                        detail=f"drawing {found['median']:.2f} ms, of 1 in 20 more than {found['late']:.2f} ms",
                    )
            page = open_page(browser)
            page.goto(f"{address}#replay=adam:0.9")
            page.wait_for_function("document.querySelector('.wp-words')?.textContent")
            for name, script, most in (
                ("player, a turn of the other optimizer's momentum, drawn", REPLAY, MOST_REPLAY),
                ("momentum slider, a change laid out", SLIDER, MOST_SLIDER),
                ("matrix of 65,536 cells, script a frame", CELLS, MOST_CELLS),
            ):
                times = page.evaluate(script, 20 if material.quick else 100)
                late = times[int(len(times) * 0.95)]
                yield Line(name, times[len(times) // 2], most, unit="ms", detail=f"of 1 in 20 more than {late:.2f} ms")
        finally:
            browser.close()


def open_page(browser: Browser) -> Page:
    """Return an empty page on a wide screen of two device pixels a CSS pixel."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=2)
    page.set_default_timeout(PATIENCE)
    return page


def prepare(served: Path, data: Path, workspace: Workspace) -> None:
    """Make a folder with a page that holds nothing but the player, over `data`, and the slider."""
    served.mkdir(parents=True)
    shutil.copytree(data, served / "player")
    for name in ("player", "hand"):
        shutil.copytree(workspace.site_src / "assets" / name, served / "assets" / name)
    words = json.dumps(wording.read(workspace.templates, "en", "interface"))
    (served / "index.html").write_text(PAGE.replace("WORDS", words), encoding="utf-8")
    (served / "404.html").write_text("<!doctype html><title>Not found</title>", encoding="utf-8")


def scrub(page: Page, address: str, view: str, frames: int) -> dict[str, float] | None:
    """Return milliseconds of script a frame (`all`), and of drawing (`median`, `late`); None without a comparison.

    Args:
        page: empty.
        address: where the page with the player is served.
        view: the part of the address that says what is shown; `{compare}` and `{edges}` are filled in.
        frames: to draw.
    """
    index: dict[str, Any] = page.request.get(f"{address}player/index.json").json()
    if "{compare}" in view and index["compare_first"] is None:
        return None
    edges = ",".join(f"{layer['name']}.1.1" for layer in index["layers"][:2])
    page.goto(address + view.format(compare=index["compare_first"], edges=edges))
    page.wait_for_function("document.querySelector('.wp-words')?.textContent")
    page.evaluate(SCRUB, 20)  # the engine compiles what runs often
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before = script_seconds(session)
    times = page.evaluate(SCRUB, frames)
    spent = 1000 * (script_seconds(session) - before)
    session.detach()
    return {"all": spent / frames, "median": times[len(times) // 2], "late": times[int(len(times) * 0.95)]}


def script_seconds(session: Any) -> float:
    """Return how long the page's scripts have run so far, seconds."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "ScriptDuration"))
