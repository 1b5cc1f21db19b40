"""Small Keras networks with fixed weights, and their features, gradients and scores by another way than xcnn's."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

SIZE = (12, 10)
CLASSES = 3


def pooled(activation="relu"):
    """Two convolutions, global average pooling, linear classes; channel 2 of the last layer is dead behind a ReLU."""
    return _built("pooled", keras.layers.GlobalAveragePooling2D(name="gap"), activation)


def flattened(activation="relu"):
    """The same with a hidden layer instead of pooling: gradients differ from place to place."""
    return _built("flattened", keras.layers.Flatten(name="flatten"), activation, hidden=6)


def linear():
    """The same with one linear layer behind the maps."""
    return _built("linear", keras.layers.Flatten(name="flatten"), "relu")


def _built(name, reduce, activation, hidden=0):
    rng = np.random.default_rng(10)  # evidence for and against class 1 at both layers
    pixels = keras.Input((*SIZE, 3), name="pixels")
    x = keras.layers.Conv2D(4, 3, padding="same", activation=activation, name="first")(pixels)
    x = keras.layers.MaxPooling2D(name="pool")(x)
    x = reduce(keras.layers.Conv2D(5, 3, padding="same", activation=activation, name="last")(x))
    if hidden:
        x = keras.layers.Dense(hidden, activation=activation, name="hidden")(x)
    scores = keras.layers.Dense(CLASSES, name="scores")(x)
    model = keras.Model(pixels, keras.layers.Softmax(name="softmax")(scores), name=name)
    for weight in model.weights:
        weight.assign(rng.uniform(-0.6, 0.8, weight.shape))
    model.get_layer("last").bias.assign([0.1, 0, -50 if activation == "relu" else -0.2, 0.2, 0])
    return model


def photo(seed=1):
    """(h, w, 3) uint8 at the size of the networks, so that nothing is resized."""
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)


def inputs_of(picture):
    """What the networks receive with ``preprocess="unit"``."""
    return picture[np.newaxis].astype(np.float32) / np.float32(255)


def scores(model, inputs):
    """The scores before the softmax, (n, classes) float64."""
    twin = keras.Model(model.inputs, model.get_layer("scores").output)
    return np.asarray(twin(inputs, training=False), np.float64)


def scores_from(model, layer, features):
    """The scores of edited activations of a layer, (n, classes) float64."""
    rest = keras.Model(model.get_layer(layer).output, model.get_layer("scores").output)
    return np.asarray(rest(np.asarray(features, np.float32), training=False), np.float64)


def features_and_gradients(model, layer, inputs, index):
    """Of one picture: (h, w, k) features and the gradients of a score by them, float64."""
    both = keras.Model(model.inputs, [model.get_layer(layer).output, model.get_layer("scores").output])
    with tf.GradientTape() as tape:
        features, values = both(inputs, training=False)
        score = values[:, index]
    gradients = tape.gradient(score, features)
    return np.asarray(features, np.float64)[0], np.asarray(gradients, np.float64)[0]
