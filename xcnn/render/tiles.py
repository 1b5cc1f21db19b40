"""Many small maps in one grid: the channels of a layer, kernels, patterns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from xcnn.plugin import Attribution
from xcnn.render import colours, text
from xcnn.render.colours import LEVELS, Scale
from xcnn.render.figure import CAPTION, HEADER, MARGIN, RULE, SUBTITLE, TICK, TITLE, number
from xcnn.render.style import shrunk
from xcnn.render.text import FAINT, Font

if TYPE_CHECKING:
    from xcnn.plugin import Tiles
    from xcnn.render.figure import Words
    from xcnn.render.style import Style
    from xcnn.values import Pixels

SMALLEST, LARGEST = 32, 160
"""Sides of a tile in pixels."""
LONGEST = 4000
"""The longest side of a grid; tiles of a longer one shrink, below the smallest if they must."""
WIDE = 1600
"""The width that tiles grow to fill."""
LEAST = 680
"""The least width of the picture: what stands above it must be read, the name of a layer above all."""
READABLE = 44
"""The least width of a tile with a caption below it."""
NAME = Font(20, 400, FAINT)
LINE = 26
"""The height of a caption."""
MARK = Font(20, 500, FAINT)
HATCH = (228, 231, 236), (206, 211, 219)
BAR, LEGEND = 14, 46
RGB = 4
"""Dimensions of tiles of three channels."""


@dataclass(frozen=True)
class Grid:
    """Where tiles stand: how many side by side, how large each is, and what is written around them."""

    columns: int
    rows: int
    height: int
    width: int
    margin: int
    line: int
    """The height of the caption below each tile, 0 when there is none."""
    gutter: int
    """The room on the left for the name of the first tile of each row, 0 when each has its own."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return (
            self.rows * (self.height + self.line + self.margin) - self.margin,
            self.gutter + self.columns * (self.width + self.margin) - self.margin,
        )

    def corner(self, number: int) -> tuple[int, int]:
        """The upper left corner (x, y) of a tile."""
        row, column = divmod(number, self.columns)
        return (
            self.gutter + column * (self.width + self.margin),
            row * (self.height + self.line + self.margin),
        )


