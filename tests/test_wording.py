"""Numbers read as a person writes them, and Markdown shows text from data as it is."""

import markdown
import pytest

from report import wording


@pytest.mark.parametrize(
    ("value", "count", "text"),
    [
        (0.0034996, 3, "0.00350"),
        (1229.6, 3, "1,230"),
        (0.99996, 3, "1.00"),
        (-0.25, 2, "\N{MINUS SIGN}0.25"),
        (2.6e-5, 2, "2.6\u00a0×\u00a010⁻⁵"),
        (-4.6e7, 2, "\N{MINUS SIGN}4.6\u00a0×\u00a010⁷"),
        (0.0, 3, "0"),
        (None, 3, "–"),
        (float("nan"), 3, "–"),
        (float("-inf"), 3, "\N{MINUS SIGN}∞"),
    ],
)
def test_a_number_has_as_many_significant_digits_as_asked_for(value, count, text):
    """Rounding may carry into the next place; a missing number is a dash, never "None" or "nan"."""
    assert wording.digits(value, count) == text


@pytest.mark.parametrize("value", [3.14159e-9, 0.000123456, 0.5, 7.0249, 99.951, 12345.678, 8.7654e11])
def test_a_number_read_back_is_the_number_rounded(value):
    """The text loses what rounding loses and nothing else."""
    text = wording.digits(value, 4).replace(",", "").replace("\u00a0×\u00a010", "e")
    plain = text.translate({ord(power): digit for digit, power in zip("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)})
    assert float(plain) == float(f"{value:.3e}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (wording.thousands(48000), "48,000"),
        (wording.thousands(-1200), "\N{MINUS SIGN}1,200"),
        (wording.percent(0.95625), "95.6\u202f%"),
        (wording.percent(0.95625, 3), "95.625\u202f%"),
        (wording.percent(None), "–"),
        (wording.shape([1000, 784]), "784\u00a0→\u00a01,000"),
    ],
)
def test_quantities_read_as_a_person_writes_them(text, expected):
    """At the places where such functions go wrong."""
    assert text == expected


@pytest.mark.parametrize("text", ["a*b*c _d_ `e`", "[x](y) <b> & {: .c } | ~~s~~", "# 1. l3[0, 0] == 'x' \"y\" $z$ ^^"])
def test_text_from_data_survives_markdown(text):
    """What an author's optimizer or an operating system's error is called must not turn into markup."""
    page = markdown.markdown(
        f"Start {wording.markdown(text)} end", extensions=["attr_list", "md_in_html", "tables", "pymdownx.tilde"]
    )
    import html
    import re

    assert html.unescape(re.sub(r"^<p>|</p>$", "", page)) == f"Start {text} end"
