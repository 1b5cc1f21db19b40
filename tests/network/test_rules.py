"""Guided and deconvolutional rules against twins whose gradients are written by hand."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
import tensorflow as tf
from fakes import pictures

import xcnn
from xcnn.errors import MisfitError, OptionError

pytestmark = pytest.mark.keras

SIZE = 8
RULES = ("guided", "deconv")


# Activations, each as a layer, as the argument of one, and written by hand


class Inline(keras.layers.Layer):
    """Calls a function of its own, inside a tf.function."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    @tf.function
    def call(self, x):
        return self.function(x)


def slope_by_hand(x):
    return tf.nn.relu(x) - 0.3 * tf.nn.relu(-x)


RECTIFIERS = {
    "a layer": (keras.layers.ReLU, tf.nn.relu),
    "an argument": (lambda: keras.layers.Conv2D(6, 1, activation="relu"), tf.nn.relu),
    "tf.nn.relu by hand": (lambda: Inline(tf.nn.relu), tf.nn.relu),
    "keras.ops.relu by hand": (lambda: Inline(keras.ops.relu), tf.nn.relu),
    "a maximum by hand": (lambda: Inline(lambda x: tf.maximum(0.0, x)), tf.nn.relu),
    "a choice by hand": (lambda: Inline(lambda x: tf.where(x > 0, x, 0.0)), tf.nn.relu),
    "ReLU6": (lambda: keras.layers.ReLU(max_value=6), tf.nn.relu6),
    "relu6 as an argument": (lambda: keras.layers.Activation("relu6"), tf.nn.relu6),
    "tf.nn.relu6 by hand": (lambda: Inline(tf.nn.relu6), tf.nn.relu6),
    "LeakyReLU": (lambda: keras.layers.LeakyReLU(negative_slope=0.3), slope_by_hand),
    "a ReLU with a slope": (lambda: keras.layers.ReLU(negative_slope=0.3), slope_by_hand),
    "a slope by hand": (lambda: Inline(slope_by_hand), slope_by_hand),
    "a slope by minimum": (lambda: Inline(lambda x: tf.maximum(x, 0.0) + tf.minimum(x, 0.0) * 0.3), slope_by_hand),
    "a capped ReLU": (lambda: keras.layers.ReLU(max_value=0.5), lambda x: tf.minimum(tf.nn.relu(x), 0.5)),
    "a capped ReLU by hand": (
        lambda: Inline(lambda x: tf.minimum(tf.nn.relu(x), 0.5)),
        lambda x: tf.minimum(tf.nn.relu(x), 0.5),
    ),
    "a ReLU with a threshold": (
        lambda: keras.layers.ReLU(threshold=0.25),
        lambda x: tf.where(x > 0.25, x, tf.zeros_like(x)),
    ),
    "a capped ReLU with a slope": (
        lambda: keras.layers.ReLU(max_value=0.5, negative_slope=0.3),
        lambda x: tf.minimum(slope_by_hand(x), 0.5),
    ),
    "a ReLU6 with a slope": (
        lambda: keras.layers.ReLU(max_value=6, negative_slope=0.3),
        lambda x: tf.minimum(slope_by_hand(x), 6.0),
    ),
    "a ReLU with a threshold and a slope": (
        lambda: keras.layers.ReLU(threshold=0.25, negative_slope=0.3),
        lambda x: tf.where(x > 0.25, x, 0.3 * (x - 0.25)),
    ),
}


def prelu():
    return keras.layers.PReLU(alpha_initializer=keras.initializers.Constant(0.3))


class OwnPReLU(keras.layers.Layer):
    """A PReLU by hand."""

    def build(self, shape):
        self.alpha = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(0.3))

    def call(self, x):
        return tf.nn.relu(x) - self.alpha * tf.nn.relu(-x)


def hard_sigmoid(x):
    return tf.nn.relu6(x + 3.0) / 6.0


def hard_swish(x):
    return x * hard_sigmoid(x)


@tf.custom_gradient
def own(x):
    """A ReLU whose gradient is written down."""
    return tf.nn.relu(x), lambda dy: dy * tf.cast(x > 0, tf.float32)


