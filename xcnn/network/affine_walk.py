"""The way back from a tensor to the input, as long as each op leaves one scale and offset per channel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.network.affine_ops import SHAPES, NotAffineError, Value, per_channel
from xcnn.network.constants import Constants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Ops that leave each value what it is, or mix it only with its neighbours of the same channel by weights that sum to
# one. Padding with zeros changes the margin alone.
PASS = {
    "Identity", "StopGradient", "PreventGradient", "Snapshot", "EnsureShape", "CheckNumerics", "Pad", "PadV2",
    "MirrorPad", "ResizeBilinear", "ResizeNearestNeighbor", "ResizeArea", "ResizeBicubic", "ScaleAndTranslate",
    "AvgPool",
}  # fmt: skip
PLUS = {"Add", "AddV2", "BiasAdd"}
OVER = {"RealDiv", "Div", "DivNoNan"}
ARITHMETIC = PLUS | OVER | {"Sub", "Mul", "Neg"}
JOINS = {"ConcatV2", "Pack"}


class Walk:
    """The way from a tensor back to the input.

    Parameters
    ----------
    source : tf.Tensor
        The input.
    learned : mapping of str to tf.Tensor
        What stands before the layers that are passed over, by the name of their last op.
    """

    def __init__(self, source: Any, learned: Mapping[str, Any]) -> None:
        self._source = source
        self._learned = learned
        self._constants = Constants(source.graph)
        self._known: dict[str, Value] = {}

    def back(self, tensor: Any) -> Value:
        """What the input is at `tensor`.

        Raises
        ------
        NotAffineError
            If it is no scale and offset of the input's channels.
        """
        # An explicit stack: there may be any number of ops before the first convolution.
        stack, opened = [tensor], set()
        while stack:
            top = stack[-1]
            waiting = [part for part in self._data(top) if part.name not in self._known]
            if waiting:
                if top.name in opened:  # a loop
                    raise NotAffineError
                opened.add(top.name)
                stack.extend(waiting)
                continue
            self._known[stack.pop().name] = self._value(top)
        return self._known[tensor.name]

    def _data(self, tensor: Any) -> list[Any]:
        """The tensors that carry the input to this one."""
        op = tensor.op
        if tensor is self._source or tensor.name in self._known:
            return []
        if op.name in self._learned:
            return [self._learned[op.name]]
        if op.type == "Split":
            return [op.inputs[1]]
        if op.type in PASS or op.type in SHAPES or op.type == "Cast":
            return [op.inputs[0]]
        if op.type in ARITHMETIC or op.type in JOINS:
            return [part for part in op.inputs if self._constants.value(part) is None]
        raise NotAffineError

    def _value(self, tensor: Any) -> Value:
        if tensor is self._source:
            count, rank = tensor.shape[-1], tensor.shape.rank
            return Value(np.arange(count), np.ones(count), np.zeros(count), rank - 1, rank)
        op = tensor.op
        data = [self._known[part.name] for part in self._data(tensor)]
        if op.name in self._learned:
            return data[0]
        if op.type in JOINS:
            value = self._joined(op, data, tensor.shape.rank)
        elif len(data) != 1:
            raise NotAffineError
        elif op.type in SHAPES:
            value = SHAPES[op.type](tensor, data[0], [self._constants.value(part) for part in op.inputs])
        elif op.type in ARITHMETIC:
            value = self._arithmetic(op, data[0])
        elif op.type != "Cast" or tensor.dtype.is_floating:
            value = data[0]
        else:
            raise NotAffineError
        return _fitting(value, tensor)

    def _arithmetic(self, op: Any, value: Value) -> Value:
        if op.type == "Neg":
            return value.times(-1.0)
        held = [self._constants.value(part) for part in op.inputs]
        first = held[0] is None
        other = self._bias(op, value, held[1]) if op.type == "BiasAdd" else per_channel(held[int(first)], value)
        if op.type in PLUS:
            return value.plus(other)
        if op.type == "Sub":
            return value.plus(-other) if first else value.times(-1.0).plus(other)
        if op.type == "Mul":
            return value.times(other)
        if first and np.all(other):
            return value.times(1.0 / other)
        raise NotAffineError

    def _bias(self, op: Any, value: Value, bias: Any) -> Any:
        axis = 1 if op.get_attr("data_format") == b"NCHW" else value.rank - 1
        if value.axis != axis:
            raise NotAffineError
        return np.asarray(bias, np.float64)

    def _joined(self, op: Any, values: Sequence[Value], rank: int) -> Value:
        """Channels that were parted and are put together again, in whatever order."""
        stacked = op.type == "Pack"
        held = op.get_attr("axis") if stacked else self._constants.value(op.inputs[-1])
        if held is None or not rank:
            raise NotAffineError
        axis = int(held) % rank
        # As many as the op joins: none of them is a constant.
        whole = len(values) == len(op.inputs) - (not stacked)
        if not whole or any(value.axis != (None if stacked else axis) for value in values):
            raise NotAffineError
        channels, scale, offset = (
            np.concatenate([np.atleast_1d(getattr(value, name)) for value in values])
            for name in ("channels", "scale", "offset")
        )
        return Value(channels, scale, offset, axis, rank)


def _fitting(value: Value, tensor: Any) -> Value:
    """The value with the rank of its tensor; refused when an axis of channels does not fit."""
    rank = tensor.shape.rank
    if rank is None or (value.axis is not None and tensor.shape[value.axis] != len(value.channels)):
        raise NotAffineError
    if not (np.isfinite(value.scale).all() and np.isfinite(value.offset).all()):
        raise NotAffineError
    return replace(value, rank=rank)
