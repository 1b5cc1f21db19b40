"""TensorFlow functions that tf.keras recorded by name, as operations of Keras 3."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from xcnn.network.upgrade.entries import history

if TYPE_CHECKING:
    from xcnn.network.upgrade.entries import Config

Operation = tuple[str, "Config", list[Any]]
"""The class of an operation, its config, and the arguments of its call."""

UNARY = {
    "math.abs": "Absolute",
    "math.ceil": "Ceil",
    "math.exp": "Exp",
    "math.floor": "Floor",
    "math.log": "Log",
    "math.log1p": "Log1p",
    "math.negative": "Negative",
    "__operators__.neg": "Negative",
    "math.reciprocal": "Reciprocal",
    "math.rsqrt": "Rsqrt",
    "math.sigmoid": "Sigmoid",
    "math.sign": "Sign",
    "math.softplus": "Softplus",
    "math.sqrt": "Sqrt",
    "math.square": "Square",
    "math.tanh": "Tanh",
    "math.sin": "Sin",
    "math.cos": "Cos",
    "nn.elu": "Elu",
    "nn.relu": "Relu",
    "nn.relu6": "Relu6",
    "nn.selu": "Selu",
    "nn.sigmoid": "Sigmoid",
    "nn.silu": "Silu",
    "nn.softplus": "Softplus",
    "nn.softsign": "Softsign",
    "nn.swish": "Silu",
    "nn.tanh": "Tanh",
    "identity": "Copy",
    "stop_gradient": "StopGradient",
}
"""Functions of one tensor."""

BINARY = {
    "__operators__.add": "Add",
    "__operators__.sub": "Subtract",
    "__operators__.mul": "Multiply",
    "__operators__.truediv": "TrueDivide",
    "__operators__.pow": "Power",
    "__operators__.matmul": "Matmul",
    "linalg.matmul": "Matmul",
    "nn.bias_add": "Add",
    "math.add": "Add",
    "math.divide": "TrueDivide",
    "math.floordiv": "FloorDivide",
    "math.maximum": "Maximum",
    "math.minimum": "Minimum",
    "math.multiply": "Multiply",
    "math.pow": "Power",
    "math.subtract": "Subtract",
    "math.truediv": "TrueDivide",
    "math.divide_no_nan": "DivideNoNan",
}
"""Functions of two tensors, or of a tensor and numbers."""

REDUCTIONS = {
    "math.reduce_max": "Max",
    "math.reduce_mean": "Mean",
    "math.reduce_min": "Min",
    "math.reduce_prod": "Prod",
    "math.reduce_std": "Std",
    "math.reduce_sum": "Sum",
    "math.reduce_variance": "Var",
}
"""Functions that take the axes to reduce."""

SECOND = ("y", "b", "bias")
"""What TensorFlow calls the second argument of functions of two."""

CHANNELS_LAST = (None, "NHWC", "channels_last", "N...C")

REQUIRED = "required"
SETTINGS: dict[str, tuple[str, dict[str, tuple[str, Any]]]] = {
    "cast": ("Cast", {"dtype": ("dtype", REQUIRED)}),
    "clip_by_value": ("Clip", {"clip_value_min": ("x_min", REQUIRED), "clip_value_max": ("x_max", REQUIRED)}),
    "concat": ("Concatenate", {"axis": ("axis", REQUIRED)}),
    "expand_dims": ("ExpandDims", {"axis": ("axis", REQUIRED)}),
    "nn.depth_to_space": ("DepthToSpace", {"block_size": ("block_size", REQUIRED)}),
    "nn.gelu": ("Gelu", {"approximate": ("approximate", False)}),
    "nn.leaky_relu": ("LeakyRelu", {"alpha": ("negative_slope", 0.2)}),
    "nn.log_softmax": ("LogSoftmax", {"axis": ("axis", -1)}),
    "nn.softmax": ("Softmax", {"axis": ("axis", -1)}),
    "nn.space_to_depth": ("SpaceToDepth", {"block_size": ("block_size", REQUIRED)}),
    "reshape": ("Reshape", {"shape": ("newshape", REQUIRED)}),
    "squeeze": ("Squeeze", {"axis": ("axis", None)}),
    "stack": ("Stack", {"axis": ("axis", 0)}),
    "transpose": ("Transpose", {"perm": ("axes", REQUIRED)}),
}
"""Functions whose arguments are settings of an operation: what they become, and their defaults."""

DEAD = frozenset({"name", "data_format", "conjugate"})
"""Arguments that change nothing here; a `data_format` that would is looked at before."""


def operation(function: str, arguments: list[Any], keywords: Config) -> Operation | None:
    """Find the operation that computes what a TensorFlow function did; None when there is none on the list."""
    function = function.removeprefix("tf.").removeprefix("compat.v1.")
    given = {name: value for name, value in keywords.items() if name not in DEAD and value is not None}
    x, *rest = arguments
    if rest or (function.startswith("nn.") and keywords.get("data_format") not in CHANNELS_LAST):
        return None
    if function in UNARY:
        return (UNARY[function], {}, [x]) if not given else None
    if function in BINARY:
        return _binary(BINARY[function], x, given)
    return _by_settings(function, x, given)


def _binary(kind: str, x: Any, given: Config) -> Operation | None:
    second = next((given.pop(name) for name in SECOND if name in given), None)
    return (kind, {}, [constant(x), constant(second)]) if second is not None and not given else None


def _by_settings(function: str, x: Any, given: Config) -> Operation | None:
    """A function of one tensor and of numbers, shapes and axes."""
    if function in REDUCTIONS:
        return _reduction(REDUCTIONS[function], x, given)
    if function == "__operators__.getitem":
        return "GetItem", {}, [x, [_index(part) for part in _listed(given["slice_spec"])]]
    if function in SETTINGS:
        return _set(function, x, given)
    special = {"image.resize": _resize, "math.l2_normalize": _normalize, "pad": _pad, "split": _split}
    return special[function](x, given) if function in special and not _dynamic(given) else None


def constant(value: Any) -> Any:
    """A constant operand: a number as it is, numbers in lists as an array."""
    if not isinstance(value, list):
        return value
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": "float32"}}


def _reduction(kind: str, x: Any, given: Config) -> Operation | None:
    axis, keepdims = given.pop("axis", None), given.pop("keepdims", False)
    return (kind, {"axis": axis, "keepdims": bool(keepdims)}, [x]) if not given and not _dynamic(axis) else None


def _set(function: str, x: Any, given: Config) -> Operation | None:
    """A function whose arguments are the settings of an operation."""
    kind, settings = SETTINGS[function]
    config = {name: given.pop(old, default) for old, (name, default) in settings.items()}
    if given or _dynamic(config) or REQUIRED in config.values():
        return None
    return kind, config, [x]


def _normalize(x: Any, given: Config) -> Operation | None:
    """Divide by the length; TensorFlow adds 1e-12 to its square, Keras to itself: alike for whatever is no zero."""
    axis = given.pop("axis", None)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    config = {"axis": axis, "order": 2, "epsilon": 1e-12}
    return ("Normalize", config, [x]) if isinstance(axis, int) and not given else None


def _pad(x: Any, rest: Config) -> Operation | None:
    widths = rest.pop("paddings")
    mode, value = str(rest.pop("mode", "CONSTANT")).lower(), rest.pop("constant_values", 0)
    if rest or mode not in {"constant", "reflect", "symmetric"} or (mode != "constant" and value):
        return None
    return "Pad", {"pad_width": widths, "mode": mode}, [x, value] if mode == "constant" and value else [x]


def _split(x: Any, given: Config) -> Operation | None:
    """Split into equal parts, or into parts of these sizes, which Keras gives by where they begin."""
    parts, axis = given.pop("num_or_size_splits"), given.pop("axis", 0)
    if isinstance(parts, list) and all(isinstance(size, int) and size > 0 for size in parts):
        parts = list(itertools.accumulate(parts))[:-1]
    elif not isinstance(parts, int):
        return None
    return ("Split", {"indices_or_sections": parts, "axis": axis}, [x]) if not given and isinstance(axis, int) else None


def _resize(x: Any, rest: Config) -> Operation | None:
    """Resize as TensorFlow 2 does: pixel centres at halves, which Keras 3 does as well."""
    size = rest.pop("size")
    method = rest.pop("method", "bilinear")
    if method not in {"bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"} or rest.pop("preserve_aspect_ratio", 0):
        return None
    antialias = bool(rest.pop("antialias", False))
    return ("Resize", {"size": size, "interpolation": method, "antialias": antialias}, [x]) if not rest else None


def _dynamic(value: Any) -> bool:
    """Tell whether numbers depend on a tensor."""
    if history(value):
        return True
    if isinstance(value, dict):
        return any(_dynamic(inner) for inner in value.values())
    return isinstance(value, list) and any(_dynamic(inner) for inner in value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _index(part: Any) -> Any:
    """One part of an index: a slice, a number, a new axis, or the dots."""
    if isinstance(part, dict) and part.keys() == {"start", "stop", "step"}:
        return slice_entry(part["start"], part["stop"], part["step"])
    if isinstance(part, dict) and part.get("class_name") == "__ellipsis__":
        return ellipsis_entry()
    if part == "Ellipsis":
        return ellipsis_entry()
    if part is None or isinstance(part, int):
        return part
    raise ValueError(part)


def slice_entry(start: Any, stop: Any, step: Any) -> Config:
    """Write a slice as Keras 3 does."""
    if not all(bound is None or isinstance(bound, int) for bound in (start, stop, step)):
        raise ValueError(start, stop, step)
    return {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}}


def ellipsis_entry() -> Config:
    """Write ``...`` as Keras 3 does."""
    return {"class_name": "__ellipsis__", "config": {}}
