"""The commands that do stages, and what they say at the end."""

import os
import sys
import time

import click

from report import files
from report.cli.group import TRAINING, Places, command
from report.console import shell_line
from report.errors import ReportError, is_checkout
from report.making.stages import Article
from report.training import runs

COMMANDS = {
    "train": ("train",),
    "analyse": ("analyse",),
    "draw": ("draw",),
    "write": ("facts", "pages", "site"),
    "all": ("train", "analyse", "draw", "facts", "pages", "site"),
}

# What the article is made of, by what a study lacks to carry it (`report.analysis.carries`).
WANTS = {
    "data": "is about images of MNIST",
    "network": 'is about a network of the kind "mlp"',
    "drawn": "needs a layer in recording.whole of at most 8,192 weights",
    "seeds": "needs three seeds of the main optimizer that came to their end",
    "batches": "needs study.batches = 200 or more",
    "momentum": "needs a main optimizer with momentum: Adam, AdamW or SGD",
    "control": "needs a control without momentum, with two seeds",
    "pair": "needs a control with momentum 0.9 or more, and the same optimizer without",
    "moves": "needs weights that go on moving after the first 100 batches",
}


def _stage_command(name: str, help_text: str) -> None:
    """Add the command that does the stages of `name`."""

    @command(name, help_text, *(TRAINING if "train" in COMMANDS[name] else ()))
    def do(pipeline: Article) -> None:
        started = time.perf_counter()
        pipeline.run(COMMANDS[name])
        if name == "all":
            serve = _serve_command(click.get_current_context().obj)
            _summarise(pipeline, time.perf_counter() - started, serve)
        if "train" in COMMANDS[name]:
            _name_missing(pipeline)


_stage_command(
    "train",
    "Train what is missing and record it, into build/runs.\n\nThe study's training runs go side by side. One that is "
    "finished is never trained again; one that fails is named at the end, and the others go on.",
)
_stage_command("analyse", "Compute every number, into build/results.json and build/tables.")
_stage_command("draw", "Draw figures and animations, into build/docs.")
_stage_command("write", "Fill the templates and build the site.")
_stage_command("all", "Do all stages, one after the other.")


@command("findings", "Print what became of each claim of the first article, with the evidence.")
def findings(pipeline: Article) -> None:
    """Train and analyse what is stale, then print the findings."""
    from report.analysis.findings.records import Finding
    from report.site import printout
    from report.site.words import Words

    pipeline.run(("train",))
    if lacking := pipeline.lacking():
        raise ReportError(f"There are no findings: the article {WANTS[lacking[0]]}.")
    pipeline.run(("analyse",))
    records = files.read_json(pipeline.workspace.results)["findings"]
    words = Words.load(pipeline.workspace.templates, pipeline.settings().languages[0])
    printout.write([Finding.of(each) for each in records], words, pipeline.console)


def _serve_command(places: Places) -> str:
    """Return the command that shows what these options build."""
    words = [word for key, place in places.items() if place is not None for word in (f"--{key}", str(place))]
    if not is_checkout():
        return shell_line(["weights-in-motion", "serve", *words])
    if not words and os.name != "nt":
        return "make serve"
    return shell_line([_relative(sys.executable), "-m", "report", "serve", *words])


def _relative(program: str) -> str:
    """Return the path of a program from here; the whole one on another drive."""
    try:
        return os.path.relpath(program)
    except ValueError:
        return program


def _summarise(pipeline: Article, seconds: float, serve: str) -> None:
    """Say where the site is, what it was built from, how good the network became, what took how long."""
    from report.analysis.loss import last
    from report.recording.reader import Recording

    main = Recording.open(pipeline.main)
    data, accuracy = main.about["data"], last(main.series, "validation_accuracy")
    times = files.read_json(pipeline.workspace.timings, default={})
    say = pipeline.console.say
    say(f"Site:      {pipeline.workspace.site / 'index.html'}   (look at it with: {serve})")
    if lacking := pipeline.lacking():
        say(f"Pages:     a report on the network, because the article {WANTS[lacking[0]]}")
    say(f"Data:      {data['title']}" + (f". {data['reason']}" if data["reason"] else ""))
    say(f"Accuracy:  {accuracy:.4f} on {data['validation']:,} validation images")
    stages = ", ".join(f"{name} {times[name]:.1f} s" for name in COMMANDS["all"] if name in times)
    say(f"Times:     {stages} (when last done); this command {seconds:.1f} s")


def _name_missing(pipeline: Article) -> None:
    """Name each training run that failed, with its reason."""
    for record in runs.missing(pipeline.workspace):
        pipeline.console.say(f"WARNING: training run {record['run']} is missing: {record['reason']}")
