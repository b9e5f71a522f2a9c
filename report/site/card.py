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
TITLE_SIZE = 92  # pixels
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
    card.paste(still, (SIZE[0] - still.width, 0))
    pen = ImageDraw.Draw(card)
    font = _font(title)
    lines: list[str] = []
    for unit in UNIT.findall(title):
        if lines and pen.textlength(lines[-1] + unit, font) <= SIZE[0] - still.width - MARGIN:
            lines[-1] += unit
        else:
            lines.append(unit.strip())
    text = "\n".join(lines)
    height = pen.multiline_textbbox((0, 0), text, font)[3]
    top = (SIZE[1] - height) / 2
    pen.multiline_text((MARGIN, top), text, COLOURS["ink"], font)
    for place, colour in enumerate((COLOURS["increase"], COLOURS["decrease"])):
        left = MARGIN + place * 110
        pen.rectangle((left, top + height + 40, left + 90, top + height + 48), colour)
    packed = io.BytesIO()
    card.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def _font(title: str) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Return a typeface with the letters of the title, the same on every machine: Pillow's own, or that of figures."""
    package = importlib.util.find_spec("matplotlib_fontja")
    if re.search(WIDE, title) and package is not None and package.origin is not None:
        return ImageFont.truetype(Path(package.origin).parent / "fonts" / "ipaexg.ttf", TITLE_SIZE)
    return ImageFont.load_default(TITLE_SIZE)
