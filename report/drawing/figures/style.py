"""The look that all figures share: colours of both variants, the sheet they are drawn on, how axes are labelled.

One colour a layer, the same in every figure. Optimizers of the main one's family, which differ in momentum alone, are
steps of one ramp, the stronger the more momentum. Red and blue stand for the sign of an update and for nothing else.
Layers, and the steps of the ramp, stay apart for readers who cannot tell red from green.
"""

import contextlib
import functools
import importlib.util
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.patheffects import Normal, Stroke
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from report.wording import MINUS, SUPERSCRIPTS, thousands

STYLE: Final = Path(__file__).with_name("house.mplstyle")
WIDTH: Final = 480  # CSS pixels of every figure
HIGHEST: Final = 480  # CSS pixels: what a reader takes in at once
PIXELS_PER_INCH: Final = 96  # CSS pixels
FONTS: Final = ("DejaVu Sans", "IPAexGothic")  # the first comes with matplotlib, the other has Japanese letters
JAPANESE: Final = re.compile(r"[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")
OUTLINE: Final = 0.6  # points of the line that makes such a letter bold
LONGEST_NAME: Final = 24  # letters of a layer that fit on a line beside its shape
PARTS: Final = re.compile(r"(?<!\d)\.|\.(?!\d)|[,;/\s]+")  # what a name is divided by; "0.1" is one part
RUNS_ON_A_MACHINE: Final = (
    "backend",
    "interactive",
    "toolbar",
    "timezone",
    "webagg",
    "date.epoch",
    "savefig.directory",
)


@dataclass(frozen=True)
class Ink:
    """Hold the colours of one variant.

    Attributes:
        scheme: `light` or `dark`.
        paper: the ground.
        ink: words and axes.
        muted: what is secondary: notes, tick labels, comparison lines. 4.5 : 1 against the paper or more.
        grid: the grid.
        increase: an update above zero.
        decrease: an update below zero.
        longer: a cell of a heat map, of what lasts longer than its baseline.
        shorter: the same of what is over sooner.
        layers: a colour for each layer, from the input on; used again from the start in deeper networks.
        ramp: for the main optimizer's family, from the least momentum to the most.
        others: for an optimizer that is not of this family. No figure tells two of them apart by their colours, and no
            hue is left: those of layers would mean two things.
    """

    scheme: str
    paper: str
    ink: str
    muted: str
    grid: str
    increase: str
    decrease: str
    longer: str
    shorter: str
    layers: tuple[str, ...]
    ramp: tuple[str, ...]
    others: str

    def layer(self, place: int) -> str:
        """Return the colour of the layer at `place` among those that figures show."""
        return self.layers[place % len(self.layers)]

    def optimizer(self, side: Mapping[str, Any]) -> str:
        """Return the colour of an optimizer, one of `comparison.optimizers`."""
        return self.ramp[int(side["colour"])] if side["in_family"] else self.others


# Found by searching for the largest smallest distance, as seen with and without protanopia and deuteranopia, around
# hues other than the red and blue of signs; each at least 3 : 1 against its paper.
INKS: Final = {
    "light": Ink(
        scheme="light",
        paper="#ffffff",
        ink="#1b1f24",
        muted="#59616b",
        grid="#e3e6ea",
        increase="#c8102e",
        decrease="#1d4ed8",
        longer="#d97a12",
        shorter="#119181",
        layers=("#5f398e", "#b98a1b", "#c05a9c", "#6a3f31", "#667404", "#a07ae5"),
        ramp=("#4ca385", "#257a5d", "#074f39", "#00241a"),
        others="#50576c",
    ),
    "dark": Ink(
        scheme="dark",
        paper="#14171c",
        ink="#e8eaed",
        muted="#a3abb5",
        grid="#2b3038",
        increase="#ff6b6b",
        decrease="#6ea8fe",
        longer="#b5651d",
        shorter="#1f8a7a",
        layers=("#9a62cf", "#d6a610", "#e58bc6", "#9a6a50", "#d9e45a", "#d9cdf0"),
        ramp=("#367461", "#47a689", "#60cca7", "#d3ffed"),
        others="#cbd8e2",
    ),
}


