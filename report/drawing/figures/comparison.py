"""What figures of the study have in common: which optimizers they set side by side, their names and intervals."""

import bisect
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnchoredOffsetbox, DrawingArea, HPacker, TextArea, VPacker
from matplotlib.patches import Circle
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from report.analysis.intervals import LEVEL
from report.analysis.results import control
from report.analysis.windows import WINDOWS
from report.drawing.choice import chosen
from report.drawing.figures.style import HIGHEST, PIXELS_PER_INCH, WIDTH, Ink, brief
from report.wording import MINUS, shape

AT_ONCE: Final = 4  # optimizers that a reader can tell apart in one panel
MOST: Final = 7  # optimizers below one another
LETTER: Final = 8.3  # CSS pixels of a letter of a key, on the wide side
ROOM: Final = 300.0  # CSS pixels beside a panel's heading
ACROSS: Final = 420.0  # CSS pixels above it
LINE: Final = 20  # CSS pixels by which a key is raised for each line of its own that it needs

Side = dict[str, Any]
Entry = tuple[str, str]  # of a key: a name and its colour


def optimizers(results: Mapping[str, Any]) -> list[Side]:
    """Return the optimizers that have a training run, in the study's order, the main one first.

    Each with `slug`, `label`, `name`, `momentum`, whether there is a `theory` of it, whether it is `in_family`, the
    main one with more or less momentum, and its `colour`, a place in the ramp, None for others.
    """
    study = results["study"]
    found = [
        {
            **{key: each[key] for key in ("slug", "label", "name", "momentum")},
            "theory": results["theory"][each["slug"]] is not None,
        }
        for each in study["optimizers"]
        if study["runs"].get(each["slug"])
    ]
    kin = _by_momentum(found)
    steps = [each["momentum"] for each in at_most(kin, study["main"], AT_ONCE)]
    others = [each["slug"] for each in found if each["name"] != found[0]["name"]]
    for each in found:
        each["in_family"] = each["slug"] not in others
        each["colour"] = (
            max(bisect.bisect_right(steps, each["momentum"]) - 1, 0) + (AT_ONCE - len(steps)) // 2
            if each["in_family"]
            else None
        )
    return found


def family(results: Mapping[str, Any]) -> list[Side]:
    """Return the optimizers that are the main one with more or less momentum, by rising momentum.

    Where two have the same momentum, the first in the study stands for both.
    """
    return _by_momentum(optimizers(results))


def _by_momentum(every: Sequence[Side]) -> list[Side]:
    found: dict[float, Side] = {}
    for each in every:
        if each["name"] == every[0]["name"]:
            found.setdefault(each["momentum"], each)
    return [found[momentum] for momentum in sorted(found)]


def plain(results: Mapping[str, Any]) -> Side | None:
    """Return the control without momentum: of the main one's class, or else the first that there is."""
    found = control(results)
    return None if found is None else next(each for each in optimizers(results) if each["slug"] == found["slug"])


def scope(results: Mapping[str, Any], every: Sequence[Side]) -> dict[str, Any]:
    """Return what a comparison of `every` is made over: the `window`, the study's `batches`, the number of `seeds`."""
    study = results["study"]
    seeds = max(len(study["runs"][each["slug"]]) for each in every)
    return {"window": study["late"], "batches": study["batches"], "seeds": seeds}


def by_chance(results: Mapping[str, Any], every: Sequence[Side], quantity: str) -> dict[str, float | None]:
    """Return what chance alone makes of `quantity`, by optimizer; None for one that no theory covers."""
    return {each["slug"]: results["theory"][each["slug"]][quantity] if each["theory"] else None for each in every}


def few(results: Mapping[str, Any]) -> list[Side]:
    """Return as many of the family as one panel can hold: the main one, the ends and what lies between them."""
    return at_most(family(results), results["study"]["main"], AT_ONCE)


def at_most(sides: Sequence[Side], main: str, most: int = MOST) -> list[Side]:
    """Return as many optimizers as there is room for, in their order, the main one among them."""
    found = chosen([[main], [each["slug"] for each in sides]], most)
    return [each for each in sides if each["slug"] in found]


def ordered(results: Mapping[str, Any]) -> list[Side]:
    """Return all optimizers: the main one's family first, then the others, both by rising momentum."""
    kin = family(results)
    others = [each for each in optimizers(results) if each not in kin]
    return [*kin, *sorted(others, key=lambda each: float(each["momentum"]))]


def short(label: str) -> str:
    """Return what tells an optimizer from the others of its family: `β1 = 0.9` of `Adam, β1 = 0.9`, `momentum 0.9`."""
    return label.split(", ", 1)[-1].split(" with ", 1)[-1]


