"""How a small quantity is written, in pictures as in captions."""

from report.wording import SUPERSCRIPTS


def number(value: float) -> str:
    """Return `value` with two significant digits, as a person writes it: 0.0035, 2.6 × 10⁻⁵."""
    if value == 0 or 1e-4 <= abs(value) < 100:
        return f"{value:.2g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def share(fraction: float) -> str:
    """Return a fraction as a percentage with at most two significant digits, as a person writes it: 0.42 %, 100 %."""
    return f"{float(f'{100 * fraction:.2g}'):g} %"
