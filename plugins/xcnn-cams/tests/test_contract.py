"""What every explainer owes on every kind of model: finite, repeatable, batch = loop, nothing traced twice, no trace left."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np
import pytest

import xcnn
import xcnn_cams

SIZE, CLASSES = 20, 4
KINDS = [getattr(xcnn_cams, name) for name in xcnn_cams.__all__]
TWO = [np.random.default_rng(seed).integers(0, 256, (24, 30 - seed, 3), np.uint8) for seed in (1, 2)]


def body(name="body", channels=3, activation="relu"):
    """Two convolutions, the second with batch normalization."""
    pixels = keras.Input((SIZE, SIZE, channels))
    x = keras.layers.Conv2D(5, 3, padding="same", activation=activation, name="one")(pixels)
    x = keras.layers.MaxPooling2D(name="pool")(x)
    x = keras.layers.Conv2D(6, 3, padding="same", name="two")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    return keras.Model(pixels, keras.layers.Activation(activation, name="act")(x), name=name)


def flat(activation="softmax", classes=CLASSES, channels=3, inner="relu"):
    base = body(channels=channels, activation=inner)
    x = keras.layers.GlobalAveragePooling2D(name="gap")(base.output)
    return keras.Model(base.input, keras.layers.Dense(classes, activation=activation, name="classes")(x), name="flat")


def nested(activation="softmax", classes=CLASSES):
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(classes, activation=activation)]
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), body(), *head], name="nested")


def gray():
    base = body(channels=1)
    x = keras.layers.Flatten()(base.output)
    x = keras.layers.Dropout(0.5)(keras.layers.Dense(8, activation="relu")(x))
    return keras.Model(base.input, keras.layers.Dense(10, activation="softmax")(x), name="gray")


def siamese():
    left, right = keras.Input((SIZE, SIZE, 3), name="left"), keras.Input((SIZE, SIZE, 3), name="right")
    tower, pool = body("tower"), keras.layers.GlobalAveragePooling2D()
    both = keras.layers.Concatenate()([pool(tower(left)), pool(tower(right))])
    return keras.Model([left, right], keras.layers.Dense(CLASSES, activation="softmax")(both), name="siamese")


def segmentation():
    base = body()
    x = keras.layers.UpSampling2D(2, name="up")(base.output)
    return keras.Model(base.input, keras.layers.Conv2D(3, 1, activation="softmax", name="maps")(x), name="segmentation")


def mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return flat()
    finally:
        keras.config.set_dtype_policy("float32")


def dead():
    """A net whose last layer is silent whatever it sees."""
    model = flat()
    model.get_layer("norm").beta.assign([-1000.0] * 6)
    return model


MODELS = {
    "flat": flat,
    "nested": nested,
    "gray, flattened": gray,
    "two inputs, a shared tower": siamese,
    "one sigmoid": lambda: nested("sigmoid", 1),
    "linear": lambda: flat("linear", 1),
    "segmentation": segmentation,
    "mixed precision": mixed_precision,
    "no rectifier": lambda: flat(inner="swish"),
    "silent": dead,
}


@cache
def opened(name):
    """A network of each kind and its model; traces are shared by the tests of one kind."""
    keras.utils.set_random_seed(7)
    model = MODELS[name]()
    return xcnn.open_network(model, preprocess="unit"), model


def explained(network, kind, photos):
    return xcnn.explain(network, photos, kind(), target="0", seed=5)


def values(run):
    return [panel.values for result in run.results for panel in result.panels]


def state(model):
    layers = list(model._flatten_layers(include_self=True, recursive=True))
    return (
        [weight.tobytes() for weight in model.get_weights()],
        [(layer.name, sorted(vars(layer)), layer.trainable) for layer in layers],
        keras.config.dtype_policy().name,
    )


pairs = pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name in MODELS for kind in KINDS], ids=lambda one: getattr(one, "name", one)
)


@pairs
def test_an_explainer_keeps_its_contract(name, kind):
    network, model = opened(name)
    before = state(model)
    assert kind().fits(network) is None

    run = explained(network, kind, TWO)
    traces = network.traces
    again = explained(network, kind, TWO)

    assert len(run.results) == 2
    assert not run.failures
    for first, second in zip(values(run), values(again), strict=True):
        assert first.dtype == np.float32
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, second)
    assert network.traces == traces
    assert state(model) == before


@pairs
def test_a_batch_gives_what_one_picture_at_a_time_gives(name, kind):
    network, _ = opened(name)

    both = values(explained(network, kind, TWO))
    apart = [found for photo in TWO for found in values(explained(network, kind, [photo]))]

    for together, alone in zip(both, apart, strict=True):
        bound = 2e-3 if name == "mixed precision" else 1e-5
        np.testing.assert_allclose(together, alone, rtol=0, atol=bound * max(np.abs(alone).max(), 1e-6))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_place_of_a_segmentation_can_be_explained(kind):
    network = xcnn.open_network(segmentation(), preprocess="unit", at="3,4")

    run = explained(network, kind, TWO)

    assert all(np.isfinite(found).all() for found in values(run))
    assert not run.failures


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_network_without_a_map_is_refused_in_words(kind):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3, name="scores")])
    network = xcnn.open_network(model, preprocess="unit")

    assert "map" in kind().fits(network) or "spatial" in kind().fits(network)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_map_changes_when_the_weights_are_drawn_anew(kind):
    network, _ = opened("gray, flattened")
    keras.utils.set_random_seed(8)
    other = xcnn.open_network(gray(), preprocess="unit")

    mine, theirs = (values(explained(one, kind, TWO[:1]))[0] for one in (network, other))

    assert abs(np.corrcoef(mine.ravel(), theirs.ravel())[0, 1]) < 0.9
