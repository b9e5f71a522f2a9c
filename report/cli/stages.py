"""The commands that do stages, and what they say at the end."""

import os
import shlex
import sys
import time

import click

from report import files
from report.cli.group import TRAINING, Places, command
from report.errors import is_checkout
from report.making.stages import Article
from report.training import runs

COMMANDS = {
    "train": ("train",),
    "analyse": ("analyse",),
    "draw": ("draw",),
    "write": ("facts", "pages", "site"),
    "all": ("train", "analyse", "draw", "facts", "pages", "site"),
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

    pipeline.run(("train", "analyse"))
    records = files.read_json(pipeline.workspace.results)["findings"]
    words = Words.load(pipeline.workspace.templates, pipeline.settings().languages[0])
    printout.write([Finding.of(each) for each in records], words, pipeline.console)


def _serve_command(places: Places) -> str:
    """Return the command that shows what these options build."""
    words = [word for key, place in places.items() if place is not None for word in (f"--{key}", str(place))]
    if not is_checkout():
        return shlex.join(["weights-in-motion", "serve", *words])
    return shlex.join([os.path.relpath(sys.executable), "-m", "report", "serve", *words]) if words else "make serve"


def _summarise(pipeline: Article, seconds: float, serve: str) -> None:
    """Say where the site is, what it was built from, how good the network became, what took how long."""
    results = files.read_json(pipeline.workspace.results)
    loss = results["loss"][results["main"]]
    data = results["data"]
    times = files.read_json(pipeline.workspace.timings, default={})
    say = pipeline.console.say
    say(f"Site:      {pipeline.workspace.site / 'index.html'}   (look at it with: {serve})")
    say(f"Data:      {data['title']}" + (f". {data['reason']}" if data["reason"] else ""))
    say(f"Accuracy:  {loss['final_validation_accuracy']:.4f} on {data['validation']:,} validation images")
    stages = ", ".join(f"{name} {times[name]:.1f} s" for name in COMMANDS["all"] if name in times)
    say(f"Times:     {stages} (when last done); this command {seconds:.1f} s")


def _name_missing(pipeline: Article) -> None:
    """Name each training run that failed, with its reason."""
    for record in runs.missing(pipeline.workspace):
        pipeline.console.say(f"WARNING: training run {record['run']} is missing: {record['reason']}")
