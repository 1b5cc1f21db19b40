"""What gradient ascent maximises: the map of one channel of a layer for each row, traced up to that layer."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from xcnn.errors import LayerError, plain_words
from xcnn.network import trace
from xcnn.network.ascent_recipes import Maps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xcnn.network.keras_network import KerasNetwork
    from xcnn.plugin import Preprocessing

ELEMENTWISE = frozenset(
    {"celu", "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_swish", "leaky_relu", "linear", "mish",
     "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "swish", "tanh"}
)  # fmt: skip
"""Activations that look at each value alone."""
SQUASHED = frozenset({"log_softmax", "sigmoid", "softmax"})
RGB = 3
MAP = 4
"""The rank of (n, h, w, c)."""


@dataclass(frozen=True)
class Goal:
    """Channels of one layer of a network; of its class scores when the path is "".

    ``final`` tells that the layer makes the scores: its softmax or sigmoid is left out then.
    """

    network: KerasNetwork
    path: str
    final: bool = False

    def maps(self, pixels: Any, channels: Any) -> Maps:
        """Run the network on pixels and pick the channel of each row.

        Parameters
        ----------
        pixels : tf.Tensor
            (n, h, w, colours) in 0..255, of any size.
        channels : tf.Tensor
            (n,) int32.

        Returns
        -------
        Maps
            Each (n, positions) float32.

        Raises
        ------
        LayerError
            If the layer can't be reached with pictures of that size.
        """
        network = self.network
        inputs = prepared(pixels, network.preprocessing.preprocessing, network.input_shape[2])
        given = [tf.constant(row) for row in network.given]
        try:
            with any_size(network.model):
                if not self.path:
                    points = tf.zeros([tf.shape(pixels)[0], 2])
                    scores = network.forward(inputs, points, given).scored.scores
                    picked = tf.gather(scores, channels, axis=1, batch_dims=1)[:, tf.newaxis]
                    return Maps(picked, picked)
                tap = self._reached(network.inputs.structured(inputs, given))
                after, before = self._picked(tap, channels)
        except LayerError:
            raise
        except Exception as error:
            raise self._unreachable(error, pixels.shape) from error
        if tap.tensor.graph is not inputs.graph:
            raise LayerError(
                f"layer {self.path!r} runs inside a loop or branch of the model", hint="choose another layer"
            )
        return Maps(_flat(after), _flat(before))

    def _reached(self, inputs: Any) -> trace.Tap:
        """Run the model as far as the layer."""
        model, first = self.network.model, self.network.inputs.first
        with trace.tapped(model, first=first, until=self.path) as taps:
            try:
                model(inputs, training=False)
            except trace.Reached:
                return taps.calls[-1]
        raise LayerError(f"layer {self.path!r} did not run", hint="choose another layer")

    def _picked(self, tap: trace.Tap, channels: Any) -> tuple[Any, Any]:
        """Pick the channel of each row after and before the activation."""
        axis = 1 if self.path in self.network.survey.first and tap.tensor.shape.rank == MAP else -1
        found = sliced(tap, channels, final=self.final)
        if found is not None:
            channels = tf.range(tf.shape(channels)[0])
            after, before = found
        else:
            after = trace.before_squash(tap.tensor)[0] if self.final else tap.tensor
            before = after.op.inputs[0] if after.op.type in {"Relu", "Relu6"} else after
        axis = axis % after.shape.rank
        return tuple(tf.gather(one, channels, axis=axis, batch_dims=1) for one in (after, before))

    def _unreachable(self, error: Exception, shape: Any) -> LayerError:
        size, own = (f"{height}x{width}" for height, width in (shape[1:3], self.network.input_size))
        what = f"layer {self.path!r} of {self.network.name} can't be reached" if self.path else "the scores can't be"
        words = re.split(r"\s+for '?\{\{node| Arguments received|: \{\{node", plain_words(error))[0]
        hint = "choose another layer" if size == own else f"use the network's own size: --size {own}"
        return LayerError(f"{what} with pictures of {size}: {words}", hint=hint)


def sliced(tap: trace.Tap, channels: Any, *, final: bool) -> tuple[Any, Any] | None:
    """Compute only some channels of a plain convolution or dense layer from what it received.

    Returns
    -------
    tuple of tf.Tensor, or None
        After and before its activation, with one channel per entry of `channels`; None for any other layer.
    """
    layer = tap.layer
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", "linear" if activation is None else "")
    squashed = final and name in SQUASHED
    plain = type(layer) in {keras.layers.Conv2D, keras.layers.Dense} and getattr(layer, "groups", 1) == 1
    adapted = getattr(layer, "quantization_mode", None) is not None or getattr(layer, "lora_enabled", False)
    if not plain or adapted or not (squashed or name in ELEMENTWISE):
        return None

    def of_channels(weights: Any) -> Any:
        return tf.cast(tf.gather(tf.convert_to_tensor(weights), channels, axis=-1), tap.received.dtype)

    kernel = of_channels(layer.kernel)
    convolves = isinstance(layer, keras.layers.Conv2D)
    before = layer.convolution_op(tap.received, kernel) if convolves else keras.ops.matmul(tap.received, kernel)
    if layer.use_bias:
        bias = of_channels(layer.bias)
        first = convolves and layer.data_format == "channels_first"
        before += bias[:, tf.newaxis, tf.newaxis] if first else bias
    return (before if squashed or activation is None else activation(before)), before


def _flat(maps: Any) -> Any:
    """Make (n, ...) a float32 (n, positions)."""
    if 0 in maps.shape[1:]:
        raise LayerError("pictures of this size leave the layer without a map", hint="choose a larger --size")
    if not maps.dtype.is_floating:
        raise LayerError(f"the layer's output holds {maps.dtype.name} values, which have no gradient")
    return tf.cast(tf.reshape(maps, [tf.shape(maps)[0], -1]), tf.float32)


def prepared(pixels: Any, preprocessing: Preprocessing, channels: int) -> Any:
    """Turn pixels into inputs inside a trace, as `preprocess.apply` does in NumPy.

    ``pixels`` is (n, h, w, 3) in 0..255, (n, h, w, 1) for networks of other channels than three or four; a fourth
    channel, the transparency, is 255.
    """
    scale, offset = preprocessing.scale, preprocessing.offset
    if channels not in {RGB, RGB + 1}:
        return tf.repeat(pixels * scale[0] + offset[0], channels, axis=3)
    if preprocessing.channels == "bgr":
        pixels = pixels[..., ::-1]
    if channels > RGB:
        pixels = tf.concat([pixels, tf.fill(tf.shape(pixels[..., :1]), 255.0)], axis=3)
    return pixels * _each(scale, channels) + _each(offset, channels)


def _each(numbers: Sequence[float], channels: int) -> list[float]:
    """One number per channel; the last stands for those that follow."""
    return [numbers[min(place, len(numbers) - 1)] for place in range(channels)]


@contextmanager
def any_size(model: Any) -> Iterator[None]:
    """Let a model and those inside it take pictures of another size than the one they were built for."""
    name = "_assert_input_compatibility"
    inside = model._flatten_layers(include_self=True, recursive=True)  # noqa: SLF001 (no public walk reaches nested layers)
    models = [layer for layer in inside if isinstance(layer, keras.Model) and name not in vars(layer)]
    try:
        for one in models:
            # Past Keras's own __setattr__, which would lock or track the attribute.
            object.__setattr__(one, name, lambda *_: None)
        yield
    finally:
        for one in models:
            if name in vars(one):
                object.__delattr__(one, name)
