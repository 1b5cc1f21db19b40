"""The borders of convolutions and maxima as Theano padded them.

With padding "same" Theano puts half a kernel on both sides and cuts off what is too much at the end, where TensorFlow
spreads what is needed. They differ for even kernels and for strides above 1.
"""

from __future__ import annotations

from typing import Any

PADDED = "padded {layers} as Theano does"


def padded(model: Any) -> int:
    """Make the layers of a model pad as Theano does where that is different; return how many."""
    count = 0
    for layer in model._flatten_layers():  # noqa: SLF001 (no public list of all layers)
        kind = type(layer).__name__
        if getattr(layer, "padding", None) != "same" or kind not in {"Conv2D", "MaxPooling2D"}:
            continue
        window = layer.kernel_size if kind == "Conv2D" else layer.pool_size
        if all(size % 2 == 1 for size in window) and all(step == 1 for step in layer.strides):
            continue
        if kind == "Conv2D":
            layer.convolution_op = _convolution(layer)
        else:
            layer.call = _maximum(layer)
        count += 1
    return count


def _convolution(layer: Any) -> Any:
    """The convolution of a layer with Theano's borders."""
    import keras

    # A kernel of 5 with holes of 1 spans 9 pixels.
    spans = [(size - 1) * rate + 1 for size, rate in zip(layer.kernel_size, layer.dilation_rate, strict=True)]
    around = [(span // 2, span // 2 - (span + 1) % 2) for span in spans]

    def convolution(inputs: Any, kernel: Any) -> Any:
        return keras.ops.conv(
            keras.ops.pad(inputs, _widths(around, layer.data_format)),
            kernel,
            strides=list(layer.strides),
            padding="valid",
            dilation_rate=layer.dilation_rate,
            data_format=layer.data_format,
        )

    return convolution


def _maximum(layer: Any) -> Any:
    """The maximum of a layer with Theano's borders."""
    import keras

    before = [size - 2 if size > 2 and size % 2 else size - 1 for size in layer.pool_size]  # noqa: PLR2004

    def call(inputs: Any) -> Any:
        space = slice(2, 4) if layer.data_format == "channels_first" else slice(1, 3)
        sizes = keras.ops.shape(inputs)[space]
        wanted = [(size + step - 1) // step for size, step in zip(sizes, layer.strides, strict=True)]
        # Enough for as many windows as there should be, or the end is cut off by the pooling itself.
        around = [(first, window) for first, window in zip(before, layer.pool_size, strict=True)]
        widths = _widths(around, layer.data_format)
        low = keras.ops.pad(inputs, widths, mode="constant", constant_values=-float("inf"))
        found = keras.ops.max_pool(low, layer.pool_size, layer.strides, "valid", layer.data_format)
        if layer.data_format == "channels_first":
            return found[:, :, : wanted[0], : wanted[1]]
        return found[:, : wanted[0], : wanted[1]]

    return call


def _widths(around: list[tuple[int, int]], data_format: str) -> list[tuple[int, int]]:
    none = (0, 0)
    return [none, none, *around] if data_format == "channels_first" else [none, *around, none]
