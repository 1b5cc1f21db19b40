"""What is done to kernels that Keras 1 or Theano wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from xcnn.network.stored import Origin

    Values = np.ndarray[Any, Any]

CONVOLUTIONS = frozenset({"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv2D"})
KERNELS = frozenset({"kernel", "pointwise_kernel"})

TURNED = "turned the kernels of {layers}, which the file keeps in the 'th' ordering"
FLIPPED = "flipped the kernels of {layers}, which Theano applies mirrored"


def converted(values: Values, layer: Any, leaf: str, origin: Origin) -> tuple[Values, tuple[str, ...]]:
    """Turn and flip a kernel as today's Keras applies it; return it with what was done.

    Keras 1 kept kernels of the 'th' ordering as (filters, channels, height, width), and Theano convolves where
    TensorFlow correlates, so that its kernels are mirrored in each spatial direction.
    """
    kind = type(layer).__name__
    if leaf not in KERNELS or kind not in CONVOLUTIONS:
        return values, ()
    done = []
    if origin.keras1:
        turned = _turned(values, layer, kind)
        if turned.shape != values.shape or layer.data_format == "channels_first":
            done.append(TURNED)
        values = turned
    if origin.theano and leaf != "pointwise_kernel" and kind != "SeparableConv2D":
        values = values[tuple(slice(None, None, -1) for _ in range(values.ndim - 2))]
        done.append(FLIPPED)
    return values, tuple(done) if kind != "Conv1D" else ()


def _turned(values: Values, layer: Any, kind: str) -> Values:
    first = layer.data_format == "channels_first"
    if kind == "Conv1D" and values.ndim == 4:  # noqa: PLR2004 (Keras 1 gave one dimension a second of size 1)
        if values.shape[:2] != (layer.kernel_size[0], 1):
            values = values.transpose(2, 3, 1, 0)
        return values[:, 0]
    if kind in {"Conv2D", "SeparableConv2D"} and first:
        return values.transpose(2, 3, 1, 0)
    if kind == "Conv2DTranspose":
        return values.transpose(2, 3, 0, 1) if first else values.transpose(0, 1, 3, 2)
    if kind == "Conv3D" and first:
        return values.transpose(2, 3, 4, 1, 0)
    return values
