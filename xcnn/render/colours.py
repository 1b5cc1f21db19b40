"""Palettes, scales and the colouring of maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from xcnn.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xcnn.plugin import Attribution
    from xcnn.values import Floats, Pixels

AUTO = {"positive": "viridis", "signed": "RdBu_r"}
"""The default palettes: perceptually uniform, and diverging around zero; both safe for colour-blind readers."""

LEVELS = 256
FINE = 99.5
"""The percentile of the absolute values at which the scale of a map of single pixels ends: one outlier dims it all."""
CRISP = 3
"""From this factor on, the pixels of a fine map grow as squares, as those of a small picture do."""
Sign = Literal["positive", "signed"]


def check(name: str) -> None:
    """Refuse a palette that does not exist.

    Raises
    ------
    OptionError
        Naming the nearest one.
    """
    if name == "auto":
        return
    import matplotlib as mpl  # a third of a second, which a run that is refused early does not need

    if name not in mpl.colormaps:
        hint = did_you_mean(name, ["auto", *mpl.colormaps], "one of matplotlib's, such as viridis, turbo, jet or gray")
        raise OptionError(f"there is no colormap {name!r}", hint=hint)


@cache
def palette(name: str, sign: Sign) -> Pixels:
    """The (256, 3) uint8 colours of a palette; "auto" picks by sign."""
    import matplotlib as mpl

    colours = mpl.colormaps[AUTO[sign] if name == "auto" else name](np.linspace(0, 1, LEVELS))
    table: Pixels = np.rint(colours[:, :3] * 255).astype(np.uint8)
    table.flags.writeable = False
    return table


def stops(name: str, sign: Sign, count: int = 17) -> list[str]:
    """A palette as `count` hexadecimal colours, for CSS."""
    chosen = palette(name, sign)[np.linspace(0, LEVELS - 1, count).astype(int)]
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in chosen]


@dataclass(frozen=True)
class Scale:
    """What the ends of a palette mean, in the unit of the map."""

    low: float
    high: float
    clipped: bool = field(default=False, repr=False)
    """Whether values lie beyond its ends."""

    @classmethod
    def shared(cls, panels: Sequence[Attribution]) -> Scale:
        """Find the scale of maps of one kind; that of fine maps leaves out the most extreme half percent.

        Examples
        --------
        >>> from xcnn.plugin import Attribution
        >>> values = np.array([[1.0, 2.0]], np.float32)
        >>> Scale.shared([Attribution(values, sign="positive", unit="score")])
        Scale(low=0.0, high=2.0)
        """
        whole = cls.of([panel.values for panel in panels], panels[0].sign)
        if not any(panel.fine for panel in panels):
            return whole
        sizes = np.concatenate([np.abs(panel.values).ravel() for panel in panels])
        end = float(np.percentile(sizes, FINE)) if sizes.size else 0.0
        if not 0 < end < whole.high:  # a few pixels on nothing are no outliers
            return whole
        return cls(-end if panels[0].sign == "signed" else 0.0, end, clipped=True)

    @classmethod
    def of(cls, maps: Iterable[Floats], sign: Sign) -> Scale:
        """Find the scale that maps share: 0..max for positive ones, -m..m with zero in the middle for signed ones.

        Examples
        --------
        >>> Scale.of([np.array([[0.0, 2.0]]), np.array([[3.0]])], "positive")
        Scale(low=0.0, high=3.0)
        >>> Scale.of([np.array([[-4.0, 2.0]])], "signed")
        Scale(low=-4.0, high=4.0)
        """
        largest = max((float(np.abs(values).max()) for values in maps if values.size), default=0.0)
        return cls(-largest if sign == "signed" else 0.0, largest)

    @property
    def empty(self) -> bool:
        """Whether all maps are zero everywhere."""
        return self.high == self.low

    def levels(self, values: Floats) -> Pixels:
        """Turn values into palette indices; what lies outside is cut, a map of zeros stays at zero's colour.

        Examples
        --------
        >>> Scale(0.0, 2.0).levels(np.array([0.0, 1.0, 2.0, 9.0]))
        array([  0, 128, 255, 255], dtype=uint8)
        >>> Scale(0.0, 0.0).levels(np.array([0.0]))
        array([0], dtype=uint8)
        """
        if self.empty:
            return np.zeros(values.shape, np.uint8)
        share = (values - self.low) / (self.high - self.low)
        return np.asarray(np.rint(np.clip(share, 0, 1) * (LEVELS - 1)), np.uint8)


def coloured(values: Floats, scale: Scale, table: Pixels, *, sign: Sign) -> Pixels:
    """Colour a (h, w) map: (h, w, 3) uint8."""
    if scale.empty and sign == "signed":
        return np.broadcast_to(table[LEVELS // 2], (*values.shape, 3)).copy()
    return np.asarray(table[scale.levels(values)])


def enlarged(values: Floats, size: tuple[int, int], *, fine: bool = False, flat: bool = False) -> Floats:
    """Stretch a map over a picture of `size` (height, width): bilinear, by area where it shrinks.

    The pixels of a ``fine`` map that grows much stay squares, those of a ``flat`` one whenever it does not shrink.
    """
    height, width = size
    shrinks = values.shape[0] > height and values.shape[1] > width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    much = height >= CRISP * values.shape[0] and width >= CRISP * values.shape[1]
    if (flat and not shrinks) or (fine and much):
        method = cv2.INTER_NEAREST
    return np.asarray(cv2.resize(values, (width, height), interpolation=method), np.float32)


def fitted(size: tuple[int, int], edge: int, *, grow: bool = False) -> tuple[int, int]:
    """The size (height, width) whose longer side is `edge`, in the same shape.

    Examples
    --------
    >>> fitted((300, 451), 512), fitted((600, 1200), 512), fitted((28, 28), 448, grow=True)
    ((300, 451), (256, 512), (448, 448))
    """
    factor = edge / max(size)
    if factor >= 1 and not grow:
        return size
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
