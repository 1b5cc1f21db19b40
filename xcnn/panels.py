"""What explainers return: panels of numbers, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from xcnn.values import Floats

Sign = Literal["positive", "signed"]
"""Whether values below zero can occur."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each position of the picture (or of a layer) counts.

    ``values`` is (h, w) float32 and **not normalised**: maps of one network compare. ``sign`` is "positive" when values
    below zero can't occur. ``residual`` is the error of the method's own axiom, where it has one. ``fine`` tells that
    each value belongs to one pixel: such a map is shown alone, a map of regions lies over the picture. ``flat`` tells
    that regions have one value each (superpixels): values are repeated, never interpolated, and borders stay sharp.
    Where a value is below ``threshold`` times the largest, the bare picture is shown. ``state`` holds the named numbers
    that a later run can go on from, sums and counts say; `Batch.earlier` gives them back. ``title`` is what this map is
    when a result has several kinds: it stands on its picture, in the report and in the names of its files.
    """

    values: Floats
    sign: Sign
    unit: str
    layer: str = ""
    residual: float | None = None
    notes: tuple[str, ...] = ()
    fine: bool = False
    threshold: float = 0.0
    flat: bool = False
    state: Mapping[str, np.ndarray] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True, eq=False)
class Tiles:
    """Many small maps or pictures: the channels of a layer, say.

    ``values`` is (k, h, w) or (k, h, w, 3) float32, not normalised. ``scale`` says how they become colours:

    - "each": every tile on a scale of its own, 0..max, or -m..m when ``sign`` is "signed";
    - "shared": all tiles on one such scale, so that they compare;
    - "standard": every tile less its mean, divided by its standard deviation, times ``deviation``, around the middle
      of the palette (the classic look: ``deviation`` 0.25 for feature maps, 0.1 for filter patterns);
    - "picture": (k, h, w, 3) with values 0..1, shown as they are.

    Tiles of three channels become RGB, others are coloured by the palette.
    """

    values: Floats
    captions: tuple[str, ...]
    """One per tile."""
    sign: Sign
    unit: str
    scale: Literal["each", "shared", "standard", "picture"] = "each"
    deviation: float = 0.25
    layer: str = ""
    title: str = ""
    """What these tiles are, when a result has several kinds."""
    columns: int = 0
    """How many stand side by side; 0 makes the grid nearly square."""
    margin: int = 2
    """Pixels between tiles."""
    marks: tuple[str, ...] = ()
    """A remark on each tile ("dead", say), "" for none; empty when there are none at all."""
    overlaid: bool = False
    """Whether each tile lies over the picture that is explained."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Labels:
    """A map of categories: ``values`` is (h, w) int, ``names`` tells what each number that occurs means."""

    values: NDArray[np.int32]
    names: Mapping[int, str]
    title: str = ""
    layer: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows of plain text and numbers under headings."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]
    layer: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Curve:
    """Named series over steps: each (n,) float32, with the steps as its positions."""

    title: str
    series: Mapping[str, Floats]
    x: str
    """What the steps are."""
    y: str
    """What the values are."""
    layer: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Section:
    """A part of the report that a plugin adds: plain text, its paragraphs apart by an empty line, and panels."""

    title: str
    text: str = ""
    panels: tuple[Panel, ...] = ()


Panel = Attribution | Tiles | Labels | Table | Curve
"""What explainers return."""
