"""Small Keras models with fixed weights, one of every kind that explainers meet.

Keras is imported when a model is made, so that collecting tests stays cheap.
"""

from __future__ import annotations

from typing import Any

SIZE = 24
CLASSES = 5


def body(name: str = "body", size: int = SIZE, channels: int = 3, seed: int = 0) -> Any:
    """Make what all twins share: conv, pool, conv, batch norm, ReLU, a bottleneck map."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(seed)
    pixels = keras.Input((size, size, channels), name="pixels")
    x = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="conv1")(pixels)
    x = keras.layers.MaxPooling2D(name="pool1")(x)
    x = keras.layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv2")(x)
    x = keras.layers.BatchNormalization(name="bn2")(x)
    x = keras.layers.ReLU(max_value=6, name="act2")(x)
    model = keras.Model(pixels, x, name=name)
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        low, high = (0.5, 1.5) if weight.name in {"gamma", "moving_variance"} else (-0.5, 0.5)
        weight.assign(rng.uniform(low, high, weight.shape))
    return model


def head(activation: str | None = "softmax", classes: int = CLASSES, seed: int = 1) -> list[Any]:
    """Make global average pooling and a dense layer."""
    import keras
    import numpy as np

    rng = np.random.default_rng(seed)
    dense = keras.layers.Dense(classes, activation=activation, name="predictions")
    dense.build((None, 8))
    dense.set_weights([rng.uniform(-0.3, 1, (8, classes)), rng.uniform(-1, 1, classes)])
    return [keras.layers.GlobalAveragePooling2D(name="gap"), dense]


def flat(activation: str | None = "softmax", classes: int = CLASSES) -> Any:
    """Make the plain functional twin: every layer at the top."""
    import keras

    base = body()
    x = base.output
    for layer in head(activation, classes):
        x = layer(x)
    return keras.Model(base.input, x, name="flat")


def nested(activation: str | None = "softmax", classes: int = CLASSES) -> Any:
    """Make a base inside a Sequential, as transfer learners build it."""
    import keras

    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), body("base"), *head(activation, classes)], name="nested")


def doubly_nested() -> Any:
    """Make a base inside a model inside a Sequential."""
    import keras

    pixels = keras.Input((SIZE, SIZE, 3))
    middle = keras.Model(pixels, body("base")(pixels), name="middle")
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), middle, *head()], name="doubly_nested")


def subclassed() -> Any:
    """Make the same computation, written by hand, with a tf.function and without a training argument."""
    import keras
    import numpy as np
    import tensorflow as tf

    class Subclassed(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="subclassed")
            self.base = body("base")
            self.gap, self.dense = head(None)

        @tf.function  # type: ignore[untyped-decorator]
        def features(self, pixels: Any) -> Any:
            return self.base(pixels)

        def call(self, pixels: Any) -> Any:
            return tf.nn.softmax(self.dense(self.gap(self.features(pixels))))

    model = Subclassed()
    model(np.zeros((1, SIZE, SIZE, 3), np.float32))
    return model


def siamese() -> Any:
    """Make two inputs, one shared tower; the two branches meet in a difference and a sum."""
    import keras

    left, right = keras.Input((SIZE, SIZE, 3), name="left"), keras.Input((SIZE, SIZE, 3), name="right")
    tower = body("tower")
    mirrored = keras.layers.Permute((2, 1, 3), name="transposed")(right)
    pool = keras.layers.GlobalAveragePooling2D(name="gap")
    a, b = pool(tower(left)), pool(tower(mirrored))
    _, dense = head()
    return keras.Model([left, right], dense(keras.layers.Average(name="merged")([a, b])), name="siamese")


def mnist() -> Any:
    """Make the classic gray 28x28 net."""
    import keras

    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(6, 3, activation="relu", name="conv1"),
            keras.layers.MaxPooling2D(name="pool1"),
            keras.layers.Conv2D(8, 3, activation="relu", name="conv2"),
            keras.layers.MaxPooling2D(name="pool2"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dropout(0.5, name="dropout"),
            keras.layers.Dense(10, activation="softmax", name="digits"),
        ],
        name="mnist",
    )


def segmentation(activation: str = "softmax", classes: int = 3, size: int = SIZE) -> Any:
    """Go down and up again: a score per class and pixel."""
    import keras

    keras.utils.set_random_seed(5)
    pixels = keras.Input((size, size, 3))
    fine = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="fine")(pixels)
    coarse = keras.layers.Conv2D(8, 3, strides=4, padding="same", activation="relu", name="coarse")(fine)
    deep = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="deep")(coarse)
    up = keras.layers.UpSampling2D(4, name="up")(deep)
    both = keras.layers.Concatenate(name="both")([up, fine])
    maps = keras.layers.Conv2D(classes, 1, activation=activation, name="maps")(both)
    return keras.Model(pixels, maps, name="segmentation")


def mixed_precision() -> Any:
    """Make the flat net computed in float16."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return flat()
    finally:
        keras.config.set_dtype_policy(before)


def swish() -> Any:
    """Make a net without a rectifier and without global average pooling."""
    import keras

    keras.utils.set_random_seed(4)
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(4, 3, strides=2, activation="swish", name="conv1"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(3, activation="softmax", name="predictions"),
        ],
        name="swish",
    )
