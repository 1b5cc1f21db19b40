"""The output shape and the number of parameters of Keras's layers, from their configs and the shapes they receive.

Shapes are without the batch axis; None is an unknown side, and a shape that is None altogether is unknown.
"""

from __future__ import annotations

import re
from math import prod
from typing import Any

Side = int | None
Shape = tuple[Side, ...] | None
Config = dict[str, Any]

SAME = frozenset(
    """
    Activation ActivityRegularization AlphaDropout BatchNormalization Dropout ELU GaussianDropout GaussianNoise
    GroupNormalization Identity LayerNormalization LeakyReLU Masking Normalization PReLU RMSNormalization
    RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomErasing RandomFlip
    RandomGaussianBlur RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation
    RandomSharpness RandomShear RandomTranslation RandomZoom ReLU Rescaling Softmax SpatialDropout1D
    SpatialDropout2D SpatialDropout3D UnitNormalization InputLayer LayerScale StochasticDepth Solarization
    AutoContrast Equalization
    """.split()  # noqa: SIM905 (a list of names reads best as words)
)
MERGE = frozenset(
    """
    Add Average Maximum Minimum Multiply Subtract CustomScaleLayer TrueDivide Divide Power FloorDivide Mod
    Relu Relu6 Sigmoid Tanh Exp Log Sqrt Square Abs Absolute Negative Clip Silu Gelu Elu LeakyRelu HardSigmoid HardSilu
    Softplus Cast
    """.split()  # noqa: SIM905 (as above)
)


def output(kind: str, config: Config, received: list[Shape]) -> Shape:
    """Infer a layer's output shape; None when it can't be told."""
    shape = received[0] if received else None
    if shape is None:
        return None
    try:
        found = _output(kind, config, shape, received)
    except (TypeError, ValueError, KeyError, IndexError, ZeroDivisionError, OverflowError):
        return None
    return None if found is None else tuple(found)


def _output(kind: str, config: Config, shape: tuple[Side, ...], received: list[Shape]) -> tuple[Side, ...] | None:  # noqa: C901, PLR0911 (a table of cases)
    spatial = re.fullmatch(r"(.*?)([123])D(Transpose)?", kind)
    if kind in SAME:
        return shape
    if kind in MERGE:
        return _broadcast(received)
    if kind == "Dense":
        return (*shape[:-1], int(config["units"]))
    if kind == "Flatten":
        return (_product(shape),)
    if kind == "Reshape":
        return _reshaped(shape, config["target_shape"])
    if kind == "Permute":
        return tuple(shape[axis - 1] for axis in config["dims"])
    if kind == "RepeatVector":
        return (int(config["n"]), *shape)
    if kind == "Concatenate":
        return _concatenated(received, int(config.get("axis", -1)))
    if kind == "Embedding":
        return (*shape, int(config["output_dim"]))
    if kind in {"Resizing", "CenterCrop", "RandomCrop"}:
        return _placed(config, shape, [int(config["height"]), int(config["width"])])
    if kind in {"LSTM", "GRU", "SimpleRNN"}:
        return (*(shape[:1] if config.get("return_sequences") else ()), int(config["units"]))
    return _spatial(spatial[1], spatial[3] is not None, config, shape) if spatial else None


def _spatial(family: str, transposed: bool, config: Config, shape: tuple[Side, ...]) -> tuple[Side, ...] | None:  # noqa: FBT001
    first = config.get("data_format") == "channels_first"
    sides, channels = (shape[1:], shape[0]) if first else (shape[:-1], shape[-1])
    if family.startswith("Global"):
        return (
            ((channels, *(1 for _ in sides)) if first else (*(1 for _ in sides), channels))
            if (config.get("keepdims"))
            else (channels,)
        )
    count = len(sides)
    if family == "UpSampling":
        return _placed(
            config, shape, [_times(side, by) for side, by in zip(sides, _each(config["size"], count), strict=True)]
        )
    if family in {"ZeroPadding", "Cropping"}:
        edges = _edges(config["padding" if family == "ZeroPadding" else "cropping"], count)
        sign = 1 if family == "ZeroPadding" else -1
        return _placed(
            config, shape, [None if side is None else side + sign * by for side, by in zip(sides, edges, strict=True)]
        )
    window = config.get("pool_size") if "Pool" in family else config.get("kernel_size")
    if window is None:
        return None
    windows = _each(window, count)
    strides = _each(config.get("strides") or window, count)
    dilations = _each(config.get("dilation_rate") or 1, count)
    windows = [(size - 1) * gap + 1 for size, gap in zip(windows, dilations, strict=True)]
    step = _unpooled if transposed else _pooled
    padding = config.get("padding", "valid")
    placed = [step(side, size, by, padding) for side, size, by in zip(sides, windows, strides, strict=True)]
    if "Pool" in family:
        depth = channels
    elif family.startswith("Depthwise"):
        depth = _times(channels, int(config.get("depth_multiplier", 1)))
    else:
        depth = int(config["filters"])
    return (depth, *placed) if first else (*placed, depth)


