"""Tensors of a trace that do not depend on its input: constants, captured values, and what is computed from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "RealDiv": np.divide,
    "Div": np.divide,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Pow": np.power,
    "Less": np.less,
    "SelectV2": np.where,
    "Neg": np.negative,
    "Sqrt": np.sqrt,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Square": np.square,
    "Reciprocal": np.reciprocal,
    "Exp": np.exp,
    "Log": np.log,
    "Reshape": lambda value, shape: np.reshape(value, np.asarray(shape, np.int64)),
    "ExpandDims": lambda value, axis: np.expand_dims(value, int(axis)),
    "Transpose": lambda value, axes: np.transpose(value, np.asarray(axes, np.int64)),
    "BroadcastTo": lambda value, shape: np.broadcast_to(value, np.asarray(shape, np.int64)),
    "Identity": lambda value: value,
    "StopGradient": lambda value: value,
    "Snapshot": lambda value: value,
    "Squeeze": np.squeeze,
    "Cast": lambda value: value,
}
"""What stands between a layer's numbers and its arithmetic, such as the square root of a variance."""


class Constants:
    """The constant tensors of a graph, each read once."""

    def __init__(self, graph: Any) -> None:
        self._captured = {inner.name: outer for outer, inner in graph.captures}
        self._known: dict[str, Any] = {}

    def value(self, tensor: Any) -> Any | None:
        """The value of a tensor; None when it depends on the input, or on a variable: it may have been learned."""
        if tensor.name not in self._known:
            self._known[tensor.name] = self._found(tensor)
        return self._known[tensor.name]

    def _found(self, tensor: Any) -> Any | None:
        import tensorflow as tf

        static = tf.get_static_value(tensor)
        if static is not None:
            return np.asarray(static)
        op = tensor.op
        if tensor.name in self._captured:
            outer = self._captured[tensor.name]
            return outer.numpy() if hasattr(outer, "numpy") and tensor.dtype.is_floating else None
        if op.type == "StridedSlice":
            return _side(op)
        if op.type not in FUNCTIONS:
            return None
        values = [self.value(part) for part in op.inputs]
        if any(value is None for value in values):
            return None
        # In double precision: half precision rounds 255 to a step of 0.125.
        exact = [np.asarray(value, np.float64) for value in values]
        with np.errstate(all="ignore"):
            return FUNCTIONS[op.type](*exact)


def _side(op: Any) -> Any | None:
    """One side of the shape of a tensor, as ``tf.shape(x)[-1]`` asks for it; None for any other slice."""
    import tensorflow as tf

    shape, begin = op.inputs[0].op, tf.get_static_value(op.inputs[1])
    if shape.type != "Shape" or begin is None or op.get_attr("shrink_axis_mask") != 1:
        return None
    sides = shape.inputs[0].shape
    side = sides[int(begin[0])] if sides.rank else None
    return None if side is None else np.asarray(side)
