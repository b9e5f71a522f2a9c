"""What figures of the study have in common: which optimizers they set side by side, their names and intervals."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnchoredOffsetbox, DrawingArea, HPacker, TextArea
from matplotlib.patches import Circle
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from report.analysis.windows import WINDOWS
from report.drawing.figures.style import PIXELS_PER_INCH, Ink
from report.wording import MINUS, thousands

AT_ONCE: Final = 4  # optimizers that a reader can tell apart in one panel
LETTER: Final = 8.0  # CSS pixels of a letter of a key, on the wide side
ROOM: Final = 390.0  # CSS pixels beside a panel's heading
LINE: Final = 20  # CSS pixels by which a key is raised that needs a line of its own

Side = dict[str, Any]


def optimizers(results: Mapping[str, Any]) -> list[Side]:
    """Return the optimizers that have a training run, in the experiment's order, the main one first.

    Each with `slug`, `label`, `name`, `momentum`, its `place` in the experiment, which decides its colour, and
    whether there is a `theory` of it.
    """
    study = results["study"]
    return [
        {
            **{key: each[key] for key in ("slug", "label", "name", "momentum")},
            "place": place,
            "theory": results["theory"][each["slug"]] is not None,
        }
        for place, each in enumerate(study["optimizers"])
        if study["runs"].get(each["slug"])
    ]


def family(results: Mapping[str, Any]) -> list[Side]:
    """Return the optimizers that are the main one with more or less momentum, by rising momentum.

    Where two have the same momentum, the first in the experiment stands for both.
    """
    every = optimizers(results)
    by_momentum: dict[float, Side] = {}
    for each in every:
        if each["name"] == every[0]["name"]:
            by_momentum.setdefault(each["momentum"], each)
    return [by_momentum[momentum] for momentum in sorted(by_momentum)]


def scope(results: Mapping[str, Any], every: Sequence[Side]) -> dict[str, Any]:
    """Return what a comparison of `every` is made over: the `window`, the study's `batches`, the number of `seeds`."""
    study = results["study"]
    seeds = max(len(study["runs"][each["slug"]]) for each in every)
    return {"window": study["late"], "batches": study["batches"], "seeds": seeds}


def by_chance(results: Mapping[str, Any], every: Sequence[Side], quantity: str) -> dict[str, float | None]:
    """Return what chance alone makes of `quantity`, by optimizer; None for one that no theory covers."""
    return {each["slug"]: results["theory"][each["slug"]][quantity] if each["theory"] else None for each in every}


def few(results: Mapping[str, Any]) -> list[Side]:
    """Return as many of the family as one panel can hold: the ends, the main one and what lies between them."""
    kin = family(results)
    if len(kin) <= AT_ONCE:
        return kin
    main = next(place for place, each in enumerate(kin) if each["slug"] == results["study"]["main"])
    chosen = {0, main, len(kin) - 1}
    while len(chosen) < AT_ONCE:
        chosen.add(max(range(len(kin)), key=lambda place: min(abs(place - other) for other in chosen)))
    return [kin[place] for place in sorted(chosen)]


def ordered(results: Mapping[str, Any]) -> list[Side]:
    """Return all optimizers: the main one's family first, then the others, both by rising momentum."""
    kin = family(results)
    others = [each for each in optimizers(results) if each not in kin]
    return [*kin, *sorted(others, key=lambda each: (each["momentum"], each["place"]))]


def names(sides: Sequence[Side]) -> str:
    """Return the names of optimizers one after the other; they contain commas, hence the semicolons."""
    return "; ".join(each["label"] for each in sides)


def short(label: str) -> str:
    """Return what tells an optimizer from the others of its family: `β1 = 0.9` of `Adam, β1 = 0.9`, `momentum 0.9`."""
    return label.split(", ", 1)[-1].split(" with ", 1)[-1]


def when(window: str, batches: int) -> str:
    """Return the batches of a window of a study of `batches`: `batches 101–1,000`."""
    first, last = WINDOWS[window]
    return f"batches {thousands(first)}–{thousands(batches if last is None else min(last, batches))}"


def seeds(count: int) -> str:
    """Say over how many seeds a mean and its interval are taken."""
    return f"mean of {thousands(count)} seeds, with its 95 % interval" if count > 1 else "one seed, hence no interval"


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


def is_wide(entries: Sequence[tuple[str, str]], room: float = ROOM) -> bool:
    """Tell whether a key needs a line of its own above the heading beside which there is `room`, CSS pixels."""
    return sum(LETTER * len(name) + 24 for name, _ in entries) > room


def key(panel: Axes, entries: Sequence[tuple[str, str]], ink: Ink, room: float = ROOM) -> None:
    """Write what the colours mean above the right end of a panel: a dot and a name each."""
    pieces: list[Artist] = []
    for name, colour in entries:
        dot = DrawingArea(8, 8)
        dot.add_artist(Circle((4, 3), 3.5, facecolor=colour, edgecolor="none"))
        text = TextArea(name, textprops={"color": ink.muted})
        pieces.append(HPacker(children=[dot, text], align="center", pad=0, sep=2))
    raised = is_wide(entries, room)
    figure = panel.get_figure(root=True)
    assert figure is not None  # a panel is made on its figure
    box = AnchoredOffsetbox(
        loc="lower right",
        child=HPacker(children=pieces, align="center", pad=0, sep=8),
        pad=0,
        borderpad=0,
        frameon=False,
        bbox_to_anchor=(1, 1.02),
        bbox_transform=panel.transAxes
        + ScaledTranslation(0, LINE / PIXELS_PER_INCH if raised else 0, figure.dpi_scale_trans),
    )
    box.set_in_layout(raised)
    panel.add_artist(box)