def told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what words say of every comparison: its `first` and `last` batch, its `seeds`, and what is left out."""
    first, last = WINDOWS[facts["window"]]
    return {
        "first": first,
        "last": facts["batches"] if last is None else min(last, facts["batches"]),
        "seeds": facts["seeds"],
        "is_averaged": facts["seeds"] > 1,
        "level": LEVEL,
        "left_out": facts["left_out"],
    }


def is_rising(series: Iterable[Sequence[float | None]]) -> bool:
    """Tell whether each series of two numbers or more, all known, rises from each to the next; False of none."""
    every = list(series)
    return bool(every) and all(
        len(each) > 1 and all(now is not None and then is not None and now < then for now, then in pairs)
        for each in every
        for pairs in [itertools.pairwise(each)]
    )


def signed(value: float, places: int = 1) -> str:
    """Return a part of a sum with its sign: +4.1, −0.3, 0."""
    text = f"{value:+.{places}f}".replace("-", MINUS)
    return "0" if float(f"{value:.{places}f}") == 0 else text


def bars(panel: Axes, x: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str, upright: bool = True) -> None:
    """Draw an interval at each `x`, upright or level; none where there is none."""
    places, ends = np.asarray(x, float), (np.asarray(low, float), np.asarray(high, float))
    first = np.repeat(places, 3)
    second = np.full(3 * len(places), np.nan)  # the third of each lifts the pen: one path for all
    second[0::3], second[1::3] = ends
    if not np.isfinite(second).any():
        return
    along = (first, second) if upright else (second, first)
    panel.plot(*along, color=colour, linewidth=1.4, solid_capstyle="butt", zorder=2.5)


def raised(entries: Sequence[Entry], room: float = ROOM) -> int:
    """Return by how much a key is raised above the heading beside which there is `room`; all CSS pixels."""
    return LINE * len(_lines(entries)) if _width(entries) > room else 0


def spare(entries: Sequence[Entry], room: float = ROOM) -> int:
    """Return by how much higher than usual a panel must be for its key, CSS pixels."""
    return max(0, raised(entries, room) - LINE)


def heights(first: int, middle: int, last: int, layers: Mapping[str, Any], entries: Sequence[Entry]) -> list[int]:
    """Return the heights of the panels of `layers`, the first one with a key of `entries`, CSS pixels."""
    found = [first, *[middle] * (len(layers) - 2), last][-len(layers) :]
    found[0] += spare(entries, room_beside(layers))
    excess = math.ceil(max(0, sum(found) - HIGHEST) / len(found))
    return [height - excess for height in found]


def room_beside(layers: Mapping[str, Any]) -> float:
    """Return how much room there is beside the heading of the first layer, its name and shape, CSS pixels."""
    name, row = next(iter(layers.items()))
    return min(ROOM, WIDTH - LETTER * len(f"{brief(name)}  {shape(row['shape'])}"))


def _width(entries: Sequence[Entry]) -> float:
    """Return how much of a line the entries of a key take, CSS pixels."""
    return sum(LETTER * len(brief(name)) + 24 for name, _ in entries)


def _lines(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Break the entries of a key into lines."""
    lines: list[list[Entry]] = []
    for entry in entries:
        if lines and _width([*lines[-1], entry]) <= ACROSS:
            lines[-1].append(entry)
        else:
            lines.append([entry])
    return lines


def key(panel: Axes, entries: Sequence[Entry], ink: Ink, room: float = ROOM) -> None:
    """Write what the colours mean above the right end of a panel: a dot and a name each."""
    up = raised(entries, room)
    lines: list[Artist] = []
    for line in _lines(entries):
        pieces: list[Artist] = []
        for name, colour in line:
            dot = DrawingArea(8, 8)
            dot.add_artist(Circle((4, 3), 3.5, facecolor=colour, edgecolor="none"))
            text = TextArea(brief(name), textprops={"color": ink.muted})
            pieces.append(HPacker(children=[dot, text], align="center", pad=0, sep=2))
        lines.append(HPacker(children=pieces, align="center", pad=0, sep=8))
    figure = panel.get_figure(root=True)
    assert figure is not None  # a panel is made on its figure
    box = AnchoredOffsetbox(
        loc="lower right",
        child=VPacker(children=lines, align="right", pad=0, sep=2),
        pad=0,
        borderpad=0,
        frameon=False,
        bbox_to_anchor=(1, 1.02),
        bbox_transform=panel.transAxes + ScaledTranslation(0, min(up, LINE) / PIXELS_PER_INCH, figure.dpi_scale_trans),
    )
    box.set_in_layout(bool(up))
    panel.add_artist(box)


def lines_key(panel: Axes, marks: Sequence[tuple[str, str, float]], high: float, ink: Ink, x: float = 0) -> None:
    """Write what upright lines (name, colour, width) mean above a panel of `high` CSS pixels, from `x` on."""
    for name, colour, width in marks:
        foot, head = 1 + 8 / high, 1 + 20 / high
        panel.plot(
            [x + 0.004] * 2, [foot, head], color=colour, linewidth=width, transform=panel.transAxes, clip_on=False
        )
        words = panel.text(x + 0.018, 1 + 9 / high, name, transform=panel.transAxes, color=ink.muted)
        x += words.get_window_extent().width / panel.get_window_extent().width + 0.06
