"""Values as a reader sees them: plain visible text, numbers, dates and links."""

from __future__ import annotations

import datetime as dt
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

# C0, C1, bidirectional controls and marks, line separators, the byte order mark, lone surrogates.
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Show what can't be seen: controls and bidirectional marks as escapes, undecodable bytes as ``\xNN``.

    Examples
    --------
    >>> visible("cat\u202egpj.exe")
    'cat\\u202egpj.exe'
    """
    return UNSEEN.sub(_escape, str.__str__(text))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 (how Python keeps a byte of a file name that is no UTF-8)
        code -= 0xDC00
    return "\\n" if code == ord("\n") else f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004


def plain(value: Any) -> Any:
    """Copy a JSON value as plain dicts, lists, numbers and visible text.

    Anything else becomes its ``str``: an object with ``__html__`` would pass the autoescaping of Jinja2 untouched.
    """
    match value:
        case None | True | False:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case Mapping():
            return {visible(str(key)): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return visible(value if isinstance(value, str) else str(value))


def sentence(text: Any) -> str:
    """Join the lines of prose: their ends only served an editor or a terminal."""
    return visible(" ".join(str(text).split()))


def prose(text: Any) -> list[str]:
    """Split text into paragraphs at its blank lines."""
    return [sentence(part) for part in re.split(r"\n\s*\n", str(text)) if part.strip()]


def number(value: Any) -> str:
    """Write a number with two decimals, or with three digits where two decimals would hide it.

    Examples
    --------
    >>> [number(value) for value in (0, 10.7, -1.625, 0.00312, 123456.0)]
    ['0', '10.70', '-1.62', '0.00312', '1.23e+05']
    """
    if not isinstance(value, (int, float)):
        return str(value)
    return "0" if value == 0 else f"{value:.2f}" if 0.01 <= abs(value) < 10_000 else f"{value:.3g}"  # noqa: PLR2004


def end(value: Any) -> str:
    """Write the end of a scale or a range with three digits, as the pictures do.

    Examples
    --------
    >>> [end(value) for value in (0.0, 0.4649, -12.345, None)]
    ['0', '0.465', '-12.3', 'None']
    """
    return f"{value:.3g}" if value and isinstance(value, (int, float)) else "0" if value == 0 else str(value)


def percent(value: Any) -> str:
    """Write a probability in percent with one decimal; a small one does not become none, nor a large one all.

    Examples
    --------
    >>> [percent(value) for value in (0.809, 0.00001, 0.99999, 1.0)]
    ['80.9%', '<0.1%', '>99.9%', '100.0%']
    """
    if not isinstance(value, (int, float)):
        return str(value)
    return "<0.1%" if 0 < value < 0.0005 else ">99.9%" if 0.9995 <= value < 1 else f"{100 * value:.1f}%"  # noqa: PLR2004


def metric(value: Any) -> str:
    """Write a loss or a metric of an epoch with three decimals; what is not finite was stored as None.

    Examples
    --------
    >>> [metric(value) for value in (0.9534, 1.5, 0.0004, 12345.678, None)]
    ['0.953', '1.500', '0.0004', '12345.678', 'not finite']
    """
    if not isinstance(value, (int, float)):
        return "not finite"
    return f"{value:.3f}" if 0.001 <= abs(value) < 1e6 or value == 0 else f"{value:.3g}"  # noqa: PLR2004


def length(value: Any) -> str:
    """The length of a bar for a probability, 0 to 100."""
    return f"{100 * min(max(value, 0.0), 1.0):.1f}" if isinstance(value, (int, float)) else "0"


def words(value: Any) -> str:
    """Write the value of an option as people do."""
    match value:
        case None | "" | []:
            return "not set"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
    return str(value)


def shape(sizes: list[int | None]) -> str:
    """Write the shape of an array; None is an open side."""
    return " \N{MULTIPLICATION SIGN} ".join("any" if size is None else str(size) for size in sizes)


def moment(text: str) -> str:
    """Write an ISO time as a date and a time; leave anything else as it is.

    Examples
    --------
    >>> moment("2026-11-22T04:00:00+00:00")
    '22 November 2026, 04:00 UTC'
    """
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.day} {time:%B %Y, %H:%M %Z}".rstrip()


def cell(value: Any) -> str:
    """Write a cell of a table: counts as they are, other numbers short.

    Examples
    --------
    >>> [cell(value) for value in (12, 0.51234, "tabby", None)]
    ['12', '0.51', 'tabby', '\u2013']
    """
    return "\N{EN DASH}" if value is None else number(value) if isinstance(value, float) else str(value)


def href(name: str) -> str:
    """A link to a file of the run's folder; whatever the name, it leads nowhere else."""
    return "./" + urllib.parse.quote(name, safe="", errors="backslashreplace")


FILTERS = (number, end, percent, length, words, shape, moment, cell, href)
"""What the template may call."""
