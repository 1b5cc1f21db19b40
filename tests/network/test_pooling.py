"""The pooled heads that class activation mapping needs: found in every shape, and refused in words."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
from fakes import pictures

import xcnn
from xcnn.errors import MisfitError

pytestmark = pytest.mark.keras

LAYERS = keras.layers


def network_of(build, activation="softmax"):
    """A convolution with an activation as a layer of its own, and what `build` makes of it."""
    keras.utils.set_random_seed(4)
    pixels = keras.Input((9, 9, 3))
    features = LAYERS.ReLU(name="act")(LAYERS.Conv2D(4, 3, bias_initializer="ones", name="conv")(pixels))
    out = LAYERS.Activation(activation)(build(features))
    return xcnn.open_network(keras.Model(pixels, out), preprocess="unit")


def dense(x):
    return LAYERS.Dense(3)(x)


def pooled(x):
    return LAYERS.GlobalAveragePooling2D()(x)


class Mean(LAYERS.Layer):
    """Global average pooling by hand."""

    def call(self, x):
        return keras.ops.mean(x, axis=(1, 2))


HEADS = {
    "dense": lambda x: dense(pooled(x)),
    "no head of its own": pooled,
    "dropout": lambda x: dense(LAYERS.Dropout(0.5)(pooled(LAYERS.SpatialDropout2D(0.5, name="idle")(x)))),
    "batch normalization": lambda x: dense(LAYERS.BatchNormalization()(pooled(x))),
    "linear activation": lambda x: dense(LAYERS.Activation("linear")(pooled(x))),
    "scaled": lambda x: dense(LAYERS.Rescaling(0.5, offset=1)(pooled(x)) / 3),
    "average pooling over all": lambda x: dense(LAYERS.Flatten()(LAYERS.AveragePooling2D(7)(x))),
    "a mean by hand": lambda x: dense(keras.ops.mean(x, axis=(1, 2))),
    "a mean in a layer": lambda x: dense(Mean()(x)),
    "a mean that keeps the axes": lambda x: dense(LAYERS.Flatten()(keras.ops.mean(x, axis=(-3, -2), keepdims=True))),
    "a 1x1 convolution as in MobileNet": lambda x: LAYERS.Reshape((3,))(
        LAYERS.Conv2D(3, 1)(LAYERS.GlobalAveragePooling2D(keepdims=True)(x))
    ),
    "linear activation before": lambda x: dense(pooled(LAYERS.Activation("linear", name="idle")(x))),
    "the mean of two heads": lambda x: LAYERS.Average()([dense(pooled(x)), dense(pooled(x))]),
}


@pytest.mark.parametrize("name", HEADS)
def test_the_layer_that_is_pooled_is_found(name):
    network = network_of(HEADS[name])

    assert network.pooled() == ("act",)
    assert_weighs_linearly(network)


def assert_weighs_linearly(network, tolerance=1e-4):
    """Maps times weights, summed over all, are the score but for a constant."""
    batch = network.batch(pictures((24, 24), (24, 24), (24, 24)), ["0"], np.random.default_rng(0))
    found = network.layer_gradients(batch, network.pooled())
    total = np.zeros(len(batch.scores))
    for features, gradients in found.values():
        spread = gradients.max(axis=(1, 2)) - gradients.min(axis=(1, 2))
        np.testing.assert_allclose(spread, 0, atol=1e-6)
        weights = gradients.sum(axis=(1, 2))
        np.testing.assert_allclose(weights[1:], weights[:1].repeat(2, axis=0), rtol=1e-4, atol=1e-6)
        total += (features.mean(axis=(1, 2)) * weights).sum(axis=1)
    constants = batch.scores[:, 0] - total
    assert np.ptp(batch.scores[:, 0]) > 1e-4, "equal scores prove nothing"
    np.testing.assert_allclose(constants, constants[0], atol=tolerance * np.abs(batch.scores).max())


REFUSED = {
    "flattened maps": (lambda x: dense(LAYERS.Flatten()(x)), "flattened maps under a dense layer"),
    "maximum": (lambda x: dense(LAYERS.GlobalMaxPooling2D()(x)), "global max pooling under a dense layer"),
    "a hidden layer": (lambda x: dense(LAYERS.Dense(4, activation="relu")(pooled(x))), "ReLU under a dense layer"),
    "layer normalization": (
        lambda x: dense(LAYERS.LayerNormalization()(pooled(x))),
        "a product of features under a dense layer",
    ),
    "a gate": (
        lambda x: dense(pooled(x) * LAYERS.Dense(4, activation="sigmoid")(pooled(x))),
        "a product of features under a dense layer",
    ),
    "both kinds of pooling": (
        lambda x: dense(LAYERS.Concatenate()([pooled(x), LAYERS.GlobalMaxPooling2D()(x)])),
        "global max pooling under a dense layer",
    ),
    "a mean over one side": (lambda x: dense(LAYERS.Flatten()(keras.ops.mean(x, axis=1))), "Mean under a dense layer"),
    "a mean over channels": (
        lambda x: dense(LAYERS.Flatten()(keras.ops.mean(x, axis=(2, 3)))),
        "a mean over other axes than the positions",
    ),
    "pooling of a part": (
        lambda x: dense(LAYERS.Flatten()(LAYERS.AveragePooling2D(3)(x))),
        "flattened maps under a dense layer",
    ),
    "one window of several": (
        lambda x: dense(LAYERS.Flatten()(LAYERS.AveragePooling2D(5)(x))),
        "AvgPool under a dense layer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_another_head_is_refused_with_what_it_is(name):
    build, words = REFUSED[name]

    with pytest.raises(MisfitError) as caught:
        network_of(build).pooled()

    assert caught.value.message == (
        f"class activation mapping needs pooled maps: the head is {words}, not global average pooling"
    )
    assert caught.value.hint == "try gradcam"


def test_features_of_several_bases_are_several_layers():
    pixels = keras.Input((24, 24, 3))
    both = LAYERS.Concatenate()([pooled(nets.body("left")(pixels)), pooled(nets.body("right", seed=9)(pixels))])
    out = LAYERS.Dense(1, activation="sigmoid")(LAYERS.Dropout(0.2)(both))
    network = xcnn.open_network(keras.Model(pixels, out), preprocess="unit")

    assert network.pooled() == ("left/act2", "right/act2")
    assert network.about()["pooling"]["layer"] == ", ".join(network.pooled())
    assert_weighs_linearly(network)


def test_pooling_inside_the_bases_is_found_too():
    pixels = keras.Input((24, 24, 3))

    def base(name, seed):
        inner = nets.body("inner", seed=seed)
        return keras.Model(inner.inputs, pooled(inner.outputs[0]), name=name)

    both = LAYERS.Concatenate()([base("left", 1)(pixels), base("right", 2)(pixels)])
    network = xcnn.open_network(keras.Model(pixels, dense(both)), preprocess="unit")

    assert network.pooled() == ("left/act2", "right/act2")


def test_both_calls_of_a_shared_tower_are_pooled():
    network = xcnn.open_network(nets.siamese(), preprocess="unit")

    assert sorted(network.pooled()) == ["tower/act2[0]", "tower/act2[1]"]
    assert_weighs_linearly(network)


def test_layers_of_which_one_is_computed_from_the_other_are_refused():
    def build(x):
        return dense(LAYERS.Concatenate()([pooled(x), pooled(LAYERS.Conv2D(4, 3, name="deeper")(x))]))

    with pytest.raises(MisfitError, match="the head pools 'act' and also 'deeper', which is computed from it"):
        network_of(build).pooled()


def test_maps_that_no_layer_returns_are_refused():
    class Head(LAYERS.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], 3))

        def call(self, x):
            return keras.ops.matmul(keras.ops.mean(keras.ops.relu(x - 1), axis=(1, 2)), self.kernel)

    with pytest.raises(MisfitError, match="global average pooling of maps that no layer returns"):
        network_of(Head()).pooled()


@pytest.mark.parametrize(
    ("build", "path"),
    [
        (nets.nested, "base/act2"),
        (nets.doubly_nested, "middle/base/act2"),
        (nets.subclassed, "base/act2"),
        (lambda: nets.channels_first_twin(nets.flat()), "act2"),
        (lambda: keras.Sequential([keras.Input((24, 24, 3)), nets.body(), *nets.head("sigmoid", 1)]), "body/act2"),
    ],
)
def test_any_shape_of_model_is_understood(build, path):
    network = xcnn.open_network(build(), preprocess="unit")

    assert network.pooled() == (path,)
    assert_weighs_linearly(network)


def test_mixed_precision_hides_nothing():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = nets.nested()
    finally:
        keras.config.set_dtype_policy(before)

    assert xcnn.open_network(model, preprocess="unit").pooled() == ("base/act2",)


def test_probabilities_are_no_sum_of_weighed_maps():
    network = xcnn.open_network(nets.flat(), preprocess="unit", on="probability")

    with pytest.raises(MisfitError, match="class activation mapping weighs logits") as caught:
        network.pooled()

    assert caught.value.hint == "leave out --on probability"


@pytest.mark.parametrize(
    ("function", "size", "path"),
    [
        ("MobileNetV2", 64, "out_relu"),
        pytest.param("MobileNet", 64, "conv_pw_13_relu", marks=pytest.mark.slow),
        pytest.param("ResNet50", 64, "conv5_block3_out", marks=pytest.mark.slow),
        pytest.param("EfficientNetB0", 64, "top_activation", marks=pytest.mark.slow),
        pytest.param("DenseNet121", 64, "relu", marks=pytest.mark.slow),
        pytest.param("Xception", 72, "block14_sepconv2_act", marks=pytest.mark.slow),
        pytest.param("InceptionV3", 80, "mixed10", marks=pytest.mark.slow),
    ],
)
def test_the_classifiers_of_keras_applications_are_understood(function, size, path):
    model = getattr(keras.applications, function)(weights=None, input_shape=(size, size, 3), classes=10)

    assert xcnn.open_network(model, preprocess="unit").pooled() == (path,)


def test_a_nested_resnet_is_understood():
    base = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3))
    model = keras.Sequential([keras.Input((64, 64, 3)), base, pooled_layer(), LAYERS.Dense(2, activation="softmax")])

    assert xcnn.open_network(model, preprocess="unit").pooled() == ("resnet50/conv5_block3_out",)


def pooled_layer():
    return LAYERS.GlobalAveragePooling2D()
