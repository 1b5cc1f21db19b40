"""A sheet of paper measured in inches from its upper left corner, drawn on by matplotlib without pyplot."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Polygon
from matplotlib.text import Text

from xcnn.render.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.values import Pixels

DPI = 160
FONT = "DejaVu Sans"  # comes with matplotlib
INK = "#111827"


class Sheet:
    """A white sheet of `width` by `height` inches."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)
        axes = self._figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        self._axes = axes
        self._order = 0

    def _next(self) -> float:
        # Later things lie on earlier ones, whatever they are.
        self._order += 1
        return float(self._order)

    def shape(self, corners: Sequence[tuple[float, float]], fill: str, edge: str, weight: float) -> None:
        """Fill a polygon."""
        self._axes.add_patch(
            Polygon(
                list(corners), facecolor=fill, edgecolor=edge, linewidth=weight, joinstyle="round", zorder=self._next()
            )
        )

    def frame(
        self, left: float, top: float, right: float, bottom: float, *, fill: str = "none", edge: str = "none"
    ) -> None:
        """Draw a rectangle with round corners, filled or dashed."""
        round_corners = f"round,pad=0,rounding_size={min(0.06, (right - left) / 3, (bottom - top) / 3):.3f}"
        self._axes.add_patch(
            FancyBboxPatch(
                (left, top), right - left, bottom - top, boxstyle=round_corners, facecolor=fill, edgecolor=edge,
                linewidth=0.8, linestyle=(0, (3, 2)), zorder=self._next(),
            )
        )  # fmt: skip

    def rule(self, left: float, right: float, y: float, colour: str) -> None:
        """Draw a thin level line."""
        self._axes.add_line(Line2D([left, right], [y, y], color=colour, linewidth=0.8, zorder=self._next()))

    def write(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        bold: bool = False,
        colour: str = INK,
        align: Literal["left", "center", "right"] = "left",
        turned: bool = False,
    ) -> None:
        """Write a line at mid height `y`, or downwards from `y` when it is turned."""
        line = Text(
            x, y, drawable(text), color=colour, fontproperties=font(size, bold=bold), parse_math=False, usetex=False,
            rotation=270 if turned else 0, horizontalalignment="center" if turned else align,
            verticalalignment="top" if turned else "center", zorder=self._next(),
        )  # fmt: skip
        self._axes.add_artist(line)

    def pixels(self) -> Pixels:
        """The sheet as (h, w, 3) uint8 RGB."""
        self._canvas.draw()  # type: ignore[no-untyped-call]
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def length(text: str, size: float, *, bold: bool = False) -> float:
    """How many inches a text takes in a size in points."""
    face = get_font(findfont(font(size, bold=bold)))
    face.set_size(size, 72)
    face.set_text(drawable(text))
    return float(face.get_width_height()[0]) / 64 / 72


def font(size: float, *, bold: bool = False) -> FontProperties:
    """The sheet's font in a size in points."""
    return FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")


@cache
def _signs() -> frozenset[int]:
    return frozenset(get_font(findfont(font(10))).get_charmap())


def drawable(text: str) -> str:
    r"""The text with a replacement for each sign that the font does not have.

    Examples
    --------
    >>> ascii(drawable("conv" + chr(0x8c61)))
    "'conv\\ufffd'"
    """
    return "".join(sign if ord(sign) in _signs() else "\N{REPLACEMENT CHARACTER}" for sign in plain(text))


def mixed(colour: str, other: str, share: float) -> str:
    """A colour with a share of another.

    Examples
    --------
    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    parts = [round(255 * (a * (1 - share) + b * share)) for a, b in zip(to_rgb(colour), to_rgb(other), strict=True)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def within(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, its middle replaced by an ellipsis when it takes more than `room` inches: both ends of a name tell.

    Examples
    --------
    >>> within("conv5_block3_out", 0.7, 8)
    'conv…_out'
    """
    whole = plain(text)
    low, high = 0, min(len(whole), 200)
    while low < high:  # as many signs as fit
        middle = (low + high + 1) // 2
        fits = length(_ends(whole, middle), size, bold=bold) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return _ends(whole, low)


def _ends(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: (most + 1) // 2]}…{text[len(text) - most // 2 :]}"
