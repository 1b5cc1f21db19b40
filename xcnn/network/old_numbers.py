"""What Keras 2 computed otherwise than Keras 3 does, under the names that the upgrade of a config gives it."""

from __future__ import annotations

from typing import Any

from xcnn.network.upgrade.keras2 import HARD_SIGMOID, OLD_BILINEAR


def objects() -> dict[str, Any]:
    """Functions and layers by the name that a rewritten config has them under."""
    return {HARD_SIGMOID: hard_sigmoid, OLD_BILINEAR: _bilinear()}


def hard_sigmoid(x: Any) -> Any:
    """Compute what `hard_sigmoid` was before Keras 3, which has x / 6 + 0.5."""
    import keras

    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


# A Bidirectional writes its layer down and reads it twice: Keras must not take this for its own function.
hard_sigmoid.__name__ = HARD_SIGMOID


def _bilinear() -> type[Any]:
    """The class of an UpSampling2D that interpolates between the corners of pixels, as before TensorFlow 2."""
    import keras
    import tensorflow as tf

    class UpSampling2D(keras.layers.UpSampling2D):  # type: ignore[misc]  # Keras ships no types
        def call(self, inputs: Any) -> Any:
            first = self.data_format == "channels_first"
            pixels = tf.transpose(inputs, (0, 2, 3, 1)) if first else inputs
            size = tf.shape(pixels)[1:3] * tf.constant(self.size, tf.int32)
            bigger = tf.cast(tf.compat.v1.image.resize_bilinear(pixels, size), inputs.dtype)
            bigger.set_shape((None, *self._bigger(pixels.shape), pixels.shape[3]))
            return tf.transpose(bigger, (0, 3, 1, 2)) if first else bigger

        def _bigger(self, shape: Any) -> tuple[int | None, ...]:
            return tuple(None if n is None else n * by for n, by in zip(shape[1:3], self.size, strict=True))

    return UpSampling2D
