"""Many explained pictures on one page, each under its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xcnn.render import text
from xcnn.render.figure import HEADER, MARGIN, SUBTITLE, TITLE
from xcnn.render.style import shrunk
from xcnn.render.text import Font

if TYPE_CHECKING:
    from xcnn.values import Pixels

TILE = 256
"""The longer side of a picture; smaller where a page would become too large."""
LEAST = 40
LONGEST = 4000
GAP = 14
LINE = 30
NAME = Font(21)
SMALL = Font(16)
SMALL_TILE = 160


class Page:
    """A page of `rows` times `columns` pictures, filled one after the other: only the page is held in memory."""

    _canvas: Pixels
    _top: int
    _bottom: int

    def __init__(self, rows: int, columns: int) -> None:
        self._rows = rows
        self._columns = columns
        self.tile = max(min(TILE, LONGEST // columns - GAP, LONGEST // rows - GAP - LINE), LEAST)
        self._begin()

    @property
    def full(self) -> bool:
        """Whether no place is left."""
        return self.count == self._rows * self._columns

    def add(self, pixels: Pixels, words: str) -> None:
        """Put a picture on the next place, with words above it."""
        column = self.count % self._columns
        if column == 0:  # a row is as high as its highest picture
            self._top = self._bottom
        x, y = MARGIN + column * (self.tile + GAP), self._top
        font = NAME if self.tile >= SMALL_TILE else SMALL
        text.draw(self._canvas, words, (x, y + LINE - 9), font, room=self.tile)
        small = shrunk(pixels, self.tile, grow=True)
        height, width = small.shape[:2]
        self._canvas[y + LINE : y + LINE + height, x : x + width] = small
        self._bottom = max(self._bottom, y + LINE + height + GAP)
        self.count += 1

    def take(self, title: str, subtitle: str) -> Pixels:
        """The page under its title, without what stayed empty below; then begin a new one."""
        page = self._canvas[: self._bottom - GAP + MARGIN]
        room = page.shape[1] - 2 * MARGIN
        text.draw(page, title, (MARGIN, 46), TITLE, room=room)
        text.draw(page, subtitle, (MARGIN, 76), SUBTITLE, room=room)
        self._begin()
        return page

    def _begin(self) -> None:
        self.count = 0
        self._top = self._bottom = HEADER
        height = HEADER + self._rows * (self.tile + LINE + GAP) - GAP + MARGIN
        width = 2 * MARGIN + self._columns * (self.tile + GAP) - GAP
        self._canvas = np.full((height, width, 3), 255, np.uint8)
