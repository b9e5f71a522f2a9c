"""The picture that other sites show of a link to this one: the title beside a still of the run."""

import importlib.util
import io
import re
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from report import files
from report.drawing.animation.palette import SCHEMES
from report.products import Product
from report.site.words import WIDE
from report.workspace import Workspace

SIZE = (1200, 630)  # pixels; what link previews are made for
MARGIN = 60  # pixels
GAP = 24  # pixels from the title to the picture, at least
TITLE_SIZE = 92  # pixels, or less where the title is long
SMALLEST = 24  # pixels: at which 200 letters of any script have room
BARS = 48  # pixels from the title to the lower end of the two bars below it
COLOURS = SCHEMES["light"]
UNIT = re.compile(rf"\s*(?:{WIDE}|(?:(?!{WIDE})\S)+)")  # what stays on a line: a word, or one letter of Japanese


def product(workspace: Workspace, title: str) -> Product:
    """Return the card as a product: to compress it takes as long as to write all pages of a language."""
    return Product(
        "card",
        ("report.site.card",),
        lambda: [_poster(workspace), title],
        lambda: [workspace.card],
        lambda: files.write_bytes(workspace.card, draw(_poster(workspace), title)),
    )


def _poster(workspace: Workspace) -> Path:
    """Return the still picture of the first film of a single layer that is drawn; of the network where none is."""
    films = files.read_json(workspace.animations_manifest)
    drawn = files.read_json(workspace.results, "drawn")["drawn"]
    of_layer = {film["layer"]: film for film in films.values()}
    chosen = next((of_layer[name] for name in drawn if name in of_layer), next(iter(films.values())))
    poster: str = chosen["poster"]["light"]
    return workspace.docs / poster


def draw(poster: Path, title: str) -> bytes:
    """Return the card as PNG.

    Args:
        poster: a still picture of an animation, on the light paper.
        title: of the site; broken into lines where it must be.
    """
    card = Image.new("RGB", SIZE, COLOURS["paper"])
    with Image.open(poster) as picture:
        still = picture.convert("RGB")
    scale = SIZE[1] / still.height
    still = still.resize((round(still.width * scale), SIZE[1]), Image.Resampling.LANCZOS)
    still = still.crop((0, 0, min(still.width, SIZE[0] // 2), SIZE[1]))  # the title has half of the card at least
    card.paste(still, (SIZE[0] - still.width, 0))
    pen = ImageDraw.Draw(card)
    text, font = _fit(title, pen, SIZE[0] - still.width - MARGIN - GAP)
    height = _height(text, font, pen)
    top = (SIZE[1] - height) / 2
    pen.multiline_text((MARGIN, top), text, COLOURS["ink"], font)
    for place, colour in enumerate((COLOURS["increase"], COLOURS["decrease"])):
        left = MARGIN + place * 110
        pen.rectangle((left, top + height + 40, left + 90, top + height + 48), colour)
    packed = io.BytesIO()
    card.save(packed, "PNG", optimize=True)
    return packed.getvalue()


Typeface = ImageFont.ImageFont | ImageFont.FreeTypeFont


def _fit(title: str, pen: ImageDraw.ImageDraw, room: float) -> tuple[str, Typeface]:
    """Return the title in lines of at most `room` pixels, and a typeface in which all of them lie on the card."""
    for size in range(TITLE_SIZE, SMALLEST - 1, -4):
        font = _font(title, size)
        text = "\n".join(_lines(title, font, pen, room))
        if _height(text, font, pen) <= SIZE[1] - 2 * MARGIN - BARS:
            break
    return text, font


def _lines(title: str, font: Typeface, pen: ImageDraw.ImageDraw, room: float) -> list[str]:
    """Return the lines of the title; a word that is longer than a line is broken between letters."""
    lines: list[str] = []
    for unit in UNIT.findall(title):
        for part in [unit] if pen.textlength(unit.strip(), font) <= room else unit:
            if lines and pen.textlength(lines[-1] + part, font) <= room:
                lines[-1] += part
            elif part.strip():
                lines.append(part.strip())
    return lines


def _height(text: str, font: Typeface, pen: ImageDraw.ImageDraw) -> float:
    return pen.multiline_textbbox((0, 0), text, font)[3]


def _font(title: str, size: int) -> Typeface:
    """Return a typeface with the letters of the title, the same on every machine: Pillow's own, or that of figures."""
    package = importlib.util.find_spec("matplotlib_fontja")
    if re.search(WIDE, title) and package is not None and package.origin is not None:
        return ImageFont.truetype(Path(package.origin).parent / "fonts" / "ipaexg.ttf", size)
    return ImageFont.load_default(size)
