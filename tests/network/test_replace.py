"""Scores of edited activations."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
import tensorflow as tf
from fakes import pictures

import xcnn
from xcnn.errors import LayerError

pytestmark = pytest.mark.keras

TWINS = {
    "act2": nets.flat,
    "base/act2": nets.nested,
    "middle/base/act2": nets.doubly_nested,
    "base/conv1": nets.nested,
}


def opened(model):
    network = xcnn.open_network(model, preprocess="unit")
    photos = pictures((24, 24), (40, 30), (31, 57))
    return network, network.batch(photos, ["top"], np.random.default_rng(0)).inputs


@pytest.mark.parametrize("path", TWINS)
def test_what_a_layer_returned_itself_changes_nothing(path):
    network, inputs = opened(TWINS[path]())
    found = network.activations(inputs, [path])

    same = network.scores(inputs, replace=found)

    np.testing.assert_allclose(same, network.scores(inputs), rtol=0, atol=1e-5)


@pytest.mark.parametrize("path", ["act2", "conv2", "pool1"])
def test_the_scores_are_those_of_the_rest_of_the_network(path):
    model = nets.flat()
    network, inputs = opened(model)
    found = network.activations(inputs, [path])[path]
    edited = found * (np.arange(found.shape[-1]) != 2)

    got = network.scores(inputs, replace={path: edited})

    values = tf.constant(edited)
    names = [layer.name for layer in model.layers]
    for layer in nets.logits_twin(model).layers[names.index(path) + 1 :]:
        values = layer(values)
    assert np.abs(got - network.scores(inputs)).max() > 0.01
    np.testing.assert_allclose(got, values, rtol=0, atol=1e-5)


def test_what_only_the_replaced_layer_needed_is_not_computed():
    network, inputs = opened(nets.flat())
    found = network.activations(inputs, ["act2"])

    got = network.scores(np.full_like(inputs, np.nan), replace=found)

    np.testing.assert_allclose(got, network.scores(inputs), rtol=0, atol=1e-5)


def test_one_trace_serves_any_number_of_edits():
    network, inputs = opened(nets.nested())
    found = network.activations(inputs, ["act2"])["base/act2"]
    network.scores(inputs, replace={"act2": found})
    before = network.traces

    for factor in (0, 2, 3):
        network.scores(inputs[:2], replace={"base/act2": factor * found[:2]})

    assert network.traces == before


def test_one_call_of_a_shared_layer_is_edited_and_not_the_others():
    network, inputs = opened(nets.siamese())
    found = network.activations(inputs, twice(network))
    first, second = found

    edited = network.scores(inputs, replace={first: 0 * found[first]})
    other = network.scores(inputs, replace={second: 0 * found[second]})
    both = network.scores(inputs, replace={path: 0 * values for path, values in found.items()})

    assert np.abs(edited - other).max() > 1e-3
    # The branches meet in a sum, and what follows is linear.
    np.testing.assert_allclose(edited + other, network.scores(inputs) + both, rtol=0, atol=1e-5)


def twice(network):
    return [layer.path for layer in network.layers() if "act2" in layer.path]


def test_channels_that_come_first_in_the_model_come_last_here():
    path = "permute"
    pixels = keras.Input((24, 24, 3))
    turned = keras.layers.Permute((3, 1, 2), name=path)(pixels)
    pooled = keras.layers.AveragePooling2D(2, data_format="channels_first", name="half")(turned)
    flat = keras.layers.Flatten(data_format="channels_last")(pooled)
    kernel = np.random.default_rng(0).normal(size=(432, 2)).astype(np.float32)
    dense = keras.layers.Dense(2, use_bias=False)
    model = keras.Model(pixels, dense(flat))
    dense.set_weights([kernel])
    network, inputs = opened(model)
    found = network.activations(inputs, ["half"])["half"]
    assert found.shape == (3, 12, 12, 3)
    edited = found + np.arange(3, dtype=np.float32)

    got = network.scores(inputs, replace={"half": edited})

    np.testing.assert_allclose(got, edited.transpose(0, 3, 1, 2).reshape(3, -1) @ kernel, rtol=1e-4, atol=1e-4)


def test_a_layer_without_a_map_can_be_replaced():
    model = nets.flat()
    network, inputs = opened(model)
    pooled = np.arange(24, dtype=np.float32).reshape(3, 8)

    got = network.scores(inputs, replace={"gap": pooled})

    kernel, bias = model.get_layer("predictions").get_weights()
    np.testing.assert_allclose(got, pooled @ kernel + bias, rtol=1e-5)


def test_a_half_precision_network_takes_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network, inputs = opened(nets.flat())
    finally:
        keras.config.set_dtype_policy("float32")
    found = network.activations(inputs, ["act2"])

    np.testing.assert_allclose(network.scores(inputs, replace=found), network.scores(inputs), rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("path", "shape", "words"),
    [
        ("act3", (3, 12, 12, 8), "has no layer 'act3'"),
        ("act2", (3, 12, 12, 7), "layer 'act2' returns 3x12x12x8, it can't be replaced by 3x12x12x7"),
        ("act2", (2, 12, 12, 8), "returns 3x12x12x8, it can't be replaced by 2x12x12x8"),
        ("gap", (3, 1, 1, 8), "returns 3x8"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(path, shape, words):
    network, inputs = opened(nets.flat())

    with pytest.raises(LayerError, match=words):
        network.scores(inputs, replace={path: np.zeros(shape, np.float32)})


def test_a_layer_that_the_scores_do_not_depend_on_is_refused():
    pixels = keras.Input((24, 24, 3))
    used = keras.layers.Conv2D(3, 3, name="used")(pixels)
    idle = keras.layers.Conv2D(3, 3, name="idle")(pixels)
    scores = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(used))
    network, inputs = opened(keras.Model(pixels, [scores, idle]))

    with pytest.raises(LayerError, match="do not depend on"):
        network.scores(inputs, replace={"idle": np.zeros((3, 22, 22, 3), np.float32)})