def laid_out(panel: Tiles, shape: tuple[int, int] | None = None) -> Grid:
    """Find the place of each tile; `shape` (height, width) is that of a tile when it is not the map's own."""
    count = max(len(panel.values), 1)
    height, width = shape or (int(panel.values.shape[1]), int(panel.values.shape[2]))
    columns = min(panel.columns or math.ceil(math.sqrt(count * height / width)), count)
    rows = math.ceil(count / columns)
    margin = panel.margin
    room = (WIDE - (columns - 1) * margin) // columns
    side = min(max(room, SMALLEST), LARGEST)
    most = [(LONGEST - (number - 1) * margin) // number for number in (rows, columns)]
    tall, wide = _tile((height, width), side)
    if _smooth(panel) and columns * (wide + margin) <= LEAST:  # few of them fill the width
        side = max(tall, wide, min((LEAST - (columns - 1) * margin) // columns, 2 * LARGEST))
        tall, wide = colours.fitted((height, width), side, grow=True)
    factor = min(most[0] / tall, most[1] / wide, 1)
    tall, wide = max(1, math.floor(tall * factor)), max(1, math.floor(wide * factor))
    captioned = any(panel.captions)
    line = LINE if captioned and wide >= READABLE and most[0] >= tall + LINE else 0
    gutter = 0
    if captioned and not line and rows > 1 and tall >= LINE:
        gutter = 8 + max(text.width(panel.captions[row * columns], NAME) for row in range(rows))
    return Grid(columns, rows, tall, wide, margin, line, min(gutter, LARGEST))


def columns(panel: Tiles, picture: Pixels | None) -> int:
    """How many tiles stand side by side."""
    return laid_out(panel, picture.shape[:2] if panel.overlaid and picture is not None else None).columns


def place(panel: Tiles, picture: Pixels | None) -> dict[str, int]:
    """Where tiles stand in the picture of their grid: the first one's corner and size, and the steps to the next."""
    found = laid_out(panel, picture.shape[:2] if panel.overlaid and picture is not None else None)
    x, y = found.corner(0)
    return {
        "x": MARGIN + x,
        "y": _top(panel) + y,
        "width": found.width,
        "height": found.height,
        "across": found.width + found.margin,
        "down": found.height + found.line + found.margin,
    }


def _top(panel: Tiles) -> int:
    """Where the tiles begin below the header."""
    return HEADER + (26 if how(panel) else 0)


def _smooth(panel: Tiles) -> bool:
    """Whether tiles are pictures, whose single pixels mean nothing."""
    return panel.scale == "picture" or (panel.scale == "standard" and panel.values.ndim == RGB)


def _tile(size: tuple[int, int], side: int) -> tuple[int, int]:
    """The size of a tile whose longer side is at most `side`: whole pixels where it grows."""
    whole = side // max(size)
    return (whole * size[0], whole * size[1]) if whole else colours.fitted(size, side)


def coloured(panel: Tiles, style: Style) -> tuple[Pixels, Scale | None]:
    """Turn the values of tiles into colours: (k, h, w, 3) uint8, and the scale when all share one."""
    values = np.nan_to_num(panel.values, posinf=0.0, neginf=0.0)
    inner = tuple(range(1, values.ndim))
    if panel.scale == "picture":
        levels = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
        return (levels if values.ndim == RGB else levels[..., np.newaxis].repeat(3, axis=-1)), None
    shared = None
    if panel.scale == "standard":
        spread = values.std(axis=inner, keepdims=True)
        share = 0.5 + panel.deviation * (values - values.mean(axis=inner, keepdims=True)) / np.where(spread, spread, 1)
    else:
        ends = np.abs(values).max(axis=inner, keepdims=True, initial=0.0)
        if panel.scale == "shared":
            shared = Scale.of([values], panel.sign)
            ends = np.asarray(ends.max(initial=0.0))
        share = values / np.where(ends, ends, 1)
        share = 0.5 + share / 2 if panel.sign == "signed" else share
    levels = np.rint(np.clip(share, 0, 1) * (LEVELS - 1)).astype(np.uint8)
    if values.ndim == RGB:
        return levels, shared
    # Around the mean of a tile, zero has no place: a diverging palette would show one.
    return colours.palette(style.colormap, "positive" if panel.scale == "standard" else panel.sign)[levels], shared


def how(panel: Tiles) -> str:
    """Say how the values became colours."""
    signed = panel.sign == "signed"
    ends = "with zero in the middle" if signed else "from zero to its largest value"
    return {
        "each": f"each on a scale of its own, {ends}",
        "shared": "all on one scale, so that they compare",
        "standard": f"each less its mean, {panel.deviation:g} of the range per standard deviation, clipped",
        "picture": "",
    }[panel.scale]


def grid(panel: Tiles, style: Style, words: Words, picture: Pixels | None = None) -> tuple[Pixels, Scale | None]:
    """Draw tiles in a grid under a header, with a colour bar when they share a scale.

    Parameters
    ----------
    panel : Tiles
        The tiles.
    style : Style
        Palette and strength.
    words : Words
        Title and subtitle.
    picture : (h, w, 3) uint8 ndarray, optional
        What overlaid tiles lie over.

    Returns
    -------
    (H, W, 3) uint8 ndarray and Scale or None
        The picture, and the scale that all tiles share.
    """
    over = picture if panel.overlaid and panel.values.ndim != RGB else None
    found = laid_out(panel, None if over is None else over.shape[:2])
    shares = panel.scale == "shared" and panel.values.ndim != RGB
    height, width = found.size
    whole = max(width, LEAST)
    words_below = how(panel)
    top = _top(panel)
    canvas = np.full((top + height + (LEGEND if shares else 0) + MARGIN, 2 * MARGIN + whole, 3), 255, np.uint8)
    text.draw(canvas, words.title, (MARGIN, 46), TITLE, room=whole)
    text.draw(canvas, words.subtitle, (MARGIN, 76), SUBTITLE, room=whole)
    text.draw(canvas, words_below, (MARGIN, HEADER + 8), CAPTION, room=whole)
    place = canvas[top : top + height, MARGIN : MARGIN + width]
    shared = _overlays(place, panel, found, style, over) if over is not None else _maps(place, panel, found, style)
    _captions(place, panel, found)
    if shares and shared:
        _bar(canvas, panel, shared, style, (MARGIN, top + height + 16, min(whole, 360)))
    return canvas, shared


def _maps(place: Pixels, panel: Tiles, found: Grid, style: Style) -> Scale | None:
    pixels, shared = coloured(panel, style)
    size = (found.width, found.height)
    grows, rest = divmod(found.height, pixels.shape[1])
    growing = cv2.INTER_CUBIC if rest and _smooth(panel) else cv2.INTER_NEAREST
    for at, tile in enumerate(pixels):
        x, y = found.corner(at)
        method = growing if grows else cv2.INTER_AREA
        place[y : y + found.height, x : x + found.width] = cv2.resize(tile, size, interpolation=method)
    return shared


def _overlays(place: Pixels, panel: Tiles, found: Grid, style: Style, picture: Pixels) -> Scale:
    small = cv2.resize(shrunk(picture, 2 * LARGEST), (found.width, found.height), interpolation=cv2.INTER_AREA)
    shared = Scale.of([panel.values], panel.sign)
    for at, values in enumerate(panel.values):
        x, y = found.corner(at)
        scale = shared if panel.scale == "shared" else Scale.of([values], panel.sign)
        one = Attribution(values, sign=panel.sign, unit=panel.unit)
        place[y : y + found.height, x : x + found.width] = style.overlay(np.asarray(small, np.uint8), one, scale)
    return shared


def _captions(place: Pixels, panel: Tiles, found: Grid) -> None:
    """Write what is said about each tile; frame those whose palette is as white as the paper."""
    tall, wide = found.height, found.width
    if panel.sign == "signed" and found.margin > 1 and panel.values.ndim != RGB and not panel.overlaid:
        for at in range(len(panel.values)):
            x, y = found.corner(at)
            cv2.rectangle(place, (x - 1, y - 1), (x + wide, y + tall), RULE, 1)
    for at, mark in enumerate(panel.marks):
        if mark:
            x, y = found.corner(at)
            _hatched(place[y : y + tall, x : x + wide], mark)
    for at, caption in enumerate(panel.captions):
        x, y = found.corner(at)
        if found.line:
            text.draw(place, caption, (x, y + tall + LINE - 7), NAME, room=wide)
        elif found.gutter and at % found.columns == 0:
            text.draw(place, caption, (0, y + min(tall, LINE) - 4), NAME, room=found.gutter - 6)


def _hatched(tile: Pixels, mark: str) -> None:
    """Gray a tile with diagonal lines, and the remark where there is room."""
    ground, line = HATCH
    rows, columns = np.indices(tile.shape[:2])
    lines = np.less((rows + columns) % 8, 2)[..., np.newaxis]
    tile[:] = np.rint(0.15 * tile + 0.85 * np.where(lines, line, ground)).astype(np.uint8)
    taken = text.width(mark, MARK)
    if taken + 8 <= tile.shape[1] and tile.shape[0] >= LINE:
        x, y = (tile.shape[1] - taken) // 2, tile.shape[0] // 2
        tile[max(y - 10, 0) : y + 10, x - 3 : x + taken + 3] = ground
        text.draw(tile, mark, (x, y + 5), MARK)


def _bar(canvas: Pixels, panel: Tiles, scale: Scale, style: Style, place: tuple[int, int, int]) -> None:
    x, y, width = place
    table = colours.palette(style.colormap, panel.sign)
    canvas[y : y + BAR, x : x + width] = table[np.linspace(0, LEVELS - 1, width).round().astype(int)]
    cv2.rectangle(canvas, (x - 1, y - 1), (x + width, y + BAR), RULE, 1)
    ends = number(scale.low), panel.unit, number(scale.high)
    rooms = [text.width(end, TICK) for end in ends]
    for words, left in zip(ends, (x, x + (width - rooms[1]) // 2, x + width - rooms[2]), strict=True):
        text.draw(canvas, words, (left, y + BAR + 20), TICK)
