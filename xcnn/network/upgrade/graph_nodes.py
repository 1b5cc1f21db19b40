"""Nodes of a TensorFlow graph that tf.keras 1.14 to 2.3 stored in a TensorFlowOpLayer, as operations of Keras 3."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from xcnn.network.upgrade.tf_functions import Operation, constant, ellipsis_entry, slice_entry

if TYPE_CHECKING:
    from xcnn.network.upgrade.entries import Config

UNARY = {
    **{name: name for name in ("Ceil", "Exp", "Floor", "Log", "Log1p", "Relu", "Relu6", "Rsqrt", "Sigmoid", "Sign")},
    **{name: name for name in ("Elu", "Selu", "Softplus", "Softsign", "Sqrt", "Square", "Tanh", "Softmax")},
    "Abs": "Absolute",
    "Identity": "Copy",
    "Neg": "Negative",
    "Reciprocal": "Reciprocal",
    "StopGradient": "StopGradient",
}
BINARY = {
    "Add": "Add",
    "AddV2": "Add",
    "BiasAdd": "Add",
    "Div": "TrueDivide",
    "Maximum": "Maximum",
    "Minimum": "Minimum",
    "Mul": "Multiply",
    "Pow": "Power",
    "RealDiv": "TrueDivide",
    "Sub": "Subtract",
}
REDUCTIONS = {"Max": "Max", "Mean": "Mean", "Min": "Min", "Prod": "Prod", "Sum": "Sum"}
SHAPED = {"ExpandDims": ("ExpandDims", "axis"), "Reshape": ("Reshape", "newshape"), "Transpose": ("Transpose", "axes")}
CASTS = {"DT_FLOAT": "float32", "DT_HALF": "float16", "DT_DOUBLE": "float64", "DT_INT32": "int32", "DT_UINT8": "uint8"}
MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def operation(config: Config, arguments: list[Any]) -> Operation | None:
    """Find the operation that computes what a node did; None when it is not on the list, or not stored as JSON."""
    node = config["node_def"]
    if not isinstance(node, dict):
        return None
    inputs = _inputs(arguments[0], {int(index): value for index, value in (config.get("constants") or {}).items()})
    attributes = node.get("attr") or {}
    what = node["op"]
    if what in UNARY and len(inputs) == 1:
        return UNARY[what], {"axis": -1} if what == "Softmax" else {}, inputs
    if what in BINARY and len(inputs) == 2:  # noqa: PLR2004
        first = what == "BiasAdd" and _text(attributes.get("data_format")) not in {"", "NHWC"}
        return None if first else (BINARY[what], {}, [constant(value) for value in inputs])
    return _with_constants(what, inputs, attributes)


def _with_constants(what: str, inputs: list[Any], attributes: Config) -> Operation | None:
    """A node whose last inputs are axes, shapes or indices."""
    x, *constants = inputs
    if what == "StridedSlice":
        return "GetItem", {}, [x, _key(constants, attributes)]
    if what == "ConcatV2" and isinstance(inputs[-1], int):
        return "Concatenate", {"axis": inputs[-1]}, [inputs[:-1]]
    if what == "Cast":
        return "Cast", {"dtype": CASTS[attributes["DstT"]["type"]]}, [x]
    if what in REDUCTIONS and _are_numbers(constants[0]):
        keepdims = bool((attributes.get("keep_dims") or {}).get("b", False))
        return REDUCTIONS[what], {"axis": constants[0], "keepdims": keepdims}, [x]
    if what in SHAPED and _are_numbers(constants[0]):
        kind, name = SHAPED[what]
        return kind, {name: constants[0]}, [x]
    return None


def _inputs(tensors: Any, constants: dict[int, Any]) -> list[Any]:
    """The inputs of a node: its constants at their places and the tensors at the others."""
    left = list(tensors) if isinstance(tensors, list) else [tensors]
    return [constants[place] if place in constants else left.pop(0) for place in range(len(left) + len(constants))]


def _are_numbers(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, list) and all(isinstance(number, int) for number in value))


def _text(attribute: Any) -> str:
    """The text of an attribute, which JSON holds in base 64."""
    value = attribute.get("s", "") if isinstance(attribute, dict) else ""
    return base64.b64decode(value).decode() if value else ""


def _key(bounds: list[Any], attributes: Config) -> list[Any]:
    """The index of a strided slice: bit i of a mask is about part i."""
    begin, end, strides = bounds
    masks = {name: int((attributes.get(name) or {}).get("i", 0)) for name in MASKS}

    def part(i: int) -> Any:
        set_ = {name: bool(mask >> i & 1) for name, mask in masks.items()}
        if set_["ellipsis_mask"]:
            return ellipsis_entry()
        if set_["new_axis_mask"]:
            return None
        if set_["shrink_axis_mask"]:
            return begin[i]
        first = None if set_["begin_mask"] else begin[i]
        last = None if set_["end_mask"] else end[i]
        return slice_entry(first, last, strides[i])

    return [part(i) for i in range(len(begin))]
