"""A picture with the class that a network predicts written on it, beside bars of the best classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from xcnn.render import text
from xcnn.render.figure import number
from xcnn.render.style import shrunk
from xcnn.render.text import FAINT, INK, Font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.values import Pixels

EDGE = 512
"""Longer side of the picture."""
MARGIN = 28
GAP = 28
PANEL = 400
"""Width of the list of classes."""
LEAST = 300
"""The least width of the picture's place, so that the label can be read."""
STRIP = 52
ROW = 52
HEADER = 40
LABEL = Font(25, 600, (255, 255, 255))
SHARE = Font(22, 400, (255, 255, 255))
HEADING = Font(20, 400, FAINT)
BEST = Font(20, 600)
NAME = Font(20)
VALUE = Font(20, 400, FAINT)
VALUE_ROOM = 90
BAR = (76, 120, 168)
TRACK = (229, 232, 237)
RULE = (203, 208, 216)


def labelled(
    pixels: Pixels,
    title: str,
    rows: Sequence[tuple[str, float | None]],
    *,
    scores: Sequence[float] | None = None,
    heading: str = "",
) -> Pixels:
    """Draw a picture with its label, and the best classes beside it.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 ndarray
        The picture; it keeps its shape.
    title : str
        The label that is written on it.
    rows : sequence of (str, float or None)
        The best classes with their probabilities, the best first; None where the outputs are no probabilities.
    scores : sequence of float, optional
        The score of each row, written where there is no probability.
    heading : str, optional
        What stands above the classes: the model and its preprocessing, say.

    Returns
    -------
    (H, W, 3) uint8 ndarray
    """
    picture = shrunk(pixels, EDGE, grow=True)
    height, width = picture.shape[:2]
    slot = max(width, LEAST)
    listed = (HEADER if heading else 0) + ROW * len(rows)
    tall = max(height + STRIP, listed)
    canvas = np.full((2 * MARGIN + tall, 2 * MARGIN + slot + GAP + PANEL, 3), 255, np.uint8)
    top = MARGIN + (tall - height - STRIP) // 2
    left = MARGIN + (slot - width) // 2
    canvas[top : top + height, left : left + width] = picture
    cv2.rectangle(canvas, (left - 1, top - 1), (left + width, top + height), RULE, 1)
    _strip(canvas, title, rows[0][1] if rows else None, (MARGIN, top + height, slot))
    x, y = MARGIN + slot + GAP, MARGIN + (tall - listed) // 2
    if heading:
        text.draw(canvas, heading, (x, y + 18), HEADING, room=PANEL)
        y += HEADER
    for at, (name, probability) in enumerate(rows):
        score = scores[at] if scores is not None else None
        _row(canvas, name, (probability, score), (x, y + at * ROW), best=at == 0)
    return canvas


def _strip(canvas: Pixels, title: str, probability: float | None, place: tuple[int, int, int]) -> None:
    """Write the label, white on dark, on the lower edge of the picture."""
    x, y, width = place
    cv2.rectangle(canvas, (x, y), (x + width - 1, y + STRIP - 1), INK, -1)
    words = "" if probability is None else percent(probability)
    taken = text.width(words, SHARE) + 16 if words else 0
    text.draw(canvas, title, (x + 14, y + 35), LABEL, room=width - 28 - taken)
    if words:
        text.draw(canvas, words, (x + width - 14 - text.width(words, SHARE), y + 34), SHARE)


def _row(
    canvas: Pixels, name: str, values: tuple[float | None, float | None], at: tuple[int, int], *, best: bool
) -> None:
    (probability, score), (x, y) = values, at
    if probability is not None:
        words = percent(probability)
        cv2.rectangle(canvas, (x, y + 32), (x + PANEL - 1, y + 39), TRACK, -1)
        filled = round(PANEL * min(max(probability, 0.0), 1.0)) if np.isfinite(probability) else 0
        if filled:
            cv2.rectangle(canvas, (x, y + 32), (x + filled - 1, y + 39), BAR, -1)
    else:
        words = "" if score is None else number(score)
    text.draw(canvas, name, (x, y + 22), BEST if best else NAME, room=PANEL - VALUE_ROOM)
    text.draw(canvas, words, (x + PANEL - text.width(words, VALUE), y + 22), VALUE)


def percent(probability: float) -> str:
    """A probability in percent that never claims to be certain when it is not.

    Examples
    --------
    >>> percent(0.5), percent(0.99996), percent(1.0), percent(0.0001), percent(0.0), percent(0.0346)
    ('50.0%', '>99.9%', '100%', '<0.1%', '0%', '3.5%')
    """
    if probability in {0.0, 1.0} or not np.isfinite(probability):
        return f"{100 * probability:.0f}%"
    if probability > 0.999:  # noqa: PLR2004 (what would be rounded to 100.0)
        return ">99.9%"
    return f"{100 * probability:.1f}%" if probability >= 0.001 else "<0.1%"  # noqa: PLR2004 (rounded to 0.0)
