"""What the ops of a network are to relevance: weights, sums, averages, gates and functions of one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xcnn.plugin import Step

WEIGHTS = {"Conv2D": (0, 1), "DepthwiseConv2dNative": (0, 1), "MatMul": (0, 1), "Conv2DBackpropInput": (2, 1)}
"""Which input of a layer's op is the data and which the weights."""
AVERAGING = {"AvgPool", "Mean", "Sum", "ResizeBilinear", "ResizeArea", "ResizeBicubic"}
SUMS = {"Add", "AddV2", "AddN", "Sub"}
FUNCTIONS = {
    "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Tanh", "Sigmoid", "Maximum", "Minimum",
    "BiasAdd", "Add", "AddV2", "Sub", "Neg", "Mul", "RealDiv", "Div", "FusedBatchNorm", "FusedBatchNormV3",
}  # fmt: skip
"""Ops that make each value of one, when they take one input from the picture."""
NORMALISATIONS = {"FusedBatchNorm", "FusedBatchNormV3"}
AFFINE = {"BiasAdd", "Add", "AddV2", "Sub", "Mul", "RealDiv", "Div"}
"""Functions with one constant beside the data."""
GATES = {"Sigmoid", "Tanh", "Erf", "Erfc", "Relu6"}
SCALING = {"Mul", "RealDiv", "Add", "AddV2", "Sub", "Neg"}
ALIKE = {"Identity", "Cast", "Reshape", "Squeeze", "ExpandDims", "Snapshot"}
POSITIVE = {"Relu", "Relu6", "Sigmoid", "Softplus"}
KEEPING = ALIKE | {
    "MaxPool",
    "AvgPool",
    "Max",
    "Mean",
    "Sum",
    "Pad",
    "SpaceToBatchND",
    "BatchToSpaceND",
    "StridedSlice",
}
"""Ops that make no negative value of positive ones."""


def weights(step: Step) -> bool:
    """Whether it is a convolution or a dense layer with its channels last."""
    if step.kind not in WEIGHTS or step.data != WEIGHTS[step.kind][:1]:
        return False
    if step.kind == "MatMul":
        return not step.op.get_attr("transpose_a")
    return bool(step.op.get_attr("data_format") == b"NHWC")


def dense(step: Step) -> bool:
    """Whether it makes a vector for each picture, even one of the shape of a map."""
    shape = step.op.outputs[0].shape
    return weights(step) and (step.kind == "MatMul" or shape[1:3].as_list() == [1, 1])


def sums(step: Step) -> bool:
    """Whether it adds values of one shape, position by position."""
    shapes = {tuple(step.op.inputs[place].shape.as_list()) for place in step.data}
    return step.kind in SUMS and len(step.data) > 1 and len(shapes) == 1 and len(step.data) == len(step.op.inputs)


def signal(step: Step) -> int | None:
    """Which input of a function of single values carries them; None for any other op."""
    op = step.op
    if step.kind == "IdentityN" and _own_gradient(op):  # Keras's swish: the result, and what it was made of
        return int(step.data[0])
    found = None
    if len(step.data) == 1 and step.kind in FUNCTIONS:
        found = None if step.kind in {"RealDiv", "Div"} and step.data[0] else step.data[0]
    elif step.kind == "Mul":
        signals = [place for place, source in zip(step.data, step.sources(), strict=True) if not _gate(source)]
        found = signals[0] if len(signals) == 1 else None
    same = found is not None and op.inputs[found].shape.as_list() == op.outputs[0].shape.as_list()
    return int(found) if found is not None and same else None


def _gate(step: Step | None) -> bool:
    """Whether a factor is a sigmoid or the like, scaled and shifted perhaps: how much to let through."""
    while step and step.kind in SCALING | ALIKE and len(step.data) == 1:
        (step,) = step.sources()
    return step is not None and step.kind in GATES


def positive(step: Step | None) -> bool:
    """Whether no value that a step returns can be below zero, as its op and those before it tell; the pixels can."""
    while step and step.kind in KEEPING:
        step = step.sources()[0]
    return step is not None and step.kind in POSITIVE


def _own_gradient(op: Any) -> bool:
    try:
        return bytes(op.get_attr("_gradient_op_type")).startswith(b"CustomGradient")
    except ValueError:
        return False
