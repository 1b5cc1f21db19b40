"""A model's architecture as one picture: blocks as high as their maps and as thick as their channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.render.architecture_layout import (
    BAND,
    GAP,
    HEAD,
    LONGEST,
    MARGIN,
    ROOM,
    SLOT,
    TIMES,
    Block,
    Line,
    blocks_of,
    count,
    legend_of,
    lines_of,
    numbers,
    sides,
    turned,
)
from xcnn.render.architecture_steps import OTHER, Row, steps, total
from xcnn.render.sheet import Sheet, mixed, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.values import Pixels

__all__ = ["Row", "architecture"]

INK, FAINT, RULE, MARK, PAPER = "#111827", "#5a6270", "#9aa3af", "#b91c1c", "#f1f4f8"
COLOURS = {
    "convolution": "#4c78a8",
    "depthwise convolution": "#8ec1e8",
    "normalization": "#b9a7d6",
    "preprocessing": "#f2d98b",
    "pooling": "#e0694f",
    "attention": "#c2589c",
    "activation": "#f5a64a",
    "dense": "#3f9b6b",
    "training only": "#d9d9d9",
    "merge": "#2f3e4e",
    "shape": "#a8b0ba",
    OTHER: "#c9b79c",
}


def architecture(
    rows: Sequence[Row],
    *,
    title: str,
    default: str = "",
    input_shape: tuple[int | None, ...] | None = None,
) -> Pixels:
    """Draw the architecture of a model.

    Parameters
    ----------
    rows : sequence of Row
        The calls of all layers in execution order.
    title : str
        The name of the model.
    default : str, optional
        The path of the layer to mark as the one that is explained by default.
    input_shape : tuple of int, optional
        Height, width and channels of the input.

    Returns
    -------
    (h, w, 3) uint8 ndarray
    """
    found = steps(rows, default)
    upright = len(found) > 10  # noqa: PLR2004 (as many names as fit side by side)
    lines = lines_of(blocks_of(found, input_shape, upright=upright), upright=upright)
    # A model of a few layers needs no wide sheet.
    width = max([6.5, *(line.blocks[-1][0] + line.blocks[-1][1].room + MARGIN for line in lines if line.blocks)])
    legend = legend_of(found, width)
    sheet = Sheet(width, 2 * MARGIN + HEAD + sum(line.height for line in lines) + legend[-1][1] + 0.14)
    sheet.write(MARGIN, MARGIN + 0.1, within(title, width - 2 * MARGIN, 13, bold=True), size=13, bold=True)
    sheet.write(MARGIN, MARGIN + 0.36, _summary(rows, input_shape), size=8.5, colour=FAINT)
    top = MARGIN + HEAD
    for line in lines:
        _draw_line(sheet, line, top, default, upright=upright)
        top += line.height
    for x, y, name in legend:
        sheet.shape(_box(x, top + y, x + 0.14, top + y + 0.14), COLOURS[name], COLOURS[name], 0.1)
        sheet.write(x + 0.2, top + y + 0.07, name, size=8)
    return sheet.pixels()


def _summary(rows: Sequence[Row], input_shape: tuple[int | None, ...] | None) -> str:
    leaves = [row for row in rows if row.leaf]
    once = {row.path.rpartition("[")[0] or row.path: row.parameters for row in leaves}
    words = [f"{len(leaves)} layers" if len(leaves) != 1 else "1 layer"]
    parameters = total(list(once.values()))
    if parameters is not None:
        words.append(f"{count(parameters)} parameters")
    if input_shape:
        words.insert(0, f"input {sides(input_shape)}")
    return "  ·  ".join(words)


def _draw_line(sheet: Sheet, line: Line, top: float, default: str, *, upright: bool) -> None:
    deep = max((len(block.step.group) for _, block in line.blocks), default=0)
    middle = top + line.above + line.tall / 2
    foot = top + line.above + line.tall
    for level in range(deep):
        _groups(sheet, line, level, top + 0.04 + BAND * level, foot + line.below - 0.14 - 0.03 * level)
    marked = any(block.step.default for _, block in line.blocks)
    _repeats(sheet, line, top + 0.04 + BAND * (deep + marked), foot + 0.04)
    ends = [(x, x + block.room) for x, block in line.blocks]
    if ends:
        sheet.rule(ends[0][0], ends[-1][1] - GAP, middle, RULE)
    for x, block in line.blocks:
        left = x if upright else x + (block.room - block.thick - block.depth) / 2
        _cuboid(sheet, block, left, middle)
        _words(sheet, block, x, foot + 0.1, upright=upright)
        if block.step.default:
            _mark(sheet, block, left, middle, top + 0.1 + BAND * deep, default)


def _cuboid(sheet: Sheet, block: Block, x: float, middle: float) -> None:
    """Draw a block around the middle line: faces, and top and right side when it has maps."""
    depth, low = block.depth, middle + (block.height + block.depth) / 2
    high = low - block.height
    left = x
    for number, (part, name) in enumerate(zip(block.parts, block.step.families, strict=False)):
        colour = COLOURS[name]
        right = x + part
        sheet.shape(_box(x, high, right, low), colour, "white", 0.5)
        if depth:
            top = [(x, high), (right, high), (right + depth, high - depth), (x + depth, high - depth)]
            sheet.shape(top, mixed(colour, "#ffffff", 0.35), "white", 0.5)
            if number == len(block.parts) - 1:
                side = [(right, low), (right, high), (right + depth, high - depth), (right + depth, low - depth)]
                sheet.shape(side, mixed(colour, "#000000", 0.2), "white", 0.5)
        x = right
    if block.step.default:
        back = [(x + depth, low - depth), (x + depth, high - depth), (left + depth, high - depth)]
        sheet.shape([(left, low), (x, low), *back, (left, high)], "none", MARK, 1.5)


def _words(sheet: Sheet, block: Block, x: float, top: float, *, upright: bool) -> None:
    step = block.step
    shape, parameters = numbers(step)
    colour = MARK if step.default else INK
    if not upright:
        middle = x + block.room / 2
        name = within(step.name, SLOT - 0.08, 8, bold=step.default)
        sheet.write(middle, top + 0.06, name, size=8, bold=step.default, colour=colour, align="center")
        sheet.write(middle, top + 0.22, shape, size=7.5, colour=FAINT, align="center")
        sheet.write(middle, top + 0.37, parameters, size=7.5, colour=FAINT, align="center")
        return
    middle = x + max(block.thick + block.depth, ROOM - GAP) / 2
    name = within(step.name, LONGEST, 7, bold=step.default)
    sheet.write(middle + 0.065, top, name, size=7, bold=step.default, colour=colour, turned=True)
    sheet.write(middle - 0.065, top, turned(shape, parameters), size=6.5, colour=FAINT, turned=True)


def _runs(keys: Sequence[Any]) -> list[tuple[int, int]]:
    """First and last index of each run of equal keys that are not None."""
    runs: list[tuple[int, int]] = []
    for at, key in enumerate(keys):
        if key is not None and runs and runs[-1][1] == at - 1 and keys[at - 1] == key:
            runs[-1] = (runs[-1][0], at)
        elif key is not None:
            runs.append((at, at))
    return runs


def _groups(sheet: Sheet, line: Line, level: int, top: float, bottom: float) -> None:
    keys = [block.step.group[: level + 1] if len(block.step.group) > level else None for _, block in line.blocks]
    for first, last in _runs(keys):
        (start, _), (x, block) = line.blocks[first], line.blocks[last]
        inset = min(0.02 * level, 0.06)
        left, right = start - 0.07 + inset, x + block.room - block.apart - 0.01 - inset
        sheet.frame(left, top, right, bottom, fill=PAPER if level % 2 == 0 else "#e4e9f0")
        group = keys[first]
        name = group[level] if group else ""
        sheet.write(left + 0.06, top + 0.1, within(name, right - left - 0.12, 7.5, bold=True), size=7.5, bold=True)


def _repeats(sheet: Sheet, line: Line, top: float, bottom: float) -> None:
    start: int | None = None
    for at, (x, block) in enumerate(line.blocks):
        repeat = block.step.repeat
        if repeat is None:
            start = None
            continue
        start = at if start is None or repeat[1] else start
        if repeat[2] or at == len(line.blocks) - 1:
            left, right = line.blocks[start][0] - 0.05, x + block.room - block.apart - 0.05
            sheet.frame(left, top, right, bottom, edge=FAINT)
            sheet.write((left + right) / 2, top + 0.1, f"{TIMES} {repeat[0]}", size=8, bold=True, align="center")
            start = None


def _mark(sheet: Sheet, block: Block, x: float, middle: float, y: float, default: str) -> None:
    """Write the default layer in the band above the blocks, with an arrow down to its own."""
    centre = x + (block.thick + block.depth) / 2
    tip = middle - (block.height + block.depth) / 2 - 0.03
    sheet.shape([(centre, y), (centre, tip - 0.05)], MARK, MARK, 1.0)
    sheet.shape([(centre, tip), (centre - 0.045, tip - 0.09), (centre + 0.045, tip - 0.09)], MARK, MARK, 0.1)
    on_left = centre > sheet.width / 2
    room = (centre if on_left else sheet.width - centre) - MARGIN
    words = within(f"default layer: {default}", room, 7.5, bold=True)
    if on_left:
        sheet.write(centre - 0.06, y + 0.02, words, size=7.5, bold=True, colour=MARK, align="right")
    else:
        sheet.write(centre + 0.06, y + 0.02, words, size=7.5, bold=True, colour=MARK)


def _box(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, bottom), (right, bottom), (right, top), (left, top)]
