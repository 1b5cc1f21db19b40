"""Small pictures of results: where a figure would be too much."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from xcnn.plugin import Attribution, Labels, Tiles
from xcnn.render import figure, labels, tiles
from xcnn.render.style import shrunk
from xcnn.saving.panels import key
from xcnn.saving.writer import scales_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xcnn.plugin import Panel, Result
    from xcnn.render.colours import Scale
    from xcnn.render.style import Style
    from xcnn.saving.panels import Key
    from xcnn.values import Pixels

EDGE = 224
"""Longer side of a picture, in pixels."""
TILES = 480
"""The same of a grid."""
BARE = figure.Words("", "", "", "", "")


def first(result: Result, pixels: Pixels | None, scales: Mapping[Key, Scale], style: Style) -> Pixels | None:
    """Draw the first panel of a result that can be; None where there is none, or its image is gone.

    Parameters
    ----------
    result : Result
        What is shown.
    pixels : (h, w, 3) uint8 ndarray, optional
        Its image, as large as it is to be shown.
    scales : mapping of Key to Scale
        The scales of its maps.
    style : Style
        How pictures look.
    """
    return next((seen for panel in result.panels if (seen := _drawn(panel, pixels, scales, style)) is not None), None)


def named(results: Sequence[Result], style: Style) -> Iterator[tuple[str, Pixels]]:
    """Draw each result whose pixels are at hand, with a name that is the same whenever the same is explained again."""
    seen: Counter[str] = Counter()
    for (explainer, _), group in groupby(results, key=lambda result: (result.explainer, id(result.image))):
        alike = list(group)
        image, scales = alike[0].image, scales_of(alike)
        pixels = None if image is None or image.pixels is None else shrunk(image.pixels, EDGE, grow=True)
        name = f"{explainer}/{Path(image.path).name}" if image else explainer
        for result in alike:
            drawn = first(result, pixels, scales, style)
            if drawn is not None:
                seen[name] += 1
                yield name if seen[name] == 1 else f"{name}-{seen[name]}", drawn


def _drawn(panel: Panel, pixels: Pixels | None, scales: Mapping[Key, Scale], style: Style) -> Pixels | None:
    if isinstance(panel, Tiles):
        grid, _ = tiles.grid(panel, style, figure.Words(panel.title or "", "", "", "", ""), pixels)
        return shrunk(grid, TILES)
    if isinstance(panel, Attribution) and pixels is not None:
        return figure.shown(pixels, panel, scales[key(panel)], style)
    if isinstance(panel, Labels) and pixels is not None:
        return shrunk(labels.figure(pixels, panel, BARE), TILES)
    return None
