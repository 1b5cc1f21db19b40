"""The kernels of convolutions, whichever way a layer keeps them."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.errors import LayerError
from xcnn.network.layers import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.values import Floats

RANK = 4
"""Height, width and the channels on both sides."""


def kernels(objects: Mapping[str, Any], wanted: str, model: str, argument: str = "") -> Floats:
    """The weights of the convolution at a path, (height, width, channels in, channels out).

    A depthwise convolution has as many kernels for each channel as its second number of channels says; a separable one
    answers with those of its depthwise step. With groups, a kernel sees the channels of its group alone. The weights of
    a layer that runs several times are asked for with or without the number of the call.

    Raises
    ------
    LayerError
        For a layer that is unknown or no convolution.
    """
    import keras

    every = {_weights(path): layer for path, layer in objects.items()}
    listed = f"list them with: xcnn layers {shlex.quote(argument or model)}"
    path = named(every, _weights(wanted), model, listed)
    kernel = _kernel(every[path])
    if kernel is None:
        some = [other for other, layer in every.items() if _kernel(layer) is not None]
        hint = f"choose one that has, such as {' or '.join(some[:3])}" if some else ""
        raise LayerError(f"layer {path!r} ({type(every[path]).__name__}) has no kernels of height and width", hint=hint)
    values = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(kernel, "float32")))
    # A transposed convolution keeps what it makes before what it takes.
    return values.transpose(0, 1, 3, 2) if isinstance(every[path], keras.layers.Conv2DTranspose) else values


def _weights(path: str) -> str:
    """The path without the number of the call."""
    return re.sub(r"\[\d+\]$", "", path)


def _kernel(layer: Any) -> Any:
    """The variable, None for a layer that is no convolution in two dimensions."""
    import keras

    name = "depthwise_kernel" if isinstance(layer, keras.layers.SeparableConv2D) else "kernel"
    kernel = getattr(layer, name, None)
    return kernel if hasattr(layer, "kernel_size") and len(getattr(kernel, "shape", ())) == RANK else None
