"""The pictures of the report, read back one at a time from the folder in the making."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.io import artifacts
from xcnn.plugin import Attribution, Labels
from xcnn.render import colours, labels
from xcnn.render.style import opaque, shrunk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.render.style import Style

HEAT_EDGE = 256
FINE_EDGE = 512
"""Longer side of a map of single pixels: what shrinks loses its lines."""
LONGEST = 1600
"""Longer side of a grid in the report; the file beside it has all pixels."""


class Pictures:
    """Encodes what the report shows.

    Parameters
    ----------
    folder : Path
        The folder in the making.
    style : Style
        How pictures look.
    """

    def __init__(self, folder: Path, style: Style) -> None:
        self._folder = folder
        self._style = style

    def source(self, image: Mapping[str, Any]) -> bytes:
        """The input picture."""
        return Path(self._folder, image["file"]).read_bytes()

    def heat(self, panel: Mapping[str, Any]) -> bytes:
        """A map of values or of categories in its own shape: the page stretches it over the picture."""
        values = np.load(self._folder / panel["files"]["values"], allow_pickle=False)
        if panel["kind"] == "labels":
            return self._categories(panel, values)
        fine = panel["fine"]
        attribution = Attribution(
            values, sign=panel["sign"], unit=panel["unit"], fine=fine, threshold=panel["threshold"]
        )
        scale = colours.Scale(*panel["scale"])
        if fine:
            # Whole pixels where it grows, so that they stay squares.
            factor = max(HEAT_EDGE // max(values.shape), 1)
            size = colours.fitted((values.shape[0] * factor, values.shape[1] * factor), FINE_EDGE)
            return artifacts.encoded(self._style.heat(attribution, scale, size), ".jpg", quality=88, sharp=True)
        size = colours.fitted(values.shape, HEAT_EDGE, grow=True)
        if opaque(attribution):
            return artifacts.encoded(self._style.heat(attribution, scale, size), ".jpg", quality=90)
        return artifacts.encoded(self._style.veil(attribution, scale, size), ".webp", quality=90)

    def drawn(self, file: str) -> bytes:
        """A grid, a curve or a mosaic, small enough for a page."""
        data = Path(self._folder, file).read_bytes()
        return artifacts.encoded(shrunk(artifacts.decoded(data), LONGEST), ".webp", quality=88)

    def _categories(self, panel: Mapping[str, Any], values: np.ndarray) -> bytes:
        legend = [labels.Entry(tuple(one["numbers"]), "", one["colour"], 0.0) for one in panel["legend"]]
        factor = max(HEAT_EDGE // max(values.shape), 1)
        size = (values.shape[0] * factor, values.shape[1] * factor)
        return artifacts.encoded(labels.coloured(Labels(values, {}), legend, size), ".png")
