"""How the pictures of a run look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from xcnn.render import colours

if TYPE_CHECKING:
    from xcnn.plugin import Attribution
    from xcnn.render.colours import Scale
    from xcnn.values import Floats, Pixels

GAIN = 1.4
"""How much more than others a signed map covers its picture where it is strongest: it covers less everywhere else."""
STRONG = 0.6
"""The share of a signed scale whose colour weaker values take over a picture: pale colours would only whiten it."""
PALE = 200
"""A palette is pale in its middle when no channel is darker than this."""


@dataclass(frozen=True)
class Style:
    """Palette and strength of the overlays.

    Raises
    ------
    OptionError
        If there is no such palette.
    """

    colormap: str = "auto"
    alpha: float = 0.5

    def __post_init__(self) -> None:
        """Check the palette."""
        colours.check(self.colormap)

    def heat(self, panel: Attribution, scale: Scale, size: tuple[int, int]) -> Pixels:
        """Colour a map at `size` (height, width)."""
        return self._coloured(panel, scale, _enlarged(panel, size))

    def veil(self, panel: Attribution, scale: Scale, size: tuple[int, int]) -> Pixels:
        """Colour a map at `size` with its opacity as a fourth channel: (h, w, 4)."""
        values = _enlarged(panel, size)
        opacity = _opacity(panel, scale, values)
        fourth = np.full(size, 255, np.uint8) if opacity is None else np.rint(255 * opacity).astype(np.uint8)
        return np.dstack([self._laid(panel, scale, values), fourth])

    def overlay(self, pixels: Pixels, panel: Attribution, scale: Scale) -> Pixels:
        """Lay a coloured map over the picture it explains, at the picture's own size.

        What a signed map calls neutral, and what is below the threshold of a map, shows the bare picture.
        """
        values = _enlarged(panel, (pixels.shape[0], pixels.shape[1]))
        heat = self._laid(panel, scale, values)
        opacity = _opacity(panel, scale, values)
        if opacity is None:
            return np.asarray(cv2.addWeighted(pixels, 1 - self.alpha, heat, self.alpha, 0), np.uint8)
        most = min(GAIN * self.alpha, 1.0) if panel.sign == "signed" else self.alpha
        strength = np.asarray(most * opacity, np.float32)
        return np.asarray(cv2.blendLinear(pixels, heat, 1 - strength, strength), np.uint8)

    def _laid(self, panel: Attribution, scale: Scale, values: Floats) -> Pixels:
        """Colour a map that lies over a picture: where opacity tells how strong it is, its colours needn't be pale."""
        table = colours.palette(self.colormap, panel.sign)
        if panel.fine or panel.sign == "positive" or table[colours.LEVELS // 2].min() < PALE:
            return self._coloured(panel, scale, values)
        end = scale.high
        strong = np.copysign(np.minimum(np.maximum(np.abs(values), STRONG * end), end), values)
        return self._coloured(panel, scale, np.asarray(strong, np.float32))

    def _coloured(self, panel: Attribution, scale: Scale, values: Floats) -> Pixels:
        return colours.coloured(values, scale, colours.palette(self.colormap, panel.sign), sign=panel.sign)


def _enlarged(panel: Attribution, size: tuple[int, int]) -> Floats:
    """Stretch a map to `size` as suits its kind."""
    return colours.enlarged(panel.values, size, fine=panel.fine, flat=panel.flat)


def opaque(panel: Attribution) -> bool:
    """Whether a map hides its picture everywhere alike."""
    return panel.fine or (panel.sign == "positive" and not panel.threshold)


def _opacity(panel: Attribution, scale: Scale, values: Floats) -> Floats | None:
    """How opaque each position is, 0..1 of what the style asks; None when all are alike."""
    if opaque(panel):
        return None
    sizes = np.abs(values)
    opacity = np.ones_like(sizes)
    if panel.sign == "signed":
        opacity = np.minimum(sizes / scale.high, 1) if scale.high else np.zeros_like(sizes)
    if panel.threshold:
        largest = float(np.abs(panel.values).max(initial=0.0))
        opacity *= (sizes >= panel.threshold * largest) & (sizes > 0)
    return np.asarray(opacity, np.float32)


def shrunk(pixels: Pixels, edge: int, *, grow: bool = False) -> Pixels:
    """Resize a picture so that its longer side is `edge`; smaller ones only with `grow`."""
    height, width = colours.fitted((pixels.shape[0], pixels.shape[1]), edge, grow=grow)
    if (height, width) == pixels.shape[:2]:
        return pixels
    shrinks = height < pixels.shape[0]
    # Nearest neighbour when it grows: the pixels of a 28x28 digit stay what they are.
    method = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)
