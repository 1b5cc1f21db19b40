"""A map of categories over its picture, with a legend of names and shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from xcnn.render import text
from xcnn.render.figure import CAPTION, EDGE, FOOTER, GAP, HEADER, MARGIN, MIN_WIDTH, RULE, entitle
from xcnn.render.style import shrunk
from xcnn.render.text import FAINT, Font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.plugin import Labels
    from xcnn.render.figure import Words
    from xcnn.values import Pixels

# Paul Tol's "muted" scheme, https://personal.sron.nl/~pault: distinct for colour-blind readers, too.
COLOURS = ("#CC6677", "#332288", "#DDCC77", "#117733", "#88CCEE", "#882255", "#44AA99", "#999933", "#AA4499")
OTHER = "#BBBBBB"
OTHERS = "other"
STRENGTH = 0.65
"""How much the map covers the picture: more than a map of values, as its colours must be told apart."""
FAINTLY = 0.2
"""The same where one category covers everything: there is no border to be seen, so the picture may be."""
LEGEND = 330
ROW = 34
SWATCH = 18
NAME = Font(20)
SHARE = Font(20, 400, FAINT)


@dataclass(frozen=True)
class Entry:
    """A row of the legend: the numbers it stands for, with their name, colour and share of the map."""

    numbers: tuple[int, ...]
    name: str
    colour: str
    share: float


def entries(panel: Labels) -> list[Entry]:
    """Give the most frequent categories colours of their own, and the rest one together."""
    numbers, counts = np.unique(panel.values, return_counts=True)
    order = sorted(range(len(numbers)), key=lambda at: (-int(counts[at]), int(numbers[at])))
    own = order if len(order) <= len(COLOURS) else order[: len(COLOURS)]
    found = [
        Entry((int(numbers[at]),), named(panel, int(numbers[at])), colour, float(counts[at] / panel.values.size))
        for at, colour in zip(own, COLOURS, strict=False)
    ]
    rest = order[len(own) :]
    if rest:
        share = float(counts[rest].sum() / panel.values.size)
        found.append(Entry(tuple(int(numbers[at]) for at in rest), f"{len(rest)} {OTHERS}", OTHER, share))
    return found


def named(panel: Labels, number: int) -> str:
    """The name of a category, or its number where it has none."""
    return panel.names.get(number, str(number))


def coloured(panel: Labels, legend: Sequence[Entry], size: tuple[int, int]) -> Pixels:
    """Colour a map of categories at `size` (height, width); its borders stay sharp."""
    pixels = np.zeros((*panel.values.shape, 3), np.uint8)
    for entry in legend:
        pixels[np.isin(panel.values, entry.numbers)] = _rgb(entry.colour)
    return np.asarray(cv2.resize(pixels, (size[1], size[0]), interpolation=cv2.INTER_NEAREST), np.uint8)


def overlay(pixels: Pixels, panel: Labels, legend: Sequence[Entry]) -> Pixels:
    """Lay the map over its picture."""
    shown = coloured(panel, legend, (pixels.shape[0], pixels.shape[1]))
    strength = STRENGTH if len(legend) > 1 else FAINTLY
    return np.asarray(cv2.addWeighted(pixels, 1 - strength, shown, strength, 0), np.uint8)


def figure(pixels: Pixels, panel: Labels, words: Words) -> Pixels:
    """Draw input, map and legend side by side.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 ndarray
        The picture that is explained; it keeps its shape.
    panel : Labels
        The map.
    words : Words
        What is written on it.

    Returns
    -------
    (H, W, 3) uint8 ndarray
    """
    picture = shrunk(pixels, EDGE, grow=True)
    legend = entries(panel)
    height, width = picture.shape[:2]
    slot = max(width, MIN_WIDTH)
    tall = max(height, ROW * len(legend))
    wide = 2 * MARGIN + 2 * (slot + GAP) + LEGEND
    canvas = np.full((HEADER + tall + FOOTER, wide, 3), 255, np.uint8)
    entitle(canvas, words)
    for column, (shown, caption) in enumerate(((picture, words.left), (overlay(picture, panel, legend), words.right))):
        x = MARGIN + column * (slot + GAP)
        canvas[HEADER : HEADER + height, x : x + width] = shown
        text.draw(canvas, caption, (x, HEADER + height + 26), CAPTION, room=slot)
    _legend(canvas, legend, MARGIN + 2 * (slot + GAP))
    return canvas


def _legend(canvas: Pixels, legend: Sequence[Entry], x: int) -> None:
    for row, entry in enumerate(legend):
        y = HEADER + row * ROW
        cv2.rectangle(canvas, (x, y), (x + SWATCH, y + SWATCH), _rgb(entry.colour), -1)
        cv2.rectangle(canvas, (x, y), (x + SWATCH, y + SWATCH), RULE, 1)
        share = f"{entry.share:.1%}"
        taken = text.width(share, SHARE)
        text.draw(canvas, entry.name, (x + SWATCH + 10, y + 16), NAME, room=LEGEND - SWATCH - taken - 30)
        text.draw(canvas, share, (x + LEGEND - taken - 4, y + 16), SHARE)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue
