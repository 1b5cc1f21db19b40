"""Small networks with written weights, and how relevance is asked of them."""

from __future__ import annotations

import keras
import numpy as np

import xcnn
from xcnn_lrp.rules import rule

SIZE = 8
L = keras.layers


def vgg(*, bias=True, seed=0):
    """Two convolutions, a maximum, and two dense layers, with ReLUs: a VGG in small."""
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            L.Conv2D(4, 3, activation="relu", name="conv1"),
            L.MaxPooling2D(name="pool"),
            L.Conv2D(5, 2, activation="relu", name="conv2"),
            L.Flatten(name="flatten"),
            L.Dense(6, activation="relu", name="fc"),
            L.Dense(3, activation="softmax", name="scores"),
        ],
        name="vgg",
    )
    weighted(model, seed)
    for weight in () if bias else model.weights:
        if weight.name == "bias":
            weight.assign(np.zeros(weight.shape))
    return model


def weighted(model, seed=0):
    """Give a model weights of a fixed seed, variances and scales above zero."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.name in {"gamma", "moving_variance"}:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        else:
            scale = 0.2 if len(weight.shape) == 1 else 1.5 / np.sqrt(np.prod(weight.shape[:-1]))
            weight.assign(rng.normal(0.0, scale, weight.shape))
    return model


def pictures(count=2, size=SIZE, seed=3):
    return list(np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8))


def relevance(model, name, *, targets=("0",), photos=None, preprocess="unit", **numbers):
    """The batch, its inputs and the relevance of each row's pixels."""
    network = xcnn.open_network(model, preprocess=preprocess)
    photos = photos or pictures(size=network.input_size[0])
    batch = network.batch(photos, list(targets), np.random.default_rng(0))
    return batch, network.input_gradients(batch, rule(name, **numbers) if name else "plain")


def agree(found, wanted, bound=1e-5):
    wanted = np.asarray(wanted)
    assert np.abs(wanted).max() > 0, "relevances of zero prove nothing"
    np.testing.assert_allclose(found, wanted, rtol=0, atol=bound * np.abs(wanted).max())