OTHERS = {
    "PReLU": (prelu, slope_by_hand, "PReLU"),
    "a PReLU by hand": (OwnPReLU, slope_by_hand, "PReLU"),
    "hard_sigmoid": (lambda: keras.layers.Activation("hard_sigmoid"), hard_sigmoid, "hard_sigmoid"),
    "hard_sigmoid by hand": (lambda: Inline(keras.ops.hard_sigmoid), hard_sigmoid, "hard_sigmoid"),
    "hard_sigmoid of MobileNetV3": (
        lambda: Inline(lambda x: keras.layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)),
        hard_sigmoid,
        "hard_sigmoid",
    ),
    "hard_silu": (lambda: keras.layers.Activation("hard_silu"), hard_swish, "hard_swish"),
    "hard_swish": (lambda: keras.layers.Activation("hard_swish"), hard_swish, "hard_swish"),
    "hard_silu as an argument": (
        lambda: keras.layers.Conv2D(6, 1, activation="hard_silu"),
        hard_swish,
        "hard_swish",
    ),
    "hard_silu by hand": (lambda: Inline(keras.ops.hard_silu), hard_swish, "hard_swish"),
    "another hard_swish by hand": (lambda: Inline(lambda x: x * tf.nn.relu6(3 + x) / 6), hard_swish, "hard_swish"),
    "a third hard_swish by hand": (lambda: Inline(lambda x: (x / 6) * tf.nn.relu6(3 + x)), hard_swish, "hard_swish"),
    "swish": (lambda: keras.layers.Activation("swish"), tf.nn.silu, "swish"),
    "swish by hand": (lambda: Inline(lambda x: x * tf.sigmoid(x)), tf.nn.silu, "swish"),
    "sigmoid": (lambda: keras.layers.Activation("sigmoid"), tf.sigmoid, "sigmoid"),
    "elu": (lambda: keras.layers.Activation("elu"), tf.nn.elu, "ELU"),
    "celu": (lambda: keras.layers.Activation("celu"), tf.nn.elu, "CELU"),
    "hard_tanh": (lambda: keras.layers.Activation("hard_tanh"), lambda x: tf.clip_by_value(x, -1, 1), "maximum"),
    "a clip": (lambda: Inline(lambda x: tf.clip_by_value(x, 0, 1)), lambda x: tf.clip_by_value(x, 0, 1), "maximum"),
    "a gradient of its own": (lambda: Inline(own), tf.nn.relu, "ReLU with a gradient of its own"),
}


