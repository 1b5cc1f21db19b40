"""Where the blocks of an architecture stand: their sizes, the lines they are wrapped into, what is written below."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from xcnn.render.architecture_steps import FAMILIES, OTHER
from xcnn.render.sheet import length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.render.architecture_steps import Step

WIDTH = 12.0
"""Inches; a picture is as high as it must be."""
MARGIN = 0.35
TALLEST = 1.15
SHORTEST = 0.12
DEPTH = 0.16
"""How far a block reaches back, as a share of its height."""
THICKEST = 0.42
THINNEST = 0.06
SLICE = 0.055
VECTOR = 0.09
GAP = 0.1
LONGEST = 1.5
"""The longest name that is turned."""
SLOT = 1.15
"""The room of a block with its name below it."""
TIMES = "\N{MULTIPLICATION SIGN}"
ROOM = 0.33
"""The least room of a block: two lines of text that run downwards."""
HEAD = 0.6
APART = 0.12
"""Between the blocks of two groups."""
BAND = 0.2
"""The height of the name of a group of blocks."""


@dataclass(frozen=True)
class Block:
    """A step with its size in inches; ``parts`` are the thickness of its own and of each slice behind it.

    ``room`` is the width of its place, with what is left free before the next group, ``apart``.
    """

    step: Step
    height: float
    depth: float
    parts: tuple[float, ...]
    room: float
    apart: float = 0.0

    @property
    def thick(self) -> float:
        """The block with its slices."""
        return sum(self.parts)


@dataclass(frozen=True)
class Line:
    """Blocks side by side, each with its left end; the room above them, below them and of the tallest."""

    blocks: tuple[tuple[float, Block], ...]
    above: float
    below: float
    tall: float

    @property
    def height(self) -> float:
        """The whole line."""
        return self.above + self.tall + self.below


def blocks_of(found: Sequence[Step], input_shape: tuple[int | None, ...] | None, *, upright: bool) -> list[Block]:
    """Give each step its size; ``upright`` when the words below stand side by side, turned."""
    maps = [step.shape for step in found if len(step.shape) == 3] + ([input_shape] if input_shape else [])  # noqa: PLR2004
    largest = max((side for shape in maps for side in shape[:2] if side), default=1)
    channels = max((step.shape[-1] or 1 for step in found if step.shape), default=1)
    before = (input_shape or (largest,))[0] or largest
    blocks = []
    for step, following in zip_longest(found, found[1:]):
        flat = len(step.shape) != 3  # noqa: PLR2004 (h, w, c)
        share = math.log2(1 + (step.shape[-1] or 1)) / math.log2(1 + channels) if step.shape else 0.0
        if flat:
            height, depth, thick = SHORTEST + 0.75 * TALLEST * share, 0.0, VECTOR
        else:
            before = step.shape[0] or before
            high, wide = ((side or before) / largest for side in step.shape[:2])
            height = SHORTEST + (TALLEST - SHORTEST) * math.sqrt(high)
            depth = DEPTH * (SHORTEST + (TALLEST - SHORTEST) * math.sqrt(wide))
            thick = THINNEST + (THICKEST - THINNEST) * share**2
        parts = (thick, *(SLICE for _ in step.families[1:5]))
        apart = APART if following is not None and following.group != step.group else 0.0
        room = max(sum(parts) + depth + GAP, ROOM if upright else SLOT) + apart
        blocks.append(Block(step, height, depth, parts, room, apart))
    return blocks


def lines_of(blocks: Sequence[Block], *, upright: bool) -> list[Line]:
    """Wrap the blocks, as evenly as they allow."""
    whole = sum(block.room for block in blocks)
    count = max(1, math.ceil(whole / (WIDTH - 2 * MARGIN)))
    wanted = whole / count
    split: list[list[tuple[float, Block]]] = [[]]
    x = MARGIN
    for block in blocks:
        if split[-1] and (x + block.room > WIDTH - MARGIN + 0.01 or x - MARGIN >= wanted):
            split.append([])
            x = MARGIN
        split[-1].append((x, block))
        x += block.room
    lines = []
    for line in split:
        deep = max((len(block.step.group) for _, block in line), default=0)
        marked = any(block.step.default for _, block in line)
        repeated = any(block.step.repeat for _, block in line)
        tall = max((block.height + block.depth for _, block in line), default=SHORTEST)
        lines.append(
            Line(
                tuple(line),
                0.12 + BAND * (deep + marked + repeated),
                _below([block for _, block in line], upright=upright),
                tall,
            )
        )
    return lines


def numbers(step: Step) -> tuple[str, str]:
    """The shape and the parameters of a block."""
    shape = sides(step.shape) if step.shape else "no tensor"
    if step.until and step.until != step.shape:
        shape += f"…{step.until[-1]}"
    return shape, f"{count(step.parameters)} par." if step.parameters else ""


def turned(shape: str, parameters: str) -> str:
    """The numbers of a block on one line."""
    return f"{shape}  ·  {parameters}" if parameters else shape


def _below(blocks: Sequence[Block], *, upright: bool) -> float:
    """The room of the words below the blocks of a line."""
    if not upright:
        return 0.75
    names = [min(LONGEST, length(block.step.name[:200], 7, bold=block.step.default)) for block in blocks]
    below = [length(turned(*numbers(block.step)), 6.5) for block in blocks]
    return 0.3 + max([0.0, *names, *below])


def legend_of(found: Sequence[Step], width: float) -> list[tuple[float, float, str]]:
    """Where the colour of each family that occurs is named, from the end of the last line down."""
    used = {name for step in found for name in step.families}
    x, y = MARGIN, 0.1
    places = []
    for name in (*FAMILIES, OTHER):
        if name in used:
            room = 0.45 + length(name, 8)
            if x + room > width and x > MARGIN:
                x, y = MARGIN, y + 0.22
            places.append((x, y, name))
            x += room
    return places or [(MARGIN, y, OTHER)]


def sides(shape: Sequence[int | None]) -> str:
    """A shape in words."""
    return TIMES.join("?" if side is None else str(side) for side in shape)


def count(number: int) -> str:
    """A number of parameters in three digits.

    Examples
    --------
    >>> count(950), count(9472), count(25_636_712), count(999_999)
    ('950', '9.47 k', '25.6 M', '1 M')
    """
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if float(f"{number:.3g}") >= size:
            return f"{float(f'{number:.3g}') / size:.3g}{unit}"
    return str(number)
