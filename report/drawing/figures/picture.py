"""How a drawn figure becomes a file: an SVG with short coordinates, or, where that is too large, an image."""

import base64
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from report.drawing.figures.marks import Cells, Dots
from report.drawing.figures.style import INKS, PIXELS_PER_INCH, Ink, house, recoloured

ENDINGS: Final = (".svg", ".png")
SCHEMES: Final = {"light": "", "dark": "-dark"}  # what each variant adds to a file's name
LARGEST_SVG: Final = 100_000  # bytes; above, an image is both smaller and quicker to show
SHARPNESS: Final = 2  # pixels of an image for each CSS pixel that it is shown at
COLOURS: Final = 128  # of an image: few inks and their rims
MOST_COLOURS: Final = 256  # of an image inside an SVG
PLACES: Final = 2  # decimals of a coordinate; the unit is a point
NO_METADATA: Final = {"Creator": None, "Date": None, "Format": None, "Type": None}

_NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")
_IMAGE = re.compile(r'xlink:href="data:image/png;base64,\s*([^"]*)" id="[^"]*"')
_PATH = re.compile(r' d="([^"]*)"')
_ARGUMENTS: Final = {"M": 1, "L": 1, "Q": 2, "C": 3, "z": 0}  # points that a command of matplotlib's takes


def variants(draw: Callable[[Ink], Figure]) -> dict[str, tuple[str, bytes]]:
    """Return the file ending and the bytes of each variant of what `draw` draws."""
    light, *others = INKS.values()
    with house(light):
        figure = draw(light)
        drawn = {light.scheme: encode(figure)}
    for ink in others:
        again = _repainted(figure, *drawn[light.scheme], ink)
        if again is None:
            with house(ink):
                drawn[ink.scheme] = encode(draw(ink))
        else:
            drawn[ink.scheme] = (".svg", again)
    return drawn


def _repainted(figure: Figure, ending: str, content: bytes, ink: Ink) -> bytes | None:
    """Return the light variant in other colours: half the time, and nothing can lie elsewhere.

    Of an image there is no such thing, nor of a drawing with an image in it whose colours are not known.
    """
    painted = figure.findobj(Cells)
    if ending != ".svg" or content.count(b"<image") != len(painted):
        return None
    svg = recoloured(content.decode(), INKS["light"], ink)
    for each in painted:
        before, after = (embedded(each.paint(which)) for which in (INKS["light"], ink))
        assert before in svg  # as `packed` wrote it
        svg = svg.replace(before, after, 1)
    return svg.encode()


def encode(figure: Figure) -> tuple[str, bytes]:
    """Return the file ending and the bytes of a figure; equal figures give equal bytes."""
    buffer = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata=NO_METADATA)  # savefig would draw everything twice
    width, height = (round(float(inches) * PIXELS_PER_INCH) for inches in figure.get_size_inches())
    svg = compact(buffer.getvalue().decode("utf-8"), width, height).encode("utf-8")
    return (".svg", svg) if len(svg) < LARGEST_SVG else (".png", image(figure))


def image(figure: Figure) -> bytes:
    """Return the figure as a PNG with a palette, at twice its displayed size."""
    for each in figure.findobj(Dots):
        each.as_markers()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=SHARPNESS * PIXELS_PER_INCH)
    with Image.open(buffer) as picture:
        reduced = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small = io.BytesIO()
    reduced.save(small, format="PNG", optimize=True)
    return small.getvalue()


def size(path: Path) -> tuple[int, int]:
    """Return the width and height, CSS pixels, at which a figure's file is to be shown."""
    if path.suffix == ".png":
        with Image.open(path) as picture:
            return picture.width // SHARPNESS, picture.height // SHARPNESS
    found = re.search(r'<svg[^>]*? width="(\d+)" height="(\d+)"', path.read_text(encoding="utf-8"))
    assert found is not None, path  # `compact` wrote them
    return int(found[1]), int(found[2])


def compact(svg: str, width: int, height: int) -> str:
    """Return matplotlib's SVG with its size in CSS pixels and its paths in short, relative coordinates.

    Args:
        svg: the file as matplotlib writes it, coordinates with six decimals.
        width: CSS pixels.
        height: CSS pixels.
    """
    svg = re.sub(r"<\?xml.*?(?=<svg)", '<?xml version="1.0" encoding="utf-8"?>\n', svg, flags=re.S)
    svg = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", svg, flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', rf'\1 width="{width}" height="{height}"', svg, count=1)
    svg = _IMAGE.sub(lambda match: f'xlink:href="data:image/png;base64,{packed(match[1])}"', svg)
    svg = _PATH.sub(lambda match: f' d="{shorten(match[1])}"', svg)
    return re.sub(r"\n\s*", "\n", svg)


def packed(encoded: str) -> str:
    """Return an image inside an SVG, a PNG in base64, with a palette: the same pixels in a quarter of the bytes.

    The name that it had is a hash of its pixels, which would differ between variants; nothing refers to it.
    """
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        return embedded(np.asarray(picture.convert("RGB")))


def embedded(pixels: NDArray[np.uint8]) -> str:
    """Return pixels, (height, width, 3), as a PNG with a palette, in base64."""
    colours, index = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    if len(colours) > MOST_COLOURS:
        raise ValueError(f"{len(colours)} colours in an image inside an SVG; a palette has room for {MOST_COLOURS}")
    small = Image.fromarray(index.reshape(pixels.shape[:2]).astype(np.uint8), "P")
    small.putpalette(colours.astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    small.save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def shorten(path: str) -> str:
    """Return SVG path data of absolute M, L, Q, C and z as relative ones with `PLACES` decimals.

    Each point is rounded before differences are taken, so that errors do not add up along a line.
    """
    tokens = iter(re.findall(r"[A-Za-z]|" + _NUMBER.pattern, path))
    pieces: list[str] = []
    x = y = start_x = start_y = 0
    last = ""
    for command in tokens:
        if command == "z":
            pieces.append("z")
            x, y, last = start_x, start_y, "z"
            continue
        points = [(_units(next(tokens)), _units(next(tokens))) for _ in range(_ARGUMENTS[command])]
        numbers = _joined([place for px, py in points for place in (px - x, py - y)])
        kind = command.lower()
        if kind == "m":
            start_x, start_y = points[0]
        elif command == "L" and points[0][0] == x:
            kind, numbers = "v", _joined([points[0][1] - y])
        # A repeated command need not be written again; a second m would mean a line.
        repeated = kind == last and kind != "m"
        pieces.append(numbers if repeated and numbers[0] == "-" else f" {numbers}" if repeated else kind + numbers)
        last = kind
        x, y = points[-1]
    return "".join(pieces)


def _units(text: str) -> int:
    """Return a coordinate in hundredths of its unit."""
    return round(float(text) * 10**PLACES)


def _joined(values: list[int]) -> str:
    """Write numbers in hundredths one after the other, with a space only where a sign does not part them."""
    texts = list(_written(values))
    return texts[0] + "".join(text if text[0] == "-" else f" {text}" for text in texts[1:])


def _written(values: list[int]) -> Iterator[str]:
    for value in values:
        whole, rest = divmod(abs(value), 10**PLACES)
        fraction = f".{rest:0{PLACES}d}".rstrip("0") if rest else ""
        sign = "-" if value < 0 else ""
        yield sign + (f"{whole or ''}{fraction}" if fraction else str(whole))
