"""Text on pixels, in any script, with OpenCV's own fonts."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2

if TYPE_CHECKING:
    from xcnn.values import Pixels

INK = (17, 24, 39)
FAINT = (90, 98, 112)


@dataclass(frozen=True)
class Font:
    """A size in pixels, a weight (400 regular, 700 bold) and a colour."""

    size: int
    weight: int = 400
    colour: tuple[int, int, int] = INK


@cache
def _face() -> Any:
    # "uni" holds Latin, Greek, Cyrillic, Arabic, Hebrew, Chinese, Japanese and Korean in one file.
    return cv2.FontFace("uni")


def plain(text: str) -> str:
    r"""The text on one line, without control characters, bidirectional overrides and lone surrogates.

    Examples
    --------
    >>> ascii(plain("a" + chr(10) + "b" + chr(0x202E) + "c"))
    "'a b\\ufffdc'"
    """
    spaced = " ".join(text.split())
    # Cc control, Cf format (bidi overrides among them), Cs lone surrogates, Co and Cn: nothing to draw.
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(sign)[0] == "C" else sign for sign in spaced)


def width(text: str, font: Font) -> int:
    """How many pixels a text takes."""
    rectangle = cv2.getTextSize((0, 0), text, (0, 0), _face(), font.size, font.weight)
    return int(rectangle[0] + rectangle[2])


def shortened(text: str, font: Font, room: int) -> str:
    """The text, its middle replaced by an ellipsis when it is wider than `room` pixels: both ends of a name tell."""
    text = plain(text)
    if width(text, font) <= room:
        return text
    low, high = 0, len(text) - 1
    while low < high:  # as many letters as fit
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(_ends(text, middle), font) <= room else (low, middle - 1)
    return _ends(text, low)


def _ends(text: str, most: int) -> str:
    return f"{text[: (most + 1) // 2].rstrip()}…{text[len(text) - most // 2 :].lstrip()}"


def draw(canvas: Pixels, text: str, at: tuple[int, int], font: Font, *, room: int | None = None) -> None:
    """Write one line with its baseline starting at `at` (x, y), in place."""
    line = plain(text) if room is None else shortened(text, font, room)
    cv2.putText(canvas, line, at, font.colour, _face(), font.size, font.weight)
