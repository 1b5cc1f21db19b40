"""The small networks of `xcnn.testing`, more of them, and Grad-CAM computed in another way."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from xcnn.testing.nets import (  # noqa: F401 (all nets under one name)
    CLASSES,
    SIZE,
    body,
    doubly_nested,
    flat,
    head,
    mixed_precision,
    mnist,
    nested,
    segmentation,
    siamese,
    subclassed,
    swish,
)


def siamese_flat():
    """The siamese net with each branch written out: layers of the second have names that end in _right."""
    left = keras.Input((SIZE, SIZE, 3), name="left")
    right = keras.Input((SIZE, SIZE, 3), name="right")
    tower = body("tower")

    def branch(x, suffix):
        for layer in tower.layers[1:]:
            twin = layer.__class__.from_config({**layer.get_config(), "name": layer.name + suffix})
            twin.build(x.shape)
            twin.set_weights(layer.get_weights())
            x = twin(x)
        return keras.layers.GlobalAveragePooling2D(name="gap" + suffix)(x)

    a = branch(left, "_left")
    b = branch(keras.layers.Permute((2, 1, 3), name="transposed")(right), "_right")
    _, dense = head()
    return keras.Model([left, right], dense(keras.layers.Average(name="merged")([a, b])), name="siamese_flat")


def one_conv(conv_bias=(-50.0, -75.0)):
    """The net of the golden values: every weight is written down."""
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Conv2D(2, 3, padding="valid", name="conv"),
            keras.layers.ReLU(name="relu"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(4, name="dense"),
            keras.layers.ReLU(name="out"),
        ],
        name="one_conv",
    )
    model.get_layer("conv").set_weights([np.ones((3, 3, 1, 2)), np.array(conv_bias)])
    column = np.array([1, 1, 1, -1, 1, -1, 1, -1])
    model.get_layer("dense").set_weights([np.tile(column[:, None], (1, 4)), np.zeros(4)])
    return model


def logits_twin(model):
    """A flat model without its softmax or sigmoid, for checking by another route."""
    last = model.layers[-1]
    config = {**last.get_config(), "activation": "linear", "name": "logits"}
    linear = last.__class__.from_config(config)
    before = last.input
    twin = keras.Model(model.inputs, linear(before))
    linear.set_weights(last.get_weights())
    return twin


def reference_gradcam(model, layer, inputs, index):
    """Grad-CAM of a flat model by sub-model and GradientTape, summed pixel by pixel."""
    twin = logits_twin(model)
    both = keras.Model(twin.inputs, [twin.get_layer(layer).output, twin.outputs[0]])
    with tf.GradientTape() as tape:
        features, scores = both(inputs, training=False)
        score = scores[:, index]
    gradients = np.asarray(tape.gradient(score, features))
    features = np.asarray(features)
    maps = np.zeros(features.shape[:3])
    for n in range(len(features)):
        alpha = [gradients[n, :, :, k].sum() / gradients[n, :, :, k].size for k in range(features.shape[3])]
        for y in range(features.shape[1]):
            for x in range(features.shape[2]):
                total = sum(alpha[k] * features[n, y, x, k] for k in range(features.shape[3]))
                maps[n, y, x] = max(0.0, total)
    return maps


def channels_first_twin(model):
    """A flat model as it is and with the channels first, with the same weights."""
    twin = keras.Sequential([keras.Input((3, SIZE, SIZE))], name="channels_first")
    for layer in model.layers[1:]:
        config = layer.get_config()
        if "data_format" in config:
            config["data_format"] = "channels_first"
        if isinstance(layer, keras.layers.BatchNormalization):
            config["axis"] = 1
        twin.add(layer.__class__.from_config(config))
    twin.set_weights(model.get_weights())
    return twin


def with_numbers():
    """A picture and five numbers, and two outputs: a class and a size."""
    keras.utils.set_random_seed(6)
    pixels, numbers = keras.Input((SIZE, SIZE, 3), name="photo"), keras.Input((5,), name="patient")
    x = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(pixels)
    both = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D(name="gap")(x), numbers])
    kind = keras.layers.Dense(3, activation="softmax", name="kind")(both)
    size = keras.layers.Dense(1, name="size")(keras.layers.Dense(4, activation="relu", name="hidden")(both))
    return keras.Model([pixels, numbers], [kind, size], name="with_numbers")
