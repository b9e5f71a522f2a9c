"""The picture that other sites show of a link to this one: the title beside a still of the run."""

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from report.drawing.animation.palette import SCHEMES

SIZE = (1200, 630)  # pixels; what link previews are made for
MARGIN = 60  # pixels
TITLE_SIZE = 92  # pixels
COLOURS = SCHEMES["light"]


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
    # Pillow carries a typeface of its own, the same on every machine.
    font = ImageFont.load_default(TITLE_SIZE)
    lines: list[str] = []
    for word in title.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pen.textlength(longer, font) <= SIZE[0] - still.width - MARGIN:
            lines[-1] = longer
        else:
            lines.append(word)
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
