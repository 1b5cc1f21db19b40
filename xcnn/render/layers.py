"""Maps of several layers, or of several kinds, side by side over one picture, each with its own colour bar below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from xcnn.render import colours, text
from xcnn.render.figure import CAPTION, GAP, HEADER, MARGIN, RULE, TICK, entitle, number, shown
from xcnn.render.style import shrunk
from xcnn.render.text import Font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.plugin import Attribution
    from xcnn.render.colours import Scale
    from xcnn.render.figure import Words
    from xcnn.render.style import Style
    from xcnn.values import Pixels

EDGE = 320
"""Longer side of each picture."""
LEAST = 260
"""The least width of its place: a layer's name and the numbers of its colour bar must be read."""
NAME = Font(20, 600)
BAR = 10
FOOTER = 84


def layers(pixels: Pixels, maps: Sequence[tuple[str, Attribution, Scale]], style: Style, words: Words) -> Pixels:
    """Draw a picture and its maps in one row.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 ndarray
        The picture that is explained; it keeps its shape.
    maps : sequence of (str, Attribution, Scale)
        The maps, each with its name and scale.
    style : Style
        Palette and strength.
    words : Words
        Title and subtitle, and on the left what is written below the picture.

    Returns
    -------
    (H, W, 3) uint8 ndarray
    """
    picture = shrunk(pixels, EDGE, grow=True)
    height, width = picture.shape[:2]
    slot = max(width, LEAST)
    wide = 2 * MARGIN + (len(maps) + 1) * (slot + GAP) - GAP
    canvas = np.full((HEADER + height + FOOTER, wide, 3), 255, np.uint8)
    entitle(canvas, words)
    canvas[HEADER : HEADER + height, MARGIN : MARGIN + width] = picture
    text.draw(canvas, words.left, (MARGIN, HEADER + height + 24), CAPTION, room=slot)
    for column, (name, panel, scale) in enumerate(maps, start=1):
        x = MARGIN + column * (slot + GAP)
        canvas[HEADER : HEADER + height, x : x + width] = shown(picture, panel, scale, style)
        text.draw(canvas, name, (x, HEADER + height + 24), NAME, room=slot)
        _bar(canvas, panel, scale, style, (x, HEADER + height + 36, slot))
    return canvas


def _bar(canvas: Pixels, panel: Attribution, scale: Scale, style: Style, place: tuple[int, int, int]) -> None:
    """Draw a level colour bar with the numbers of its ends."""
    x, y, width = place
    table = colours.palette(style.colormap, panel.sign)
    canvas[y : y + BAR, x : x + width] = table[np.linspace(0, colours.LEVELS - 1, width).round().astype(int)]
    cv2.rectangle(canvas, (x - 1, y - 1), (x + width, y + BAR), RULE, 1)
    low, high = number(scale.low), number(scale.high)
    if scale.clipped:
        low, high = f"{'≤ ' if panel.sign == 'signed' else ''}{low}", f"≥ {high}"
    text.draw(canvas, low, (x, y + BAR + 20), TICK)
    text.draw(canvas, high, (x + width - text.width(high, TICK), y + BAR + 20), TICK)
