"""Formulas as MathML, which browsers draw without a script."""

import re

from latex2mathml.converter import convert

from report import wording


def formula(latex: str, block: bool = False) -> str:
    r"""Return a formula as MathML.

    Args:
        latex: as in LaTeX's mathematics mode: r"\frac{a}{b}".
        block: on a line of its own instead of within the text.
    """
    mathml = str(convert(latex, display="block" if block else "inline"))
    # Characters that Markdown would take for its own become entities; those of tags stay as they are.
    pieces = re.split(r"(<[^>]*>|&#?\w+;)", mathml)
    safe = "".join(piece if piece[:1] in ("<", "&") else wording.markdown(piece) for piece in pieces)
    if block:
        return f'<div class="formula">{safe}</div>'
    # The wrapper keeps Markdown from taking <math> at the start of a line for a block; the word joiner keeps a full
    # stop from falling to the next line.
    return f'<span class="formula">{safe}&#8288;</span>'
