"""The card of a link holds the whole title, however long, in any script."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from report.site import card

LONG = "What every step of an optimizer does to every weight of a network that is small enough to be looked at"
TITLES = [
    "Weights in Motion",
    LONG,
    "W" * 200,
    "重" * 200,
    "最適化の一歩一歩が小さなネットワークのすべての重みに何をするか",
    "a " * 99,
]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("size", [(640, 780), (1600, 900), (40, 780)])
def test_the_title_lies_between_the_margins(tmp_path, title, size):
    """Nothing of it is cut by an edge or lies on the picture, which leaves it half of the card."""
    poster = tmp_path / "poster.png"
    Image.new("RGB", size, "#00ff00").save(poster)
    with Image.open(io.BytesIO(card.draw(poster, title))) as drawn:
        assert drawn.size == card.SIZE
        pixels = np.asarray(drawn.convert("RGB")).astype(int)
    picture = (pixels == (0, 255, 0)).all(axis=(0, 2))
    width = int(picture.sum())
    assert picture[-width:].all()
    assert width == min(round(size[0] * card.SIZE[1] / size[1]), card.SIZE[0] // 2)
    inked = (np.abs(pixels - pixels[0, 0]).sum(axis=2) > 60) & ~picture
    rows, columns = np.nonzero(inked)
    assert rows.min() >= card.MARGIN // 2
    assert rows.max() <= card.SIZE[1] - card.MARGIN // 2
    assert columns.min() >= card.MARGIN - 4
    assert columns.max() < card.SIZE[0] - width


@pytest.mark.parametrize("title", TITLES)
def test_no_letter_of_a_title_is_lost(title):
    """Whatever is broken where."""
    pen = ImageDraw.Draw(Image.new("RGB", card.SIZE))
    text, font = card._fit(title, pen, 400)
    assert text.replace("\n", "").replace(" ", "") == title.replace(" ", "")
    assert max(pen.textlength(line, font) for line in text.splitlines()) <= 400