def recoloured(drawing: str, ink: Ink, other: Ink) -> str:
    """Return an SVG drawn with the colours of `ink` in those of `other`: the variants differ in nothing else."""
    pairs = {
        before: after
        for field in fields(Ink)
        if field.name != "scheme"
        for before, after in zip(_colours(ink, field.name), _colours(other, field.name), strict=True)
    }
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: pairs.get(match[0], match[0]), drawing)


def _colours(ink: Ink, name: str) -> tuple[str, ...]:
    value = getattr(ink, name)
    return value if isinstance(value, tuple) else (value,)


@contextlib.contextmanager
def house(ink: Ink) -> Iterator[None]:
    """Draw in the house style, whatever the user's own matplotlib settings are."""
    style = matplotlib.rc_params_from_file(STYLE, fail_on_error=True, use_default_template=True)
    colours: dict[str, Any] = {
        "font.family": _fonts(),
        "figure.facecolor": ink.paper,
        "axes.facecolor": ink.paper,
        "savefig.facecolor": ink.paper,
        "text.color": ink.ink,
        "axes.titlecolor": ink.ink,
        "axes.labelcolor": ink.muted,
        "axes.edgecolor": ink.muted,
        "xtick.color": ink.muted,
        "ytick.color": ink.muted,
        "grid.color": ink.grid,
    }
    settings: dict[Any, Any] = {key: value for key, value in style.items() if not key.startswith(RUNS_ON_A_MACHINE)}
    with matplotlib.rc_context(settings | colours), warnings.catch_warnings():
        # A name may have letters that the font lacks: a box stands for each.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        yield


@functools.cache
def _fonts() -> list[str]:
    """Make the Japanese letters known to matplotlib, without the settings that importing their package would change."""
    package = importlib.util.find_spec("matplotlib_fontja")
    assert package is not None  # it is among the dependencies
    assert package.origin is not None
    fontManager.addfont(Path(package.origin).parent / "fonts" / "ipaexg.ttf")
    # It has no bold; matplotlib would say so on the terminal.
    fontManager.ttflist.append(replace(fontManager.ttflist[-1], weight=700))
    return list(FONTS)


