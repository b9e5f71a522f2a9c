"""How quantities are written in prose: a real minus sign, grouped thousands, × 10ⁿ instead of e-05.

Numerals are the same in English and in Japanese; `filters` gives them in any language, with the words around them.
"""

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from report.errors import ReportError

Sections = Mapping[str, Mapping[str, str]]  # of a file of words: texts by section and key

MINUS = "\N{MINUS SIGN}"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
PLAIN = (1e-4, 1e6)  # sizes that are written out; others take a power of ten
LARGE = ("", "kB", "MB", "GB")  # powers of 1,000 bytes
# What Markdown, and HTML inside Markdown, would take for more than a character.
MARKUP = frozenset("\\`*_{}[]()#+!|~^=:\"'$<>&")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def thousands(value: float) -> str:
    """Return a whole number with its thousands grouped: 48,000."""
    return f"{round(value):,}".replace("-", MINUS)


def digits(value: float | None, count: int = 3) -> str:
    """Return `value` with `count` significant digits: 0.00350, 1,230, 2.6 × 10⁻⁵; a dash for a missing one."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "∞" if value > 0 else f"{MINUS}∞" if value < 0 else "–"
    rounded = float(f"{value:.{count - 1}e}")
    if rounded == 0:
        return "0"
    if not PLAIN[0] <= abs(rounded) < PLAIN[1]:
        return scientific(value, count)
    places = max(count - 1 - math.floor(math.log10(abs(rounded))), 0)
    return f"{rounded:,.{places}f}".replace("-", MINUS)


def scientific(value: float, count: int = 3) -> str:
    """Return `value` as 2.60 × 10⁻⁵, with `count` significant digits."""
    mantissa, exponent = f"{value:.{count - 1}e}".split("e")
    power = str(int(exponent)).translate(SUPERSCRIPTS)
    return f"{mantissa.replace('-', MINUS)}{NO_BREAK_SPACE}×{NO_BREAK_SPACE}10{power}"


def fixed(value: float | None, places: int = 2) -> str:
    """Return `value` with `places` decimal places; a dash for a missing one."""
    return "–" if value is None else f"{value:z,.{places}f}".replace("-", MINUS)


def percent(fraction: float | None, places: int = 1) -> str:
    """Return a fraction as 95.6 %, with `places` decimal places; a dash for a missing one."""
    return "–" if fraction is None else f"{fixed(100 * fraction, places)}{NARROW_SPACE}%"


def shape(sizes: Sequence[int]) -> str:
    """Return a layer's (outputs, inputs) in the order in which data goes through it: 784 → 1,000."""
    outputs, inputs = sizes
    return f"{thousands(inputs)}{NO_BREAK_SPACE}→{NO_BREAK_SPACE}{thousands(outputs)}"


def markdown(text: object) -> str:
    """Return `text` so that Markdown shows it as it is, in a paragraph, a table, or an attribute of HTML.

    An equation such as β1 = 0.9 is kept on one line; ends of lines and other control characters are spaces.
    """
    whole = CONTROL.sub(" ", str(text)).replace(" = ", f"{NO_BREAK_SPACE}={NO_BREAK_SPACE}")
    return "".join(f"&#{ord(char)};" if char in MARKUP else char for char in whole)


def breakable(text: object) -> str:
    """Return the same of a path or a name, which may break after each of its parts where a line is too short."""
    return re.sub(r"(/|\.|&#95;)(?=.)", r"\1<wbr>", markdown(text))


def fenced(text: object, kind: str) -> str:
    """Return `text` as a listing of Markdown, coloured as a `kind` of file; no line of it ends the listing."""
    whole = str(text)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", whole)), 3)
    return f"{fence}{kind}\n{whole}\n{fence}"


