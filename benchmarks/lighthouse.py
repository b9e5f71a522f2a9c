"""Audit every page of the built site with Lighthouse, as a phone sees it: `python -m benchmarks.lighthouse`."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks import chromium
from benchmarks.measure import ROOT
from benchmarks.serving import serve

TOOL = ROOT / "tests" / "browser" / "node_modules" / ".bin" / "lighthouse"
FLAGS = ("--headless=new", *chromium.FLAGS)
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
WANTED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}  # points of 100
SECONDS = 180  # after which an audit has got stuck


class LighthouseError(Exception):
    """Lighthouse did not get as far as a score."""


@dataclass(frozen=True)
class Audit:
    """Hold what Lighthouse found on one page, on the phone and the slow network that it simulates by default."""

    scores: dict[str, int]  # points of 100 by category
    lacking: tuple[str, ...]  # audits that cost points outside performance, with what they point at
    paint_ms: float  # first contentful paint
    largest_ms: float  # largest contentful paint
    blocked_ms: float  # total blocking time
    shift: float  # cumulative layout shift
    transferred: int  # bytes

    @property
    def missed(self) -> tuple[str, ...]:
        """Return the categories that are below what is wanted."""
        return tuple(name for name, wanted in WANTED.items() if self.scores[name] < wanted)


def audit(address: str, folder: Path) -> Audit:
    """Run Lighthouse once on the page at `address`; `folder` takes its files.

    Raises:
        LighthouseError: when it is not installed, gets stuck, or cannot load the page.
    """
    browser = chromium.command()
    if browser is None or not TOOL.is_file():
        raise LighthouseError('Chromium or Lighthouse is missing: "make test" says how to get both.')
    answer = folder / "lighthouse.json"
    command = [
        str(TOOL),
        address,
        "--quiet",
        "--output=json",
        f"--output-path={answer}",
        f"--only-categories={','.join(CATEGORIES)}",
        "--no-enable-error-reporting",
        "--disable-full-page-screenshot",  # of which nothing is used here
        f"--chrome-flags={' '.join(FLAGS)}",
    ]
    environment = {**os.environ, "CHROME_PATH": browser, "TMPDIR": str(folder)}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Chromium is its child: both are ended together
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise LighthouseError(f"{address}: no answer after {SECONDS} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode or not answer.is_file():
        raise LighthouseError(f"{address}: {said.strip() or 'no answer'}")
    return _read(json.loads(answer.read_text(encoding="utf-8")))


def _read(report: dict) -> Audit:
    """Take from Lighthouse's report what is stated."""
    if report.get("runtimeError"):
        raise LighthouseError(report["runtimeError"]["message"])
    audits, categories = report["audits"], report["categories"]
    lacking = []
    for name in CATEGORIES[1:]:
        for reference in categories[name]["auditRefs"]:
            found = audits[reference["id"]]
            if reference["weight"] and found["score"] is not None and found["score"] < 1:
                items = (found.get("details") or {}).get("items", [])
                lacking.append(f"{found['id']}: {found['title']} {json.dumps(items)[:300]}")
    return Audit(
        scores={name: round(100 * categories[name]["score"]) for name in CATEGORIES},
        lacking=tuple(lacking),
        paint_ms=audits["first-contentful-paint"]["numericValue"],
        largest_ms=audits["largest-contentful-paint"]["numericValue"],
        blocked_ms=audits["total-blocking-time"]["numericValue"],
        shift=audits["cumulative-layout-shift"]["numericValue"],
        transferred=int(audits["total-byte-weight"]["numericValue"]),
    )


def best(address: str, folder: Path, rounds: int, enough: int = 100) -> Audit:
    """Return the audit with the best performance out of up to `rounds`: what else runs on a machine only costs points.

    Stops at `enough` points. The other categories do not vary.
    """
    found: list[Audit] = []
    for _ in range(rounds):
        found.append(audit(address, folder))
        if found[-1].scores["performance"] >= enough:
            break
    return max(found, key=lambda each: each.scores["performance"])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[PAGE]...")
@click.option("--site", type=click.Path(path_type=Path, exists=True), default=ROOT / "site", help="The built site.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Audits a page, at most.")
@click.option("--check", is_flag=True, help="End with exit code 1 when a score is missed.")
def main(names: tuple[str, ...], site: Path, rounds: int, check: bool) -> None:
    """Audit the pages of the built site, such as "index" or "ja/index"; all where none is named.

    The site is served compressed from localhost, as a host of static pages would.
    """
    built = (path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html"))
    pages = names or sorted(name for name in built if name != "404")
    click.echo(f"{'page':14}{'performance':>12}{'accessible':>12}{'practices':>11}{'SEO':>5}", nl=False)
    click.echo(f"{'paint':>9}{'largest':>10}{'blocked':>10}{'shift':>8}{'transferred':>13}")
    missed = 0
    with serve(site) as address, tempfile.TemporaryDirectory(prefix="lighthouse-") as folder:
        for name in pages:
            done = best(f"{address}{name}.html", Path(folder), rounds, WANTED["performance"])
            scores = [done.scores[category] for category in CATEGORIES]
            click.echo(f"{name:14}{scores[0]:>12}{scores[1]:>12}{scores[2]:>11}{scores[3]:>5}", nl=False)
            click.echo(f"{done.paint_ms / 1000:>7.2f} s{done.largest_ms / 1000:>8.2f} s", nl=False)
            click.echo(f"{done.blocked_ms:>7.0f} ms{done.shift:>8.3f}{done.transferred / 1000:>10.0f} kB")
            for line in done.lacking:
                click.echo(f"    {line}")
            missed += bool(done.missed)
    click.echo(f"Wanted: performance {WANTED['performance']}, all others 100.")
    if check and missed:
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except LighthouseError as error:
        sys.exit(str(error))
