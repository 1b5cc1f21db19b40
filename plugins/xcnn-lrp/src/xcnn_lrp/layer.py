"""A layer as relevance sees it: the op with the weights, and the bias and normalisation behind it as part of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from xcnn_lrp import ops

if TYPE_CHECKING:
    from xcnn.plugin import Step

RECTIFIERS = {"Relu", "Relu6"}


class Layer:
    """An op that is linear in its data, as ``z = scale * (x w) + offset`` with one scale and offset per channel.

    A bias, and a batch normalisation at work, make each value of one: behind an op with weights they are part of what
    it computes, as if they had been multiplied into the weights. Each tensor is made once, whatever the targets.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        places: tuple[int, int | None] = ops.WEIGHTS.get(step.kind, (step.data[0], None))
        self._place, self._weights_at = places

    @cached_property
    def data(self) -> Any:
        """What comes in."""
        return float32(self._step.op.inputs[self._place])

    @property
    def positive(self) -> bool:
        """Whether nothing that comes in is below zero."""
        return ops.positive(self._step.sources()[0])

    @cached_property
    def weights(self) -> Any:
        """The weights as the op has them; None for a mean."""
        return None if self._weights_at is None else float32(self._step.op.inputs[self._weights_at])

    @cached_property
    def scaled(self) -> Any:
        """The weights times the scale of their output's channel."""
        if self.weights is None or self._affine[1] is None:
            return self.weights
        import tensorflow as tf

        scale, kind = self._affine[1], self._step.kind
        if kind == "DepthwiseConv2dNative":
            return self.weights * tf.reshape(scale, self.weights.shape[2:])
        across = kind == "Conv2DBackpropInput" or (kind == "MatMul" and self._step.op.get_attr("transpose_b"))
        return self.weights * (scale[:, tf.newaxis] if across else scale)

    @cached_property
    def halves(self) -> tuple[Any, Any]:
        """The positive part of the scaled weights, and the negative one; None for a mean."""
        if self.scaled is None:
            return None, None
        import tensorflow as tf

        return tf.maximum(self.scaled, 0.0), tf.minimum(self.scaled, 0.0)

    @cached_property
    def total(self) -> Any:
        """What the layer returned, (n, ..., channels)."""
        returned = float32(self._step.op.outputs[0])
        _, scale, offset = self._affine
        scaled = returned if scale is None else returned * scale
        return scaled if offset is None else scaled + offset

    @property
    def offset(self) -> Any:
        """What does not come from the data, per channel, or zero."""
        return 0.0 if self._affine[2] is None else self._affine[2]

    @property
    def rectified(self) -> bool:
        """Whether a ReLU, and nothing else, takes what it returns."""
        users = self._affine[0].users
        return len(users) == 1 and users[0].kind in RECTIFIERS

    @cached_property
    def _affine(self) -> tuple[Step, Any, Any]:
        """The last step that is part of the layer, the scale and the offset; None for one and zero."""
        last, scale, offset = self._step, None, None
        if self.weights is None:
            return last, scale, offset
        channels = self._step.op.outputs[0].shape[-1]
        while len(last.users) == 1:
            found = _factors(last.users[0], channels)
            if found is None:
                break
            last, (times, plus) = last.users[0], found
            if times is not None:
                scale = times if scale is None else scale * times
                offset = None if offset is None else offset * times
            if plus is not None:
                offset = plus if offset is None else offset + plus
        return last, scale, offset

    def forward(self, data: Any, weights: Any) -> Any:
        """Run the op on other data with other weights."""
        return self._again(data, weights)

    def back(self, quotient: Any, weights: Any) -> Any:
        """Hand what arrives down by the weights, as the gradient of `forward` does."""
        import tensorflow as tf

        data = tf.stop_gradient(self.data)  # nothing but the op made below takes it
        return tf.gradients(self._again(data, weights), data, grad_ys=quotient)[0]

    def cast(self, tensor: Any) -> Any:
        """Give what is handed down the type of what came in."""
        import tensorflow as tf

        return tf.cast(tensor, self._step.op.inputs[self._place].dtype)

    def _again(self, data: Any, weights: Any) -> Any:
        import tensorflow as tf

        op = self._step.op
        inputs = list(op.inputs)
        inputs[self._place] = data
        if self._weights_at is not None:
            inputs[self._weights_at] = weights
        attributes = dict(op.node_def.attr)
        attributes["T"] = tf.compat.v1.AttrValue(type=data.dtype.as_datatype_enum)
        return op.graph.create_op(op.type, inputs, [data.dtype], attrs=attributes, op_def=op.op_def).outputs[0]


def float32(tensor: Any) -> Any:
    """Cast a tensor to single precision."""
    import tensorflow as tf

    return tf.cast(tensor, tf.float32)


def _factors(step: Step, channels: int) -> tuple[Any, Any] | None:
    """The factor and summand per channel of a step that is part of the layer before it; None for any other step."""
    op = step.op
    if len(step.data) != 1 or op.outputs[0].shape[-1] != channels:
        return None
    if step.kind in ops.ALIKE | {"BatchToSpaceND"}:
        return None, None
    if step.kind in ops.NORMALISATIONS and not op.get_attr("is_training"):
        gamma, beta, mean, variance = map(float32, list(op.inputs)[1:])
        times = gamma * (variance + op.get_attr("epsilon")) ** -0.5
        return times, beta - mean * times
    if step.kind in ops.AFFINE and len(op.inputs) == 2:  # noqa: PLR2004 (the data and a constant)
        return _with_constant(step, _per_channel(op.inputs[1 - step.data[0]], channels))
    return None


def _with_constant(step: Step, constant: Any) -> tuple[Any, Any] | None:
    second = bool(step.data[0])
    if constant is None or (second and step.kind in {"RealDiv", "Div"}):
        return None
    if step.kind == "Mul":
        return constant, None
    if step.kind in {"RealDiv", "Div"}:
        return 1.0 / constant, None
    if step.kind == "Sub":
        return (-1.0, constant) if second else (None, -constant)
    return None, constant


def _per_channel(tensor: Any, channels: int) -> Any:
    """A constant as one number for each channel; None when it has more."""
    import tensorflow as tf

    sides = tensor.shape.as_list() if tensor.shape.rank is not None else [None]
    if any(side != 1 for side in sides[:-1]) or (sides and sides[-1] not in {1, channels}):
        return None
    return tf.broadcast_to(tf.reshape(float32(tensor), [-1]), [channels])