def chain(activation, last="relu"):
    """A convolution, an activation, a convolution, a ReLU and a dense layer, with values on both sides of every kink."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(6, 3, name="first"),
            activation,
            keras.layers.Conv2D(4, 3, activation=last, name="second"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, name="scores"),
        ]
    )
    for name, scale in (("first", 1.5), ("second", 0.3), ("scores", 0.5)):
        kernel, bias = model.get_layer(name).get_weights()
        draw = np.random.default_rng(len(name)).normal
        model.get_layer(name).set_weights([draw(0, scale, kernel.shape), draw(0, 0.2, bias.shape)])
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.name not in {"first", "second"}:
            layer.set_weights([np.eye(6)[np.newaxis, np.newaxis], np.zeros(6)])
    return model


def ruled(forward, rule):
    """A rectifier with the gradient of the literature."""

    @tf.custom_gradient
    def function(x):
        y = forward(x)

        def gradient(arriving):
            kept = arriving * tf.cast(arriving > 0, arriving.dtype)
            return kept * tf.cast(y > 0, y.dtype) if rule == "guided" else kept

        return y, gradient

    return function


def by_hand(model, inputs, first, second, index=1, dtype=tf.float32):
    """The gradient of a score through a chain of which both activations are given, computed in a precision."""
    x = tf.constant(inputs)
    weights = {
        name: [tf.cast(one, dtype) for one in model.get_layer(name).get_weights()]
        for name in ("first", "second", "scores")
    }
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = first(tf.nn.conv2d(tf.cast(x, dtype), weights["first"][0], 1, "VALID") + weights["first"][1])
        y = second(tf.nn.conv2d(y, weights["second"][0], 1, "VALID") + weights["second"][1])
        score = (tf.reshape(y, (len(inputs), -1)) @ weights["scores"][0] + weights["scores"][1])[:, index]
    return np.asarray(tape.gradient(score, x))


def found(model, rule, count=2):
    network = xcnn.open_network(model, preprocess="unit")
    batch = network.batch(pictures(*[(SIZE, SIZE)] * count), ["1"], np.random.default_rng(0))
    return network, batch.inputs, network.input_gradients(batch, rule)


def agree(got, wanted):
    assert np.abs(wanted).max() > 0, "gradients of zero prove nothing"
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", RECTIFIERS)
def test_a_rectifier_hands_down_what_its_rule_says(name, rule):
    build, forward = RECTIFIERS[name]
    model = chain(build())

    network, inputs, got = found(model, rule)

    agree(got, by_hand(model, inputs, ruled(forward, rule), ruled(tf.nn.relu, rule)))
    assert (network.rectifiers().covered, network.rectifiers().others) == (2, {})


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", OTHERS)
def test_another_activation_keeps_its_own_gradient_and_is_listed(name, rule):
    build, forward, listed = OTHERS[name]
    model = chain(build())

    network, inputs, got = found(model, rule)

    agree(got, by_hand(model, inputs, forward, ruled(tf.nn.relu, rule)))
    assert (network.rectifiers().covered, network.rectifiers().others) == (1, {listed: 1})


@pytest.mark.parametrize("name", [*RECTIFIERS, *OTHERS])
def test_the_plain_gradient_is_that_of_the_network(name):
    build, forward, *_ = {**RECTIFIERS, **OTHERS}[name]
    model = chain(build())

    _, inputs, got = found(model, "plain")

    agree(got, by_hand(model, inputs, forward, tf.nn.relu))


@pytest.mark.parametrize("rule", RULES)
def test_two_rectifiers_side_by_side_are_two(rule):
    """As in a concatenated ReLU, which looks like the parts of a leaky one but is not."""

    def both(x):
        return tf.concat([tf.nn.relu(x[..., :3]), tf.nn.relu(-x[..., 3:])], axis=-1)

    def ruled_both(x):
        return tf.concat([ruled(tf.nn.relu, rule)(x[..., :3]), ruled(tf.nn.relu, rule)(-x[..., 3:])], axis=-1)

    model = chain(Inline(both))
    network, inputs, got = found(model, rule)

    agree(got, by_hand(model, inputs, ruled_both, ruled(tf.nn.relu, rule)))
    assert network.rectifiers().covered == 3


MIXED = {
    "relu6": tf.nn.relu6,
    "hard_silu": hard_swish,
    "hard_sigmoid": hard_sigmoid,
    "leaky_relu": lambda x: tf.nn.leaky_relu(x, 0.2),
}
HALVES = {"mixed_float16": (tf.float16, 2e-3), "mixed_bfloat16": (tf.bfloat16, 2e-2)}
"""Their precisions, and a few times the distance between two neighbouring numbers."""


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("policy", HALVES)
@pytest.mark.parametrize("name", MIXED)
def test_in_mixed_precision_the_rules_are_those_of_the_same_arithmetic_by_hand(name, policy, rule):
    dtype, bound = HALVES[policy]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = chain(keras.layers.Activation(name))
    finally:
        keras.config.set_dtype_policy(before)

    network, inputs, got = found(model, rule)

    first = MIXED[name] if name.startswith("hard") else ruled(MIXED[name], rule)
    wanted = by_hand(model, inputs, first, ruled(tf.nn.relu, rule), dtype=dtype)
    full = xcnn.open_network(chain(keras.layers.Activation(name)), preprocess="unit")
    assert got.dtype == np.float32
    assert network.rectifiers() == full.rectifiers()
    assert np.abs(wanted).max() > 0, "gradients of zero prove nothing"
    np.testing.assert_allclose(got, wanted, rtol=0, atol=bound * np.abs(wanted).max())


@pytest.mark.parametrize(
    ("rule", "words"), [("guided", "guided backpropagation"), ("deconv", "the deconvolutional network")]
)
def test_a_network_without_rectifiers_is_refused_with_what_it_has_instead(rule, words):
    model = chain(keras.layers.Activation("swish"), last="swish")

    with pytest.raises(MisfitError) as caught:
        found(model, rule)

    assert caught.value.message == f"{words} acts on ReLUs and this model has none: 2 swish"
    assert caught.value.hint == "try saliency or gradcam"


def test_a_network_without_any_non_linearity_is_refused_too():
    with pytest.raises(MisfitError, match=r"acts on ReLUs and this model has none(?m:$)"):
        found(chain(keras.layers.Activation("linear"), last="linear"), "guided")


def test_rectifiers_inside_a_loop_are_out_of_reach_and_listed():
    def loop(x):
        return tf.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, tf.nn.relu(y) - 0.1), [0, x])[1]

    network, _, _ = found(chain(Inline(loop)), "plain")

    assert network.rectifiers().covered == 1
    assert network.rectifiers().others == {"ReLU inside a loop or branch": 1}
    assert "not covered: 1 ReLU inside a loop or branch" in network.rectifiers().words


def test_an_unknown_rule_is_an_error_that_names_the_nearest():
    with pytest.raises(OptionError, match="no gradient rule 'guide'") as caught:
        found(nets.flat(), "guide")

    assert "guided" in caught.value.hint


def test_rules_leave_no_trace_in_the_model_nor_in_the_other_rules():
    model = nets.flat()
    network = xcnn.open_network(model, preprocess="unit")

    def gradients(rule):
        return network.input_gradients(network.batch(pictures((24, 24)), ["2"], np.random.default_rng(0)), rule)

    plain, guided, deconv = (gradients(rule) for rule in ("plain", "guided", "deconv"))

    assert not np.allclose(plain, guided)
    assert not np.allclose(guided, deconv)
    np.testing.assert_array_equal(gradients("plain"), plain)
    np.testing.assert_array_equal(gradients("guided"), guided)
    assert all("call" not in vars(layer) for layer in model._flatten_layers(include_self=True, recursive=True))
