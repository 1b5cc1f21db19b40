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
    from xcnn.values import Pixels


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
        table = colours.palette(self.colormap, panel.sign)
        return colours.coloured(colours.enlarged(panel.values, size), scale, table, sign=panel.sign)

    def overlay(self, pixels: Pixels, panel: Attribution, scale: Scale) -> Pixels:
        """Lay a coloured map over the picture it explains, at the picture's own size."""
        heat = self.heat(panel, scale, (pixels.shape[0], pixels.shape[1]))
        return np.asarray(cv2.addWeighted(pixels, 1 - self.alpha, heat, self.alpha, 0), np.uint8)


def shrunk(pixels: Pixels, edge: int, *, grow: bool = False) -> Pixels:
    """Resize a picture so that its longer side is `edge`; smaller ones only with `grow`."""
    height, width = colours.fitted((pixels.shape[0], pixels.shape[1]), edge, grow=grow)
    if (height, width) == pixels.shape[:2]:
        return pixels
    shrinks = height < pixels.shape[0]
    # Nearest neighbour when it grows: the pixels of a 28x28 digit stay what they are.
    method = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)