def parameters(kind: str, config: Config, shape: Shape) -> int | None:
    """Count a layer's parameters; at least as many where its input is unknown. None when that can't be told."""
    try:
        return _parameters(kind, config, shape or ())
    except (TypeError, ValueError, KeyError, IndexError, ZeroDivisionError, OverflowError):
        return None


def _parameters(kind: str, config: Config, shape: tuple[Side, ...]) -> int | None:  # noqa: PLR0911 (a table of cases)
    first = config.get("data_format") == "channels_first"
    channels = (shape[0 if first else -1] or 1) if shape else 1
    bias = bool(config.get("use_bias", True))
    units = int(config.get("units") or config.get("filters") or 0)
    gates = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}.get(kind, 0)
    if kind == "Dense":
        return ((shape[-1] or 1) if shape else 1) * units + bias * units
    if kind == "Embedding":
        return int(config["input_dim"]) * int(config["output_dim"])
    if gates:
        extra = units * (2 if kind == "GRU" and config.get("reset_after", True) else 1)
        return gates * (units * (units + channels) + bias * extra)
    if kind in {"BatchNormalization", "LayerNormalization", "GroupNormalization"}:
        moving = 2 if kind == "BatchNormalization" else 0
        axis = config.get("axis", -1)
        axes = [axis] if isinstance(axis, int) else axis
        size = prod(shape[a - 1 if a > 0 else a] or 1 for a in axes) if shape else 1
        return size * (moving + bool(config.get("scale", True)) + bool(config.get("center", True)))
    if kind == "PReLU":
        shared = config.get("shared_axes") or ()
        return prod(1 if axis + 1 in shared else side or 1 for axis, side in enumerate(shape))
    found = re.fullmatch(r"(Depthwise|Separable)?Conv([123])D(Transpose)?", kind)
    if found:
        window = prod(_each(config["kernel_size"], int(found[2])))
        multiplied = channels * int(config.get("depth_multiplier", 1))
        if found[1] == "Depthwise":
            return window * multiplied + bias * multiplied
        if found[1] == "Separable":
            return window * multiplied + multiplied * units + bias * units
        return window * (channels // int(config.get("groups") or 1)) * units + bias * units
    known = kind in (SAME | MERGE) - {"Normalization", "RMSNormalization", "LayerScale"}
    return (
        0
        if known or re.search(r"Pool|Padding|Cropping|UpSampling|Flatten|Reshape|Permute|Concat|Repeat|Resiz", kind)
        else None
    )


def _each(value: Any, count: int) -> list[int]:
    found = [int(side) for side in value] if isinstance(value, (list, tuple)) else [int(value)] * count
    if len(found) != count:
        raise ValueError(value)
    return found


def _edges(value: Any, count: int) -> list[int]:
    """How much is added to (or cut from) each side, both ends together."""
    if not isinstance(value, (list, tuple)):
        return [2 * int(value)] * count
    if count == 1:
        return [sum(int(end) for end in value)]
    return [sum(map(int, side)) if isinstance(side, (list, tuple)) else 2 * int(side) for side in value]


def _placed(config: Config, shape: tuple[Side, ...], sides: list[Side] | list[int]) -> tuple[Side, ...]:
    return (shape[0], *sides) if config.get("data_format") == "channels_first" else (*sides, shape[-1])


def _times(side: Side, by: int) -> Side:
    return None if side is None else side * by


def _pooled(side: Side, window: int, stride: int, padding: Any) -> Side:
    if side is None:
        return None
    return -(-side // stride) if padding in {"same", "causal"} else (side - window) // stride + 1


def _unpooled(side: Side, window: int, stride: int, padding: Any) -> Side:
    if side is None:
        return None
    return side * stride + (0 if padding == "same" else max(window - stride, 0))


def _product(shape: tuple[Side, ...]) -> Side:
    sides = [side for side in shape if side is not None]
    return prod(sides) if len(sides) == len(shape) else None


def _reshaped(shape: tuple[Side, ...], target: Any) -> tuple[Side, ...]:
    sides = [int(side) for side in target]
    if -1 not in sides:
        return tuple(sides)
    total = _product(shape)
    rest = prod(side for side in sides if side != -1)
    return tuple((None if total is None else total // rest) if side == -1 else side for side in sides)


def _broadcast(shapes: list[Shape]) -> tuple[Side, ...] | None:
    if any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    rank = max(len(shape) for shape in known)
    padded = [(1,) * (rank - len(shape)) + shape for shape in known]
    return tuple(None if None in sides else max(sides) for sides in zip(*padded, strict=True))


def _concatenated(shapes: list[Shape], axis: int) -> tuple[Side, ...] | None:
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return None
    at = axis - 1 if axis > 0 else len(known[0]) + axis
    along = [shape[at] for shape in known]
    total = None if None in along else sum(side for side in along if side is not None)
    return (*known[0][:at], total, *known[0][at + 1 :])


def snake_case(name: str) -> str:
    """Write a class name as Keras does in its weights files: ``Conv2D`` is ``conv2d``, ``ReLU`` is ``re_lu``."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
