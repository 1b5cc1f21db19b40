"""The annotated figure: input, overlay, colour bar with numbers, class, probability, layer.

Drawn by OpenCV on a template made once per shape: a matplotlib layout would take 0.4 s for each picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from xcnn.render import colours, text
from xcnn.render.style import shrunk
from xcnn.render.text import FAINT, Font

if TYPE_CHECKING:
    from xcnn.plugin import Attribution
    from xcnn.render.colours import Scale, Sign
    from xcnn.render.style import Style
    from xcnn.values import Pixels

EDGE = 448
"""Longer side of a panel, in pixels."""
MARGIN = 28
GAP = 20
HEADER = 92
FOOTER = 40
BAR = 16
LEGEND = 116
LONG_UNIT = 130
"""How far a unit may reach below the picture on its left."""
MIN_WIDTH = 300
MIN_HEIGHT = 84
"""Room for the three numbers of the colour bar beside a very wide picture."""
TITLE = Font(30, 600)
# At half its size, as on a slide beside others, a figure must still be read: no letters of less than ten pixels then.
SUBTITLE = Font(22, 400, FAINT)
CAPTION = Font(20, 400, FAINT)
TICK = Font(20)
RULE = (203, 208, 216)


@dataclass(frozen=True)
class Words:
    """What is written on a figure."""

    title: str
    subtitle: str
    left: str
    right: str
    unit: str


def figure(pixels: Pixels, panel: Attribution, scale: Scale, style: Style, words: Words) -> Pixels:
    """Draw input and overlay side by side with a legend; a fine map stands alone in the overlay's place.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 ndarray
        The picture that is explained; it keeps its shape.
    panel : Attribution
        The map.
    scale : Scale
        What the ends of the palette mean.
    style : Style
        Palette and strength.
    words : Words
        What is written on it.

    Returns
    -------
    (H, W, 3) uint8 ndarray
    """
    picture = shrunk(pixels, EDGE, grow=True)
    height, width = picture.shape[:2]
    tall = max(height, MIN_HEIGHT)
    canvas = _template(tall, width, style.colormap, panel.sign).copy()
    entitle(canvas, words)
    slot = max(width, MIN_WIDTH)
    # A long unit ends with the legend and begins below the picture.
    unit = text.shortened(words.unit, CAPTION, LEGEND + LONG_UNIT)
    beside = max(text.width(unit, CAPTION) - LEGEND, 0)
    for column, (panel_pixels, caption) in enumerate(
        ((picture, words.left), (shown(picture, panel, scale, style), words.right))
    ):
        x = MARGIN + column * (slot + GAP)
        canvas[HEADER : HEADER + height, x : x + width] = panel_pixels
        text.draw(canvas, caption, (x, HEADER + tall + 26), CAPTION, room=slot - column * beside)
    left = MARGIN + 2 * (slot + GAP)
    _numbers(canvas, scale, panel.sign, x=left + BAR + 8, height=tall)
    text.draw(canvas, unit, (left - beside, HEADER + tall + 26), CAPTION)
    return canvas


def shown(picture: Pixels, panel: Attribution, scale: Scale, style: Style) -> Pixels:
    """A map over its picture, or alone in the shape of the picture when it is fine."""
    if panel.fine:
        return style.heat(panel, scale, (picture.shape[0], picture.shape[1]))
    return style.overlay(picture, panel, scale)


def entitle(canvas: Pixels, words: Words) -> None:
    """Write title and subtitle at the top of a figure."""
    room = canvas.shape[1] - 2 * MARGIN
    text.draw(canvas, words.title, (MARGIN, 46), TITLE, room=room)
    text.draw(canvas, words.subtitle, (MARGIN, 76), SUBTITLE, room=room)


def ticks(scale: Scale, sign: Sign) -> list[tuple[float, str]]:
    """What is written beside a colour bar: pairs of a height, 0..1, and a number."""
    if scale.empty:
        return [(0.5 if sign == "signed" else 0.0, number(scale.high))]
    low, middle, high = (scale.low + share * (scale.high - scale.low) for share in (0.0, 0.5, 1.0))
    beyond = scale.clipped
    return [
        (0.0, f"{'≤ ' if beyond and sign == 'signed' else ''}{number(low)}"),
        (0.5, number(middle)),
        (1.0, f"{'≥ ' if beyond else ''}{number(high)}"),
    ]


def _numbers(canvas: Pixels, scale: Scale, sign: Sign, *, x: int, height: int) -> None:
    for share, words in ticks(scale, sign):
        y = HEADER + round((1 - share) * (height - 1))
        at = (x, min(max(y + 7, HEADER + 15), HEADER + height - 1))
        # Into the margin: a number of which the exponent is cut off says nothing.
        text.draw(canvas, words, at, TICK, room=canvas.shape[1] - x - 4)


def number(value: float) -> str:
    """A number with three significant digits.

    Examples
    --------
    >>> number(0.0), number(12.345), number(-0.00001234), number(1234567.0)
    ('0', '12.3', '-1.23e-05', '1.23e+06')
    """
    return f"{value:.3g}" if value else "0"


@lru_cache(maxsize=32)
def _template(height: int, width: int, colormap: str, sign: Sign) -> Pixels:
    """The canvas with everything that is the same for all pictures of one shape: frames and colour bar."""
    slot = max(width, MIN_WIDTH)
    full = (HEADER + height + FOOTER, 2 * MARGIN + 2 * (slot + GAP) + LEGEND)
    canvas = np.full((*full, 3), 255, np.uint8)
    bar = colours.palette(colormap, sign)[np.linspace(colours.LEVELS - 1, 0, height).round().astype(int)]
    x = MARGIN + 2 * (slot + GAP)
    canvas[HEADER : HEADER + height, x : x + BAR] = bar[:, np.newaxis]
    cv2.rectangle(canvas, (x - 1, HEADER - 1), (x + BAR, HEADER + height), RULE, 1)
    canvas.flags.writeable = False
    return canvas