def sheet(heights: Sequence[float], share_x: bool = True, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure with one panel below the other, and its panels.

    Args:
        heights: CSS pixels of each row, with its heading and labels.
        share_x: whether all panels have one x axis; only the last then labels it.
        columns: panels side by side, for very small ones alone: a phone is narrow.
    """
    figure = Figure(figsize=(WIDTH / PIXELS_PER_INCH, sum(heights) / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
    panels = figure.subplots(
        len(heights), columns, sharex=share_x, squeeze=False, gridspec_kw={"height_ratios": list(heights)}
    )
    return figure, list(panels.flat)


def blank(height: float) -> Figure:
    """Return a figure without panels, `height` CSS pixels high; `axes_at` places them."""
    figure = Figure(figsize=(WIDTH / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)
    figure.set_layout_engine("none")
    return figure


def axes_at(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    """Add a panel at (left, top, width, height), CSS pixels, so that cells begin and end where pixels do."""
    left, top, width, height = box
    across, down = figure.get_size_inches() * PIXELS_PER_INCH
    return figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))


def brief(name: str, most: int = LONGEST_NAME) -> str:
    """Return a name short enough for a line: its end, which tells a layer from the others of its block."""
    return name if len(name) <= most else f"…{name[1 - most :]}"


def briefs(names: Sequence[str], most: int = LONGEST_NAME) -> list[str]:
    """Return names short enough for a line; of those with the same end, what tells them apart stands before it."""
    found = [brief(name, most) for name in names]
    for end in {each for each in found if found.count(each) > 1}:
        places = [place for place, each in enumerate(found) if each == end]
        alike = [names[place] for place in places]
        parts = [PARTS.split(each) for each in alike]
        differing = [at for at in range(max(map(len, parts))) if len({tuple(each[at : at + 1]) for each in parts}) > 1]
        letters = enumerate(zip(*alike, strict=False))
        same = next((at for at, each in letters if len(set(each)) > 1), min(map(len, alike)))
        for place, name, each in zip(places, alike, parts, strict=True):
            start = "".join(f"{part}…" for at, part in enumerate(each) if at in differing)
            start = start if 0 in differing else f"…{start}"
            if differing and len(start) < most:
                found[place] = start + name[len(start) - most :]
            elif differing:  # one part alone is longer than a line
                found[place] = f"…{name[same : same + most - 2]}…"
    return found


def heading(panel: Axes, words: str, note: str = "") -> None:
    """Write what a panel shows above its left edge: in bold `words`, after it, muted, a `note`."""
    title = panel.set_title(words)
    embolden(title)
    if note:
        how: dict[str, Any] = {"va": "bottom", "ha": "left", "annotation_clip": False}
        panel.annotate(f"  {note}", xy=(1, 0), xycoords=title, color=matplotlib.rcParams["axes.labelcolor"], **how)


def embolden(text: Text) -> None:
    """Make a text bold: words with Japanese letters, of which there are no bold ones, by a line around each letter."""
    if text.get_text().isascii() or not JAPANESE.search(text.get_text()):
        text.set_fontweight("bold")
        return
    text.set_fontweight("normal")
    text.set_path_effects([Stroke(linewidth=OUTLINE, foreground=text.get_color()), Normal()])


def label(panel: Axes, x: float, y: float, words: str, ink: Ink, **how: Any) -> None:
    """Write `words` inside a panel, at (x, y) in data units moved by `offset` points, on a piece of paper."""
    offset = how.pop("offset", (0, 0))
    panel.annotate(
        words,
        xy=(x, y),
        xytext=offset,
        textcoords="offset points",
        bbox={"facecolor": ink.paper, "edgecolor": "none", "alpha": 0.8, "pad": 1},
        **{"color": ink.ink, "va": "center", "annotation_clip": False, **how},
    )


def batches_below(panel: Axes, words: str) -> None:
    """Label the x axis of the lowest panel with `words`; its numbers are batches, thousands grouped."""
    low, high = panel.get_xlim()
    if high - low < 1:  # of a single batch
        panel.set_xlim(round(low) - 0.6, round(low) + 0.6)
    panel.set_xlabel(words, loc="right")
    panel.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: thousands(value)))


def few_values(panel: Axes, count: int = 4) -> None:
    """Put at most `count` round numbers at the y axis."""
    panel.yaxis.set_major_locator(MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]))


def scaled(value: float) -> str:
    """Return a tick's number without needless zeros, with a real minus sign: 0, −0.5, 2, 0.00005, 2 × 10⁻⁷."""
    text = f"{value:g}"
    mantissa, _, power = text.partition("e")
    if power == "-05":
        text = f"{value:.10f}".rstrip("0")
    elif power:
        text = f"{mantissa} × 10{str(int(power)).translate(SUPERSCRIPTS)}"
    return text.replace("-", MINUS)


def exponent(largest: float) -> int:
    """Return the power of ten in whose units a panel's numbers are short: from 1 to below 10."""
    return 0 if largest <= 0 or not math.isfinite(largest) else math.floor(math.log10(largest))


def unit(power: int, name: str = "") -> str:
    """Return how a panel's unit is written beside its heading: 10⁻³, or nothing for 1."""
    text = "" if power == 0 else f"10{str(power).translate(SUPERSCRIPTS)}"
    return f"{text} {name}".strip()
