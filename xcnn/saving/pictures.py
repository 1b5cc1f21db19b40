"""The pictures of the report, read back one at a time from the folder in the making."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.io import artifacts
from xcnn.plugin import Labels
from xcnn.render import colours, labels
from xcnn.render.style import shrunk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.render.style import Style
    from xcnn.values import Floats, Pixels

HEAT_EDGE = 256
MAP_EDGE = 512
"""Longer side of a map in the report."""
SMOOTH_EDGE = 84
"""Up to this size a coarse map is enlarged: browsers interpolate in few steps, which would be seen in its colours."""
MOST_BYTES = 44_000
"""Bytes of a map in the report; base64 adds a third."""
THIRDS = (
    ("upper left", "upper centre", "upper right"),
    ("left", "centre", "right"),
    ("lower left", "lower centre", "lower right"),
)
HALF = 0.5
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
        """A map in its own shape, which the page stretches over the picture: gray levels of values, or categories."""
        if panel["kind"] == "labels":
            return self._categories(panel, self._values(panel))
        values = self._values(panel)
        factor = 1 if panel["fine"] or panel.get("flat") else max(SMOOTH_EDGE // max(values.shape), 1)
        # An odd factor keeps each value as it is, in the middle of its cell.
        odd = factor - (factor + 1) % 2
        values = colours.enlarged(values, (odd * values.shape[0], odd * values.shape[1])) if odd > 1 else values
        size = colours.fitted((values.shape[0], values.shape[1]), MAP_EDGE)
        while True:
            small = values if size == values.shape else colours.enlarged(values, size)
            data = artifacts.encoded(levels(small, panel)[..., np.newaxis], ".png")
            if len(data) <= MOST_BYTES:
                return data
            # Noise can't be packed: fewer of its pixels can.
            less = 0.95 * math.sqrt(MOST_BYTES / len(data))
            size = max(1, int(less * size[0])), max(1, int(less * size[1]))

    def glance(self, panel: Mapping[str, Any]) -> dict[str, Any]:
        """Where a map is strongest above and below zero, and the share of its area above half of that; {} for zeros."""
        values = self._values(panel)
        sizes = np.abs(values)
        if not sizes.size or not sizes.max():
            return {}
        above, below = (_strongest(np.maximum(side, 0)) for side in (values, -values))
        return {"above": above, "below": below, "share": float((sizes > HALF * sizes.max()).mean())}

    def categories(self, panel: Mapping[str, Any]) -> dict[str, Any]:
        """Where each entry of the legend of a map of categories mostly is, and the runs of equal cells, row by row."""
        values = self._values(panel)
        flat = values.reshape(-1)
        starts = np.flatnonzero(np.diff(flat, prepend=flat[:1] - 1))
        counts = np.diff(starts, append=flat.size)
        return {
            "places": [_mostly(np.isin(values, one["numbers"])) for one in panel["legend"]],
            "runs": list(zip(counts.tolist(), flat[starts].tolist(), strict=True)),
        }

    def statistics(self, panel: Mapping[str, Any]) -> list[list[float]]:
        """Least, mean and largest value of each tile, and the share of its values above zero."""
        values = self._values(panel)
        flat = values.reshape(len(values), -1)
        told = np.stack([flat.min(axis=1), flat.mean(axis=1), flat.max(axis=1), (flat > 0).mean(axis=1)], axis=1)
        return [[float(f"{number:.4g}") for number in row] for row in told]

    def series(self, panel: Mapping[str, Any]) -> dict[str, list[float]]:
        """The finite numbers of a curve by name."""
        with Path(self._folder, panel["files"]["table"]).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
        columns = zip(panel["names"], list(zip(*rows, strict=True))[1:], strict=True)
        return {
            name: [float(f"{float(cell):.4g}") for cell in column if cell and math.isfinite(float(cell))]
            for name, column in columns
        }

    def drawn(self, file: str) -> bytes:
        """A grid, a curve or a mosaic, small enough for a page."""
        data = Path(self._folder, file).read_bytes()
        return artifacts.encoded(shrunk(artifacts.decoded(data), LONGEST), ".webp", quality=88)

    def _values(self, panel: Mapping[str, Any]) -> Floats:
        values = np.load(self._folder / panel["files"]["values"], allow_pickle=False)
        whole = panel["kind"] == "labels"
        return np.asarray(values if whole else np.nan_to_num(values, posinf=0.0, neginf=0.0))

    def _categories(self, panel: Mapping[str, Any], values: np.ndarray) -> bytes:
        legend = [labels.Entry(tuple(one["numbers"]), "", one["colour"], 0.0) for one in panel["legend"]]
        factor = max(HEAT_EDGE // max(values.shape), 1)
        size = (values.shape[0] * factor, values.shape[1] * factor)
        return artifacts.encoded(labels.coloured(Labels(values, {}), legend, size), ".png")


def _strongest(sizes: Floats) -> str:
    """The third of a map, each way, that has the most of it; empty where there is nothing."""
    if not sizes.any():
        return ""
    # Of a map of single pixels, where most of it is: one pixel is no place.
    around = colours.enlarged(sizes, (6, 6)) if min(sizes.shape) > MAP_EDGE // 16 else sizes
    row, column = np.unravel_index(int(around.argmax()), around.shape)
    rows, columns = map(_thirds, around.shape)
    return THIRDS[rows[row]][columns[column]]


def _thirds(side: int) -> np.ndarray:
    """In which third the middle of each cell of a side is."""
    return np.minimum(3 * (2 * np.arange(side) + 1) // (2 * side), 2)


def _mostly(where: np.ndarray) -> str:
    """The third, each way, of which cells take the largest part; of several, the one nearest to their middle."""
    if not where.any():
        return ""
    rows, columns = np.meshgrid(*map(_thirds, where.shape), indexing="ij")
    thirds = 3 * rows + columns
    part = np.bincount(thirds[where], minlength=9) / np.maximum(np.bincount(thirds.ravel(), minlength=9), 1)
    away = [abs(at // 3 - rows[where].mean()) + abs(at % 3 - columns[where].mean()) for at in range(part.size)]
    best = int(np.lexsort((away, -part))[0])
    return THIRDS[best // 3][best % 3]


def levels(values: Floats, panel: Mapping[str, Any]) -> Pixels:
    """Turn values into the levels of the page: 0..255 from zero to the end of the scale, 0..254 around zero at 127.

    Examples
    --------
    >>> levels(np.array([0.0, 2.0, 9.0]), {"sign": "positive", "scale": [0.0, 2.0]})
    array([  0, 255, 255], dtype=uint8)
    >>> levels(np.array([-2.0, 0.0, 1.0]), {"sign": "signed", "scale": [-2.0, 2.0]})
    array([  0, 127, 190], dtype=uint8)
    """
    zero, most = (127, 127) if panel["sign"] == "signed" else (0, 255)
    end = panel["scale"][1]
    share = values / end if end else np.zeros_like(values)
    return np.asarray(np.rint(zero + most * np.clip(share, -1 if zero else 0, 1)), np.uint8)