def read(templates: Path, language: str, name: str) -> Sections:
    """Return the sections of `templates/<language>/words/<name>.toml`.

    Raises:
        ReportError: when there is none, or it holds anything but texts in sections.
    """
    path = templates / language / "words" / f"{name}.toml"
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ReportError(f"{path}: there is no such file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReportError(f"{path}: not valid TOML: {error}.") from error
    for section, texts in sections.items():
        if not isinstance(texts, dict):
            raise ReportError(f"{path}: {section} stands outside any section.")
        for key, text in texts.items():
            if not isinstance(text, str):
                raise ReportError(f"{path}: [{section}] {key} is not a text.")
    return sections


def filters(language: str, words: Mapping[str, str]) -> dict[str, Callable[..., str]]:
    """Return what templates of a language write quantities with.

    Args:
        language: whose marks for thousands and decimals are used.
        words: the section [wording] of its interface.toml.

    Raises:
        ReportError: when there is no such language.
    """
    from babel import UnknownLocaleError
    from babel.numbers import get_decimal_symbol, get_group_symbol

    try:
        marks = str.maketrans({",": get_group_symbol(language), ".": get_decimal_symbol(language)})
    except (UnknownLocaleError, ValueError) as error:
        raise ReportError(f'"{language}" is not the code of a language, such as "en" or "ja".') from error

    def local(write: Callable[..., str]) -> Callable[..., str]:
        return lambda *given, **options: write(*given, **options).translate(marks)

    whole, decimal, significant = local(thousands), local(fixed), local(digits)

    def interval(low: float | None, high: float | None, count: int = 3) -> str:
        """Return [6.91, 7.02]; a dash where there is none, as with a single seed."""
        return "–" if low is None or high is None else f"[{significant(low, count)}, {significant(high, count)}]"

    def file_size(count: int) -> str:
        """Return a number of bytes in powers of 1,000: 4.3 MB."""
        size, unit = float(count), 0
        while size >= 999.5 and unit < len(LARGE) - 1:
            size, unit = size / 1000, unit + 1
        text = whole(size) if unit == 0 or size >= 9.95 else decimal(size, 1)
        return f"{text}{NO_BREAK_SPACE}{LARGE[unit]}" if unit else words["bytes"].format(count=text)

    def duration(seconds: float) -> str:
        """Return 0.4 s, 38 s, 3 min 20 s."""
        rounded = round(seconds)
        if rounded < 60:
            return words["seconds"].format(seconds=rounded if seconds >= 9.95 else decimal(seconds, 1))
        return words["minutes"].format(minutes=rounded // 60, seconds=rounded % 60)

    def series(parts: Iterable[object], last: str = "and") -> str:
        """Return `a`, `a and b`, or `a, b and c`; with "or" where that is asked for."""
        texts = [str(part) for part in parts]
        return words[last].join([words["comma"].join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)

    def plural(count: float | Mapping[str, float], one: str, many: str = "") -> str:
        """Return `1 seed`, `5 seeds` or, of two ends, `3 to 5 seeds`. For English alone.

        `many` is for where an s at the end is not enough.
        """
        ends = count if isinstance(count, Mapping) else {"low": count, "high": count}
        is_one = ends["low"] == ends["high"] == 1
        return f"{span(ends, 0)}{NO_BREAK_SPACE}{one if is_one else many or one + 's'}"

    def window(name: str, batches: int) -> str:
        """Return a window of a study of `batches`, "101-1000" or "all": batches 101–1,000, all 1,000 batches."""
        if name == "all":
            return words["all" if batches != 1 else "only"].format(count=whole(batches))
        first, last = (int(part) for part in name.split("-"))
        return words["window"].format(first=whole(first), last=whole(min(last, batches)))

    kinds = {"fixed": decimal, "percent": local(percent), "digits": significant}

    def span(ends: Mapping[str, float | None], places: int = 1, kind: str = "fixed") -> str:
        """Return `1.9 to 2.5`, written as `kind` says; one number where both are the same."""
        low, high = (kinds[kind](ends[end], places) for end in ("low", "high"))
        return low if low == high else words["span"].format(low=low, high=high)

    def by_layer(values: Mapping[str, float | None], places: int = 1, kind: str = "fixed") -> str:
        """Return `1.9 in l3, 2.1 in l4 and 2.5 in l5`."""
        numbers = ((layer, kinds[kind](value, places)) for layer, value in values.items())
        return series(words["in_layer"].format(layer=layer, value=number) for layer, number in numbers)

    around = (interval, file_size, duration, series, plural, window, span, by_layer)
    named: dict[str, Any] = {each.__name__: each for each in around}
    return {
        **named,
        **kinds,
        "thousands": whole,
        "shape": local(shape),
        "md": markdown,
        "breakable": breakable,
        "fenced": fenced,
    }
