"""Tensors as one scale and offset per channel, and what the ops that move axes make of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class NotAffineError(Exception):
    """The tensor depends on the input in another way."""


@dataclass(frozen=True)
class Value:
    """A tensor on the way: the input's channel, scale and offset of each entry along `axis`.

    ``axis`` is None when the tensor is one channel, without an axis for it.
    """

    channels: Any
    scale: Any
    offset: Any
    axis: int | None
    rank: int

    def times(self, factor: Any) -> Value:
        """Multiply."""
        return replace(self, scale=self.scale * factor, offset=self.offset * factor)

    def plus(self, summand: Any) -> Value:
        """Add."""
        return replace(self, offset=self.offset + summand)

    def chosen(self, which: Any, axis: int | None) -> Value:
        """Some channels, in another order or alone."""
        return replace(
            self, channels=self.channels[which], scale=self.scale[which], offset=self.offset[which], axis=axis
        )


def per_channel(number: Any, value: Value) -> Any:
    """A constant operand as one number for each channel.

    Raises
    ------
    NotAffineError
        If it is not the same at all positions.
    """
    number = np.asarray(number, np.float64)
    if number.ndim > value.rank or not number.size:
        raise NotAffineError
    if value.axis is None:
        shaped = number.reshape(-1, 1)
    else:
        full = number.reshape((1,) * (value.rank - number.ndim) + number.shape)
        moved = np.moveaxis(full, value.axis, -1)
        shaped = moved.reshape(-1, moved.shape[-1])
    if not (shaped == shaped[:1]).all() or shaped.shape[1] not in {1, value.channels.size}:
        raise NotAffineError
    return shaped[0, 0] if value.axis is None else np.broadcast_to(shaped[0], value.channels.shape)


def _strided_slice(tensor: Any, value: Value, held: Sequence[Any]) -> Value:
    _, begin, end, strides = held
    if begin is None or end is None or strides is None:
        raise NotAffineError
    bits = {
        name: tensor.op.get_attr(f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    given = [{name for name, mask in bits.items() if mask >> at & 1} for at in range(len(begin))]
    real = sum(not marks & {"ellipsis", "new_axis"} for marks in given)
    source = target = 0
    result = value
    for at, marks in enumerate(given):
        if "ellipsis" in marks:
            skipped = value.rank - real
            if value.axis is not None and source <= value.axis < source + skipped:
                result = replace(result, axis=target + value.axis - source)
            source, target = source + skipped, target + skipped
        elif "new_axis" in marks:
            target += 1
        else:
            if source == value.axis and "shrink_axis" in marks:
                result = value.chosen(int(begin[at]), None)
            elif source == value.axis:
                start = None if "begin" in marks else int(begin[at])
                stop = None if "end" in marks else int(end[at])
                result = value.chosen(slice(start, stop, int(strides[at])), target)
            source, target = source + 1, target + ("shrink_axis" not in marks)
    if value.axis is not None and value.axis >= source:  # axes that were not spelled out
        result = replace(result, axis=target + value.axis - source)
    return result


def _gather(tensor: Any, value: Value, held: Sequence[Any]) -> Value:
    which, axis = held[1], held[2]
    if which is None or axis is None or value.axis is None or tensor.op.get_attr("batch_dims"):
        raise NotAffineError
    if int(axis) % value.rank != value.axis:
        if np.ndim(which) != 1:
            raise NotAffineError
        return value
    if np.ndim(which) > 1:
        raise NotAffineError
    return value.chosen(np.asarray(which, np.int64), value.axis if np.ndim(which) else None)


def _reverse(_: Any, value: Value, held: Sequence[Any]) -> Value:
    if held[1] is None:
        raise NotAffineError
    flips = value.axis in {int(axis) % value.rank for axis in held[1]}
    return value.chosen(slice(None, None, -1), value.axis) if flips else value


def _split(tensor: Any, value: Value, held: Sequence[Any]) -> Value:
    number = tensor.value_index
    axis = held[0] if tensor.op.type == "Split" else held[2]
    if axis is None or value.axis is None:
        raise NotAffineError
    if int(axis) % value.rank != value.axis:
        return value
    sizes = [output.shape[value.axis] for output in tensor.op.outputs]
    start = sum(sizes[:number])
    return value.chosen(slice(start, start + sizes[number]), value.axis)


def _unstack(tensor: Any, value: Value, _: Sequence[Any]) -> Value:
    if value.axis is None or tensor.op.get_attr("axis") % value.rank != value.axis:
        raise NotAffineError
    return value.chosen(tensor.value_index, None)


def _transpose(_: Any, value: Value, held: Sequence[Any]) -> Value:
    if held[1] is None or value.axis is None:
        raise NotAffineError
    return replace(value, axis=[int(axis) for axis in held[1]].index(value.axis))


def _reshape(tensor: Any, value: Value, _: Sequence[Any]) -> Value:
    rank = tensor.shape.rank
    if value.axis != value.rank - 1 or not rank or tensor.shape[-1] != len(value.channels):
        raise NotAffineError
    return replace(value, axis=rank - 1)


SHAPES: Mapping[str, Callable[[Any, Value, Sequence[Any]], Value]] = {
    "StridedSlice": _strided_slice,
    "GatherV2": _gather,
    "ReverseV2": _reverse,
    "Split": _split,
    "SplitV": _split,
    "Unpack": _unstack,
    "Transpose": _transpose,
    "Reshape": _reshape,
    "Squeeze": _reshape,
    "ExpandDims": _reshape,
}
"""What the ops do that move, choose or rename axes."""
